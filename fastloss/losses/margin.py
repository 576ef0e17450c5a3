"""Losses that ask the label's score to exceed those of the other classes by a margin."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._domains import ANYTHING, CLASS_INDEX, Domain
from .._parameters import finite_positive, flag, nonnegative
from ..vocabulary import (
    abs,
    const,
    flat,
    fma,
    inf,
    maximum,
    nan,
    two_difference,
    two_product,
    two_sum,
    where,
)
from ._labels import LabelLoss, LabelProbabilities

__all__ = ["MultiMargin", "MulticlassHinge", "Sparsemax"]


class _MarginLoss(LabelLoss):
    """A loss of scores against a class index."""

    takes_distributions = False
    convex = True
    elicits = ""
    proper = False

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX


def _violations(predictions: Any, targets: Any, margin: Any) -> list[Any]:
    """For definitions: by how much each other class comes too near to the label's."""
    pairs = list(zip(predictions, targets, strict=True))
    label = sum(z for z, q in pairs if q)
    return [margin + z - label for z, q in pairs if not q]


def _two_violation(margin: Any, rival: Any, label: Any) -> tuple[Any, Any]:
    """The sum margin + (rival - label) in two words."""
    gap, gap_low = two_difference(rival, label)
    total, low = two_sum(margin, gap)
    low = low + gap_low
    high = total + low  # the total may be 0
    finite = abs(total) < const(inf)
    return where(finite, high, total), where(finite, (total - high) + low, const(0.0))


class MulticlassHinge(_MarginLoss):
    """Multiclass hinge loss, max(0, margin + max z_other - z_label) (Crammer and Singer, 2001).

    Targets are class indices of shape prediction.shape[:-1].

    Use it for classifiers of several classes with a margin, such as linear support vector machines:
    of the other classes only the largest score counts.

    Avoid it where probabilities are wanted; where no class is likelier than one half, as the best
    scores are then equal and name none; and with Newton steps and boosting, as its Hessian is 0.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    margin : float
        By how much the label's score must exceed all others; 0 gives the perceptron's loss.

    See Also
    --------
    MultiMargin : every other class counts.
    Hinge : of two classes, from one score.
    SoftmaxCrossEntropy : with probabilities.
    """

    name = "multiclass_hinge"
    kinks = "ties of the largest other scores: gradient shared equally; violation 0: gradient 0"
    optimum = "mean"
    smooth = False
    hessian_sign = "zero"
    ulps = {"float32": (1, 1, 0), "float64": (1, 1, 0)}
    reference = "rival"
    term_sums = 1
    fit_sums = 2
    coefficients = 3
    margin: float = nonnegative(1.0, extremes=(1e-3, 10.0))

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.margin,)

    def mean_to_score(self, mean: Any) -> Any:
        # a class below one half gains less from a margin than the others lose
        return np.where(np.asarray(mean) > 0.5, self.margin, 0.0)

    @staticmethod
    def definition(predictions: Any, targets: Any, margin: Any) -> Any:
        return maximum(const(0.0), *_violations(predictions, targets, margin))

    @staticmethod
    def term(prediction: Any, rival: Any, margin: Any) -> Any:
        # the largest rival hides a NaN
        return prediction, ((flat(prediction), const(0.0)),)

    @staticmethod
    def fit(prediction: Any, target: Any, rival: Any, margin: Any) -> Any:
        equal = where(prediction == rival, const(1.0), const(0.0))
        return _two_violation(margin, rival, prediction), (equal, const(0.0))

    @staticmethod
    def finish(rival: Any, ties: Any, terms: Any, fits: Any, classes: Any, margin: Any) -> Any:
        zero = const(0.0)
        violation = fits[0][0] + terms[0][0]
        rivals = ties - fits[1][0]
        active = where(violation > zero, const(1.0), flat(violation))
        return maximum(violation, zero), (rival, active, active / rivals)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, margin: Any) -> Any:
        rival, active, share = row[0], row[1], row[2]
        other = where(kept == rival, share, flat(active))
        return where(target == const(1.0), -active, other), flat(active)


