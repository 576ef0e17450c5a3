"""Losses of a real prediction and a real target: functions of the residual."""

from __future__ import annotations

from typing import Any

from .._loss import MapLoss
from .._parameters import flag, fraction, positive
from ..vocabulary import (
    abs,
    const,
    exp_negative,
    expm1,
    flat,
    inf,
    log,
    log1p_unit,
    sign,
    two_difference,
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
    kinks = "|prediction - target| = delta: Hessian 0"
    ulps = {"float32": (2.5, 1, 0), "float64": (2.5, 1, 0)}
    delta: float = positive(1.0)

    @staticmethod
    def definition(prediction: Any, target: Any, delta: Any) -> Any:
        a = abs(prediction - target)
        return where(a <= delta, a * a / 2, delta * (a - delta / 2))

    @staticmethod
    def formula(prediction: Any, target: Any, delta: Any) -> Any:
        r = prediction - target
        a = abs(r)
        value = where(a <= delta, const(0.5) * r * r, delta * (a - const(0.5) * delta))
        grad = where(a <= delta, r, delta * sign(r))
        inside = (a < delta) | ((a == delta) & (a == const(inf)))
        return value, grad, where(inside, const(1.0), flat(r))


class Quantile(MapLoss):
    """Quantile (pinball) loss: q (target - prediction) above the prediction, else (1 - q) r.

    Parameters
    ----------
    quantile : float
        The quantile q that the best prediction is, between 0 and 1 (Koenker and Bassett, 1978).
    """

    name = "quantile"
    optimum = "quantile"
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
    ulps = {"float32": (3.5, 2.5, 4.5), "float64": (3.5, 2.5, 4.5)}

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        a = abs(prediction - target)
        return a + log((1 + exp_negative(-2 * a)) / 2)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        high, low = two_difference(prediction, target)
        a = abs(high)
        a_low = where(high < const(0.0), -low, low)
        e = exp_negative(const(-2.0) * a, const(-2.0) * a_low)
        u = expm1(const(-2.0) * a, const(-2.0) * a_low)
        inverse = const(1.0) / (const(1.0) + e)
        tanh_a = -u * inverse
        # log cosh = log1p(sinh²) / 2 near 0; a - log 2 + log1p(exp(-2 a)) elsewhere
        small = a < const(0.8)
        log_term = log1p_unit(where(small, u * u * (const(0.25) / e), e))
        far = (a - const(0.693145751953125)) + (log_term + (a_low - const(1.4286068203094172e-06)))
        value = where(small, const(0.5) * log_term, far)
        return value, where(high < const(0.0), -tanh_a, tanh_a), const(4.0) * e * inverse * inverse
