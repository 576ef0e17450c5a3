"""The normal distribution."""

from __future__ import annotations

from typing import Any

from .._words import (
    abs,
    const,
    constant,
    fma,
    inf,
    lowered,
    mills_reduced,
    mills_slope_reduced,
    multiply_add,
    normal_interval_reduced,
    two_exp_raised,
    two_sum,
    where,
)
from .exponential import two_log_fine
from .two_word import normalized, rounded, two_quotient, two_times

__all__ = [
    "inverse_mills",
    "inverse_mills_slope",
    "log_normal_cdf",
    "normal_cdf",
    "normal_density",
    "normal_interval",
    "two_normal_raised",
]


def normal_parts(high: Any, low: Any) -> tuple[Any, ...]:
    """What the words of the normal distribution share, of a = abs(high + low).

    a in two words, (a - 4) / (a + 4), and in two words each: a**2 / 2, exp(-a**2 / 2) raised,
    1 + a, and (1 + a) Phi(-a) exp(a**2 / 2).
    """
    far = const(2.0**60)  # beyond it 1 + a is a
    size = abs(high)
    size_low = where(size < const(inf), where(high < const(0.0), -low, low), const(0.0))
    near = where(size > far, far, size)
    near_low = where(size > far, const(0.0), size_low)
    half = const(0.5) * size
    square = half * size
    square_low = multiply_add(size, size_low, fma(half, size, -square))
    square_low = where(square < const(inf), square_low, const(0.0))
    bell, bell_low = two_exp_raised(-square, -square_low)
    total, total_low = two_sum(near, const(4.0))
    share, share_low = two_quotient(const(8.0), const(0.0), total, total_low + near_low)
    q = (const(1.0) - share) - share_low
    wide, wide_low = two_sum(near, const(1.0))
    middle = constant(0.472053200006485, 0.47205320650984467)
    scaled, scaled_low = normalized(middle, q * mills_reduced(q))
    scaled_low = scaled_low + constant(6.261590357325986e-09, 1.4403166847031572e-17)
    return (
        (size, size_low, q),
        (square, square_low),
        (bell, bell_low),
        (wide, wide_low + near_low),
        (scaled, scaled_low),
    )


def normal_tail(bell: Any, wide: Any, scaled: Any) -> tuple[Any, Any, Any]:
    """Of parts in two words: Phi(-a) exp(a**2 / 2), Phi(-a) raised, and 1 - Phi(-a)."""
    mills = two_quotient(scaled[0], scaled[1], wide[0], wide[1])
    tail = two_times(bell[0], bell[1], mills[0], mills[1])
    rest, rest_low = normalized(const(1.0), -lowered(tail[0]))
    return mills, tail, (rest, rest_low - lowered(tail[1]))


def normal_peak() -> tuple[Any, Any]:
    """phi(0) in two words."""
    return (
        constant(0.3989422917366028, 0.3989422804014327),
        constant(-1.1335170135851058e-08, -2.49232720227773e-17),
    )


def two_normal_raised(high: Any, low: Any) -> tuple[Any, Any, Any, Any]:
    """Of a = abs(high + low): phi(a) and Phi(-a), raised, in two words each."""
    _, _, bell, wide, scaled = normal_parts(high, low)
    _, tail, _ = normal_tail(bell, wide, scaled)
    peak, peak_low = normal_peak()
    density, density_low = two_times(bell[0], bell[1], peak, peak_low)
    return density, density_low, tail[0], tail[1]


def normal_ratio(below: Any, bell: Any, scaled: Any, rest: Any) -> tuple[Any, Any]:
    """phi(x) / Phi(x): raised where x >= 0, by 1 + a too small below."""
    one, one_low = where(below, const(1.0), bell[0]), where(below, const(0.0), bell[1])
    mass, mass_low = where(below, scaled[0], rest[0]), where(below, scaled[1], rest[1])
    ratio, ratio_low = two_quotient(one, one_low, mass, mass_low)
    peak, peak_low = normal_peak()
    return two_times(ratio, ratio_low, peak, peak_low)


