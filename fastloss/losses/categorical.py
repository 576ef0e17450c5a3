"""Cross-entropies over the classes of a row."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from .._domains import ANYTHING, CLASS_INDEX, LOG_PROBABILITY, MASS, PROBABILITY, Domain
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
    exp,
    expm1,
    flat,
    fma,
    inf,
    log,
    lowered,
    nan,
    power,
    sech_squared,
    tanh,
    two_difference,
    two_exp_raised,
    two_inverse,
    two_log1p,
    two_log_fine,
    two_product,
    two_sum,
    two_tanh,
    where,
)
from ..vocabulary.special import normalized, two_times
from ._clip import clip, is_clipped, log_clipped, unclipped
from ._labels import LabelLoss
from ._over_classes import OverClasses
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
            return _Capped
        return SoftmaxCrossEntropy if self._plain else _Tempered

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
        return _term(high, low, prediction == maximum)  # also where both are +inf

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        half, half_low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        return _fit(half, half_low, target, prediction == maximum)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return _finish(maximum, ties, terms, fits)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        return _emit(kept, target, row)


# With m = max z, e_j = exp(z_j - m) and r = sum of the e_j but one maximum:
# log-sum-exp = m + log1p(r), so a confident row keeps its full relative precision.


def _term(below: Any, below_low: Any, top: Any) -> Any:
    """Of a logit less the maximum."""
    e, e_low = two_exp_raised(below, below_low)
    zero = const(0.0)
    kept = where(top, const(1.0), lowered(e))
    return kept, ((where(top, zero, e), where(top, zero, e_low)),)


def _fit(half: Any, half_low: Any, target: Any, top: Any) -> Any:
    """Of half the maximum less a logit, as the whole may overflow."""
    none = (target == const(0.0)) | top
    product, product_low = two_product(const(2.0) * target, half)
    low = product_low + const(2.0) * target * half_low
    zero = const(0.0)
    return (where(none, zero, product), where(none, zero, low)), (target, zero)


def _normalizer(maximum: Any, ties: Any, terms: Any) -> tuple[Any, ...]:
    """The sum of the e_j but one, of all, one over it, its logarithm: all in two words."""
    others, others_low = two_sum(lowered(terms[0][0]), ties - const(1.0))
    # several infinite maxima have no limit
    undefined = (abs(maximum) == const(inf)) & (ties > const(1.0))
    rest = others + where(undefined, const(nan), const(0.0))
    rest_low = others_low + lowered(terms[0][1])
    total, total_low = two_sum(const(1.0), rest)
    total_low = total_low + rest_low
    inverse, inverse_low = two_inverse(total, total_low)
    softplus, softplus_low = two_log1p(rest, rest_low * inverse)
    return rest, rest_low, total, total_low, inverse, inverse_low, softplus, softplus_low


def _finish(maximum: Any, ties: Any, terms: Any, fits: Any) -> Any:
    _, _, total, total_low, inverse, inverse_low, softplus, softplus_low = _normalizer(
        maximum, ties, terms
    )
    gap, gap_low = fits[0]
    mass, mass_low = fits[1]
    share = mass * inverse
    share_low = fma(mass, inverse, -share) + fma(mass, inverse_low, mass_low * inverse)
    product, product_low = two_product(mass, softplus)
    product_low = product_low + (mass * softplus_low + mass_low * softplus)
    value, value_low = two_sum(gap, product)
    value_low = value_low + (gap_low + product_low)
    value = where(value_low - value_low == const(0.0), value + value_low, value)
    return value, (share, share_low, inverse, inverse_low, total, total_low, mass)


def _emit(kept: Any, target: Any, row: Any) -> Any:
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


def _probability(kept: Any, inverse: Any, inverse_low: Any, total: Any, total_low: Any) -> Any:
    """The probability of a class, p, and p (1 - p)."""
    row = inverse, inverse_low, inverse, inverse_low, total, total_low, const(1.0)
    return _emit(kept, const(0.0), row)


# ---- with a temperature, a penalty of the normaliser, a cap


def _tempered(high: Any, low: Any, temperature: Any) -> tuple[Any, Any]:
    inverse, inverse_low = two_inverse(temperature, const(0.0))
    product, product_low = two_product(high, inverse)
    product_low = product_low + (high * inverse_low + low * inverse)
    return product, where(abs(product) < const(inf), product_low, const(0.0))


def _tempered_finish(
    maximum: Any, maximum_low: Any, ties: Any, terms: Any, fits: Any, z_loss: Any, temperature: Any
) -> Any:
    value, row = _finish(maximum, ties, terms, fits)
    # both parts of the log-sum-exp may all but cancel
    rest, rest_low = two_log_fine(row[4], row[5])
    top, top_low = _tempered(maximum, maximum_low, temperature)
    total, low = two_sum(top, rest)
    low = low + (top_low + rest_low)
    log_sum = where(low - low == const(0.0), total + low, total)
    limit = where(z_loss == const(0.0), const(0.0), const(inf))
    infinite = abs(log_sum) == const(inf)
    product = where(infinite, where(log_sum > const(0.0), limit, -limit), z_loss * log_sum)
    square = where(infinite, limit, product * log_sum)
    slope = const(2.0) * product
    finite = where(abs(slope) < const(inf), slope, flat(slope))
    return value + square, (*row, fits[1][1], slope, finite)


def _raised_term(below: Any, below_low: Any, top: Any) -> Any:
    """Keeps e raised: the slope of z_loss may multiply a subnormal one."""
    zero = const(0.0)
    e, e_low = two_exp_raised(below, below_low)
    one, _ = two_exp_raised(zero, zero)
    return where(top, one, e), ((where(top, zero, e), where(top, zero, e_low)),)


def _tempered_emit(kept: Any, target: Any, row: Any, z_loss: Any, temperature: Any) -> Any:
    e, mass, slope, finite = lowered(kept), row[6], row[8], row[9]
    inverse, inverse_low, total, total_low = row[2], row[3], row[4], row[5]
    grad, hess = _emit(e, target, row)
    raised = fma(kept, inverse, kept * inverse_low)
    p = lowered(raised)
    rest = total - e
    rest_low = ((total - rest) - e) + total_low
    others = fma(rest, inverse, fma(rest, inverse_low, rest_low * inverse))  # 1 - p
    # a class that has most of the mass: less its small lack, not a large difference
    lack = (mass - target) + row[7]
    inner = where(target > const(0.5) * mass, fma(-mass, others, lack), grad)
    # a small slope would be lost where it is lowered, a large one multiplies a subnormal p
    small = abs(slope) < const(1.0)
    part = where(small, slope * p, lowered(slope) * raised)
    bent = where(small, finite * p, lowered(finite) * raised)
    grad = inner + where(raised == const(0.0), const(0.0), part)
    hess = fma(bent, others, hess) + (const(2.0) * z_loss * p) * p
    scale = const(1.0) / temperature
    return grad * scale, hess * scale * scale


class _Tempered:
    name = "softmax_cross_entropy_tempered"
    reference = "maximum"
    term_sums = 1
    fit_sums = 2
    coefficients = 10

    @staticmethod
    def definition(predictions: Any, targets: Any, z_loss: Any, temperature: Any) -> Any:
        scaled = [z / temperature for z in predictions]
        total = log(sum(exp(z) for z in scaled))
        pairs = zip(scaled, targets, strict=True)
        return sum(q * (total - z) for z, q in pairs if q) + z_loss * total**2

    @staticmethod
    def term(prediction: Any, maximum: Any, z_loss: Any, temperature: Any) -> Any:
        high, low = two_difference(prediction, maximum)
        high, low = _tempered(high, low, temperature)
        return _raised_term(high, low, prediction == maximum)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, z_loss: Any, temperature: Any) -> Any:
        half, low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        half, low = _tempered(half, low, temperature)
        return _fit(half, low, target, prediction == maximum)

    @staticmethod
    def finish(
        maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, z_loss: Any, temperature: Any
    ) -> Any:
        return _tempered_finish(maximum, const(0.0), ties, terms, fits, z_loss, temperature)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, z_loss: Any, temperature: Any) -> Any:
        return _tempered_emit(kept, target, row, z_loss, temperature)


def _steepness(prediction: Any, softcap: Any) -> tuple[Any, Any]:
    """The quotient z / softcap in two words."""
    high = prediction / softcap
    low = fma(-high, softcap, prediction) / softcap
    return high, where(abs(high) < const(inf), low, const(0.0))


def _capped(prediction: Any, softcap: Any) -> tuple[Any, Any]:
    x, x_low = _steepness(prediction, softcap)
    y, y_low = two_tanh(x, x_low)
    return two_times(softcap, const(0.0), y, y_low)


def _below(prediction: Any, maximum: Any, softcap: Any, temperature: Any) -> tuple[Any, Any]:
    """What a capped logit has above the capped maximum, over the temperature: at most nothing."""
    a, a_low = _capped(prediction, softcap)
    b, b_low = _capped(maximum, softcap)
    gap, gap_low = two_difference(a, b)
    gap, gap_low = normalized(gap, gap_low + (a_low - b_low))
    none = gap > const(0.0)  # rounding
    zero = const(0.0)
    return _tempered(where(none, zero, gap), where(none, zero, gap_low), temperature)


class _Capped:
    name = "softmax_cross_entropy_capped"
    reference = "maximum"
    term_sums = 1
    fit_sums = 2
    coefficients = 11

    @staticmethod
    def definition(
        predictions: Any, targets: Any, z_loss: Any, temperature: Any, softcap: Any
    ) -> Any:
        scaled = [softcap * tanh(z / softcap) / temperature for z in predictions]
        total = log(sum(exp(z) for z in scaled))
        pairs = zip(scaled, targets, strict=True)
        return sum(q * (total - z) for z, q in pairs if q) + z_loss * total**2

    @staticmethod
    def term(prediction: Any, maximum: Any, z_loss: Any, temperature: Any, softcap: Any) -> Any:
        gap, low = _below(prediction, maximum, softcap, temperature)
        return prediction, _raised_term(gap, low, prediction == maximum)[1]

    @staticmethod
    def fit(
        prediction: Any, target: Any, maximum: Any, z_loss: Any, temperature: Any, softcap: Any
    ) -> Any:
        gap, low = _below(prediction, maximum, softcap, temperature)
        return _fit(const(-0.5) * gap, const(-0.5) * low, target, prediction == maximum)

    @staticmethod
    def finish(
        maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, z_loss: Any,
        temperature: Any, softcap: Any,
    ) -> Any:  # fmt: skip
        top, top_low = _capped(maximum, softcap)  # infinities are capped too
        value, row = _tempered_finish(top, top_low, ties, terms, fits, z_loss, temperature)
        return value, (*row, maximum)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, z_loss: Any, temperature: Any, softcap: Any) -> Any:
        gap, low = _below(kept, row[10], softcap, temperature)
        e = _raised_term(gap, low, kept == row[10])[0]
        grad, hess = _tempered_emit(e, target, row, z_loss, temperature)
        x, x_low = _steepness(kept, softcap)
        slope = sech_squared(x, x_low)
        bend = const(-2.0) * tanh(x) / softcap  # of the slope, relative to it
        return grad * slope, slope * fma(slope, hess, bend * grad)


# ---- functions of the label's probability


class _LabelSoftmax(LabelLoss):
    """A function F(log p) of the label's probability, with one parameter."""

    link = "multilogit"
    smooth = True
    takes_distributions = False
    reference = "maximum"
    term_sums = 1
    fit_sums = 2
    coefficients = 9
    bounds: ClassVar[tuple[float, float, float]]

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        return dict.fromkeys(("float32", "float64"), self.bounds)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.convex else "any"

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.convex and self.class_weight is None

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def term(prediction: Any, maximum: Any, parameter: Any) -> Any:
        high, low = two_difference(prediction, maximum)
        return _term(high, low, prediction == maximum)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, parameter: Any) -> Any:
        half, half_low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        return _fit(half, half_low, target, prediction == maximum)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, parameter: Any) -> Any:
        p, spread = _probability(kept, row[0], row[1], row[2], row[3])
        share = (p * const(2.0**60)) * row[6]  # of 1 - p of the label
        hess = fma(spread, row[4], lowered(p * (share * row[5])))
        label = target == const(1.0)
        return where(label, row[7], p * row[4]), where(label, row[8], hess)


