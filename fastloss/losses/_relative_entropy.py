"""Relative entropies of predictions and targets, either way and both."""

from __future__ import annotations

from typing import Any

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
from ._about_mean import (
    about_centre,
    below_maximum,
    centre_of_row,
    finite,
    fisher_curvature,
    log_softmax,
    share_of_class,
    sum_of_class,
)
from ._clip import clip, log_clipped
from ._over_classes import SumOverClasses
from ._softmax import normalizer, softmax_emit, softmax_finish, softmax_term
from ._two_words import times
from .categorical import CategoricalCrossEntropy, Nll, SoftmaxCrossEntropy

__all__ = [
    "ForwardOfLogProbs",
    "ForwardOfLogits",
    "ForwardOfProbs",
    "ReverseOfLogProbs",
    "ReverseOfLogits",
    "ReverseOfLogitsFisher",
    "ReverseOfProbs",
    "SymmetricOfLogProbs",
    "SymmetricOfLogits",
    "SymmetricOfLogitsFisher",
    "SymmetricOfProbs",
]


# ---- the target relative to the prediction


def _product(target: Any, gap: Any, gap_low: Any) -> Any:
    """The target times a number of two words, nothing where there is no target."""
    value, low = two_product(target, gap)
    none = target == const(0.0)
    low = low + target * gap_low
    return where(none, const(0.0), value), where(none, const(0.0), low)


class ForwardOfLogits(SoftmaxCrossEntropy):
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


class ForwardOfLogProbs(SumOverClasses):
    name = "kl_divergence_log_probs"

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        return sum(q * (log(q) - z) for z, q in zip(predictions, targets, strict=True) if q)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any) -> Any:
        log_target, log_low = two_log(target)
        gap, gap_low = two_difference(log_target, prediction)
        return (_product(target, gap, gap_low + log_low),)

    emit = staticmethod(Nll.emit)


class ForwardOfProbs(CategoricalCrossEntropy):
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


# ---- of logits, the other way round: with the sum S of the e, log p = z - max - log S, so that it
# is Σ p a - log S for a = z - max - log q, and a less its mean is what the gradient needs


def _excess(prediction: Any, target: Any, maximum: Any) -> tuple[Any, ...]:
    """The e of a class, raised; a; whether it is a maximum."""
    gap, gap_low, top = below_maximum(prediction, maximum)
    e, e_low = two_exp_raised(gap, gap_low)
    log_target, log_low = two_log_fine(target)
    a, a_low = two_difference(gap, log_target)
    a_low = where(abs(a) < const(inf), a_low + (gap_low - log_low), const(0.0))
    # a class without target mass costs infinity, but where it is impossible too
    a = where(target == const(0.0), const(inf) + flat(prediction), a)
    a = where(prediction == const(-inf), flat(target), a)
    a = where((e == const(0.0)) & (a == const(-inf)), const(0.0), a)
    return e, e_low, a, where(abs(a) < const(inf), a_low, const(0.0)), top


class ReverseOfLogits(SoftmaxCrossEntropy):
    """Of p alone: the logarithms of the sum of the e cancel in what is above the mean."""

    name = "reverse_kl_divergence"
    coefficients = 10

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        if not all(targets):
            return inf  # whatever the prediction, so that nothing changes it
        log_p = log_softmax(predictions)
        against = sum(exp(x) * -log(q) for x, q in zip(log_p, targets, strict=True))
        return sum(exp(x) * x for x in log_p), against

    @staticmethod
    def term(prediction: Any, maximum: Any) -> Any:
        gap, low, top = below_maximum(prediction, maximum)
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
    return sum_of_class(e, e_low, a, a_low, top)


def _reverse_finish(maximum: Any, ties: Any, terms: Any, others: Any, tops: Any) -> Any:
    parts = normalizer(maximum, ties, terms)
    high, low = lowered(others[0]), lowered(others[1])
    high, low = times(high, low, parts[4], parts[5])
    mean, mean_low, gap, gap_low = centre_of_row((high, low), tops, parts)
    value, value_low = two_difference(mean, parts[6])
    value = finite(value, value_low + (mean_low - parts[7]))
    mean = where(mean == const(inf), const(-inf), mean)  # so that all are infinitely above it
    lone = where(ties == const(1.0), maximum, const(nan))
    row = mean, mean_low, gap, gap_low, lone, maximum, parts[4], parts[5], parts[2], parts[3]
    return value, row


def _reverse_emit(kept: Any, target: Any, row: Any) -> Any:
    """Gradient and Hessian, p (1 - p), and whether the loss is infinite."""
    e, e_low, a, a_low, top = _excess(kept, target, row[5])
    p, p_low, others, others_low, way, way_low = share_of_class(e, e_low, top, row[6:10])
    gap, gap_low = about_centre(a, a_low, kept == row[4], row)
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


class ReverseOfLogitsFisher(ReverseOfLogits):
    name = "reverse_kl_divergence_fisher"

    @staticmethod
    def curvature(predictions: Any, targets: Any) -> Any:
        return fisher_curvature(predictions, targets)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad, _, variance, _ = _reverse_emit(kept, target, row)
        return grad, variance


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


class ReverseOfLogProbs(SumOverClasses):
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


class ReverseOfProbs(SumOverClasses):
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
        grad = finite(slope, slope_low + low)
        none = (kept == const(0.0)) & (target == const(0.0))
        return where(none, const(0.0), grad), where(
            none, const(0.0), const(1.0) / abs(kept) + flat(target)
        )


# ---- both ways


def _both_ways(p: Any, log_p: Any, targets: Any) -> Any:
    """For definitions, in the four terms that may cancel."""
    return (
        sum(x * y for x, y in zip(p, log_p, strict=True)),
        sum(x * -log(q) for x, q in zip(p, targets, strict=True)),
        sum(q * -y for y, q in zip(log_p, targets, strict=True) if q),
        sum(q * log(q) for q in targets if q),
    )


class SymmetricOfLogits(ReverseOfLogits):
    name = "symmetric_kl_divergence"
    fit_sums = 4
    coefficients = 13

    @staticmethod
    def definition(predictions: Any, targets: Any) -> Any:
        if not all(targets):
            return inf
        log_p = log_softmax(predictions)
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
    gap, gap_low, top = below_maximum(kept, row[5])
    e = where(top, const(1.0), lowered(two_exp_raised(gap, gap_low)[0]))
    forward, hess = softmax_emit(e, target, (row[10], row[11], *row[6:10], row[12]))
    grad, curve, variance, infinite = _reverse_emit(kept, target, row)
    grad = where(infinite, const(0.0), forward + grad)
    return grad, where(infinite, const(0.0), hess + curve), hess + variance


class SymmetricOfLogitsFisher(SymmetricOfLogits):
    name = "symmetric_kl_divergence_fisher"

    @staticmethod
    def curvature(predictions: Any, targets: Any) -> Any:
        return tuple((1 + sum(targets)) * x for x in fisher_curvature(predictions, targets))

    @staticmethod
    def emit(kept: Any, target: Any, row: Any) -> Any:
        grad, _, curve = _symmetric_emit(kept, target, row)
        return grad, curve


class SymmetricOfLogProbs(SumOverClasses):
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


class SymmetricOfProbs(SumOverClasses):
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
