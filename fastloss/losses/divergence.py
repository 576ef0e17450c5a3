"""Divergences of a predicted distribution from a target distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from .._domains import ANYTHING, LOG_PROBABILITY, MASS, PROBABILITY, Domain
from .._loss import RowLoss
from .._parameters import CLIP_KINKS, choice, clip_at, fraction, small
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
    two_difference,
    two_exp_product,
    two_exp_raised,
    two_log,
    two_log_fine,
    two_product,
    two_sum,
    where,
)
from ..vocabulary.special import two_plus, two_times
from ._clip import clip, log_clipped, unclipped
from ._mixture import (
    curve_of_class,
    divergence_of_class,
    fine_exponential,
    mixture,
    slope_of_class,
    tilt_of_class,
)
from ._over_classes import OverClasses
from ._softmax import normalizer, softmax_emit, softmax_finish, softmax_term
from ._two_words import times
from .categorical import CategoricalCrossEntropy, Nll, SoftmaxCrossEntropy
from .regression import Quantile

__all__ = [
    "JsDivergence",
    "KlDivergence",
    "ReverseKlDivergence",
    "SymmetricKlDivergence",
    "TotalVariation",
]

_of_class = Quantile.formula

_LINKS = {"logits": "multilogit", "log_probs": "log", "probs": "identity"}
_PREDICTIONS = {"logits": ANYTHING, "log_probs": LOG_PROBABILITY, "probs": PROBABILITY}


class KlDivergence(RowLoss):
    """Kullback-Leibler divergence, Σ target log(target / p): the target relative to the prediction.

    Targets are class probabilities of prediction's shape.

    Use it to bring one distribution close to another, as in distillation and variational methods:
    it is 0 where they are equal, so its value can be read.

    Avoid it for class indices, where the cross-entropy is the same and quicker; and where the
    prediction may miss what the target holds, which costs infinity.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    eps : float
        For probabilities: 0 is exact and may be infinite; above 0, p is clipped to
        [eps, 1 - eps], and the gradient is 0 outside.

    See Also
    --------
    SoftmaxCrossEntropy : more by the entropy of the target, with the same gradient.
    CategoricalCrossEntropy : the same of probabilities.
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
        return _LINKS[self.prediction_is]

    def _check(self) -> None:
        if self.eps and self.prediction_is != "probs":
            raise ValueError(
                f"eps belongs to prediction_is='probs'; got eps={self.eps!r} with "
                f"prediction_is={self.prediction_is!r}"
            )

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_at(self.eps) if self.prediction_is == "probs" else ()

    def domains(self) -> tuple[Domain, ...]:
        return _PREDICTIONS[self.prediction_is], MASS


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
        return _forward_fit(prediction, target, maximum)


def _forward_fit(prediction: Any, target: Any, maximum: Any) -> Any:
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


class _OfLogProbs(Nll):
    name = "kl_divergence_log_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        return sum(q * (log(q) - z) for z, q in zip(predictions, targets, strict=True) if q)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        log_target, log_low = two_log(target)
        gap, gap_low = two_difference(log_target, prediction)
        return (_product(target, gap, gap_low + log_low),)


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


class _Divergence(RowLoss):
    """A divergence with a kernel for each thing that predictions may be."""

    optimum = "none"
    smooth = True
    proper = False
    elicits = ""
    takes_labels = False
    prediction_is: str = choice("logits", "log_probs", "probs")
    hessian: str = choice("exact", "fisher")
    kernels: ClassVar[dict[str, Any]]

    def _check(self) -> None:
        if self.hessian == "fisher" and self.prediction_is != "logits":
            raise ValueError(
                "hessian='fisher' belongs to prediction_is='logits'; got "
                f"prediction_is={self.prediction_is!r}"
            )

    @property
    def scalars(self) -> Any:
        return self.kernels["fisher" if self.hessian == "fisher" else self.prediction_is]

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        if self.hessian == "fisher":
            return "positive"
        return "nonnegative" if self.prediction_is == "probs" else "any"

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.prediction_is == "probs"

    @property
    def link(self) -> str:  # type: ignore[override]
        return _LINKS[self.prediction_is]

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return _PREDICTIONS[self.prediction_is], MASS


