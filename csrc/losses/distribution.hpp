// Likelihoods of a predicted distribution: a location and a scale.
#pragma once

#include "location_scale.hpp"

namespace fastloss {
namespace {

// ---- Gaussian

// Factor times the logarithm that is predicted is the scale's.
template <class T>
struct GaussianNll {
    static constexpr const char* name = "gaussian_nll";
    T factor, constant;

    Point<T, 2> operator()(T prediction, T logarithm, T target) const {
        const Standardized<T> at = by_log_scale(prediction, factor * logarithm, target);
        const TwoWord<T> energy = half(at.z) * at.z;
        const T twice = T(2) * factor;
        const T grad = fma(-twice, energy.high, factor) - twice * energy.low;
        // a square of its own, as the energy may be subnormal
        const TwoWord<T> more = scaled(at.z, twice);
        const T hess = rounded(half(more) * more);
        return {total(factor * logarithm, constant, rounded(energy)),
                {rounded(at.slope), grad},
                {at.precision.high + (at.precision.low + flat(at.r.high)), hess}};
    }
};

template <class T>
struct GaussianNllFisher : GaussianNll<T> {
    static constexpr const char* name = "gaussian_nll_fisher";

    Point<T, 2> operator()(T prediction, T logarithm, T target) const {
        Point<T, 2> point = GaussianNll<T>::operator()(prediction, logarithm, target);
        point.hess[1] = T(2) * this->factor * this->factor + flat(logarithm);
        return point;
    }
};

template <class T>
struct GaussianNllVariance {
    static constexpr const char* name = "gaussian_nll_variance";
    T constant;

    Point<T, 2> operator()(T prediction, T variance, T target) const {
        const Residual<T> residual(prediction, target);
        const TwoWord<T> r = residual.r;
        const Raised<T> raised(variance);
        // what lowers comes first, what raises comes last
        const T up = raised.up, down = up < T(1) ? up : T(1), post = up > T(1) ? up : T(1);
        const TwoWord<T> inverse = raised.inverse;
        const TwoWord<T> ratio = scaled(r * inverse, down * residual.unit);
        const TwoWord<T> energy = scaled(half(r) * ratio, post * residual.unit);
        const TwoWord<T> log = two_log(variance);
        const T value = fma(T(0.5), log.high, energy.high + fma(T(0.5), log.low, energy.low));
        // (1/2 - energy) / v and 2 (energy - 1/4) / v^2; a large energy may overflow
        const bool large = energy.high > T(0x1p60);
        const TwoWord<T> last = select(large, ratio, inverse);
        const TwoWord<T> first = select(large, -half(ratio), T(0.5) - energy);
        const TwoWord<T> excess = T(-0.25) + energy;
        const TwoWord<T> curve = select(large, ratio, twice(excess));
        const T grad = rounded(first * last), once = large ? post : up;
        const T hess = rounded(scaled(curve * inverse, down) * last) * post * once;
        return {value + constant,
                {rounded(ratio) * post, grad * once * (large ? post : T(1))},
                {inverse.high * up + flat(r.high), large ? hess * post : hess}};
    }
};

template <class T>
struct GaussianNllVarianceFisher : GaussianNllVariance<T> {
    static constexpr const char* name = "gaussian_nll_variance_fisher";

    Point<T, 2> operator()(T prediction, T variance, T target) const {
        Point<T, 2> point = GaussianNllVariance<T>::operator()(prediction, variance, target);
        point.hess[1] = T(0.5) / variance / variance;
        return point;
    }
};

// ---- Laplace

template <class T>
struct LaplaceNll {
    static constexpr const char* name = "laplace_nll";
    T constant;

    Point<T, 2> operator()(T prediction, T log_scale, T target) const {
        const Standardized<T> at = by_log_scale(prediction, log_scale, target);
        const TwoWord<T> size = magnitude(at.z);
        const T distance = rounded(size);
        const TwoWord<T> slope = two_exp_product(-log_scale, sign(at.r.high));
        return {total(log_scale, constant, distance),
                {rounded(slope), (T(1) - size.high) - size.low},
                {flat(at.r.high), distance}};
    }
};

template <class T>
struct LaplaceNllFisher : LaplaceNll<T> {
    static constexpr const char* name = "laplace_nll_fisher";

    Point<T, 2> operator()(T prediction, T log_scale, T target) const {
        Point<T, 2> point = LaplaceNll<T>::operator()(prediction, log_scale, target);
        const TwoWord<T> precision = by_log_scale(prediction, log_scale, target).precision;
        point.hess[0] = precision.high + (precision.low + flat(prediction - target));
        point.hess[1] = T(1) + flat(log_scale);
        return point;
    }
};

template <class T>
struct LaplaceNllScale {
    static constexpr const char* name = "laplace_nll_scale";
    T constant;

    Point<T, 2> operator()(T prediction, T scale, T target) const {
        const Raised<T> raised(scale);
        const Standardized<T> at = by_scale(prediction, raised, target);
        const TwoWord<T> z = magnitude(at.z), log = two_log(scale);
        return {log.high + (z.high + (z.low + log.low)) + constant,
                {sign(at.r.high) * raised.inverse.high * raised.up, raised.times(T(1) - z)},
                {flat(at.r.high), T(2) * raised.twice(T(-0.5) + z)}};
    }
};

template <class T>
struct LaplaceNllScaleFisher : LaplaceNllScale<T> {
    static constexpr const char* name = "laplace_nll_scale_fisher";

