// Classes of two distributions and of their mixture m = b q + (1 - b) p.
//
// A class has b (q log(q / m) - q + m) + (1 - b) (p log(p / m) - p + m), of which neither is below
// 0 and all but the logarithms cancels. They are m times u log(u) + v of u = q / m and of u = p / m
// with v = 1 - u, which is a multiple of q - p.
#pragma once

#include "two_words.hpp"

namespace fastloss {
namespace {

// What takes a probability to the raised ones.
template <class T>
FASTLOSS_INLINE T raising() {
    return from_bits<T>((Format<T>::bias + Format<T>::raise) << Format<T>::mantissa);
}

// The logarithm of u = 1 - v >= 0; -log(u) / v - 1 where v >= -1/4.
template <class T>
struct LogOfShare {
    TwoWord<T> log, excess;

    FASTLOSS_INLINE LogOfShare(TwoWord<T> u, TwoWord<T> v) {
        const TwoWord<T> any = two_log_fine(u.high, u.low);
        excess = two_log_excess(v, -any);
        log = select(abs(v.high) <= T(0.25), -(v * plus_one(excess)), any);
    }
};

// The sum of u log(u) and v, for u = 1 - v >= 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> relative_to_mean(TwoWord<T> u, TwoWord<T> v) {
    const auto [log, excess] = LogOfShare<T>(u, v);
    const TwoWord<T> part = u * excess, gap = two_difference(v.high, part.high);
    const TwoWord<T> near = v * TwoWord<T>{gap.high, gap.low + (v.low - part.low)};
    const TwoWord<T> product = u * log, sum = two_sum(product.high, v.high);
    const TwoWord<T> far = {sum.high, sum.low + (product.low + v.low)};
    const TwoWord<T> value = select(v.high < T(-0.25), far, near);
    return select(u.high == T(0), {T(1), T(0)}, value);
}

// Of a class p, q and m in the same unit, for a probability that is raised; 1 / m and 1 - b.
template <class T>
struct Mixture {
    TwoWord<T> p, m, inverse, rest;
    T q, beta;
    bool large;

    FASTLOSS_INLINE Mixture(TwoWord<T> raised, T target, T beta) : beta(beta) {
        rest = two_difference(T(1), beta);
        large = target > T(1);
        q = large ? target : target * raising<T>();
        p = select(large, {lowered(raised.high), lowered(raised.low)}, raised);
        m = two_plus(rest * p, two_product(beta, q));
        // without target mass the ratios are the same for all p
        const bool bare = target == T(0);
        p = select(bare, {T(1) + flat(p.high), T(0)}, p);
        const TwoWord<T> whole = select(bare, rest, m);
        inverse = fastloss::inverse(select(whole.high == T(0), {T(1), T(0)}, whole));
    }

    // q - p times a factor over m.
    FASTLOSS_INLINE TwoWord<T> above(TwoWord<T> factor) const {
        const TwoWord<T> gap = two_difference(q, p.high);
        return two_times({gap.high, gap.low - p.low}, inverse) * factor;
    }

    FASTLOSS_INLINE TwoWord<T> divergence() const {
        const TwoWord<T> share = {beta, T(0)};
        const TwoWord<T> first = relative_to_mean(two_times(p, inverse), above(share));
        const TwoWord<T> second = relative_to_mean(two_times({q, T(0)}, inverse), -above(rest));
        const TwoWord<T> value = m * two_plus(rest * first, share * second);
        return select(large, value, {lowered(value.high), lowered(value.low)});
    }

    // What is said of the share u = 1 - v that a part has in m, where u may be subnormal.
    FASTLOSS_INLINE LogOfShare<T> log_of(TwoWord<T> part, TwoWord<T> v) const {
        const bool small = part.high < T(0x1p-64) * q;
        const T up = small ? raising<T>() : T(1);
        LogOfShare<T> of(two_times({up * part.high, up * part.low}, inverse), v);
        const TwoWord<T> more = two_log_fine(raising<T>());
        const TwoWord<T> less = two_difference(of.log.high, small ? more.high : T(0));
        of.log = {less.high, less.low + (of.log.low - (small ? more.low : T(0)))};
        return of;
    }

    // (1 - b) log(p / m), the derivative by p.
    FASTLOSS_INLINE TwoWord<T> slope() const { return rest * log_of(p, above({beta, T(0)})).log; }

    // The same, but of (1 - b) p / m: so it is 0 without target mass; and where p vanishes, which
    // it multiplies.
    FASTLOSS_INLINE TwoWord<T> tilt() const {
        const TwoWord<T> part = rest * p, slope = rest * log_of(part, share(q)).log;
        return select(part.high == T(0), {T(0), T(0)}, slope);
    }

    // That and the curve, without the difference of both.
    FASTLOSS_INLINE TwoWord<T> bend() const {
        const TwoWord<T> part = rest * p, v = share(q);
        const LogOfShare<T> of = log_of(part, v);
        const TwoWord<T> sum = select(v.high <= T(0.25), -(v * of.excess), two_plus(of.log, v));
        return select(part.high == T(0), {T(0), T(0)}, rest * sum);
    }

    // Of a mass in m.
    FASTLOSS_INLINE TwoWord<T> share(T mass) const { return two_product(beta, mass) * inverse; }

    // p times the second derivative by p.
    FASTLOSS_INLINE TwoWord<T> curve() const { return share(q) * rest; }
};

// e^x, raised, for x <= 0; to nearly twice the digits but in the tail.
template <class T>
FASTLOSS_INLINE TwoWord<T> fine_exponential(TwoWord<T> x) {
    const bool far = x.high < constant<T>(-64.0f, -640.0);
    const TwoWord<T> tail = two_exp_raised(x.high, x.low);
    const TwoWord<T> e = two_exp_fine(far ? T(0) : x.high, far ? T(0) : x.low);
    return select(far, tail, {e.high * raising<T>(), e.low * raising<T>()});
}

}  // namespace
}  // namespace fastloss