# ---- of logits, the other way round: with the sum S of the e, log p = z - max - log S, so that it
# is Σ p a - log S for a = z - max - log q, and a less its mean is what the gradient needs


def _gap(prediction: Any, maximum: Any) -> tuple[Any, Any, Any]:
    """A logit less the maximum, and whether it is one; both may be infinite."""
    gap, low = two_difference(prediction, maximum)
    top = prediction == maximum
    return where(top, const(0.0), gap), where(top, const(0.0), low), top


def _excess(prediction: Any, target: Any, maximum: Any) -> tuple[Any, ...]:
    """The e of a class, raised; a; whether it is a maximum."""
    gap, gap_low, top = _gap(prediction, maximum)
    e, e_low = two_exp_raised(gap, gap_low)
    log_target, log_low = two_log_fine(target)
    a, a_low = two_difference(gap, log_target)
    a_low = where(abs(a) < const(inf), a_low + (gap_low - log_low), const(0.0))
    # a class without target mass costs infinity, but where it is impossible too
    a = where(target == const(0.0), const(inf) + flat(prediction), a)
    a = where(prediction == const(-inf), flat(target), a)
    a = where((e == const(0.0)) & (a == const(-inf)), const(0.0), a)
    return e, e_low, a, where(abs(a) < const(inf), a_low, const(0.0)), top


