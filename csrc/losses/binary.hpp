// Losses of one score or one probability against a binary target.
#pragma once

#include "clip.hpp"
#include "exponentials.hpp"
#include "logistic.hpp"
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

// With smoothed labels or a slope.
template <class T>
struct SigmoidCrossEntropyShaped {
    static constexpr const char* name = "sigmoid_cross_entropy_shaped";
    T pos_weight, kept, spread, slope;

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> half = two_product(T(0.5) * slope, abs(prediction));
        const auto [root, e, inverse, share] = Logistic<T>(half);
        const T positive = pos_weight * fma(kept, target, spread);
        const T negative = fma(kept, T(1) - target, spread);
        const T both = positive + negative;
        const bool up = prediction > T(0);
        const T wrong = up ? negative : positive;
        const T part = both * root.high;
        const T steep = slope * part;
        const T low = fma(steep, share.low, slope * both * root.low * share.high);
        // log(1 + e) = e where e may be subnormal
        const T softplus = both * log1p_unit(e.high, e.low * inverse.high);
        const T small = fma(part, root.high, T(2) * part * root.low);
        const T value = e.high < T(0x1p-70) ? small : softplus;
        // a product of three that neither overflows first nor rounds a subnormal
        const bool far = abs(prediction) > T(0x1p60);
        const T distance = far ? T(0x1p-60) * abs(prediction) : T(2) * half.high;
        const T linear = fma(far ? slope * (T(0x1p60) * wrong) : wrong, distance, value);
        const T side = slope * (up ? negative : -positive);
        const T grad = (up ? -low : low) + fma(up ? -steep : steep, share.high, side);
        const T hess = fma(steep, slope * share.high, slope * low);
        return {wrong == T(0) ? value : linear, {grad}, {fma(-e.high * inverse.high, hess, hess)}};
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

template <class T>
struct Exponential {
    static constexpr const char* name = "exponential";

    Point<T> operator()(T prediction, T target) const {
        const T half = T(0.5) * prediction;
        const T positive = times_square(target, two_exp(-half));
        const T negative = times_square(T(1) - target, two_exp(half));
        const T value = positive + negative;
        return {value, {negative - positive}, {value}};
    }
};

// The label is slope * target + shift, -1 or +1.
template <class T>
struct Hinge {
    static constexpr const char* name = "hinge";
    T slope, shift, margin;

    Point<T> operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        const T violation = margin - label * prediction;
        return {maximum(violation, T(0)),
                {violation > T(0) ? -label : flat(violation)},
                {flat(violation)}};
    }
};

template <class T>
struct SquaredHinge {
    static constexpr const char* name = "squared_hinge";
    T slope, shift, margin;

    Point<T> operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        const T violation = maximum(margin - label * prediction, T(0));
        return {violation * violation,
                {T(-2) * label * violation},
                {violation > T(0) ? T(2) : flat(violation)}};
    }
};

template <class T>
struct ModifiedHuber {
    static constexpr const char* name = "modified_huber";
    T slope, shift;

    Point<T> operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        const T right = label * prediction;
        const T violation = maximum(T(1) - right, T(0));
        const bool linear = right < T(-1);
        const bool curved = (violation > T(0)) & (right > T(-1));
        return {linear ? T(-4) * right : violation * violation,
                {label * (linear ? T(-4) : T(-2) * violation)},
                {curved ? T(2) : flat(violation)}};
    }
};

template <class T>
struct SigmoidFocal {
    static constexpr const char* name = "sigmoid_focal";
    T slope, shift, positive, negative, gamma;

    Point<T> operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        const T weight = (label > T(0) ? positive : negative) + flat(label);
        const T gap = abs(prediction);
        const auto [root, e, inverse, share] = Logistic<T>({T(0.5) * gap, T(0)});
        const bool up = label * prediction > T(0);
        const TwoWord<T> log1p = two_log1p(e.high, e.low * inverse.high);
        const TwoWord<T> log_term = two_sum(log1p.high, log1p.low);
        TwoWord<T> both = two_difference(gap, -log_term.high);
        both.low += log_term.low;
        // -log p and -log(1 - p)
        const TwoWord<T> own = {up ? log_term.high : both.high, up ? log_term.low : both.low};
        const T surprise = own.high + own.low;
        const TwoWord<T> rest = {up ? both.high : log_term.high, up ? both.low : log_term.low};
        const TwoWord<T> power = two_product(gamma, rest.high);
        const T powered = exp(-power.high, -fma(gamma, rest.low, power.low));
        const T scale = weight * (gamma == T(0) ? T(1) + flat(gap) : powered);
        // p in two factors, of which one is a root where p may be subnormal
        const TwoWord<T> factor = {up ? T(1) : root.high, up ? T(0) : root.low};
        const TwoWord<T> other = {up ? inverse.high : share.high, up ? inverse.low : share.low};
        const T p =
            fma(factor.high, other.high, fma(factor.high, other.low, factor.low * other.high));
        const T far = fma(root.high, share.high, fma(root.high, share.low, root.low * share.high));
        const T q = up ? far : inverse.high;
        const bool none = factor.high == T(0);
        const T bits = none ? T(0) : surprise;  // 0 log 0 = 0
        const TwoWord<T> words = {none ? T(0) : own.high, none ? T(0) : own.low};
        const T grad = scale * fma(gamma * p, bits, q);
        const T mixed = fma(-gamma, words.high, fma(T(2), gamma, T(1))) - gamma * words.low;
        const T curve = fma(q, mixed, (gamma * p) * (gamma * bits));
        const T part = factor.high * curve;
        const T part_low = fma(part, other.low, factor.low * curve * other.high);
        return {scale * surprise, {-label * grad}, {scale * fma(part, other.high, part_low)}};
    }
};

}  // namespace
}  // namespace fastloss
