"""Words made of simpler words: one text for NumPy and for Numba, and that of ``csrc/special.hpp``.

Methods and errors are stated there.
"""

from __future__ import annotations

from typing import Any

from ._words import (
    atanh_reduced,
    const,
    constant,
    exp,
    fma,
    log_limits,
    log_split,
    multiply_add,
    sqrt,
    where,
)

__all__ = ["power", "two_log_fine", "two_sqrt"]


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


def two_log_fine(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """log(high + low) in two words, to nearly twice the digits, for low the rounding error."""
    big, big_low, m, m_low = log_split(high, low)
    f = m - const(1.0)
    total = m + const(1.0)
    s, s_low = two_quotient(f, m_low, total, ((const(1.0) - total) + m) + m_low)
    t, t_low = two_times(s, s_low, s, s_low)
    third = constant(0.3333333432674408, 0.3333333333333333)
    third_low = constant(-9.934107758624577e-09, 1.850371707708594e-17)
    tail = t * atanh_reduced(t)
    slope = third + tail
    rest, rest_low = two_times(t, t_low, slope, ((third - slope) + tail) + third_low)
    twice = const(2.0) * s
    lost = const(2.0) * s_low
    cubic = twice * rest
    cubic_low = fma(twice, rest, -cubic) + (twice * rest_low + lost * rest)
    near, near_low = normalized(twice, cubic)
    above, above_low = normalized(big, near)
    below = big_low + (lost + cubic_low)
    return log_limits(high, normalized(above, above_low + (near_low + below)))


def power(base: Any, exponent: Any) -> Any:
    """The power base ** exponent for base >= 0; 1 where the exponent is 0 or the base 1."""
    high, low = two_log_fine(base)
    one = ((exponent == const(0.0)) & (base == base)) | (base == const(1.0))
    product = exponent * high
    product_low = multiply_add(exponent, low, fma(exponent, high, -product))
    return exp(where(one, const(0.0), product), where(one, const(0.0), product_low))
