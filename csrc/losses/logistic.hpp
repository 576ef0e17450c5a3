// The logistic function of a gap, in two words.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

// For half >= 0 the square root of exp(-2 half), exp, 1 / (1 + exp), and the root times that. A
// product with one factor root and then another is exact to rounding where exp is subnormal.
template <class T>
struct Logistic {
    TwoWord<T> root, e, inverse, share;

    FASTLOSS_INLINE explicit Logistic(TwoWord<T> half)
        : root(two_exp_negative(-half.high, -half.low)) {
        e.high = root.high * root.high;
        e.low = fma(root.high, root.high, -e.high) + T(2) * root.high * root.low;
        const T sum = T(1) + e.high;
        inverse = two_inverse(sum, ((T(1) - sum) + e.high) + e.low);
        share.high = root.high * inverse.high;
        share.low = fma(root.high, inverse.high, -share.high) +
                    fma(root.high, inverse.low, root.low * inverse.high);
    }
};

}  // namespace
}  // namespace fastloss
