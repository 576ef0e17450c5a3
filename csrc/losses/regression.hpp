// Losses of a real prediction and a real target: functions of the residual.
#pragma once

#include "../formula.hpp"

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
        const T a = abs(r.high);
        const T a_low = r.high < T(0) ? -r.low : r.low;
        // delta may be infinite, so the outer branch is selected and never blended
        const T outside = fma(delta, a - T(0.5) * delta, delta * a_low);
        const T grad = a <= delta ? r.high : delta * sign(r.high);
        const bool inside = (a < delta) | ((a == delta) & (a == T(__builtin_inf())));
        return {a <= delta ? (T(0.5) * a) * a : outside, {grad}, {inside ? T(1) : flat(r.high)}};
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
struct LogCosh {
    static constexpr const char* name = "log_cosh";

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target);
        const T a = abs(r.high);
        const T a_low = r.high < T(0) ? -r.low : r.low;
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
        return {small ? near_value : far_value, {r.high < T(0) ? -grad : grad}, {hess}};
    }
};

}  // namespace
}  // namespace fastloss
