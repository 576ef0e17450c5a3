// Powers, logarithms and hyperbolic functions, in the manner of real.hpp like all special functions
// here: of one real number, float or double, branch-free plain arithmetic on one and two words,
// with the errors that were seen. fastloss/vocabulary/special has the same text for Python.
#pragma once

#include "two_word.hpp"

namespace fastloss {
namespace {

// (atanh(s) / s - 1 - s^2 / 3) / s^4 of t = s^2 <= (sqrt(2) - 1)^4, to 2^-40 and 2^-69 of atanh.
FASTLOSS_INLINE float atanh_reduced(float t) {
    return polynomial(t, 0x1.99999ap-3f, 0x1.24921p-3f, 0x1.c7040ap-4f, 0x1.827f72p-4f);
}

FASTLOSS_INLINE double atanh_reduced(double t) {
    return polynomial(t, 0x1.999999999999ap-3, 0x1.24924924922fep-3, 0x1.c71c71c74c77ap-4,
                      0x1.745d173ce41bap-4, 0x1.3b13a9cbb9295p-4, 0x1.111551154f6e7p-4,
                      0x1.e01971bc0ae18p-5, 0x1.daa559ed76241p-5);
}

// x + lo = 2^k (m + low) with sqrt(1/2) <= m < sqrt(2), and k log(2) in two words.
template <class T>
struct LogSplit {
    TwoWord<T> big;
    T m, low;

    FASTLOSS_INLINE LogSplit(T x, T lo) {
        using F = Format<T>;
        constexpr T unit = F::exponent_unit;
        const bool subnormal = x < F::smallest_normal;
        const T normal = subnormal ? x * T(Bits<T>(1) << F::mantissa) : x;
        const Bits<T> bits = exponent_bits(normal);
        const T k = exponent(bits) - (subnormal ? F::mantissa / unit : T(0));
        big = {k * (F::ln2_high * unit), k * (F::ln2_low * unit)};
        m = from_bits<T>(to_bits(normal) - bits);
        const T twice_scale = from_bits<T>(((F::bias + 1) << F::mantissa) - bits);  // 2 / 2^k
        low = T(0.5) * (twice_scale * lo);
    }
};

// log(x), or log(x + lo) for |lo| <= ulp(x), in two words to 2^-33 and 2^-64 of itself: 2 atanh(s)
// of s = (m - 1) / (m + 1) with x = 2^k m.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_log_fine(T x, T lo = T(0)) {
    const LogSplit<T> split(x, lo);
    const T m = split.m, low = split.low;
    const T f = m - T(1), sum = m + T(1);
    const TwoWord<T> s = two_quotient<T>({f, low}, {sum, ((T(1) - sum) + m) + low});
    const TwoWord<T> t = two_times(s, s);
    constexpr T third = constant<T>(0x1.555556p-2f, 0x1.5555555555555p-2);
    constexpr T third_low = constant<T>(-0x1.555556p-27f, 0x1.5555555555555p-56);
    const T tail = t.high * atanh_reduced(t.high);
    const T slope = third + tail;
    const TwoWord<T> rest = two_times<T>(t, {slope, ((third - slope) + tail) + third_low});
    const T twice = T(2) * s.high, lost = T(2) * s.low;
    const T cubic = twice * rest.high;
    const T cubic_low = fma(twice, rest.high, -cubic) + (twice * rest.low + lost * rest.high);
    const TwoWord<T> near = normalized(twice, cubic);
    const TwoWord<T> high = normalized(split.big.high, near.high);
    const T below = split.big.low + (lost + cubic_low);
    return log_limits(x, normalized(high.high, high.low + (near.low + below)));
}

// base^exponent for base >= 0; 1 where the exponent is 0 or the base 1. 0.9 / 1.1 ulp.
template <class T>
FASTLOSS_INLINE T power(T base, T exponent) {
    const TwoWord<T> l = two_log_fine(base);
    const bool one = ((exponent == T(0)) & (base == base)) | (base == T(1));
    const T high = exponent * l.high;
    const T low = multiply_add(exponent, l.low, fma(exponent, l.high, -high));
    return exp(one ? T(0) : high, one ? T(0) : low);
}

// (e^r - 1 - r - r^2/2) / r^3 for |r| <= ln(2)/2.
FASTLOSS_INLINE float exp_cubic(float r) {
    return polynomial(r, 0x1.555556p-3f, 0x1.555518p-5f, 0x1.110f7ep-7f, 0x1.6d12bcp-10f,
                      0x1.a37bf2p-13f);
}

FASTLOSS_INLINE double exp_cubic(double r) {
    return polynomial(r, 0x1.5555555555556p-3, 0x1.5555555555556p-5, 0x1.11111111107p-7,
                      0x1.6c16c16c15f33p-10, 0x1.a01a01a90c6f6p-13, 0x1.a01a01a8a848ep-16,
                      0x1.71de0a1280761p-19, 0x1.27e4d630d32ecp-22, 0x1.af3f6e6a802fep-26,
                      0x1.1f7cd81946af2p-29);
}

// e^(r + low) - 1 for |r| <= ln(2)/2 and |low| <= ulp(r), in two words.
template <class T>
FASTLOSS_INLINE TwoWord<T> exp_rest(TwoWord<T> r) {
    const T square = r.high * r.high, half = T(0.5) * square;
    const T half_low = T(0.5) * fma(r.high, r.high, -square);
    const T tail = multiply_add(r.high * square, exp_cubic(r.high), half_low);
    const TwoWord<T> near = normalized(r.high, half);
    return normalized(near.high, near.low + multiply_add(r.low, near.high, r.low + tail));
}

// x + lo = n log(2) + high + low for x <= 0, |high| <= ln(2)/2; and 2^n 2^raise.
template <class T>
struct ExpSplit {
    T raised, high, low;

