"""Segments: the values of some columns that rows have in common, by number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ._arrow import as_arrow
from ._batch import Batch

__all__ = ["Keys"]


class Keys:
    """Numbers for keys, in the order in which they were first seen."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._numbers)

    def number(self, key: tuple[Any, ...]) -> int:
        """Of a key, which may be new; NaN is one value, and so is zero of either sign."""
        return self._numbers.setdefault(tuple(map(_one, key)), len(self._numbers))

    def by(self, places: Sequence[int]) -> tuple[Keys, np.ndarray]:
        """Keys of some of the values, and of each key the number among them."""
        found = Keys()
        if not places:
            found.number(())
        codes = [found.number(tuple(key[i] for i in places)) for key in self]
        return found, np.array(codes, np.int64)

    def codes(self, batch: Batch, columns: Sequence[str]) -> np.ndarray:
        """The numbers of a batch's rows."""
        first, *others = columns
        code, known = _encoded(batch.columns[first], first)
        keys = [(value,) for value in known]
        for name in others:
            inside, known = _encoded(batch.columns[name], name)
            both = np.multiply(code, len(known), dtype=np.int64) + inside
            present, code = _present(both, len(keys) * len(known))
            keys = [(*keys[i // len(known)], known[i % len(known)]) for i in present.tolist()]
        if not all(key in self._numbers for key in keys):
            for i in _present(code, len(keys))[0].tolist():
                self.number(keys[i])
        numbers = np.array([self._numbers.get(key, 0) for key in keys], code.dtype)
        # the same values in each batch need no other numbers
        return code if np.array_equal(numbers, np.arange(len(keys))) else np.take(numbers, code)


def _present(code: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes that occur, and each row's place among them."""
    if not _is_dense(size, code.size):
        return np.unique(code, return_inverse=True)
    there = np.zeros(size, bool)
    there[code] = True
    present = np.flatnonzero(there)
    place = np.empty(size, np.int64)
    place[present] = np.arange(present.size)
    return present, place[code]


def _is_dense(size: int, rows: int) -> bool:
    """Whether a table of so many codes is cheaper than sorting."""
    return size <= 4 * rows + 1024


def _encoded(x: Any, column: str) -> tuple[np.ndarray, list[Any]]:
    """Numbers below the count of different values, and the values; null is None."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "biufSU" and x.ndim == 1:
        return _encoded_array(x)
    try:
        return _encoded_arrow(as_arrow(x))
    except (NotImplementedError, TypeError, ValueError) as error:  # PyArrow's are such
        raise TypeError(
            f"column {column!r} cannot tell rows apart: {error}; cast it to numbers or text"
        ) from error


def _encoded_array(x: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    if x.dtype.kind in "iu" and x.size:
        low, high = int(x.min()), int(x.max())
        size = high - low + 1
        if _is_dense(size, x.size):
            # in unsigned numbers differences are right whatever the sign was
            unsigned = x.dtype.str.replace("i", "u")
            above = x.view(unsigned) - np.array(low, x.dtype).view(unsigned)
            present, inside = _present(above, size)
            return inside, [low + value for value in present.tolist()]
    values, inside = np.unique(x, return_inverse=True)
    return inside, [_one(value) for value in values.tolist()]


def _encoded_arrow(x: Any) -> tuple[np.ndarray, list[Any]]:
    import pyarrow as pa

    if pa.types.is_dictionary(x.type) and len(x.dictionary) > len(x):
        x = x.dictionary_decode()  # whose values would all be made Python's
    if not pa.types.is_dictionary(x.type):
        x = x.dictionary_encode()
    inside, known = x.indices, [_one(value) for value in _exact(x.dictionary).tolist()]
    hash(tuple(known))  # lists are refused
    if x.null_count:
        inside = inside.cast(pa.int32()).fill_null(len(known))
        known.append(None)
    return np.asarray(inside).astype(np.int32, copy=False), known


def _exact(values: Any) -> Any:
    """Times as Python has them: of microseconds, and of a zone as UTC, where none comes twice."""
    import pyarrow as pa

    of = values.type
    if pa.types.is_timestamp(of):
        return values.cast(pa.timestamp("us", of.tz and "UTC"))
    if pa.types.is_duration(of):
        return values.cast(pa.duration("us"))
    return values.cast(pa.time64("us")) if of == pa.time64("ns") else values


def _one(x: Any) -> Any:
    return x if not isinstance(x, float) else math.nan if x != x else x + 0.0
