"""Words made of simpler words: one text for NumPy and for Numba, and that of ``csrc/special.hpp``.

Methods and errors are stated there.
"""

from __future__ import annotations

from typing import Any

from ._words import (
    abs,
    atanh_reduced,
    const,
    constant,
    exp,
    exp_cubic,
    exp_split,
    fma,
    log_limits,
    log_split,
    lowered,
    multiply_add,
    sqrt,
    two_inverse,
    where,
)

__all__ = [
    "log1mexp",
    "power",
    "sech_squared",
    "tanh",
    "two_log_fine",
    "two_sqrt",
    "two_tanh",
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


def exponential(high: Any, low: Any) -> tuple[Any, Any, Any, Any]:
    """For exp(high + low) = 2**n (1 + rest), high <= 0: 2**n raised, 2**n, rest in two words."""
    vanishes = high < constant(-108.0, -750.0)
    raised, r, r_low = exp_split(high, low)
    r, r_low = normalized(where(vanishes, const(0.0), r), where(vanishes, const(0.0), r_low))
    square = r * r
    half = const(0.5) * square
    half_low = const(0.5) * fma(r, r, -square)
    tail = multiply_add(r * square, exp_cubic(r), half_low)
    near, near_low = normalized(r, half)
    rest, rest_low = normalized(near, near_low + multiply_add(r_low, near, r_low + tail))
    raised = where(vanishes, const(0.0), raised)
    return raised, lowered(raised), rest, rest_low


def complement(power: Any, rest: Any, rest_low: Any) -> tuple[Any, Any]:
    """1 - 2**n (1 + rest) in two words."""
    whole = const(1.0) - power
    high, low = normalized(whole, -power * rest)
    lost = (const(1.0) - whole) - power
    return normalized(high, low + multiply_add(-power, rest_low, lost))


def increment(power: Any, rest: Any, rest_low: Any) -> tuple[Any, Any]:
    """1 + 2**n (1 + rest) in two words."""
    whole = const(1.0) + power
    high, low = normalized(whole, power * rest)
    lost = (const(1.0) - whole) + power
    return normalized(high, low + multiply_add(power, rest_low, lost))


def two_tanh(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """tanh(high + low) in two words, for low the rounding error of high."""
    negative = high < const(0.0)
    twice_low = where(negative, const(2.0) * low, const(-2.0) * low)
    _, power, rest, rest_low = exponential(const(-2.0) * abs(high), twice_low)
    above, above_low = complement(power, rest, rest_low)
    below, below_low = increment(power, rest, rest_low)
    y, y_low = two_quotient(above, above_low, below, below_low)
    return where(negative, -y, y), where(negative, -y_low, y_low)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    high, _ = two_tanh(x)
    return high


def sech_squared(high: Any, low: Any = 0.0) -> Any:
    """1 - tanh(high + low)**2, the derivative of tanh, for low the rounding error of high."""
    negative = high < const(0.0)
    twice_low = where(negative, const(2.0) * low, const(-2.0) * low)
    raised, power, rest, rest_low = exponential(const(-2.0) * abs(high), twice_low)
    below, below_low = increment(power, rest, rest_low)
    inverse, inverse_low = two_inverse(below, below_low)
    square, square_low = two_times(inverse, inverse_low, inverse, inverse_low)
    mantissa, mantissa_low = normalized(const(1.0), rest)
    part = multiply_add(mantissa, square_low, (mantissa_low + rest_low) * square)
    return lowered(fma(mantissa, square, part) * (const(4.0) * raised))


def log1mexp(high: Any, low: Any = 0.0) -> Any:
    """log(1 - exp(-(high + low))) for high > 0 and low its rounding error; -inf at 0."""
    _, power, rest, rest_low = exponential(-high, -low)
    above, above_low = complement(power, rest, rest_low)
    y, y_low = two_log_fine(above, above_low)
    return y + y_low
