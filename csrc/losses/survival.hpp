// Losses of times that may be known up to an interval.
#pragma once

#include "logistic.hpp"
#include "two_words.hpp"

namespace fastloss {
namespace {

// A scale with what it is needed for.
template <class T>
struct FailureScale {
    TwoWord<T> inverse, square, log;
    T least;  // the limit of log(scale t) - log(t) / scale as t vanishes

    explicit FailureScale(T scale) {
        constexpr T infinity = Format<T>::infinity;
        inverse = two_inverse(scale, T(0));
        square = inverse * inverse;
        log = two_log(scale);
        const T sign = scale < T(1) ? infinity : (scale > T(1) ? -infinity : T(0));
        least = sign + rounded(log);
    }

    // That limit, with a prediction.
    T at_zero(T prediction) const { return least + prediction * inverse.high; }
};

// For z = (log t - prediction) / scale: z at both ends of an interval of times, how far they are
// apart, and log(scale t) of a time that is seen.
template <class T>
struct FailureTimes {
    TwoWord<T> lower, higher, gap, unit;
    bool seen;

    FASTLOSS_INLINE FailureTimes(T prediction, T target, T upper, const FailureScale<T>& scale) {
        const TwoWord<T> zero = {T(0), T(0)};
        seen = target == upper;
        const TwoWord<T> log_target = two_log_fine(target);
        // of near ends the logarithm of their ratio, in which no digit is lost
        const T apart = upper - target;
        const bool near = apart <= target;
        const T up = target < T(0x1p-40) ? T(0x1p60) : T(1);  // no rest is subnormal
        const T base = target * up, step = apart * up, share = step / base;
        TwoWord<T> ratio = two_sum(T(1), share);
        ratio.low += fma(-share, base, step) / base;
        const TwoWord<T> log_ratio =
            two_log_fine(near ? ratio.high : upper, near ? ratio.low : T(0));
        TwoWord<T> far = two_difference(log_ratio.high, log_target.high);
        far.low += log_ratio.low - log_target.low;
        gap = select(seen, zero, select(near, log_ratio, far)) * scale.inverse;
        const TwoWord<T> log_upper = select(near, plus(log_target, log_ratio), log_ratio);
        lower = standardized(log_target, prediction, scale);
        higher = standardized(select(seen, log_target, log_upper), prediction, scale);
        unit = two_sum(scale.log.high, log_target.high);
        unit.low += scale.log.low + log_target.low;
    }

    FASTLOSS_INLINE static TwoWord<T> standardized(TwoWord<T> log_time, T prediction,
                                                   const FailureScale<T>& scale) {
        const TwoWord<T> r = two_difference(log_time.high, prediction);
        // no end wins over any prediction
        const T high = abs(log_time.high) < Format<T>::infinity ? r.high : log_time.high;
        return normal(high, r.low + log_time.low) * scale.inverse;
    }
};

// The same, NaN where an input is; and where a time is seen at 0 its limit.
template <class T>
FASTLOSS_INLINE Point<T> of_times(TwoWord<T> value, T grad, T hess, T prediction, T target, T upper,
                                  T at_zero) {
    const T nothing = flat(prediction) + flat(target) + flat(upper);
    const bool starts = (target == upper) & (target == T(0));
    return {(starts ? at_zero : rounded(value)) + nothing, {grad + nothing}, {hess + nothing}};
}

// One with a scale of times.
template <class T>
struct OfFailureTimes {
    struct Parameters {
        T scale;
    };
    FailureScale<T> scale;

    explicit OfFailureTimes(Parameters parameters) : scale(parameters.scale) {}
};

// ---- normal

// Of exp(-w s - c s^2) over s from -1/2 to 1/2, by Gauss's rule of seven points: its integral less
// 1, and those of its products with s and s^2.
template <class T>
struct Moments {
    T total = T(0), first = T(0), second = T(0);

    FASTLOSS_INLINE Moments(T w, T c) {
        add(w, c, T(0.2029225756886986), T(0.19091502525255946));
        add(w, c, T(0.37076559279969723), T(0.13985269574463832));
        add(w, c, T(0.47455395617137924), T(0.06474248308443485));
    }

    // Two points; that in the middle, at 0, has no part.
    FASTLOSS_INLINE void add(T w, T c, T s, T weight) {
        const T bend = c * s * s;
        const T below = expm1(w * s - bend), above = expm1(-w * s - bend);
        const T both = weight * (below + above);
        total += both;
        first += weight * s * (above - below);
        second += s * s * (T(2) * weight + both);
    }
};

template <class T>
struct Aft : OfFailureTimes<T> {
    static constexpr const char* name = "aft";
    using OfFailureTimes<T>::OfFailureTimes, OfFailureTimes<T>::scale;

