"""Cross-entropies over the classes of a row."""

from __future__ import annotations

from typing import Any, ClassVar

from .._domains import ANYTHING, LOG_PROBABILITY, MASS, PROBABILITY, Domain
from .._parameters import CLIP_KINKS, clip_at, flag, small
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
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
from ._labels import LabelLoss
from ._over_classes import OverClasses
from .regression import SquaredError

__all__ = ["CategoricalCrossEntropy", "MulticlassBrier", "Nll", "SoftmaxCrossEntropy"]

_of_class = SquaredError.formula


class _CategoricalLoss(LabelLoss):
    """A loss of rows whose labels are distributions that can be smoothed."""

    optimum = "mean"
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

    Use it for classes that exclude each other: classifiers, language models, distillation with soft
    targets.

    Avoid it where several labels of a row may be true, and class_weight or label_smoothing where
    the probabilities themselves matter, which both distort.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    label_smoothing : float
        Share of the target mass that is spread evenly over all classes.

    See Also
    --------
    SigmoidCrossEntropy : for labels that do not exclude each other.
    CategoricalCrossEntropy : of probabilities.
    KlDivergence : the same gradient, and 0 at the target.
    """

    name = "softmax_cross_entropy"
    link = "multilogit"
    convex = True
    smooth = True
    hessian_sign = "positive"
    reference = "maximum"
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
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
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

    Use it to score predicted probabilities of classes, and where a model gives nothing else.

    Avoid it for training where there are logits; and of rows that do not add up to 1, which it does
    not notice.

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

    See Also
    --------
    SoftmaxCrossEntropy : of logits.
    BinaryCrossEntropy : of two classes.
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
    def finish(reference: Any, ties: Any, terms: Any, fits: Any, classes: Any, eps: Any) -> Any:
        return const(0.0) - (fits[0][0] + fits[0][1]), ()

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, eps: Any) -> Any:
        none = is_clipped(kept, eps) | (target == const(0.0))
        slope = target / kept
        # both quotients are raised, as the first may be subnormal
        curve = (target * const(2.0**60)) / kept / (kept * const(2.0**60))
        return where(none, const(0.0), -slope), where(none, const(0.0), curve)


class Nll(_CategoricalLoss):
    """Negative log-likelihood, -z_label of log-probabilities z; for a distribution q, -Σ q z.

    Targets are class indices of shape prediction.shape[:-1], or class probabilities of
    prediction's shape. Predictions are taken as they are: rows are not normalised.

    Use it where a model gives log-probabilities, as log-softmax does.

    Avoid it where there are logits, of which one pass makes the same; and of rows that are not
    log-probabilities, which it does not notice.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    label_smoothing : float
        Share of the target mass that is spread evenly over all classes.

    See Also
    --------
    SoftmaxCrossEntropy : of logits.
    CategoricalCrossEntropy : of probabilities.
    """

    name = "nll"
    link = "log"
    convex = True
    smooth = True
    hessian_sign = "zero"
    bounds = (1, 0, 0)

    def domains(self) -> tuple[Domain, ...]:
        return LOG_PROBABILITY, MASS

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        return sum(-q * z for z, q in zip(predictions, targets, strict=True) if q)

    @staticmethod
    def term(prediction: Any, reference: Any) -> Any:
        return prediction, ()

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any) -> Any:
        product, low = two_product(target, prediction)
        none, zero = target == const(0.0), const(0.0)
        return ((where(none, zero, zero - product), where(none, zero, -low)),)

    @staticmethod
    def finish(reference: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return fits[0][0] + fits[0][1], ()

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        used, zero = target != const(0.0), const(0.0)
        return where(used, flat(kept) - target, zero), where(used, flat(kept), zero)


class MulticlassBrier(LabelLoss, OverClasses):
    """Brier score of class probabilities, Σ (p - target)² over the classes (Brier, 1950).

    Targets are class indices of shape prediction.shape[:-1], or class probabilities of
    prediction's shape.

    Use it to score predicted probabilities of classes where no single forecast may ruin the score:
    of rows that add up to 1 it is at most 2.

    Avoid it for training through a softmax, where its gradient vanishes for what is badly wrong;
    and for rare classes, where it hardly tells forecasts apart.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    half : bool
        Give half of it, which for two classes is the squared error of one of them.

    See Also
    --------
    Brier : of two classes, from one probability.
    CategoricalCrossEntropy : unbounded, and of the label's probability alone.
    """

    name = "multiclass_brier"
    optimum = "mean"
    convex = True
    smooth = True
    hessian_sign = "positive"
    encoding = "one_hot"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    sample = (0.001, 0.999)
    half: bool = flag(False)

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.class_weight is None

    def kernel_parameters(self) -> tuple[float, ...]:
        return SquaredError(half=self.half).kernel_parameters()

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any, factor: Any) -> Any:
        return factor * sum((p - q) ** 2 for p, q in zip(predictions, targets, strict=True))

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, factor: Any) -> Any:
        return ((_of_class(prediction, target, factor)[0], const(0.0)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, factor: Any) -> Any:
        _, grad, hess = _of_class(kept, target, factor)
        return grad, hess
