"""Numbers of two words: roots, quotients, products and sums."""

from __future__ import annotations

from typing import Any

from .._words import const, constant, fma, multiply_add, sqrt, two_sum, where

__all__ = [
    "two_sqrt",
]


def two_sqrt(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """The square root of high + low in two words, for low the rounding error of high."""
    root = sqrt(high)
    rest = (fma(-root, root, high) + low) / (const(2.0) * root)
    exact = (high > constant(2.0**-78, 2.0**-916)) & (rest - rest == const(0.0))
    return root, where(exact, rest, const(0.0))


def normalized(high: Any, low: Any) -> tuple[Any, Any]:
    """The same sum with its rounded value as the high word."""
    total = high + low
    return total, (high - total) + low


def rounded(high: Any, low: Any) -> Any:
    """The sum high + low, or high where that is infinite or NaN."""
    return where(low - low == const(0.0), high + low, high)


def two_quotient(high: Any, low: Any, divisor: Any, divisor_low: Any) -> tuple[Any, Any]:
    """(high + low) / (divisor + divisor_low) in two words."""
    inverse = const(1.0) / divisor
    quotient = high * inverse
    rest = multiply_add(-quotient, divisor_low, fma(-quotient, divisor, high) + low)
    return normalized(quotient, rest * inverse)


def two_times(a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """(a + a_low) (b + b_low) in two words."""
    high = a * b
    low = fma(a, b, -high)
    return normalized(high, low + multiply_add(a, b_low, a_low * b))


def two_plus(a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """(a + a_low) + (b + b_low) in two words."""
    high, low = two_sum(a, b)
    return normalized(high, low + (a_low + b_low))
