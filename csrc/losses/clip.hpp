// Probabilities clipped to [eps, 1 - eps], where 1 - eps may round to 1. A negative eps clips none.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

template <class T>
struct Clip {
    T eps;

    bool below(T p) const { return p <= eps; }
    bool above(T p) const { return T(1) - p <= eps; }

    TwoWord<T> log(T p) const {
        const TwoWord<T> high = two_difference(T(1), eps);
        const T inside = above(p) ? high.high : p;
        return two_log(below(p) ? eps : inside, above(p) ? high.low : T(0));
    }
};

}  // namespace
}  // namespace fastloss
