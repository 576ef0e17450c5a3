// The likelihood of which element of a risk set has its event, by exp(score).
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

// A term: the logarithm of a mass, and its inverse.
template <class T>
struct MassTerm {
    TwoWord<T> value, slope;
};

// Tied events each see all of their masses (Breslow).
template <class T>
struct PartialLikelihood {
    static constexpr const char* name = "partial_likelihood";

    // exp(score - unit); also where both are infinite.
    TwoWord<T> mass(T score, T unit) const {
        const TwoWord<T> below = two_difference(score, unit);
        const TwoWord<T> e = two_exp_negative(below.high, below.low);
        const bool top = score == unit;
        return {top ? T(1) : e.high, top ? T(0) : e.low};
    }

    // unit - score.
    TwoWord<T> gap(T score, T unit) const {
        const TwoWord<T> below = two_difference(unit, score);
        const bool top = score == unit;
        return {top ? T(0) : below.high, top ? T(0) : below.low};
    }

    // How much of each tied event's mass is left for event l of so many.
    T left(T, T) const { return T(1); }

    // Of rest + left tied.
    MassTerm<T> term(TwoWord<T> rest, TwoWord<T> tied, T left) const {
        const TwoWord<T> part = two_product(left, tied.high);
        const TwoWord<T> sum = two_sum(rest.high, part.high);
        const T low = sum.low + (rest.low + (part.low + left * tied.low));
        const T total = sum.high + low;
        const T total_low = (sum.high - total) + low;
        return {two_log(total, total_low), two_inverse(total, total_low)};
    }

    // mass slope - own and mass slope - mass^2 curve.
    Emit<T> emit(TwoWord<T> mass, TwoWord<T> slope, TwoWord<T> curve, T own) const {
        const TwoWord<T> product = two_product(mass.high, slope.high);
        const T product_low = product.low + (mass.high * slope.low + mass.low * slope.high);
        const TwoWord<T> part = two_product(mass.high, curve.high);
        const T part_low = part.low + (mass.high * curve.low + mass.low * curve.high);
        const TwoWord<T> square = two_product(mass.high, part.high);
        const T square_low = square.low + (mass.high * part_low + mass.low * part.high);
        const TwoWord<T> grad = two_difference(product.high, own);
        const TwoWord<T> hess = two_difference(product.high, square.high);
        return {grad.high + (grad.low + product_low),
                hess.high + (hess.low + (product_low - square_low))};
    }
};

// Tied events leave one by one, each a mean of them all (Efron).
template <class T>
struct PartialLikelihoodEfron : PartialLikelihood<T> {
    static constexpr const char* name = "partial_likelihood_efron";

    T left(T l, T events) const { return (events - l) / events; }
};

}  // namespace
}  // namespace fastloss
