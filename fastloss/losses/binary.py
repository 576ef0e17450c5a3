"""Losses of one score or one probability against a binary target."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, PROBABILITY, Domain, labels
from .._loss import MapLoss
from .._parameters import (
    CLIP_KINKS,
    choice,
    clip_at,
    finite_positive,
    nonnegative,
    optional_fraction,
    small,
)
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
    two_difference,
    two_exp,
    two_exp_negative,
    two_inverse,
    two_log,
    two_log1p,
    two_product,
    two_sum,
    where,
)
from ._clip import clip, unclipped
from ._exponentials import times_square
from ._logistic import logistic, root_share
from ._softplus import softplus_of
from .regression import SquaredError

__all__ = [
    "BinaryCrossEntropy",
    "Brier",
    "Exponential",
    "Hinge",
    "ModifiedHuber",
    "SigmoidCrossEntropy",
    "SigmoidFocal",
    "SquaredHinge",
]


class SigmoidCrossEntropy(MapLoss):
    """Cross-entropy of a logit, log(1 + exp(z)) - target z; targets may be soft.

    Use it for two classes and for several labels that do not exclude each other, one logit each,
    whenever probabilities are wanted; soft targets are shares of the positive class.

    Avoid it for classes that exclude each other, and pos_weight where the probabilities themselves
    matter: they become those of weighted data.

    Parameters
    ----------
    pos_weight : float
        Multiplies the part of the loss that belongs to the positive class.
    label_smoothing : float
        The share s of each target that is spread over both classes: a target becomes
        (1 - s) target + s / 2, so that labels are s / 2 and 1 - s / 2.
    slope : float
        Multiplies predictions first: probabilities are sigmoid(slope z).

    See Also
    --------
    SoftmaxCrossEntropy : for classes that exclude each other.
    BinaryCrossEntropy : of probabilities.
    Hinge : where only the side counts.
    """

    name = "sigmoid_cross_entropy"
    link = "logit"
    optimum = "mean"
    convex = True
    smooth = True
    hessian_sign = "positive"
    pos_weight: float = finite_positive(1.0)
    label_smoothing: float = small(0.0, below=1.0, examples=(0.1,))
    slope: float = finite_positive(1.0)

    @property
    def link_slope(self) -> float:  # type: ignore[override]
        return self.slope

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.pos_weight == 1 and self.label_smoothing == 0

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, PROBABILITY

    @property
    def scalars(self) -> Any:
        return _ShapedCrossEntropy if self._shaped else SigmoidCrossEntropy

    @property
    def _shaped(self) -> bool:
        return self.label_smoothing != 0 or self.slope != 1

    def kernel_parameters(self) -> tuple[float, ...]:
        if not self._shaped:
            return (self.pos_weight,)
        smoothing = self.label_smoothing
        return self.pos_weight, 1 - smoothing, smoothing / 2, self.slope

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        if self._shaped:
            return dict.fromkeys(("float32", "float64"), _ShapedCrossEntropy.bounds)
        # a weight is one more rounded factor of each side, and of exp(-|z|) where it is subnormal
        weighted = max(3.5, 1.5 + self.pos_weight / 2)
        bounds = (2.0, 2.0, 2.0) if self.pos_weight == 1 else (weighted, weighted, weighted)
        return dict.fromkeys(("float32", "float64"), bounds)

    def mean_to_score(self, mean: Any) -> Any:
        mean = (1 - self.label_smoothing) * mean + self.label_smoothing / 2
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
        softplus, far, _, _ = softplus_of(e, e_low)
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


class _ShapedCrossEntropy(MapLoss):
    """With smoothed labels or a slope."""

    name = "sigmoid_cross_entropy_shaped"
    bounds = (2.5, 3.0, 3.5)

    @staticmethod
    def definition(
        prediction: Any, target: Any, pos_weight: Any, kept: Any, spread: Any, slope: Any
    ) -> Any:
        z = slope * prediction
        positive = pos_weight * (kept * target + spread) * log(1 + exp(-z))
        return positive + (kept * (1 - target) + spread) * log(1 + exp(z))

    @staticmethod
    def formula(
        prediction: Any, target: Any, pos_weight: Any, kept: Any, spread: Any, slope: Any
    ) -> Any:
        half, half_low = two_product(const(0.5) * slope, abs(prediction))
        root, root_low, e, e_low, inverse, inverse_low = logistic(half, half_low)
        positive = pos_weight * fma(kept, target, spread)
        negative = fma(kept, const(1.0) - target, spread)
        both = positive + negative
        up = prediction > const(0.0)
        wrong = where(up, negative, positive)
        share, share_low = root_share(root, root_low, inverse, inverse_low)
        part = both * root
        steep = slope * part
        low = fma(steep, share_low, slope * both * root_low * share)
        # log(1 + e) = e where e may be subnormal
        softplus = both * log1p_unit(e, e_low * inverse)
        tiny = e < const(2.0**-70)
        value = where(tiny, fma(part, root, const(2.0) * part * root_low), softplus)
        # a product of three that neither overflows first nor rounds a subnormal
        far = abs(prediction) > const(2.0**60)
        distance = where(far, const(2.0**-60) * abs(prediction), const(2.0) * half)
        linear = fma(where(far, slope * (const(2.0**60) * wrong), wrong), distance, value)
        value = where(wrong == const(0.0), value, linear)
        side = slope * where(up, negative, -positive)
        grad = where(up, -low, low) + fma(where(up, -steep, steep), share, side)
        hess = fma(steep, slope * share, slope * low)
        return value, grad, fma(-e * inverse, hess, hess)


class BinaryCrossEntropy(MapLoss):
    """Cross-entropy of a probability, -target log p - (1 - target) log(1 - p).

    Use it to score predicted probabilities, and where a model gives nothing else.

    Avoid it for training where there are logits: a probability rounds to 1 where its logit is still
    exact. A forecast of 0 for what happens costs infinity; eps bounds that.

    Parameters
    ----------
    eps : float
        0 is exact and may be infinite; above 0, p is clipped to [eps, 1 - eps], and the gradient
        is 0 outside.

    See Also
    --------
    SigmoidCrossEntropy : of logits.
    CategoricalCrossEntropy : of more than two classes.
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


