"""Powers, logarithms and hyperbolic functions."""

from __future__ import annotations

from typing import Any

from .._words import (
    abs,
    atanh_reduced,
    const,
    constant,
    exp,
    exp_cubic,
    exp_split,
    fma,
    inf,
    log1p,
    log_excess_reduced,
    log_limits,
    log_split,
    lowered,
    maximum,
    multiply_add,
    two_inverse,
    two_sum,
    where,
)
from .two_word import normalized, two_quotient, two_times

__all__ = [
    "log1mexp",
    "power",
    "scaled_softplus",
    "sech_squared",
    "tanh",
    "two_exp_fine",
    "two_log1pexp",
    "two_log_excess",
    "two_log_fine",
    "two_one_plus_exp",
    "two_tanh",
]


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
    rest, rest_low = exp_rest(r, r_low)
    raised = where(vanishes, const(0.0), raised)
    return raised, lowered(raised), rest, rest_low


def exp_rest(r: Any, r_low: Any) -> tuple[Any, Any]:
    """exp(r + r_low) - 1 in two words, for |r| <= log(2) / 2."""
    square = r * r
    half = const(0.5) * square
    half_low = const(0.5) * fma(r, r, -square)
    tail = multiply_add(r * square, exp_cubic(r), half_low)
    near, near_low = normalized(r, half)
    return normalized(near, near_low + multiply_add(r_low, near, r_low + tail))


def squared(rest: Any, rest_low: Any) -> tuple[Any, Any]:
    """(1 + rest)**2 - 1."""
    square, square_low = two_times(rest, rest_low, rest, rest_low)
    twice, twice_low = normalized(const(2.0) * rest, square)
    return normalized(twice, twice_low + multiply_add(const(2.0), rest_low, square_low))


def two_exp_fine(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """exp(high + low) in two words, to nearly twice the digits; 0 or infinite from ±80, ±700 on."""
    size = abs(high)
    beyond = size > constant(80.0, 700.0)
    raised, r, r_low = exp_split(-size, where(high < const(0.0), low, -low))
    # a small argument first, whose exponential is then squared
    part = const(2.0**-4) * where(beyond, const(0.0), r)
    part_low = const(2.0**-4) * where(beyond, const(0.0), r_low)
    rest, rest_low = exp_rest(*normalized(part, part_low))
    rest, rest_low = squared(*squared(*squared(*squared(rest, rest_low))))
    m, m_low = normalized(const(1.0), rest)
    m_low = m_low + rest_low
    inverse, inverse_low = two_inverse(m, m_low)
    up = where(high > const(0.0), const(1.0) / lowered(raised), lowered(raised))
    up = where(beyond, where(high > const(0.0), const(inf), const(0.0)), up)
    y = where(high > const(0.0), inverse, m) * up
    y_low = where(high > const(0.0), inverse_low, m_low) * up
    return y, where(beyond, const(0.0), y_low)


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


def two_one_plus_exp(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """1 + exp(high + low) in two words, for high <= 0 and low its rounding error."""
    _, power, rest, rest_low = exponential(high, low)
    return increment(power, rest, rest_low)


def two_log1pexp(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """log(1 + exp(high + low)) in two words, for high <= 0 and low its rounding error."""
    above, above_low = two_one_plus_exp(high, low)
    return two_log_fine(above, above_low)


def two_log_excess(v: Any, v_low: Any, log: Any, log_low: Any) -> tuple[Any, Any]:
    """-log(1 - v) / v - 1 in two words, for -1/4 <= v <= 1 and the logarithm, less its sign."""
    p, p_low = normalized(const(0.5), v * log_excess_reduced(v))
    near, near_low = two_times(v, v_low, p, p_low)
    ratio, ratio_low = two_quotient(log, log_low, v, v_low)
    far, far_low = two_sum(ratio, const(-1.0))
    small = v <= const(0.25)
    return where(small, near, far), where(small, near_low, far_low + ratio_low)


def scaled_softplus(x: Any, log_scale: Any) -> Any:
    """exp(-log_scale) log(1 + exp(x + log_scale))."""
    logit = x + log_scale
    softplus = maximum(logit, const(0.0)) + log1p(exp(-abs(logit)))
    linear = logit < const(-40.0)
    return exp(where(linear, x, -log_scale)) * where(linear, const(1.0), softplus)
