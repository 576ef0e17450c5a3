"""Cross-entropies over the classes of a row."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from .._domains import ANYTHING, LOG_PROBABILITY, MASS, PROBABILITY, Domain
from .._parameters import (
    CLIP_KINKS,
    clip_at,
    finite_positive,
    flag,
    fraction,
    nonnegative,
    positive,
    small,
)
from ..vocabulary import (
    abs,
    const,
    constant,
    exp,
    expm1,
    flat,
    fma,
    log,
    lowered,
    power,
    two_difference,
    two_exp_raised,
    two_log_fine,
    two_product,
    where,
)
from ._clip import clip, is_clipped, log_clipped, unclipped
from ._label_softmax import LabelSoftmax, label_probability, label_row, label_words
from ._labels import LabelProbabilities
from ._over_classes import OverClasses
from ._softmax import softmax_emit, softmax_finish, softmax_fit, softmax_term
from ._tempered_softmax import CappedSoftmax, TemperedSoftmax
from ._two_words import plus
from .regression import SquaredError

__all__ = [
    "CategoricalCrossEntropy",
    "GeneralizedCrossEntropy",
    "MulticlassBrier",
    "Nll",
    "Poly1",
    "SoftmaxCrossEntropy",
    "SoftmaxFocal",
]

_of_class = SquaredError.formula


class _CategoricalLoss(LabelProbabilities):
    """A loss of rows whose labels are distributions that can be smoothed."""

    optimum = "mean"
    label_smoothing: float = small(0.0, below=1.0, examples=(0.1,))
    bounds: ClassVar[tuple[float, float, float]]

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return super().proper and self.label_smoothing == 0

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        value, grad, hess = self.bounds
        # smoothing rounds the targets twice more
        more = 1.0 if self.label_smoothing else 0.0
        return dict.fromkeys(("float32", "float64"), (value + more, grad + more, hess + more))


class SoftmaxCrossEntropy(_CategoricalLoss):
    """Cross-entropy of logits, log Σ exp(z) - z_label; for a target distribution q, -Σ q log p.

    Targets are class indices of shape prediction.shape[:-1], or class probabilities of
    prediction's shape. Logits are first capped, then divided by the temperature.

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
    z_loss : float
        Adds z_loss (log Σ exp(z))², which draws the normaliser to 1; weighted like the rest.
    softcap : float
        Turns logits to softcap tanh(z / softcap); infinite for none.
    temperature : float
        What logits are divided by.

    See Also
    --------
    SigmoidCrossEntropy : for labels that do not exclude each other.
    CategoricalCrossEntropy : of probabilities.
    KlDivergence : the same gradient, and 0 at the target.
    """

    name = "softmax_cross_entropy"
    link = "multilogit"
    smooth = True
    reference = "maximum"
    term_sums = 1
    fit_sums = 2
    coefficients = 7
    z_loss: float = nonnegative(0.0, examples=(0.3,), extremes=(1e-3, 10.0))
    softcap: float = positive(math.inf, examples=(5.0,), extremes=(0.5, 50.0))
    temperature: float = finite_positive(1.0)

    @property
    def scalars(self) -> Any:
        if self.softcap < math.inf:
            return CappedSoftmax
        return SoftmaxCrossEntropy if self._plain else TemperedSoftmax

    @property
    def _plain(self) -> bool:
        return self.z_loss == 0 and self.temperature == 1 and self.softcap == math.inf

    def kernel_parameters(self) -> tuple[float, ...]:
        if self.softcap < math.inf:
            return self.z_loss, self.temperature, self.softcap
        return () if self._plain else (self.z_loss, self.temperature)

    @property
    def bounds(self) -> tuple[float, float, float]:  # type: ignore[override]
        if self.softcap < math.inf:
            # of the capped logits, which exp makes relative ones
            more = min(self.softcap, self.softcap / self.temperature) / 4
            return 3 + more, 4 + more, 11 + more
        # a subnormal mass is rounded on the way to a Hessian
        return (1.5, 2, 2.5) if self._plain else (3, 3.5, 4.5)

    @property
    def link_slope(self) -> float:  # type: ignore[override]
        return 1 / self.temperature

    @property
    def optimum(self) -> str:  # type: ignore[override]
        return "mean" if self.softcap == math.inf else "none"

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.z_loss == 0 and self.softcap == math.inf

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.convex else "any"

    @property
    def proper(self) -> bool:  # type: ignore[override]
        # capped logits do not reach all probabilities
        return super().proper and self.softcap == math.inf

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        total = log(sum(exp(z) for z in predictions))
        return sum(q * (total - z) for z, q in zip(predictions, targets, strict=True) if q)

    @staticmethod
    def term(prediction: Any, maximum: Any) -> Any:
        high, low = two_difference(prediction, maximum)
        return softmax_term(high, low, prediction == maximum)  # also where both are +inf

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        half, half_low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        return softmax_fit(half, half_low, target, prediction == maximum)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return softmax_finish(maximum, ties, terms, fits)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        return softmax_emit(kept, target, row)


class SoftmaxFocal(LabelSoftmax):
    """Focal loss of logits, -(1 - p)^gamma log p of the label's probability (Lin et al., 2017).

    Targets are class indices of shape prediction.shape[:-1].

    Use it where easy rows are so many that they drown the hard ones.

    Avoid it where the probabilities themselves matter: it draws them to the middle.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class, often called alpha; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    gamma : float
        How much confident rows are discounted; 0 gives the cross-entropy.

    See Also
    --------
    SoftmaxCrossEntropy : with class weights, for rare classes.
    SigmoidFocal : for two classes, or labels that do not exclude each other.
    Poly1 : adds to what rows pull instead.
    """

    name = "softmax_focal"
    optimum = "none"
    gamma: float = nonnegative(2.0, examples=(0.0, 0.5), extremes=(1e-3, 10.0))

    @property
    def bounds(self) -> tuple[float, float, float]:  # type: ignore[override]
        # the power has gamma times the error of 1 - p
        more = self.gamma / 2
        return 3 + more, 4 + more, 5 + more

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.gamma == 0

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.gamma,)

    @staticmethod
    def definition(predictions: Any, targets: Any, gamma: Any) -> Any:
        log_p, _, rest = label_probability(predictions, targets)
        return -power(rest, gamma) * log_p

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, gamma: Any) -> Any:
        zero, one, two = const(0.0), const(1.0), const(2.0)
        surprise, lost, raised, q, q_low = label_words(maximum, ties, terms, fits)
        log_q, log_low = two_log_fine(q, q_low)
        exponent, low = two_product(gamma, log_q)
        discount = exp(exponent, low + gamma * log_low)
        discount = where(gamma == zero, one + flat(q), discount)  # 0^0 = 1
        none = raised == zero
        # p log p and its ratio to 1 - p, which tends to 1
        product = where(none, zero, raised * surprise)
        ratio = where(q == zero, one, lowered(product) / q)
        curve = fma(gamma - one, ratio, two - surprise) - lost
        mixed = fma(-gamma, surprise, fma(two, gamma, one)) - gamma * lost
        hess = fma(q, mixed, gamma * gamma * lowered(product))
        return label_row(
            maximum, ties, terms, discount * surprise, discount * fma(gamma, ratio, one),
            where(none, zero, (gamma * discount) * (raised * curve)),
            where(none, zero, lowered((raised * hess) * discount)), q,
        )  # fmt: skip


class Poly1(LabelSoftmax):
    """PolyLoss of first order, -log p + epsilon (1 - p) of logits (Leng et al., 2022).

    Targets are class indices of shape prediction.shape[:-1].

    Use it where a cross-entropy classifies well and one more number to tune may be worth it.

    Avoid it where the probabilities themselves matter: it draws them to the ends.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    epsilon : float
        The weight of the first order; 0 gives the cross-entropy. At 1 terms of a Hessian cancel
        where p vanishes, and the ulp is that of the larger one.

    See Also
    --------
    SoftmaxCrossEntropy : of probabilities as they are.
    SoftmaxFocal : discounts confident rows.
    """

    name = "poly1"
    optimum = "none"
    epsilon: float = nonnegative(2.0, examples=(0.0, 0.5), extremes=(1e-3, 10.0))

    @property
    def bounds(self) -> tuple[float, float, float]:  # type: ignore[override]
        # a subnormal 1 - p is rounded before it is multiplied
        more = max(0.0, self.epsilon - 2) / 2
        return 2 + more, 4 + more, 7.5 + more

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.epsilon <= 1

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return super().proper and self.epsilon == 0

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.epsilon,)

    @staticmethod
    def definition(predictions: Any, targets: Any, epsilon: Any) -> Any:
        log_p, _, rest = label_probability(predictions, targets)
        return epsilon * rest - log_p

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, epsilon: Any) -> Any:
        one = const(1.0)
        surprise, _, raised, q, _ = label_words(maximum, ties, terms, fits)
        p, part = lowered(raised), raised * q
        hess = lowered(part * fma(const(2.0) * epsilon, p, one - epsilon))
        return label_row(
            maximum, ties, terms, fma(epsilon, q, surprise), fma(epsilon, p, one),
            -epsilon * part, hess, q,
        )  # fmt: skip


class GeneralizedCrossEntropy(LabelSoftmax):
    """Generalised cross-entropy, (1 - p^q) / q of logits (Zhang and Sabuncu, 2018).

    Between the cross-entropy, q = 0, and the mean absolute error of probabilities, q = 1. Targets
    are class indices of shape prediction.shape[:-1].

    Use it where many labels are wrong: what a row can cost has an end, and its pull fades.

    Avoid it where labels are right, as it learns hard rows slowly; and where the probabilities
    themselves matter.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    q : float
        The exponent, between 0 and 1.

    See Also
    --------
    SoftmaxCrossEntropy : learns every label; its label_smoothing weakens the wrong ones.
    """

    name = "generalized_cross_entropy"
    optimum = "mean"
    convex = False
    bounds = (4, 5, 6)
    q: float = fraction(0.7)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.q,)

    def mean_to_score(self, mean: Any) -> Any:
        return super().mean_to_score(mean) / (1 - self.q)

    @staticmethod
    def definition(predictions: Any, targets: Any, exponent: Any) -> Any:
        log_p, _, _ = label_probability(predictions, targets)
        return (1 - exp(exponent * log_p)) / exponent

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, exponent: Any) -> Any:
        surprise, low, raised, q, _ = label_words(maximum, ties, terms, fits)
        product, product_low = two_product(exponent, surprise)
        low = product_low + exponent * low
        value = -expm1(-product, -low) / exponent
        value = where(product < const(2.0**-60), surprise, value)  # which may be subnormal
        e, e_low = two_exp_raised(-product, -low)
        discount = e + e_low
        part = discount * q
        hess = lowered(part * fma(-exponent, q, lowered(raised)))
        return label_row(
            maximum, ties, terms, value,
            lowered(discount), -exponent * part, hess, q,
        )  # fmt: skip


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
    fit_sums = 2

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
        # tiny products add up in a unit of their own, where none is subnormal
        tiny = abs(target * prediction) < constant(2.0**-90, 2.0**-900)
        unit = where(tiny, constant(2.0**64, 2.0**200), const(1.0))
        product, low = two_product(unit * target, prediction)
        none, zero = tiny | (target == const(0.0)), const(0.0)
        return (
            (where(none, zero, zero - product), where(none, zero, -low)),
            (where(tiny, zero - product, zero), where(tiny, -low, zero)),
        )

    @staticmethod
    def finish(reference: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        unit, (tiny, tiny_low) = constant(2.0**-64, 2.0**-200), fits[1]
        value, low = plus(fits[0][0], fits[0][1], unit * tiny, unit * tiny_low)
        return value + low, ()

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        used, zero = target != const(0.0), const(0.0)
        return where(used, flat(kept) - target, zero), where(used, flat(kept), zero)


class MulticlassBrier(LabelProbabilities, OverClasses):
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
