// Losses of relative errors: of a real prediction and a real target, measured by their size.
#pragma once

#include "two_words.hpp"

namespace fastloss {
namespace {

// log(a / b) for a, b >= 0, of which d is the difference a - b.
template <class T>
FASTLOSS_INLINE TwoWord<T> log_quotient(TwoWord<T> d, TwoWord<T> a, TwoWord<T> b) {
    // a and b may differ in their low words alone
    const TwoWord<T> least = select(d.high < T(0), a, b), size = magnitude(d);
    // log(1 + x) with x = gap / least; or log x by x in another unit
    const bool huge = size.high > least.high * T(0x1p62);
    const T unit = huge ? T(0x1p-60) : T(1);
    const TwoWord<T> gap = {unit * size.high, unit * size.low};
    const T x = gap.high / least.high;
    const T x_low = (fma(-x, least.high, gap.high) + (gap.low - x * least.low)) / least.high;
    const TwoWord<T> parts = log_of_scaled(x, x_low, huge), log = normal(parts.high, parts.low);
    const bool finite = log.high < Format<T>::infinity;
    return {signed_as(d.high, log.high), finite ? signed_as(d.high, log.low) : T(0)};
}

template <class T>
struct SquaredLogError {
    static constexpr const char* name = "squared_log_error";

    struct Parts {
        T value, grad, hess, fisher;
    };

    FASTLOSS_INLINE Parts parts(T prediction, T target) const {
        const TwoWord<T> a = two_sum(T(1), prediction), b = two_sum(T(1), target);
        const TwoWord<T> log = log_quotient(two_difference(prediction, target), a, b);
        // 1 - log(a / b) = log(e b / a); quarters, as e b may overflow
        const TwoWord<T> e_parts = normal(T(0.6795704364776611), T(2.0637099140685677e-08));
        const TwoWord<T> e = {e_parts.high, e_parts.low + T(1.0353418944558722e-15)};
        const TwoWord<T> scaled = e * b, quarter = {T(0.25) * a.high, T(0.25) * a.low};
        const TwoWord<T> high = two_difference(scaled.high, quarter.high);
        const TwoWord<T> gap = normal(high.high, high.low + (scaled.low - quarter.low));
        const bool finite = abs(gap.high) < Format<T>::infinity;
        const TwoWord<T> rest = log_quotient({gap.high, finite ? gap.low : T(0)}, scaled, quarter);
        const TwoWord<T> inverse = fastloss::inverse(a);
        const TwoWord<T> curve = twice(rest) * inverse;
        const bool infinite = prediction == Format<T>::infinity;
        const T none = flat(log.high);
        return {rounded(log * log), infinite ? none : rounded(twice(log) * inverse),
                infinite ? none : rounded(curve * inverse),
                infinite ? none : rounded(twice(inverse) * inverse)};
    }

    Point<T> operator()(T prediction, T target) const {
        const Parts all = parts(prediction, target);
        return {all.value, {all.grad}, {all.hess}};
    }
};

// Its Hessian leaves out the residual's own curvature.
template <class T>
struct SquaredLogErrorFisher : SquaredLogError<T> {
    static constexpr const char* name = "squared_log_error_fisher";

    Point<T> operator()(T prediction, T target) const {
        const auto all = this->parts(prediction, target);
        return {all.value, {all.grad}, {all.fisher}};
    }
};

template <class T>
struct Mape {
    static constexpr const char* name = "mape";
    T floor;

    Point<T> operator()(T prediction, T target) const {
        const T infinity = Format<T>::infinity;
        const T r = prediction - target;
        const T size = maximum(abs(target), floor);
        // a difference may overflow where its share does not
        const bool wide = abs(r) == infinity, none = r == T(0);
        const T half = T(0.5) * prediction - T(0.5) * target;
        const T part = abs(wide ? half : r) / size;
        const T share = wide ? T(2) * part : part;
        // far targets: all of their size is missed
        const T value = size == infinity ? T(1) + flat(prediction - prediction) : share;
        return {none ? flat(r) : value, {none ? flat(r) : sign(r) / size}, {flat(r)}};
    }
};

template <class T>
struct Smape {
    static constexpr const char* name = "smape";
    T floor;

    Point<T> operator()(T prediction, T target) const {
        // in another unit where sums may overflow or their inverse may
        const T largest = maximum(maximum(abs(prediction), abs(target)), floor);
        const T unit = largest > T(0x1p60) ? T(0x1p-64) : largest < T(0x1p-60) ? T(0x1p64) : T(1);
        const T p = unit * prediction, q = unit * target, least = unit * floor;
        const TwoWord<T> gap = two_difference(p, q), sum = two_sum(abs(p), abs(q));
        const bool inside = sum.high < least, within = sum.high <= least;
        const TwoWord<T> size = select(inside, {least, T(0)}, sum),
                         inverse = fastloss::inverse(size);
        const TwoWord<T> a = magnitude(gap);
        const T value = rounded(twice(a) * inverse);
        // the gradient is sign(r) change / size^2
        const bool both_above = (prediction > T(0)) & (target > T(0));
        const bool both_below = (prediction < T(0)) & (target < T(0));
        const bool alike = both_above | both_below;
        const T outside = alike ? T(4) * abs(q) : T(0);
        const T most = T(2) * size.high;
        const T edge = inside ? most : minimum(most, outside);
        const T change = within ? edge : outside;
        const bool subnormal = change < T(0x1p-100);  // or nearly so
        const T raised = subnormal ? T(0x1p40) * change : change;
        const T lower = subnormal ? T(0x1p-40) * unit : unit;
        const TwoWord<T> slope = (raised * inverse) * inverse;
        const T curve = rounded(twice(slope) * inverse);
        const T turned = abs(p) < abs(q) ? curve : -curve;
        const T none = flat(gap.high);
        const bool far = size.high == Format<T>::infinity, nothing = size.high == T(0);
        const T grad = lower * (sign(gap.high) * rounded(slope));
        const T hess = unit * (lower * (within ? T(0) : turned));
        return {far       ? T(2) + none
                : nothing ? none
                          : value,
                {far | (gap.high == T(0)) ? none : grad},
                {far | nothing ? none : hess}};
    }
};

}  // namespace
}  // namespace fastloss
