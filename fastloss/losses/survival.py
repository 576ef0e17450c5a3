"""Losses of times that may be known up to an interval."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, TIME, Domain
from .._loss import MapLoss
from .._parameters import choice, scale
from ..vocabulary import (
    abs,
    const,
    constant,
    exp,
    expm1,
    flat,
    fma,
    inf,
    log,
    log1mexp,
    log1p,
    log_normal_cdf,
    lowered,
    normal_density,
    two_difference,
    two_exp_fine,
    two_exp_product,
    two_inverse,
    two_log,
    two_log1p,
    two_log_excess,
    two_log_fine,
    two_sum,
    where,
)
from ..vocabulary.special.exponential import complement, exponential
from ..vocabulary.special.normal import mills_gap, normal_parts, normal_peak, normal_tail
from ..vocabulary.special.two_word import normalized, two_quotient
from ._logistic import logistic, root_share
from ._two_words import magnitude, plus, scaled, times

__all__ = ["Aft"]


class Aft(MapLoss):
    """Accelerated failure time loss, -log(f(z) / (s t)) of a time t seen, -log(F(b) - F(a)) else.

    Here z = (log t - prediction) / s with a scale s, f and F are the density and the distribution
    function of z, and a and b are what z is at both ends of the interval that the time lies in. The
    ulp is that of the largest term, as the terms may cancel.

    Use it for times to an event, of which some are known up to an interval: the prediction is the
    logarithm of a typical time, which whatever tells one element from another stretches or shrinks.

    Avoid it where only the order of risks matters, or where the distribution of the times is not
    known and would have to be guessed.

    The target is the time or the lower end of its interval; the upper end is given as ``upper`` and
    may be left out where every time was seen. An event still to come at a time t is ``target=t,
    upper=inf`` (right-censored), one that came before t is ``target=0, upper=t`` (left-censored).

    Parameters
    ----------
    distribution : {"normal", "logistic", "extreme"}
        That of z, of which the time then is log-normal, log-logistic or Weibull: the standard
        normal, the logistic, or the extreme value distribution with F(z) = 1 - exp(-exp(z)).
    scale : float
        The scale s of log t, above 0 and finite; with 1 and ``"extreme"`` times are exponential.

    See Also
    --------
    CoxPh : without a distribution of the times.
    SquaredLogError : where every time was seen.

    Notes
    -----
    J. D. Kalbfleisch and R. L. Prentice, The statistical analysis of failure time data (1980).
    """

    name = "aft"
    inputs = ("prediction", "target", "upper")
    optional = ("upper",)
    ordered = ("target", "upper")
    link = "log"
    optimum = "none"
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = ""
    proper = False
    ulps = {"float32": (1.5, 1.5, 2), "float64": (1.5, 2, 2.5)}
    distribution: str = choice("normal", "logistic", "extreme")
    scale: float = scale(1.0)

    @property
    def scalars(self) -> Any:
        return _DISTRIBUTIONS[self.distribution]

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.scale,)

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, TIME, TIME


# ---- numbers of two words, as pairs


def _either(condition: Any, yes: Any, no: Any) -> Any:
    return where(condition, yes[0], no[0]), where(condition, yes[1], no[1])


def _product(x: Any, y: Any) -> Any:
    return times(x[0], x[1], y[0], y[1])


def _sum(x: Any, y: Any) -> Any:
    return plus(x[0], x[1], y[0], y[1])


def _negative(x: Any) -> Any:
    return -x[0], -x[1]


# ---- what the distributions share


def _ends(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
    """Z at both ends, how far they are apart, log(scale target) and 1 / scale, in two words."""
    zero = const(0.0), const(0.0)
    inverse = two_inverse(scale, const(0.0))
    seen = target == upper
    log_target = two_log_fine(target)
    # of near ends the logarithm of their ratio, in which no digit is lost
    step = upper - target
    near = step <= target
    up = where(target < const(2.0**-40), const(2.0**60), const(1.0))  # no rest is subnormal
    base, step = target * up, step * up
    share = step / base
    ratio, ratio_low = two_sum(const(1.0), share)
    ratio_low = ratio_low + fma(-share, base, step) / base
    log_ratio = two_log_fine(where(near, ratio, upper), where(near, ratio_low, const(0.0)))
    far, far_low = two_difference(log_ratio[0], log_target[0])
    far_low = far_low + (log_ratio[1] - log_target[1])
    gap = _either(seen, zero, _either(near, log_ratio, (far, far_low)))
    log_upper = _either(near, _sum(log_target, log_ratio), log_ratio)
    log_upper = _either(seen, log_target, log_upper)
    lower = _standardized(log_target, prediction, inverse)
    higher = _standardized(log_upper, prediction, inverse)
    log_scale, log_scale_low = two_log(scale)
    unit, unit_low = two_sum(log_scale, log_target[0])
    unit_low = unit_low + (log_scale_low + log_target[1])
    return lower, higher, _product(gap, inverse), (unit, unit_low), inverse


def _standardized(log_time: Any, prediction: Any, inverse: Any) -> Any:
    r, rest = two_difference(log_time[0], prediction)
    r = where(abs(log_time[0]) < const(inf), r, log_time[0])  # no end wins over any prediction
    return _product(normalized(r, rest + log_time[1]), inverse)


def _results(
    value: Any, grad: Any, hess: Any, prediction: Any, target: Any, upper: Any, least: Any
) -> Any:
    """The same, NaN where an input is; and where a time is seen at 0 the least value, its limit."""
    nothing = flat(prediction) + flat(target) + flat(upper)
    at_zero = (target == upper) & (target == const(0.0))
    return where(at_zero, least, value) + nothing, grad + nothing, hess + nothing


def _least(prediction: Any, scale: Any) -> Any:
    """The limit of log(scale t) + (prediction - log t) / scale as t vanishes."""
    one = const(1.0)
    sign = where(scale < one, const(inf), where(scale > one, const(-inf), const(0.0)))
    return sign + (prediction / scale + log(scale))


# ---- normal


def _normal(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
    lower, higher, gap, unit, inverse = _ends(prediction, target, upper, scale)
    zero, one, half = const(0.0), const(1.0), const(0.5)
    nothing, whole = (zero, zero), (one, zero)
    open_ended = gap[0] == const(inf)
    # mirrored, so that the middle of both ends is -mu <= 0, the farther one -a and the nearer one
    # -b, with b < 0 where 0 is between
    mirrored = lower[0] + higher[0] > zero
    a = _either(mirrored, higher, _negative(lower))
    b = _either(mirrored, lower, _negative(higher))
    mu, mu_low = two_sum(half * a[0], half * b[0])
    mu_low = where(abs(mu) < const(inf), mu_low + half * (a[1] + b[1]), zero)
    central = b[0] < zero
    apart = gap[0] * (one + abs(b[0])) > const(0.6)
    # what the density falls by from the nearer to the farther end: to e = exp(-w), by 1 - e
    w = _either(apart, _product((mu, mu_low), gap), nothing)
    w = _either(open_ended, (const(inf), zero), w)
    _, power, rest, rest_low = exponential(-w[0], -w[1])
    e, e_low = normalized(one, rest)
    left = power * e, power * (e_low + rest_low)
    fall = complement(power, rest, rest_low)
    # the mass between the ends; where both are on one side, over exp(-b**2 / 2)
    (size, _, q), square, bell, wide, scaled = normal_parts(b[0], b[1])
    (_, _, far_q), _, far_bell, far_wide, far_scaled = normal_parts(a[0], a[1])
    mills, tail, _ = normal_tail(bell, wide, scaled)
    far_mills, far_tail, _ = normal_tail(far_bell, far_wide, far_scaled)
    out = _sum(tail, far_tail)
    inside, inside_low = normalized(one, -lowered(out[0]))
    mass = _sum(mills, _negative(_product(left, far_mills)))
    mass = _either(central, (inside, inside_low - lowered(out[1])), mass)
    # the density at the nearer end over it, raised where 0 is between
    top = _either(central, bell, whole)
    density = two_quotient(top[0], top[1], mass[0], mass[1])
    density = _product(density, normal_peak())
    slope = _product(density, fall)
    # that slope less b
    step = _either(open_ended, nothing, gap)
    root = (
        constant(2.5066282749176025, 2.5066282746310007),
        constant(-2.866020476499642e-10, -1.8328579980459167e-16),
    )
    more = _sum(mills_gap(far_q, far_wide), _product(_product(step, far_mills), root))
    more = _sum(mills_gap(q, wide), _negative(_product(left, more)))
    beyond, beyond_low = two_sum(size, lowered(slope[0]))
    beyond_low = beyond_low + (lowered(slope[1]) - b[1])
    more = _either(central, (beyond, beyond_low), _product(density, more))
    curve = _sum(_product(step, left), _product(fall, more))
    curve = _product(curve, density)
    # beyond all numbers that differ from those next to them by less than 1
    remote = size > const(2.0**60)
    slope = _either(remote, (where(central, zero, size), zero), slope)
    curve = _either(remote, (where(central, zero, one), zero), curve)
    # a narrow interval: moments of s from -1/2 to 1/2, by the density at -mu + h s
    seen = gap[0] == zero
    h = where(apart, zero, gap[0])
    total, first, second = _moments(h * where(apart | seen, zero, mu), half * h * h)
    mean = first / (one + total)
    spread = second / (one + total) - mean * mean
    slope = _either(apart, slope, (mu, fma(h, mean, mu_low)))
    curve = _either(apart, curve, (one, -h * h * spread))
    raised = apart & central
    # the value
    energy = _product((half * mu, half * mu_low), (mu, mu_low))
    energy = _either(apart, _either(central, nothing, square), energy)
    log_mass = two_log_fine(*_either(seen, whole, _either(apart, mass, gap)))
    constants = (
        constant(0.9189385175704956, 0.9189385332046728),
        constant(1.563417661998301e-08, -3.8782941580672414e-17) - log1p(total),
    )
    value = _sum(energy, _negative(log_mass))
    value = _sum(value, _either(apart, nothing, constants))
    value = _sum(value, _either(seen, unit, nothing))
    # by the prediction
    slope = _product(slope, inverse)
    curve = _product(_product(curve, inverse), inverse)
    grad, hess = slope[0] + slope[1], curve[0] + curve[1]
    grad = where(mirrored, -grad, grad)
    grad, hess = where(raised, lowered(grad), grad), where(raised, lowered(hess), hess)
    return _results(value[0] + value[1], grad, hess, prediction, target, upper, const(inf))


def _moments(w: Any, c: Any) -> Any:
    """Of exp(-w s - c s**2) over s from -1/2 to 1/2 by Gauss's rule of seven points.

    Its integral less 1, and those of its products with s and s**2.
    """
    x = _moment(w, c, const(0.2029225756886986), const(0.19091502525255946))
    y = _moment(w, c, const(0.37076559279969723), const(0.13985269574463832))
    z = _moment(w, c, const(0.47455395617137924), const(0.06474248308443485))
    return x[0] + y[0] + z[0], x[1] + y[1] + z[1], x[2] + y[2] + z[2]


def _moment(w: Any, c: Any, s: Any, weight: Any) -> Any:
    """The part of two points; that in the middle, at 0, has none."""
    bend = c * s * s
    below, above = expm1(w * s - bend), expm1(-w * s - bend)
    both = weight * (below + above)
    return both, weight * s * (above - below), s * s * (const(2.0) * weight + both)


def either_terms(condition: Any, yes: Any, no: Any) -> Any:
    """The terms of one sum or of another."""
    return tuple(where(condition, x, y) for x, y in zip(yes, no, strict=True))


def half_square(x: Any, a: Any, b: Any) -> Any:
    """Half the square of x = a + b, in the terms that cancel where x is small."""
    return x * a / 2, x * b / 2


def log_normal_mass(a: Any, b: Any, mirrored: Any, target: Any, upper: Any) -> Any:
    """log(Phi(b) - Phi(a)) in two terms, mirrored to the side where both are small."""
    near, far = where(mirrored, -a, b), where(mirrored, -b, a)
    log_near = log_normal_cdf(near)
    rest = log1mexp(log_near - log_normal_cdf(far))
    return log_near, where(target > 0, where(upper < inf, rest, 0), 0)


class _Normal:
    name = "aft"

    @staticmethod
    def definition(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
        a, b = (log(target) - prediction) / scale, (log(upper) - prediction) / scale
        constant = log(scale * target) - log(normal_density(const(0.0)))
        seen = constant, *half_square(a, log(target) / scale, -prediction / scale)
        between = log_normal_mass(a, b, exp(2 * prediction) < target * upper, target, upper)
        return either_terms(upper > target, (-between[0], -between[1], const(0.0)), seen)

    formula = staticmethod(_normal)


# ---- logistic


def _logistic(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
    lower, higher, gap, unit, inverse = _ends(prediction, target, upper, scale)
    seen = target == upper
    # softplus(-b) + softplus(a) - log(1 - exp(a - b))
    e, grad, root = _softplus(_negative(higher), inverse)
    more_e, more_grad, more_root = _softplus(lower, inverse)
    value = _sum(_positive(_negative(higher)), _positive(lower))
    x = _sum(_sum(e, more_e), _product(e, more_e))
    value = _sum(value, two_log1p(x[0], x[1] / (const(1.0) + x[0])))
    constants = _either(seen, unit, (-log1mexp(gap[0], gap[1]), const(0.0)))
    value = _sum(value, constants)
    slope = _sum(grad, _negative(more_grad))
    # no square is subnormal before both are added up
    faint = (root[0] < const(2.0**-40)) & (more_root[0] < const(2.0**-40))
    up = where(faint, const(2.0**40), const(1.0))
    root, more_root = scaled(root[0], root[1], up), scaled(more_root[0], more_root[1], up)
    curve = _sum(_product(root, root), _product(more_root, more_root))
    hess = (curve[0] + curve[1]) * where(faint, const(2.0**-80), const(1.0))
    return _results(
        value[0] + value[1], slope[0] + slope[1], hess,
        prediction, target, upper, _least(prediction, scale),
    )  # fmt: skip


def _positive(x: Any) -> Any:
    zero = const(0.0)
    return _either(x[0] > zero, x, (zero, zero))


def _softplus(x: Any, inverse: Any) -> Any:
    """exp(-|x|), sigmoid(x) / scale, and the root of its derivative over the scale."""
    size, size_low = magnitude(x[0], x[1])
    parts = logistic(const(0.5) * size, const(0.5) * size_low)
    root, e, near = (parts[0], parts[1]), (parts[2], parts[3]), (parts[4], parts[5])
    share = _product(root_share(root[0], root[1], near[0], near[1]), inverse)
    return e, _either(x[0] < const(0.0), _product(root, share), _product(near, inverse)), share


class _Logistic:
    name = "aft_logistic"

    @staticmethod
    def definition(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
        a, b = (log(target) - prediction) / scale, (log(upper) - prediction) / scale
        between = -log1mexp((log(upper) - log(target)) / scale)
        return (
            log1p(exp(-b)),
            log1p(exp(a)),
            where(upper > target, between, log(scale * target)),
        )

    formula = staticmethod(_logistic)


# ---- extreme value


def _extreme(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
    lower, higher, gap, unit, inverse = _ends(prediction, target, upper, scale)
    zero, one, seen = const(0.0), const(1.0), target == upper
    # d = exp(b) - exp(a) = exp(b) (1 - exp(a - b)); beyond the ends exp(-d) is 0 or 1 - d
    _, power, rest, rest_low = exponential(-gap[0], -gap[1])
    share = complement(power, rest, rest_low)
    much, little = higher[0] > const(60.0), higher[0] < const(-40.0)
    top = two_exp_fine(where(much, const(60.0), higher[0]), where(much, zero, higher[1]))
    d = _product(top, share)
    raised, power, rest, rest_low = exponential(-d[0], -d[1])
    fall = complement(power, rest, rest_low)
    # d / (1 - exp(-d)) less 1, and with the exponential d / (exp(d) - 1)
    excess = two_log_excess(fall[0], fall[1], d[0], d[1])
    m, m_low = normalized(one, rest)
    mean = _product((m, m_low + rest_low), _sum(excess, (one, zero)))
    mean = _product(mean, inverse)
    high = mean[0] * raised, mean[1] * raised
    mean = lowered(high[0]), lowered(high[1])
    # by the prediction
    square = _product(inverse, inverse)
    a = _exponential(lower, (one, zero))
    slope = _sum(mean, _negative(_exponential(lower, inverse)))
    bend = _exponential(higher, (const(0.5) * square[0], const(0.5) * square[1]))
    faint = mean[0] < const(2.0**-40)  # lowered last
    part = _product(_either(faint, high, mean), _product(excess, inverse))
    part = _either(faint, (lowered(part[0]), lowered(part[1])), part)
    bend = _either(little, _product(bend, share), part)
    curve = _sum(_exponential(lower, square), bend)
    # the value: log(1 - exp(-d)) is b + log(1 - exp(a - b)) where d is small
    x = _either(little, share, fall)
    log_fall = two_log_fine(where(seen, one, x[0]), where(seen, zero, x[1]))
    value = _sum(a, _negative(log_fall))
    linear = (seen & (a[0] < const(inf))) | little  # the exponential wins
    value = _sum(value, _either(linear, _negative(higher), (zero, zero)))
    value = _sum(value, _either(seen, unit, (zero, zero)))
    return _results(
        value[0] + value[1], slope[0] + slope[1], curve[0] + curve[1],
        prediction, target, upper, _least(prediction, scale),
    )  # fmt: skip


def _exponential(x: Any, factor: Any) -> Any:
    """A factor times the exponential."""
    low = where(abs(x[0]) < const(2.0**11), x[1], const(0.0))  # beyond it is 0 or infinite
    return two_exp_product(x[0], factor[0], fma(factor[0], low, factor[1]))


class _Extreme:
    name = "aft_extreme"

    @staticmethod
    def definition(prediction: Any, target: Any, upper: Any, scale: Any) -> Any:
        a, b = (log(target) - prediction) / scale, (log(upper) - prediction) / scale
        between = where(upper < inf, -log1mexp(exp(b) - exp(a)), const(0.0))
        seen = exp(a), -a, log(scale * target)
        return either_terms(upper > target, (exp(a), between, const(0.0)), seen)

    formula = staticmethod(_extreme)


_DISTRIBUTIONS = {"normal": _Normal, "logistic": _Logistic, "extreme": _Extreme}
