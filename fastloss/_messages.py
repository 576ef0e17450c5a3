"""The errors for arguments that cannot become arrays."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from ._dtypes import SUPPORTED

__all__ = [
    "at",
    "element",
    "kind_of",
    "masked",
    "needs_pyarrow",
    "null",
    "ragged",
    "refusal",
    "shown",
    "unravel",
    "unreadable",
    "wrong_device",
]

Shape = tuple[int, ...]


def refusal(value: object, name: str) -> TypeError:
    hint = ": call .toarray() first" if hasattr(value, "toarray") else ""  # sparse
    return TypeError(
        f"{name} must be a number, a list, an array, a column, a frame or a CPU tensor "
        f"of dtype {SUPPORTED}, not {'None' if value is None else kind_of(value)}{hint}"
    )


def unreadable(value: object, name: str, error: Exception) -> TypeError:
    reason = str(error).partition("\n")[0]
    return TypeError(f"{name} is a {kind_of(value)} that NumPy cannot read: {reason}")


def needs_pyarrow(value: object, name: str) -> TypeError:
    return TypeError(f"{name} is a {kind_of(value)}, read through pyarrow: import pyarrow first")


def wrong_device(name: str, device: str, call: str) -> TypeError:
    return TypeError(f"fastloss runs on the CPU; {name} is on {device}: call {call} first")


def null(name: str, position: tuple[object, ...]) -> ValueError:
    return ValueError(f"{name} has a null at {_place(position)}; drop or fill nulls first")


def masked(name: str, position: Shape) -> ValueError:
    return ValueError(f"{name} is masked at {_place(position)}; drop or fill masked elements first")


def ragged(name: str, shape: list[int], i: int, found: Shape, first: Shape) -> ValueError:
    return ValueError(
        f"{name} is ragged: {element(name, i, shape)} {_extent(found)}, "
        f"but {element(name, 0, shape)} {_extent(first)}"
    )


def at(name: str, index: Iterable[Any]) -> str:
    """An element of an array, as one would write it."""
    inside = ", ".join(str(int(i)) for i in index)
    return f"{name}[{inside}]" if inside else name


def element(name: str, i: int, shape: list[int]) -> str:
    """An element, given by its place in the flattened argument, as one would write it."""
    return name + "".join(f"[{k}]" for k in unravel(i, shape))


def unravel(i: int, shape: list[int] | Shape) -> Shape:
    return tuple(map(int, np.unravel_index(i, shape)))


def kind_of(value: object) -> str:
    """The type of a value and, where it is a library's, the library."""
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__.partition('.')[0]} {kind.__qualname__}"


def shown(value: object) -> str:
    """A value on one line that is no longer than a message can be."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 60
    try:
        return " ".join(short.repr(value).split())
    except ValueError:  # an integer of more digits than Python writes
        return "an integer of too many digits"


def _extent(shape: Shape) -> str:
    if not shape:
        return "is a number"
    return f"has length {shape[0]}" if len(shape) == 1 else f"has shape {shape}"


def _place(position: tuple[object, ...]) -> str:
    if not position:
        return "its only element"
    if len(position) == 1:
        return f"row {position[0]}"
    if len(position) == 2:
        return f"row {position[0]}, column {position[1]!r}"
    return f"index {position}"
