"""Losses of ordered classes."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, CLASS_INDEX, Domain
from ..vocabulary import (
    const,
    exp,
    flat,
    fma,
    inf,
    log,
    log1mexp,
    sech_squared,
    two_difference,
    two_inverse,
    two_tanh,
    where,
)
from ..vocabulary.special.two_word import two_quotient
from ._labels import LabelProbabilities
from ._over_classes import OverClasses
from .binary import SigmoidCrossEntropy

__all__ = ["OrdinalCrossEntropy", "ProportionalOdds"]

_of_level = SigmoidCrossEntropy.formula
_defined = SigmoidCrossEntropy.definition


class OrdinalCrossEntropy(LabelProbabilities, OverClasses):
    """Cross-entropy of ordered classes, Σ_k log(1 + exp(z_k)) - z_k over k < label.

    The k-th of K - 1 predictions is the logit of the label being above k; labels are 0 to K - 1 and
    have the shape prediction.shape[:-1]. CORAL's loss (Cao, Mirjalili and Raschka, 2020), whose
    model gives all levels of a row one score and each its own bias.

    Use it for classes with an order, such as grades and stages: a prediction that is off by more
    classes costs more.

    Avoid it where classes have no order; and with a free logit for each level, unless it does not
    matter that a higher level may come out as more probable than a lower one.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a label; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.

    See Also
    --------
    ProportionalOdds : the likelihood of the label itself.
    SoftmaxCrossEntropy : of classes without an order.
    SigmoidCrossEntropy : of one level.
    """

    name = "ordinal_cross_entropy"
    link = "logit"
    optimum = "mean"
    convex = True
    smooth = True
    hessian_sign = "positive"
    takes_distributions = False
    encoding = "levels"
    ulps = SigmoidCrossEntropy().ulps

    def kernel_parameters(self) -> tuple[float, ...]:
        return SigmoidCrossEntropy().kernel_parameters()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def definition(predictions: Any, targets: Any, pos_weight: Any) -> Any:
        pairs = zip(predictions, targets, strict=True)
        return sum(_defined(z, q, pos_weight) for z, q in pairs)

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, pos_weight: Any) -> Any:
        return ((_of_level(prediction, target, pos_weight)[0], const(0.0)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, pos_weight: Any) -> Any:
        _, grad, hess = _of_level(kept, target, pos_weight)
        return grad, hess


class ProportionalOdds(LabelProbabilities):
    """Log loss of ordered classes by cumulative logits, -log(sigmoid(u) - sigmoid(l)).

    The k-th of K - 1 predictions is the logit of the label being above k, and they descend; labels
    are 0 to K - 1 and have the shape prediction.shape[:-1]. u is the prediction before the label's
    place and l that at it; the ends have sigmoid 1 and 0. McCullagh's model (1980) has one score a
    row, from which fixed ascending thresholds are subtracted: the score's derivative is the sum of
    a row's gradient.

    Use it for classes with an order where the probability of each label matters: it is a
    likelihood, so models compare by it.

    Avoid it where nothing keeps predictions in order: where u <= l the label is impossible, the
    value +inf, the gradient infinite and towards the right order.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a label; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.

    See Also
    --------
    OrdinalCrossEntropy : finite for predictions in any order.
    SoftmaxCrossEntropy : of classes without an order.
    """

    name = "proportional_odds"
    link = "logit"
    optimum = "mean"
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    takes_distributions = False
    encoding = "steps"
    descending = True
    term_sums = 1
    fit_sums = 3
    coefficients = 5
    ulps = {"float32": (2.5, 2.5, 2.5), "float64": (2.5, 2.5, 2.5)}

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        pairs = list(zip(predictions, targets, strict=True))
        upper = [z for z, q in pairs if q > 0]
        lower = [z for z, q in pairs if q < 0]
        ends = sum(log(1 + exp(-z)) for z in upper) + sum(log(1 + exp(z)) for z in lower)
        return ends - sum(log1mexp(a - b) for a, b in zip(upper, lower, strict=False))

    @staticmethod
    def term(prediction: Any, reference: Any) -> Any:
        return prediction, ((flat(prediction), const(0.0)),)  # a NaN anywhere

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any) -> Any:
        zero = const(0.0)
        upper = where(target > zero, prediction, zero)
        lower = where(target < zero, prediction, zero)
        return (upper, zero), (lower, zero), (target, zero)

    @staticmethod
    def finish(reference: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        zero, one = const(0.0), const(1.0)
        end, nan = fits[2][0], terms[0][0]
        upper = where(end < zero, const(inf), fits[0][0])
        lower = where(end > zero, const(-inf), fits[1][0])
        above, above_slope, above_curve = _of_level(upper, one, one)
        below, below_slope, below_curve = _of_level(lower, zero, one)
        both = end == zero
        gap, gap_low = two_difference(upper, lower)
        gap = where(both & (upper > lower), gap, const(inf))
        surprise, slope, curve = _between(gap, gap_low)
        crossed = both & (upper <= lower)
        most = where(crossed, const(inf), nan)
        return (above + below) + surprise + most, (
            above_slope - slope - most,
            below_slope + slope + most,
            above_curve + curve + most,
            below_curve + curve + most,
            nan,
        )

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        zero = const(0.0)
        upper, lower = target > zero, target < zero
        grad = where(upper, row[0], where(lower, row[1], row[4]))
        return grad, where(upper, row[2], where(lower, row[3], row[4]))


def _between(gap: Any, gap_low: Any) -> tuple[Any, Any, Any]:
    """-log(1 - e) of e = exp(-gap), its slope e / (1 - e) and that one's, e / (1 - e)²."""
    near = gap < const(2.0**-60)
    half = where(near, const(1.0), const(0.5) * gap)
    half_low = where(near, const(0.0), const(0.5) * gap_low)
    t, t_low = two_tanh(half, half_low)
    bell = sech_squared(half, half_low)
    inverse, low = two_inverse(const(2.0) * t, const(2.0) * t_low)
    part = fma(bell, inverse, bell * low)
    part_low = fma(bell, inverse, -part) + bell * low
    whole = const(1.0) + t
    slope, _ = two_quotient(part, part_low, whole, ((const(1.0) - whole) + t) + t_low)
    curve = fma(part, inverse, fma(part, low, part_low * inverse))
    large = const(1.0) / gap
    return (
        -log1mexp(gap, gap_low),
        where(near, large, slope),
        where(near, large * large, curve),
    )
