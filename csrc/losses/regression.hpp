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
        const T r = prediction - target;
        const T a = abs(r);
        // delta may be infinite, so the outer branch is selected and never blended
        const T value = a <= delta ? (T(0.5) * r) * r : delta * (a - T(0.5) * delta);
        const T grad = a <= delta ? r : delta * sign(r);
        const bool inside = (a < delta) | ((a == delta) & (a == T(__builtin_inf())));
        return {value, {grad}, {inside ? T(1) : flat(r)}};
    }
};

template <class T>
struct Quantile {
    static constexpr const char* name = "quantile";
    T quantile;

    Point<T> operator()(T prediction, T target) const {
        const T r = prediction - target;
        const T above = T(1) - quantile;
        const T value = (r > T(0) ? above : quantile) * abs(r);
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
        const T e = exp_negative(T(-2) * a, T(-2) * a_low);
        const T u = expm1(T(-2) * a, T(-2) * a_low);
        const T inverse = T(1) / (T(1) + e);
        const T tanh_a = -u * inverse;
        // log cosh = log1p(sinh^2) / 2 near 0; a - log 2 + log1p(exp(-2 a)) elsewhere
        const bool small = a < T(0.8);
        const T log_term = log1p_unit(small ? (u * u) * (T(0.25) / e) : e);
        const T ln2_high = T(0x1.62e4p-1), ln2_low = T(0x1.7f7d1cf79abcap-20);
        const T value = small ? T(0.5) * log_term : (a - ln2_high) + (log_term + (a_low - ln2_low));
        return {value, {r.high < T(0) ? -tanh_a : tanh_a}, {(T(4) * e * inverse) * inverse}};
    }
};

}  // namespace
}  // namespace fastloss
