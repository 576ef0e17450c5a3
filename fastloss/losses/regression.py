"""Losses of a real prediction and a real target: functions of the residual."""

from __future__ import annotations

from typing import Any

from .._loss import MapLoss
from .._parameters import flag, fraction, nonnegative, positive, scale
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    fma,
    inf,
    log,
    log1p_unit,
    log_cosh_reduced,
    maximum,
    minimum,
    sign,
    sqrt,
    tanh_reduced,
    two_difference,
    two_exp_negative,
    two_inverse,
    where,
)
from ._two_words import magnitude, plus_one, ratio, rounded, signed, times

__all__ = [
    "AbsoluteError",
    "EpsilonInsensitive",
    "Expectile",
    "Huber",
    "LogCosh",
    "PseudoHuber",
    "Quantile",
    "SmoothL1",
    "SquaredEpsilonInsensitive",
    "SquaredError",
]


def pinball(prediction: Any, target: Any, quantile: Any) -> Any:
    """The quantile loss of one level."""
    r = prediction - target
    above = const(1.0) - quantile
    slope = where(r > const(0.0), above, quantile)
    half = const(0.5) * prediction - const(0.5) * target  # whose whole may overflow
    value = where(abs(r) == const(inf), const(2.0) * slope * abs(half), slope * abs(r))
    grad = where(r > const(0.0), above, where(r < const(0.0), -quantile, r))
    return value, grad, flat(r)


class SquaredError(MapLoss):
    """Squared error, r² with r = prediction - target; its mean is the MSE.

    Use it where the mean of the targets is wanted and errors are of one size: nothing is easier to
    optimise.

    Avoid it where some targets lie far off: their pull grows with the distance, and a few of them
    decide the fit.

    Parameters
    ----------
    half : bool
        Give ½ r² instead, whose gradient is r.

    See Also
    --------
    Huber : the same near the target, with a bounded pull.
    LogCosh : the same without a parameter.
    AbsoluteError : the median instead of the mean.
    """

    name = "squared_error"
    optimum = "mean"
    known_by_root = True
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = "mean"
    proper = False
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    half: bool = flag(False)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (0.5 if self.half else 1.0,)

    @staticmethod
    def definition(prediction: Any, target: Any, factor: Any) -> Any:
        return factor * (prediction - target) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any, factor: Any) -> Any:
        r = prediction - target
        return factor * r * r, const(2.0) * factor * r, const(2.0) * factor + flat(r)


class AbsoluteError(MapLoss):
    """Absolute error, |prediction - target|; its mean is the MAE.

    Use it where the median is wanted, or where outliers must not count by their distance.

    Avoid it with Newton steps and boosting, as its Hessian is 0, and where a slope that jumps at
    the target keeps an optimiser from settling.

    See Also
    --------
    Quantile : any other quantile.
    Huber : smooth near the target.
    LogCosh : smooth everywhere.
    """

    name = "absolute_error"
    optimum = "quantile"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = "median"
    proper = False
    kinks = "prediction = target: gradient 0"
    ulps = {"float32": (1, 0, 0), "float64": (1, 0, 0)}

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return abs(prediction - target)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        r = prediction - target
        return abs(r), sign(r), flat(r)


class Huber(MapLoss):
    """Huber loss: ½ r² up to |r| = delta, delta (|r| - ½ delta) beyond (Huber, 1964).

    Use it for data with outliers: residuals beyond delta pull with the constant force delta, those
    below as in squared error.

    Avoid it where the mean itself is wanted of skewed targets, and where no scale of ordinary
    residuals is known, of which delta is a multiple: 1.345 standard deviations keep 95 % of the
    efficiency with normal errors.

    Parameters
    ----------
    delta : float
        Where the loss turns linear, above 0; may be infinite.

    See Also
    --------
    LogCosh : smooth everywhere, without a parameter.
    AbsoluteError : its limit for small delta, divided by delta.
    SquaredError : twice its limit for infinite delta.
    """

    name = "huber"
    convex = True
    smooth = True
    proper = False
    kinks = "|prediction - target| = delta: Hessian 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    delta: float = positive(1.0)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.delta == inf else "nonnegative"

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "mean" if self.delta == inf else ""

    @staticmethod
    def definition(prediction: Any, target: Any, delta: Any) -> Any:
        a = abs(prediction - target)
        return where(a <= delta, a * a / 2, delta * (a - delta / 2))

    @staticmethod
    def formula(prediction: Any, target: Any, delta: Any) -> Any:
        high, low = two_difference(prediction, target)
        a, a_low = magnitude(high, low)
        outside = fma(delta, a - const(0.5) * delta, delta * a_low)
        value = where(a <= delta, const(0.5) * a * a, outside)
        grad = where(a <= delta, high, delta * sign(high))
        inside = (a < delta) | ((a == delta) & (a == const(inf)))
        return value, grad, where(inside, const(1.0), flat(high))


