"""Functions of the softmax probability of a row's label."""

from __future__ import annotations

from typing import Any, ClassVar

from .._domains import ANYTHING, CLASS_INDEX, Domain
from ..vocabulary import (
    const,
    exp,
    fma,
    log,
    lowered,
    two_difference,
    two_exp_raised,
    two_sum,
    where,
)
from ..vocabulary.special.two_word import two_times
from ._labels import LabelProbabilities
from ._softmax import normalizer, probability, softmax_fit, softmax_term

__all__ = ["LabelSoftmax", "label_probability", "label_row", "label_words"]


class LabelSoftmax(LabelProbabilities):
    """A function F(log p) of the label's probability, with one parameter."""

    link = "multilogit"
    smooth = True
    takes_distributions = False
    reference = "maximum"
    term_sums = 1
    fit_sums = 2
    coefficients = 9
    bounds: ClassVar[tuple[float, float, float]]

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        return dict.fromkeys(("float32", "float64"), self.bounds)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.convex else "any"

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return super().proper and self.convex

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def term(prediction: Any, maximum: Any, parameter: Any) -> Any:
        high, low = two_difference(prediction, maximum)
        return softmax_term(high, low, prediction == maximum)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, parameter: Any) -> Any:
        half, half_low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        return softmax_fit(half, half_low, target, prediction == maximum)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, parameter: Any) -> Any:
        p, spread = probability(kept, row[0], row[1], row[2], row[3])
        share = (p * const(2.0**60)) * row[6]  # of 1 - p of the label
        hess = fma(spread, row[4], lowered(p * (share * row[5])))
        label = target == const(1.0)
        return where(label, row[7], p * row[4]), where(label, row[8], hess)


def label_probability(predictions: Any, targets: Any) -> tuple[Any, Any, Any]:
    """For definitions: log p, p and 1 - p of the label."""
    pairs = list(zip(predictions, targets, strict=True))
    total = sum(exp(z) for z in predictions)
    log_p = sum(z for z, q in pairs if q) - log(total)
    return log_p, exp(log_p), sum((exp(z) for z, q in pairs if not q), const(0.0)) / total


def label_words(maximum: Any, ties: Any, terms: Any, fits: Any) -> tuple[Any, ...]:
    """What F needs: -log p in two words, p raised, 1 - p in two words."""
    rest, rest_low, total, total_low, inverse, inverse_low, softplus, softplus_low = normalizer(
        maximum, ties, terms
    )
    gap, gap_low = fits[0]
    surprise, low = two_sum(gap, softplus)
    low = low + (gap_low + softplus_low)
    high = where(low - low == const(0.0), surprise + low, surprise)
    low = (surprise - high) + low
    low = where(low - low == const(0.0), low, const(0.0))
    e, e_low = two_exp_raised(-gap, -gap_low)
    raised = fma(e, inverse, fma(e, inverse_low, e_low * inverse))
    left, left_low = two_difference(total, lowered(e))
    left_low = left_low + (total_low - lowered(e_low))
    top = gap == const(0.0)
    others, others_low = where(top, rest, left), where(top, rest_low, left_low)
    q, q_low = two_times(others, others_low, inverse, inverse_low)
    return high, low, raised, q, q_low


def label_row(
    maximum: Any, ties: Any, terms: Any, value: Any, slope: Any, curve: Any, hess: Any, q: Any
) -> Any:
    """The row, of F, -F', (1 - p) F'' raised, the label's Hessian (1 - p) ((1 - p) F'' - p F')."""
    parts = normalizer(maximum, ties, terms)
    larger = q * const(2.0**60)  # q may be subnormal
    inverse = where(larger == const(0.0), const(0.0), const(1.0) / larger)
    row = parts[4], parts[5], parts[2], parts[3], slope, curve, inverse, -slope * q, hess
    return value, row
