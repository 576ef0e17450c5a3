"""The softmax of a row and its logarithm, as losses of rows share them."""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    abs,
    const,
    fma,
    inf,
    lowered,
    nan,
    two_difference,
    two_exp_raised,
    two_inverse,
    two_log1p,
    two_product,
    two_sum,
    where,
)

__all__ = [
    "normalizer",
    "probability",
    "softmax_emit",
    "softmax_finish",
    "softmax_fit",
    "softmax_term",
]


# With m = max z, e_j = exp(z_j - m) and r = sum of the e_j but one maximum:
# log-sum-exp = m + log1p(r), so a confident row keeps its full relative precision.


def softmax_term(below: Any, below_low: Any, top: Any) -> Any:
    """Of a logit less the maximum."""
    e, e_low = two_exp_raised(below, below_low)
    zero = const(0.0)
    kept = where(top, const(1.0), lowered(e))
    return kept, ((where(top, zero, e), where(top, zero, e_low)),)


def softmax_fit(half: Any, half_low: Any, target: Any, top: Any) -> Any:
    """Of half the maximum less a logit, as the whole may overflow."""
    none = (target == const(0.0)) | top
    product, product_low = two_product(const(2.0) * target, half)
    low = product_low + const(2.0) * target * half_low
    zero = const(0.0)
    return (where(none, zero, product), where(none, zero, low)), (target, zero)


def normalizer(maximum: Any, ties: Any, terms: Any) -> tuple[Any, ...]:
    """The sum of the e_j but one, of all, one over it, its logarithm: all in two words."""
    others, others_low = two_sum(lowered(terms[0][0]), ties - const(1.0))
    # several infinite maxima have no limit
    undefined = (abs(maximum) == const(inf)) & (ties > const(1.0))
    rest = others + where(undefined, const(nan), const(0.0))
    rest_low = others_low + lowered(terms[0][1])
    total, total_low = two_sum(const(1.0), rest)
    total_low = total_low + rest_low
    inverse, inverse_low = two_inverse(total, total_low)
    softplus, softplus_low = two_log1p(rest, rest_low * inverse)
    return rest, rest_low, total, total_low, inverse, inverse_low, softplus, softplus_low


def softmax_finish(maximum: Any, ties: Any, terms: Any, fits: Any) -> Any:
    _, _, total, total_low, inverse, inverse_low, softplus, softplus_low = normalizer(
        maximum, ties, terms
    )
    gap, gap_low = fits[0]
    mass, mass_low = fits[1]
    share = mass * inverse
    share_low = fma(mass, inverse, -share) + fma(mass, inverse_low, mass_low * inverse)
    product, product_low = two_product(mass, softplus)
    product_low = product_low + (mass * softplus_low + mass_low * softplus)
    value, value_low = two_sum(gap, product)
    value_low = value_low + (gap_low + product_low)
    value = where(value_low - value_low == const(0.0), value + value_low, value)
    return value, (share, share_low, inverse, inverse_low, total, total_low, mass)


def softmax_emit(kept: Any, target: Any, row: Any) -> Any:
    share, share_low = row[0], row[1]
    inverse, inverse_low = row[2], row[3]
    total, total_low = row[4], row[5]
    mass = row[6]
    part = fma(kept, share, kept * share_low)  # mass p
    part_low = fma(kept, share, -part) + kept * share_low
    rest = total - kept
    rest_low = ((total - rest) - kept) + total_low
    others = rest * inverse  # 1 - p
    others_low = fma(rest, inverse, -others) + fma(rest, inverse_low, rest_low * inverse)
    missing = fma(rest, share, fma(rest, share_low, rest_low * share))
    # where a class has all the mass, the difference would cancel
    surplus, surplus_low = two_difference(part, target)
    grad = where(target == mass, -missing, surplus + (surplus_low + part_low))
    hess = fma(part, others, fma(part, others_low, part_low * others))
    return where(target == const(0.0), part, grad), hess


def probability(kept: Any, inverse: Any, inverse_low: Any, total: Any, total_low: Any) -> Any:
    """The probability of a class, p, and p (1 - p)."""
    row = inverse, inverse_low, inverse, inverse_low, total, total_low, const(1.0)
    return softmax_emit(kept, const(0.0), row)
