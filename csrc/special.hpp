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

// high + low, or high where that is infinite or NaN.
template <class T>
FASTLOSS_INLINE T rounded(T high, T low) {
    return low - low == T(0) ? high + low : high;
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

// (p(q) - p(0)) / q of p = (1 + a) Phi(-a) exp(a^2/2), q = (a - 4) / (a + 4), for a >= 0.
FASTLOSS_INLINE float mills_reduced(float q) {
    return polynomial(q, -0x1.8c18fp-4f, 0x1.cabdap-7f, 0x1.d495c2p-6f, -0x1.07c46cp-5f,
                      0x1.25e45ap-6f, -0x1.47b77ap-8f, -0x1.31859p-12f, 0x1.69a3a4p-11f,
                      -0x1.623ef4p-14f, -0x1.5014d4p-14f, 0x1.a49ceep-17f, 0x1.ed17aap-18f);
}

FASTLOSS_INLINE double mills_reduced(double q) {
    return polynomial(q, -0x1.8c18f2086e34bp-4, 0x1.cabd72a60f83bp-7, 0x1.d4969f10e01a4p-6,
                      -0x1.07c3c2582b3d9p-5, 0x1.25dd7205fe5fap-6, -0x1.47d5fc75024dap-8,
                      -0x1.2b7f5dfe4cc64p-12, 0x1.6c53834d8d138p-11, -0x1.8c11b07bd4e5fp-14,
                      -0x1.707bc460f4b1ep-14, 0x1.6483b05c4c753p-16, 0x1.c9427141cf79fp-17,
                      -0x1.cc96b3c7412dep-19, -0x1.5ee6878ac538dp-19, 0x1.b0b37d9f18282p-22,
                      0x1.29e053a6122ccp-21, 0x1.2439dd1715b11p-28, -0x1.eba7d774857b3p-24,
                      -0x1.90b9e51654ff4p-26, 0x1.5c11f6ca5635ep-26, 0x1.309666f772eebp-27,
                      -0x1.67f654f78fecep-29, -0x1.065f663479d1p-29, 0x1.896d5251bc3dfp-33,
                      0x1.b1b415954570bp-33);
}

// The same of p = (1 + a)^2 (1 - a m) with m = Phi(-a) / phi(a), Mills' ratio.
FASTLOSS_INLINE float mills_slope_reduced(float q) {
    return polynomial(q, -0x1.63307p-2f, -0x1.61a6a6p-3f, 0x1.6a0882p-2f, -0x1.c52988p-3f,
                      0x1.bc29dp-6f, 0x1.cbe228p-5f, -0x1.3e4adap-5f, 0x1.27f21p-8f, 0x1.7850c2p-8f,
                      -0x1.b9d0bep-10f, -0x1.8ce68ep-11f, 0x1.d0a988p-13f, 0x1.3dc8bep-14f);
}

FASTLOSS_INLINE double mills_slope_reduced(double q) {
    return polynomial(q, -0x1.63306e6d1422bp-2, -0x1.61a6f28fb61a2p-3, 0x1.6a084c18381bbp-2,
                      -0x1.c524c0ae21748p-3, 0x1.bc4bba86e9a44p-6, 0x1.cb6e5a182d333p-5,
                      -0x1.3e9888125f7cdp-5, 0x1.328d74bc6f5f9p-8, 0x1.7e3f04f05df7cp-8,
                      -0x1.fb76db456c839p-10, -0x1.ce8def0325b21p-11, 0x1.bef2c55d34003p-12,
                      0x1.6df1c78062b6cp-13, -0x1.53412d74cfe78p-14, -0x1.6cfb27d090d5bp-15,
                      0x1.a3822be0b02c6p-17, 0x1.85f07d4fa0e0cp-17, -0x1.a66978468dfeep-21,
                      -0x1.85743b5c1ffc1p-19, -0x1.cf7f4ed2d2638p-22, 0x1.463cf6d13f86dp-21,
                      0x1.d57e4c9431942p-23, -0x1.91ce832bc4479p-24, -0x1.c062cec33e816p-25,
                      0x1.1d5ebb0bfabb6p-27, 0x1.84224ed32f2d3p-28, -0x1.949658329774bp-33);
}

// (p(u) - p(0)) / u of p = (2 Phi(x) - 1) / x, u = x^2 <= 1.
FASTLOSS_INLINE float normal_interval_reduced(float u) {
    return polynomial(u, -0x1.105832p-3f, 0x1.46ce48p-6f, -0x1.36fcdcp-9f, 0x1.dbf84ep-13f,
                      -0x1.00c09ap-16f);
}

FASTLOSS_INLINE double normal_interval_reduced(double u) {
    return polynomial(u, -0x1.1058377e2ceep-3, 0x1.46d042976916dp-6, -0x1.37403f6b9e0e3p-9,
                      0x1.e42b0d50b358cp-13, -0x1.3ce8fa904bb7bp-16, 0x1.658a18d27d5ap-20,
                      -0x1.62216950bbed2p-24, 0x1.3864e95f9703p-28, -0x1.ef0971dc5b4cbp-33,
                      0x1.57c30baa77936p-37, -0x1.4d835d9ccd392p-42);
}

// What the words of the normal distribution share: a formula that needs several makes one of these
// for all. Of x + lo with |lo| <= ulp(x), and a = |x + lo|:
template <class T>
struct Normal {
    bool below;         // x < 0
    T size, size_low;   // a
    T q;                // (a - 4) / (a + 4)
    TwoWord<T> square;  // a^2 / 2
    TwoWord<T> bell;    // exp(-a^2 / 2), raised
    TwoWord<T> wide;    // 1 + a
    TwoWord<T> scaled;  // (1 + a) Phi(-a) exp(a^2 / 2)
    TwoWord<T> mills;   // Phi(-a) exp(a^2 / 2)
    TwoWord<T> tail;    // Phi(-a), raised
    TwoWord<T> rest;    // 1 - Phi(-a)

    // Beyond it 1 + a is a.
    static constexpr T far = T(0x1p60);

    FASTLOSS_INLINE Normal(T x, T lo) {
        below = x < T(0);
        size = abs(x);
        size_low = size < Format<T>::infinity ? (below ? -lo : lo) : T(0);
        const T near = size > far ? far : size, near_low = size > far ? T(0) : size_low;
        const T half = T(0.5) * size, high = half * size;
        const T low = multiply_add(size, size_low, fma(half, size, -high));
        square = {high, high < Format<T>::infinity ? low : T(0)};
        bell = two_exp_raised(-square.high, -square.low);
        const TwoWord<T> sum = two_sum(near, T(4));
        const TwoWord<T> share = two_quotient<T>({T(8), T(0)}, {sum.high, sum.low + near_low});
        q = (T(1) - share.high) - share.low;
        wide = two_sum(near, T(1));
        wide.low += near_low;
        scaled =
            normalized(constant<T>(0x1.e361eap-2f, 0x1.e361ea6fba141p-2), q * mills_reduced(q));
        scaled.low += constant<T>(0x1.ae4b1p-28f, 0x1.09b108491cae8p-56);
        mills = two_quotient(scaled, wide);
        tail = two_times(bell, mills);
        const TwoWord<T> complement = normalized(T(1), -lowered(tail.high));
        rest = {complement.high, complement.low - lowered(tail.low)};
    }

    // phi(x) / Phi(x): raised where x >= 0, by 1 + a too small where x < 0.
    FASTLOSS_INLINE TwoWord<T> ratio() const {
        const T one = below ? T(1) : bell.high, one_low = below ? T(0) : bell.low;
        const TwoWord<T> mass = {below ? scaled.high : rest.high, below ? scaled.low : rest.low};
        return two_times(two_quotient({one, one_low}, mass), peak());
    }

    // (1 + a)^2 (1 - a m) with Mills' ratio m = Phi(-a) / phi(a), and 1 - a m.
    FASTLOSS_INLINE TwoWord<T> mills_slope() const {
        const TwoWord<T> slope =
            normalized(constant<T>(0x1.55b2f2p0f, 0x1.55b2f17e942a7p0), q * mills_slope_reduced(q));
        return {slope.high, slope.low + constant<T>(-0x1.3566d4p-25f, -0x1.e8dedb5ed914p-59)};
    }
    FASTLOSS_INLINE TwoWord<T> mills_gap() const {
        return two_quotient(two_quotient(mills_slope(), wide), wide);
    }

    // phi(0)
    FASTLOSS_INLINE static TwoWord<T> peak() {
        return {constant<T>(0x1.988454p-2f, 0x1.9884533d43651p-2),
                constant<T>(-0x1.857936p-27f, -0x1.cbc0d30ebfd15p-56)};
    }
};

// The standard normal density phi(x + lo). 0.8 ulp.
template <class T>
FASTLOSS_INLINE T normal_density(const Normal<T>& z) {
    const TwoWord<T> y = two_times(z.bell, Normal<T>::peak());
    return lowered(y.high);
}
template <class T>
FASTLOSS_INLINE T normal_density(T x, T lo = T(0)) {
    return normal_density(Normal<T>(x, lo));
}

// The standard normal distribution function Phi(x + lo). 0.9 / 1.1 ulp.
template <class T>
FASTLOSS_INLINE T normal_cdf(const Normal<T>& z) {
    return z.below ? lowered(z.tail.high) : z.rest.high + z.rest.low;
}
template <class T>
FASTLOSS_INLINE T normal_cdf(T x, T lo = T(0)) {
    return normal_cdf(Normal<T>(x, lo));
}

// 2 Phi(x + lo) - 1 = erf((x + lo) / sqrt(2)). 0.9 ulp, 1.5 where
// subnormal.
template <class T>
FASTLOSS_INLINE T normal_interval(const Normal<T>& z) {
    const T u = z.size * z.size;
    const TwoWord<T> slope = normalized(constant<T>(0x1.988454p-1f, 0x1.9884533d43651p-1),
                                        u * normal_interval_reduced(u));
    const T slope_low = slope.low + constant<T>(-0x1.8f5fa8p-26f, -0x1.cbc4cb3dcc47ep-55);
    const T near =
        fma(z.size, slope.high, multiply_add(z.size, slope_low, z.size_low * slope.high));
    const T tail = lowered(z.tail.high);
    const T y = z.size < T(1) ? near : (T(1) - T(2) * tail) - T(2) * lowered(z.tail.low);
    return z.below ? -y : y;
}
template <class T>
FASTLOSS_INLINE T normal_interval(T x, T lo = T(0)) {
    return normal_interval(Normal<T>(x, lo));
}

// log(Phi(x + lo)). 1.1 ulp, 1.5 where subnormal.
template <class T>
FASTLOSS_INLINE T log_normal_cdf(const Normal<T>& z) {
    const TwoWord<T> y =
        two_log_fine(z.below ? z.mills.high : z.rest.high, z.below ? z.mills.low : z.rest.low);
    const TwoWord<T> sum = two_sum(z.below ? -z.square.high : T(0), y.high);
    const T low = sum.low + (y.low - (z.below ? z.square.low : T(0)));
    return rounded(sum.high, low);
}
template <class T>
FASTLOSS_INLINE T log_normal_cdf(T x, T lo = T(0)) {
    return log_normal_cdf(Normal<T>(x, lo));
}

// phi(x + lo) / Phi(x + lo), the inverse of Mills' ratio and the derivative of log_normal_cdf.
// 0.8 / 1.0 ulp.
template <class T>
FASTLOSS_INLINE T inverse_mills(const Normal<T>& z) {
    const TwoWord<T> ratio = z.ratio();
    const T above = lowered(ratio.high);
    const T below = two_times(ratio, z.wide).high;
    return z.below ? (z.size > Normal<T>::far ? z.size : below) : above;
}
template <class T>
FASTLOSS_INLINE T inverse_mills(T x, T lo = T(0)) {
    return inverse_mills(Normal<T>(x, lo));
}

// The derivative of inverse_mills with the sign turned, inverse_mills(x) (x + inverse_mills(x)):
// between 0 and 1. 1.5 / 1.8 ulp.
template <class T>
FASTLOSS_INLINE T inverse_mills_slope(const Normal<T>& z) {
    const TwoWord<T> ratio = z.ratio();
    const TwoWord<T> below = two_times(z.mills_slope(), two_times(ratio, ratio));
    const TwoWord<T> sum = two_sum(z.size, lowered(ratio.high));
    const T sum_low = sum.low + (z.size_low + lowered(ratio.low));
    const TwoWord<T> above = two_times(ratio, {sum.high, sum_low});
    const T infinite = z.size > Normal<T>::far ? T(0) : above.high;
    return z.below ? below.high : lowered(infinite);
}
template <class T>
FASTLOSS_INLINE T inverse_mills_slope(T x, T lo = T(0)) {
    return inverse_mills_slope(Normal<T>(x, lo));
}

// (p(w) - p(0)) / w of p = lgamma(2 + w) / w, for |w| <= 1/2.
FASTLOSS_INLINE float lgamma_reduced(float w) {
    return polynomial(w, 0x1.4a34ccp-2f, -0x1.13dffcp-4f, 0x1.5132d2p-6f, -0x1.e40ffp-8f,
                      0x1.7aa5ap-9f, -0x1.36d14ap-10f, 0x1.0e59c4p-11f, -0x1.0a864p-12f,
                      0x1.9dc56p-14f);
}

FASTLOSS_INLINE double lgamma_reduced(double w) {
    return polynomial(w, 0x1.4a34cc4a60fa7p-2, -0x1.13e001a55760ap-4, 0x1.51322ac7d7c8p-6,
                      -0x1.e404fc218d9bbp-8, 0x1.7add6eaea4ecfp-9, -0x1.38ac5c2d5a95p-10,
                      0x1.0b36af1b9a928p-11, -0x1.d3fd4b5c8f264p-13, 0x1.a127e63a167ddp-14,
                      -0x1.78de9c98fbb1fp-15, 0x1.5805dc3dd984fp-16, -0x1.3cb38d8bea99ep-17,
                      0x1.2650625c4fa25p-18, -0x1.1279cf68c97b9p-19, 0x1.ece3c11527a9bp-21,
                      -0x1.cde7ac8a1eebdp-22, 0x1.2d320fa41a656p-22, -0x1.205c06d1cccfep-23);
}

// x (lgamma(x) - (x - 1/2) log(x) + x - log(2 pi)/2) of u = 1 / x^2 <= 0.16.
FASTLOSS_INLINE float stirling_reduced(float u) {
    return polynomial(u, 0x1.555556p-4f, -0x1.6c1c92p-9f, 0x1.a16ae6p-11f, -0x1.34fe06p-11f,
                      0x1.1a47c8p-11f);
}

FASTLOSS_INLINE double stirling_reduced(double u) {
    return polynomial(u, 0x1.5555555555554p-4, -0x1.6c16c16c03f15p-9, 0x1.a01a013890fd6p-11,
                      -0x1.3813471e4a134p-11, 0x1.b94080490c4c4p-11, -0x1.f5132749ea88ap-10,
                      0x1.979d3692e2c4ap-8, -0x1.9e6c629413ed5p-6, 0x1.b93063fe5c729p-4,
                      -0x1.9c4ed9745fa8bp-2, 0x1.2228ffc34fd45p0, -0x1.04acc7500f9d6p1,
                      0x1.b669d4caae4ecp0);
}

// digamma(x) / (x - root) of v = x - 3/2, |v| <= 1/2.
FASTLOSS_INLINE float digamma_reduced(float v) {
    return polynomial(v, 0x1.e6f0ccp-1f, -0x1.b1cb68p-2f, 0x1.eca134p-3f, -0x1.2febcap-3f,
                      0x1.851f46p-4f, -0x1.fc5a2cp-5f, 0x1.4d6efcp-5f, -0x1.a699f8p-6f,
                      0x1.223d56p-6f, -0x1.0c12b6p-6f, 0x1.4850a2p-7f);
}

FASTLOSS_INLINE double digamma_reduced(double v) {
    return polynomial(
        v, 0x1.e6f0cbb873617p-1, -0x1.b1cb63005ee97p-2, 0x1.eca189b8e6b6p-3, -0x1.2feeeb98a7c0cp-3,
        0x1.8512e59075768p-4, -0x1.fb442029de80bp-5, 0x1.4de9a9fe47d1ap-5, -0x1.b9f8b13160c11p-6,
        0x1.2564772e56ffap-6, -0x1.8635604abdd7ep-7, 0x1.03bfe663add42p-7, -0x1.5a070637cf2cp-8,
        0x1.cd42923ff0042p-9, -0x1.33678a05002aap-9, 0x1.97e31f6b116fbp-10, -0x1.0ff4137bdc196p-10,
        0x1.7c5706ff83459p-11, -0x1.fa57e6529f0fdp-12, 0x1.d4a8e11dcfdcap-13,
        -0x1.3b22890d48f92p-13, 0x1.134d654940fe5p-12, -0x1.6d010dd458889p-13);
}

// x^2 (log(x) - 1/(2 x) - digamma(x)) of u = 1 / x^2 <= 1/4.
FASTLOSS_INLINE float digamma_far_reduced(float u) {
    return polynomial(u, 0x1.555554p-4f, -0x1.110458p-7f, 0x1.005918p-8f, -0x1.bcebacp-9f,
                      0x1.41766ap-9f);
}

FASTLOSS_INLINE double digamma_far_reduced(double u) {
    return polynomial(
        u, 0x1.5555555555549p-4, -0x1.11111110dd97fp-7, 0x1.041040728074ep-8, -0x1.1110be717b4ep-8,
        0x1.f06302a716f6cp-8, -0x1.586647200c604p-6, 0x1.4b9285c0ccfcp-4, -0x1.8b1234eddb01cp-2,
        0x1.f96e89b8b7ea5p0, -0x1.2fd9bd7a1b55bp3, 0x1.36ed5cbdee4dp5, -0x1.f84de4bd4ace5p6,
        0x1.30bbb08276aaap8, -0x1.fe0d30b0dde22p8, 0x1.061911c049c26p9, -0x1.f089597846773p7);
}

// trigamma(x) of v = x - 3/2, |v| <= 1/2.
FASTLOSS_INLINE float trigamma_reduced(float v) {
    return polynomial(v, 0x1.de9e64p-1f, -0x1.a85808p-1f, 0x1.68baacp-1f, -0x1.287868p-1f,
                      0x1.da09f4p-2f, -0x1.72c354p-2f, 0x1.1ed7dcp-2f, -0x1.b13c28p-3f,
                      0x1.24852p-3f, -0x1.b5bdecp-4f, 0x1.09c664p-3f, -0x1.79e6f8p-4f);
}

FASTLOSS_INLINE double trigamma_reduced(double v) {
    return polynomial(v, 0x1.de9e64df22ef3p-1, -0x1.a85808a40aba4p-1, 0x1.68ba30a420964p-1,
                      -0x1.287825428e51bp-1, 0x1.da2d963cfa91cp-2, -0x1.72d7487c4c3b2p-2,
                      0x1.1cc1377d48559p-2, -0x1.aeb6f14d8a263p-3, 0x1.41a51b5485566p-3,
                      -0x1.db4d868c4169fp-4, 0x1.5c085a60f6199p-4, -0x1.f9c6d0d0d1a2p-5,
                      0x1.6d13579ae5fd2p-5, -0x1.06088e1cc188p-5, 0x1.76873a9f9a2f5p-6,
                      -0x1.0a262a493f14cp-6, 0x1.75890410bff6fp-7, -0x1.0904d4f8ba8cep-7,
                      0x1.92eae295bb422p-8, -0x1.131efbc0e1bdfp-8, 0x1.bdb0c9b81e9f2p-10,
                      -0x1.6816dc1745513p-10, 0x1.79582b7b07359p-9, -0x1.eb05a88830eebp-10);
}

// x^3 (trigamma(x) - 1/x - 1/(2 x^2)) of u = 1 / x^2 <= 1/4.
FASTLOSS_INLINE float trigamma_far_reduced(float u) {
    return polynomial(u, 0x1.555554p-3f, -0x1.110a88p-5f, 0x1.837332p-6f, -0x1.ecebp-6f,
                      0x1.592cdap-5f, -0x1.1df514p-5f);
}

FASTLOSS_INLINE double trigamma_far_reduced(double u) {
    return polynomial(u, 0x1.555555555554ap-3, -0x1.11111110f32dep-5, 0x1.8618611b0ab79p-6,
                      -0x1.1110ea848c72cp-5, 0x1.36461fefb582ap-4, -0x1.02bd5e3750e5p-2,
                      0x1.25f03d51303e9p0, -0x1.a1658d3f0db77p2, 0x1.4a5622b650212p5,
                      -0x1.0280475a27939p8, 0x1.6bbd1bd14f1ap10, -0x1.af02aa7052707p12,
                      0x1.9a8b172b67528p14, -0x1.2dfc8178a8eaap16, 0x1.47eb1f3812022p17,
                      -0x1.ec9206c9ede14p17, 0x1.c79adfd8b02a3p17, -0x1.863b351d64969p16);
}

// log |(x - 1)!| for x >= 0: by Stirling's formula from 2.5 on; below from
// lgamma(2 + w) of the nearest 2 + w, |w| <= 1/2, that differs from x by an integer. Next
// to the zeros at 1 and 2 too 1.4 ulp.
template <class T>
FASTLOSS_INLINE T lgamma(T x) {
    const bool far = x >= T(2.5), two_less = x < T(0.5), less = x < T(1.5);
    const T w = two_less ? x : less ? x - T(1) : x - T(2);
    const TwoWord<T> slope =
        normalized(constant<T>(0x1.b0ee6p-2f, 0x1.b0ee6072093cep-2), w * lgamma_reduced(w));
    const TwoWord<T> near = two_times<T>(
        {w, T(0)}, {slope.high, slope.low + constant<T>(0x1.c1511p-28f, 0x1.70dd987d4ef88p-58)});
    const TwoWord<T> product = two_times<T>({x, T(0)}, two_sum(T(1), x));  // x (1 + x)
    const TwoWord<T> log_x =
        two_log_fine(two_less ? product.high : x, two_less ? product.low : T(0));
    const TwoWord<T> near_sum = two_sum(less ? -log_x.high : T(0), near.high);
    const T near_low = near_sum.low + (near.low - (less ? log_x.low : T(0)));
    // (x - 1/2) (log x - 1) + (log(2 pi) - 1) / 2 + ...
    const T factor = x - T(0.5), factor_low = (x - factor) - T(0.5);
    const TwoWord<T> log_less = two_sum(log_x.high, T(-1));
    const T main = factor * log_less.high;
    const T main_low = fma(factor, log_less.high, -main) +
                       multiply_add(factor, log_less.low + log_x.low, factor_low * log_less.high);
    const T inverse = T(1) / x;
    const TwoWord<T> far_sum = two_sum(main, constant<T>(0x1.acfe3ap-2f, 0x1.acfe390c97d69p-2));
    const T far_low =
        far_sum.low +
        (main_low + multiply_add(inverse, stirling_reduced(inverse * inverse),
                                 constant<T>(-0x1.e6d052p-27f, 0x1.3494bc9001442p-56)));
    return rounded(far ? far_sum.high : near_sum.high, far ? far_low : near_low);
}

// The derivative of lgamma for x >= 0: by its asymptotic series from 2 on; below from its values
// between 1 and 2, of which its root is a factor. 1.7 ulp, next to the root too.
template <class T>
FASTLOSS_INLINE T digamma(T x) {
    const bool far = x >= T(2), less = x < T(1);
    const T y = less ? x : x - T(1);
    const TwoWord<T> from_root = normalized(y - constant<T>(0x1.d8b618p-2f, 0x1.d8b618d5af8fep-2),
                                            -constant<T>(0x1.ab5f2p-27f, -0x1.1e563779a1f5bp-56));
    const T slope = digamma_reduced(y - T(0.5));
    const T near = from_root.high * slope;
    const T near_low = fma(from_root.high, slope, -near) + from_root.low * slope;
    const T inverse = T(1) / x, inverse_low = fma(-x, inverse, T(1)) * inverse;
    const TwoWord<T> log_x = two_log_fine(x);
    const TwoWord<T> sum = two_sum(far ? log_x.high : near, (far    ? T(-0.5)
                                                             : less ? T(-1)
                                                                    : T(0)) *
                                                                inverse);
    const T square = inverse * inverse;
    const T far_low =
        multiply_add(T(-0.5), inverse_low, log_x.low) - square * digamma_far_reduced(square);
    return rounded(sum.high, sum.low + (far ? far_low : less ? near_low - inverse_low : near_low));
}

// The second derivative of lgamma for x >= 0, in the same way. 1.0 / 1.3 ulp.
template <class T>
FASTLOSS_INLINE T trigamma(T x) {
    const bool far = x >= T(2), less = x < T(1);
    const T inverse = T(1) / x, inverse_low = fma(-x, inverse, T(1)) * inverse;
    const T square = inverse * inverse;
    const T square_low = fma(inverse, inverse, -square) + T(2) * inverse * inverse_low;
    const T far_low = multiply_add(inverse * square, trigamma_far_reduced(square), T(0.5) * square);
    const T near = trigamma_reduced((less ? x : x - T(1)) - T(0.5));
    const TwoWord<T> sum = two_sum(less ? square : T(0), near);
    const T near_low = sum.low + (less ? square_low : T(0));
    return rounded(far ? inverse : sum.high, far ? far_low + inverse_low : near_low);
}

// lgamma(1 + x) for x >= 0 in two words, in the way of lgamma. Within 0.7 ulp.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_log_factorial(T x) {
    const bool far = x >= T(1.5), less = x < T(0.5);
    const T w = less ? x : x - T(1);
    const TwoWord<T> slope =
        normalized(constant<T>(0x1.b0ee6p-2f, 0x1.b0ee6072093cep-2), w * lgamma_reduced(w));
    const TwoWord<T> near = two_times<T>(
        {w, T(0)}, {slope.high, slope.low + constant<T>(0x1.c1511p-28f, 0x1.70dd987d4ef88p-58)});
    const TwoWord<T> more = two_sum(x, T(1));
    const TwoWord<T> log_more = two_log_fine(more.high, more.low);
    const TwoWord<T> near_sum = two_sum(less ? -log_more.high : T(0), near.high);
    const T near_low = near_sum.low + (near.low - (less ? log_more.low : T(0)));
    const T factor = more.high - T(0.5);
    const T factor_low = ((more.high - factor) - T(0.5)) + more.low;
    const TwoWord<T> log_less = two_sum(log_more.high, T(-1));
    const TwoWord<T> main =
        two_times<T>({factor, factor_low}, {log_less.high, log_less.low + log_more.low});
    const T inverse = T(1) / more.high;
    const TwoWord<T> sum = two_sum(main.high, constant<T>(0x1.acfe3ap-2f, 0x1.acfe390c97d69p-2));
    const T rest = multiply_add(inverse, stirling_reduced(inverse * inverse),
                                constant<T>(-0x1.e6d052p-27f, 0x1.3494bc9001442p-56));
    const T high = far ? factor * log_less.high : near_sum.high;
    const TwoWord<T> y =
        normalized(far ? sum.high : near_sum.high, far ? sum.low + (main.low + rest) : near_low);
    const bool finite = y.low - y.low == T(0);
    return {finite ? y.high : high, finite ? y.low : T(0)};
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

// A polynomial of x, and its difference to that of y over x - y.
template <class T>
struct Divided {
    T value, slope;
};

template <class T>
FASTLOSS_INLINE Divided<T> divided_polynomial(T, T, T c0) {
    return {c0, T(0)};
}
template <class T, class... Rest>
FASTLOSS_INLINE Divided<T> divided_polynomial(T x, T y, T c0, Rest... rest) {
    const Divided<T> inner = divided_polynomial(x, y, rest...);
    return {multiply_add(x, inner.value, c0), multiply_add(inner.slope, y, inner.value)};
}

// As stirling_reduced, digamma_far_reduced and trigamma_far_reduced, for x >= 2.5: integrals of
// fits to the derivatives, so that differences keep their digits.
FASTLOSS_INLINE Divided<float> stirling_divided(float x, float y) {
    return divided_polynomial(x, y, 0x1.555556p-4f, -0x1.6c16cp-9f, 0x1.a01334p-11f,
                              -0x1.36b70cp-11f, 0x1.9ae452p-11f, -0x1.3fadb8p-10f, 0x1.3f3446p-10f);
}

FASTLOSS_INLINE Divided<double> stirling_divided(double x, double y) {
    return divided_polynomial(x, y, 0x1.5555555555555p-4, -0x1.6c16c16c16b62p-9,
                              0x1.a01a019f20e7ep-11, -0x1.38138002d6e8fp-11, 0x1.b9513509f7b51p-11,
                              -0x1.f68f36f3f9d47p-10, 0x1.a2a9c6e6ae862p-8, -0x1.d6de8de91c22bp-6,
                              0x1.42853406aacdap-3, -0x1.d69e93b8fc15bp-1, 0x1.404d5a3821aa1p2,
                              -0x1.6db6620ae2a9bp4, 0x1.4191edfd80e77p6, -0x1.8f2b0ac2ec1ep7,
                              0x1.33b7c7e78b1d2p8, -0x1.b85693f01eb72p7);
}

FASTLOSS_INLINE Divided<float> digamma_far_divided(float x, float y) {
    return divided_polynomial(x, y, 0x1.555556p-4f, -0x1.11110cp-7f, 0x1.0405ep-8f, -0x1.0ef9d2p-8f,
                              0x1.c114dap-8f, -0x1.8dff96p-7f, 0x1.a7e806p-7f);
}

FASTLOSS_INLINE Divided<double> digamma_far_divided(double x, double y) {
    return divided_polynomial(x, y, 0x1.5555555555555p-4, -0x1.1111111111015p-7,
                              0x1.041041034ac06p-8, -0x1.11110ff9f920dp-8, 0x1.f07b6c5cd3c72p-8,
                              -0x1.59853bf47cd69p-6, 0x1.545d06123089fp-4, -0x1.bb9848980e795p-2,
                              0x1.5e450442a6dd6p1, -0x1.29d124e3ff2cfp4, 0x1.e3445fe75f2a7p6,
                              -0x1.5376e96c20063p9, 0x1.7f944fb3b2b57p11, -0x1.46d398832b634p13,
                              0x1.8561bbed2e4dbp14, -0x1.1f1614d84cf76p15, 0x1.88b7d53804c1fp14);
}

FASTLOSS_INLINE Divided<float> trigamma_far_divided(float x, float y) {
    return divided_polynomial(x, y, 0x1.555556p-3f, -0x1.1110fep-5f, 0x1.85f6bap-6f, -0x1.0da6ep-5f,
                              0x1.0f0202p-4f, -0x1.0c0c26p-3f, 0x1.2d8cb4p-3f);
}

FASTLOSS_INLINE Divided<double> trigamma_far_divided(double x, double y) {
    return divided_polynomial(
        x, y, 0x1.5555555555555p-3, -0x1.1111111110f7fp-5, 0x1.86186184b4d44p-6,
        -0x1.11110ff55f31p-5, 0x1.364d2cba59386p-4, -0x1.03258c1deeecbp-2, 0x1.29f31efad1af9p0,
        -0x1.bd395d82f013cp2, 0x1.90b2bd26ce778p5, -0x1.871ff469d6a51p8, 0x1.7291a851dbdep11,
        -0x1.373527434c239p14, 0x1.b175a6b826b1cp16, -0x1.dae3e9024bfcdp18, 0x1.8442092a16a8fp20,
        -0x1.ba0e2f1e42315p21, 0x1.3739a4578b3dfp22, -0x1.96e885b4c8f4dp21);
}

// (a + b) + (c + d) in two words.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_plus(TwoWord<T> a, TwoWord<T> b) {
    const TwoWord<T> sum = two_sum(a.high, b.high);
    return normalized(sum.high, sum.low + (a.low + b.low));
}
template <class T>
FASTLOSS_INLINE TwoWord<T> two_less(TwoWord<T> a, TwoWord<T> b) {
    return two_plus(a, {-b.high, -b.low});
}

