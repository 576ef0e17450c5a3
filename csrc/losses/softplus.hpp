// What exp(-gap) for a gap >= 0 leads to.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

template <class T>
struct Softplus {
    T softplus;          // log(1 + exp(-gap))
    T far;               // sigmoid(-gap); sigmoid(gap) is 1 - far
    TwoWord<T> inverse;  // 1 / (1 + exp(-gap))

    FASTLOSS_INLINE explicit Softplus(TwoWord<T> e) {
        const T sum = T(1) + e.high;
        inverse = two_inverse(sum, ((T(1) - sum) + e.high) + e.low);
        softplus = log1p_unit(e.high, e.low * inverse.high);
        far = share(e);
    }

    // e / (1 + exp(-gap)).
    FASTLOSS_INLINE T share(TwoWord<T> e) const {
        return fma(e.high, inverse.high, fma(e.high, inverse.low, e.low * inverse.high));
    }
};

}  // namespace
}  // namespace fastloss
