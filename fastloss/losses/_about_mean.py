"""Of logits, what classes have above their mean under the predicted probabilities."""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    abs,
    const,
    exp,
    inf,
    log,
    lowered,
    two_difference,
    two_exp_raised,
    two_sum,
    where,
)
from ..vocabulary.special.two_word import two_times
from ._two_words import times

__all__ = [
    "about_centre",
    "below_maximum",
    "centre_of_row",
    "finite",
    "fisher_curvature",
    "log_softmax",
    "share_of_class",
    "sum_of_class",
]


def below_maximum(prediction: Any, maximum: Any) -> tuple[Any, Any, Any]:
    """A logit less the maximum, and whether it is one; both may be infinite."""
    gap, low = two_difference(prediction, maximum)
    top = prediction == maximum
    return where(top, const(0.0), gap), where(top, const(0.0), low), top


def sum_of_class(
    mass: Any, mass_low: Any, x: Any, x_low: Any, top: Any
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Of a class mass times x, or where it is a maximum, x alone, as sums of their own."""
    zero = const(0.0)
    product, low = times(mass, mass_low, x, x_low)
    none = top | (mass == zero) & (x == x)
    infinite = (x == const(inf)) & ~top  # also where the mass underflows
    return (
        (where(infinite, x, where(none, zero, product)), where(none | infinite, zero, low)),
        (where(top, x, zero), where(top, x_low, zero)),
    )


def centre_of_row(
    others: tuple[Any, Any], tops: tuple[Any, Any], parts: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The mean over p; what a lone maximum has above it, free of cancellation."""
    rest, rest_low, _, _, inverse, inverse_low, _, _ = parts
    zero = const(0.0)
    top, top_low = times(tops[0], tops[1], inverse, inverse_low)
    mean, mean_low = two_sum(others[0], top)
    mean_low = where(abs(mean) < const(inf), mean_low + (others[1] + top_low), zero)
    share, share_low = times(rest, rest_low, inverse, inverse_low)  # 1 - p
    lead, lead_low = times(share, share_low, tops[0], tops[1])
    gap, gap_low = two_difference(lead, others[0])
    gap_low = where(abs(gap) < const(inf), gap_low + (lead_low - others[1]), zero)
    gap = where(mean == const(inf), mean, gap)
    return mean, mean_low, gap, gap_low


def about_centre(x: Any, x_low: Any, lone: Any, row: Any) -> tuple[Any, Any]:
    """What a class has above the mean; infinite where the loss is."""
    gap, low = two_difference(x, row[0])
    low = where(abs(gap) < const(inf), low + (x_low - row[1]), const(0.0))
    gap = where(x == const(inf), x, gap)
    return where(lone, row[2], gap), where(lone, row[3], low)


def share_of_class(e: Any, e_low: Any, top: Any, row: Any) -> tuple[Any, ...]:
    """The probability p of a class, raised, 1 - p, and 1 - 2 p, of the row's inverse and sum."""
    inverse, inverse_low, total, total_low = row
    one, _ = two_exp_raised(const(0.0), const(0.0))
    p, p_low = times(where(top, one, e), where(top, const(0.0), e_low), inverse, inverse_low)
    part, part_low = lowered(p), lowered(p_low)
    e, e_low = where(top, const(1.0), lowered(e)), where(top, const(0.0), lowered(e_low))
    rest, rest_low = two_difference(total, e)
    others, others_low = two_times(rest, rest_low + (total_low - e_low), inverse, inverse_low)
    way, way_low = two_difference(others, part)
    return p, p_low, others, others_low, way, way_low + (others_low - part_low)


def finite(x: Any, low: Any) -> Any:
    return where(low - low == const(0.0), x + low, x)


def log_softmax(predictions: Any) -> list[Any]:
    """For definitions."""
    total = log(sum(exp(z) for z in predictions))
    return [z - total for z in predictions]


def fisher_curvature(predictions: Any, targets: Any) -> Any:
    p = [exp(z) for z in log_softmax(predictions)]
    return tuple(x * (sum(p) - x) for x in p)
