// Losses of one score or one probability against a binary target.
#pragma once

#include "clip.hpp"
#include "softplus.hpp"

namespace fastloss {
namespace {

template <class T>
struct SigmoidCrossEntropy {
    static constexpr const char* name = "sigmoid_cross_entropy";
    T pos_weight;

    Point<T> operator()(T prediction, T target) const {
        const T gap = abs(prediction);
        const Softplus<T> side(two_exp_negative(-gap));
        const T positive = pos_weight * target, negative = T(1) - target;
        const T both = fma(pos_weight, target, negative);
        // Only the side that the prediction is on has a linear part, so no large terms cancel;
        // 0 * inf = 0 where that side's target is 0.
        const bool up = prediction > T(0);
        const T wrong = up ? negative : positive;
        const T value = both * side.softplus;
        const T grad = fma(up ? -both : both, side.far, up ? negative : -positive);
        return {wrong == T(0) ? value : fma(wrong, gap, value),
                {grad},
                {both * fma(-side.far, side.far, side.far)}};
    }
};

template <class T>
struct BinaryCrossEntropy {
    static constexpr const char* name = "binary_cross_entropy";
    Clip<T> clip;

    Point<T> operator()(T prediction, T target) const {
        const T p = prediction + T(0);  // -0 becomes 0
        const bool above = clip.above(p), clipped = above | clip.below(p);
        const T q = T(1) - p, negative = T(1) - target;
        // 0 * log 0 = 0, and the derivative of nothing is 0
        const bool no_1 = target == T(0), no_0 = negative == T(0);
        // 1 - p and 1 - target carry what their rounding lost; beside an infinity that is nothing
        const bool possible = q > T(0);
        const T negative_low = (T(1) - negative) - target;
        const TwoWord<T> inverse = two_inverse(q, (T(1) - q) - p);
        // at the upper end p and 1 - p change places, as 1 - eps may round to 1
        const T side = clipped ? clip.eps : p;
        const TwoWord<T> log_side = two_log(side), log_rest = two_log1p(-side);
        const TwoWord<T> log_p = {above ? log_rest.high : log_side.high,
                                  above ? log_rest.low : log_side.low};
        const TwoWord<T> log_q = {above ? log_side.high : log_rest.high,
                                  above ? log_side.low : log_rest.low};
        const T lost_value = negative * log_q.low + negative_low * log_q.high;
        const T lost_slope = fma(negative, inverse.low, negative_low * inverse.high);
        const bool finite = log_q.high > -T(__builtin_inf());
        const T value_0 = fma(-negative, log_q.high, finite ? -lost_value : T(0));
        const T others = no_0 ? T(0) : value_0;
        const T value = fma(-target, log_p.high, fma(-target, log_p.low, others));
        const T slope_1 = target / p;
        // both quotients are raised, as the first may be subnormal
        const T curve_1 = (target * T(0x1p60)) / p / (p * T(0x1p60));
        const T slope_0 = fma(negative, inverse.high, possible ? lost_slope : T(0));
        const T curve_0 = fma(slope_0, inverse.high, possible ? slope_0 * inverse.low : T(0));
        const T grad = (no_0 ? T(0) : slope_0) - (no_1 ? T(0) : slope_1);
        const T hess = (no_0 ? T(0) : curve_0) + (no_1 ? T(0) : curve_1);
        return {no_1 ? others : value, {clipped ? T(0) : grad}, {clipped ? T(0) : hess}};
    }
};

// The label is slope * target + shift, -1 or +1.
template <class T>
struct Hinge {
    static constexpr const char* name = "hinge";
    T slope, shift;

    Point<T> operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        const T violation = T(1) - label * prediction;
        return {maximum(violation, T(0)),
                {violation > T(0) ? -label : flat(violation)},
                {flat(violation)}};
    }
};

template <class T>
struct SquaredHinge {
    static constexpr const char* name = "squared_hinge";
    T slope, shift;

    Point<T> operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        const T violation = maximum(T(1) - label * prediction, T(0));
        return {violation * violation,
                {T(-2) * label * violation},
                {violation > T(0) ? T(2) : flat(violation)}};
    }
};

}  // namespace
}  // namespace fastloss
