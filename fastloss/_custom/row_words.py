"""Words of formulas of rows: numbers about the largest u of a row, as built-in losses have them."""

from __future__ import annotations

from typing import Any

from ..losses._softmax import normalizer, softmax_term
from ..vocabulary import (
    abs,
    const,
    fma,
    inf,
    lowered,
    two_difference,
    two_exp_raised,
    where,
)

__all__ = [
    "exponential",
    "log_share",
    "log_total",
    "rest_of",
    "shares",
    "softmax_numbers",
    "tie",
]


def exponential(u: Any, largest: Any) -> tuple[Any, Any]:
    """What others than the largest add to the sum of exponentials."""
    high, low = two_difference(u, largest)
    return softmax_term(high, low, u == largest)[1][0]


def tie(u: Any, largest: Any) -> tuple[Any, Any]:
    return where(u == largest, const(1.0), const(0.0)), const(0.0)


def softmax_numbers(largest: Any, total: Any, low: Any, ties: Any) -> tuple[Any, ...]:
    """The sum of exponentials, one over it and its logarithm."""
    return normalizer(largest, ties, ((total, low),))[2:]


def below(u: Any, largest: Any) -> tuple[Any, Any]:
    high, low = two_difference(u, largest)
    top, zero = u == largest, const(0.0)  # also where both are infinite
    return where(top, zero, high), where(top, zero, low)


def log_share(u: Any, largest: Any, softplus: Any, softplus_low: Any) -> tuple[Any, Any]:
    gap, gap_low = below(u, largest)
    high, low = two_difference(gap, softplus)
    return rounded_first(high, low + (gap_low - softplus_low))


def log_total(largest: Any, softplus: Any, softplus_low: Any) -> tuple[Any, Any]:
    high, low = two_difference(largest, -softplus)
    return rounded_first(high, low + softplus_low)


def rounded_first(high: Any, low: Any) -> tuple[Any, Any]:
    """The same two words, the first of which is their rounded sum."""
    finite = abs(high) < const(inf)
    rounded = where(finite, high + low, high)
    return rounded, where(finite, (high - rounded) + low, const(0.0))


def shares(
    u: Any, largest: Any, total: Any, total_low: Any, inverse: Any, inverse_low: Any
) -> tuple[Any, Any]:
    """The share of a class and that of all others."""
    e, e_low = two_exp_raised(*below(u, largest))
    own = lowered(fma(e, inverse, fma(e, inverse_low, e_low * inverse)))
    kept = lowered(e)
    rest = total - kept
    rest_low = ((total - rest) - kept) + (total_low - lowered(e_low))
    return own, fma(rest, inverse, fma(rest, inverse_low, rest_low * inverse))


def rest_of(total: Any, total_low: Any, own: Any) -> Any:
    """A sum less one of its terms."""
    high, low = two_difference(total, own)
    return high + (low + total_low)
