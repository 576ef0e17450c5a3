"""Classes of two distributions and of their mixture m = β q + (1 - β) p.

A class has β (q log(q / m) - q + m) + (1 - β) (p log(p / m) - p + m), of which neither is below 0
and all but the logarithms cancels. They are m times u log(u) + v of u = q / m and of u = p / m with
v = 1 - u, which is a multiple of q - p. Probabilities p come raised, in two words.
"""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    abs,
    const,
    constant,
    flat,
    lowered,
    two_difference,
    two_exp_fine,
    two_exp_raised,
    two_inverse,
    two_log_excess,
    two_log_fine,
    two_product,
    two_sum,
    where,
)
from ..vocabulary.special.two_word import two_plus, two_times
from ._two_words import plus_one, times

__all__ = [
    "curve_of_class",
    "divergence_of_class",
    "fine_exponential",
    "mixture",
    "slope_of_class",
    "tilt_of_class",
]


def log_of_share(u: Any, u_low: Any, v: Any, v_low: Any) -> tuple[Any, ...]:
    """The logarithm of u = 1 - v >= 0; -log(u) / v - 1 where v >= -1/4."""
    log, log_low = two_log_fine(u, u_low)
    excess, excess_low = two_log_excess(v, v_low, -log, -log_low)
    near = abs(v) <= const(0.25)
    less, less_low = times(v, v_low, *plus_one(excess, excess_low))
    return where(near, -less, log), where(near, -less_low, log_low), excess, excess_low


def relative_to_mean(u: Any, u_low: Any, v: Any, v_low: Any) -> tuple[Any, Any]:
    """The sum of u log(u) and v, for u = 1 - v >= 0."""
    zero = const(0.0)
    log, log_low, excess, excess_low = log_of_share(u, u_low, v, v_low)
    part, part_low = times(u, u_low, excess, excess_low)
    rest, rest_low = two_difference(v, part)
    value, value_low = times(v, v_low, rest, rest_low + (v_low - part_low))
    product, product_low = times(u, u_low, log, log_low)
    far, far_low = two_sum(product, v)
    above = v < const(-0.25)
    value = where(above, far, value)
    value_low = where(above, far_low + (product_low + v_low), value_low)
    none = u == zero
    return where(none, const(1.0), value), where(none, zero, value_low)


def mixture(p: Any, p_low: Any, target: Any, beta: Any) -> tuple[Any, ...]:
    """Of a class p, q and m in the same unit, 1 / m, 1 - β, for a probability that is raised."""
    zero, one = const(0.0), const(1.0)
    raised, _ = two_exp_raised(zero, zero)
    rest, rest_low = two_difference(one, beta)
    large = target > one
    q = where(large, target, target * raised)
    p, p_low = where(large, lowered(p), p), where(large, lowered(p_low), p_low)
    from_p, from_p_low = times(rest, rest_low, p, p_low)
    from_q, from_q_low = two_product(beta, q)
    m, m_low = two_plus(from_p, from_p_low, from_q, from_q_low)
    # without target mass the ratios are the same for all p
    bare = target == zero
    p, p_low = where(bare, one + flat(p), p), where(bare, zero, p_low)
    whole, whole_low = where(bare, rest, m), where(bare, rest_low, m_low)
    inverse = two_inverse(where(whole == zero, one, whole), whole_low)
    return (p, p_low), q, (m, m_low), inverse, (rest, rest_low)


def above_mean(
    p: tuple[Any, Any], q: Any, inverse: tuple[Any, Any], factor: tuple[Any, Any]
) -> tuple[Any, Any]:
    """The difference q - p times a factor over m."""
    gap, gap_low = two_difference(q, p[0])
    return times(*two_times(gap, gap_low - p[1], *inverse), *factor)


