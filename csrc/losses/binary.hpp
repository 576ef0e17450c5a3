// Losses of one score or one probability against a binary target.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

template <class T>
struct SigmoidCrossEntropy {
    static constexpr const char* name = "sigmoid_cross_entropy";
    T pos_weight;

    Point<T> operator()(T prediction, T target) const {
        const T e = exp_negative(-abs(prediction));
        const T positive = pos_weight * target;
        const T negative = T(1) - target;
        const T inverse = T(1) / (T(1) + e);
        const bool up = prediction > T(0);
        // Only the side that the prediction is on has a linear part, so no large terms cancel;
        // 0 * inf = 0 where that side's target is 0.
        const T wrong = up ? negative : positive;
        const T linear = wrong == T(0) ? T(0) : wrong * abs(prediction);
        const T softplus = log1p_unit(e);
        const T near = inverse, far = e * inverse;  // sigmoid(|z|) and sigmoid(-|z|)
        const T grad = up ? negative * near - positive * far : negative * far - positive * near;
        return {linear + (negative + positive) * softplus,
                {grad},
                {(negative + positive) * (far * near)}};
    }
};

template <class T>
struct BinaryCrossEntropy {
    static constexpr const char* name = "binary_cross_entropy";
    T low, high;  // predictions at and beyond these are clipped

    Point<T> operator()(T prediction, T target) const {
        const bool below = prediction <= low, above = prediction >= high;
        const T p = (below ? low : (above ? high : prediction)) + T(0);  // -0 becomes 0
        const T q = T(1) - p, negative = T(1) - target;
        const T value_1 = -target * log(p), value_0 = -negative * log1p(-p);
        const T slope_1 = target / p, slope_0 = negative / q;
        const T curve_1 = slope_1 / p, curve_0 = slope_0 / q;
        // 0 * log 0 = 0, and the derivative of nothing is 0
        const bool no_1 = target == T(0), no_0 = negative == T(0), clipped = below | above;
        const T grad = (no_0 ? T(0) : slope_0) - (no_1 ? T(0) : slope_1);
        const T hess = (no_0 ? T(0) : curve_0) + (no_1 ? T(0) : curve_1);
        return {(no_1 ? T(0) : value_1) + (no_0 ? T(0) : value_0),
                {clipped ? T(0) : grad},
                {clipped ? T(0) : hess}};
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