class SmoothL1(MapLoss):
    """Smooth L1 loss: ½ r² / beta up to |r| = beta, |r| - ½ beta beyond (Girshick, 2015).

    It is the Huber loss over its delta.

    Use it for data with outliers where the slope far away must be 1 whatever the turn, as for the
    coordinates of boxes.

    Avoid it where the mean itself is wanted of skewed targets; for small beta the Hessian near the
    target is large.

    Parameters
    ----------
    beta : float
        Where the loss turns linear, >= 0; 0 gives the absolute error.

    See Also
    --------
    Huber : the same times beta, with the Hessian 1.
    PseudoHuber : smooth everywhere.
    """

    name = "smooth_l1"
    convex = True
    proper = False
    kinks = "|prediction - target| = beta: Hessian 0"
    ulps = {"float32": (1.5, 1.5, 0.5), "float64": (1.5, 1.5, 0.5)}
    beta: float = nonnegative(1.0)

    @property
    def smooth(self) -> bool:  # type: ignore[override]
        return self.beta > 0

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "nonnegative" if self.beta else "zero"

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "" if self.beta else "median"

    @property
    def scalars(self) -> Any:
        return type(self) if self.beta else AbsoluteError

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.beta,) if self.beta else ()

    @staticmethod
    def definition(prediction: Any, target: Any, beta: Any) -> Any:
        a = abs(prediction - target)
        return where(a < beta, a * a / (2 * beta), a - beta / 2)

    @staticmethod
    def formula(prediction: Any, target: Any, beta: Any) -> Any:
        high, low = two_difference(prediction, target)
        a, a_low = magnitude(high, low)
        inverse = const(1.0) / beta
        share = a / beta
        share_low = (fma(-share, beta, a) + a_low) * inverse
        near = rounded(const(0.5) * a, const(0.5) * a_low, share, share_low)
        far, far_low = two_difference(a, const(0.5) * beta)
        inside = a < beta
        value = where(inside, near, far + (far_low + a_low))
        grad = where(inside, signed(share, high), sign(high))
        return value, grad, where(inside, inverse, flat(high))


class PseudoHuber(MapLoss):
    """Pseudo-Huber loss, delta² (sqrt(1 + (r / delta)²) - 1): ½ r² near 0, delta |r| far away.

    Use it for data with outliers where second derivatives must exist: it is the smooth kin of
    Huber, with a scale to choose.

    Avoid it where the mean itself is wanted of skewed targets, and where no scale of ordinary
    residuals is known, of which delta is a multiple.

    Parameters
    ----------
    delta : float
        The slope far away, above 0 (Charbonnier et al., 1994, with delta = 1).

    See Also
    --------
    Huber : turns linear at once.
    LogCosh : much the same, without a parameter.
    """

    name = "pseudo_huber"
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = ""
    proper = False
    ulps = {"float32": (1.5, 1, 1.5), "float64": (1.5, 1, 1.5)}
    delta: float = scale(1.0)

    @staticmethod
    def definition(prediction: Any, target: Any, delta: Any) -> Any:
        return delta**2 * (sqrt(1 + ((prediction - target) / delta) ** 2) - 1)

    @staticmethod
    def formula(prediction: Any, target: Any, delta: Any) -> Any:
        # With t the smaller of a = |r| and delta over the larger, and root = sqrt(1 + t²), the
        # value is a² / (1 + root) near 0 and a delta / (t + root) far away: no square overflows.
        one, zero = const(1.0), const(0.0)
        high, low = two_difference(prediction, target)
        a, a_low = magnitude(high, low)
        far, t, t_low = ratio(a, a_low, delta)
        square, square_low = times(t, t_low, t, t_low)
        total, total_low = plus_one(square, square_low)
        root = sqrt(total)
        root_low = const(0.5) * ((fma(-root, root, total) + total_low) * (one / root))
        inverse, inverse_low = two_inverse(root, root_low)
        least, least_low = where(far, delta, a), where(far, zero, a_low)
        first, first_low = where(far, t, one), where(far, t_low, zero)
        below = root + first
        below_low = ((root - below) + first) + (root_low + first_low)
        share, share_low = two_inverse(below, below_low)
        product, product_low = times(a, a_low, least, least_low)
        cosine, cosine_low = times(first, first_low, inverse, inverse_low)
        cosine_2, cosine_2_low = times(cosine, cosine_low, cosine, cosine_low)
        value = rounded(product, product_low, share, share_low)
        grad = rounded(least, least_low, inverse, inverse_low)
        hess = rounded(cosine_2, cosine_2_low, cosine, cosine_low)
        return value, signed(grad, high), hess


