"""Where the values of an input may lie. A NaN lies in every domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "ABOVE_MINUS_ONE",
    "ANYTHING",
    "CLASS_INDEX",
    "COUNTS",
    "EVENT",
    "GROUP",
    "LOG_PROBABILITY",
    "MASS",
    "POSITIVE",
    "PROBABILITY",
    "RELEVANCE",
    "TIME",
    "Domain",
    "labels",
]


@dataclass(frozen=True)
class Domain:
    """An interval with both ends included, or two single values.

    Parameters
    ----------
    text : str
        How messages and documentation call it.
    low, high : float
        The ends, in float64.
    discrete : bool
        Only ``low`` and ``high`` themselves are allowed.
    """

    text: str
    low: float = -np.inf
    high: float = np.inf
    discrete: bool = False

    @property
    def checked(self) -> bool:
        """Whether anything lies outside."""
        return self.discrete or self.low > -np.inf or self.high < np.inf

    def outside(self, x: Any) -> Any:
        """Boolean array: which values lie outside."""
        if self.discrete:
            return (x != self.low) & (x != self.high) & (x == x)
        # as doubles: float32 would round the least number above 0 to 0; NumPy's casts warn of
        # what a kernel before them had found invalid
        with np.errstate(invalid="ignore"):
            return (x < np.float64(self.low)) | (x > np.float64(self.high))

    def clip(self, x: Any) -> Any:
        """The nearest numbers inside, in the same dtype."""
        x = np.asarray(x)
        low = np.asarray(self.low, x.dtype)
        if low < np.float64(self.low):
            low = np.nextafter(low, x.dtype.type(1))
        return np.clip(x, low, np.asarray(self.high, x.dtype))


ANYTHING = Domain("any number")
PROBABILITY = Domain("a number in [0, 1]", 0.0, 1.0)
COUNTS = Domain("a number >= 0", 0.0)
ABOVE_MINUS_ONE = Domain("a number >= -1", -1.0)
LOG_PROBABILITY = Domain("a number <= 0", high=0.0)
MASS = Domain("a number >= 0", 0.0)
CLASS_INDEX = Domain("a class index", 0.0)
EVENT = Domain("0 (censored) or 1 (event)", 0.0, 1.0, discrete=True)
GROUP = Domain("an integer, the same for the elements of a group")
POSITIVE = Domain("a number > 0", float(np.finfo(np.float64).smallest_subnormal))
RELEVANCE = Domain("a number in [0, 100]", 0.0, 100.0)
TIME = Domain("a time >= 0", 0.0)


def labels(kind: str) -> Domain:
    """The two labels that ``labels="pm1"`` or ``labels="01"`` names."""
    if kind == "pm1":
        return Domain("-1 or +1 (labels='pm1')", -1.0, 1.0, discrete=True)
    return Domain("0 or 1 (labels='01')", 0.0, 1.0, discrete=True)