def mills_slope(q: Any) -> tuple[Any, Any]:
    """(1 + a)**2 (1 - a m) with Mills' ratio m = Phi(-a) / phi(a), by q of normal_parts."""
    middle = constant(1.3347617387771606, 1.334761708643933)
    slope, slope_low = normalized(middle, q * mills_slope_reduced(q))
    return slope, slope_low + constant(-3.601909526196323e-08, -3.3127155995304204e-18)


def mills_gap(q: Any, wide: Any) -> tuple[Any, Any]:
    """1 - a m, of the same by normal_parts."""
    slope, slope_low = mills_slope(q)
    gap, gap_low = two_quotient(slope, slope_low, wide[0], wide[1])
    return two_quotient(gap, gap_low, wide[0], wide[1])


def normal_density(high: Any, low: Any = 0.0) -> Any:
    """The standard normal density of high + low, for low the rounding error of high."""
    _, _, bell, _, _ = normal_parts(high, low)
    peak, peak_low = normal_peak()
    y, _ = two_times(bell[0], bell[1], peak, peak_low)
    return lowered(y)


def normal_cdf(high: Any, low: Any = 0.0) -> Any:
    """The standard normal distribution function of high + low, for low the rounding error."""
    _, _, bell, wide, scaled = normal_parts(high, low)
    _, tail, rest = normal_tail(bell, wide, scaled)
    return where(high < const(0.0), lowered(tail[0]), rest[0] + rest[1])


def normal_interval(high: Any, low: Any = 0.0) -> Any:
    """2 Phi(high + low) - 1, the error function of the argument over the square root of 2."""
    (size, size_low, _), _, bell, wide, scaled = normal_parts(high, low)
    _, tail, _ = normal_tail(bell, wide, scaled)
    square = size * size
    start = constant(0.7978845834732056, 0.7978845608028654)
    slope, slope_low = normalized(start, square * normal_interval_reduced(square))
    slope_low = slope_low + constant(-2.3246606417615112e-08, -4.9848225180604304e-17)
    near = fma(size, slope, multiply_add(size, slope_low, size_low * slope))
    far = (const(1.0) - const(2.0) * lowered(tail[0])) - const(2.0) * lowered(tail[1])
    y = where(size < const(1.0), near, far)
    return where(high < const(0.0), -y, y)


def log_normal_cdf(high: Any, low: Any = 0.0) -> Any:
    """The logarithm of the standard normal distribution function of high + low."""
    below = high < const(0.0)
    _, square, bell, wide, scaled = normal_parts(high, low)
    mills, _, rest = normal_tail(bell, wide, scaled)
    mass, mass_low = where(below, mills[0], rest[0]), where(below, mills[1], rest[1])
    y, y_low = two_log_fine(mass, mass_low)
    total, total_low = two_sum(where(below, -square[0], const(0.0)), y)
    total_low = total_low + (y_low - where(below, square[1], const(0.0)))
    return rounded(total, total_low)


def inverse_mills(high: Any, low: Any = 0.0) -> Any:
    """The inverse Mills ratio, phi / Phi of high + low: the derivative of log_normal_cdf."""
    below = high < const(0.0)
    (size, _, _), _, bell, wide, scaled = normal_parts(high, low)
    _, _, rest = normal_tail(bell, wide, scaled)
    ratio, ratio_low = normal_ratio(below, bell, scaled, rest)
    near, _ = two_times(ratio, ratio_low, wide[0], wide[1])
    return where(below, where(size > const(2.0**60), size, near), lowered(ratio))


def inverse_mills_slope(high: Any, low: Any = 0.0) -> Any:
    """The derivative of inverse_mills with the sign turned, between 0 and 1."""
    below = high < const(0.0)
    (size, size_low, q), _, bell, wide, scaled = normal_parts(high, low)
    _, _, rest = normal_tail(bell, wide, scaled)
    ratio, ratio_low = normal_ratio(below, bell, scaled, rest)
    slope, slope_low = mills_slope(q)
    square, square_low = two_times(ratio, ratio_low, ratio, ratio_low)
    near, _ = two_times(slope, slope_low, square, square_low)
    total, total_low = two_sum(size, lowered(ratio))
    total_low = total_low + (size_low + lowered(ratio_low))
    far, _ = two_times(ratio, ratio_low, total, total_low)
    return where(below, near, lowered(where(size > const(2.0**60), const(0.0), far)))
