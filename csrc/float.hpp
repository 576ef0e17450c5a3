#pragma once
// Floating-point numbers, float or double: their format, exact operations, numbers of two words.
// Branch-free, so that the compiler vectorises whatever uses them, on every instruction set.

#include <stdint.h>

#define FASTLOSS_INLINE [[maybe_unused, gnu::always_inline]] inline

namespace fastloss {
namespace {

template <class T>
struct Format;

template <>
struct Format<float> {
    using Bits = uint32_t;
    static constexpr int mantissa = 23;
    static constexpr Bits bias = 127;
    static constexpr float infinity = __builtin_inff();
    static constexpr float nan = __builtin_nanf("");
    static constexpr float smallest_normal = 0x1p-126f;
    static constexpr float round = 0x1.8p23f;  // adding it rounds to an integer
    static constexpr float log2_e = 0x1.715476p0f;
    static constexpr float ln2_high = 0x1.62e4p-1f;  // short: its product with an exponent is exact
    static constexpr float ln2_low = 0x1.7f7d1cp-20f;
    static constexpr float exp_zero = -104.5f;     // exp is 0 from here down
    static constexpr float exp_low_zero = -70.0f;  // its rounding error is subnormal from here down
    static constexpr int raise = 48;               // twice the digits: what is raised loses none
    static constexpr float raised_zero = -137.0f;
    static constexpr float exp_infinite = 89.0f;  // infinite from here up
    static constexpr float expm1_minus_one = -20.0f;
    static constexpr float half_epsilon = 0x1p-24f;
    static constexpr Bits sqrt_half = 0x3f3504f3;
    static constexpr float exponent_unit = 0x1p-23f;  // of exponent()
};

template <>
struct Format<double> {
    using Bits = uint64_t;
    static constexpr int mantissa = 52;
    static constexpr Bits bias = 1023;
    static constexpr double infinity = __builtin_inf();
    static constexpr double nan = __builtin_nan("");
    static constexpr double smallest_normal = 0x1p-1022;
    static constexpr double round = 0x1.8p52;
    static constexpr double log2_e = 0x1.71547652b82fep0;
    static constexpr double ln2_high = 0x1.62e42fefa38p-1;
    static constexpr double ln2_low = 0x1.ef35793c7673p-45;
    static constexpr double exp_zero = -746.0;
    static constexpr double exp_low_zero = -671.0;
    static constexpr int raise = 106;
    static constexpr double raised_zero = -817.0;
    static constexpr double exp_infinite = 710.0;
    static constexpr double expm1_minus_one = -40.0;
    static constexpr double half_epsilon = 0x1p-53;
    static constexpr Bits sqrt_half = 0x3fe6a09e667f3bcd;
    static constexpr double exponent_unit = 1.0;
};

template <class T>
using Bits = typename Format<T>::Bits;

template <class T>
FASTLOSS_INLINE Bits<T> to_bits(T x) {
    return __builtin_bit_cast(Bits<T>, x);
}
template <class T>
FASTLOSS_INLINE T from_bits(Bits<T> b) {
    return __builtin_bit_cast(T, b);
}

FASTLOSS_INLINE float abs(float x) {
    return __builtin_fabsf(x);
}
FASTLOSS_INLINE double abs(double x) {
    return __builtin_fabs(x);
}
FASTLOSS_INLINE float sqrt(float x) {
    return __builtin_sqrtf(x);
}
FASTLOSS_INLINE double sqrt(double x) {
    return __builtin_sqrt(x);
}

// a b + c, with one rounding where the hardware can; elsewhere the builtin would be a libm call.
#if defined(__FMA__) || defined(__aarch64__)
#define FASTLOSS_FUSES 1
FASTLOSS_INLINE float multiply_add(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}
FASTLOSS_INLINE double multiply_add(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}
#else
#define FASTLOSS_FUSES 0
template <class T>
FASTLOSS_INLINE T multiply_add(T a, T b, T c) {
    return a * b + c;
}
#endif

// A NaN on either side comes through, as in np.minimum.
template <class T>
FASTLOSS_INLINE T minimum(T a, T b) {
    T least = a < b ? a : b;
    return a != a ? a : least;
}

template <class T>
FASTLOSS_INLINE T maximum(T a, T b) {
    T greatest = a > b ? a : b;
    return a != a ? a : greatest;
}

// -1, 0 or 1; zeros and NaN come back as they are.
template <class T>
FASTLOSS_INLINE T sign(T x) {
    return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
}

// y, made negative where x is: gives -0 back to odd functions that lose it.
template <class T>
FASTLOSS_INLINE T with_sign_of(T x, T y) {
    constexpr Bits<T> sign_bit = Bits<T>(1) << (8 * sizeof(T) - 1);
    return from_bits<T>(to_bits(y) | (to_bits(x) & sign_bit));
}

// A number of twice the precision: high, and what its rounding lost.
template <class T>
struct TwoWord {
    T high, low;
};

// a + b exactly.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_sum(T a, T b) {
    const T high = a + b;
    const T b_part = high - a;
    return {high, (a - (high - b_part)) + (b - b_part)};
}

// a - b exactly while the difference is finite; else low is NaN.
template <class T>
FASTLOSS_INLINE TwoWord<T> finite_difference(T a, T b) {
    const T high = a - b;
    const T b_part = a - high;
    const T a_part = high + b_part;
    return {high, (a - a_part) + (b_part - b)};
}

// The same, but low is 0 where the difference is not finite.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_difference(T a, T b) {
    const TwoWord<T> difference = finite_difference(a, b);
    return {difference.high, abs(difference.high) < Format<T>::infinity ? difference.low : T(0)};
}

#if FASTLOSS_FUSES
template <class T>
FASTLOSS_INLINE T fma(T a, T b, T c) {
    return multiply_add(a, b, c);
}
#else
// The upper half of the digits (Veltkamp).
template <class T>
FASTLOSS_INLINE T upper_half(T x) {
    constexpr T splitter = T((Bits<T>(1) << ((Format<T>::mantissa + 2) / 2)) + 1);
    const T wide = splitter * x;
    return wide - (wide - x);
}

// a b + c to nearly one rounding: the product in two words (Dekker), added with its error. Where
// a word overflows, the plain result stands.
template <class T>
FASTLOSS_INLINE T fma(T a, T b, T c) {
    const T product = a * b;
    const T a_high = upper_half(a), b_high = upper_half(b);
    const T a_low = a - a_high, b_low = b - b_high;
    const T lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    const TwoWord<T> sum = two_sum(product, c);
    const T low = lost + sum.low;
    return low - low == T(0) ? sum.high + low : sum.high;
}
#endif

// a b exactly while the product is finite and normal; where it is infinite, low is 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_product(T a, T b) {
    const T high = a * b;
    const T low = fma(a, b, -high);
    return {high, abs(high) < Format<T>::infinity ? low : T(0)};
}

// 1 / (high + low), for a finite number that is not 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_inverse(T high, T low) {
    const T inverse = T(1) / high;
    const T rest = multiply_add(-low, inverse, fma(-high, inverse, T(1)));
    return {inverse, rest * inverse};
}

}  // namespace
}  // namespace fastloss
