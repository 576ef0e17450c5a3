"""Divergences of a predicted distribution from a target distribution."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, LOG_PROBABILITY, MASS, PROBABILITY, Domain
from .._loss import RowLoss
from .._parameters import CLIP_KINKS, choice, clip_at, small
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    inf,
    log,
    two_difference,
    two_log,
    two_product,
    two_sum,
    where,
)
from ._clip import clip, log_clipped, unclipped
from .categorical import CategoricalCrossEntropy, SoftmaxCrossEntropy

__all__ = ["KlDivergence"]


class KlDivergence(RowLoss):
    """Kullback-Leibler divergence, Σ target log(target / p): the target relative to the prediction.

    Targets are class probabilities of prediction's shape.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    eps : float
        For probabilities: 0 is exact and may be infinite; above 0, p is clipped to
        [eps, 1 - eps], and the gradient is 0 outside.
    """

    name = "kl_divergence"
    optimum = "mean"
    convex = unclipped
    smooth = unclipped
    proper = unclipped  # mass below eps is better given to the other classes
    takes_labels = False
    ulps = {"float32": (2, 2, 2.5), "float64": (2, 2, 2.5)}
    prediction_is: str = choice("logits", "log_probs", "probs")
    eps: float = small(0.0, below=0.5)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        signs = {"logits": "positive", "log_probs": "zero", "probs": "nonnegative"}
        return signs[self.prediction_is]

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return CLIP_KINKS if self.eps else ""

    @property
    def scalars(self) -> Any:
        return _SCALARS[self.prediction_is]

    @property
    def link(self) -> str:  # type: ignore[override]
        return {"logits": "multilogit", "log_probs": "log", "probs": "identity"}[self.prediction_is]

    def _check(self) -> None:
        if self.eps and self.prediction_is != "probs":
            raise ValueError(
                f"eps belongs to prediction_is='probs'; got eps={self.eps!r} with "
                f"prediction_is={self.prediction_is!r}"
            )

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_at(self.eps) if self.prediction_is == "probs" else ()

    def domains(self) -> tuple[Domain, ...]:
        predictions = {"logits": ANYTHING, "log_probs": LOG_PROBABILITY, "probs": PROBABILITY}
        return predictions[self.prediction_is], MASS


def _product(target: Any, gap: Any, gap_low: Any) -> Any:
    """The target times a number of two words, nothing where there is no target."""
    value, low = two_product(target, gap)
    none = target == const(0.0)
    low = low + target * gap_low
    return where(none, const(0.0), value), where(none, const(0.0), low)


class _OfLogits(SoftmaxCrossEntropy):
    """Cross-entropy less the target's entropy, summed class by class."""

    name = "kl_divergence"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        total = log(sum(exp(z) for z in predictions))
        pairs = zip(predictions, targets, strict=True)
        return sum(q * (log(q) + total - z) for z, q in pairs if q)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        zero = const(0.0)
        # the whole gap may overflow
        below, below_low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        top = prediction == maximum
        none = target == zero
        log_target, log_low = two_log(target)
        half, half_low = two_sum(where(top, zero, below), const(0.5) * log_target)
        half_low = half_low + (const(0.5) * log_low + where(top, zero, below_low))
        product, product_low = two_product(const(2.0) * target, half)
        low = product_low + const(2.0) * target * half_low
        low = where(none | (abs(product) == const(inf)), zero, low)
        return (where(none, zero, product), low), (target, zero)


class _OfLogProbs(RowLoss):
    name = "kl_divergence_log_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        return sum(q * (log(q) - z) for z, q in zip(predictions, targets, strict=True) if q)

    @staticmethod
    def term(prediction: Any, maximum: Any) -> Any:
        return prediction, ()

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        log_target, log_low = two_log(target)
        gap, gap_low = two_difference(log_target, prediction)
        return (_product(target, gap, gap_low + log_low),)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any) -> Any:
        return fits[0][0] + fits[0][1], ()

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        used = target != const(0.0)
        zero = const(0.0)
        return where(used, flat(kept) - target, zero), where(used, flat(kept), zero)


class _OfProbs(CategoricalCrossEntropy):
    name = "kl_divergence_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any, eps: Any) -> Any:
        clipped = (clip(p, eps) for p in predictions)
        return sum(q * log(q / p) for p, q in zip(clipped, targets, strict=True) if q)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, eps: Any) -> Any:
        log_target, target_low = two_log(target)
        log_p, log_p_low = log_clipped(prediction, eps)
        gap, gap_low = two_difference(log_p, log_target)
        return (_product(target, gap, gap_low + (log_p_low - target_low)),)


_SCALARS = {"logits": _OfLogits, "log_probs": _OfLogProbs, "probs": _OfProbs}