def _sum_of_class(
    mass: Any, mass_low: Any, x: Any, x_low: Any, top: Any
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Of a class mass times x, or where it is a maximum, x alone, as sums of their own."""
    zero = const(0.0)
    product, low = times(mass, mass_low, x, x_low)
    none = top | (mass == zero) & (x == x)
    infinite = (x == const(inf)) & ~top  # also where the mass underflows
    return (
        (where(infinite, x, where(none, zero, product)), where(none | infinite, zero, low)),
        (where(top, x, zero), where(top, x_low, zero)),
    )


def _centre(
    others: tuple[Any, Any], tops: tuple[Any, Any], parts: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The mean over p; what a lone maximum has above it, free of cancellation."""
    rest, rest_low, _, _, inverse, inverse_low, _, _ = parts
    zero = const(0.0)
    top, top_low = times(tops[0], tops[1], inverse, inverse_low)
    mean, mean_low = two_sum(others[0], top)
    mean_low = where(abs(mean) < const(inf), mean_low + (others[1] + top_low), zero)
    share, share_low = times(rest, rest_low, inverse, inverse_low)  # 1 - p
    lead, lead_low = times(share, share_low, tops[0], tops[1])
    gap, gap_low = two_difference(lead, others[0])
    gap_low = where(abs(gap) < const(inf), gap_low + (lead_low - others[1]), zero)
    gap = where(mean == const(inf), mean, gap)
    return mean, mean_low, gap, gap_low


def _about(x: Any, x_low: Any, lone: Any, row: Any) -> tuple[Any, Any]:
    """What a class has above the mean; infinite where the loss is."""
    gap, low = two_difference(x, row[0])
    low = where(abs(gap) < const(inf), low + (x_low - row[1]), const(0.0))
    gap = where(x == const(inf), x, gap)
    return where(lone, row[2], gap), where(lone, row[3], low)


def _share(e: Any, e_low: Any, top: Any, row: Any) -> tuple[Any, ...]:
    """The probability p of a class, raised, 1 - p, and 1 - 2 p, of the row's inverse and sum."""
    inverse, inverse_low, total, total_low = row
    one, _ = two_exp_raised(const(0.0), const(0.0))
    p, p_low = times(where(top, one, e), where(top, const(0.0), e_low), inverse, inverse_low)
    part, part_low = lowered(p), lowered(p_low)
    e, e_low = where(top, const(1.0), lowered(e)), where(top, const(0.0), lowered(e_low))
    rest, rest_low = two_difference(total, e)
    others, others_low = two_times(rest, rest_low + (total_low - e_low), inverse, inverse_low)
    way, way_low = two_difference(others, part)
    return p, p_low, others, others_low, way, way_low + (others_low - part_low)


def _finite(x: Any, low: Any) -> Any:
    return where(low - low == const(0.0), x + low, x)


def _log_softmax(predictions: Any) -> list[Any]:
    """For definitions."""
    total = log(sum(exp(z) for z in predictions))
    return [z - total for z in predictions]


class _ReverseOfLogits(SoftmaxCrossEntropy):
    """Of p alone: the logarithms of the sum of the e cancel in what is above the mean."""

    name = "reverse_kl_divergence"
    coefficients = 10

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        if not all(targets):
            return inf  # whatever the prediction, so that nothing changes it
        log_p = _log_softmax(predictions)
        against = sum(exp(x) * -log(q) for x, q in zip(log_p, targets, strict=True))
        return sum(exp(x) * x for x in log_p), against

    @staticmethod
    def term(prediction: Any, maximum: Any) -> Any:
        gap, low, top = _gap(prediction, maximum)
        return prediction, softmax_term(gap, low, top)[1]

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        return _reverse_fit(prediction, target, maximum)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return _reverse_finish(maximum, ties, terms, fits[0], fits[1])

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad, hess, _, _ = _reverse_emit(kept, target, row)
        return grad, hess


def _reverse_fit(prediction: Any, target: Any, maximum: Any) -> Any:
    e, e_low, a, a_low, top = _excess(prediction, target, maximum)
    return _sum_of_class(e, e_low, a, a_low, top)


def _reverse_finish(maximum: Any, ties: Any, terms: Any, others: Any, tops: Any) -> Any:
    parts = normalizer(maximum, ties, terms)
    high, low = lowered(others[0]), lowered(others[1])
    high, low = times(high, low, parts[4], parts[5])
    mean, mean_low, gap, gap_low = _centre((high, low), tops, parts)
    value, value_low = two_difference(mean, parts[6])
    value = _finite(value, value_low + (mean_low - parts[7]))
    mean = where(mean == const(inf), const(-inf), mean)  # so that all are infinitely above it
    lone = where(ties == const(1.0), maximum, const(nan))
    row = mean, mean_low, gap, gap_low, lone, maximum, parts[4], parts[5], parts[2], parts[3]
    return value, row


def _reverse_emit(kept: Any, target: Any, row: Any) -> Any:
    """Gradient and Hessian, p (1 - p), and whether the loss is infinite."""
    e, e_low, a, a_low, top = _excess(kept, target, row[5])
    p, p_low, others, others_low, way, way_low = _share(e, e_low, top, row[6:10])
    gap, gap_low = _about(a, a_low, kept == row[4], row)
    bend, bend_low = times(way, way_low, gap, gap_low)
    curve, curve_low = two_sum(bend, others)
    grad, grad_low = times(p, p_low, gap, gap_low)
    hess, hess_low = times(p, p_low, curve, curve_low + (bend_low + others_low))
    variance, low = times(p, p_low, others, others_low)
    # it is so whatever the prediction
    infinite = gap == const(inf)
    zero = const(0.0)
    grad = where(infinite, zero, lowered(grad + grad_low))
    return grad, where(infinite, zero, lowered(hess + hess_low)), lowered(variance + low), infinite


class _ReverseOfLogitsFisher(_ReverseOfLogits):
    name = "reverse_kl_divergence_fisher"

    @staticmethod
    def curvature(predictions: Any, targets: Any) -> Any:
        return _fisher_curvature(predictions, targets)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad, _, variance, _ = _reverse_emit(kept, target, row)
        return grad, variance


def _fisher_curvature(predictions: Any, targets: Any) -> Any:
    p = [exp(z) for z in _log_softmax(predictions)]
    return tuple(x * (sum(p) - x) for x in p)


# ---- class by class, of log-probabilities and probabilities


def _log_ratio(p: Any, q: Any) -> tuple[Any, Any]:
    """The logarithm of p / q."""
    zero, one = const(0.0), const(1.0)
    near = (p <= const(2.0) * q) & (q <= const(2.0) * p) & (q != zero)
    gap = p - q
    x = where(near, gap / q, zero)
    x_low = where(near, fma(-x, q, gap) / q, zero)
    high, low = two_sum(one, x)
    a, a_low = two_log_fine(where(near, high, p), where(near, low + x_low, zero))
    b, b_low = two_log_fine(where(near, one, q))
    ratio, low = two_difference(a, b)
    return ratio, where(abs(ratio) < const(inf), low + (a_low - b_low), zero)


def _log_excess(log_p: Any, target: Any) -> tuple[Any, Any]:
    """The logarithm of p / target, by that of p."""
    b, b_low = two_log_fine(target)
    ratio, low = two_difference(log_p, b)
    return ratio, where(abs(ratio) < const(inf), low - b_low, const(0.0))


def _times_probability(log_p: Any, x: Any, x_low: Any) -> tuple[Any, Any]:
    """A probability times what may be infinite; nothing where it is 0."""
    infinite = abs(x) == const(inf)
    one, zero = const(1.0), const(0.0)
    high, low = two_exp_product(log_p, where(infinite, one, x), where(infinite, zero, x_low))
    impossible = log_p == const(-inf)
    return where(impossible, zero, where(infinite, x, high)), where(infinite, zero, low)


class _ReverseOfLogProbs(Nll):
    name = "reverse_kl_divergence_log_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        against = sum(exp(z) * -log(q) for z, q in zip(predictions, targets, strict=True))
        return sum(exp(z) * z for z in predictions), against

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any) -> Any:
        ratio, low = _log_excess(prediction, target)
        return (_times_probability(prediction, ratio, low),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        ratio, low = _log_excess(kept, target)
        slope, slope_low = two_sum(ratio, const(1.0))
        slope_low = where(abs(slope) < const(inf), slope_low + low, const(0.0))
        grad, grad_low = _times_probability(kept, slope, slope_low)
        return grad + grad_low, _curve_of_log_prob(kept, ratio, low)


def _curve_of_log_prob(log_p: Any, ratio: Any, low: Any) -> Any:
    curve, curve_low = two_sum(ratio, const(2.0))
    curve_low = where(abs(curve) < const(inf), curve_low + low, const(0.0))
    hess, hess_low = _times_probability(log_p, curve, curve_low)
    return hess + hess_low


class _ReverseOfProbs(Nll):
    name = "reverse_kl_divergence_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        against = sum(p * -log(q) for p, q in zip(predictions, targets, strict=True))
        return sum(p * log(p) for p in predictions), against

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any) -> Any:
        ratio, low = _log_ratio(prediction, target)
        high, low = times(prediction, const(0.0), ratio, low)
        none = prediction == const(0.0)
        return ((where(none, flat(target), high), where(none, const(0.0), low)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        ratio, low = _log_ratio(kept, target)
        slope, slope_low = two_sum(ratio, const(1.0))
        grad = _finite(slope, slope_low + low)
        none = (kept == const(0.0)) & (target == const(0.0))
        return where(none, const(0.0), grad), where(
            none, const(0.0), const(1.0) / abs(kept) + flat(target)
        )


class ReverseKlDivergence(_Divergence):
    """Reverse Kullback-Leibler divergence, Σ p log(p / target): the prediction relative to it.

    Targets are class probabilities of prediction's shape. A class without target mass costs
    infinity unless it is impossible; of logits such a row has gradient 0, as none changes that.

    Use it to match a distribution by one that cannot be as wide: it seeks a peak of the target and
    puts no mass where the target has none, as in distillation of language models.

    Avoid it where targets have zeros, single outcomes among them: any mass there costs infinity;
    and where all of the target must be covered.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    hessian : {"exact", "fisher"}
        Of logits the exact one, which can be negative, or p (1 - p), which it is at the target.

    See Also
    --------
    KlDivergence : the target relative to the prediction, which covers all of it.
    SymmetricKlDivergence : the sum of both.
    """

    name = "reverse_kl_divergence"
    ulps = {"float32": (1.5, 1.5, 1.5), "float64": (1.5, 1.5, 1.5)}
    kernels = {
        "logits": _ReverseOfLogits,
        "log_probs": _ReverseOfLogProbs,
        "probs": _ReverseOfProbs,
        "fisher": _ReverseOfLogitsFisher,
    }


# ---- both ways


def _both_ways(p: Any, log_p: Any, targets: Any) -> Any:
    """For definitions, in the four terms that may cancel."""
    return (
        sum(x * y for x, y in zip(p, log_p, strict=True)),
        sum(x * -log(q) for x, q in zip(p, targets, strict=True)),
        sum(q * -y for y, q in zip(log_p, targets, strict=True) if q),
        sum(q * log(q) for q in targets if q),
    )


class _SymmetricOfLogits(_ReverseOfLogits):
    name = "symmetric_kl_divergence"
    fit_sums = 4
    coefficients = 13

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        if not all(targets):
            return inf
        log_p = _log_softmax(predictions)
        return _both_ways([exp(x) for x in log_p], log_p, targets)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        reverse = _reverse_fit(prediction, target, maximum)
        return (*_forward_fit(prediction, target, maximum), *reverse)

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        forward, row = softmax_finish(maximum, ties, terms, (fits[0], fits[1]))
        reverse, centre = _reverse_finish(maximum, ties, terms, fits[2], fits[3])
        return forward + reverse, (*centre, row[0], row[1], row[6])

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad, hess, _ = _symmetric_emit(kept, target, row)
        return grad, hess


def _symmetric_emit(kept: Any, target: Any, row: Any) -> Any:
    gap, gap_low, top = _gap(kept, row[5])
    e = where(top, const(1.0), lowered(two_exp_raised(gap, gap_low)[0]))
    forward, hess = softmax_emit(e, target, (row[10], row[11], *row[6:10], row[12]))
    grad, curve, variance, infinite = _reverse_emit(kept, target, row)
    grad = where(infinite, const(0.0), forward + grad)
    return grad, where(infinite, const(0.0), hess + curve), hess + variance


class _SymmetricOfLogitsFisher(_SymmetricOfLogits):
    name = "symmetric_kl_divergence_fisher"

    @staticmethod
    def curvature(predictions: Any, targets: Any) -> Any:
        return tuple((1 + sum(targets)) * x for x in _fisher_curvature(predictions, targets))

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad, _, curve = _symmetric_emit(kept, target, row)
        return grad, curve


class _SymmetricOfLogProbs(Nll):
    name = "symmetric_kl_divergence_log_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        return _both_ways([exp(z) for z in predictions], predictions, targets)

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any) -> Any:
        ratio, low = _log_excess(prediction, target)
        size = abs(ratio)
        low = where(ratio < const(0.0), -low, low)
        rest = -expm1(-size, -low)  # what the smaller lacks of the larger, relative to it
        x, x_low = times(size, low, rest, const(0.0))
        above, above_low = _times_probability(prediction, x, x_low)
        below, below_low = times(target, const(0.0), x, x_low)
        larger = ratio > const(0.0)
        none = (target == const(0.0)) & (prediction == const(-inf))
        zero = const(0.0)
        high, low = where(larger, above, below), where(larger, above_low, below_low)
        return ((where(none, zero, high), where(none, zero, low)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        zero = const(0.0)
        ratio, low = _log_excess(kept, target)
        larger = ratio > zero
        size_low = where(larger, low, -low)
        rest = expm1(-abs(ratio), -size_low)
        slope, slope_low = two_difference(ratio, where(larger, rest, zero))
        slope_low = where(abs(slope) < const(inf), slope_low + low, zero)
        grad, grad_low = _times_probability(kept, slope, slope_low)
        below = where(larger, zero, target * rest)
        none = (target == zero) & (kept == const(-inf))
        grad = where(none, zero, grad + (grad_low + below))
        return grad, _curve_of_log_prob(kept, ratio, low)


class _SymmetricOfProbs(Nll):
    name = "symmetric_kl_divergence_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        return _both_ways(predictions, [log(p) for p in predictions], targets)

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any) -> Any:
        ratio, low = _log_ratio(prediction, target)
        gap, gap_low = two_difference(prediction, target)
        high, low = times(gap, gap_low, ratio, low)
        none = (prediction == const(0.0)) & (target == const(0.0))
        return ((where(none, const(0.0), high), where(none, const(0.0), low)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        ratio, low = _log_ratio(kept, target)
        p = abs(kept)
        gap, _ = two_difference(p, target)
        none = (p == const(0.0)) & (target == const(0.0))
        grad = ratio + (gap / p + low)
        hess = (const(1.0) + target / p) / p
        return where(none, const(0.0), grad), where(none, const(0.0), hess)


class SymmetricKlDivergence(_Divergence):
    """Jeffreys divergence, Σ (p - target) log(p / target): Kullback and Leibler's, both ways.

    Targets are class probabilities of prediction's shape. A class without target mass costs
    infinity unless it is impossible; of logits such a row has gradient 0, as none changes that.

    Use it where neither distribution is the true one, as between two views of the same example
    or two models of the same task.

    Avoid it where targets have zeros, single outcomes among them: any mass there costs infinity.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    hessian : {"exact", "fisher"}
        Of logits the exact one, which can be negative, or (1 + Σ target) p (1 - p), which it is at
        the target.

    See Also
    --------
    KlDivergence : one way.
    ReverseKlDivergence : the other.
    """

    name = "symmetric_kl_divergence"
    ulps = {"float32": (1.5, 2, 2), "float64": (1.5, 2, 2)}
    kernels = {
        "logits": _SymmetricOfLogits,
        "log_probs": _SymmetricOfLogProbs,
        "probs": _SymmetricOfProbs,
        "fisher": _SymmetricOfLogitsFisher,
    }


# ---- from a mixture of both


def _mixture_definition(p: Any, log_p: Any, targets: Any, beta: Any) -> Any:
    log_m = [log(beta * q + (1 - beta) * x) for x, q in zip(p, targets, strict=True)]
    of_target = sum(q * (log(q) - y) for q, y in zip(targets, log_m, strict=True) if q)
    of_p = sum(x * (y - z) for x, y, z in zip(p, log_p, log_m, strict=True))
    return beta * of_target + (1 - beta) * of_p


class _JsOfLogits(RowLoss):
    """With a = (1 - β) log(p / m) and its derivative s / p, the gradient is p (a - Σ p a).

    A constant may be added to a. The Hessian is p ((1 - 2 p) (a - Σ p a + s) + p Σ p s).
    """

    name = "js_divergence"
    reference = "maximum"
    term_sums = 1
    settled = 2
    fit_sums = 5
    coefficients = 16

    @staticmethod
    def definition(predictions: Any, targets: Any, beta: Any) -> Any:
        log_p = _log_softmax(predictions)
        return _mixture_definition([exp(x) for x in log_p], log_p, targets, beta)

    @staticmethod
    def term(prediction: Any, maximum: Any, beta: Any) -> Any:
        gap, low, top = _gap(prediction, maximum)
        e, e_low = fine_exponential(gap, low)
        zero = const(0.0)
        return prediction, ((where(top, zero, e), where(top, zero, e_low)),)

    @staticmethod
    def settle(maximum: Any, ties: Any, terms: Any, beta: Any) -> Any:
        parts = normalizer(maximum, ties, terms)
        return parts[4], parts[5]

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, settled: Any, beta: Any) -> Any:
        gap, low, top = _gap(prediction, maximum)
        p, p_low = times(*fine_exponential(gap, low), settled[0], settled[1])
        a, a_low, _, _, bend, bend_low = tilt_of_class(p, p_low, target, beta)
        return (
            divergence_of_class(p, p_low, target, beta),
            *_sum_of_class(p, p_low, a, a_low, top),
            *_sum_of_class(p, p_low, bend, bend_low, top),
        )

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, beta: Any) -> Any:
        parts = normalizer(maximum, ties, terms)
        _, _, total, total_low, inverse, inverse_low, _, _ = parts
        others = lowered(fits[1][0]), lowered(fits[1][1])
        mean, mean_low, gap, gap_low = _centre(others, fits[2], parts)
        bend, bend_low = lowered(fits[3][0]), lowered(fits[3][1])
        top, top_low = times(fits[4][0], fits[4][1], inverse, inverse_low)
        bends = two_plus(bend, bend_low, top, top_low)
        curves, curves_low = two_plus(*bends, -mean, -mean_low)
        lone = where(ties == const(1.0), maximum, const(nan))
        value = fits[0][0] + fits[0][1]
        row = mean, mean_low, gap, gap_low, lone, maximum, inverse, inverse_low, total, total_low
        return value, (*row, curves, curves_low, bend, bend_low, *others)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, beta: Any) -> Any:
        grad, hess, _ = _js_emit(kept, target, row, beta)
        return grad, hess


def _js_emit(kept: Any, target: Any, row: Any, beta: Any) -> Any:
    """Gradient and Hessian, and what it is at the target."""
    gap, gap_low, top = _gap(kept, row[5])
    e, e_low = fine_exponential(gap, gap_low)
    p, p_low, others, others_low, way, way_low = _share(e, e_low, top, row[6:10])
    a, a_low, s, s_low, both, both_low = tilt_of_class(p, p_low, target, beta)
    lone, share, share_low = kept == row[4], lowered(p), lowered(p_low)
    gap, gap_low = _about(a, a_low, lone, row)
    grad, grad_low = times(p, p_low, gap, gap_low)
    around, around_low = _about(both, both_low, lone, row)
    usual = two_plus(
        *times(way, way_low, around, around_low), *times(share, share_low, row[10], row[11])
    )
    # of a lone maximum by its own a and s and the others' sums, of which none cancels:
    # (1 - p) ((1 - 2 p) a + (1 - p) s - Σ p a) + p Σ p (a + s)
    inner = two_plus(*times(way, way_low, a, a_low), *times(others, others_low, s, s_low))
    inner = two_plus(*inner, -row[14], -row[15])
    outer = times(others, others_low, *inner)
    outer = two_plus(*outer, *times(share, share_low, row[12], row[13]))
    curve, curve_low = where(lone, outer[0], usual[0]), where(lone, outer[1], usual[1])
    hess, hess_low = times(p, p_low, curve, curve_low)
    variance, variance_low = times(p, p_low, others, others_low)
    product, product_low = times(beta, const(0.0), *two_difference(const(1.0), beta))
    fisher, fisher_low = times(variance, variance_low, product, product_low)
    return lowered(grad + grad_low), lowered(hess + hess_low), lowered(fisher + fisher_low)


class _JsOfLogitsFisher(_JsOfLogits):
    name = "js_divergence_fisher"

    @staticmethod
    def curvature(predictions: Any, targets: Any, beta: Any) -> Any:
        share = beta * (1 - beta)
        return tuple(share * x for x in _fisher_curvature(predictions, targets))

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, beta: Any) -> Any:
        grad, _, fisher = _js_emit(kept, target, row, beta)
        return grad, fisher


