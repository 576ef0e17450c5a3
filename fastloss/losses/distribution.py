"""Likelihoods of a predicted distribution: a location and a scale."""

from __future__ import annotations

import math
from typing import Any

from .._parameters import choice, finite_positive, flag
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    fma,
    inf,
    log,
    sign,
    sqrt,
    two_exp_product,
    two_inverse,
    two_log,
    two_sum,
    where,
)
from ._location_scale import (
    LocationScale,
    inverse_square,
    lift,
    raised_inverse,
    residual,
    standardize,
)
from ._two_words import half_square, inverse_of, magnitude, plus_one, scaled, times

__all__ = ["GaussianNll", "LaplaceNll", "StudentTNll"]


class GaussianNll(LocationScale):
    """Gaussian negative log-likelihood, ½ log v + ½ (prediction - target)² / v with a variance v.

    The ulp is that of the largest term, as the terms may cancel.

    Use it for a mean together with how far targets scatter around it.

    Avoid it where targets have outliers: they pull the mean, and the variance more. And do not
    train both from the start where the variance can explain errors of the mean away.

    Parameters
    ----------
    scale_is : {"log_variance", "log_scale", "variance"}
        What is predicted beside the mean, given by this name; the scale is √v.
    full : bool
        Add ½ log 2π, which makes it the whole log-likelihood.
    hessian : {"exact", "fisher"}
        The second derivatives, of which those by the variance may be negative; or what is expected
        of them where the prediction is right.

    See Also
    --------
    StudentTNll : hardly moved by outliers.
    LaplaceNll : for the median and a scale.
    SquaredError : the same mean where all scatter alike.
    """

    name = "gaussian_nll"
    smooth = True
    elicits = "mean"
    ulps = {"float32": (2, 2, 2), "float64": (2, 2, 2)}
    scale_is: str = choice("log_variance", "log_scale", "variance")
    full: bool = flag(False)
    hessian: str = choice("exact", "fisher")

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        if self.hessian == "fisher":
            return "positive"
        return "any" if self.scale_is == "variance" else "nonnegative"

    @property
    def scalars(self) -> Any:
        return _GAUSSIAN[self.scale_is == "variance", self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        constant = math.log(2 * math.pi) / 2 if self.full else 0.0
        factors = {"log_variance": (0.5,), "log_scale": (1.0,), "variance": ()}
        return *factors[self.scale_is], constant


class LaplaceNll(LocationScale):
    """Laplace negative log-likelihood, log s + |prediction - target| / s with a scale s.

    The ulp is that of the largest term, as the terms may cancel.

    Use it for a median together with a scale, where tails are heavier than a Gaussian's.

    Avoid it for Newton's method with exact Hessians: that by the prediction is 0.

    Parameters
    ----------
    scale_is : {"log_scale", "scale"}
        What is predicted beside the location, given by this name.
    full : bool
        Add log 2, which makes it the whole log-likelihood.
    hessian : {"exact", "fisher"}
        The second derivatives, of which that by the prediction is 0 and that by the scale may be
        negative; or the expected products of first derivatives where the prediction is right.

    See Also
    --------
    GaussianNll : for the mean and a variance.
    StudentTNll : for still heavier tails.
    AbsoluteError : the same median where all scatter alike.
    """

    name = "laplace_nll"
    smooth = False
    elicits = "median"
    kinks = "prediction = target: gradient 0 by the prediction"
    ulps = {"float32": (2, 2, 2.5), "float64": (2, 2, 2.5)}
    scale_is: str = choice("log_scale", "scale")
    full: bool = flag(False)
    hessian: str = choice("exact", "fisher")

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        if self.hessian == "fisher":
            return "positive"
        return "any" if self.scale_is == "scale" else "nonnegative"

    @property
    def scalars(self) -> Any:
        return _LAPLACE[self.scale_is, self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        return (math.log(2.0) if self.full else 0.0,)


class StudentTNll(LocationScale):
    """Student's t negative log-likelihood, log s + ½ (n + 1) log(1 + r² / (n s²)) with a scale s.

    Here r = prediction - target, and n are the degrees of freedom. The ulp is that of the largest
    term, as the terms may cancel.

    Use it for a location and a scale where some targets lie far off, which it all but ignores.

    Avoid it from a poor start, as it is convex in neither; and where the mean of skewed targets is
    wanted.

    Parameters
    ----------
    degrees_of_freedom : float
        How many, above 0 and finite: few make tails heavy.
    scale_is : {"log_scale", "scale"}
        What is predicted beside the location, given by this name.
    full : bool
        Add log Γ(n / 2) - log Γ((n + 1) / 2) + ½ log(n π), which makes it the whole log-likelihood.
    hessian : {"exact", "fisher"}
        The second derivatives, which may be negative; or what is expected of them where the
        prediction is right.

    See Also
    --------
    GaussianNll : its limit for many degrees of freedom.
    LaplaceNll : between both.
    Cauchy : with one degree of freedom, where all scatter alike.
    """

    name = "student_t_nll"
    smooth = True
    elicits = ""
    ulps = {"float32": (2.5, 2, 2.5), "float64": (2.5, 2, 2.5)}
    degrees_of_freedom: float = finite_positive(4.0, examples=(1.0,))
    scale_is: str = choice("log_scale", "scale")
    full: bool = flag(False)
    hessian: str = choice("exact", "fisher")

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.hessian == "fisher" else "any"

    @property
    def scalars(self) -> Any:
        return _STUDENT_T[self.scale_is, self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        n = self.degrees_of_freedom
        constant = math.lgamma(n / 2) - math.lgamma((n + 1) / 2) + math.log(n * math.pi) / 2
        return n, constant if self.full else 0.0


# ---- Gaussian


def _gaussian(prediction: Any, logarithm: Any, target: Any, factor: Any, constant: Any) -> Any:
    log_scale = factor * logarithm
    r, r_low, unit = residual(prediction, target)
    z, z_low, slope, slope_low = standardize(r, r_low, unit, log_scale)
    energy, energy_low = half_square(z, z_low)
    total = energy + energy_low
    value = where(total == const(inf), total, log_scale + constant + total)
    twice = const(2.0) * factor
    grad = fma(-twice, energy, factor) - twice * energy_low
    # a square of its own, as the energy may be subnormal
    hess, hess_low = half_square(twice * z, twice * z_low)
    precision, precision_low = inverse_square(log_scale)
    hesses = precision + (precision_low + flat(r)), hess + hess_low
    return value, (slope + slope_low, grad), hesses


class _Gaussian:
    name = "gaussian_nll"

    @staticmethod
    def definition(prediction: Any, logarithm: Any, target: Any, factor: Any, constant: Any) -> Any:
        r = prediction - target
        return factor * logarithm, r**2 * exp(-2 * factor * logarithm) / 2, constant

    formula = staticmethod(_gaussian)


class _GaussianFisher(_Gaussian):
    name = "gaussian_nll_fisher"

    @staticmethod
    def curvature(prediction: Any, logarithm: Any, target: Any, factor: Any, constant: Any) -> Any:
        return exp(-2 * factor * logarithm), 2 * factor**2

    @staticmethod
    def formula(prediction: Any, logarithm: Any, target: Any, factor: Any, constant: Any) -> Any:
        value, grad, hess = _gaussian(prediction, logarithm, target, factor, constant)
        return value, grad, (hess[0], const(2.0) * factor * factor + flat(logarithm))


def _gaussian_variance(prediction: Any, variance: Any, target: Any, constant: Any) -> Any:
    r, r_low, unit = residual(prediction, target)
    up, inverse, inverse_low = raised_inverse(variance)
    # what lowers comes first, what raises comes last
    down = where(up < const(1.0), up, const(1.0))
    post = where(up > const(1.0), up, const(1.0))
    ratio, ratio_low = times(r, r_low, inverse, inverse_low)
    ratio, ratio_low = scaled(ratio, ratio_low, down * unit)
    half, half_low = times(const(0.5) * r, const(0.5) * r_low, ratio, ratio_low)
    energy, energy_low = scaled(half, half_low, post * unit)
    log_variance, log_low = two_log(variance)
    value = fma(const(0.5), log_variance, energy + fma(const(0.5), log_low, energy_low))
    # (½ - energy) / v and 2 (energy - ¼) / v²; a large energy may overflow
    large = energy > const(2.0**60)
    rest, rest_low = two_sum(const(0.5), -energy)
    excess, excess_low = two_sum(energy, const(-0.25))
    first = where(large, const(-0.5) * ratio, rest)
    first_low = where(large, const(-0.5) * ratio_low, rest_low - energy_low)
    last, last_low = where(large, ratio, inverse), where(large, ratio_low, inverse_low)
    twice = where(large, ratio, const(2.0) * excess)
    twice_low = where(large, ratio_low, const(2.0) * (excess_low + energy_low))
    once = where(large, post, up)
    again = where(large, post, const(1.0))
    grad, grad_low = times(first, first_low, last, last_low)
    curve, curve_low = times(twice, twice_low, inverse, inverse_low)
    curve, curve_low = scaled(curve, curve_low, down)
    hess, hess_low = times(curve, curve_low, last, last_low)
    grads = (ratio + ratio_low) * post, (grad + grad_low) * once * again
    hesses = inverse * up + flat(r), (hess + hess_low) * post * once * again
    return value + constant, grads, hesses


class _GaussianVariance:
    name = "gaussian_nll_variance"

    @staticmethod
    def definition(prediction: Any, variance: Any, target: Any, constant: Any) -> Any:
        r = prediction - target
        return log(variance) / 2, r**2 / variance / 2, constant

    formula = staticmethod(_gaussian_variance)


class _GaussianVarianceFisher(_GaussianVariance):
    name = "gaussian_nll_variance_fisher"

    @staticmethod
    def curvature(prediction: Any, variance: Any, target: Any, constant: Any) -> Any:
        return 1 / variance, 1 / (2 * variance**2)

    @staticmethod
    def formula(prediction: Any, variance: Any, target: Any, constant: Any) -> Any:
        value, grad, hess = _gaussian_variance(prediction, variance, target, constant)
        return value, grad, (hess[0], const(0.5) / variance / variance)


_GAUSSIAN: dict[tuple[bool, str], Any] = {
    (False, "exact"): _Gaussian,
    (False, "fisher"): _GaussianFisher,
    (True, "exact"): _GaussianVariance,
    (True, "fisher"): _GaussianVarianceFisher,
}


# ---- Laplace


def _laplace(prediction: Any, log_scale: Any, target: Any, constant: Any) -> Any:
    r, r_low, unit = residual(prediction, target)
    z, z_low, _, _ = standardize(r, r_low, unit, log_scale)
    size, size_low = magnitude(z, z_low)
    distance = size + size_low
    value = where(distance == const(inf), distance, log_scale + constant + distance)
    slope, slope_low = two_exp_product(-log_scale, sign(r))
    grad = (const(1.0) - size) - size_low
    return value, (slope + slope_low, grad), (flat(r), distance)


class _Laplace:
    name = "laplace_nll"

    @staticmethod
    def definition(prediction: Any, log_scale: Any, target: Any, constant: Any) -> Any:
        return log_scale, abs(prediction - target) * exp(-log_scale), constant

    formula = staticmethod(_laplace)


class _LaplaceFisher(_Laplace):
    name = "laplace_nll_fisher"

    @staticmethod
    def curvature(prediction: Any, log_scale: Any, target: Any, constant: Any) -> Any:
        return exp(-2 * log_scale), const(1.0)

    @staticmethod
    def formula(prediction: Any, log_scale: Any, target: Any, constant: Any) -> Any:
        value, grad, _ = _laplace(prediction, log_scale, target, constant)
        precision, precision_low = inverse_square(log_scale)
        curve = precision + (precision_low + flat(prediction - target))
        return value, grad, (curve, const(1.0) + flat(log_scale))


def _laplace_scale(prediction: Any, scale: Any, target: Any, constant: Any) -> Any:
    r, r_low, unit = residual(prediction, target)
    up, inverse, inverse_low = raised_inverse(scale)
    size, size_low = magnitude(r, r_low)
    z, z_low = times(size, size_low, inverse, inverse_low)
    z, z_low = scaled(z, z_low, up * unit)
    log_scale, log_low = two_log(scale)
    value = log_scale + (z + (z_low + log_low)) + constant
    rest, rest_low = two_sum(const(1.0), -z)
    grad, grad_low = times(rest, rest_low - z_low, inverse, inverse_low)
    excess, excess_low = two_sum(z, const(-0.5))
    curve, curve_low = times(excess, excess_low + z_low, inverse, inverse_low)
    hess, hess_low = times(curve, curve_low, inverse, inverse_low)
    grads = sign(r) * inverse * up, (grad + grad_low) * up
    return value, grads, (flat(r), const(2.0) * (hess + hess_low) * up * up)


class _LaplaceScale:
    name = "laplace_nll_scale"

    @staticmethod
    def definition(prediction: Any, scale: Any, target: Any, constant: Any) -> Any:
        return log(scale), abs(prediction - target) / scale, constant

    formula = staticmethod(_laplace_scale)


class _LaplaceScaleFisher(_LaplaceScale):
    name = "laplace_nll_scale_fisher"

    @staticmethod
    def curvature(prediction: Any, scale: Any, target: Any, constant: Any) -> Any:
        return 1 / scale**2, 1 / scale**2

    @staticmethod
    def formula(prediction: Any, scale: Any, target: Any, constant: Any) -> Any:
        value, grad, _ = _laplace_scale(prediction, scale, target, constant)
        precision = const(1.0) / scale / scale
        return value, grad, (precision + flat(prediction - target), precision)


_LAPLACE: dict[tuple[str, str], Any] = {
    ("log_scale", "exact"): _Laplace,
    ("log_scale", "fisher"): _LaplaceFisher,
    ("scale", "exact"): _LaplaceScale,
    ("scale", "fisher"): _LaplaceScaleFisher,
}


# ---- Student's t


def _student_t(
    n: Any, r: Any, r_low: Any, unit: Any, z: Any, z_low: Any, slope: Any, slope_low: Any,
    precision: Any, precision_low: Any, up: Any, log_scale: Any,
) -> Any:  # fmt: skip
    """What does not depend on how the scale is predicted.

    It takes a residual in its unit; over the scale and, times up, over its square; times up twice,
    one over the square: each in two words. It gives the value less log_scale, divided by a power of
    two as it may overflow, and that power; the derivatives by the prediction; the derivative by
    log_scale and what its own derivative is, in two words each.
    """
    one, half = const(1.0), const(0.5)
    more, more_low = two_sum(n, one)
    root = sqrt(n)
    inverse_root, inverse_root_low = two_inverse(root, half * fma(-root, root, n) / root)
    inverse_n, inverse_n_low = two_inverse(n, const(0.0))
    shrink = where(abs(r) > const(2.0**64), const(2.0**-64), one)
    inverse_r, inverse_r_low = two_inverse(r * shrink, r_low * shrink)
    inverse_r_low = where(abs(r) < const(inf), inverse_r_low, const(0.0))
    z, z_low = magnitude(z, z_low)
    y, y_low = times(z, z_low, inverse_root, inverse_root_low)
    far = y > one
    inverse_y, inverse_y_low = inverse_of(y, y_low)
    g, g_low = where(far, inverse_y, y), where(far, inverse_y_low, y_low)
    t, t_low = times(g, g_low, g, g_low)  # y² or its inverse, at most 1
    d, d_low = two_inverse(*plus_one(t, t_low))
    # log(1 + y²) is 2 log y where y is huge; where y overflows, that of the residual helps
    huge, infinite = y > const(2.0**50), y == const(inf)
    tiny = abs(r) < const(2.0**-64)
    size, size_low = scaled(*magnitude(r, r_low), where(tiny, const(2.0**64), one))
    size, size_low = times(size, size_low, inverse_root, inverse_root_low)
    y, y_low = where(infinite, size, y), where(infinite, size_low, y_low)
    square, square_low = times(y, y_low, y, y_low)
    total, total_low = two_sum(one, square)
    total_low = total_low + square_low
    logarithm, logarithm_low = two_log(where(huge, y, total), where(huge, y_low, total_low))
    logarithm = logarithm + logarithm_low
    log_unit = where(unit > one, const(0.6931471805599453), const(0.0))
    log_unit = where(tiny, const(-44.3614195558365), log_unit)
    # which log_scale may take back
    up_log = where(infinite, const(2.0**10), one)
    logarithm = where(infinite, (logarithm + log_unit - log_scale) * const(2.0**-10), logarithm)
    logarithm = where(huge, const(2.0) * logarithm, logarithm)
    energy, energy_low = times(half * more, half * more_low, logarithm, const(0.0))
    energy = energy + energy_low, up_log
    # by the prediction: more d slope / n, or where far more d / r
    share, share_low = times(more, more_low, d, d_low)
    part, part_low = times(share, share_low, inverse_n, inverse_n_low)
    grad, grad_low = times(
        where(far, share, part), where(far, share_low, part_low),
        where(far, inverse_r, slope), where(far, inverse_r_low, slope_low),
    )  # fmt: skip
    rest, rest_low = two_sum(one, -t)
    both, both_low = times(share, share_low, d, d_low)
    curve, curve_low = times(both, both_low, rest, rest_low - t_low)
    first, first_low = where(far, inverse_r, precision), where(far, inverse_r_low, precision_low)
    last, last_low = where(far, -inverse_r, inverse_n), where(far, -inverse_r_low, inverse_n_low)
    flat_curve = curve + curve_low == const(0.0)  # what it multiplies may overflow
    curve, curve_low = times(curve, curve_low, first, first_low)
    curve, curve_low = times(curve, curve_low, last, last_low)
    # by log_scale: 1 - more p with p = y² / (1 + y²), and 2 more p (1 - p)
    near, near_low = times(share, share_low, t, t_low)
    taken, taken_low = where(far, share, near), where(far, share_low, near_low)
    rest, rest_low = two_sum(one, -taken)
    bend, bend_low = times(const(2.0) * both, const(2.0) * both_low, g, g_low)
    bend, bend_low = times(bend, bend_low, g, g_low)
    up = where(far, shrink / unit, up)
    hess = where(flat_curve, const(0.0), (curve + curve_low) * up * up)
    by_prediction = (grad + grad_low) * up, hess
    return energy, by_prediction, (rest, rest_low - taken_low), (bend, bend_low)


def _student_t_log_scale(
    prediction: Any, log_scale: Any, target: Any, n: Any, constant: Any
) -> Any:
    r, r_low, unit = residual(prediction, target)
    z, z_low, slope, slope_low = standardize(r, r_low, unit, log_scale)
    precision, precision_low = inverse_square(log_scale)
    energy, by_prediction, rest, bend = _student_t(
        n,
        r,
        r_low,
        unit,
        z,
        z_low,
        slope,
        slope_low,
        precision,
        precision_low,
        const(1.0),
        log_scale,
    )
    energy, raised = energy
    lower = const(1.0) / raised
    value = log_scale * lower + constant * lower + energy
    value = where(energy == const(inf), energy, value) * raised
    grads = by_prediction[0], rest[0] + rest[1]
    return value, grads, (by_prediction[1], bend[0] + bend[1])


class _StudentT:
    name = "student_t_nll"

    @staticmethod
    def definition(prediction: Any, log_scale: Any, target: Any, n: Any, constant: Any) -> Any:
        u = (prediction - target) ** 2 * exp(-2 * log_scale) / n
        return log_scale, (n + 1) / 2 * log(1 + u), constant

    formula = staticmethod(_student_t_log_scale)


class _StudentTFisher(_StudentT):
    name = "student_t_nll_fisher"

    @staticmethod
    def curvature(prediction: Any, log_scale: Any, target: Any, n: Any, constant: Any) -> Any:
        return (n + 1) / (n + 3) * exp(-2 * log_scale), 2 * n / (n + 3)

    @staticmethod
    def formula(prediction: Any, log_scale: Any, target: Any, n: Any, constant: Any) -> Any:
        value, grad, _ = _student_t_log_scale(prediction, log_scale, target, n, constant)
        # the share first, as the precision alone may overflow
        part, part_low = two_exp_product(-log_scale, (n + const(1.0)) / (n + const(3.0)))
        curve, curve_low = two_exp_product(-log_scale, part, part_low)
        curve = curve + (curve_low + flat(prediction - target))
        bend = const(2.0) * n / (n + const(3.0)) + flat(log_scale)
        return value, grad, (curve, bend)


def _student_t_scale(prediction: Any, scale: Any, target: Any, n: Any, constant: Any) -> Any:
    r, r_low, unit = residual(prediction, target)
    up, inverse, inverse_low = raised_inverse(scale)
    lifted, lifted_low, down = lift(r, r_low, unit)
    once, once_low = times(lifted, lifted_low, inverse, inverse_low)
    z, z_low = scaled(once, once_low, down * up)
    stays = abs(once) < const(1.0)
    kept, kept_low = where(stays, once, z), where(stays, once_low, z_low)
    slope, slope_low = times(kept, kept_low, inverse, inverse_low)
    slope, slope_low = scaled(slope, slope_low, where(stays, down * up, const(1.0)))
    precision, precision_low = times(inverse, inverse_low, inverse, inverse_low)
    log_scale, log_low = two_log(scale)
    energy, by_prediction, rest, bend = _student_t(
        n,
        r,
        r_low,
        unit,
        z,
        z_low,
        slope,
        slope_low,
        precision,
        precision_low,
        up,
        log_scale + log_low,
    )
    value = log_scale + (energy[0] * energy[1] + log_low) + constant
    grad, grad_low = times(rest[0], rest[1], inverse, inverse_low)
    excess, excess_low = two_sum(bend[0], -rest[0])
    excess_low = excess_low + (bend[1] - rest[1])
    curve, curve_low = times(excess, excess_low, inverse, inverse_low)
    hess, hess_low = times(curve, curve_low, inverse, inverse_low)
    grads = by_prediction[0], (grad + grad_low) * up
    return value, grads, (by_prediction[1], (hess + hess_low) * up * up)


class _StudentTScale:
    name = "student_t_nll_scale"

    @staticmethod
    def definition(prediction: Any, scale: Any, target: Any, n: Any, constant: Any) -> Any:
        u = ((prediction - target) / scale) ** 2 / n
        return log(scale), (n + 1) / 2 * log(1 + u), constant

    formula = staticmethod(_student_t_scale)


class _StudentTScaleFisher(_StudentTScale):
    name = "student_t_nll_scale_fisher"

    @staticmethod
    def curvature(prediction: Any, scale: Any, target: Any, n: Any, constant: Any) -> Any:
        return (n + 1) / (n + 3) / scale**2, 2 * n / (n + 3) / scale**2

    @staticmethod
    def formula(prediction: Any, scale: Any, target: Any, n: Any, constant: Any) -> Any:
        value, grad, _ = _student_t_scale(prediction, scale, target, n, constant)
        share = (n + const(1.0)) / (n + const(3.0))
        curve = share / scale / scale + flat(prediction - target)
        return value, grad, (curve, const(2.0) * n / (n + const(3.0)) / scale / scale)


_STUDENT_T: dict[tuple[str, str], Any] = {
    ("log_scale", "exact"): _StudentT,
    ("log_scale", "fisher"): _StudentTFisher,
    ("scale", "exact"): _StudentTScale,
    ("scale", "fisher"): _StudentTScaleFisher,
}
