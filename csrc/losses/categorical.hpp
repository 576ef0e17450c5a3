// Cross-entropies over the classes of a row.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

// Logits. With m = max z, e_j = exp(z_j - m) and r = sum of the e_j but one maximum:
// log-sum-exp = m + log1p(r), so a confident row keeps its full relative precision.
template <class T>
struct SoftmaxCrossEntropy {
    static constexpr const char* name = "softmax_cross_entropy";
    static constexpr bool uses_maximum = true;
    static constexpr int term_sums = 1, fit_sums = 2, coefficients = 3;

    Term<T, 1> term(T prediction, T maximum) const {
        const TwoWord<T> below = two_difference(prediction, maximum);
        const bool top = prediction == maximum;  // also where both are +inf
        const T e = exp_negative(below.high, below.low);
        return {top ? T(1) : e, {top ? T(0) : e}};
    }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        const bool none = (target == T(0)) | (prediction == maximum);
        const T half = T(0.5) * maximum - T(0.5) * prediction;  // the whole gap may overflow
        const T product = target * half;
        const T value = none ? T(0) : product;
        return {{value + value, target}};
    }

    Finish<T, 3> finish(const Row<T, 1, 2>& row, T) const {
        // several infinite maxima have no limit
        const bool undefined = (abs(row.maximum) == T(__builtin_inf())) & (row.ties > T(1));
        const T rest = undefined ? T(__builtin_nan("")) : row.terms[0] + (row.ties - T(1));
        const T mass = row.fits[1];
        return {row.fits[0] + mass * log1p(rest), {T(1) / (T(1) + rest), rest, mass}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const T inverse = row[0], rest = row[1], mass = row[2];
        const T grad = ((mass * kept - target) - target * rest) * inverse;
        const T others = ((T(1) - kept) + rest) * inverse;
        return {grad, mass * (kept * inverse) * others};
    }
};

// Probabilities, taken as they are.
template <class T>
struct CategoricalCrossEntropy {
    static constexpr const char* name = "categorical_cross_entropy";
    static constexpr bool uses_maximum = false;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;
    T low, high;  // predictions at and beyond these are clipped

    Term<T, 0> term(T prediction, T) const { return {prediction + T(0), {}}; }  // -0 becomes 0

    Fit<T, 1> fit(T prediction, T target, T) const {
        const T p = prediction <= low ? low : (prediction >= high ? high : prediction);
        const T value = -target * log(p);
        return {{target == T(0) ? T(0) : value}};
    }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const { return {row.fits[0], {}}; }

    Emit<T> emit(T kept, T target, const T*) const {
        const T slope = target / kept, curve = slope / kept;
        const bool none = (kept <= low) | (kept >= high) | (target == T(0));
        return {none ? T(0) : -slope, none ? T(0) : curve};
    }
};

}  // namespace
}  // namespace fastloss