class _JsOfLogProbs(OverClasses):
    name = "js_divergence_log_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any, beta: Any) -> Any:
        return _mixture_definition([exp(z) for z in predictions], predictions, targets, beta)

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, beta: Any) -> Any:
        p, p_low = fine_exponential(prediction, const(0.0))
        return (divergence_of_class(p, p_low, target, beta),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, beta: Any) -> Any:
        p, p_low = fine_exponential(kept, const(0.0))
        a, a_low, s, s_low = slope_of_class(p, p_low, target, beta)
        grad, grad_low = times(p, p_low, a, a_low)
        hess, hess_low = times(p, p_low, *two_plus(a, a_low, s, s_low))
        none = (p == const(0.0)) | (a == const(-inf))
        grad, hess = lowered(grad + grad_low), lowered(hess + hess_low)
        return where(none, const(0.0), grad), where(none, const(0.0), hess)


class _JsOfProbs(_JsOfLogProbs):
    name = "js_divergence_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any, beta: Any) -> Any:
        log_p = [log(p) for p in predictions]
        return _mixture_definition(predictions, log_p, targets, beta)

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, beta: Any) -> Any:
        raised, _ = two_exp_raised(const(0.0), const(0.0))
        return (divergence_of_class(prediction * raised, const(0.0), target, beta),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, beta: Any) -> Any:
        zero = const(0.0)
        raised, _ = two_exp_raised(zero, zero)
        p = abs(kept)
        a, a_low, s, s_low = slope_of_class(p * raised, zero, target, beta)
        _, q, _, inverse, rest = mixture(p * raised, zero, target, beta)
        _, _, more, more_low = curve_of_class(q * raised, inverse, rest, beta)
        # where it is subnormal p is not small
        hess = where(p < const(2.0**-60), (s + s_low) / p, lowered((more + more_low) / p))
        return a + a_low, where(target == zero, flat(p), hess)


