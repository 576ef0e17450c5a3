"""Losses of a real prediction and a real target: functions of the residual."""

from __future__ import annotations

from typing import Any

from .._loss import MapLoss
from .._parameters import flag, fraction, positive
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
    sign,
    tanh_reduced,
    two_difference,
    two_exp_negative,
    two_inverse,
    where,
)

__all__ = ["AbsoluteError", "Huber", "LogCosh", "Quantile", "SquaredError"]


class SquaredError(MapLoss):
    """Squared error, r² with r = prediction - target; its mean is the MSE.

    Parameters
    ----------
    half : bool
        Give ½ r² instead, whose gradient is r.
    """

    name = "squared_error"
    optimum = "mean"
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
    """Absolute error, |prediction - target|; its mean is the MAE."""

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

    Parameters
    ----------
    delta : float
        Where the loss turns linear, above 0; may be infinite.
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
        a = abs(high)
        a_low = where(high < const(0.0), -low, low)
        outside = fma(delta, a - const(0.5) * delta, delta * a_low)
        value = where(a <= delta, const(0.5) * a * a, outside)
        grad = where(a <= delta, high, delta * sign(high))
        inside = (a < delta) | ((a == delta) & (a == const(inf)))
        return value, grad, where(inside, const(1.0), flat(high))


class Quantile(MapLoss):
    """Quantile (pinball) loss: q (target - prediction) above the prediction, else (1 - q) r.

    Parameters
    ----------
    quantile : float
        The quantile q that the best prediction is, between 0 and 1 (Koenker and Bassett, 1978).
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
        r = prediction - target
        above = const(1.0) - quantile
        value = where(r > const(0.0), above, quantile) * abs(r)
        grad = where(r > const(0.0), above, where(r < const(0.0), -quantile, r))
        return value, grad, flat(r)


class LogCosh(MapLoss):
    """log cosh r with r = prediction - target: ½ r² near 0, |r| - log 2 far away."""

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
        a = abs(high)
        a_low = where(high < const(0.0), -low, low)
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
        return where(small, near_value, far_value), where(high < const(0.0), -grad, grad), hess