class Quantile(MapLoss):
    """Quantile (pinball) loss: q (target - prediction) above the prediction, else (1 - q) r.

    Use it for quantiles: forecasts with intervals, stock levels, costs that differ between too much
    and too little.

    Avoid it with Newton steps and boosting unless the Hessian is replaced, as it is 0; and for far
    tails with few data, where hardly a target lies beyond.

    Parameters
    ----------
    quantile : float
        The quantile q that the best prediction is, between 0 and 1 (Koenker and Bassett, 1978).

    See Also
    --------
    AbsoluteError : twice the loss of the median.
    """

    name = "quantile"
    optimum = "quantile"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = "quantile"
    proper = False
    kinks = "prediction = target: gradient 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    quantile: float = fraction(0.5)

    @staticmethod
    def definition(prediction: Any, target: Any, quantile: Any) -> Any:
        r = prediction - target
        return where(r > 0, (1 - quantile) * r, -quantile * r)

    @staticmethod
    def formula(prediction: Any, target: Any, quantile: Any) -> Any:
        return pinball(prediction, target, quantile)


class Expectile(MapLoss):
    """Expectile loss: q r² below the target, (1 - q) r² above (Newey and Powell, 1987).

    Use it for a mean that weighs what lies above and below differently: risks, where it is smooth
    and quick to fit.

    Avoid it where a share of the targets is to lie below, as a quantile says; and with outliers,
    which pull with their distance.

    Parameters
    ----------
    expectile : float
        The expectile q that the best prediction is, between 0 and 1; 0.5 is the mean.

    See Also
    --------
    Quantile : not moved by how far targets lie off.
    SquaredError : twice the loss of the mean.
    """

    name = "expectile"
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = "expectile"
    proper = False
    ulps = {"float32": (1.5, 1.5, 0), "float64": (1.5, 1.5, 0)}
    expectile: float = fraction(0.5)

    @property
    def kinks(self) -> str:  # type: ignore[override]
        even = self.expectile == 0.5
        return "" if even else "prediction = target: the smaller of both Hessians"

    def kernel_parameters(self) -> tuple[float, ...]:
        return self.expectile, 1 - self.expectile

    @staticmethod
    def definition(prediction: Any, target: Any, below: Any, above: Any) -> Any:
        r = prediction - target
        return where(r > 0, above, below) * r**2

    @staticmethod
    def formula(prediction: Any, target: Any, below: Any, above: Any) -> Any:
        high, low = two_difference(prediction, target)
        share = where(high > const(0.0), above, below)
        slope, slope_low = times(share, const(0.0), high, low)
        value = rounded(slope, slope_low, high, low)
        curve = where(high == const(0.0), minimum(above, below), share)
        return value, const(2.0) * slope, const(2.0) * curve + flat(high)


def _excess(prediction: Any, target: Any, epsilon: Any) -> tuple[Any, Any]:
    """|r| - epsilon, and r."""
    high, low = two_difference(prediction, target)
    a, a_low = magnitude(high, low)
    excess, excess_low = two_difference(a, epsilon)
    return excess + (excess_low + a_low), high


class EpsilonInsensitive(MapLoss):
    """Epsilon-insensitive loss, max(0, |r| - epsilon), of support vector regression (Vapnik, 1995).

    Use it where errors within a tolerance do not matter, as in support vector regression: few
    samples then determine the fit.

    Avoid it with Newton steps and boosting, as its Hessian is 0; and where the best prediction must
    be unique.

    Parameters
    ----------
    epsilon : float
        Up to where an error costs nothing, >= 0.

    See Also
    --------
    SquaredEpsilonInsensitive : with a continuous gradient.
    AbsoluteError : without a tolerance.
    """

    name = "epsilon_insensitive"
    convex = True
    smooth = False
    hessian_sign = "zero"
    proper = False
    kinks = "|prediction - target| = epsilon: gradient 0"
    ulps = {"float32": (1, 0, 0), "float64": (1, 0, 0)}
    epsilon: float = nonnegative(0.1)

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "" if self.epsilon else "median"

    @staticmethod
    def definition(prediction: Any, target: Any, epsilon: Any) -> Any:
        return maximum(const(0.0), abs(prediction - target) - epsilon)

    @staticmethod
    def formula(prediction: Any, target: Any, epsilon: Any) -> Any:
        excess, r = _excess(prediction, target, epsilon)
        grad = where(excess > const(0.0), sign(r), flat(excess))
        return maximum(excess, const(0.0)), grad, flat(excess)


