// The normal distribution.
#pragma once

#include "exponential.hpp"

namespace fastloss {
namespace {

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

}  // namespace
}  // namespace fastloss
