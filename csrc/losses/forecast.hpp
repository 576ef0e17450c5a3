// Scores of forecasts of one number: its distribution, an interval, quantiles or a sample.
#pragma once

#include "exponentials.hpp"
#include "location_scale.hpp"
#include "regression.hpp"

namespace fastloss {
namespace {

// ---- continuous ranked probability score

// Of a scale of 1: the score, its derivatives by location and scale, z^2 phi raised.
template <class T>
struct CrpsParts {
    TwoWord<T> score;
    T by_location;
    TwoWord<T> by_scale, bend;

    explicit CrpsParts(TwoWord<T> z) {
        const Normal<T> normal(z.high, z.low);
        const TwoWord<T> size = magnitude(z), zero{T(0), T(0)};
        const TwoWord<T> density = two_times(normal.bell, Normal<T>::peak());
        const TwoWord<T> near = select(size.high > T(64), zero, size);  // phi is 0 there
        bend = density * near * near;
        // 1 / sqrt(pi), of which the first part is exact
        by_scale = T(-0.564189612865448) + twice(unraised(density));
        by_scale.low -= T(-2.9317691711098796e-08);
        // a (2 Phi(a) - 1) is a - 2 a Phi(-a)
        const TwoWord<T> both = near * unraised(normal.tail);
        const TwoWord<T> less = two_sum(by_scale.high, T(-2) * both.high);
        score = two_sum(size.high, less.high);
        score.low += (less.low - T(2) * both.low) + (by_scale.low + size.low);
        by_location = normal_interval(normal);
    }

    static TwoWord<T> unraised(TwoWord<T> x) { return {lowered(x.high), lowered(x.low)}; }
};

// 2 phi(z) over the scale, and z^2 times that: phi may be 0 where its ratio to the scale is not.
template <class T>
struct CrpsCurves {
    T by_location, by_scale;

    CrpsCurves(TwoWord<T> z, TwoWord<T> log_scale) {
        const TwoWord<T> size = magnitude(z), zero{T(0), T(0)};
        const bool far = size.high > T(64);
        const TwoWord<T> near = select(far, zero, size), square = near * near;
        TwoWord<T> half = two_sum(T(-0.25) * square.high, T(-0.5) * log_scale.high);
        half.low += T(-0.25) * square.low + T(-0.5) * log_scale.low;
        const bool finite = abs(half.high) < Format<T>::infinity;
        const TwoWord<T> root = two_exp_fine(half.high, finite ? half.low : T(0));
        const T factor = T(0.7978845608028654);
        by_location = far ? zero.high : times_square(factor, root);
        by_scale = near.high == T(0) ? near.high : times_square(factor, near * root);
    }
};

template <class T>
struct CrpsGaussian {
    static constexpr const char* name = "crps_gaussian";

    Point<T, 2> operator()(T prediction, T log_scale, T target) const {
        const Residual<T> residual(prediction, target);
        const TwoWord<T> once =
            two_exp_product(-log_scale, residual.raised.high, residual.raised.low);
        // phi multiplies errors of z by its square
        const TwoWord<T> root = two_exp_fine(T(-0.5) * log_scale);
        const TwoWord<T> fine = residual.raised * root * root;
        const bool regular = (root.high > T(0)) & (root.high < Format<T>::infinity);
        const TwoWord<T> z = scaled(select(regular, fine, once), residual.down);
        const CrpsParts<T> parts(z);
        const TwoWord<T> score = two_exp_product(log_scale, parts.score.high, parts.score.low);
        const TwoWord<T> grad = two_exp_product(log_scale, parts.by_scale.high, parts.by_scale.low);
        TwoWord<T> curve = parts.by_scale.high + twice(parts.unraised(parts.bend));
        curve.low += parts.by_scale.low;
        const TwoWord<T> hess = two_exp_product(log_scale, curve.high, curve.low);
        const CrpsCurves<T> curves(z, {log_scale, T(0)});
        const T distance = abs(residual.r.high) * residual.unit;
        return {abs(z.high) > T(0x1p60) ? distance : rounded(score),
                {parts.by_location, rounded(grad)},
                {curves.by_location, rounded(hess)}};
    }
};

template <class T>
struct CrpsGaussianFisher : CrpsGaussian<T> {
    static constexpr const char* name = "crps_gaussian_fisher";

    Point<T, 2> operator()(T prediction, T log_scale, T target) const {
        Point<T, 2> point = CrpsGaussian<T>::operator()(prediction, log_scale, target);
        const TwoWord<T> curve = two_exp_product(-log_scale, T(0.5641895835477563));
        point.hess[0] = curve.high + (curve.low + flat(prediction - target));
        point.hess[1] = rounded(two_exp_product(log_scale, T(0.28209479177387814)));
        return point;
    }
};

template <class T>
struct CrpsGaussianScale {
    static constexpr const char* name = "crps_gaussian_scale";