class MultiMargin(_MarginLoss):
    """Mean over all classes of max(0, margin + z_other - z_label) (Weston and Watkins, 1999).

    Targets are class indices of shape prediction.shape[:-1]. The label's class counts in the mean
    of a row, though it has no term.

    Use it for classifiers of several classes with a margin where every class that comes too near to
    the label is to learn from it, not the nearest alone.

    Avoid it where probabilities are wanted; and, unless squared, with Newton steps and boosting, as
    its Hessian is 0.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    margin : float
        By how much the label's score must exceed each other one.
    squared : bool
        Square each term.

    See Also
    --------
    MulticlassHinge : only the largest other score counts.
    SoftmaxCrossEntropy : with probabilities.
    """

    name = "multi_margin"
    optimum = "none"
    ulps = {"float32": (2, 2, 1), "float64": (2, 2, 1)}
    margin: float = finite_positive(1.0)
    squared: bool = flag(False)

    @property
    def scalars(self) -> Any:
        return _Squared if self.squared else _Linear

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return f"margin + z_other = z_label: {'Hessian' if self.squared else 'gradient'} 0"

    @property
    def smooth(self) -> bool:  # type: ignore[override]
        return self.squared

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "nonnegative" if self.squared else "zero"

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.margin,)


# Classes that equal the label's, itself among them, are left out and added at the end. Terms are
# made smaller so that their sums stay finite where their mean is.


def _equals(label: Any, ties: Any) -> Any:
    """More equal classes than the label's; where those are infinite, there is no limit."""
    undefined = (abs(label) == const(inf)) & (ties > const(1.0))
    return where(undefined, const(nan), ties - const(1.0))


def _violation(prediction: Any, label: Any, margin: Any) -> tuple[Any, ...]:
    """What a class keeps; its term in two words and whether it has one, for the sums."""
    smaller, zero, one = const(2.0**-4), const(0.0), const(1.0)
    kept = maximum(_two_violation(margin, prediction, label)[0], zero)
    part, low = _two_violation(smaller * margin, smaller * prediction, smaller * label)
    none = (kept == zero) | (prediction == label)
    count = where(none, zero, one + flat(kept))
    return kept, (where(none, zero, part), where(none, zero, low)), (count, zero)


class _Linear(LabelLoss):
    name = "multi_margin"
    reference = "label"
    term_sums = 2
    fit_sums = 0
    coefficients = 2

    @staticmethod
    def definition(predictions: Any, targets: Any, margin: Any) -> Any:
        violations = _violations(predictions, targets, margin)
        return sum(maximum(const(0.0), v) for v in violations) / const(len(predictions))

    @staticmethod
    def term(prediction: Any, label: Any, margin: Any) -> Any:
        kept, part, count = _violation(prediction, label, margin)
        return kept, (part, count)

    @staticmethod
    def fit(prediction: Any, target: Any, label: Any, margin: Any) -> Any:
        return ()

    @staticmethod
    def finish(label: Any, ties: Any, terms: Any, fits: Any, classes: Any, margin: Any) -> Any:
        smaller, more = const(2.0**-4), _equals(label, ties)
        total = terms[0][0] + fma(more, smaller * margin, terms[0][1])
        row = const(1.0) / classes, (terms[1][0] + more) / -classes
        return total / (smaller * classes), row

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, margin: Any) -> Any:
        slope = where(kept > const(0.0), row[0], flat(kept))
        grad = where(target == const(1.0), row[1], slope)
        return grad, flat(grad)


