#pragma once
// Elementary functions of one real number, float or double: branch-free plain arithmetic that the
// compiler vectorises in any loop, on every instruction set this file is compiled for. NaN comes
// through everywhere. Errors stated are the largest seen, for both types, over a sample of all bit
// patterns (in float every 311th) and of the hard ranges: with fma / without. The
// coefficients are minimax fits by Sollya.

#include "float.hpp"

namespace fastloss {
namespace {

// c0 + c1 x + c2 x^2 + ...: recursive, because loops over coefficients do not vectorise.
template <class T>
FASTLOSS_INLINE T polynomial(T, T c0) {
    return c0;
}
template <class T, class... Rest>
FASTLOSS_INLINE T polynomial(T x, T c0, Rest... rest) {
    return multiply_add(x, polynomial(x, rest...), c0);
}

// 2^n in two factors, as n may be too large for one; biased holds n + 2 bias in its low bits.
template <class T>
struct Power {
    T first, second;

    FASTLOSS_INLINE explicit Power(Bits<T> biased) {
        using F = Format<T>;
        constexpr Bits<T> exponents = (2 * F::bias + 1) << F::mantissa;
        Bits<T> whole = biased << F::mantissa;
        Bits<T> half = (whole >> 1) & exponents;
        first = from_bits<T>(half);
        second = from_bits<T>(whole - half);
    }
};

// scale (e^r - 1) / r for |r| <= ln(2)/2 and a power of two; of e^r that leaves a relative error of
// 2^-28.0 and 2^-57.6.
FASTLOSS_INLINE float exp_slope(float r, float scale) {
    return polynomial(r, scale, 0x1.fffff8p-2f * scale, 0x1.55548cp-3f * scale,
                      0x1.555b82p-5f * scale, 0x1.123cfcp-7f * scale, 0x1.686a6ep-10f * scale);
}

FASTLOSS_INLINE double exp_slope(double r, double scale) {
    return polynomial(r, scale, 0x1.000000000000cp-1 * scale, 0x1.555555555551bp-3 * scale,
                      0x1.555555554fe61p-5 * scale, 0x1.111111111fa0bp-7 * scale,
                      0x1.6c16c185eb975p-10 * scale, 0x1.a01a015589ca9p-13 * scale,
                      0x1.a019960d73a8p-16 * scale, 0x1.71dec61e25361p-19 * scale,
                      0x1.28b0a7b22ab76p-22 * scale, 0x1.ae1484398610ep-26 * scale);
}

// x - n ln 2, or x + lo - n ln 2 where lo must not be rounded away.
template <class T>
FASTLOSS_INLINE T exp_remainder(T x, T n) {
    return multiply_add(n, -Format<T>::ln2_low, multiply_add(n, -Format<T>::ln2_high, x));
}
template <class T>
FASTLOSS_INLINE T exp_remainder(T x, T n, T lo) {
    return multiply_add(n, -Format<T>::ln2_high, x) + multiply_add(n, -Format<T>::ln2_low, lo);
}

// What e^(x + lo) is made of: 2^n e^r.
template <class T>
struct ExpParts {
    T r;
    Power<T> power;
};

template <class T, class... Low>
FASTLOSS_INLINE ExpParts<T> exp_reduced(T x, Low... lo) {
    using F = Format<T>;
    constexpr T shift = F::round + 2 * F::bias;
    T biased = multiply_add(x, F::log2_e, shift);
    T r = exp_remainder(x, biased - shift, lo...);
    bool vanishes = x < F::exp_zero;
    return {vanishes ? T(0) : r, Power<T>(vanishes ? Bits<T>(0) : to_bits(biased))};
}

// e^x, or with a second argument e^(x + lo) for |lo| <= ulp(x), ignored where the result is 0 or
// infinite (lo may be NaN there). 0.91 / 1.16 ulp, subnormal results included.
template <class T, class... Low>
FASTLOSS_INLINE T exp(T x, Low... lo) {
    const auto [r, power] = exp_reduced(x, lo...);
    T y = multiply_add(r, exp_slope(r, T(1)), T(1)) * power.first * power.second;
    return x > Format<T>::exp_infinite ? Format<T>::infinity : y;
}

// The same in two words: both within 0.34 ulp of high's. low is 0 where it would be subnormal or
// high is infinite.
template <class T, class... Low>
FASTLOSS_INLINE TwoWord<T> two_exp(T x, Low... lo) {
    using F = Format<T>;
    const auto [r, power] = exp_reduced(x, lo...);
    T slope = exp_slope(r, T(1));
    T high = fma(r, slope, T(1));
    T low = fma(r, slope, T(1) - high);
    bool infinite = x > F::exp_infinite;
    return {infinite ? F::infinity : high * power.first * power.second,
            infinite | (x < F::exp_low_zero) ? T(0) : low * power.first * power.second};
}

// 2^raised e^(x + lo) for x <= 0 in two words, 0 below an x: high alone is within 0.91 / 1.16 ulp,
// both within 0.34 of high's. The polynomial carries a factor that keeps the power of two in the
// range of normal numbers, so that one product both scales and rounds to a subnormal result.
// Results that vanish are products with 0: underflows cost a hundred cycles.
template <int raised, class T, class... Low>
FASTLOSS_INLINE TwoWord<T> two_exp_scaled(T x, T zero_below, Low... lo) {
    using F = Format<T>;
    constexpr T shift = F::round + (F::bias + F::mantissa + 1 + raised);
    constexpr T scale = F::half_epsilon;
    T biased = multiply_add(x, F::log2_e, shift);
    T r = exp_remainder(x, biased - shift, lo...);
    bool vanishes = x < zero_below;
    r = vanishes ? T(0) : r;
    T power = from_bits<T>(vanishes ? Bits<T>(0) : to_bits(biased) << F::mantissa);
    T slope = exp_slope(r, scale);
    T high = fma(r, slope, scale);
    return {high * power, fma(r, slope, scale - high) * power};
}

// e^x, or with a second argument e^(x + lo) as for exp, for x <= 0 in two words; low is 0 where it
// would be subnormal.
template <class T, class... Low>
FASTLOSS_INLINE TwoWord<T> two_exp_negative(T x, Low... lo) {
    using F = Format<T>;
    const TwoWord<T> e = two_exp_scaled<0>(x, F::exp_zero, lo...);
    return {e.high, x < F::exp_low_zero ? T(0) : e.low};
}

// The same times 2^raise, for sums: so many numbers that would be subnormal lose no digits.
template <class T, class... Low>
FASTLOSS_INLINE TwoWord<T> two_exp_raised(T x, Low... lo) {
    return two_exp_scaled<Format<T>::raise>(x, Format<T>::raised_zero, lo...);
}

// Takes that factor off.
template <class T>
FASTLOSS_INLINE T lowered(T x) {
    return x * from_bits<T>((Format<T>::bias - Format<T>::raise) << Format<T>::mantissa);
}

// (factor + factor_low) e^x in two words, also where e^x alone is no normal number: for x up to
// 174 (double: 1401) in magnitude; beyond, 0 or infinity. Within 0.55 / 0.5 ulp of high where
// factor, high and their lower words are normal; 0 e^x = 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_exp_product(T x, T factor, T factor_low = T(0)) {
    using F = Format<T>;
    constexpr T shift = F::round + 2 * F::bias;
    constexpr T end = T(1.37) * T(F::bias);
    const bool inside = abs(x) <= end;
    T biased = multiply_add(x, F::log2_e, shift);
    T r = inside ? exp_remainder(x, biased - shift) : T(0);
    Power<T> power(inside ? to_bits(biased) : Bits<T>(2 * F::bias));
    T slope = exp_slope(r, T(1));
    T e = fma(r, slope, T(1)), e_low = fma(r, slope, T(1) - e);
    // half of a negative power first, as the factor may be large
    T a = factor * power.first, a_low = factor_low * power.first;
    T product = a * e;
    T low = fma(a, e, -product) + fma(a, e_low, a_low * e);
    T limit = x > end ? (factor == T(0) ? T(0) : F::infinity) : (x < -end ? T(0) : x);
    T high = inside ? product * power.second : factor * limit;
    const bool regular = inside & (abs(high) < F::infinity);
    return {high, regular ? low * power.second : T(0)};
}

// (e^r - 1 - r) / r^2 for ln(3/4) <= r <= ln(3/2).
FASTLOSS_INLINE float expm1_reduced(float r) {
    return polynomial(r, 0x1.000004p-1f, 0x1.5554e6p-3f, 0x1.5546d6p-5f, 0x1.11e742p-7f,
                      0x1.7e8ad2p-10f);
}

FASTLOSS_INLINE double expm1_reduced(double r) {
    return polynomial(r, 0x1p-1, 0x1.5555555555554p-3, 0x1.55555555555dp-5, 0x1.1111111111a6ap-7,
                      0x1.6c16c16bc5309p-10, 0x1.a01a019c27334p-13, 0x1.a01a03f49fcfp-16,
                      0x1.71de3c3e52edfp-19, 0x1.27ddd02c83093p-22, 0x1.aebe9eaedebfbp-26,
                      0x1.2ef3c235c12cap-29);
}

// Rounding off centre, r in ln(3/4)..ln(3/2), puts the jumps of n where the result enters a new
// binade, so that the rounding of e^r - 1 weighs least.
template <class T>
FASTLOSS_INLINE T expm1_sum(T x, T lo) {
    using F = Format<T>;
    constexpr T shift = F::round + 2 * F::bias;
    constexpr T centre = T(0.0589);
    T above = F::expm1_minus_one > x ? F::expm1_minus_one : x;
    T inside = F::exp_infinite < above ? F::exp_infinite : above;
    T biased = multiply_add(inside - centre, F::log2_e, shift);
    T n = biased - shift;
    T high = multiply_add(n, -F::ln2_high, inside);
    T low = multiply_add(n, -F::ln2_low, inside == x ? lo : T(0));
    T r = high + low;
    T rest = (high - r) + low;
    T y = r + multiply_add(r * r, expm1_reduced(r), rest);
    Power<T> power(to_bits(biased));
    T one = from_bits<T>(((2 * F::bias) << F::mantissa) - to_bits(power.second));
    return with_sign_of(x, multiply_add(power.first, y, power.first - one) * power.second);
}

// e^x - 1, or e^(x + lo) - 1 with lo as for exp. 1.3 / 1.3 ulp; 2^n (e^r - 1) + (2^n - 1).
template <class T>
FASTLOSS_INLINE T expm1(T x) {
    return expm1_sum(x, T(0));
}
template <class T>
FASTLOSS_INLINE T expm1(T x, T lo) {
    return expm1_sum(x, lo);
}

// 4 (log(1 + F/4) - F/4) / F^2 for sqrt(1/2) <= 1 + F/4 <= sqrt(2).
FASTLOSS_INLINE float log_reduced(float f) {
    return polynomial(f, -0x1.fffff8p-4f, 0x1.55555p-6f, -0x1.000432p-8f, 0x1.99a41ap-11f,
                      -0x1.5425c4p-13f, 0x1.226dfcp-15f, -0x1.0f3fa6p-17f, 0x1.0860dp-19f,
                      -0x1.384734p-22f);
}

FASTLOSS_INLINE double log_reduced(double f) {
    return polynomial(f, -0x1.0000000000003p-3, 0x1.555555555551cp-6, -0x1.fffffffffdedep-9,
                      0x1.99999999a17dfp-11, -0x1.55555556e2856p-13, 0x1.2492492246c29p-15,
                      -0x1.fffffef6a1e86p-18, 0x1.c71c71d805a6p-20, -0x1.9999c90990664p-22,
                      0x1.745d4523d2901p-24, -0x1.55507465c25d7p-26, 0x1.3b0ac9094b35p-28,
                      -0x1.24dc4ad654c53p-30, 0x1.11d8243d8c86dp-32, -0x1.fb6e5d1672714p-35,
                      0x1.cfb72947854afp-37, -0x1.d15a5125f36fep-39, 0x1.0b5466cbc079ep-40,
                      -0x1.eb43a8d53b327p-43, 0x1.abe14c50ffa5ep-46);
}

// The exponent of x / sqrt(1/2), still in its place among the bits.
template <class T>
FASTLOSS_INLINE Bits<T> exponent_bits(T x) {
    constexpr Bits<T> fraction = (Bits<T>(1) << Format<T>::mantissa) - 1;
    return (to_bits(x) - Format<T>::sqrt_half) & ~fraction;
}

// The same as a number, in exponent_unit.
FASTLOSS_INLINE float exponent(uint32_t bits) {
    return static_cast<float>(int32_t(bits));
}
FASTLOSS_INLINE double exponent(uint64_t bits) {
    constexpr uint64_t bias = Format<double>::bias;  // 64-bit integers convert in AVX-512 alone
    uint64_t biased = (bits + (bias << 52)) >> 52;
    return from_bits<double>(biased | to_bits(0x1p52)) - (0x1p52 + bias);
}

// log(2^k (1 + (f + low) / 4)) in two words, with k in exponent_unit; f is fourfold so that the
// factor 4 / 2^k is a normal number for every k. high is k ln(2) + f / 4, low what that lacks.
template <class T>
FASTLOSS_INLINE TwoWord<T> log_sum(T k, T f, T low) {
    using F = Format<T>;
    constexpr T unit = F::exponent_unit;
    T big = k * (F::ln2_high * unit);
    T high = multiply_add(f, T(0.25), big);
    T rest = multiply_add(big - high, T(4), f);
    T tail = multiply_add(f * f, log_reduced(f), multiply_add(k, 4 * F::ln2_low * unit, low));
    return {high, T(0.25) * (rest + tail)};
}

// y, but log's value at the x where y does not hold: -inf at 0, NaN below, infinity as it is.
template <class T>
FASTLOSS_INLINE TwoWord<T> log_limits(T x, TwoWord<T> y) {
    using F = Format<T>;
    const bool regular = (x > T(0)) & (x < F::infinity);
    T limit = x > T(0) ? x : x == T(0) ? -F::infinity : F::nan;
    return {regular ? y.high : limit, regular ? y.low : T(0)};
}

// log(x), or log(x + lo) for |lo| <= ulp(x), in two words, of which high alone may lack many
// digits; both within 0.38 / 0.43 ulp, near x = 1 with a lo within 1.4. Their sum, log, is within
// 0.88 / 0.93 ulp.
template <class T, class... Low>
FASTLOSS_INLINE TwoWord<T> two_log(T x, Low... lo) {
    using F = Format<T>;
    constexpr T up = T(Bits<T>(1) << F::mantissa);
    bool subnormal = x < F::smallest_normal;
    T normal = subnormal ? x * up : x;
    Bits<T> bits = exponent_bits(normal);
    T k = exponent(bits) - (subnormal ? F::mantissa / F::exponent_unit : T(0));
    T fourfold = from_bits<T>(to_bits(normal) - bits + (Bits<T>(2) << F::mantissa));
    [[maybe_unused]] T scale = from_bits<T>(((F::bias + 1) << F::mantissa) - bits);  // 2 / 2^k
    return log_limits(x, log_sum(k, fourfold - T(4), (T(0) + ... + (scale * (T(2) * lo)))));
}

template <class T>
FASTLOSS_INLINE T log(T x) {
    const TwoWord<T> y = two_log(x);
    return y.high + y.low;
}

// log(1 + x) plus a small number, in two words as two_log: -inf at x = -1, NaN below. The exponent
// is that of the rounded 1 + x; the rest is taken from x itself. log1p is within 0.97 / 1.02 ulp.
template <class T, class... Addend>
FASTLOSS_INLINE TwoWord<T> two_log1p(T x, Addend... addend) {
    using F = Format<T>;
    T sum = T(1) + x;
    Bits<T> bits = exponent_bits(sum);
    T scale = from_bits<T>(((F::bias + 2) << F::mantissa) - bits);  // 4 / 2^k
    T big = scale - T(4);
    T f = multiply_add(scale, x, big);
    T low = (multiply_add(scale, x, big - f) + ... + (T(4) * addend));
    return log_limits(sum, log_sum(exponent(bits), f, low));
}

template <class T, class... Addend>
FASTLOSS_INLINE T log1p(T x, Addend... addend) {
    const TwoWord<T> y = two_log1p(x, addend...);
    return with_sign_of(x, y.high + y.low);
}

// log(1 + x) for 0 <= x <= 1 plus a small number, by one polynomial: a third of log1p's time.
// 1.4 / 1.75 ulp.
FASTLOSS_INLINE float log1p_unit(float x, float addend) {
    float tail = x * polynomial(x, -0x1.ffffd2p-2f, 0x1.554ddap-2f, -0x1.ff2556p-3f, 0x1.935568p-3f,
                                -0x1.3a6736p-3f, 0x1.b53c48p-4f, -0x1.d7efa8p-5f, 0x1.4a9226p-6f,
                                -0x1.b22adep-9f);
    return x + fma(x, tail, addend);
}

FASTLOSS_INLINE double log1p_unit(double x, double addend) {
    double tail =
        x * polynomial(x, -0x1.fffffffffff9fp-2, 0x1.5555555551052p-2, -0x1.fffffffdd4a4bp-3,
                       0x1.99999951fb01bp-3, -0x1.55554fbe64ea4p-3, 0x1.2491fed9cfc49p-3,
                       -0x1.fffa8bd00015p-4, 0x1.c6f6a83b8b02fp-4, -0x1.98d296b9a7e37p-4,
                       0x1.712df6166ba31p-4, -0x1.4b022086f55f2p-4, 0x1.202df1e815f6cp-4,
                       -0x1.d7115508cb8bp-5, 0x1.5a892cb8ffafap-5, -0x1.b632818d739d7p-6,
                       0x1.c57efadab199bp-7, -0x1.6b4e60f2382acp-8, 0x1.a25bf10450d3fp-10,
                       -0x1.31f8cd7a6207ap-12, 0x1.a9067c05a4c2ep-16);
    return x + fma(x, tail, addend);
}

// (log cosh a - a^2/2) / a^4 of t = a^2 <= 0.64.
FASTLOSS_INLINE float log_cosh_reduced(float t) {
    return polynomial(t, -0x1.5554f6p-4f, 0x1.6bf4d4p-6f, -0x1.b6227ep-8f, 0x1.03ed48p-9f,
                      -0x1.a929b6p-12f);
}

FASTLOSS_INLINE double log_cosh_reduced(double t) {
    return polynomial(t, -0x1.55555555554ddp-4, 0x1.6c16c16c0a228p-6, -0x1.ba1ba1b2b411ap-8,
                      0x1.1ea5d28426d77p-9, -0x1.833d6bf69e769p-11, 0x1.0d08a122ba43cp-12,
                      -0x1.7d6ff7fa7a464p-14, 0x1.11a67ba186191p-15, -0x1.850cf45c5403bp-17,
                      0x1.00db470d6544fp-18, -0x1.0d7bb3618db21p-20, 0x1.3b72c2ef1984dp-23);
}

// (tanh a - a) / a^3 of t = a^2 <= 0.64.
FASTLOSS_INLINE float tanh_reduced(float t) {
    return polynomial(t, -0x1.55553ep-2f, 0x1.110b58p-3f, -0x1.b92b22p-5f, 0x1.5d1564p-6f,
                      -0x1.e5df3ep-8f, 0x1.9ff75p-10f);
}

FASTLOSS_INLINE double tanh_reduced(double t) {
    return polynomial(t, -0x1.5555555555521p-2, 0x1.111111110de5cp-3, -0x1.ba1ba1b7f45d2p-5,
                      0x1.664f4824215e7p-6, -0x1.226e2bc0fd27p-7, 0x1.d6d28df974ff2p-9,
                      -0x1.7d94ff4593277p-10, 0x1.34e50592c9464p-11, -0x1.f05df5db1ebb5p-13,
                      0x1.819b59bded5f6p-14, -0x1.0cdc22128aff6p-15, 0x1.1ebcb4cbac036p-17,
                      -0x1.4ae20ea31d7b2p-20);
}

}  // namespace
}  // namespace fastloss
