"""What a state keeps of some losses: counts, extremes and exact sums."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._exact import Exact, products
from ._native import core

__all__ = ["SUMS", "Special", "Tally", "tally"]

SUMS = ("loss", "loss_squared", "weight", "weight_times_loss", "weight_squared")
"""What is summed; the loss is multiplied by the weight first, and rounded."""


@dataclass
class Special:
    """How many losses are NaN, or infinite, and the row of the first; -1 without one."""

    count: int = 0
    first: int = -1

    def followed_by(self, other: Special, rows: int) -> Special:
        """Of both, where the other's rows are counted from a number on."""
        if not other.count:
            return Special(self.count, self.first)
        first = rows + other.first
        if self.count:
            first = min(first, self.first)
        return Special(self.count + other.count, first)


@dataclass
class Tally:
    """Of some rows, in their order."""

    rows: int = 0
    used: int = 0
    nan: Special = field(default_factory=Special)
    infinite: Special = field(default_factory=Special)
    least: float = math.inf
    greatest: float = -math.inf
    sums: dict[str, Exact] = field(default_factory=lambda: {name: Exact() for name in SUMS})

    def followed_by(self, other: Tally) -> Tally:
        """Of both, whose rows come one after the other."""
        return self._with(other, self.rows)

    def beside(self, other: Tally) -> Tally:
        """Of both, whose first rows are numbers of the same source."""
        return self._with(other, 0)

    def _with(self, other: Tally, rows: int) -> Tally:
        return Tally(
            rows=self.rows + other.rows,
            used=self.used + other.used,
            nan=self.nan.followed_by(other.nan, rows),
            infinite=self.infinite.followed_by(other.infinite, rows),
            least=min(self.least, other.least),
            greatest=max(self.greatest, other.greatest),
            sums={name: self.sums[name] + other.sums[name] for name in SUMS},
        )

    def to_dict(self) -> dict[str, Any]:
        """As strings and integers."""
        return {
            "rows": self.rows,
            "count": self.used,
            "nan": [self.nan.count, self.nan.first],
            "infinite": [self.infinite.count, self.infinite.first],
            "minimum": self.least.hex(),
            "maximum": self.greatest.hex(),
            "sums": {name: total.to_bytes().hex() for name, total in self.sums.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tally:
        """What :meth:`to_dict` wrote."""
        return cls(
            rows=data["rows"],
            used=data["count"],
            nan=Special(*data["nan"]),
            infinite=Special(*data["infinite"]),
            least=float.fromhex(data["minimum"]),
            greatest=float.fromhex(data["maximum"]),
            sums={name: Exact.from_bytes(bytes.fromhex(data["sums"][name])) for name in SUMS},
        )


def tally(losses: np.ndarray, weights: np.ndarray | None, threads: int | None) -> Tally:
    """Of losses, contiguous float32 or float64, and weights, float64; 0 is absent."""
    if core is not None:
        counts, least, greatest, exact = core.tally(losses, weights, threads)
        used, nan, infinite = counts
        sums = [Exact(units, -1074, beside) for units, beside in exact]
        found = Tally(losses.size, used, Special(*nan), Special(*infinite), least, greatest)
    else:
        found, sums = _plain(losses.astype(np.float64), weights)
    if weights is None:
        sums[2:] = [Exact(losses.size), sums[0], Exact(losses.size)]
    found.sums = dict(zip(SUMS, sums, strict=True))
    return found


def _plain(losses: np.ndarray, weights: np.ndarray | None) -> tuple[Tally, list[Exact]]:
    w = np.ones(losses.size) if weights is None else weights
    x = np.where(w == 0, 0.0, losses)
    counted = x[(w != 0) & ~np.isnan(x)]
    found = Tally(
        rows=x.size,
        used=int(np.count_nonzero(w)),
        nan=_special(np.isnan(x)),
        infinite=_special(np.isinf(x)),
        least=float(counted.min(initial=math.inf)),
        greatest=float(counted.max(initial=-math.inf)),
    )
    with np.errstate(all="ignore"):
        weighted = np.where(w == 0, 0.0, w * x)
    squares = [products(a, b) for a, b in ((weighted, weighted), (w, weighted), (w, w))]
    of_loss, cross, of_weight = (Exact.of(high) + Exact.of(low) for high, low in squares)
    return found, [Exact.of(weighted), of_loss, Exact.of(w), cross, of_weight]


def _special(which: np.ndarray) -> Special:
    places = np.flatnonzero(which)
    return Special(places.size, int(places[0])) if places.size else Special()
