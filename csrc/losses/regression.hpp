// Losses of a real prediction and a real target: functions of the residual.
#pragma once

#include "two_words.hpp"

namespace fastloss {
namespace {

template <class T>
struct SquaredError {
    static constexpr const char* name = "squared_error";
    T factor;

    Point<T> operator()(T prediction, T target) const {
        const T r = prediction - target;
        return {(factor * r) * r, {T(2) * factor * r}, {r == r ? T(2) * factor : r}};
    }
};

template <class T>
struct AbsoluteError {
    static constexpr const char* name = "absolute_error";

    Point<T> operator()(T prediction, T target) const {
        const T r = prediction - target;
        return {abs(r), {sign(r)}, {flat(r)}};
    }
};

template <class T>
struct Huber {
    static constexpr const char* name = "huber";
    T delta;

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target);
        const auto [a, a_low] = magnitude(r);
        // delta may be infinite, so the outer branch is selected and never blended
        const T outside = fma(delta, a - T(0.5) * delta, delta * a_low);
        const T grad = a <= delta ? r.high : delta * sign(r.high);
        const bool inside = (a < delta) | ((a == delta) & (a == T(__builtin_inf())));
        return {a <= delta ? (T(0.5) * a) * a : outside, {grad}, {inside ? T(1) : flat(r.high)}};
    }
};

template <class T>
struct SmoothL1 {
    static constexpr const char* name = "smooth_l1";
    T beta;

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = magnitude(r);
        const T inverse = T(1) / beta, share = a.high / beta;
        const T share_low = (fma(-share, beta, a.high) + a.low) * inverse;
        const T near = rounded(half(a) * TwoWord<T>{share, share_low});
        const TwoWord<T> far = two_difference(a.high, T(0.5) * beta);
        const bool inside = a.high < beta;
        const T outer = far.high + (far.low + a.low), outside = flat(r.high);
        const T inner_grad = signed_as(r.high, share), outer_grad = sign(r.high);
        return {inside ? near : outer,
                {inside ? inner_grad : outer_grad},
                {inside ? inverse : outside}};
    }
};

template <class T>
struct PseudoHuber {
    static constexpr const char* name = "pseudo_huber";
    T delta;

    // With t the smaller of a = |r| and delta over the larger, and root = sqrt(1 + t^2), the value
    // is a^2 / (1 + root) near 0 and a delta / (t + root) far away: no square overflows.
    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = magnitude(r);
        const Ratio<T> ratio(a, delta);
        const TwoWord<T> t = ratio.t, sum = plus_one(t * t);
        const T root = sqrt(sum.high);
        const T rest = fma(-root, root, sum.high) + sum.low;
        const T root_low = T(0.5) * (rest * (T(1) / root));
        const TwoWord<T> inverse = two_inverse(root, root_low);
        const TwoWord<T> least = select(ratio.far, {delta, T(0)}, a);
        const TwoWord<T> first = select(ratio.far, t, {T(1), T(0)});
        const T below = root + first.high;
        const T below_low = ((root - below) + first.high) + (root_low + first.low);
        const TwoWord<T> cosine = first * inverse;
        return {rounded((a * least) * two_inverse(below, below_low)),
                {signed_as(r.high, rounded(least * inverse))},
                {rounded((cosine * cosine) * cosine)}};
    }
};

template <class T>
struct Quantile {
    static constexpr const char* name = "quantile";
    T quantile;

    Point<T> operator()(T prediction, T target) const {
        const T r = prediction - target;
        const T above = T(1) - quantile;
        const T slope = r > T(0) ? above : quantile;
        const T half = T(0.5) * prediction - T(0.5) * target;  // whose whole may overflow
        const bool over = abs(r) == T(__builtin_inf());
        const T value = over ? T(2) * slope * abs(half) : slope * abs(r);
        const T grad = r > T(0) ? above : (r < T(0) ? -quantile : r);
        return {value, {grad}, {flat(r)}};
    }
};

