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

}  // namespace
}  // namespace fastloss
