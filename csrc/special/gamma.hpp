// The gamma function, its derivatives and rising factorials.
#pragma once

#include "exponential.hpp"

namespace fastloss {
namespace {

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
        // a tiny r is e in a unit of 2^-160 or 2^-1080, and raised where it multiplies
        const bool tiny = log_step > T(50);
        const T shift = tiny ? constant<T>(0x1.bb9d3cp+6f, 0x1.764caa8ebe91ap+9) : T(0);
        const T shift_low = tiny ? constant<T>(-0x1.473794p-22f, 0x1.29977713b52a1p-45) : T(0);
        const TwoWord<T> shifted = two_difference(shift, log_step);
        const TwoWord<T> exponent = {shifted.high, shifted.low + shift_low};
        const TwoWord<T> e = two_exp(shifts ? exponent.high : log_step, exponent.low);
        const T small_unit = tiny ? constant<T>(0x1p-112f, 0x1p-974) : T(1);
        const TwoWord<T> part = either(shifts, {e.high * small_unit, e.low * small_unit}, one);
        const TwoWord<T> r = down(tiny, part);
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
        // beside a small count too r is taken in its unit, as both may be subnormal
        const bool fine = tiny & (count < constant<T>(0x1p-48f, 0x1p-100));
        const bool least = count < constant<T>(0x1p-100f, 0x1p-900);
        const T raise = least ? constant<T>(0x1p20f, 0x1p200) : T(1);
        const T unit = fine ? constant<T>(0x1p80f, 0x1p540) : raise;
        const TwoWord<T> counted = {unit * (unit * count), T(0)};
        const TwoWord<T> base = either(fine, e, {unit * (unit * r.high), unit * (unit * r.low)});
        const TwoWord<T> y = two_plus(counted, base);
        const bool beside = counted.high < base.high;
        // what division leaves of a small count is no less than the least float
        const T lift = base.high < T(0x1p-20) ? T(0x1p100) : T(1);
        const TwoWord<T> share_of_r = two_quotient(TwoWord<T>{lift * counted.high, T(0)},
                                                   {lift * base.high, lift * base.low});
        const TwoWord<T> start = either(beside, two_plus(one, share_of_r), y);
        const TwoWord<T> x = two_times(product, either(later, one, start));
        const TwoWord<T> log_x = two_log_fine(shifts ? x.high : T(1), shifts ? x.low : T(0));
        const TwoWord<T> log_r = {small ? log_step : T(0), T(0)};
        const TwoWord<T> log_n = either(shifts, two_plus(two_log_fine(n.high, n.low), log_r), zero);
        // the logarithm
        log = two_times({shifts ? T(-2.5) : share, T(0)}, log_q);
        log = two_less(two_plus(log, {-rest, T(0)}), log_x);
        log = two_plus(two_plus(log, two_times(k, log_n)), two_times(k, excess));
        const TwoWord<T> jump = either(fine, exponent, {-log_step, T(0)});
        log = two_plus(log, either(small | (beside & early), zero, jump));
        each = two_plus(excess, log_n);
        // its first derivative
        const TwoWord<T> scale = either(shifts, two_quotient(r, n), one);
        const T slope_n = multiply_add(share, v.high, slope_rest);
        slope = either(shifts, two_less(k, two_times(r, log_q)), two_times(k, two_less(v, left)));
        slope = two_plus(slope, two_times(scale, {slope_n, T(0)}));
        const TwoWord<T> end_1 = two_plus(first, k), end_2 = two_plus(second, k);
        const TwoWord<T> term_1 = two_times(two_quotient(k, end_1), two_quotient(part, first));
        const TwoWord<T> term_2 = two_times(two_quotient(k, end_2), two_quotient(part, second));
        const TwoWord<T> term_0 = either(later | stays, zero, two_quotient(counted, y));
        const T up = fine ? constant<T>(0x1p48f, 0x1p106) : T(1);
        const TwoWord<T> part_0 =
            either(fine, e, {unit * (unit * part.high), unit * (unit * part.low)});
        const TwoWord<T> twice_0 =
            two_times({up * term_0.high, up * term_0.low}, two_quotient(part_0, y));
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
        // all are count (count - 1) / 2 exp(log_step) where its products with a count vanish; a
        // square, as one of those may be subnormal
        const bool level = (count > T(2)) & (log_step < T(-60)) & (q.high < T(0x1p-60));
        const TwoWord<T> root = two_exp_product(T(0.5) * log_step, count);
        const TwoWord<T> half_less =
            two_quotient({T(0.5) * k.high, T(0.5) * k.low}, TwoWord<T>{count, T(0)});
        const TwoWord<T> pairs = two_times(two_times(root, root), half_less);
        log = either(level, pairs, log);
        slope = either(level, pairs, slope);
        const T bent = level ? pairs.high + pairs.low : curved.high + curved.low;
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
