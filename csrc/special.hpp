#pragma once
// Special functions of one real number, float or double, in the manner of real.hpp: branch-free
// plain arithmetic on one and two words, with the errors that were seen. fastloss/vocabulary/
// special.py has the same text for Python.

#include "real.hpp"

namespace fastloss {
namespace {

// A number of the format: what differs between float and double, side by side.
template <class T>
constexpr T constant(float single, double twice) {
    return sizeof(T) == sizeof(float) ? T(single) : T(twice);
}

// sqrt(high + low) for |low| <= ulp(high), in two words; low is 0 where the root is infinite or its
// square has subnormal digits. high is within 0.5 ulp, both within 2^-20.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_sqrt(T high, T low = T(0)) {
    const T root = sqrt(high);
    const T rest = (fma(-root, root, high) + low) / (T(2) * root);
    const bool exact = (high > constant<T>(0x1p-78f, 0x1p-916)) & (rest - rest == T(0));
    return {root, exact ? rest : T(0)};
}

// high + low where high is the rounded sum, for |high| >= |low| or sums that are exact.
template <class T>
FASTLOSS_INLINE TwoWord<T> normalized(T high, T low) {
    const T sum = high + low;
    return {sum, (high - sum) + low};
}

// (a + b) / (c + d) for finite numbers, c not 0, of two words each.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_quotient(TwoWord<T> a, TwoWord<T> b) {
    const T inverse = T(1) / b.high;
    const T quotient = a.high * inverse;
    const T rest = multiply_add(-quotient, b.low, fma(-quotient, b.high, a.high) + a.low);
    return normalized(quotient, rest * inverse);
}

// The product of two numbers of two words.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_times(TwoWord<T> a, TwoWord<T> b) {
    const T high = a.high * b.high;
    const T low = fma(a.high, b.high, -high);
    return normalized(high, low + multiply_add(a.high, b.low, a.low * b.high));
}

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

// base^exponent for base >= 0; 1 where the exponent is 0 or the base 1. 1.0 / 1.3 ulp.
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

// e^(x + lo) = 2^n (1 + rest) for x <= 0 and |lo| <= ulp(x), to 2^-29 and 2^-58, rest to as much of
// itself; 0 where even a fourfold of it rounds to 0.
template <class T>
struct Exponential {
    T raised;  // 2^n 2^raise, normal or 0
    T power;   // 2^n
    TwoWord<T> rest;

    FASTLOSS_INLINE Exponential(T x, T lo) {
        using F = Format<T>;
        constexpr T shift = F::round + (F::bias + F::raise);
        constexpr T zero_below = constant<T>(-108.0f, -750.0);
        const bool vanishes = x < zero_below;
        const T biased = multiply_add(x, F::log2_e, shift), n = biased - shift;
        const T high = multiply_add(n, -F::ln2_high, x);
        const T low = multiply_add(n, -F::ln2_low, lo);
        const TwoWord<T> r = normalized(vanishes ? T(0) : high, vanishes ? T(0) : low);
        const T square = r.high * r.high, half = T(0.5) * square;
        const T half_low = T(0.5) * fma(r.high, r.high, -square);
        const T tail = multiply_add(r.high * square, exp_cubic(r.high), half_low);
        const TwoWord<T> near = normalized(r.high, half);
        rest = normalized(near.high, near.low + multiply_add(r.low, near.high, r.low + tail));
        raised = from_bits<T>(vanishes ? Bits<T>(0) : to_bits(biased) << F::mantissa);
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

// tanh(x + lo) for |lo| <= ulp(x), in two words to 2^-27 and 2^-57 of itself: with e = exp(-2 |x|)
// it is (1 - e) / (1 + e). high alone, tanh, is within 0.51 ulp.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_tanh(T x, T lo = T(0)) {
    const bool negative = x < T(0);
    const Exponential<T> e(T(-2) * abs(x), negative ? T(2) * lo : T(-2) * lo);
    const TwoWord<T> y = two_quotient(e.complement(), e.increment());
    return {negative ? -y.high : y.high, negative ? -y.low : y.low};
}

template <class T>
FASTLOSS_INLINE T tanh(T x) {
    return two_tanh(x).high;
}

// 1 - tanh(x + lo)^2, the derivative of tanh: 4 e / (1 + e)^2. 0.52 ulp, 0.7 where subnormal.
template <class T>
FASTLOSS_INLINE T sech_squared(T x, T lo = T(0)) {
    const bool negative = x < T(0);
    const Exponential<T> e(T(-2) * abs(x), negative ? T(2) * lo : T(-2) * lo);
    const TwoWord<T> sum = e.increment(), inverse = two_inverse(sum.high, sum.low);
    const TwoWord<T> square = two_times(inverse, inverse);
    const TwoWord<T> mantissa = normalized(T(1), e.rest.high);
    const T low =
        multiply_add(mantissa.high, square.low, (mantissa.low + e.rest.low) * square.high);
    return lowered(fma(mantissa.high, square.high, low) * (T(4) * e.raised));
}

// log(1 - exp(-(x + lo))) for x > 0 and |lo| <= ulp(x), -inf at 0. 1.1 ulp, 1.5 where
// subnormal.
template <class T>
FASTLOSS_INLINE T log1mexp(T x, T lo = T(0)) {
    const TwoWord<T> rest = Exponential<T>(-x, -lo).complement();
    const TwoWord<T> y = two_log_fine(rest.high, rest.low);
    return y.high + y.low;
}

}  // namespace
}  // namespace fastloss
