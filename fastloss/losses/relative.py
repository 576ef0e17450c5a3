"""Losses of relative errors: of a real prediction and a real target, measured by their size."""

from __future__ import annotations

from typing import Any

from .._domains import ABOVE_MINUS_ONE, Domain
from .._loss import MapLoss
from .._parameters import choice, nonnegative
from ..vocabulary import (
    abs,
    const,
    flat,
    fma,
    inf,
    log,
    maximum,
    minimum,
    sign,
    two_difference,
    two_inverse,
    two_sum,
    where,
)
from ._two_words import log_of_scaled, magnitude, normal, rounded, signed, times

__all__ = ["Mape", "Smape", "SquaredLogError"]


def _log_quotient(d: Any, d_low: Any, a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """log(a / b) for a, b >= 0, of which d is the difference a - b."""
    zero = const(0.0)
    below = d < zero  # a and b may differ in their low words alone
    least, least_low = where(below, a, b), where(below, a_low, b_low)
    gap, gap_low = magnitude(d, d_low)
    # log(1 + x) with x = gap / least; or log x by x in another unit
    huge = gap > least * const(2.0**62)
    unit = where(huge, const(2.0**-60), const(1.0))
    gap, gap_low = unit * gap, unit * gap_low
    x = gap / least
    x_low = (fma(-x, least, gap) + (gap_low - x * least_low)) / least
    high, low = normal(*log_of_scaled(x, x_low, huge))
    finite = high < const(inf)
    return signed(high, d), where(finite, signed(low, d), zero)


def _squared_log_error(prediction: Any, target: Any) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and the Hessian without the residual."""
    one, two, zero = const(1.0), const(2.0), const(0.0)
    a, a_low = two_sum(one, prediction)
    b, b_low = two_sum(one, target)
    gap, gap_low = two_difference(prediction, target)
    log_high, log_low = _log_quotient(gap, gap_low, a, a_low, b, b_low)
    # 1 - log(a / b) = log(e b / a); quarters, as e b may overflow
    e, e_low = normal(const(0.6795704364776611), const(2.0637099140685677e-08))
    e_low = e_low + const(1.0353418944558722e-15)
    scaled, scaled_low = times(e, e_low, b, b_low)
    quarter, quarter_low = const(0.25) * a, const(0.25) * a_low
    gap, gap_low = two_difference(scaled, quarter)
    gap, gap_low = normal(gap, gap_low + (scaled_low - quarter_low))
    gap_low = where(abs(gap) < const(inf), gap_low, zero)
    rest, rest_low = _log_quotient(gap, gap_low, scaled, scaled_low, quarter, quarter_low)
    inverse, inverse_low = two_inverse(a, a_low)
    slope = rounded(two * log_high, two * log_low, inverse, inverse_low)
    rest, rest_low = times(two * rest, two * rest_low, inverse, inverse_low)
    infinite = prediction == const(inf)
    none = flat(log_high)
    return (
        rounded(log_high, log_low, log_high, log_low),
        where(infinite, none, slope),
        where(infinite, none, rounded(rest, rest_low, inverse, inverse_low)),
        where(infinite, none, rounded(two * inverse, two * inverse_low, inverse, inverse_low)),
    )


class _SquaredLogErrorFisher(MapLoss):
    name = "squared_log_error_fisher"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return (log(1 + prediction) - log(1 + target)) ** 2

    @staticmethod
    def curvature(prediction: Any, target: Any) -> Any:
        return 2 / (1 + prediction) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, _, fisher = _squared_log_error(prediction, target)
        return value, grad, fisher


class SquaredLogError(MapLoss):
    """Squared logarithmic error, (log(1 + prediction) - log(1 + target))²; its mean is the MSLE.

    Predictions and targets are at least -1. At -1 the logarithm is -inf and stays so: Keras clips
    negative numbers to 1e-7, XGBoost predictions to -1 + 1e-6; XGBoost's loss is half of this.

    Use it for targets from 0 on over many magnitudes, where ratios count.

    Avoid it where sums of predictions must be right: it elicits the mean of logarithms, which lies
    below the mean; there Gamma or Tweedie are better. It is not convex far above the target.

    Parameters
    ----------
    hessian : {"exact", "fisher"}
        The Fisher Hessian leaves out the residual's own curvature: 2 / (1 + prediction)².

    See Also
    --------
    Gamma : elicits the mean, with errors in proportion.
    SquaredError : of logarithms, where targets can be transformed.
    """

    name = "squared_log_error"
    convex = False
    smooth = True
    known_by_root = True
    elicits = ""
    proper = False
    ulps = {"float32": (2, 2, 2), "float64": (2, 2, 2)}
    sample = (-0.5, 6.0)
    hessian: str = choice("exact", "fisher")

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "any" if self.hessian == "exact" else "positive"

    @property
    def scalars(self) -> Any:
        return type(self) if self.hessian == "exact" else _SquaredLogErrorFisher

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return ABOVE_MINUS_ONE, ABOVE_MINUS_ONE

    definition = staticmethod(_SquaredLogErrorFisher.definition)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, hess, _ = _squared_log_error(prediction, target)
        return value, grad, hess


class Mape(MapLoss):
    """Absolute percentage error, |r| / max(|target|, floor), as a share: 0.1 is 10 %.

    Use it where percentages are what is reported, of targets far from 0.

    Avoid it near targets of 0, and where predictions must not be too small: it elicits a median
    that weighs small targets most.

    Parameters
    ----------
    floor : float
        The least denominator, >= 0. With 0, any error at a target of 0 costs infinitely much.

    See Also
    --------
    Gamma : errors in proportion to the mean, without the bias.
    AbsoluteError : not relative.

    Notes
    -----
    The default is scikit-learn's floor. torchmetrics' is 1.17e-6, Keras' 1e-7 with its result in
    percent; LightGBM's and CatBoost's is 1. XGBoost has none, as floor=0.
    """

    name = "mape"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    kinks = "prediction = target: gradient 0"
    ulps = {"float32": (2, 0.5, 0), "float64": (2, 0.5, 0)}
    floor: float = nonnegative(2.0**-52, examples=(1.0,))

    @staticmethod
    def definition(prediction: Any, target: Any, floor: Any) -> Any:
        return abs(prediction - target) / maximum(abs(target), floor)

    @staticmethod
    def formula(prediction: Any, target: Any, floor: Any) -> Any:
        r = prediction - target
        size = maximum(abs(target), floor)
        # a difference may overflow where its share does not
        wide = abs(r) == const(inf)
        half = const(0.5) * prediction - const(0.5) * target
        share = where(wide, abs(half), abs(r)) / size
        share = where(wide, const(2.0) * share, share)
        none = r == const(0.0)
        # far targets: all of their size is missed
        share = where(size == const(inf), const(1.0) + flat(prediction - prediction), share)
        return where(none, flat(r), share), where(none, flat(r), sign(r) / size), flat(r)


class Smape(MapLoss):
    """Symmetric absolute percentage error, 2 |r| / max(|prediction| + |target|, floor): 0 to 2.

    Use it to evaluate forecasts where competitions ask for it.

    Avoid it for training: it is not convex, its gradient vanishes far away and where the signs
    differ, and it favours predictions that are too large.

    Parameters
    ----------
    floor : float
        The least denominator, >= 0. With 0, a prediction of 0 for a target of 0 costs nothing.

    See Also
    --------
    Mape : relative to the target alone.

    Notes
    -----
    torchmetrics' floor is 1.17e-6. CatBoost's result is in percent, 0 to 200. Others halve it, so
    that it ends at 1, or add a small number to the denominator instead.
    """

    name = "smape"
    convex = False
    smooth = False
    hessian_sign = "any"
    elicits = ""
    proper = False
    ulps = {"float32": (2, 2, 2), "float64": (2, 2, 2)}
    sample = (0.5, 6.0)
    floor: float = nonnegative(0.0, examples=(1.0,))
    kinks = (
        "prediction = target, where the gradient is 0, prediction = 0 and "
        "|prediction| + |target| = floor: the derivatives of smaller magnitude"
    )

    @staticmethod
    def definition(prediction: Any, target: Any, floor: Any) -> Any:
        size = abs(prediction) + abs(target)
        quotient = 2 * abs(prediction - target) / maximum(size, floor)
        # opposite signs: no derivatives but what rounding leaves of them
        return where((prediction * target > 0) | (size <= floor), quotient, 2 + 0 * quotient)

    @staticmethod
    def formula(prediction: Any, target: Any, floor: Any) -> Any:
        one, two, zero = const(1.0), const(2.0), const(0.0)
        # in another unit where sums may overflow or their inverse may
        largest = maximum(maximum(abs(prediction), abs(target)), floor)
        unit = where(largest < const(2.0**-60), const(2.0**64), one)
        unit = where(largest > const(2.0**60), const(2.0**-64), unit)
        p, q, least = unit * prediction, unit * target, unit * floor
        gap, gap_low = two_difference(p, q)
        a, a_low = magnitude(gap, gap_low)
        size, size_low = two_sum(abs(p), abs(q))
        inside = size < least
        within = size <= least
        size_low = where(inside, zero, size_low)
        size = where(inside, least, size)
        inverse, inverse_low = two_inverse(size, size_low)
        value = rounded(two * a, two * a_low, inverse, inverse_low)
        # the gradient is sign(r) change / size²
        alike = ((prediction > zero) & (target > zero)) | ((prediction < zero) & (target < zero))
        outside = where(alike, const(4.0) * abs(q), zero)
        edge = where(inside, two * size, minimum(two * size, outside))
        change = where(within, edge, outside)
        subnormal = change < const(2.0**-100)  # or nearly so
        raised = where(subnormal, const(2.0**40) * change, change)
        lower = where(subnormal, const(2.0**-40) * unit, unit)
        slope, slope_low = times(raised, zero, inverse, inverse_low)
        slope, slope_low = times(slope, slope_low, inverse, inverse_low)
        curve = rounded(two * slope, two * slope_low, inverse, inverse_low)
        curve = where(within, zero, where(abs(p) < abs(q), curve, -curve))
        none = flat(gap)
        far = size == const(inf)
        value = where(far, two + none, where(size == zero, none, value))
        grad = where(far | (gap == zero), none, lower * (sign(gap) * (slope + slope_low)))
        hess = where(far | (size == zero), none, unit * (lower * curve))
        return value, grad, hess
