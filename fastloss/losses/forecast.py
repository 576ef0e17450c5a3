"""Scores of forecasts of one number: its distribution, an interval, quantiles or a sample."""

from __future__ import annotations

from typing import Any

from .._loss import MapLoss, RowLoss
from .._parameters import choice, fraction, fractions
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    inf,
    lowered,
    maximum,
    normal_density,
    normal_interval,
    sqrt,
    two_difference,
    two_exp_fine,
    two_exp_product,
    two_log_fine,
    two_normal_raised,
    two_product,
    two_sum,
    where,
)
from ._exponentials import times_square
from ._location_scale import (
    LocationScale,
    lift,
    raised_inverse,
    residual,
    standardize,
)
from ._two_words import magnitude, scaled, times
from .regression import pinball

__all__ = ["CrpsEnsemble", "CrpsGaussian", "IntervalScore", "MultiQuantile"]


class CrpsGaussian(LocationScale):
    """Continuous ranked probability score of a Gaussian, s (z (2Φ(z) - 1) + 2φ(z) - 1/√π).

    Here z = (target - prediction) / s with a scale s, and Φ and φ are the standard normal
    distribution function and density. The ulp is that of the largest term, as the terms may cancel.

    Use it for a mean and a scale in the unit of the target: far off it grows like the absolute
    error, so that outliers rule neither.

    Avoid it where the likelihood itself matters, or the probabilities of rare events.

    Parameters
    ----------
    scale_is : {"log_scale", "scale"}
        What is predicted beside the location, given by this name.
    hessian : {"exact", "fisher"}
        The second derivatives, of which that by log_scale may be negative; or what is expected of
        them where the prediction is right.

    See Also
    --------
    GaussianNll : the likelihood of the same distribution.
    CrpsEnsemble : of a sample instead of a distribution.

    Notes
    -----
    T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation (2007).
    """

    name = "crps_gaussian"
    smooth = True
    elicits = ""
    ulps = {"float32": (2, 2, 2), "float64": (2, 2, 2)}
    scale_is: str = choice("log_scale", "scale")
    hessian: str = choice("exact", "fisher")

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.scale_is == "scale"

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        if self.hessian == "fisher":
            return "positive"
        return "any" if self.scale_is == "log_scale" else "nonnegative"

    @property
    def scalars(self) -> Any:
        return _CRPS[self.scale_is, self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()


class IntervalScore(MapLoss):
    """Interval score, (u - l) + 2/alpha (distance of the target from [l, u]) (Winkler, 1972).

    The prediction is the lower end l; the upper end u is given as ``upper``. The best ends are the
    quantiles alpha / 2 and 1 - alpha / 2.

    Use it to learn or compare intervals that hold a share of the targets.

    Avoid it where ends are trained with Newton's method: its Hessian is 0. And nothing keeps the
    ends from crossing.

    Parameters
    ----------
    alpha : float
        The probability that targets lie outside, between 0 and 1.

    See Also
    --------
    Quantile : for one end alone.
    MultiQuantile : for several quantiles at once.
    GaussianNll : for a mean and a variance instead.
    """

    name = "interval_score"
    inputs = ("prediction", "target", "upper")
    differentiated = ("prediction", "upper")
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = "quantile"
    proper = True
    kinks = "prediction = target and upper = target: gradient 0 by that end"
    ulps = {"float32": (2, 0, 0), "float64": (2, 0, 0)}
    alpha: float = fraction(0.1, examples=(0.5,))

    def kernel_parameters(self) -> tuple[float, ...]:
        return (2 / self.alpha - 1,)

    @staticmethod
    def definition(prediction: Any, upper: Any, target: Any, slope: Any) -> Any:
        outside = maximum(prediction - target, 0) + maximum(target - upper, 0)
        return (upper - prediction) + (1 + slope) * outside

    @staticmethod
    def formula(prediction: Any, upper: Any, target: Any, slope: Any) -> Any:
        # the width is the target's distance from both ends, which no large terms cancel in
        above = prediction - target
        below = target - upper
        value = _of_end(above, slope) + _of_end(below, slope)
        grads = _slope_of_end(above, slope), -_slope_of_end(below, slope)
        return value, grads, (flat(above), flat(below))


def _of_end(beyond: Any, slope: Any) -> Any:
    return where(beyond > const(0.0), slope, const(-1.0)) * beyond


def _slope_of_end(beyond: Any, slope: Any) -> Any:
    zero = const(0.0)
    return where(beyond > zero, slope, where(beyond < zero, const(-1.0), beyond))


# ---- continuous ranked probability score


def _crps(z: Any, z_low: Any) -> Any:
    """Of a scale of 1, in two words each: the score, its derivatives and z² φ raised.

    The derivative by the location has one word.
    """
    size, size_low = magnitude(z, z_low)
    density, density_low, tail, tail_low = two_normal_raised(z, z_low)
    far = size > const(64.0)  # where φ is 0
    near, near_low = where(far, const(0.0), size), where(far, const(0.0), size_low)
    once, once_low = times(density, density_low, near, near_low)
    bend, bend_low = times(once, once_low, near, near_low)
    # 1 / √π, of which the first part is exact
    slope, slope_low = two_sum(const(-0.564189612865448), const(2.0) * lowered(density))
    slope_low = slope_low + (const(2.0) * lowered(density_low) - const(-2.9317691711098796e-08))
    # a (2 Φ(a) - 1) is a - 2 a Φ(-a)
    both, both_low = times(near, near_low, lowered(tail), lowered(tail_low))
    less, less_low = two_sum(slope, const(-2.0) * both)
    total, total_low = two_sum(size, less)
    total_low = total_low + ((less_low - const(2.0) * both_low) + (slope_low + size_low))
    by_location = normal_interval(z, z_low)
    return (total, total_low), by_location, (slope, slope_low), (bend, bend_low)


def _crps_curves(z: Any, z_low: Any, log_scale: Any, log_scale_low: Any) -> tuple[Any, Any]:
    """2φ(z) over the scale, and z² times that: φ may be 0 where its ratio to the scale is not."""
    zero = const(0.0)
    size, size_low = magnitude(z, z_low)
    far = size > const(64.0)
    near, near_low = where(far, zero, size), where(far, zero, size_low)
    square, square_low = times(near, near_low, near, near_low)
    half, low = two_sum(const(-0.25) * square, const(-0.5) * log_scale)
    low = low + (const(-0.25) * square_low + const(-0.5) * log_scale_low)
    root, root_low = two_exp_fine(half, where(abs(half) < const(inf), low, zero))
    factor = const(0.7978845608028654)
    by_location = where(far, zero, times_square(factor, root, root_low))
    by_scale = times_square(factor, *times(near, near_low, root, root_low))
    return by_location, where(near == zero, near, by_scale)


def _crps_log_scale(prediction: Any, log_scale: Any, target: Any) -> Any:
    r, r_low, unit = residual(prediction, target)
    z, z_low, _, _ = standardize(r, r_low, unit, log_scale)
    # φ multiplies errors of z by its square
    root = two_exp_fine(const(-0.5) * log_scale)
    lifted, lifted_low, down = lift(r, r_low, unit)
    fine, fine_low = times(lifted, lifted_low, root[0], root[1])
    fine, fine_low = times(fine, fine_low, root[0], root[1])
    fine, fine_low = scaled(fine, fine_low, down)
    regular = (root[0] > const(0.0)) & (root[0] < const(inf))
    z, z_low = where(regular, fine, z), where(regular, fine_low, z_low)
    total, grad, slope, bend = _crps(z, z_low)
    value, value_low = two_exp_product(log_scale, total[0], total[1])
    value = where(abs(z) > const(2.0**60), abs(r) * unit, value + value_low)
    by_scale, by_scale_low = two_exp_product(log_scale, slope[0], slope[1])
    curve, curve_low = two_sum(slope[0], const(2.0) * lowered(bend[0]))
    curve_low = curve_low + (const(2.0) * lowered(bend[1]) + slope[1])
    curve, curve_low = two_exp_product(log_scale, curve, curve_low)
    hess, _ = _crps_curves(z, z_low, log_scale, const(0.0))
    return value, (grad, by_scale + by_scale_low), (hess, curve + curve_low)


def _crps_terms(distance: Any, scale: Any) -> Any:
    z = distance / scale
    bell = normal_density(const(0.0)) * sqrt(const(2.0))
    return distance * normal_interval(z), 2 * scale * normal_density(z), -scale * bell


class _Crps:
    name = "crps_gaussian"

    @staticmethod
    def definition(prediction: Any, log_scale: Any, target: Any) -> Any:
        return _crps_terms(target - prediction, exp(log_scale))

    formula = staticmethod(_crps_log_scale)


class _CrpsFisher(_Crps):
    name = "crps_gaussian_fisher"

    @staticmethod
    def curvature(prediction: Any, log_scale: Any, target: Any) -> Any:
        bell = normal_density(const(0.0)) * sqrt(const(2.0))
        return bell * exp(-log_scale), bell * exp(log_scale) / 2

    @staticmethod
    def formula(prediction: Any, log_scale: Any, target: Any) -> Any:
        value, grad, _ = _crps_log_scale(prediction, log_scale, target)
        curve, curve_low = two_exp_product(-log_scale, const(0.5641895835477563))
        bend, bend_low = two_exp_product(log_scale, const(0.28209479177387814))
        return value, grad, (curve + (curve_low + flat(prediction - target)), bend + bend_low)


def _crps_scale(prediction: Any, scale: Any, target: Any) -> Any:
    r, r_low, unit = residual(prediction, target)
    up, inverse, inverse_low = raised_inverse(scale)
    lifted, lifted_low, down = lift(r, r_low, unit)
    z, z_low = times(lifted, lifted_low, inverse, inverse_low)
    z, z_low = scaled(z, z_low, down * up)
    total, grad, slope, _ = _crps(z, z_low)
    value, value_low = times(total[0], total[1], scale * up, const(0.0))
    value = where(abs(z) > const(2.0**60), abs(r) * unit, (value + value_low) / up)
    log_scale, log_scale_low = two_log_fine(scale)
    return (
        value,
        (grad, slope[0] + slope[1]),
        _crps_curves(z, z_low, log_scale, log_scale_low),
    )


class _CrpsScale:
    name = "crps_gaussian_scale"

    @staticmethod
    def definition(prediction: Any, scale: Any, target: Any) -> Any:
        return _crps_terms(target - prediction, scale)

    formula = staticmethod(_crps_scale)


class _CrpsScaleFisher(_CrpsScale):
    name = "crps_gaussian_scale_fisher"

    @staticmethod
    def curvature(prediction: Any, scale: Any, target: Any) -> Any:
        bell = normal_density(const(0.0)) * sqrt(const(2.0))
        return bell / scale, bell / scale / 2

    @staticmethod
    def formula(prediction: Any, scale: Any, target: Any) -> Any:
        value, grad, _ = _crps_scale(prediction, scale, target)
        curve, bend = const(0.5641895835477563) / scale, const(0.28209479177387814) / scale
        return value, grad, (curve + flat(prediction - target), bend)


_CRPS: dict[tuple[str, str], Any] = {
    ("log_scale", "exact"): _Crps,
    ("log_scale", "fisher"): _CrpsFisher,
    ("scale", "exact"): _CrpsScale,
    ("scale", "fisher"): _CrpsScaleFisher,
}


# ---- quantiles and samples


class _Forecast(RowLoss):
    """Targets are one number a row, of shape prediction.shape[:-1]."""

    takes_labels = False
    takes_distributions = False
    takes_numbers = True
    reference = "number"


class MultiQuantile(_Forecast):
    """Quantile losses of several levels, summed: one column of predictions for each level.

    Targets are numbers of shape prediction.shape[:-1]. The gradient of a column is that of
    ``Quantile`` with its level.

    Use it for several quantiles by one model: intervals, or a distribution by many levels.

    Avoid it where columns must not cross, which it does not see to: sort each row afterwards; and
    with Newton steps and boosting, as its Hessian is 0.

    Parameters
    ----------
    quantiles : sequence of float
        The level of each column, between 0 and 1.

    See Also
    --------
    Quantile : of one level.
    CrpsEnsemble : of members without levels; for M sorted ones it is 2 / M times this with the
        levels (j - ½) / M.
    """

    name = "multi_quantile"
    encoding = "columns"
    fit_sums = 1
    coefficients = 1
    optimum = "quantile"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = "quantile"
    proper = False
    kinks = "prediction = target: gradient 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    quantiles: tuple[float, ...] = fractions((0.1, 0.5, 0.9))

    @property
    def columns(self) -> tuple[float, ...]:
        return self.quantiles

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    @staticmethod
    def definition(predictions: Any, number: Any, levels: Any) -> Any:
        residuals = (p - number for p in predictions)
        pairs = zip(residuals, levels, strict=True)
        return sum(where(r > 0, (1 - q) * r, -q * r) for r, q in pairs)

    @staticmethod
    def term(prediction: Any, number: Any) -> Any:
        return prediction, ()

    @staticmethod
    def fit(prediction: Any, level: Any, number: Any) -> Any:
        return ((pinball(prediction, number, level)[0], const(0.0)),)

    @staticmethod
    def finish(number: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return fits[0][0] + fits[0][1], (number,)

    @staticmethod
    def emit(kept: Any, level: Any, row: Any) -> Any:
        _, grad, hess = pinball(kept, row[0], level)
        return grad, hess


class CrpsEnsemble(_Forecast):
    """Continuous ranked probability score of an ensemble: mean |x - y| - ½ mean |x - x'|.

    The members x of an ensemble lie on the last axis; y is the target, one number each. Takes
    O(M log M) for M members (Gneiting and Raftery, 2007; Zamo and Naveau, 2018).

    Use it for forecasts by samples, such as those of weather models and generators: it wants them
    near the target and as wide as it is uncertain, in the target's unit. Of one member it is the
    absolute error.

    Avoid it where several numbers are forecast whose dependence matters, as each is scored alone;
    and with Newton steps and boosting, as its Hessian is 0.

    Parameters
    ----------
    estimator : {"nrg", "fair"}
        Over how many pairs the second mean goes: all M², which favours large ensembles, or the
        M (M - 1) of different members, which needs two and expects for each size what the
        distribution itself would have that members are drawn from (Ferro, 2014).

    See Also
    --------
    MultiQuantile : of columns with levels.
    AbsoluteError : of one number.
    """

    name = "crps_ensemble"
    encoding = "ranks"
    fit_sums = 2
    coefficients = 2
    optimum = "none"
    convex = False
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    kinks = "member = target: gradient 0; members equal to one another: the mean of both sides"
    ulps = {"float32": (2, 1.5, 0), "float64": (2, 1.5, 0)}
    estimator: str = choice("nrg", "fair")

    @property
    def least_classes(self) -> int:  # type: ignore[override]
        return 2 if self.estimator == "fair" else 1

    def kernel_parameters(self) -> tuple[float, ...]:
        return (1.0 if self.estimator == "fair" else 0.0,)

    @staticmethod
    def definition(predictions: Any, number: Any, fair: Any) -> Any:
        members = len(predictions)
        gaps = sum(abs(a - b) for a in predictions for b in predictions)
        distance = sum(abs(x - number) for x in predictions)
        return distance / members - gaps / (2 * members * (members - fair))

    # Targets of the members are their ranks r, counted from outside: of how many pairs with each
    # other half the distance has been taken away. With e = 1 for the fair estimator a member adds
    # (r - e) |x - y|, which is never negative.

    @staticmethod
    def term(prediction: Any, number: Any, fair: Any) -> Any:
        return prediction, ()

    @staticmethod
    def fit(prediction: Any, rank: Any, number: Any, fair: Any) -> Any:
        # a sum may overflow where the mean does not
        far = abs(prediction - number) > const(2.0**64)
        scale = where(far, const(2.0**-64), const(1.0))
        d, d_low = two_difference(prediction * scale, number * scale)
        count = rank - fair
        product, low = two_product(count, d)
        low = low + count * d_low
        zero = const(0.0)
        none = count == zero
        size = where(none, zero, abs(product))
        size_low = where(none, zero, where(d < zero, -low, low))
        near = where(far, zero, size), where(far, zero, size_low)
        return near, (where(far, size, zero), where(far, size_low, zero))

    @staticmethod
    def finish(number: Any, ties: Any, terms: Any, fits: Any, classes: Any, fair: Any) -> Any:
        near, near_low = fits[0]
        any_far = fits[1][0] > const(0.0)
        scale = where(any_far, const(2.0**-64), const(1.0))
        total, low = two_sum(fits[1][0], near * scale)
        low = low + (fits[1][1] + near_low * scale)
        total = where(low - low == const(0.0), total + low, total)
        pairs = classes * (classes - fair)
        value = total / pairs * where(any_far, const(2.0**64), const(1.0))
        return value, (number + flat(value), pairs)

    @staticmethod
    def emit(kept: Any, rank: Any, row: Any, fair: Any) -> Any:
        number, pairs = row[0], row[1]
        below = where(kept < number, fair - rank, const(0.0))
        slope = where(kept > number, rank - fair, below)
        return slope / pairs + flat(kept - number), flat(kept - number)