class SquaredEpsilonInsensitive(MapLoss):
    """Squared epsilon-insensitive loss, max(0, |r| - epsilon)².

    Use it where errors within a tolerance do not matter and the gradient must be continuous.

    Avoid it with outliers, which pull with their distance; and where the best prediction must be
    unique.

    Parameters
    ----------
    epsilon : float
        Up to where an error costs nothing, >= 0.

    See Also
    --------
    EpsilonInsensitive : with bounded pull.
    SquaredError : without a tolerance.
    """

    name = "squared_epsilon_insensitive"
    convex = True
    smooth = True
    proper = False
    kinks = "|prediction - target| = epsilon: Hessian 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    epsilon: float = nonnegative(0.1)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "nonnegative" if self.epsilon else "positive"

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "" if self.epsilon else "mean"

    @staticmethod
    def definition(prediction: Any, target: Any, epsilon: Any) -> Any:
        return maximum(const(0.0), abs(prediction - target) - epsilon) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any, epsilon: Any) -> Any:
        excess, r = _excess(prediction, target, epsilon)
        excess = maximum(excess, const(0.0))
        curved = (excess > const(0.0)) | (epsilon == const(0.0))
        hess = where(curved, const(2.0), const(0.0)) + flat(excess)
        return excess * excess, const(2.0) * signed(excess, r), hess


class LogCosh(MapLoss):
    """log cosh r with r = prediction - target: ½ r² near 0, |r| - log 2 far away.

    Use it for data with outliers where second derivatives must exist: it is smooth everywhere, and
    its Hessian is positive.

    Avoid it where residuals are not of the size of 1, or scale them: the turn from quadratic to
    linear lies there. Far away the Hessian vanishes.

    See Also
    --------
    Huber : lets the turn be chosen.
    AbsoluteError : what it becomes far away, but for log 2.
    """

    name = "log_cosh"
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = ""
    proper = False
    ulps = {"float32": (1.5, 1.5, 2), "float64": (1.5, 1.5, 2)}

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        a = abs(prediction - target)
        return a + log((1 + exp(-2 * a)) / 2)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        high, low = two_difference(prediction, target)
        a, a_low = magnitude(high, low)
        root, root_low = two_exp_negative(-a, -a_low)
        e = root * root
        e_low = fma(root, root, -e) + const(2.0) * root * root_low
        total = const(1.0) + e
        inverse, inverse_low = two_inverse(total, ((const(1.0) - total) + e) + e_low)
        far = e * inverse  # 1 / (1 + exp(2 a))
        far_low = fma(e, inverse, -far) + fma(e, inverse_low, e_low * inverse)
        # 1 / cosh, whose square does not lose the digits of a subnormal e
        twice = const(2.0) * root
        sech = twice * inverse
        sech_low = fma(twice, inverse, -sech)
        sech_low = sech_low + fma(twice, inverse_low, const(2.0) * root_low * inverse)
        hess = fma(sech, sech, const(2.0) * sech * sech_low)
        # tanh and log cosh by polynomials near 0; else 1 - 2 far, and
        # a - log 2 + log1p(exp(-2 a))
        small = a < const(0.8)
        square = a * a
        near_grad = a + fma(a * square, tanh_reduced(square), a_low * hess)
        far_grad = (const(1.0) - const(2.0) * far) - const(2.0) * far_low
        half = const(0.5) * a * a
        half_low = fma(const(0.5) * a, a, -half) + near_grad * a_low
        near_value = half + fma(square * square, log_cosh_reduced(square), half_low)
        log_term = log1p_unit(e, e_low * inverse)
        ln2, ln2_low = const(0.693145751953125), const(1.4286068203094172e-06)
        far_value = (a - ln2) + (log_term + (a_low - ln2_low))
        grad = where(small, near_grad, far_grad)
        return where(small, near_value, far_value), signed(grad, high), hess
