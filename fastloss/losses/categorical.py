"""Cross-entropies over the classes of a row."""

from __future__ import annotations

from typing import Any, ClassVar

from .._domains import ANYTHING, MASS, PROBABILITY, Domain
from .._loss import RowLoss
from .._parameters import CLIP_KINKS, clip_at, optional_integer, optional_weights, small
from ..vocabulary import (
    abs,
    const,
    exp,
    fma,
    inf,
    log,
    lowered,
    nan,
    two_difference,
    two_exp_raised,
    two_inverse,
    two_log1p,
    two_product,
    two_sum,
    where,
)
from ._clip import clip, is_clipped, log_clipped, unclipped

__all__ = ["CategoricalCrossEntropy", "SoftmaxCrossEntropy"]


class _CategoricalLoss(RowLoss):
    """A loss of rows with the options of labels, which the driver carries out."""

    optimum = "mean"
    class_weight: tuple[float, ...] | None = optional_weights()
    ignore_index: int | None = optional_integer()
    label_smoothing: float = small(0.0, below=1.0, examples=(0.1,))
    bounds: ClassVar[tuple[float, float, float]]

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.class_weight is None and self.label_smoothing == 0

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        value, grad, hess = self.bounds
        # smoothing rounds the targets twice more
        more = 1.0 if self.label_smoothing else 0.0
        return dict.fromkeys(("float32", "float64"), (value + more, grad + more, hess + more))


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
    convex = True
    smooth = True
    hessian_sign = "positive"
    uses_maximum = True
    term_sums = 1
    fit_sums = 2
    coefficients = 7
    bounds = (1.5, 2, 2.5)  # a subnormal mass is rounded on the way to a Hessian

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
        e, e_low = two_exp_raised(high, low)
        zero = const(0.0)
        kept = where(top, const(1.0), lowered(e))
        return kept, ((where(top, zero, e), where(top, zero, e_low)),)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        none = (target == const(0.0)) | (prediction == maximum)
        # the whole gap may overflow
        half, half_low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        product, product_low = two_product(const(2.0) * target, half)
        low = product_low + const(2.0) * target * half_low
        zero = const(0.0)
        return (where(none, zero, product), where(none, zero, low)), (target, zero)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any) -> Any:
        others, others_low = two_sum(lowered(terms[0][0]), ties - const(1.0))
        # several infinite maxima have no limit
        undefined = (abs(maximum) == const(inf)) & (ties > const(1.0))
        rest = others + where(undefined, const(nan), const(0.0))
        rest_low = others_low + lowered(terms[0][1])
        total, total_low = two_sum(const(1.0), rest)
        total_low = total_low + rest_low
        inverse, inverse_low = two_inverse(total, total_low)
        gap, gap_low = fits[0]
        mass, mass_low = fits[1]
        share = mass * inverse
        share_low = fma(mass, inverse, -share) + fma(mass, inverse_low, mass_low * inverse)
        softplus, softplus_low = two_log1p(rest, rest_low * inverse)
        product, product_low = two_product(mass, softplus)
        product_low = product_low + (mass * softplus_low + mass_low * softplus)
        value, value_low = two_sum(gap, product)
        value_low = value_low + (gap_low + product_low)
        value = where(value_low - value_low == const(0.0), value + value_low, value)
        return value, (share, share_low, inverse, inverse_low, total, total_low, mass)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        share, share_low = row[0], row[1]
        inverse, inverse_low = row[2], row[3]
        total, total_low = row[4], row[5]
        mass = row[6]
        part = fma(kept, share, kept * share_low)  # mass p
        part_low = fma(kept, share, -part) + kept * share_low
        rest = total - kept
        rest_low = ((total - rest) - kept) + total_low
        others = rest * inverse  # 1 - p
        others_low = fma(rest, inverse, -others) + fma(rest, inverse_low, rest_low * inverse)
        missing = fma(rest, share, fma(rest, share_low, rest_low * share))
        # where a class has all the mass, the difference would cancel
        surplus, surplus_low = two_difference(part, target)
        grad = where(target == mass, -missing, surplus + (surplus_low + part_low))
        hess = fma(part, others, fma(part, others_low, part_low * others))
        return where(target == const(0.0), part, grad), hess


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
    convex = unclipped
    smooth = unclipped
    bounds = (1.5, 2, 2)
    sample = (0.001, 0.999)
    eps: float = small(0.0, below=0.5)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.label_smoothing and not self.eps else "nonnegative"

    @property
    def proper(self) -> bool:  # type: ignore[override]
        # mass below eps is better given to the other classes
        return super().proper and self.eps == 0

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return CLIP_KINKS if self.eps else ""

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_at(self.eps)

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any, eps: Any) -> Any:
        clipped = (clip(p, eps) for p in predictions)
        return sum(-q * log(p) for p, q in zip(clipped, targets, strict=True) if q)

    @staticmethod
    def term(prediction: Any, maximum: Any, eps: Any) -> Any:
        return prediction + const(0.0), ()  # -0 becomes 0

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, eps: Any) -> Any:
        log_p, log_p_low = log_clipped(prediction, eps)
        value, low = two_product(target, log_p)
        none = target == const(0.0)
        zero = const(0.0)
        return ((where(none, zero, value), where(none, zero, low + target * log_p_low)),)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, eps: Any) -> Any:
        return const(0.0) - (fits[0][0] + fits[0][1]), ()

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, eps: Any) -> Any:
        none = is_clipped(kept, eps) | (target == const(0.0))
        slope = target / kept
        # both quotients are raised, as the first may be subnormal
        curve = (target * const(2.0**60)) / kept / (kept * const(2.0**60))
        return where(none, const(0.0), -slope), where(none, const(0.0), curve)
