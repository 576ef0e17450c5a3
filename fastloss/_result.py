"""What an evaluation found, made of exact sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from ._exact import rounded
from ._tally import Tally

__all__ = ["NORMAL_975", "LossResult", "result_of"]

NORMAL_975 = 1.959963984540054
"""The quantile 0.975 of the normal distribution."""


@dataclass(frozen=True)
class LossResult:
    """What an evaluation found.

    Attributes
    ----------
    mean : float
        Σwℓ / Σw, rounded once from exact sums; NaN of no rows.
    standard_error : float
        Of the mean, where rows are independent of one another: that of a ratio of sums, with
        n / (n - 1); for weights 1 the sample deviation over √n. NaN of fewer than two rows.
    total, weight : float
        Σwℓ and Σw, rounded once.
    count, skipped : int
        Rows that count; rows that were ignored or weigh 0.
    nan, infinite : int
        Losses that are NaN or infinite, among those that count.
    first_nan, first_infinite : int or None
        Which row was the first such, in the order of updates; states that are added follow one
        another.
    minimum, maximum : float
        Of the losses that count and are not NaN, before they are weighted; NaN of none.
    """

    mean: float
    standard_error: float
    total: float
    weight: float
    count: int
    skipped: int
    nan: int
    first_nan: int | None
    infinite: int
    first_infinite: int | None
    minimum: float
    maximum: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the mean, where rows are independent."""
        half = NORMAL_975 * self.standard_error
        return self.mean - half, self.mean + half


def result_of(kept: Tally) -> LossResult:
    """Of what a tally has summed."""
    mean, error = _mean(kept), _standard_error(kept)
    counted = kept.least <= kept.greatest
    return LossResult(
        mean=mean,
        standard_error=error,
        total=float(kept.sums["loss"]),
        weight=float(kept.sums["weight"]),
        count=kept.used,
        skipped=kept.rows - kept.used,
        nan=kept.nan.count,
        first_nan=None if kept.nan.first < 0 else kept.nan.first,
        infinite=kept.infinite.count,
        first_infinite=None if kept.infinite.first < 0 else kept.infinite.first,
        minimum=kept.least if counted else math.nan,
        maximum=kept.greatest if counted else math.nan,
    )


def _mean(kept: Tally) -> float:
    total, weight = kept.sums["loss"], kept.sums["weight"]
    if total.special or weight.special:
        return float(total) / float(weight)
    return rounded(total.fraction() / weight.fraction()) if weight.units else math.nan


def _standard_error(kept: Tally) -> float:
    n, sums = kept.used, kept.sums
    if n < 2 or any(x.special for x in sums.values()):
        return math.nan
    exact = {name: x.fraction() for name, x in sums.items()}
    mean = exact["loss"] / exact["weight"]
    squares = (
        exact["loss_squared"]
        - 2 * mean * exact["weight_times_loss"]
        + mean**2 * exact["weight_squared"]
    )
    variance = Fraction(n, n - 1) * squares / exact["weight"] ** 2
    return math.sqrt(rounded(max(variance, Fraction(0))))
