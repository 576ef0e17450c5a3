"""Divergences of predictions and targets from a mixture of both."""

from __future__ import annotations

from typing import Any

from .._loss import RowLoss
from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    inf,
    log,
    lowered,
    nan,
    two_difference,
    two_exp_raised,
    where,
)
from ..vocabulary.special.two_word import two_plus
from ._about_mean import (
    about_centre,
    below_maximum,
    centre_of_row,
    fisher_curvature,
    log_softmax,
    share_of_class,
    sum_of_class,
)
from ._mixture import (
    curve_of_class,
    divergence_of_class,
    fine_exponential,
    mixture,
    slope_of_class,
    tilt_of_class,
)
from ._over_classes import OverClasses
from ._softmax import normalizer
from ._two_words import times

__all__ = [
    "JensenShannonOfLogProbs",
    "JensenShannonOfLogits",
    "JensenShannonOfLogitsFisher",
    "JensenShannonOfProbs",
]


def _mixture_definition(p: Any, log_p: Any, targets: Any, beta: Any) -> Any:
    log_m = [log(beta * q + (1 - beta) * x) for x, q in zip(p, targets, strict=True)]
    of_target = sum(q * (log(q) - y) for q, y in zip(targets, log_m, strict=True) if q)
    of_p = sum(x * (y - z) for x, y, z in zip(p, log_p, log_m, strict=True))
    return beta * of_target + (1 - beta) * of_p


class JensenShannonOfLogits(RowLoss):
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
        log_p = log_softmax(predictions)
        return _mixture_definition([exp(x) for x in log_p], log_p, targets, beta)

    @staticmethod
    def term(prediction: Any, maximum: Any, beta: Any) -> Any:
        gap, low, top = below_maximum(prediction, maximum)
        e, e_low = fine_exponential(gap, low)
        zero = const(0.0)
        return prediction, ((where(top, zero, e), where(top, zero, e_low)),)

    @staticmethod
    def settle(maximum: Any, ties: Any, terms: Any, beta: Any) -> Any:
        parts = normalizer(maximum, ties, terms)
        return parts[4], parts[5]

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, settled: Any, beta: Any) -> Any:
        gap, low, top = below_maximum(prediction, maximum)
        p, p_low = times(*fine_exponential(gap, low), settled[0], settled[1])
        a, a_low, _, _, bend, bend_low = tilt_of_class(p, p_low, target, beta)
        return (
            divergence_of_class(p, p_low, target, beta),
            *sum_of_class(p, p_low, a, a_low, top),
            *sum_of_class(p, p_low, bend, bend_low, top),
        )

    @staticmethod
    def finish(maximum: Any, ties: Any, terms: Any, fits: Any, classes: Any, beta: Any) -> Any:
        parts = normalizer(maximum, ties, terms)
        _, _, total, total_low, inverse, inverse_low, _, _ = parts
        others = lowered(fits[1][0]), lowered(fits[1][1])
        mean, mean_low, gap, gap_low = centre_of_row(others, fits[2], parts)
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
    gap, gap_low, top = below_maximum(kept, row[5])
    e, e_low = fine_exponential(gap, gap_low)
    p, p_low, others, others_low, way, way_low = share_of_class(e, e_low, top, row[6:10])
    a, a_low, s, s_low, both, both_low = tilt_of_class(p, p_low, target, beta)
    lone, share, share_low = kept == row[4], lowered(p), lowered(p_low)
    gap, gap_low = about_centre(a, a_low, lone, row)
    grad, grad_low = times(p, p_low, gap, gap_low)
    around, around_low = about_centre(both, both_low, lone, row)
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


class JensenShannonOfLogitsFisher(JensenShannonOfLogits):
    name = "js_divergence_fisher"

    @staticmethod
    def curvature(predictions: Any, targets: Any, beta: Any) -> Any:
        share = beta * (1 - beta)
        return tuple(share * x for x in fisher_curvature(predictions, targets))

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, beta: Any) -> Any:
        grad, _, fisher = _js_emit(kept, target, row, beta)
        return grad, fisher


class JensenShannonOfLogProbs(OverClasses):
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


class JensenShannonOfProbs(JensenShannonOfLogProbs):
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
