// Cross-entropies over the classes of a row.
#pragma once

#include "clip.hpp"
#include "over_classes.hpp"
#include "regression.hpp"

namespace fastloss {
namespace {

// Logits. With m = max z, e_j = exp(z_j - m) and r = sum of the e_j but one maximum:
// log-sum-exp = m + log1p(r), so a confident row keeps its full relative precision.
template <class T>
struct SoftmaxCrossEntropy {
    static constexpr const char* name = "softmax_cross_entropy";
    static constexpr Reference reference = Reference::maximum;
    static constexpr int term_sums = 1, fit_sums = 2, coefficients = 7;

    Term<T, 1> term(T prediction, T maximum) const {
        const TwoWord<T> below = finite_difference(prediction, maximum);  // exp knows infinities
        const bool top = prediction == maximum;  // also where both are +inf
        const TwoWord<T> e = two_exp_raised(below.high, below.low);
        return {top ? T(1) : lowered(e.high), {{top ? T(0) : e.high, top ? T(0) : e.low}}};
    }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        const bool none = (target == T(0)) | (prediction == maximum);
        // the whole gap may overflow
        const TwoWord<T> half = two_difference(T(0.5) * maximum, T(0.5) * prediction);
        const TwoWord<T> product = two_product(T(2) * target, half.high);
        const T low = product.low + T(2) * target * half.low;
        return {{{none ? T(0) : product.high, none ? T(0) : low}, {target, T(0)}}};
    }

    Finish<T, 7> finish(const Row<T, 1, 2>& row, T) const {
        const TwoWord<T> others = two_sum(lowered(row.terms[0].high), row.ties - T(1));
        // several infinite maxima have no limit
        const bool undefined = (abs(row.reference) == T(__builtin_inf())) & (row.ties > T(1));
        const T rest = others.high + (undefined ? T(__builtin_nan("")) : T(0));
        const T rest_low = others.low + lowered(row.terms[0].low);
        const TwoWord<T> one_more = two_sum(T(1), rest);
        const TwoWord<T> sum = {one_more.high, one_more.low + rest_low};
        const TwoWord<T> inverse = two_inverse(sum.high, sum.low);
        const TwoWord<T> gap = row.fits[0], mass = row.fits[1];
        const T share = mass.high * inverse.high;
        const T share_low = fma(mass.high, inverse.high, -share) +
                            fma(mass.high, inverse.low, mass.low * inverse.high);
        const TwoWord<T> softplus = two_log1p(rest, rest_low * inverse.high);
        const TwoWord<T> product = two_product(mass.high, softplus.high);
        const T product_low = mass.high * softplus.low + mass.low * softplus.high;
        const TwoWord<T> value = two_sum(gap.high, product.high);
        const T value_low = value.low + (gap.low + (product.low + product_low));
        return {value_low - value_low == T(0) ? value.high + value_low : value.high,
                {share, share_low, inverse.high, inverse.low, sum.high, sum.low, mass.high}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const TwoWord<T> share = {row[0], row[1]}, inverse = {row[2], row[3]},
                         sum = {row[4], row[5]};
        const T mass = row[6];
        const T part = fma(kept, share.high, kept * share.low);  // mass p
        const T part_low = fma(kept, share.high, -part) + kept * share.low;
        const T rest = sum.high - kept, rest_low = ((sum.high - rest) - kept) + sum.low;
        const T others = rest * inverse.high;  // 1 - p
        const T others_low =
            fma(rest, inverse.high, -others) + fma(rest, inverse.low, rest_low * inverse.high);
        const T missing = fma(rest, share.high, fma(rest, share.low, rest_low * share.high));
        // where a class has all the mass, the difference would cancel
        const TwoWord<T> surplus = two_difference(part, target);
        const T grad = target == mass ? -missing : surplus.high + (surplus.low + part_low);
        const T hess = fma(part, others, fma(part, others_low, part_low * others));
        return {target == T(0) ? part : grad, hess};
    }
};

// Probabilities, taken as they are.
template <class T>
struct CategoricalCrossEntropy {
    static constexpr const char* name = "categorical_cross_entropy";
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;
    Clip<T> clip;

    Term<T, 0> term(T prediction, T) const { return {prediction + T(0), {}}; }  // -0 becomes 0

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> log_p = clip.log(prediction), value = two_product(target, log_p.high);
        const bool none = target == T(0);
        return {{{none ? T(0) : value.high, none ? T(0) : value.low + target * log_p.low}}};
    }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const {
        return {T(0) - (row.fits[0].high + row.fits[0].low), {}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const T slope = target / kept;
        // both quotients are raised, as the first may be subnormal
        const T curve = (target * T(0x1p60)) / kept / (kept * T(0x1p60));
        const bool none = clip.below(kept) | clip.above(kept) | (target == T(0));
        return {none ? T(0) : -slope, none ? T(0) : curve};
    }
};

// Log-probabilities, taken as they are.
template <class T>
struct Nll {
    static constexpr const char* name = "nll";
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> product = two_product(target, prediction);
        const bool none = target == T(0);
        return {{{none ? T(0) : T(0) - product.high, none ? T(0) : -product.low}}};
    }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const {
        return {row.fits[0].high + row.fits[0].low, {}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const bool used = target != T(0);
        return {used ? flat(kept) - target : T(0), used ? flat(kept) : T(0)};
    }
};

template <class T>
struct MulticlassBrier : OverClasses<T, SquaredError<T>> {
    static constexpr const char* name = "multiclass_brier";
};

}  // namespace
}  // namespace fastloss
