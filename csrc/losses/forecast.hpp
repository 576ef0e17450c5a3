// Losses of several predictions of one number.
#pragma once

#include "regression.hpp"

namespace fastloss {
namespace {

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
