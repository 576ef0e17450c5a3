"""Cross-entropies over the classes of a row."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, MASS, PROBABILITY, Domain
from .._loss import RowLoss
from .._parameters import CLIP_KINKS, clip_ends, optional_integer, optional_weights, small
from ..vocabulary import (
    abs,
    const,
    exp,
    exp_negative,
    inf,
    log,
    log1p,
    nan,
    two_difference,
    where,
)

__all__ = ["CategoricalCrossEntropy", "SoftmaxCrossEntropy"]


class _CategoricalLoss(RowLoss):
    """A loss of rows with the options of labels, which the driver carries out."""

    optimum = "mean"
    class_weight: tuple[float, ...] | None = optional_weights()
    ignore_index: int | None = optional_integer()
    label_smoothing: float = small(0.0, below=1.0)


class SoftmaxCrossEntropy(_CategoricalLoss):
    """Cross-entropy of logits, log Σ exp(z) - z_label; for a target distribution q, -Σ q log p.

    Targets are class indices of shape prediction.shape[:-1], or class probabilities of
    prediction's shape.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    label_smoothing : float
        Share of the target mass that is spread evenly over all classes.
    """

    name = "softmax_cross_entropy"
    link = "multilogit"
    uses_maximum = True
    term_sums = 1
    fit_sums = 2
    coefficients = 3
    ulps = {"float32": (2.5, 6, 6.5), "float64": (2.5, 6, 6.5)}

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        total = log(sum(exp(z) for z in predictions))
        return sum(q * (total - z) for z, q in zip(predictions, targets, strict=True) if q)

    # With m = max z, e_j = exp(z_j - m) and r = sum of the e_j but one maximum:
    # log-sum-exp = m + log1p(r), so a confident row keeps its full relative precision.

    @staticmethod
    def term(prediction: Any, maximum: Any) -> Any:
        high, low = two_difference(prediction, maximum)
        top = prediction == maximum  # also where both are +inf
        e = exp_negative(high, low)
        return where(top, const(1.0), e), (where(top, const(0.0), e),)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        none = (target == const(0.0)) | (prediction == maximum)
        half = const(0.5) * maximum - const(0.5) * prediction  # the whole gap may overflow
        value = where(none, const(0.0), target * half)
        return value + value, target

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any) -> Any:
        # several infinite maxima have no limit
        undefined = (abs(maximum) == const(inf)) & (ties > const(1.0))
        rest = where(undefined, const(nan), terms[0] + (ties - const(1.0)))
        value = fits[0] + fits[1] * log1p(rest)
        return value, (const(1.0) / (const(1.0) + rest), rest, fits[1])

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        inverse = row[0]
        rest = row[1]
        mass = row[2]
        grad = ((mass * kept - target) - target * rest) * inverse
        others = ((const(1.0) - kept) + rest) * inverse
        return grad, mass * (kept * inverse) * others


class CategoricalCrossEntropy(_CategoricalLoss):
    """Cross-entropy of probabilities, -log p_label; for a target distribution q, -Σ q log p.

    Targets are class indices of shape prediction.shape[:-1], or class probabilities of
    prediction's shape. Predictions are taken as they are: rows are not normalised.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    label_smoothing : float
        Share of the target mass that is spread evenly over all classes.
    eps : float
        0 is exact and may be infinite; above 0, p is clipped to [eps, 1 - eps], and the gradient
        is 0 outside.
    """

    name = "categorical_cross_entropy"
    ulps = {"float32": (2.5, 2, 2.5), "float64": (2.5, 2, 2.5)}
    sample = (0.001, 0.999)
    eps: float = small(0.0, below=0.5)

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return CLIP_KINKS if self.eps else ""

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_ends(self.eps)

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any, low: Any, high: Any) -> Any:
        clipped = (where(p < low, low, where(p > high, high, p)) for p in predictions)
        return sum(-q * log(p) for p, q in zip(clipped, targets, strict=True) if q)

    @staticmethod
    def term(prediction: Any, maximum: Any, low: Any, high: Any) -> Any:
        return prediction + const(0.0), ()  # -0 becomes 0

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, low: Any, high: Any) -> Any:
        p = where(prediction <= low, low, where(prediction >= high, high, prediction))
        return (where(target == const(0.0), const(0.0), -target * log(p)),)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, low: Any, high: Any) -> Any:
        return fits[0], ()

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, low: Any, high: Any) -> Any:
        none = (kept <= low) | (kept >= high) | (target == const(0.0))
        slope = target / kept
        return where(none, const(0.0), -slope), where(none, const(0.0), slope / kept)
