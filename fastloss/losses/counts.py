"""Losses of counts under a log link: the prediction is the logarithm of the mean."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, COUNTS, Domain
from .._loss import MapLoss
from ..vocabulary import const, exp, flat, fma, inf, where

__all__ = ["Poisson"]


class Poisson(MapLoss):
    """Poisson loss with log link, exp(z) - target z; the term log(target!) is dropped.

    The ulp of the gradient is that of the larger of exp(z) and target.
    """

    name = "poisson"
    link = "log"
    optimum = "mean"
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = "mean"
    proper = False
    ulps = {"float32": (2, 2, 1.5), "float64": (2, 2, 1.5)}

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, COUNTS

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return exp(prediction) - target * prediction

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        mean = exp(prediction)
        # the exponential wins over the product at +inf; 0 * -inf = 0
        alone = (mean == const(inf)) | (target == const(0.0))
        value = where(alone, mean + flat(target), fma(-target, prediction, mean))
        return value, mean - target, mean + flat(target)
