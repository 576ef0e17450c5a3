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
    digamma_far_divided,
    digamma_far_reduced,
    digamma_reduced,
    exp,
    exp_cubic,
    exp_split,
    fma,
    inf,
    lgamma_reduced,
    log1p,
    log_excess_reduced,
    log_limits,
    log_split,
    lowered,
    maximum,
    mills_reduced,
    mills_slope_reduced,
    multiply_add,
    normal_interval_reduced,
    sqrt,
    stirling_divided,
    stirling_reduced,
    trigamma_far_divided,
    trigamma_far_reduced,
    trigamma_reduced,
    two_exp,
    two_exp_product,
    two_exp_raised,
    two_inverse,
    two_sum,
    where,
)

__all__ = [
    "digamma",
    "inverse_mills",
    "inverse_mills_slope",
    "lgamma",
    "log1mexp",
    "log_normal_cdf",
    "log_rising",
    "log_rising_curve",
    "log_rising_parts",
    "log_rising_slope",
    "normal_cdf",
    "normal_density",
    "normal_interval",
    "power",
    "scaled_softplus",
    "sech_squared",
    "tanh",
    "trigamma",
    "two_exp_fine",
    "two_log1pexp",
    "two_log_excess",
    "two_log_factorial",
    "two_log_fine",
    "two_normal_raised",
    "two_one_plus_exp",
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


def lgamma(x: Any) -> Any:
    """The logarithm of the gamma function for x >= 0."""
    far, two_less, less = x >= const(2.5), x < const(0.5), x < const(1.5)
    w = where(two_less, x, where(less, x - const(1.0), x - const(2.0)))
    start = constant(0.42278432846069336, 0.42278433509846713)
    slope, slope_low = normalized(start, w * lgamma_reduced(w))
    slope_low = slope_low + constant(6.538417807178121e-09, 4.999061170103931e-18)
    near, near_low = two_times(w, const(0.0), slope, slope_low)
    more, more_low = two_sum(const(1.0), x)
    product, product_low = two_times(x, const(0.0), more, more_low)
    log_x, log_x_low = two_log_fine(
        where(two_less, product, x), where(two_less, product_low, const(0.0))
    )
    near, near_rest = two_sum(where(less, -log_x, const(0.0)), near)
    near_low = near_rest + (near_low - where(less, log_x_low, const(0.0)))
    # (x - 1/2) (log x - 1) + (log(2 pi) - 1) / 2 + ...
    factor = x - const(0.5)
    factor_low = (x - factor) - const(0.5)
    log_less, log_less_low = two_sum(log_x, const(-1.0))
    main = factor * log_less
    main_low = fma(factor, log_less, -main) + multiply_add(
        factor, log_less_low + log_x_low, factor_low * log_less
    )
    inverse = const(1.0) / x
    total, total_low = two_sum(main, constant(0.418938547372818, 0.4189385332046727))
    rest = constant(-1.4168144879533884e-08, 1.6728209650585413e-17)
    rest = multiply_add(inverse, stirling_reduced(inverse * inverse), rest)
    return rounded(where(far, total, near), where(far, total_low + (main_low + rest), near_low))


def digamma(x: Any) -> Any:
    """The derivative of lgamma for x >= 0."""
    far, less = x >= const(2.0), x < const(1.0)
    y = where(less, x, x - const(1.0))
    root = constant(0.4616321325302124, 0.46163214496836236)
    root_low = constant(1.243815006546356e-08, -1.5522348162858677e-17)
    gap, gap_low = normalized(y - root, -root_low)
    slope = digamma_reduced(y - const(0.5))
    near = gap * slope
    near_low = fma(gap, slope, -near) + gap_low * slope
    inverse = const(1.0) / x
    inverse_low = fma(-x, inverse, const(1.0)) * inverse
    log_x, log_x_low = two_log_fine(x)
    share = where(far, const(-0.5), where(less, const(-1.0), const(0.0)))
    total, total_low = two_sum(where(far, log_x, near), share * inverse)
    square = inverse * inverse
    far_low = multiply_add(const(-0.5), inverse_low, log_x_low)
    far_low = far_low - square * digamma_far_reduced(square)
    low = where(far, far_low, where(less, near_low - inverse_low, near_low))
    return rounded(total, total_low + low)


def trigamma(x: Any) -> Any:
    """The second derivative of lgamma for x >= 0."""
    far, less = x >= const(2.0), x < const(1.0)
    inverse = const(1.0) / x
    inverse_low = fma(-x, inverse, const(1.0)) * inverse
    square = inverse * inverse
    square_low = fma(inverse, inverse, -square) + const(2.0) * inverse * inverse_low
    far_low = multiply_add(inverse * square, trigamma_far_reduced(square), const(0.5) * square)
    near = trigamma_reduced(where(less, x, x - const(1.0)) - const(0.5))
    total, total_low = two_sum(where(less, square, const(0.0)), near)
    near_low = total_low + where(less, square_low, const(0.0))
    return rounded(where(far, inverse, total), where(far, far_low + inverse_low, near_low))


def scaled_softplus(x: Any, log_scale: Any) -> Any:
    """exp(-log_scale) log(1 + exp(x + log_scale))."""
    logit = x + log_scale
    softplus = maximum(logit, const(0.0)) + log1p(exp(-abs(logit)))
    linear = logit < const(-40.0)
    return exp(where(linear, x, -log_scale)) * where(linear, const(1.0), softplus)


def two_log_factorial(x: Any) -> tuple[Any, Any]:
    """lgamma(1 + x) in two words, for x >= 0."""
    far, less = x >= const(1.5), x < const(0.5)
    w = where(less, x, x - const(1.0))
    start = constant(0.42278432846069336, 0.42278433509846713)
    slope, slope_low = normalized(start, w * lgamma_reduced(w))
    slope_low = slope_low + constant(6.538417807178121e-09, 4.999061170103931e-18)
    near, near_low = two_times(w, const(0.0), slope, slope_low)
    more, more_low = two_sum(x, const(1.0))
    log_more, log_more_low = two_log_fine(more, more_low)
    near, near_rest = two_sum(where(less, -log_more, const(0.0)), near)
    near_low = near_rest + (near_low - where(less, log_more_low, const(0.0)))
    factor = more - const(0.5)
    factor_low = ((more - factor) - const(0.5)) + more_low
    log_less, log_less_low = two_sum(log_more, const(-1.0))
    main, main_low = two_times(factor, factor_low, log_less, log_less_low + log_more_low)
    inverse = const(1.0) / more
    total, total_low = two_sum(main, constant(0.418938547372818, 0.4189385332046727))
    rest = constant(-1.4168144879533884e-08, 1.6728209650585413e-17)
    rest = multiply_add(inverse, stirling_reduced(inverse * inverse), rest)
    high = where(far, factor * log_less, near)
    y, y_low = normalized(
        where(far, total, near), where(far, total_low + (main_low + rest), near_low)
    )
    finite = y_low - y_low == const(0.0)
    return where(finite, y, high), where(finite, y_low, const(0.0))


def two_log_excess(v: Any, v_low: Any, log: Any, log_low: Any) -> tuple[Any, Any]:
    """-log(1 - v) / v - 1 in two words, for -1/4 <= v <= 1 and the logarithm, less its sign."""
    p, p_low = normalized(const(0.5), v * log_excess_reduced(v))
    near, near_low = two_times(v, v_low, p, p_low)
    ratio, ratio_low = two_quotient(log, log_low, v, v_low)
    far, far_low = two_sum(ratio, const(-1.0))
    small = v <= const(0.25)
    return where(small, near, far), where(small, near_low, far_low + ratio_low)


def two_plus(a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """(a + a_low) + (b + b_low) in two words."""
    high, low = two_sum(a, b)
    return normalized(high, low + (a_low + b_low))


def log_rising_parts(count: Any, log_step: Any) -> tuple[Any, ...]:
    """What the words of rising factorials share, in two words.

    log_rising, less count log_step where that is positive; its derivative; the second one, in one
    word; and what the first comes to in each of many counts.
    """
    zero, one, half = const(0.0), const(1.0), const(0.5)
    # all is proportional to a count that is this small, which is raised so that no product of it
    # is subnormal
    raises = (count < constant(2.0**-100, 2.0**-900)) & (log_step < const(20.0))
    count = count * where(raises, constant(2.0**40, 2.0**400), one)
    lower = where(raises, constant(2.0**-40, 2.0**-400), one)
    later, early, small = count > half, count <= half, log_step <= zero
    shifts, stays = log_step > const(-1.125), log_step <= const(-1.125)
    k, k_low = two_sum(count, where(later, -one, zero))
    e, e_low = two_exp(where(shifts, -log_step, log_step))
    r, r_low = where(shifts, e, one), where(shifts, e_low, zero)
    # what multiplies is raised where it may be subnormal
    tiny = log_step > const(60.0)
    raised, raised_low = two_exp_raised(where(tiny, -log_step, zero), zero)
    few, few_low = where(tiny, raised, r), where(tiny, raised_low, r_low)
    n, n_low = two_plus(const(3.0), zero, r, r_low)
    inverse, inverse_low = two_inverse(n, n_low)
    near, near_low = two_times(k, k_low, inverse, inverse_low)
    far, far_low = two_exp_product(where(shifts, zero, log_step), k, k_low)
    q, q_low = where(shifts, near, far), where(shifts, near_low, far_low)
    total, total_low = two_plus(one, zero, q, q_low)
    log_q, log_q_low = two_log_fine(total, total_low)
    w, w_low = two_inverse(total, total_low)
    v, v_low = two_times(q, q_low, w, w_low)
    a, a_low = two_sum(one, -w)
    v, v_low = where(q > half, a, v), where(q > half, a_low - w_low, v_low)
    excess, excess_low = two_log_excess(v, v_low, log_q, log_q_low)
    part, part_low = two_times(excess, excess_low, w, w_low)
    # the rests of the asymptotic series at n and at n + k: differences without cancellation
    d = where(shifts, inverse, e)
    u, ratio = d * d, w * w
    s, s_slope = stirling_divided(u, u * ratio)
    p, p_slope = digamma_far_divided(u, u * ratio)
    t, t_slope = trigamma_far_divided(u, u * ratio)
    gap, wide = d * v, one + w
    rest = gap * multiply_add(u * w * wide, s_slope, s)
    slope_rest = -gap * wide * multiply_add(u * ratio, p_slope, p)
    curve_rest = gap * multiply_add(u * w * ratio * wide, t_slope, multiply_add(w, wide, one) * t)
    curve_rest = -slope_rest - curve_rest
    # what r lacks of n
    share = where(later & stays, half, -half)
    first, first_low = two_plus(one, zero, r, r_low)
    second, second_low = two_plus(const(2.0), zero, r, r_low)
    a, a_low = two_quotient(const(2.0) * v, const(2.0) * v_low, first, first_low)
    b, b_low = two_quotient(v, v_low, second, second_low)
    a, a_low = two_plus(one, zero, a, a_low)
    b, b_low = two_plus(one, zero, b, b_low)
    product, product_low = two_times(a, a_low, b, b_low)
    beside = count < r
    # what division leaves of a small count is no less than the least float
    lift = where(r < const(2.0**-20), const(2.0**100), one)
    x, x_low = two_quotient(lift * count, zero, lift * r, lift * r_low)
    y, y_low = two_plus(count, zero, r, r_low)
    x, x_low = two_plus(one, zero, x, x_low)
    x, x_low = where(beside, x, y), where(beside, x_low, y_low)
    x, x_low = where(later, one, x), where(later, zero, x_low)
    x, x_low = two_times(product, product_low, x, x_low)
    log_x, log_x_low = two_log_fine(where(shifts, x, one), where(shifts, x_low, zero))
    log_n, log_n_low = two_log_fine(n, n_low)
    log_n, log_n_low = two_plus(log_n, log_n_low, where(small, log_step, zero), zero)
    log_n, log_n_low = where(shifts, log_n, zero), where(shifts, log_n_low, zero)
    # the logarithm
    factor = where(shifts, const(-2.5), share)
    rising, rising_low = two_times(factor, zero, log_q, log_q_low)
    rising, rising_low = two_plus(rising, rising_low, -rest, zero)
    rising, rising_low = two_plus(rising, rising_low, -log_x, -log_x_low)
    a, a_low = two_times(k, k_low, log_n, log_n_low)
    rising, rising_low = two_plus(rising, rising_low, a, a_low)
    a, a_low = two_times(k, k_low, excess, excess_low)
    rising, rising_low = two_plus(rising, rising_low, a, a_low)
    jump = where(small | (beside & early), zero, -log_step)
    rising, rising_low = two_plus(rising, rising_low, jump, zero)
    # its first derivative
    scale, scale_low = two_quotient(r, r_low, n, n_low)
    scale, scale_low = where(shifts, scale, one), where(shifts, scale_low, zero)
    slope_n = multiply_add(share, v, slope_rest)
    taken, taken_low = two_plus(v, v_low, -part, -part_low)
    taken, taken_low = two_times(k, k_low, taken, taken_low)
    lost, lost_low = two_times(r, r_low, log_q, log_q_low)
    lost, lost_low = two_plus(k, k_low, -lost, -lost_low)
    taken, taken_low = where(shifts, lost, taken), where(shifts, lost_low, taken_low)
    scaled, scaled_low = two_times(scale, scale_low, slope_n, zero)
    slope, slope_low = two_plus(taken, taken_low, scaled, scaled_low)
    end, end_low = two_plus(first, first_low, k, k_low)
    a, a_low = two_quotient(k, k_low, end, end_low)
    b, b_low = two_quotient(few, few_low, first, first_low)
    a, a_low = two_times(a, a_low, b, b_low)
    bend = a * (one / first - r / end)
    a, a_low = where(tiny, lowered(a), a), where(tiny, lowered(a_low), a_low)
    slope, slope_low = two_plus(
        slope, slope_low, -where(shifts, a, zero), -where(shifts, a_low, zero)
    )
    end, end_low = two_plus(second, second_low, k, k_low)
    a, a_low = two_quotient(k, k_low, end, end_low)
    b, b_low = two_quotient(few, few_low, second, second_low)
    a, a_low = two_times(a, a_low, b, b_low)
    bend = bend + a * (const(2.0) / second - r / end)
    a, a_low = where(tiny, lowered(a), a), where(tiny, lowered(a_low), a_low)
    slope, slope_low = two_plus(
        slope, slope_low, -where(shifts, a, zero), -where(shifts, a_low, zero)
    )
    # a subnormal sum is raised: its inverse would be infinite
    up = where(y < const(2.0**-60), const(2.0**100), one)
    y, y_low = up * y, up * y_low
    a, a_low = two_quotient(up * count, zero, y, y_low)
    none = later | stays
    a, a_low = where(none, zero, a), where(none, zero, a_low)
    slope, slope_low = two_plus(slope, slope_low, -a, -a_low)
    b, b_low = two_quotient(up * few, up * few_low, y, y_low)
    near, near_low = two_times(a, a_low, b, b_low)
    # and its second
    a, a_low = two_times(scale, scale_low, v, v_low)
    a, a_low = two_plus(log_q, log_q_low, -a, -a_low)
    a, a_low = two_times(few, few_low, a, a_low)
    b, b_low = two_times(k, k_low, part, part_low)
    a, a_low = where(shifts, a, b), where(shifts, a_low, b_low)
    steep = where(shifts, few * inverse, one)
    bend = where(shifts, bend, zero) - steep * (one - scale) * slope_n
    bend = bend + steep * scale * multiply_add(share * v, w, curve_rest)
    curve, curve_low = two_plus(a, a_low, -where(none, zero, near), -where(none, zero, near_low))
    curve, curve_low = two_plus(curve, curve_low, bend, zero)
    curve = curve + curve_low
    nothing = count == zero
    each, each_low = two_plus(excess, excess_low, log_n, log_n_low)
    return (
        where(nothing, zero, rising * lower),
        where(nothing, zero, rising_low * lower),
        where(nothing, zero, slope * lower),
        where(nothing, zero, slope_low * lower),
        where(nothing, zero, where(tiny, lowered(curve), curve) * lower),
        each,
        each_low,
    )


def log_rising(count: Any, log_step: Any) -> Any:
    """The sum of log(1 + k exp(log_step)) over k < count, for any count >= 0.

    By r = exp(-log_step) it is log(Gamma(r + count) / Gamma(r)) + count log_step.
    """
    high, low, _, _, _, _, _ = log_rising_parts(count, log_step)
    return fma(count, where(log_step > const(0.0), log_step, const(0.0)), high) + low


def log_rising_slope(count: Any, log_step: Any) -> Any:
    """The derivative of log_rising by log_step."""
    _, _, slope, slope_low, _, _, _ = log_rising_parts(count, log_step)
    return slope + slope_low


def log_rising_curve(count: Any, log_step: Any) -> Any:
    """The second derivative of log_rising by log_step."""
    _, _, _, _, curve, _, _ = log_rising_parts(count, log_step)
    return curve