    Point<T> operator()(T prediction, T target, T upper) const {
        constexpr T infinity = Format<T>::infinity;
        const TwoWord<T> nothing = {T(0), T(0)}, whole = {T(1), T(0)};
        const FailureTimes<T> times(prediction, target, upper, scale);
        const TwoWord<T> gap = times.gap, lower = times.lower, higher = times.higher;
        const bool open_ended = gap.high == infinity, seen = gap.high == T(0);
        // mirrored, so that the middle of both ends is -mu <= 0, the farther one -a and the nearer
        // one -b, with b < 0 where 0 is between
        const bool mirrored = lower.high + higher.high > T(0);
        const TwoWord<T> a = select(mirrored, higher, -lower), b = select(mirrored, lower, -higher);
        TwoWord<T> mu = two_sum(T(0.5) * a.high, T(0.5) * b.high);
        mu.low = abs(mu.high) < infinity ? mu.low + T(0.5) * (a.low + b.low) : T(0);
        const bool central = b.high<T(0), apart = gap.high * (T(1) + abs(b.high))> T(0.6);
        // what the density falls by from the nearer to the farther end: to exp(-w), by 1 - exp(-w)
        const TwoWord<T> w =
            select<T>(open_ended, {infinity, T(0)}, select(apart, mu * gap, nothing));
        const SmallExp<T> left_of(-w.high, -w.low);
        const TwoWord<T> part = normal(T(1), left_of.rest.high), fall = left_of.complement();
        const TwoWord<T> left = {left_of.power * part.high,
                                 left_of.power * (part.low + left_of.rest.low)};
        // the mass between the ends; where both are on one side, over exp(-b^2 / 2)
        const Normal<T> near(b.high, b.low), far(a.high, a.low);
        const TwoWord<T> out = plus(near.tail, far.tail);
        const TwoWord<T> inside = normal(T(1), -lowered(out.high));
        const TwoWord<T> mass = select<T>(central, {inside.high, inside.low - lowered(out.low)},
                                          plus(near.mills, -(left * far.mills)));
        // the density at the nearer end over it, raised where 0 is between
        const TwoWord<T> density =
            two_quotient(select(central, near.bell, whole), mass) * Normal<T>::peak();
        TwoWord<T> slope = density * fall;
        // that slope less b
        const TwoWord<T> step = select(open_ended, nothing, gap);
        const TwoWord<T> root = {constant<T>(0x1.40d932p+1f, 0x1.40d931ff62706p+1),
                                 constant<T>(-0x1.3b1f4ep-32f, -0x1.a6a0d6f814637p-53)};
        const TwoWord<T> lost = left * plus(far.mills_gap(), step * far.mills * root);
        TwoWord<T> beyond = two_sum(near.size, lowered(slope.high));
        beyond.low += lowered(slope.low) - b.low;
        const TwoWord<T> more = select(central, beyond, density * plus(near.mills_gap(), -lost));
        TwoWord<T> curve = plus(step * left, fall * more) * density;
        // beyond all numbers that differ from those next to them by less than 1
        const bool remote = near.size > Normal<T>::far;
        slope = select<T>(remote, {central ? T(0) : near.size, T(0)}, slope);
        curve = select<T>(remote, {central ? T(0) : T(1), T(0)}, curve);
        // a narrow interval: moments of s from -1/2 to 1/2, by the density at -mu + h s
        const T h = apart ? T(0) : gap.high;
        const Moments<T> moments(h * (apart | seen ? T(0) : mu.high), T(0.5) * h * h);
        const T mean = moments.first / (T(1) + moments.total);
        const T spread = moments.second / (T(1) + moments.total) - mean * mean;
        slope = select<T>(apart, slope, {mu.high, fma(h, mean, mu.low)});
        curve = select<T>(apart, curve, {T(1), -h * h * spread});
        const bool raised = apart & central;
        // the value
        const TwoWord<T> energy =
            select(apart, select(central, nothing, near.square), half(mu) * mu);
        const TwoWord<T> weighed = select(seen, whole, select(apart, mass, gap));
        const TwoWord<T> constants = {
            constant<T>(0x1.d67f1cp-1f, 0x1.d67f1c864beb5p-1),
            constant<T>(0x1.0c97d6p-26f, -0x1.65b5a1b7ff5dfp-55) - log1p(moments.total)};
        TwoWord<T> value = plus(energy, -two_log_fine(weighed.high, weighed.low));
        value = plus(value, select(apart, nothing, constants));
        value = plus(value, select(seen, times.unit, nothing));
        // by the prediction
        const T grad = rounded(slope * scale.inverse);
        const T hess = rounded(curve * scale.inverse * scale.inverse);
        const T signed_grad = mirrored ? -grad : grad;
        return of_times(value, raised ? lowered(signed_grad) : signed_grad,
                        raised ? lowered(hess) : hess, prediction, target, upper, infinity);
    }
};

// ---- logistic

// exp(-|x|), sigmoid(x) / scale, and the root of its derivative over the scale.
template <class T>
struct FailureSoftplus {
    TwoWord<T> e, grad, root;