def _softmax(predictions: Any, targets: Any) -> tuple[Any, Any, Any]:
    """For definitions: log p, p and 1 - p of the label."""
    pairs = list(zip(predictions, targets, strict=True))
    total = sum(exp(z) for z in predictions)
    log_p = sum(z for z, q in pairs if q) - log(total)
    return log_p, exp(log_p), sum((exp(z) for z, q in pairs if not q), const(0.0)) / total


def _label(maximum: Any, ties: Any, terms: Any, fits: Any) -> tuple[Any, ...]:
    """What F needs: -log p in two words, p raised, 1 - p in two words."""
    rest, rest_low, total, total_low, inverse, inverse_low, softplus, softplus_low = _normalizer(
        maximum, ties, terms
    )
    gap, gap_low = fits[0]
    surprise, low = two_sum(gap, softplus)
    low = low + (gap_low + softplus_low)
    high = where(low - low == const(0.0), surprise + low, surprise)
    low = (surprise - high) + low
    low = where(low - low == const(0.0), low, const(0.0))
    e, e_low = two_exp_raised(-gap, -gap_low)
    raised = fma(e, inverse, fma(e, inverse_low, e_low * inverse))
    left, left_low = two_difference(total, lowered(e))
    left_low = left_low + (total_low - lowered(e_low))
    top = gap == const(0.0)
    others, others_low = where(top, rest, left), where(top, rest_low, left_low)
    q, q_low = two_times(others, others_low, inverse, inverse_low)
    return high, low, raised, q, q_low