    FASTLOSS_INLINE ExpSplit(T x, T lo) {
        using F = Format<T>;
        constexpr T shift = F::round + (F::bias + F::raise);
        const T biased = multiply_add(x, F::log2_e, shift), n = biased - shift;
        high = multiply_add(n, -F::ln2_high, x);
        low = multiply_add(n, -F::ln2_low, lo);
        raised = from_bits<T>(to_bits(biased) << F::mantissa);
    }
};

// e^(x + lo) = 2^n (1 + rest) for x <= 0 and |lo| <= ulp(x), to 2^-29 and 2^-58, rest to as much of
// itself; 0 where even a fourfold of it rounds to 0.
template <class T>
struct SmallExp {
    T raised;  // 2^n 2^raise, normal or 0
    T power;   // 2^n
    TwoWord<T> rest;

    FASTLOSS_INLINE SmallExp(T x, T lo) {
        constexpr T zero_below = constant<T>(-108.0f, -750.0);
        const bool vanishes = x < zero_below;
        const ExpSplit<T> split(x, lo);
        rest = exp_rest(normalized(vanishes ? T(0) : split.high, vanishes ? T(0) : split.low));
        raised = vanishes ? T(0) : split.raised;
        power = lowered(raised);
    }

    // 1 - e^(x + lo) and 1 + e^(x + lo) in two words.
    FASTLOSS_INLINE TwoWord<T> complement() const {
        const T whole = T(1) - power;
        const TwoWord<T> high = normalized(whole, -power * rest.high);
        const T lost = (T(1) - whole) - power;
        return normalized(high.high, high.low + multiply_add(-power, rest.low, lost));
    }
    FASTLOSS_INLINE TwoWord<T> increment() const {
        const T whole = T(1) + power;
        const TwoWord<T> high = normalized(whole, power * rest.high);
        const T lost = (T(1) - whole) + power;
        return normalized(high.high, high.low + multiply_add(power, rest.low, lost));
    }
};

// (1 + rest)^2 - 1
template <class T>
FASTLOSS_INLINE TwoWord<T> squared(TwoWord<T> rest) {
    const TwoWord<T> square = two_times(rest, rest);
    const TwoWord<T> sum = normalized(T(2) * rest.high, square.high);
    return normalized(sum.high, sum.low + multiply_add(T(2), rest.low, square.low));
}

// e^(x + lo) for |lo| <= ulp(x), in two words to 2^-34 and 2^-66 of itself; 0 or infinite from
// +-80 / +-700 on. e to a sixteenth of the remainder, squared.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_exp_fine(T x, T lo = T(0)) {
    const T size = abs(x);
    const bool above = x > T(0), beyond = size > constant<T>(80.0f, 700.0);
    const ExpSplit<T> split(-size, x < T(0) ? lo : -lo);
    const T part = T(0x1p-4) * (beyond ? T(0) : split.high);
    const T part_low = T(0x1p-4) * (beyond ? T(0) : split.low);
    const TwoWord<T> rest =
        squared(squared(squared(squared(exp_rest(normalized(part, part_low))))));
    TwoWord<T> m = normalized(T(1), rest.high);
    m.low += rest.low;
    const TwoWord<T> inverse = two_inverse(m.high, m.low);
    const T down = lowered(split.raised), power = above ? T(1) / down : down;
    const T limit = above ? Format<T>::infinity : T(0), up = beyond ? limit : power;
    const T low = (above ? inverse.low : m.low) * up;
    return {(above ? inverse.high : m.high) * up, beyond ? T(0) : low};
}

