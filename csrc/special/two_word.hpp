// Numbers of two words: roots, quotients, products and sums.
#pragma once

#include "../real.hpp"

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

}  // namespace
}  // namespace fastloss
