// Losses of ordered classes.
#pragma once

#include "binary.hpp"
#include "over_classes.hpp"

namespace fastloss {
namespace {

template <class T>
struct OrdinalCrossEntropy : OverClasses<T, SigmoidCrossEntropy<T>> {
    static constexpr const char* name = "ordinal_cross_entropy";
};

// -log(1 - e) of e = exp(-gap), its slope e / (1 - e) and that one's, e / (1 - e)^2.
template <class T>
struct Between {
    T surprise, slope, curve;

    FASTLOSS_INLINE Between(T gap, T gap_low) {
        const bool near = gap < T(0x1p-60);
        const T half = near ? T(1) : T(0.5) * gap, half_low = near ? T(0) : T(0.5) * gap_low;
        const TwoWord<T> t = two_tanh(half, half_low);
        const T bell = sech_squared(half, half_low);
        const TwoWord<T> inverse = two_inverse(T(2) * t.high, T(2) * t.low);
        const T part = fma(bell, inverse.high, bell * inverse.low);
        const T part_low = fma(bell, inverse.high, -part) + bell * inverse.low;
        const T whole = T(1) + t.high, whole_low = ((T(1) - whole) + t.high) + t.low;
        const T ratio = two_quotient<T>({part, part_low}, {whole, whole_low}).high;
        const T bent = fma(part, inverse.high, fma(part, inverse.low, part_low * inverse.high));
        const T large = T(1) / gap;
        surprise = -log1mexp(gap, gap_low);
        slope = near ? large : ratio;
        curve = near ? large * large : bent;
    }
};

// Targets of the levels are 1 before the label's place and -1 at it.
template <class T>
struct ProportionalOdds {
    static constexpr const char* name = "proportional_odds";
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 1, fit_sums = 3, coefficients = 5;

    // a NaN anywhere
    Term<T, 1> term(T prediction, T) const { return {prediction, {{flat(prediction), T(0)}}}; }

    Fit<T, 3> fit(T prediction, T target, T) const {
        return {{{target > T(0) ? prediction : T(0), T(0)},
                 {target < T(0) ? prediction : T(0), T(0)},
                 {target, T(0)}}};
    }

    Finish<T, 5> finish(const Row<T, 1, 3>& row, T) const {
        constexpr T infinity = Format<T>::infinity;
        const T end = row.fits[2].high, nan = row.terms[0].high;
        const T upper = end < T(0) ? infinity : row.fits[0].high;
        const T lower = end > T(0) ? -infinity : row.fits[1].high;
        const SigmoidCrossEntropy<T> of_level{T(1)};
        const Point<T> above = of_level(upper, T(1)), below = of_level(lower, T(0));
        const bool both = end == T(0);
        const TwoWord<T> gap = two_difference(upper, lower);
        const Between<T> between(both & (upper > lower) ? gap.high : infinity, gap.low);
        const T most = both & (upper <= lower) ? infinity : nan;
        return {(above.value + below.value) + between.surprise + most,
                {above.grad[0] - between.slope - most, below.grad[0] + between.slope + most,
                 above.hess[0] + between.curve + most, below.hess[0] + between.curve + most, nan}};
    }

    Emit<T> emit(T, T target, const T* row) const {
        const bool upper = target > T(0), lower = target < T(0);
        return {upper ? row[0] : (lower ? row[1] : row[4]),
                upper ? row[2] : (lower ? row[3] : row[4])};
    }
};

}  // namespace
}  // namespace fastloss