// tanh(x + lo) for |lo| <= ulp(x), in two words to 2^-27 and 2^-57 of itself: with e = exp(-2 |x|)
// it is (1 - e) / (1 + e). high alone, tanh, is within 0.51 ulp.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_tanh(T x, T lo = T(0)) {
    const bool negative = x < T(0);
    const SmallExp<T> e(T(-2) * abs(x), negative ? T(2) * lo : T(-2) * lo);
    const TwoWord<T> y = two_quotient(e.complement(), e.increment());
    return {negative ? -y.high : y.high, negative ? -y.low : y.low};
}

template <class T>
FASTLOSS_INLINE T tanh(T x) {
    return two_tanh(x).high;
}

// 1 - tanh(x + lo)^2, the derivative of tanh: 4 e / (1 + e)^2. 0.52 ulp, 0.75 where subnormal.
template <class T>
FASTLOSS_INLINE T sech_squared(T x, T lo = T(0)) {
    const bool negative = x < T(0);
    const SmallExp<T> e(T(-2) * abs(x), negative ? T(2) * lo : T(-2) * lo);
    const TwoWord<T> sum = e.increment(), inverse = two_inverse(sum.high, sum.low);
    const TwoWord<T> square = two_times(inverse, inverse);
    const TwoWord<T> mantissa = normalized(T(1), e.rest.high);
    const T low =
        multiply_add(mantissa.high, square.low, (mantissa.low + e.rest.low) * square.high);
    return lowered(fma(mantissa.high, square.high, low) * (T(4) * e.raised));
}

// log(1 - exp(-(x + lo))) for x > 0 and |lo| <= ulp(x), -inf at 0. 1.2 ulp, 1.5 where
// subnormal.
template <class T>
FASTLOSS_INLINE T log1mexp(T x, T lo = T(0)) {
    const TwoWord<T> rest = SmallExp<T>(-x, -lo).complement();
    const TwoWord<T> y = two_log_fine(rest.high, rest.low);
    return y.high + y.low;
}

// 1 + exp(x + lo) for x <= 0 and |lo| <= ulp(x), in two words to 2^-29 and 2^-58 of what is added.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_one_plus_exp(T x, T lo = T(0)) {
    return SmallExp<T>(x, lo).increment();
}

// log(1 + exp(x + lo)) for x <= 0 and |lo| <= ulp(x), in two words to 2^-29 and 2^-58 of itself,
// 1.5 ulp where subnormal.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_log1pexp(T x, T lo = T(0)) {
    const TwoWord<T> sum = two_one_plus_exp(x, lo);
    return two_log_fine(sum.high, sum.low);
}

// ((-log(1 - v) - v) / v^2 - 1/2) / v for |v| <= 1/4.
FASTLOSS_INLINE float log_excess_reduced(float v) {
    return polynomial(v, 0x1.555554p-2f, 0x1.fffffep-3f, 0x1.999dbcp-3f, 0x1.55592p-3f,
                      0x1.2363bp-3f, 0x1.fdd478p-4f, 0x1.fdb51ap-4f, 0x1.cbb334p-4f);
}

FASTLOSS_INLINE double log_excess_reduced(double v) {
    return polynomial(v, 0x1.5555555555555p-2, 0x1.ffffffffffef6p-3, 0x1.999999999989cp-3,
                      0x1.5555555583729p-3, 0x1.24924924be413p-3, 0x1.ffffffb59efd2p-4,
                      0x1.c71c71803160fp-4, 0x1.9999b478673b9p-4, 0x1.745d30e46a30fp-4,
                      0x1.555033cb4518ap-4, 0x1.3b0ecce1b21fap-4, 0x1.251fcfa54c874p-4,
                      0x1.1197fdc81c9dep-4, 0x1.eecfaa9236669p-5, 0x1.d17f3523b5ef5p-5,
                      0x1.28a26e19fd4abp-4, 0x1.196a563b4a862p-4);
}

// -log(1 - v) / v - 1 for -1/4 <= v <= 1, of v and the logarithm, less its sign.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_log_excess(TwoWord<T> v, TwoWord<T> log) {
    const TwoWord<T> near = two_times(v, normalized(T(0.5), v.high * log_excess_reduced(v.high)));
    const TwoWord<T> ratio = two_quotient(log, v), far = two_sum(ratio.high, T(-1));
    const bool small = v.high <= T(0.25);
    return {small ? near.high : far.high, small ? near.low : far.low + ratio.low};
}

}  // namespace
}  // namespace fastloss
