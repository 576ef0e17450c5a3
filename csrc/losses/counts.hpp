// Losses of counts under a log link: the prediction is the logarithm of the mean.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

template <class T>
struct Poisson {
    static constexpr const char* name = "poisson";

    Point<T> operator()(T prediction, T target) const {
        const T infinity = T(__builtin_inf());
        const T mean = exp(prediction);
        // the exponential wins over the product at +inf; 0 * -inf = 0
        const bool alone = (mean == infinity) | (target == T(0));
        const T value = alone ? mean + flat(target) : fma(-target, prediction, mean);
        return {value, {mean - target}, {mean + flat(target)}};
    }
};

}  // namespace
}  // namespace fastloss