template <class T>
struct Expectile {
    static constexpr const char* name = "expectile";
    T below, above;

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target);
        const T share = r.high > T(0) ? above : below;
        const TwoWord<T> slope = share * r;
        const T least = minimum(above, below), curve = r.high == T(0) ? least : share;
        return {rounded(slope * r), {T(2) * slope.high}, {T(2) * curve + flat(r.high)}};
    }
};

// What |r| exceeds epsilon by, and r.
template <class T>
struct Excess {
    T value, r;

    FASTLOSS_INLINE Excess(T prediction, T target, T epsilon) {
        const TwoWord<T> residual = two_difference(prediction, target);
        const TwoWord<T> a = magnitude(residual), excess = two_difference(a.high, epsilon);
        value = excess.high + (excess.low + a.low);
        r = residual.high;
    }
};

template <class T>
struct EpsilonInsensitive {
    static constexpr const char* name = "epsilon_insensitive";
    T epsilon;

    Point<T> operator()(T prediction, T target) const {
        const Excess<T> excess(prediction, target, epsilon);
        const T away = sign(excess.r), inside = flat(excess.value);
        return {maximum(excess.value, T(0)), {excess.value > T(0) ? away : inside}, {inside}};
    }
};

template <class T>
struct SquaredEpsilonInsensitive {
    static constexpr const char* name = "squared_epsilon_insensitive";
    T epsilon;

    Point<T> operator()(T prediction, T target) const {
        const Excess<T> signed_excess(prediction, target, epsilon);
        const T excess = maximum(signed_excess.value, T(0));
        const bool curved = (excess > T(0)) | (epsilon == T(0));
        return {excess * excess,
                {T(2) * signed_as(signed_excess.r, excess)},
                {(curved ? T(2) : T(0)) + flat(excess)}};
    }
};

template <class T>
struct LogCosh {
    static constexpr const char* name = "log_cosh";

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target);
        const auto [a, a_low] = magnitude(r);
        const TwoWord<T> root = two_exp_negative(-a, -a_low);
        const T e = root.high * root.high;
        const T e_low = fma(root.high, root.high, -e) + T(2) * root.high * root.low;
        const T sum = T(1) + e;
        const TwoWord<T> inverse = two_inverse(sum, ((T(1) - sum) + e) + e_low);
        const T far = e * inverse.high;  // 1 / (1 + exp(2 a))
        const T far_low = fma(e, inverse.high, -far) + fma(e, inverse.low, e_low * inverse.high);
        // 1 / cosh, whose square does not lose the digits of a subnormal e
        const T twice = T(2) * root.high;
        const T sech = twice * inverse.high;
        const T sech_low = fma(twice, inverse.high, -sech) +
                           fma(twice, inverse.low, T(2) * root.low * inverse.high);
        const T hess = fma(sech, sech, T(2) * sech * sech_low);
        // tanh and log cosh by polynomials near 0; else 1 - 2 far, and
        // a - log 2 + log1p(exp(-2 a))
        const bool small = a < T(0.8);
        const T square = a * a;
        const T near_grad = a + fma(a * square, tanh_reduced(square), a_low * hess);
        const T far_grad = (T(1) - T(2) * far) - T(2) * far_low;
        const T half = (T(0.5) * a) * a;
        const T half_low = fma(T(0.5) * a, a, -half) + near_grad * a_low;
        const T near_value = half + fma(square * square, log_cosh_reduced(square), half_low);
        const T ln2_high = T(0x1.62e4p-1), ln2_low = T(0x1.7f7d1cf79abcap-20);
        const T log_term = log1p_unit(e, e_low * inverse.high);
        const T far_value = (a - ln2_high) + (log_term + (a_low - ln2_low));
        const T grad = small ? near_grad : far_grad;
        return {small ? near_value : far_value, {signed_as(r.high, grad)}, {hess}};
    }
};

}  // namespace
}  // namespace fastloss