class JsDivergence(_Divergence):
    """Jensen-Shannon divergence: β KL(target ‖ m) + (1 - β) KL(p ‖ m), m = β target + (1 - β) p.

    Lin (1991), with weights; as a loss, the generalized one of Englesson and Azizpour (2021)
    without their factor. Natural logarithms: at β = 0.5 it is at most log 2, and its root is a
    distance. Targets are class probabilities of prediction's shape.

    Use it where targets have zeros, single outcomes among them, and no class may cost infinity: it
    is bounded, so wrong labels weigh little. A small β is near β times the forward divergence, a
    large one near (1 - β) times the reverse one.

    Avoid it with predictions far from their targets, where its gradient vanishes; and where
    predicted probabilities are read.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    hessian : {"exact", "fisher"}
        Of logits the exact one, which can be negative, or β (1 - β) p (1 - p), which it is at the
        target.
    beta : float
        The share of the target in the mixture, between 0 and 1, where the divergence tends to 0.

    See Also
    --------
    KlDivergence : the limit over β; unbounded, and convex.
    ReverseKlDivergence : the limit over 1 - β.
    SymmetricKlDivergence : both, unbounded.
    """

    name = "js_divergence"
    ulps = {"float32": (1, 1.5, 2), "float64": (1, 1.5, 2)}
    beta: float = fraction(0.5)
    kernels = {
        "logits": _JsOfLogits,
        "log_probs": _JsOfLogProbs,
        "probs": _JsOfProbs,
        "fisher": _JsOfLogitsFisher,
    }

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.beta,)


