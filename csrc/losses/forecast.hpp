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

// Targets of the members are their ranks r: twice how many are smaller, plus how many are equal.
// With d = x - y and e = 1 for the fair estimator, a member above y adds (2 M - e - r) d, one below
// (r - e) |d|: nothing negative, where the pairs of members have been counted already.
template <class T>
struct CrpsEnsemble {
    static constexpr const char* name = "crps_ensemble";
    static constexpr Reference reference = Reference::number;
    static constexpr int term_sums = 0, fit_sums = 2, coefficients = 4;
    T fair;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 2> fit(T prediction, T rank, T number) const {
        const TwoWord<T> d = two_difference(prediction, number);
        const bool above = d.high > T(0);
        const T sided = above ? -rank : fair - rank;  // times d; above, 2 M - e comes later
        const TwoWord<T> product = two_product(sided, d.high);
        return {{{product.high, product.low + sided * d.low},
                 {above ? d.high : flat(d.high), above ? d.low : T(0)}}};
    }

    Finish<T, 4> finish(const Row<T, 0, 2>& row, T members) const {
        const T most = T(2) * members - fair, pairs = members * (members - fair);
        const TwoWord<T> upper = two_product(most, row.fits[1].high);
        const TwoWord<T> sum = two_sum(upper.high, row.fits[0].high);
        const T low = sum.low + (upper.low + fma(most, row.fits[1].low, row.fits[0].low));
        const bool infinite = abs(upper.high) == T(__builtin_inf());
        const T total = low - low == T(0) ? sum.high + low : infinite ? upper.high : sum.high;
        const T value = total / pairs;
        return {value, {row.reference + flat(value), most, pairs, fair}};
    }

    Emit<T> emit(T kept, T rank, const T* row) const {
        const T number = row[0], most = row[1], e = row[3];
        const T both = (most + e) * T(0.5) - rank;  // M - r
        const T slope = kept > number ? most - rank : kept < number ? e - rank : both;
        return {slope / row[2] + flat(kept - number), flat(kept - number)};
    }
};

}  // namespace
}  // namespace fastloss