    Point<T, 2> operator()(T prediction, T scale, T target) const {
        Point<T, 2> point = LaplaceNllScale<T>::operator()(prediction, scale, target);
        const T precision = T(1) / scale / scale;
        point.hess[0] = precision + flat(prediction - target);
        point.hess[1] = precision;
        return point;
    }
};

// ---- Student's t

// What does not depend on how the scale is predicted: the value less log_scale, divided by `raise`
// as it may overflow; the derivatives by the prediction; those by log_scale.
template <class T>
struct StudentTParts {
    T energy, raise, grad, hess;
    TwoWord<T> rest, bend;

    StudentTParts(T n, Standardized<T> at, T log_scale) {
        const TwoWord<T> more = two_sum(n, T(1)), inverse_n = two_inverse(n, T(0));
        const T root = sqrt(n);
        const TwoWord<T> inverse_root = two_inverse(root, T(0.5) * fma(-root, root, n) / root);
        const T shrink = abs(at.r.high) > T(0x1p64) ? T(0x1p-64) : T(1);
        const TwoWord<T> inverse_r = inverse_of(scaled(at.r, shrink));
        const TwoWord<T> y = magnitude(at.z) * inverse_root;
        const bool far = y.high > T(1);
        const TwoWord<T> g = select(far, inverse_of(y), y);
        const TwoWord<T> t = g * g;  // y^2 or its inverse, at most 1
        const TwoWord<T> d = inverse(plus_one(t));
        // log(1 + y^2) is 2 log y where y is huge; where y overflows, that of the residual helps
        const bool huge = y.high > T(0x1p50), infinite = y.high == Format<T>::infinity;
        const bool tiny = abs(at.r.high) < T(0x1p-64);
        const TwoWord<T> whole = scaled(magnitude(at.r), tiny ? T(0x1p64) : T(1));
        const TwoWord<T> size = select(infinite, whole * inverse_root, y);
        const TwoWord<T> x = select(huge, size, T(1) + size * size);
        T log = rounded(two_log(x.high, x.low));
        const T two = at.unit > T(1) ? T(0.6931471805599453) : T(0);
        const T log_unit = tiny ? T(-44.3614195558365) : two;
        // which log_scale may take back
        raise = infinite ? T(0x1p10) : T(1);
        log = infinite ? (log + log_unit - log_scale) * T(0x1p-10) : log;
        log = huge ? T(2) * log : log;
        energy = rounded(half(more) * TwoWord<T>{log, T(0)});
        // by the prediction: more d slope / n, or where far more d / r
        const TwoWord<T> share = more * d;
        const T last = far ? shrink / at.unit : at.up;
        grad = rounded(select(far, share, share * inverse_n) * select(far, inverse_r, at.slope)) *
               last;
        const TwoWord<T> both = share * d;
        const TwoWord<T> curve = both * (T(1) - t);
        const T bent = rounded(curve * select(far, inverse_r, at.precision) *
                               select(far, -inverse_r, inverse_n));
        hess =
            rounded(curve) == T(0) ? T(0) : bent * last * last;  // what it multiplies may overflow
        // by log_scale: 1 - more p with p = y^2 / (1 + y^2), and 2 more p (1 - p)
        rest = T(1) - select(far, share, share * t);
        bend = twice(both) * g * g;
    }
};

template <class T>
struct StudentTNll {
    static constexpr const char* name = "student_t_nll";
    T n, constant;

    Point<T, 2> operator()(T prediction, T log_scale, T target) const {
        const StudentTParts<T> parts(n, by_log_scale(prediction, log_scale, target), log_scale);
        const T lower = T(1) / parts.raise;
        return {total(log_scale * lower, constant * lower, parts.energy) * parts.raise,
                {parts.grad, rounded(parts.rest)},
                {parts.hess, rounded(parts.bend)}};
    }
};

template <class T>
struct StudentTNllFisher : StudentTNll<T> {
    static constexpr const char* name = "student_t_nll_fisher";

    Point<T, 2> operator()(T prediction, T log_scale, T target) const {
        Point<T, 2> point = StudentTNll<T>::operator()(prediction, log_scale, target);
        const T n = this->n, share = (n + T(1)) / (n + T(3));
        // the share first, as the precision alone may overflow
        const TwoWord<T> part = two_exp_product(-log_scale, share);
        const TwoWord<T> curve = two_exp_product(-log_scale, part.high, part.low);
        point.hess[0] = rounded(curve) + flat(prediction - target);
        point.hess[1] = T(2) * n / (n + T(3)) + flat(log_scale);
        return point;
    }
};

template <class T>
struct StudentTNllScale {
    static constexpr const char* name = "student_t_nll_scale";
    T n, constant;

    Point<T, 2> operator()(T prediction, T scale, T target) const {
        const Raised<T> raised(scale);
        const TwoWord<T> log = two_log(scale);
        const StudentTParts<T> parts(n, by_scale(prediction, raised, target), rounded(log));
        const TwoWord<T> excess = parts.bend.high - parts.rest;
        return {log.high + (parts.energy * parts.raise + log.low) + constant,
                {parts.grad, raised.times(parts.rest)},
                {parts.hess, raised.twice({excess.high, excess.low + parts.bend.low})}};
    }
};

template <class T>
struct StudentTNllScaleFisher : StudentTNllScale<T> {
    static constexpr const char* name = "student_t_nll_scale_fisher";

    Point<T, 2> operator()(T prediction, T scale, T target) const {
        Point<T, 2> point = StudentTNllScale<T>::operator()(prediction, scale, target);
        const T n = this->n, share = (n + T(1)) / (n + T(3));
        point.hess[0] = share / scale / scale + flat(prediction - target);
        point.hess[1] = T(2) * n / (n + T(3)) / scale / scale;
        return point;
    }
};

}  // namespace
}  // namespace fastloss