class Brier(MapLoss):
    """Brier score of a probability, (p - target)² (Brier, 1950); targets may be soft.

    Use it to score predicted probabilities where no single forecast may ruin the score: it is at
    most 1.

    Avoid it for training through a sigmoid, where its gradient vanishes for what is badly wrong;
    and for rare events, where it hardly tells forecasts apart.

    See Also
    --------
    BinaryCrossEntropy : unbounded, and sharper for small probabilities.
    """

    name = "brier"
    optimum = "mean"
    ulps = SquaredError.ulps
    sample = (0.0, 1.0)
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = "probabilities"
    proper = True
    scalars = SquaredError

    def kernel_parameters(self) -> tuple[float, ...]:
        return SquaredError().kernel_parameters()

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, PROBABILITY


class Exponential(MapLoss):
    """Exponential loss, target exp(-z) + (1 - target) exp(z); targets may be soft.

    AdaBoost's (Freund and Schapire, 1997), with a score that is half the logit: the probability
    is sigmoid(2 z) (Friedman, Hastie and Tibshirani, 2000).

    Use it for boosting as AdaBoost does it.

    Avoid it where labels may be wrong, as they count exponentially; SigmoidCrossEntropy has the
    same best scores but for a factor of 2.

    See Also
    --------
    SigmoidCrossEntropy : linear for what is badly wrong.
    ModifiedHuber : linear too, with a margin.
    """

    name = "exponential"
    link = "logit"
    link_slope = 2.0
    optimum = "mean"
    ulps = {"float32": (2.5, 3, 2.5), "float64": (2.5, 3, 2.5)}
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = "probabilities"
    proper = True

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, PROBABILITY

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return target * exp(-prediction) + (1 - target) * exp(prediction)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        half = const(0.5) * prediction
        positive = times_square(target, *two_exp(-half))
        negative = times_square(const(1.0) - target, *two_exp(half))
        value = positive + negative
        return value, negative - positive, value


class SignedLoss(MapLoss):
    """A loss of a score against a label of -1 or +1: slope * target + shift."""

    labels: str = choice("pm1", "01")

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, labels(self.labels)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (1.0, 0.0) if self.labels == "pm1" else (2.0, -1.0)


