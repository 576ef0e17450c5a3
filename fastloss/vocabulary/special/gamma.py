"""The gamma function, its derivatives and rising factorials."""

from __future__ import annotations

from typing import Any

from .._words import (
    const,
    constant,
    digamma_far_divided,
    digamma_far_reduced,
    digamma_reduced,
    fma,
    lgamma_reduced,
    lowered,
    multiply_add,
    stirling_divided,
    stirling_reduced,
    trigamma_far_divided,
    trigamma_far_reduced,
    trigamma_reduced,
    two_difference,
    two_exp,
    two_exp_product,
    two_inverse,
    two_sum,
    where,
)
from .exponential import two_log_excess, two_log_fine
from .two_word import normalized, rounded, two_plus, two_quotient, two_times

__all__ = [
    "digamma",
    "lgamma",
    "log_rising",
    "log_rising_curve",
    "log_rising_parts",
    "log_rising_slope",
    "trigamma",
    "two_log_factorial",
]


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
    # a tiny r is e in a unit of 2**-160 or 2**-1080, and raised where it multiplies
    tiny = log_step > const(50.0)
    shift = where(tiny, constant(110.90354919433594, 748.5989550047409), zero)
    shift_low = where(tiny, constant(-3.0474467394014937e-07, 3.303931136684116e-14), zero)
    exponent, exponent_low = two_difference(shift, log_step)
    exponent_low = exponent_low + shift_low
    e, e_low = two_exp(where(shifts, exponent, log_step), exponent_low)
    down = where(tiny, constant(2.0**-112, 2.0**-974), one)
    few, few_low = where(shifts, e * down, one), where(shifts, e_low * down, zero)
    r, r_low = where(tiny, lowered(few), few), where(tiny, lowered(few_low), few_low)
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
    # beside a small count too r is taken in its unit, as both may be subnormal
    fine = tiny & (count < constant(2.0**-48, 2.0**-100))
    least = count < constant(2.0**-100, 2.0**-900)
    unit = where(least, constant(2.0**20, 2.0**200), one)
    unit = where(fine, constant(2.0**80, 2.0**540), unit)
    c = unit * (unit * count)
    base, base_low = unit * (unit * r), unit * (unit * r_low)
    base, base_low = where(fine, e, base), where(fine, e_low, base_low)
    beside = c < base
    # what division leaves of a small count is no less than the least float
    lift = where(base < const(2.0**-20), const(2.0**100), one)
    x, x_low = two_quotient(lift * c, zero, lift * base, lift * base_low)
    y, y_low = two_plus(c, zero, base, base_low)
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
    stands = small | (beside & early)
    jump = where(stands, zero, where(fine, exponent, -log_step))
    jump_low = where(stands, zero, where(fine, exponent_low, zero))
    rising, rising_low = two_plus(rising, rising_low, jump, jump_low)
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
    a, a_low = two_quotient(c, zero, y, y_low)
    none = later | stays
    a, a_low = where(none, zero, a), where(none, zero, a_low)
    slope, slope_low = two_plus(slope, slope_low, -a, -a_low)
    b, b_low = unit * (unit * few), unit * (unit * few_low)
    b, b_low = two_quotient(where(fine, e, b), where(fine, e_low, b_low), y, y_low)
    up = where(fine, constant(2.0**48, 2.0**106), one)
    near, near_low = two_times(up * a, up * a_low, b, b_low)
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
    # all are count (count - 1) / 2 exp(log_step) where its products with a count vanish; a square,
    # as one of those may be subnormal
    level = (count > const(2.0)) & (log_step < const(-60.0)) & (q < const(2.0**-60))
    a, a_low = two_exp_product(half * log_step, count)
    a, a_low = two_times(a, a_low, a, a_low)
    b, b_low = two_quotient(half * k, half * k_low, count, zero)
    a, a_low = two_times(a, a_low, b, b_low)
    rising, rising_low = where(level, a, rising), where(level, a_low, rising_low)
    slope, slope_low = where(level, a, slope), where(level, a_low, slope_low)
    curve = where(level, a + a_low, curve)
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
