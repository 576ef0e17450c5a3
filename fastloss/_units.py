"""The units of a call, some at a time: what the plain driver and the search for errors read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from ._plan import Plan

__all__ = ["Units", "parts"]

# Elements looked at together.
_CHUNK = 1 << 16


def parts(plan: Plan) -> Iterator[Units]:
    """All units in C order, in parts of a size that memory does not notice."""
    size = max(1, _CHUNK // plan.classes)
    for begin in range(0, plan.units, size):
        yield Units(plan, begin, min(begin + size, plan.units))


class Units:
    """Some units, from ``begin`` to before ``end`` in C order."""

    def __init__(self, plan: Plan, begin: int, end: int) -> None:
        self.plan = plan
        self.begin = begin
        self.count = end - begin
        # without axes of one unit, as NumPy takes fewer index arrays than axes
        self._single = tuple(axis for axis, n in enumerate(plan.shape) if n == 1)
        lengths = [n for n in plan.shape if n != 1]
        flat = np.arange(begin, end)
        self._index: tuple[Any, ...] = np.unravel_index(flat, lengths) if lengths else (None,)

    def of(self, array: np.ndarray) -> np.ndarray:
        """The units' part of an array over all units."""
        return np.asarray(array).squeeze(self._single)[self._index]

    def put(self, array: np.ndarray, part: np.ndarray) -> None:
        """Writes the units' part of an array over all units."""
        np.asarray(array).squeeze(self._single)[self._index] = part

    def input(self, name: str) -> np.ndarray:
        """An input, rounded to the compute dtype."""
        return self.of(self.plan.arrays[name]).astype(self.plan.dtype)

    @cached_property
    def given_weight(self) -> np.ndarray:
        """The weights that the caller gave, 1 without."""
        weight = self.plan.weight
        return np.ones(self.count) if weight is None else self.of(weight).astype(np.float64)

    @cached_property
    def labels(self) -> np.ndarray:
        """The class indices as the caller gave them."""
        labels = self.of(self.plan.arrays["target"])
        return labels if labels.dtype.kind in "biuf" else labels.astype(np.float32)

    @cached_property
    def absent(self) -> np.ndarray:
        """Which rows of class indices weigh nothing or are left out, whatever their label is."""
        ignore: Any = getattr(self.plan.loss, "ignore_index", None)
        absent = self.given_weight == 0
        return absent if ignore is None else absent | (self.labels == ignore)

    @cached_property
    def classes(self) -> np.ndarray:
        """The class indices as integers, 0 for absent rows; all others must be valid."""
        return np.where(self.absent, 0, self.labels).astype(np.int64)

    @cached_property
    def weight(self) -> np.ndarray:
        """What the units count: their weights times those of their classes, 0 for absent rows."""
        plan = self.plan
        weight = self.given_weight
        if plan.labels:
            weight = np.where(self.absent, 0.0, weight)
        class_weight: Any = getattr(plan.loss, "class_weight", None)
        if class_weight is None:
            return weight
        of_classes = np.asarray(class_weight)
        if plan.labels:
            mean = of_classes[self.classes]
        else:
            mass = self.input("target").astype(np.float64)
            mean = np.sum(np.where(mass == 0, 0.0, mass * of_classes), axis=-1)
        return np.where(weight == 0, 0.0, weight * mean)