def _of_label(
    maximum: Any, ties: Any, terms: Any, value: Any, slope: Any, curve: Any, hess: Any, q: Any
) -> Any:
    """The row, of F, -F', (1 - p) F'' raised, the label's Hessian (1 - p) ((1 - p) F'' - p F')."""
    parts = _normalizer(maximum, ties, terms)
    larger = q * const(2.0**60)  # q may be subnormal
    inverse = where(larger == const(0.0), const(0.0), const(1.0) / larger)
    row = parts[4], parts[5], parts[2], parts[3], slope, curve, inverse, -slope * q, hess
    return value, row


class SoftmaxFocal(_LabelSoftmax):
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
        log_p, _, rest = _softmax(predictions, targets)
        return -power(rest, gamma) * log_p

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, gamma: Any) -> Any:
        zero, one, two = const(0.0), const(1.0), const(2.0)
        surprise, _, raised, q, q_low = _label(maximum, ties, terms, fits)
        log_q, log_low = two_log_fine(q, q_low)
        exponent, low = two_product(gamma, log_q)
        discount = exp(exponent, low + gamma * log_low)
        discount = where(gamma == zero, one + flat(q), discount)  # 0^0 = 1
        # p log p and its ratio to 1 - p, which tends to 1
        product = where(raised == zero, zero, raised * surprise)
        ratio = where(q == zero, one, lowered(product) / q)
        curve = fma(gamma - one, raised * ratio, two * raised - product)
        mixed = fma(fma(two, gamma, one), raised, -gamma * product)
        hess = fma(q, mixed, (gamma * gamma * raised) * lowered(product))
        return _of_label(
            maximum, ties, terms, discount * surprise, discount * fma(gamma, ratio, one),
            gamma * discount * curve, lowered(discount * hess), q,
        )  # fmt: skip


