// What is predicted is a location and a scale, its logarithm or its square.
#pragma once

#include "two_words.hpp"

namespace fastloss {
namespace {

// Prediction less target, divided by a unit of 2 where it would overflow. A small one is raised
// before it is multiplied twice, so that no subnormal number is multiplied by a large one.
template <class T>
struct Residual {
    TwoWord<T> r, raised;
    T unit, down;  // r of the residual, and of what is raised

    Residual(T prediction, T target) {
        const bool large = abs(prediction - target) == Format<T>::infinity;
        const T share = large ? T(0.5) : T(1);
        unit = large ? T(2) : T(1);
        r = two_difference(prediction * share, target * share);
        const bool small = abs(r.high) < T(0x1p-60);
        const T up = small ? T(0x1p60) : T(1);
        raised = {r.high * up, r.low * up};
        down = small ? T(0x1p-60) : unit;
    }
};

// The residual in a unit; over the scale and, times up, over its square; times up twice, one over
// the square.
template <class T>
struct Standardized {
    TwoWord<T> r, z, slope, precision;
    T unit, up;
};

template <class T>
inline Standardized<T> by_log_scale(T prediction, T log_scale, T target) {
    const Residual<T> residual(prediction, target);
    const TwoWord<T> once = two_exp_product(-log_scale, residual.raised.high, residual.raised.low);
    const TwoWord<T> z = scaled(once, residual.down);
    const bool stays = abs(once.high) < T(1);
    const TwoWord<T> kept = select(stays, once, z);
    const TwoWord<T> twice = two_exp_product(-log_scale, kept.high, kept.low);
    const TwoWord<T> inverse = two_exp_product(-log_scale, T(1));
    const TwoWord<T> precision = two_exp_product(-log_scale, inverse.high, inverse.low);
    return {residual.r,    z,   scaled(twice, stays ? residual.down : T(1)), precision,
            residual.unit, T(1)};
}

// One over a scale, less a power of two where it would overflow or be subnormal.
template <class T>
struct Raised {
    T up;
    TwoWord<T> inverse;

    explicit Raised(T scale) {
        up = scale < T(0x1p-64) ? T(0x1p64) : (scale > T(0x1p64) ? T(0x1p-64) : T(1));
        inverse = inverse_of<T>({scale * up, T(0)});
    }

    T times(TwoWord<T> x) const { return rounded(x * inverse) * up; }
    T twice(TwoWord<T> x) const { return rounded(x * inverse * inverse) * up * up; }
};

template <class T>
inline Standardized<T> by_scale(T prediction, Raised<T> scale, T target) {
    const Residual<T> residual(prediction, target);
    const TwoWord<T> once = residual.raised * scale.inverse;
    const T down = residual.down * scale.up;
    const TwoWord<T> z = scaled(once, down);
    const bool stays = abs(once.high) < T(1);
    const TwoWord<T> slope = select(stays, once, z) * scale.inverse;
    const TwoWord<T> precision = scale.inverse * scale.inverse;
    return {residual.r, z, scaled(slope, stays ? down : T(1)), precision, residual.unit, scale.up};
}

// The exponential wins over the logarithm.
template <class T>
inline T total(T log_scale, T constant, T energy) {
    return energy == Format<T>::infinity ? energy : log_scale + constant + energy;
}

}  // namespace
}  // namespace fastloss