    FASTLOSS_INLINE FailureSoftplus(TwoWord<T> x, const FailureScale<T>& scale) {
        const Logistic<T> logistic(half(magnitude(x)));
        e = logistic.e;
        root = logistic.share * scale.inverse;
        grad = select(x.high < T(0), logistic.root * root, logistic.inverse * scale.inverse);
    }
};

template <class T>
struct AftLogistic : OfFailureTimes<T> {
    static constexpr const char* name = "aft_logistic";
    using OfFailureTimes<T>::OfFailureTimes, OfFailureTimes<T>::scale;

    Point<T> operator()(T prediction, T target, T upper) const {
        const TwoWord<T> nothing = {T(0), T(0)};
        const FailureTimes<T> times(prediction, target, upper, scale);
        // softplus(-b) + softplus(a) - log(1 - exp(a - b))
        const TwoWord<T> below = -times.higher, above = times.lower;
        const FailureSoftplus<T> first(below, scale), second(above, scale);
        TwoWord<T> value = plus(select(below.high > T(0), below, nothing),
                                select(above.high > T(0), above, nothing));
        const TwoWord<T> x = plus(plus(first.e, second.e), first.e * second.e);
        value = plus(value, two_log1p(x.high, x.low / (T(1) + x.high)));
        const TwoWord<T> between = {-log1mexp(times.gap.high, times.gap.low), T(0)};
        value = plus(value, select(times.seen, times.unit, between));
        const TwoWord<T> slope = plus(first.grad, -second.grad);
        // no square is subnormal before both are added up
        const bool faint = (first.root.high < T(0x1p-40)) & (second.root.high < T(0x1p-40));
        const T up = faint ? T(0x1p40) : T(1), down = faint ? T(0x1p-80) : T(1);
        const TwoWord<T> one = scaled(first.root, up), other = scaled(second.root, up);
        const T curve = rounded(plus(one * one, other * other)) * down;
        return of_times(value, rounded(slope), curve, prediction, target, upper,
                        scale.at_zero(prediction));
    }
};

// ---- extreme value

template <class T>
struct AftExtreme : OfFailureTimes<T> {
    static constexpr const char* name = "aft_extreme";
    using OfFailureTimes<T>::OfFailureTimes, OfFailureTimes<T>::scale;

    // A factor times the exponential.
    FASTLOSS_INLINE static TwoWord<T> exponential(TwoWord<T> x, TwoWord<T> factor) {
        const T low = abs(x.high) < T(0x1p11) ? x.low : T(0);  // beyond it is 0 or infinite
        return two_exp_product(x.high, factor.high, fma(factor.high, low, factor.low));
    }

    Point<T> operator()(T prediction, T target, T upper) const {
        const TwoWord<T> nothing = {T(0), T(0)}, whole = {T(1), T(0)};
        const FailureTimes<T> times(prediction, target, upper, scale);
        const TwoWord<T> lower = times.lower, higher = times.higher;
        // d = exp(b) - exp(a) = exp(b) (1 - exp(a - b)); beyond the ends exp(-d) is 0 or 1 - d
        const TwoWord<T> share = SmallExp<T>(-times.gap.high, -times.gap.low).complement();
        const bool much = higher.high > T(60), little = higher.high < T(-40);
        const TwoWord<T> d =
            two_exp_fine(much ? T(60) : higher.high, much ? T(0) : higher.low) * share;
        const SmallExp<T> left(-d.high, -d.low);
        const TwoWord<T> fall = left.complement();
        // d / (1 - exp(-d)) less 1, and with the exponential d / (exp(d) - 1)
        const TwoWord<T> excess = two_log_excess(fall, d);
        const TwoWord<T> e = normal(T(1), left.rest.high);
        const TwoWord<T> most =
            TwoWord<T>{e.high, e.low + left.rest.low} * plus(excess, whole) * scale.inverse;
        const TwoWord<T> raised = {most.high * left.raised, most.low * left.raised};
        const TwoWord<T> mean = {lowered(raised.high), lowered(raised.low)};
        // by the prediction
        const TwoWord<T> a = exponential(lower, whole);
        const TwoWord<T> slope = plus(mean, -exponential(lower, scale.inverse));
        const bool faint = mean.high < T(0x1p-40);  // lowered last
        const TwoWord<T> part = select(faint, raised, mean) * (excess * scale.inverse);
        const TwoWord<T> inner = select(faint, {lowered(part.high), lowered(part.low)}, part);
        const TwoWord<T> bend =
            select(little, exponential(higher, half(scale.square)) * share, inner);
        const TwoWord<T> curve = plus(exponential(lower, scale.square), bend);
        // the value: log(1 - exp(-d)) is b + log(1 - exp(a - b)) where d is small
        const TwoWord<T> x = select(times.seen, whole, select(little, share, fall));
        TwoWord<T> value = plus(a, -two_log_fine(x.high, x.low));
        const bool linear = (times.seen & (a.high < Format<T>::infinity)) | little;
        value = plus(value, select(linear, -higher, nothing));  // the exponential wins
        value = plus(value, select(times.seen, times.unit, nothing));
        return of_times(value, rounded(slope), rounded(curve), prediction, target, upper,
                        scale.at_zero(prediction));
    }
};

}  // namespace
}  // namespace fastloss
