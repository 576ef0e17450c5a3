"""Softmax cross-entropy with a temperature, a penalty of the normaliser and a cap of logits."""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    abs,
    const,
    exp,
    flat,
    fma,
    inf,
    log,
    lowered,
    sech_squared,
    tanh,
    two_difference,
    two_exp_raised,
    two_inverse,
    two_log_fine,
    two_product,
    two_sum,
    two_tanh,
    where,
)
from ..vocabulary.special.two_word import normalized, two_times
from ._softmax import softmax_emit, softmax_finish, softmax_fit

__all__ = ["CappedSoftmax", "TemperedSoftmax"]


def _tempered(high: Any, low: Any, temperature: Any) -> tuple[Any, Any]:
    inverse, inverse_low = two_inverse(temperature, const(0.0))
    product, product_low = two_product(high, inverse)
    product_low = product_low + (high * inverse_low + low * inverse)
    return product, where(abs(product) < const(inf), product_low, const(0.0))


def _tempered_finish(
    maximum: Any, maximum_low: Any, ties: Any, terms: Any, fits: Any, z_loss: Any, temperature: Any
) -> Any:
    value, row = softmax_finish(maximum, ties, terms, fits)
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
    grad, hess = softmax_emit(e, target, row)
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


def _definition(logits: Any, targets: Any, z_loss: Any) -> Any:
    total = log(sum(exp(z) for z in logits))
    pairs = zip(logits, targets, strict=True)
    return sum(q * (total - z) for z, q in pairs if q) + z_loss * total**2


class TemperedSoftmax:
    name = "softmax_cross_entropy_tempered"
    reference = "maximum"
    term_sums = 1
    settled = 0
    fit_sums = 2
    coefficients = 10

    @staticmethod
    def definition(predictions: Any, targets: Any, z_loss: Any, temperature: Any) -> Any:
        return _definition([z / temperature for z in predictions], targets, z_loss)

    @staticmethod
    def term(prediction: Any, maximum: Any, z_loss: Any, temperature: Any) -> Any:
        high, low = two_difference(prediction, maximum)
        high, low = _tempered(high, low, temperature)
        return _raised_term(high, low, prediction == maximum)

    @staticmethod
    def fit(prediction: Any, target: Any, maximum: Any, z_loss: Any, temperature: Any) -> Any:
        half, low = two_difference(const(0.5) * maximum, const(0.5) * prediction)
        half, low = _tempered(half, low, temperature)
        return softmax_fit(half, low, target, prediction == maximum)

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


class CappedSoftmax:
    name = "softmax_cross_entropy_capped"
    reference = "maximum"
    term_sums = 1
    settled = 0
    fit_sums = 2
    coefficients = 11

    @staticmethod
    def definition(
        predictions: Any, targets: Any, z_loss: Any, temperature: Any, softcap: Any
    ) -> Any:
        scaled = [softcap * tanh(z / softcap) / temperature for z in predictions]
        return _definition(scaled, targets, z_loss)

    @staticmethod
    def term(prediction: Any, maximum: Any, z_loss: Any, temperature: Any, softcap: Any) -> Any:
        gap, low = _below(prediction, maximum, softcap, temperature)
        return prediction, _raised_term(gap, low, prediction == maximum)[1]

    @staticmethod
    def fit(
        prediction: Any, target: Any, maximum: Any, z_loss: Any, temperature: Any, softcap: Any
    ) -> Any:
        gap, low = _below(prediction, maximum, softcap, temperature)
        return softmax_fit(const(-0.5) * gap, const(-0.5) * low, target, prediction == maximum)

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
