// Likelihoods of counts of which the dispersion is predicted too.
#pragma once

#include "exponentials.hpp"
#include "location_scale.hpp"
#include "logistic.hpp"

namespace fastloss {
namespace {

template <class T>
struct NegativeBinomialNll {
    static constexpr const char* name = "negative_binomial_nll";

    Point<T, 2> operator()(T prediction, T log_dispersion, T target) const {
        const T infinity = T(__builtin_inf());
        const TwoWord<T> zero = {T(0), T(0)}, one = {T(1), T(0)}, count = {target, T(0)};
        const bool spreads = log_dispersion > T(0), level = log_dispersion <= T(0);
        // log(d mean), its exponential and logistic functions
        const TwoWord<T> logit = two_difference(prediction, -log_dispersion);
        const bool up = logit.high > T(0);
        const TwoWord<T> gap = select(up, logit, -logit);
        const Logistic<T> logistic(half(gap));
        const TwoWord<T> root = logistic.root, total = two_one_plus_exp(-gap.high, -gap.low);
        const TwoWord<T> term = two_log_fine(total.high, total.low), near = inverse(total);
        TwoWord<T> share;
        share.high = root.high * near.high;
        share.low =
            fma(root.high, near.high, -share.high) + fma(root.high, near.low, root.low * near.high);
        const TwoWord<T> rest = two_sum(T(1), -near.high);
        const TwoWord<T> far = select<T>(logistic.e.high > T(0.25),
                                         {rest.high, rest.low - near.low}, logistic.e * near);
        const TwoWord<T> p = select(up, near, far);
        // log(1 + d mean), over p less 1
        const TwoWord<T> excess = two_log_excess(p, plus(select(up, gap, zero), term));
        // mean / (1 + d mean)
        const T log_mean = up ? -log_dispersion : prediction;
        // in another unit: the logarithm that multiplies a small one may be large, and the excess
        // that multiplies a large one small
        const T much = log_mean > T(60) ? T(0x1p-80) : T(1);
        const T little = log_mean < T(-60) ? T(0x1p80) : much;
        const bool least = log_mean < constant<T>(-115.0f, -760.0);
        const T raised = least ? constant<T>(0x1p120f, 0x1p1000) : little, down = T(1) / raised;
        const TwoWord<T> most = two_exp_product(log_mean, near.high * raised, near.low * raised);
        const TwoWord<T> mean = {most.high * down, most.low * down};
        // target / (1 + d mean), and what it lacks of the target
        const TwoWord<T> some = count * near, few = count * root * share;
        const TwoWord<T> seen = select(up, few, some), kept = select(up, some, few);
        const Rising<T> rising(target, log_dispersion);
        // the value
        const TwoWord<T> first = scaled(most * plus(one, excess), down);
        const T added =
            up ? (spreads ? T(0) : log_dispersion) : -(spreads ? logit.high : prediction);
        const TwoWord<T> slope = plus(term, {added, up | level ? T(0) : -logit.low});
        const TwoWord<T> terms = plus(two_log_factorial(target), -rising.log);
        const TwoWord<T> all = plus(first, plus(count * slope, terms));
        const bool many = target > T(0x1p100);
        const TwoWord<T> log_count = plus(two_log_fine(target), {T(-1), T(0)});
        const TwoWord<T> each = plus(plus(log_count, -rising.each), slope);
        const T most_of_many = fma(target, each.high, first.high);
        const bool overflows = abs(most_of_many) == infinity;
        const T of_many = most_of_many + (overflows ? T(0) : target * each.low) +
                          (spreads ? log_dispersion : T(0));
        const T of_counts = many ? of_many : all.high + all.low;
        const T value = target == T(0) ? first.high + first.low : of_counts;
        // the derivatives by the log mean
        const TwoWord<T> grad = plus(mean, -seen);
        const T both = times_square(target, share);
        // exp of up to twice the logit: products of what under- and overflows
        const T once = up ? -log_dispersion : prediction, again = up ? prediction : -log_dispersion;
        const TwoWord<T> sum = two_difference(T(2) * once, again);
        const TwoWord<T> power = two_exp(sum.high, sum.low);
        const TwoWord<T> curved = select(up, power * near, mean) * near;
        // by the log dispersion
        const bool tiny = (prediction <= -log_dispersion) & (logistic.e.high < T(0x1p-60));
        const T small = T(0.5) * power.high;
        const TwoWord<T> lost = select<T>(tiny, {small, T(0)}, scaled(most * excess, down));
        const TwoWord<T> bend =
            select<T>(tiny, {-small, T(0)}, scaled(most * plus(excess, -p), down));
        const TwoWord<T> gain = plus(plus(kept, -rising.slope), -lost);
        const TwoWord<T> curve = plus(two_sum(both, -rising.curve), bend);
        // the limits
        const T nothing = flat(prediction) + flat(log_dispersion) + flat(target);
        const bool zeros = log_dispersion == infinity;  // all that is expected
        const bool every = target == infinity;
        const bool none = ((prediction == infinity) & (log_dispersion < infinity)) | every;
        const T found = none | (first.high == infinity) ? infinity + nothing : value;
        const T end = target == T(0) ? nothing : nothing + infinity;
        const T unit = target == T(0) ? nothing : nothing + T(1);
        // a rounding error next to the largest float may be that of an infinity
        const T one_by_one = (kept.high - rising.slope.high) - lost.high;
        const T by_mean = every ? nothing - infinity : grad.high + grad.low;
        const T gained = gain.high + gain.low;
        const T by_dispersion =
            none ? nothing - infinity : (gained == gained ? gained : one_by_one);
        const T hess = every ? nothing + infinity : curved.high + curved.low + both;
        const T bent = none ? nothing + infinity : curve.high + curve.low;
        return {zeros ? end : found,
                {zeros ? nothing : by_mean, zeros ? unit : by_dispersion},
                {zeros ? nothing : hess, zeros ? nothing : bent}};
    }
};

}  // namespace
}  // namespace fastloss