def divergence_of_class(p: Any, p_low: Any, target: Any, beta: Any) -> tuple[Any, Any]:
    zero = const(0.0)
    p, q, m, inverse, rest = mixture(p, p_low, target, beta)
    share = beta, zero
    first, low = relative_to_mean(*two_times(*p, *inverse), *above_mean(p, q, inverse, share))
    first, low = times(rest[0], rest[1], first, low)
    v, v_low = above_mean(p, q, inverse, rest)
    second, second_low = relative_to_mean(*two_times(q, zero, *inverse), -v, -v_low)
    both, both_low = two_plus(first, low, *times(beta, zero, second, second_low))
    value, low = times(m[0], m[1], both, both_low)
    large = target > const(1.0)
    return where(large, value, lowered(value)), where(large, low, lowered(low))


def curve_of_class(
    q: Any, inverse: tuple[Any, Any], rest: tuple[Any, Any], beta: Any
) -> tuple[Any, ...]:
    """The share β q / m of the target in m; and s, 1 - β times that."""
    share, share_low = times(*two_product(beta, q), *inverse)
    return share, share_low, *times(share, share_low, *rest)


def log_of_part(part: Any, part_low: Any, q: Any, inverse: Any, v: Any) -> tuple[Any, ...]:
    """What is said of the share u = 1 - v that a part has in m, where u may be subnormal."""
    raised, _ = two_exp_raised(const(0.0), const(0.0))
    small = part < const(2.0**-64) * q
    up = where(small, raised, const(1.0))
    u = two_times(up * part, up * part_low, *inverse)
    log, log_low, excess, excess_low = log_of_share(*u, *v)
    more, more_low = two_log_fine(raised)
    log, lost = two_difference(log, where(small, more, const(0.0)))
    return log, lost + (log_low - where(small, more_low, const(0.0))), excess, excess_low


def slope_of_class(p: Any, p_low: Any, target: Any, beta: Any) -> tuple[Any, ...]:
    """(1 - β) log(p / m), the derivative by p, and s, p times the second."""
    p, q, _, inverse, rest = mixture(p, p_low, target, beta)
    v = above_mean(p, q, inverse, (beta, const(0.0)))
    log, log_low, _, _ = log_of_part(p[0], p[1], q, inverse, v)
    _, _, curve, curve_low = curve_of_class(q, inverse, rest, beta)
    return *times(rest[0], rest[1], log, log_low), curve, curve_low


def tilt_of_class(p: Any, p_low: Any, target: Any, beta: Any) -> tuple[Any, ...]:
    """The same, but of the share (1 - β) p / m: so it is 0 without target mass.

    And the sum of both without their difference.
    """
    p, q, _, inverse, rest = mixture(p, p_low, target, beta)
    v, v_low, curve, curve_low = curve_of_class(q, inverse, rest, beta)
    part, part_low = times(*rest, *p)
    log, log_low, excess, excess_low = log_of_part(part, part_low, q, inverse, (v, v_low))
    slope, slope_low = times(rest[0], rest[1], log, log_low)
    zero, none, near = const(0.0), part == const(0.0), v <= const(0.25)
    less, less_low = times(v, v_low, excess, excess_low)
    both, both_low = two_plus(log, log_low, v, v_low)
    both, both_low = where(near, -less, both), where(near, -less_low, both_low)
    both, both_low = times(rest[0], rest[1], both, both_low)
    # without p, which it multiplies
    slope, slope_low = where(none, zero, slope), where(none, zero, slope_low)
    both, both_low = where(none, zero, both), where(none, zero, both_low)
    return slope, slope_low, curve, curve_low, both, both_low


def fine_exponential(gap: Any, gap_low: Any) -> tuple[Any, Any]:
    """An exponential, raised, of what is at most 0; to nearly twice the digits but in the tail."""
    zero = const(0.0)
    far = gap < constant(-64.0, -640.0)
    tail, tail_low = two_exp_raised(gap, gap_low)
    e, e_low = two_exp_fine(where(far, zero, gap), where(far, zero, gap_low))
    raised, _ = two_exp_raised(zero, zero)
    return where(far, tail, e * raised), where(far, tail_low, e_low * raised)
