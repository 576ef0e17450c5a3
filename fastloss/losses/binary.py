"""Losses of one score or one probability against a binary target."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, PROBABILITY, Domain, labels
from .._loss import MapLoss
from .._parameters import CLIP_KINKS, choice, clip_ends, finite_positive, small
from ..vocabulary import (
    abs,
    const,
    exp,
    exp_negative,
    flat,
    log,
    log1p,
    log1p_unit,
    maximum,
    where,
)

__all__ = ["BinaryCrossEntropy", "Hinge", "SigmoidCrossEntropy", "SquaredHinge"]


class SigmoidCrossEntropy(MapLoss):
    """Cross-entropy of a logit, log(1 + exp(z)) - target z; targets may be soft.

    Parameters
    ----------
    pos_weight : float
        Multiplies the part of the loss that belongs to the positive class.
    """

    name = "sigmoid_cross_entropy"
    link = "logit"
    optimum = "mean"
    ulps = {"float32": (3, 3, 5), "float64": (3, 3, 5)}
    pos_weight: float = finite_positive(1.0)

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, PROBABILITY

    def mean_to_score(self, mean: Any) -> Any:
        odds = self.pos_weight * mean
        return super().mean_to_score(odds / (odds + (1 - mean)))

    @staticmethod
    def definition(prediction: Any, target: Any, pos_weight: Any) -> Any:
        positive = pos_weight * target * log(1 + exp(-prediction))
        return positive + (1 - target) * log(1 + exp(prediction))

    @staticmethod
    def formula(prediction: Any, target: Any, pos_weight: Any) -> Any:
        e = exp_negative(-abs(prediction))
        positive = pos_weight * target
        negative = const(1.0) - target
        inverse = const(1.0) / (const(1.0) + e)
        up = prediction > const(0.0)
        # Only the side that the prediction is on has a linear part, so no large terms cancel;
        # 0 * inf = 0 where that side's target is 0.
        wrong = where(up, negative, positive)
        linear = where(wrong == const(0.0), const(0.0), wrong * abs(prediction))
        near = inverse
        far = e * inverse
        grad = where(up, negative * near - positive * far, negative * far - positive * near)
        both = negative + positive
        return linear + both * log1p_unit(e), grad, both * (far * near)


class BinaryCrossEntropy(MapLoss):
    """Cross-entropy of a probability, -target log p - (1 - target) log(1 - p).

    Parameters
    ----------
    eps : float
        0 is exact and may be infinite; above 0, p is clipped to [eps, 1 - eps], and the gradient
        is 0 outside.
    """

    name = "binary_cross_entropy"
    optimum = "mean"
    ulps = {"float32": (2.5, 2.5, 3), "float64": (2.5, 2.5, 3)}
    sample = (0.001, 0.999)
    eps: float = small(0.0, below=0.5)

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return CLIP_KINKS if self.eps else ""

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_ends(self.eps)

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, PROBABILITY

    @staticmethod
    def definition(prediction: Any, target: Any, low: Any, high: Any) -> Any:
        p = where(prediction < low, low, where(prediction > high, high, prediction))
        positive = where(target == 0, const(0.0), -target * log(p))
        return positive + where(target == 1, const(0.0), -(1 - target) * log(1 - p))

    @staticmethod
    def formula(prediction: Any, target: Any, low: Any, high: Any) -> Any:
        zero = const(0.0)
        below = prediction <= low
        above = prediction >= high
        p = where(below, low, where(above, high, prediction)) + zero  # -0 becomes 0
        q = const(1.0) - p
        negative = const(1.0) - target
        # 0 * log 0 = 0, and the derivative of nothing is 0
        no_1 = target == zero
        no_0 = negative == zero
        value = where(no_1, zero, -target * log(p)) + where(no_0, zero, -negative * log1p(-p))
        slope_1 = target / p
        slope_0 = negative / q
        grad = where(no_0, zero, slope_0) - where(no_1, zero, slope_1)
        hess = where(no_0, zero, slope_0 / q) + where(no_1, zero, slope_1 / p)
        clipped = below | above
        return value, where(clipped, zero, grad), where(clipped, zero, hess)


class _LabelLoss(MapLoss):
    """A loss of a score against a label of -1 or +1: slope * target + shift."""

    labels: str = choice("pm1", "01")

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, labels(self.labels)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (1.0, 0.0) if self.labels == "pm1" else (2.0, -1.0)


class Hinge(_LabelLoss):
    """Hinge loss of a score, max(0, 1 - label z) with a label of -1 or +1.

    Parameters
    ----------
    labels : {"pm1", "01"}
        How targets write the labels: -1 and +1, or 0 and 1.
    """

    name = "hinge"
    kinks = "label z = 1: gradient 0"
    ulps = {"float32": (1, 0, 0), "float64": (1, 0, 0)}

    @staticmethod
    def definition(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        return maximum(const(0.0), 1 - (slope * target + shift) * prediction)

    @staticmethod
    def formula(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        label = slope * target + shift
        violation = const(1.0) - label * prediction
        grad = where(violation > const(0.0), -label, flat(violation))
        return maximum(violation, const(0.0)), grad, flat(violation)


class SquaredHinge(_LabelLoss):
    """Squared hinge loss of a score, max(0, 1 - label z)² with a label of -1 or +1.

    Parameters
    ----------
    labels : {"pm1", "01"}
        How targets write the labels: -1 and +1, or 0 and 1.
    """

    name = "squared_hinge"
    kinks = "label z = 1: Hessian 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}

    @staticmethod
    def definition(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        return maximum(const(0.0), 1 - (slope * target + shift) * prediction) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        label = slope * target + shift
        violation = maximum(const(1.0) - label * prediction, const(0.0))
        hess = where(violation > const(0.0), const(2.0), flat(violation))
        return violation * violation, const(-2.0) * label * violation, hess