// The sum of log(1 + k exp(log_step)) over k < count, for any count >= 0: by r = exp(-log_step)
// lgamma(r + count) - lgamma(r) + count log_step. It comes of Stirling's formula, in which the
// terms without a factor k = count or count - 1 have cancelled, for r from 3 on; below for r + 3.
template <class T>
struct Rising {
    TwoWord<T> log;    // less count log_step where that is positive
    TwoWord<T> slope;  // the derivatives by log_step
    T curve;
    TwoWord<T> each;  // what log comes to in each of many counts

    FASTLOSS_INLINE Rising(T given, T log_step) {
        // all is proportional to a count that is this small, which is raised so that no product of
        // it is subnormal
        const bool raises = (given < constant<T>(0x1p-100f, 0x1p-900)) & (log_step < T(20));
        const T count = given * (raises ? constant<T>(0x1p40f, 0x1p400) : T(1));
        const T lower = raises ? constant<T>(0x1p-40f, 0x1p-400) : T(1);
        const bool later = count > T(0.5), early = count <= T(0.5), small = log_step <= T(0);
        const bool shifts = log_step > T(-1.125), stays = log_step <= T(-1.125);
        const TwoWord<T> zero = {T(0), T(0)}, one = {T(1), T(0)};
        const TwoWord<T> k = two_sum(count, later ? T(-1) : T(0));
        const TwoWord<T> e = two_exp(shifts ? -log_step : log_step);
        const TwoWord<T> r = either(shifts, e, one);
        // what multiplies is raised where it may be subnormal
        const bool tiny = log_step > T(60);
        const TwoWord<T> part = either(tiny, two_exp_raised(tiny ? -log_step : T(0), T(0)), r);
        const TwoWord<T> n = two_plus({T(3), T(0)}, r), inverse = two_inverse(n.high, n.low);
        const TwoWord<T> far = two_exp_product(shifts ? T(0) : log_step, k.high, k.low);
        const TwoWord<T> q = either(shifts, two_times(k, inverse), far);
        const TwoWord<T> sum = two_plus(one, q), log_q = two_log_fine(sum.high, sum.low);
        const TwoWord<T> w = two_inverse(sum.high, sum.low), from_one = two_sum(T(1), -w.high);
        const TwoWord<T> v =
            either(q.high > T(0.5), {from_one.high, from_one.low - w.low}, two_times(q, w));
        const TwoWord<T> excess = two_log_excess(v, log_q), left = two_times(excess, w);
        // the rests of the asymptotic series at n and at n + k: differences without cancellation
        const T d = shifts ? inverse.high : e.high, u = d * d, ratio = w.high * w.high;
        const Divided<T> s = stirling_divided(u, u * ratio);
        const Divided<T> p = digamma_far_divided(u, u * ratio);
        const Divided<T> t = trigamma_far_divided(u, u * ratio);
        const T gap = d * v.high, wide = T(1) + w.high;
        const T rest = gap * multiply_add(u * w.high * wide, s.slope, s.value);
        const T slope_rest = -gap * wide * multiply_add(u * ratio, p.slope, p.value);
        const T third = gap * multiply_add(u * w.high * ratio * wide, t.slope,
                                           multiply_add(w.high, wide, T(1)) * t.value);
        const T curve_rest = -slope_rest - third;
        const T share = later & stays ? T(0.5) : T(-0.5);
        // what r lacks of n
        const TwoWord<T> first = two_plus(one, r), second = two_plus({T(2), T(0)}, r);
        const TwoWord<T> a = two_quotient({T(2) * v.high, T(2) * v.low}, first);
        const TwoWord<T> b = two_quotient(v, second);
        const TwoWord<T> product = two_times(two_plus(one, a), two_plus(one, b));
        const bool beside = count < r.high;
        const TwoWord<T> counted = {count, T(0)}, y = two_plus(counted, r);
        // what division leaves of a small count is no less than the least float
        const T lift = r.high < T(0x1p-20) ? T(0x1p100) : T(1);
        const TwoWord<T> share_of_r =
            two_quotient(TwoWord<T>{lift * count, T(0)}, {lift * r.high, lift * r.low});
        const TwoWord<T> start = either(beside, two_plus(one, share_of_r), y);
        const TwoWord<T> x = two_times(product, either(later, one, start));
        const TwoWord<T> log_x = two_log_fine(shifts ? x.high : T(1), shifts ? x.low : T(0));
        const TwoWord<T> log_r = {small ? log_step : T(0), T(0)};
        const TwoWord<T> log_n = either(shifts, two_plus(two_log_fine(n.high, n.low), log_r), zero);
        // the logarithm
        log = two_times({shifts ? T(-2.5) : share, T(0)}, log_q);
        log = two_less(two_plus(log, {-rest, T(0)}), log_x);
        log = two_plus(two_plus(log, two_times(k, log_n)), two_times(k, excess));
        log = two_plus(log, {small | (beside & early) ? T(0) : -log_step, T(0)});
        each = two_plus(excess, log_n);
        // its first derivative
        const TwoWord<T> scale = either(shifts, two_quotient(r, n), one);
        const T slope_n = multiply_add(share, v.high, slope_rest);
        slope = either(shifts, two_less(k, two_times(r, log_q)), two_times(k, two_less(v, left)));
        slope = two_plus(slope, two_times(scale, {slope_n, T(0)}));
        const TwoWord<T> end_1 = two_plus(first, k), end_2 = two_plus(second, k);
        const TwoWord<T> term_1 = two_times(two_quotient(k, end_1), two_quotient(part, first));
        const TwoWord<T> term_2 = two_times(two_quotient(k, end_2), two_quotient(part, second));
        // a subnormal sum is raised: its inverse would be infinite
        const T up = y.high < T(0x1p-60) ? T(0x1p100) : T(1);
        const TwoWord<T> sum_0 = {up * y.high, up * y.low},
                         part_0 = {up * part.high, up * part.low};
        const TwoWord<T> lone = two_quotient({up * count, T(0)}, sum_0);
        const TwoWord<T> term_0 = either(later | stays, zero, lone);
        const TwoWord<T> twice_0 = two_times(term_0, two_quotient(part_0, sum_0));
        slope = two_less(slope, either(shifts, down(tiny, term_1), zero));
        slope = two_less(slope, either(shifts, down(tiny, term_2), zero));
        slope = two_less(slope, term_0);
        // and its second
        const T bend_1 = term_1.high * (T(1) / first.high - r.high / end_1.high);
        const T bend_2 = term_2.high * (T(2) / second.high - r.high / end_2.high);
        const T bends = shifts ? bend_1 + bend_2 : T(0);
        const T steep = shifts ? part.high * inverse.high : T(1);
        T bend = bends - steep * (T(1) - scale.high) * slope_n;
        bend = bend + steep * scale.high * multiply_add(share * v.high, w.high, curve_rest);
        const TwoWord<T> lost = two_times(part, two_less(log_q, two_times(scale, v)));
        const TwoWord<T> parts = either(shifts, lost, two_times(k, left));
        const TwoWord<T> curved =
            two_plus(two_less(parts, either(later | stays, zero, twice_0)), {bend, T(0)});
        const T bent = curved.high + curved.low;
        const bool nothing = count == T(0);
        log = either(nothing, zero, {log.high * lower, log.low * lower});
        slope = either(nothing, zero, {slope.high * lower, slope.low * lower});
        curve = nothing ? T(0) : (tiny ? lowered(bent) : bent) * lower;
    }

    FASTLOSS_INLINE static TwoWord<T> down(bool raised, TwoWord<T> x) {
        return either(raised, {lowered(x.high), lowered(x.low)}, x);
    }

    FASTLOSS_INLINE static TwoWord<T> either(bool condition, TwoWord<T> yes, TwoWord<T> no) {
        return {condition ? yes.high : no.high, condition ? yes.low : no.low};
    }
};

// 5.1 ulp.
template <class T>
FASTLOSS_INLINE T log_rising(T count, T log_step) {
    const TwoWord<T> y = Rising<T>(count, log_step).log;
    return fma(count, log_step > T(0) ? log_step : T(0), y.high) + y.low;
}

// Its derivatives by log_step: 2.1 and 4.6 ulp.
template <class T>
FASTLOSS_INLINE T log_rising_slope(T count, T log_step) {
    const TwoWord<T> y = Rising<T>(count, log_step).slope;
    return y.high + y.low;
}
template <class T>
FASTLOSS_INLINE T log_rising_curve(T count, T log_step) {
    return Rising<T>(count, log_step).curve;
}

}  // namespace
}  // namespace fastloss
