// Sums over the classes of a row.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

// One sum, of predictions taken as they are.
template <class T>
struct SumOverClasses {
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const {
        return {row.fits[0].high + row.fits[0].low, {}};
    }
};

// That of a pointwise loss, whose parameters an empty base would keep from being filled in.
template <class T, class Each>
struct OverClasses {
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;
    Each each;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 1> fit(T prediction, T target, T) const {
        return {{{each(prediction, target).value, T(0)}}};
    }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const {
        return {row.fits[0].high + row.fits[0].low, {}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const Point<T> point = each(kept, target);
        return {point.grad[0], point.hess[0]};
    }
};

}  // namespace
}  // namespace fastloss