class TotalVariation(OverClasses):
    """Total variation distance of two distributions, ½ Σ |p - target|.

    Targets are class probabilities of prediction's shape.

    Use it to say how far two distributions lie apart: it is the largest difference between the
    probabilities that they give to any event, from 0 to 1, and finite where a divergence is not.

    Avoid it to learn probabilities from single outcomes, where the best prediction may be the most
    frequent class alone; and with Newton steps and boosting, as its Hessian is 0.

    See Also
    --------
    KlDivergence : of likelihoods; infinite where the prediction misses what the target holds.
    MulticlassBrier : the squares, and proper.
    """

    name = "total_variation"
    optimum = "none"
    kinks = "p = target: gradient 0"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    takes_labels = False
    sample = (0.001, 0.999)
    ulps = {"float32": (1.5, 0, 0), "float64": (1.5, 0, 0)}

    def kernel_parameters(self) -> tuple[float, ...]:
        return (0.5,)  # half the absolute error is a quantile loss at the median

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any, half: Any) -> Any:
        return half * sum(abs(p - q) for p, q in zip(predictions, targets, strict=True))

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, half: Any) -> Any:
        return ((_of_class(prediction, target, half)[0], const(0.0)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, half: Any) -> Any:
        _, grad, hess = _of_class(kept, target, half)
        return grad, hess
