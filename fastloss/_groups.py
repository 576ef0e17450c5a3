"""Which elements of a call make a group, and what their weights mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Groups", "make_groups"]


@dataclass
class Groups:
    """The groups of a call.

    Attributes
    ----------
    offsets : ndarray
        Where each group begins, and the end.
    unit : str
        That of the loss.
    weight : ndarray or None
        One a group, where the caller gave them so.
    """

    offsets: np.ndarray
    unit: str
    weight: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many groups there are."""
        return self.offsets.size - 1

    def take_weight(self, weight: np.ndarray) -> np.ndarray | None:
        """The weights of elements; those of groups are kept here."""
        elements = int(self.offsets[-1])
        if weight.ndim == 0:
            self.weight = np.broadcast_to(weight, (self.count,))
        elif self.unit == "event" or weight.shape == (elements,):
            return weight
        elif weight.shape == (self.count,):
            self.weight = weight
        else:
            raise ValueError(
                f"weight has shape {weight.shape}: it must be a scalar, have one number a group, "
                f"shape ({self.count},), or one an element, shape ({elements},)"
            )
        return None

    def of_elements(self) -> np.ndarray:
        """The group of each element."""
        return np.repeat(np.arange(self.count), np.diff(self.offsets))


def make_groups(loss: Any, arrays: dict[str, np.ndarray]) -> Groups:
    """The groups of a call; raises where equal ids do not lie side by side."""
    prediction = arrays["prediction"]
    if prediction.ndim != 1:
        flat = sum(n != 1 for n in prediction.shape) <= 1
        hint = "; use prediction.reshape(-1)" if flat else ""
        raise ValueError(
            f"prediction has shape {prediction.shape}, but {loss.name} needs one axis{hint}"
        )
    n = prediction.size
    ids = arrays.get("group")
    if ids is None:
        return Groups(np.array([0, n] if n else [0]), loss.unit)
    if ids.dtype.kind not in "biu":
        raise TypeError(f"group must hold integers, one id an element; got {ids.dtype}")
    if ids.shape != (n,):
        message = f"group has shape {ids.shape}, but prediction has shape {prediction.shape}"
        if ids.ndim == 1 and int(ids.sum()) == n:
            message += (
                ": it holds one id an element; of sizes of groups "
                "numpy.repeat(numpy.arange(len(group)), group) makes them"
            )
        raise ValueError(message)
    starts = np.flatnonzero(ids[1:] != ids[:-1]) + 1
    offsets = np.concatenate([[0], starts, [n]]) if n else np.zeros(1, np.int64)
    _check_adjacent(ids, offsets)
    return Groups(offsets.astype(np.int64), loss.unit)


def _check_adjacent(ids: np.ndarray, offsets: np.ndarray) -> None:
    firsts = ids[offsets[:-1]]
    if (firsts[1:] > firsts[:-1]).all() or (firsts[1:] < firsts[:-1]).all():
        return
    order = np.argsort(firsts, kind="stable")
    again = order[1:][firsts[order[1:]] == firsts[order[:-1]]]
    if again.size:
        group = int(again.min())
        at = int(offsets[group])
        earlier = int(np.flatnonzero(firsts[:group] == firsts[group])[-1])
        raise ValueError(
            f"group[{at}] is {ids[at]}, whose elements ended at group[{offsets[earlier + 1] - 1}]: "
            "elements of a group must lie side by side; sort by group first"
        )