class _MarginLoss(SignedLoss):
    """One that is 0 from a margin on."""

    margin: float = nonnegative(1.0, extremes=(1e-3, 10.0))

    def kernel_parameters(self) -> tuple[float, ...]:
        return *super().kernel_parameters(), self.margin


class Hinge(_MarginLoss):
    """Hinge loss of a score, max(0, margin - label z) with a label of -1 or +1.

    Use it for classifiers with a margin, such as linear support vector machines: samples beyond the
    margin do not count.

    Avoid it where probabilities are wanted, as a score tells the side and no more; and with Newton
    steps and boosting, as its Hessian is 0.

    Parameters
    ----------
    labels : {"pm1", "01"}
        How targets write the labels: -1 and +1, or 0 and 1.
    margin : float
        From where on a right score costs nothing; 0 gives the perceptron's loss.

    See Also
    --------
    SquaredHinge : with a continuous gradient.
    SigmoidCrossEntropy : with probabilities.
    """

    name = "hinge"
    convex = True
    smooth = False
    hessian_sign = "zero"
    proper = False
    kinks = "label z = margin: gradient 0"
    ulps = {"float32": (1, 0, 0), "float64": (1, 0, 0)}

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "mode" if self.margin == 1 else ""

    @staticmethod
    def definition(prediction: Any, target: Any, slope: Any, shift: Any, margin: Any) -> Any:
        return maximum(const(0.0), margin - (slope * target + shift) * prediction)

    @staticmethod
    def formula(prediction: Any, target: Any, slope: Any, shift: Any, margin: Any) -> Any:
        label = slope * target + shift
        violation = margin - label * prediction
        grad = where(violation > const(0.0), -label, flat(violation))
        return maximum(violation, const(0.0)), grad, flat(violation)


class SquaredHinge(_MarginLoss):
    """Squared hinge loss of a score, max(0, margin - label z)² with a label of -1 or +1.

    Use it for classifiers with a margin where the gradient must be continuous.

    Avoid it where labels may be wrong, as violations count with their square; and where
    probabilities are wanted.

    Parameters
    ----------
    labels : {"pm1", "01"}
        How targets write the labels: -1 and +1, or 0 and 1.
    margin : float
        From where on a right score costs nothing.

    See Also
    --------
    Hinge : counts violations once.
    SigmoidCrossEntropy : with probabilities.
    """

    name = "squared_hinge"
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    proper = False
    kinks = "label z = margin: Hessian 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "mean" if self.margin == 1 else ""

    @staticmethod
    def definition(prediction: Any, target: Any, slope: Any, shift: Any, margin: Any) -> Any:
        return maximum(const(0.0), margin - (slope * target + shift) * prediction) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any, slope: Any, shift: Any, margin: Any) -> Any:
        label = slope * target + shift
        violation = maximum(margin - label * prediction, const(0.0))
        hess = where(violation > const(0.0), const(2.0), flat(violation))
        return violation * violation, const(-2.0) * label * violation, hess


