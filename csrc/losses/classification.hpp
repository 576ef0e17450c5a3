// Errors of classification, which are constant almost everywhere: values alone.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

template <class T>
struct ZeroOne {
    static constexpr const char* name = "zero_one";
    T slope, shift;  // a target's label is slope * target + shift

    T operator()(T prediction, T target) const {
        const T label = slope * target + shift;
        return T(0.5) - T(0.5) * label * sign(prediction);
    }
};

// The classes that tie with the label share the places that those above it leave.
template <class T>
struct TopK {
    static constexpr const char* name = "top_k";
    static constexpr Reference reference = Reference::label;
    static constexpr int term_sums = 1, fit_sums = 0, coefficients = 0;
    static constexpr bool value_only = true;
    T k;

    Term<T, 1> term(T prediction, T label) const {
        const T above = prediction > label ? T(1) : flat(prediction);
        return {prediction, {{above, T(0)}}};
    }

    Fit<T, 0> fit(T, T, T) const { return {}; }

    Finish<T, 0> finish(const Row<T, 1, 0>& row, T) const {
        const T left_out = minimum(maximum(row.terms[0].high + row.ties - k, T(0)), row.ties);
        return {left_out / row.ties, {}};
    }
};

}  // namespace
}  // namespace fastloss
