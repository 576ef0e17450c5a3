"""Arithmetic on numbers of two words, high + low, for formulas whose digits must last."""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    abs,
    const,
    fma,
    inf,
    two_difference,
    two_inverse,
    two_log1p,
    two_log_fine,
    two_sum,
    where,
)

__all__ = [
    "affine",
    "half_square",
    "inverse_of",
    "log_of_scaled",
    "magnitude",
    "normal",
    "plus",
    "plus_one",
    "ratio",
    "rounded",
    "rounded_log",
    "scaled",
    "signed",
    "times",
]


def magnitude(high: Any, low: Any) -> tuple[Any, Any]:
    """|high + low|."""
    return abs(high), where(high < const(0.0), -low, low)


def signed(x: Any, like: Any) -> Any:
    """X where another number is positive or 0, else -x."""
    return where(like < const(0.0), -x, x)


def normal(high: Any, low: Any) -> tuple[Any, Any]:
    """The same number with the largest high word, for |low| <= |high| or high = 0."""
    total = high + low
    return total, (high - total) + low


def times(a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """A product; its low word is 0 where it is infinite."""
    high = a * b
    low = fma(a, b, -high) + fma(a, b_low, a_low * b)
    return high, where(abs(high) < const(inf), low, const(0.0))


def rounded(a: Any, a_low: Any, b: Any, b_low: Any) -> Any:
    """A product in one word."""
    high, low = times(a, a_low, b, b_low)
    return high + low


def affine(p: Any, q: Any, x: Any, x_low: Any) -> tuple[Any, Any]:
    """P + q x."""
    product = q * x
    high, low = two_sum(p, product)
    return high, low + fma(q, x_low, fma(q, x, -product))


def plus(a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """A sum in two words; its low word is 0 where it is infinite."""
    high, low = two_sum(a, b)
    total, rest = normal(high, low + (a_low + b_low))
    finite = abs(high) < const(inf)
    return where(finite, total, high), where(finite, rest, const(0.0))


def plus_one(x: Any, x_low: Any) -> tuple[Any, Any]:
    """1 + x for |x| <= 1."""
    high = const(1.0) + x
    return high, ((const(1.0) - high) + x) + x_low


def ratio(a: Any, a_low: Any, c: Any) -> tuple[Any, Any, Any]:
    """Whether a > c; and the smaller of both over the larger, for a >= 0 and a finite c > 0."""
    far = a > c
    most = where(far, a, c)
    least = where(far, c, a)
    t = least / most
    rest = fma(-t, most, least) + where(far, -t * a_low, a_low)
    return far, t, where(most < const(inf), rest / most, const(0.0))


def log_of_scaled(x: Any, x_low: Any, huge: Any) -> tuple[Any, Any]:
    """log(1 + x); or where x is huge, in a unit of 2**60, its logarithm."""
    one, zero = const(1.0), const(0.0)
    y = where(huge, x - one, x)
    y_low = x_low + where(huge, (x - y) - one, zero)
    high, low = two_log1p(y, y_low / (one + y))
    high, rest = two_sum(high, where(huge, const(41.5887451171875), zero))
    low = low + (rest + where(huge, const(8.571640921856503e-05), zero))
    return high, where(high < const(inf), low, zero)


def rounded_log(x: Any) -> tuple[Any, Any]:
    """The logarithm in two words, of which the first is the rounded sum."""
    high, low = two_log_fine(x)
    return two_difference(high, -low)


def scaled(x: Any, x_low: Any, power: Any) -> Any:
    """Times a power of two."""
    high = x * power
    return high, where(abs(high) < const(inf), x_low * power, const(0.0))


def inverse_of(x: Any, x_low: Any) -> Any:
    """One over a positive number, infinity included."""
    inverse, low = two_inverse(x, x_low)
    return inverse, where(x < const(inf), low, const(0.0))


def half_square(x: Any, x_low: Any) -> Any:
    """Half the square."""
    return times(const(0.5) * x, const(0.5) * x_low, x, x_low)