    Point<T, 2> operator()(T prediction, T scale, T target) const {
        const Raised<T> raised(scale);
        const Standardized<T> at = by_scale(prediction, raised, target);
        const CrpsParts<T> parts(at.z);
        const CrpsCurves<T> curves(at.z, two_log_fine(scale));
        const T distance = abs(at.r.high) * at.unit;
        const T value = rounded((scale * raised.up) * parts.score) / raised.up;
        return {abs(at.z.high) > T(0x1p60) ? distance : value,
                {parts.by_location, rounded(parts.by_scale)},
                {curves.by_location, curves.by_scale}};
    }
};

template <class T>
struct CrpsGaussianScaleFisher : CrpsGaussianScale<T> {
    static constexpr const char* name = "crps_gaussian_scale_fisher";

    Point<T, 2> operator()(T prediction, T scale, T target) const {
        Point<T, 2> point = CrpsGaussianScale<T>::operator()(prediction, scale, target);
        point.hess[0] = T(0.5641895835477563) / scale + flat(prediction - target);
        point.hess[1] = T(0.28209479177387814) / scale;
        return point;
    }
};

// ---- intervals

template <class T>
struct IntervalScore {
    static constexpr const char* name = "interval_score";
    T slope;

    // An end's distance from the target, which counts more where it lies beyond.
    T distance(T beyond) const { return (beyond > T(0) ? slope : T(-1)) * beyond; }
    T grad(T beyond) const { return beyond > T(0) ? slope : (beyond < T(0) ? T(-1) : beyond); }

    Point<T, 2> operator()(T prediction, T upper, T target) const {
        // the width is the target's distance from both ends, which no large terms cancel in
        const T above = prediction - target, below = target - upper;
        return {distance(above) + distance(below),
                {grad(above), -grad(below)},
                {flat(above), flat(below)}};
    }
};

// ---- quantiles and samples

// The quantile loss of every level, summed. Targets of the classes are their levels.
template <class T>
struct MultiQuantile {
    static constexpr const char* name = "multi_quantile";
    static constexpr Reference reference = Reference::number;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 1;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 1> fit(T prediction, T level, T number) const {
        return {{{Quantile<T>{level}(prediction, number).value, T(0)}}};
    }

    Finish<T, 1> finish(const Row<T, 0, 1>& row, T) const {
        return {row.fits[0].high + row.fits[0].low, {row.reference}};
    }

    Emit<T> emit(T kept, T level, const T* row) const {
        const Point<T> point = Quantile<T>{level}(kept, row[0]);
        return {point.grad[0], point.hess[0]};
    }
};

// Targets of the members are their ranks r, counted from outside: of how many pairs with each other
// half the distance has been taken away. With e = 1 for the fair estimator a member adds
// (r - e) |x - y|, which is never negative.
template <class T>
struct CrpsEnsemble {
    static constexpr const char* name = "crps_ensemble";
    static constexpr Reference reference = Reference::number;
    static constexpr int term_sums = 0, fit_sums = 2, coefficients = 2;
    T fair;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 2> fit(T prediction, T rank, T number) const {
        // a sum may overflow where the mean does not
        const bool far = abs(prediction - number) > T(0x1p64);
        const T scale = far ? T(0x1p-64) : T(1);
        const TwoWord<T> d = two_difference(prediction * scale, number * scale);
        const T count = rank - fair;
        const TwoWord<T> product = two_product(count, d.high);
        const T low = product.low + count * d.low;
        const bool none = count == T(0);
        const T size = none ? T(0) : abs(product.high);
        const T size_low = none ? T(0) : (d.high < T(0) ? -low : low);
        return {{{far ? T(0) : size, far ? T(0) : size_low},
                 {far ? size : T(0), far ? size_low : T(0)}}};
    }

    Finish<T, 2> finish(const Row<T, 0, 2>& row, T members) const {
        const TwoWord<T> near = row.fits[0], far = row.fits[1];
        const bool any_far = far.high > T(0);
        const T scale = any_far ? T(0x1p-64) : T(1);
        const TwoWord<T> sum = two_sum(far.high, near.high * scale);
        const T low = sum.low + (far.low + near.low * scale);
        const T total = low - low == T(0) ? sum.high + low : sum.high;
        const T pairs = members * (members - fair);
        const T value = total / pairs * (any_far ? T(0x1p64) : T(1));
        return {value, {row.reference + flat(value), pairs}};
    }

    Emit<T> emit(T kept, T rank, const T* row) const {
        const T number = row[0], pairs = row[1];
        const T slope = kept > number ? rank - fair : (kept < number ? fair - rank : T(0));
        return {slope / pairs + flat(kept - number), flat(kept - number)};
    }
};

}  // namespace
}  // namespace fastloss