class Poly1(_LabelSoftmax):
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
        return self.epsilon == 0 and self.class_weight is None

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.epsilon,)

    @staticmethod
    def definition(predictions: Any, targets: Any, epsilon: Any) -> Any:
        log_p, _, rest = _softmax(predictions, targets)
        return epsilon * rest - log_p

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, epsilon: Any) -> Any:
        one = const(1.0)
        surprise, _, raised, q, _ = _label(maximum, ties, terms, fits)
        p, part = lowered(raised), raised * q
        hess = lowered(part * fma(const(2.0) * epsilon, p, one - epsilon))
        return _of_label(
            maximum, ties, terms, fma(epsilon, q, surprise), fma(epsilon, p, one),
            -epsilon * part, hess, q,
        )  # fmt: skip


class GeneralizedCrossEntropy(_LabelSoftmax):
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
        log_p, _, _ = _softmax(predictions, targets)
        return (1 - exp(exponent * log_p)) / exponent

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, exponent: Any) -> Any:
        surprise, low, raised, q, _ = _label(maximum, ties, terms, fits)
        product, product_low = two_product(exponent, surprise)
        low = product_low + exponent * low
        value = -expm1(-product, -low) / exponent
        value = where(product < const(2.0**-60), surprise, value)  # which may be subnormal
        e, e_low = two_exp_raised(-product, -low)
        discount = e + e_low
        part = discount * q
        hess = lowered(part * fma(-exponent, q, lowered(raised)))
        return _of_label(
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
