"""What was asked for, and keys, as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from .._loss import Loss
from .._messages import kind_of
from .._registry import get
from ._request import Request

__all__ = ["request_from_dict", "request_to_dict", "value_from_json", "value_to_json"]


def _microseconds(x: timedelta) -> str:
    return str(x // timedelta(microseconds=1))


# How values that JSON has no form for are text, and how they are read.
_KINDS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "timedelta": (timedelta, _microseconds, lambda x: timedelta(microseconds=int(x))),
    "decimal": (Decimal, str, Decimal),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "float": (float, str, float),
}


def request_to_dict(request: Request) -> dict[str, Any]:
    """The names of columns, and losses as one writes them."""
    losses = {name: repr(loss) for name, loss in request.losses.items()}
    labels = request.labels and [value_to_json(x) for x in request.labels]
    return {**asdict(request), "losses": losses, "labels": labels}


def request_from_dict(data: dict[str, Any], losses: dict[str, Loss]) -> Request:
    """What was written; losses that are none of the registry are given."""
    known = {
        name: _known(name, text, losses[name]) if name in losses else get(text)
        for name, text in data["losses"].items()
    }
    labels = data["labels"]
    columns = {
        "models": {model: _columns(some) for model, some in data["models"].items()},
        "target": _columns(data["target"]),
        "by": tuple(data["by"]),
        "inputs": {name: _columns(some) for name, some in data["inputs"].items()},
        "labels": None if labels is None else tuple(value_from_json(x) for x in labels),
    }
    return Request(**{**data, "losses": known, **columns})


def _known(name: str, text: str, loss: Loss) -> Loss:
    if repr(loss) != text:
        raise ValueError(f"the evaluation's {name} is {text}; losses has {loss!r}")
    return loss


def _columns(some: Any) -> Any:
    return tuple(some) if isinstance(some, list) else some


def value_to_json(x: Any) -> Any:
    """A key; what JSON has no form for is an object of its kind and text."""
    if x is None or isinstance(x, (str, int)):
        return x
    if isinstance(x, float) and math.isfinite(x):
        return x
    for kind, (of, write, _) in _KINDS.items():
        if isinstance(x, of):
            return {kind: write(x)}
    raise TypeError(f"a key is a {kind_of(x)}, which is not written; cast the column to text")


def value_from_json(x: Any) -> Any:
    """What :func:`value_to_json` wrote."""
    if not isinstance(x, dict):
        return x
    ((kind, text),) = x.items()
    return _KINDS[kind][2](text)
