"""Likelihoods of counts of which the dispersion is predicted too."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, COUNTS, Domain
from .._loss import MapLoss
from ..vocabulary import (
    abs,
    const,
    constant,
    exp,
    flat,
    fma,
    inf,
    lgamma,
    log1p,
    log_rising,
    log_rising_parts,
    scaled_softplus,
    two_difference,
    two_exp,
    two_exp_product,
    two_inverse,
    two_log_excess,
    two_log_factorial,
    two_log_fine,
    two_one_plus_exp,
    two_sum,
    where,
)
from ._exponentials import times_square
from ._logistic import logistic, root_share
from ._two_words import plus, times

__all__ = ["NegativeBinomialNll"]


class NegativeBinomialNll(MapLoss):
    """Negative binomial negative log-likelihood (NB2), of a log mean z and a log dispersion t.

    With d = exp(t) and r = 1 / d it is (target + r) log(1 + d exp(z)) - target z + log(target!)
    less log(Γ(r + target) / Γ(r)) + target t. The ulp is that of the largest of these terms, as
    they may cancel.

    Use it for counts that scatter more than their mean, to learn how much more.

    Avoid it where few counts lie above 1, which tell nothing of the scatter; and where the variance
    may be the mean: the best dispersion is then 0, and its logarithm has no end.

    See Also
    --------
    NegativeBinomial : of one dispersion that is known.
    Poisson : its limit for a small dispersion.
    GaussianNll : of other numbers.
    """

    name = "negative_binomial_nll"
    inputs = ("prediction", "target", "log_dispersion")
    differentiated = ("prediction", "log_dispersion")
    link = "log"
    convex = False
    smooth = True
    hessian_sign = "any"
    elicits = "mean"
    proper = True
    ulps = {"float32": (2, 3, 4), "float64": (2, 3, 4)}

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, COUNTS, ANYTHING

    @staticmethod
    def definition(prediction: Any, log_dispersion: Any, target: Any) -> Any:
        return (
            scaled_softplus(prediction, log_dispersion),
            target * (log1p(exp(prediction + log_dispersion)) - prediction),
            lgamma(target + 1),
            -log_rising(target, log_dispersion),
        )

    @staticmethod
    def formula(prediction: Any, log_dispersion: Any, target: Any) -> Any:
        zero, one, half = const(0.0), const(1.0), const(0.5)
        spreads, level = log_dispersion > zero, log_dispersion <= zero
        # log(d mean), its exponential and logistic functions
        logit, logit_low = two_difference(prediction, -log_dispersion)
        up = logit > zero
        gap, gap_low = where(up, logit, -logit), where(up, logit_low, -logit_low)
        root, root_low, e, e_low, _, _ = logistic(half * gap, half * gap_low)
        total, total_low = two_one_plus_exp(-gap, -gap_low)
        term, term_low = two_log_fine(total, total_low)
        near, near_low = two_inverse(total, total_low)
        share, share_low = root_share(root, root_low, near, near_low)
        far, far_low = times(e, e_low, near, near_low)
        rest, rest_low = two_sum(one, -near)
        wide = e > const(0.25)
        far, far_low = where(wide, rest, far), where(wide, rest_low - near_low, far_low)
        p, p_low = where(up, near, far), where(up, near_low, far_low)
        # log(1 + d mean), over p less 1
        spread, spread_low = plus(where(up, gap, zero), where(up, gap_low, zero), term, term_low)
        excess, excess_low = two_log_excess(p, p_low, spread, spread_low)
        # mean / (1 + d mean)
        log_mean = where(up, -log_dispersion, prediction)
        # in another unit: the logarithm that multiplies a small one may be large, and the excess
        # that multiplies a large one small
        raised = where(log_mean > const(60.0), const(2.0**-80), one)
        raised = where(log_mean < const(-60.0), const(2.0**80), raised)
        least = log_mean < constant(-115.0, -760.0)
        raised = where(least, constant(2.0**120, 2.0**1000), raised)
        down = one / raised
        most, most_low = two_exp_product(log_mean, near * raised, near_low * raised)
        mean, mean_low = most * down, most_low * down
        # target / (1 + d mean), and what it lacks of the target
        some, some_low = times(target, zero, near, near_low)
        few, few_low = times(target, zero, root, root_low)
        few, few_low = times(few, few_low, share, share_low)
        seen, seen_low = where(up, few, some), where(up, few_low, some_low)
        kept, kept_low = where(up, some, few), where(up, some_low, few_low)
        rising, rising_low, steep, steep_low, rising_curve, each, each_low = log_rising_parts(
            target, log_dispersion
        )
        # the value
        first, first_low = plus(one, zero, excess, excess_low)
        first, first_low = times(most, most_low, first, first_low)
        first, first_low = first * down, first_low * down
        added = where(up, where(spreads, zero, log_dispersion), -where(spreads, logit, prediction))
        added_low = where(up | level, zero, -logit_low)
        slope, slope_low = plus(term, term_low, added, added_low)
        second, second_low = times(target, zero, slope, slope_low)
        third, third_low = two_log_factorial(target)
        value, value_low = plus(third, third_low, -rising, -rising_low)
        value, value_low = plus(second, second_low, value, value_low)
        value, value_low = plus(first, first_low, value, value_low)
        value = value + value_low
        many = target > const(2.0**100)
        log_count, log_count_low = two_log_fine(target)
        each, each_low = plus(log_count, log_count_low, -each, -each_low)
        each, each_low = plus(each, each_low, -one, zero)
        each, each_low = plus(each, each_low, slope, slope_low)
        each = fma(target, each, first)
        each = each + where(abs(each) == const(inf), zero, target * each_low)
        value = where(many, each + where(spreads, log_dispersion, zero), value)
        value = where(target == zero, first + first_low, value)
        # the derivatives by the log mean
        grad, grad_low = plus(mean, mean_low, -seen, -seen_low)
        both = times_square(target, share, share_low)
        # exp of up to twice the logit: products of what under- and overflows
        once, again = where(up, -log_dispersion, prediction), where(up, prediction, -log_dispersion)
        power, power_low = two_difference(const(2.0) * once, again)
        power, power_low = two_exp(power, power_low)
        above, above_low = times(power, power_low, near, near_low)
        below, below_low = where(up, above, mean), where(up, above_low, mean_low)
        curved, curved_low = times(below, below_low, near, near_low)
        # by the log dispersion
        tiny = (prediction <= -log_dispersion) & (e < const(2.0**-60))
        small = half * power
        lost, lost_low = times(most, most_low, excess, excess_low)
        lost, lost_low = lost * down, lost_low * down
        lost, lost_low = where(tiny, small, lost), where(tiny, zero, lost_low)
        bend, bend_low = plus(excess, excess_low, -p, -p_low)
        bend, bend_low = times(most, most_low, bend, bend_low)
        bend, bend_low = bend * down, bend_low * down
        bend, bend_low = where(tiny, -small, bend), where(tiny, zero, bend_low)
        gain, gain_low = plus(kept, kept_low, -steep, -steep_low)
        gain, gain_low = plus(gain, gain_low, -lost, -lost_low)
        # a rounding error next to the largest float may be that of an infinity
        gain = gain + gain_low
        gain = where(gain == gain, gain, (kept - steep) - lost)
        curve, curve_low = two_sum(both, -rising_curve)
        curve, curve_low = plus(curve, curve_low, bend, bend_low)
        # the limits
        nothing = flat(prediction) + flat(log_dispersion) + flat(target)
        zeros = log_dispersion == const(inf)  # all that is expected
        every = target == const(inf)
        none = ((prediction == const(inf)) & (log_dispersion < const(inf))) | every
        some = where(target == zero, nothing, nothing + one)
        value = where(none | (first == const(inf)), const(inf) + nothing, value)
        value = where(zeros, where(target == zero, nothing, nothing + const(inf)), value)
        grad = where(every, nothing - const(inf), grad + grad_low)
        gain = where(none, nothing - const(inf), gain)
        grads = where(zeros, nothing, grad), where(zeros, some, gain)
        hess = where(every, nothing + const(inf), curved + curved_low + both)
        curve = where(none, nothing + const(inf), curve + curve_low)
        return value, grads, (where(zeros, nothing, hess), where(zeros, nothing, curve))
