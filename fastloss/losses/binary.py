"""Losses of one score or one probability against a binary target."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, PROBABILITY, Domain, labels
from .._loss import MapLoss
from .._parameters import CLIP_KINKS, choice, clip_at, finite_positive, small
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    fma,
    inf,
    log,
    log1p_unit,
    maximum,
    two_exp_negative,
    two_inverse,
    two_log,
    two_log1p,
    where,
)
from ._clip import clip, unclipped

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
    convex = True
    smooth = True
    hessian_sign = "positive"
    pos_weight: float = finite_positive(1.0)

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.pos_weight == 1

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, PROBABILITY

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        # a weight is one more rounded factor of each side, and of exp(-|z|) where it is subnormal
        weighted = max(3.5, 1.5 + self.pos_weight / 2)
        bounds = (2.0, 2.0, 2.0) if self.pos_weight == 1 else (weighted, weighted, weighted)
        return dict.fromkeys(("float32", "float64"), bounds)

    def mean_to_score(self, mean: Any) -> Any:
        odds = self.pos_weight * mean
        return super().mean_to_score(odds / (odds + (1 - mean)))

    @staticmethod
    def definition(prediction: Any, target: Any, pos_weight: Any) -> Any:
        positive = pos_weight * target * log(1 + exp(-prediction))
        return positive + (1 - target) * log(1 + exp(prediction))

    @staticmethod
    def formula(prediction: Any, target: Any, pos_weight: Any) -> Any:
        gap = abs(prediction)
        e, e_low = two_exp_negative(-gap)
        total = const(1.0) + e
        inverse, inverse_low = two_inverse(total, ((const(1.0) - total) + e) + e_low)
        softplus = log1p_unit(e, e_low * inverse)
        # sigmoid(-|z|); sigmoid(|z|) is 1 - far
        far = fma(e, inverse, fma(e, inverse_low, e_low * inverse))
        positive = pos_weight * target
        negative = const(1.0) - target
        both = fma(pos_weight, target, negative)
        # Only the side that the prediction is on has a linear part, so no large terms cancel;
        # 0 * inf = 0 where that side's target is 0.
        up = prediction > const(0.0)
        wrong = where(up, negative, positive)
        value = both * softplus
        value = where(wrong == const(0.0), value, fma(wrong, gap, value))
        grad = fma(where(up, -both, both), far, where(up, negative, -positive))
        return value, grad, both * fma(-far, far, far)


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
    convex = unclipped
    smooth = unclipped
    elicits = "probabilities"
    proper = True
    ulps = {"float32": (2, 1.5, 2), "float64": (2, 1.5, 2)}
    sample = (0.001, 0.999)
    eps: float = small(0.0, below=0.5)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "nonnegative" if self.eps else "positive"

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return CLIP_KINKS if self.eps else ""

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_at(self.eps)

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, PROBABILITY

    @staticmethod
    def definition(prediction: Any, target: Any, eps: Any) -> Any:
        p = clip(prediction, eps)
        positive = where(target == 0, const(0.0), -target * log(p))
        return positive + where(target == 1, const(0.0), -(1 - target) * log(1 - p))

    @staticmethod
    def formula(prediction: Any, target: Any, eps: Any) -> Any:
        zero = const(0.0)
        p = prediction + zero  # -0 becomes 0
        above = const(1.0) - p <= eps
        clipped = above | (p <= eps)
        q = const(1.0) - p
        negative = const(1.0) - target
        # 0 * log 0 = 0, and the derivative of nothing is 0
        no_1 = target == zero
        no_0 = negative == zero
        # 1 - p and 1 - target carry what their rounding lost; beside an infinity that is nothing
        possible = q > zero
        negative_low = (const(1.0) - negative) - target
        inverse, inverse_low = two_inverse(q, (const(1.0) - q) - p)
        # at the upper end p and 1 - p change places, as 1 - eps may round to 1
        side = where(clipped, eps, p)
        log_side, log_side_low = two_log(side)
        log_rest, log_rest_low = two_log1p(-side)
        log_p = where(above, log_rest, log_side)
        log_p_low = where(above, log_rest_low, log_side_low)
        log_q = where(above, log_side, log_rest)
        log_q_low = where(above, log_side_low, log_rest_low)
        lost_value = negative * log_q_low + negative_low * log_q
        lost_slope = fma(negative, inverse_low, negative_low * inverse)
        finite = log_q > const(-inf)
        others = where(no_0, zero, fma(-negative, log_q, where(finite, -lost_value, zero)))
        value = fma(-target, log_p, fma(-target, log_p_low, others))
        value = where(no_1, others, value)
        slope_1 = target / p
        # both quotients are raised, as the first may be subnormal
        curve_1 = (target * const(2.0**60)) / p / (p * const(2.0**60))
        slope_0 = fma(negative, inverse, where(possible, lost_slope, zero))
        curve_0 = fma(slope_0, inverse, where(possible, slope_0 * inverse_low, zero))
        grad = where(no_0, zero, slope_0) - where(no_1, zero, slope_1)
        hess = where(no_0, zero, curve_0) + where(no_1, zero, curve_1)
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
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = "mode"
    proper = False
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
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = "mean"
    proper = False
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