class _Squared(_Linear):
    name = "squared_multi_margin"
    term_sums = 3
    coefficients = 3

    @staticmethod
    def definition(predictions: Any, targets: Any, margin: Any) -> Any:
        violations = _violations(predictions, targets, margin)
        return sum(maximum(const(0.0), v) ** 2 for v in violations) / const(len(predictions))

    @staticmethod
    def term(prediction: Any, label: Any, margin: Any) -> Any:
        kept, part, count = _violation(prediction, label, margin)
        square, low = two_product(part[0], part[0])
        # negative: a part of a violation that overflows
        kept = where(kept == const(inf), -part[0], kept)
        return kept, ((square, low + const(2.0) * part[0] * part[1]), part, count)

    @staticmethod
    def finish(label: Any, ties: Any, terms: Any, fits: Any, classes: Any, margin: Any) -> Any:
        smaller, two, more = const(2.0**-4), const(2.0), _equals(label, ties)
        part = smaller * margin
        square = terms[0][0] + fma(more * part, part, terms[0][1])
        total = terms[1][0] + fma(more, part, terms[1][1])
        slope = (-two * total) / (smaller * classes)
        curve = (two * (terms[2][0] + more)) / classes
        return square / (smaller * smaller * classes), (two / classes, slope, curve)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, margin: Any) -> Any:
        label = target == const(1.0)
        zero, smaller = const(0.0), const(2.0**-4)
        slope = where(kept < zero, row[0] / -smaller, row[0])
        curve = where(kept == zero, zero, row[0] + flat(kept))
        return where(label, row[1], slope * kept), where(label, row[2], curve)


def simplex_threshold(predictions: Any) -> Any:
    """For definitions: the number above which predictions add up to 1."""
    # a class lies above where those above it exceed it by less than 1 in total
    above = [z for z in predictions if sum(maximum(x - z, const(0.0)) for x in predictions) < 1]
    return (sum(above) - 1) / len(above)


class Sparsemax(LabelProbabilities):
    """Sparsemax loss, ½ Σ max(0, z - τ)² + τ + ½ - z_label (Martins and Astudillo, 2016).

    Probabilities are p = max(0, z - τ), with the threshold τ at which they add up to 1: the point
    of the simplex that lies nearest to the predictions. Targets are class indices of shape
    prediction.shape[:-1]. The gradient is p less the label's 1; where the label's score exceeds all
    others by 1 the loss is 0. Takes O(K log K) for the K classes above the largest score less 1.

    Use it for classifiers whose probabilities may be exactly 0, and with sparsemax attention: only
    the classes that may still be right learn.

    Avoid it where probabilities are scored by their logarithm, which is infinite at 0; and with
    many classes that start alike, among which it chooses early.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.

    See Also
    --------
    SoftmaxCrossEntropy : with probabilities above 0.
    MulticlassHinge : without probabilities.
    """

    name = "sparsemax"
    link = "sparsemax"
    optimum = "mean"
    takes_distributions = False
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    kinks = "prediction = threshold: Hessian as below it"
    ulps = {"float32": (2.5, 1, 1), "float64": (2.5, 1, 1)}
    above_threshold = True
    reference = "maximum"
    term_sums = 3
    fit_sums = 1
    coefficients = 2

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        threshold = simplex_threshold(predictions)
        label = sum(z for z, q in zip(predictions, targets, strict=True) if q)
        squares = sum(maximum(const(0.0), z - threshold) ** 2 for z in predictions)
        return squares / 2 + threshold + const(0.5) - label

    # Predictions come less the threshold. What a label that is the only maximum lacks of 1 is the
    # sum of the others, so that a confident row keeps its digits.

    @staticmethod
    def term(prediction: Any, most: Any) -> Any:
        zero = const(0.0)
        p = maximum(prediction, zero)
        rest = where(prediction == most, zero, p)
        # a square may be subnormal
        square, low = two_product(rest * const(2.0**60), rest * const(2.0**60))
        count = where(prediction > zero, const(1.0), flat(prediction))
        return prediction, ((rest, zero), (square, low), (count, zero))

    @staticmethod
    def fit(prediction: Any, target: Any, most: Any) -> Any:
        return ((prediction, const(0.0)),)

    @staticmethod
    def finish(most: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        one, half = const(1.0), const(0.5)
        label, rest = fits[0][0], terms[0][0]
        squares = (terms[1][0] + terms[1][1]) * const(2.0**-120)
        sure = (label == most) & (ties == one)
        missing = where(sure, rest, one - maximum(label, const(0.0)))
        unsure = fma(half, fma(ties * most, most, squares), half - label)
        value = where(sure, half * fma(rest, rest, squares), unsure)
        return value, (missing, one - one / terms[2][0])

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad = where(target == const(1.0), -row[0], maximum(kept, const(0.0)))
        return grad, where(kept > const(0.0), row[1], flat(kept))