class ModifiedHuber(SignedLoss):
    """Modified Huber loss, max(0, 1 - label z)² from label z = -1 on, -4 label z below.

    The square of the hinge that turns linear where a score is badly wrong (Zhang, 2004). Its best
    score is 2 p - 1, so that (z + 1) / 2 within [0, 1] estimates the probability p.

    Use it for classifiers with a margin where labels may be wrong: it is smooth, and linear for
    what is badly wrong.

    Avoid it where good probabilities are wanted: those of its scores are clipped to 0 and 1.

    Parameters
    ----------
    labels : {"pm1", "01"}
        How targets write the labels: -1 and +1, or 0 and 1.

    See Also
    --------
    SquaredHinge : grows with the square.
    SigmoidCrossEntropy : with probabilities.
    """

    name = "modified_huber"
    kinks = "label z = 1 and label z = -1: Hessian 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = "mean"
    proper = False

    @staticmethod
    def definition(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        right = (slope * target + shift) * prediction
        return where(right < -1, -4 * right, maximum(const(0.0), 1 - right) ** 2)

    @staticmethod
    def formula(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        label = slope * target + shift
        right = label * prediction
        violation = maximum(const(1.0) - right, const(0.0))
        linear = right < const(-1.0)
        value = where(linear, const(-4.0) * right, violation * violation)
        grad = label * where(linear, const(-4.0), const(-2.0) * violation)
        curved = (violation > const(0.0)) & (right > const(-1.0))
        return value, grad, where(curved, const(2.0), flat(violation))


class SigmoidFocal(SignedLoss):
    """Focal loss of a logit, -a (1 - p)^gamma log p with p = sigmoid(label z) (Lin et al., 2017).

    Targets are labels alone: for soft ones there is no agreed meaning.

    Use it where easy samples outnumber the hard ones by far, as in detection.

    Avoid it where probabilities are wanted, which it draws to the middle; and with Newton steps, as
    its Hessian is negative for what is badly wrong.

    Parameters
    ----------
    labels : {"01", "pm1"}
        How targets write the labels: 0 and 1, or -1 and +1.
    alpha : float, optional
        The weight a of the positive class; that of the negative one is 1 - alpha. None weighs both
        with 1.
    gamma : float
        How much confident examples are discounted; 0 gives the cross-entropy.

    See Also
    --------
    SigmoidCrossEntropy : gamma = 0, with probabilities.
    """

    name = "sigmoid_focal"
    link = "logit"
    smooth = True
    alpha: float | None = optional_fraction(None)
    gamma: float = nonnegative(2.0, (0.0, 0.5), extremes=(1e-3, 10.0))
    labels: str = choice("01", "pm1")

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.gamma == 0

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.gamma == 0 else "any"

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.gamma == 0 and self.alpha is None

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        # the power has gamma times the error of the logarithm
        more = self.gamma / 2
        return dict.fromkeys(("float32", "float64"), (2.5 + more, 3.0 + more, 5.0 + more))

    def kernel_parameters(self) -> tuple[float, ...]:
        weights = (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)
        return *super().kernel_parameters(), *weights, self.gamma

    @staticmethod
    def definition(
        prediction: Any, target: Any, slope: Any, shift: Any, positive: Any, negative: Any,
        gamma: Any,
    ) -> Any:  # fmt: skip
        label = slope * target + shift
        weight = where(label > 0, positive, negative)
        log_p = -log(1 + exp(-label * prediction))
        log_rest = -log(1 + exp(label * prediction))
        return -weight * exp(gamma * log_rest) * log_p

    @staticmethod
    def formula(
        prediction: Any, target: Any, slope: Any, shift: Any, positive: Any, negative: Any,
        gamma: Any,
    ) -> Any:  # fmt: skip
        zero, one = const(0.0), const(1.0)
        label = slope * target + shift
        weight = where(label > zero, positive, negative) + flat(label)
        gap = abs(prediction)
        root, root_low, e, e_low, inverse, inverse_low = logistic(const(0.5) * gap, zero)
        share, share_low = root_share(root, root_low, inverse, inverse_low)
        up = label * prediction > zero
        log_term, log_low = two_sum(*two_log1p(e, e_low * inverse))
        both, both_low = two_difference(gap, -log_term)
        both_low = both_low + log_low
        # -log p and -log(1 - p)
        lost, lost_low = where(up, log_term, both), where(up, log_low, both_low)
        surprise = lost + lost_low
        rest, rest_low = where(up, both, log_term), where(up, both_low, log_low)
        power, power_low = two_product(gamma, rest)
        scale = exp(-power, -fma(gamma, rest_low, power_low))
        scale = weight * where(gamma == zero, one + flat(gap), scale)
        # p in two factors, of which one is a root where p may be subnormal
        factor, factor_low = where(up, one, root), where(up, zero, root_low)
        other, other_low = where(up, inverse, share), where(up, inverse_low, share_low)
        p = fma(factor, other, fma(factor, other_low, factor_low * other))
        q = where(up, fma(root, share, fma(root, share_low, root_low * share)), inverse)
        none = factor == zero
        bits = where(none, zero, surprise)  # 0 log 0 = 0
        grad = scale * fma(gamma * p, bits, q)
        lost, lost_low = where(none, zero, lost), where(none, zero, lost_low)
        mixed = fma(-gamma, lost, fma(const(2.0), gamma, one)) - gamma * lost_low
        curve = fma(q, mixed, (gamma * p) * (gamma * bits))
        part = factor * curve
        part_low = fma(part, other_low, factor_low * curve * other)
        return scale * surprise, -label * grad, scale * fma(part, other, part_low)
