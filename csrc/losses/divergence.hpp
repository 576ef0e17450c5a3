// Divergences of a predicted distribution from a target distribution.
#pragma once

#include "categorical.hpp"

namespace fastloss {
namespace {

// Logits: cross-entropy less the target's entropy, summed class by class.
template <class T>
struct KlDivergence : SoftmaxCrossEntropy<T> {
    static constexpr const char* name = "kl_divergence";

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        const T below = T(0.5) * maximum - T(0.5) * prediction;  // the whole gap may overflow
        const T half = prediction == maximum ? T(0) : below;
        const T product = target * (half + T(0.5) * log(target));
        const T value = target == T(0) ? T(0) : product;
        return {{value + value, target}};
    }
};

template <class T>
struct KlDivergenceLogProbs {
    static constexpr const char* name = "kl_divergence_log_probs";
    static constexpr bool uses_maximum = false;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 1> fit(T prediction, T target, T) const {
        const T value = target * (log(target) - prediction);
        return {{target == T(0) ? T(0) : value}};
    }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const { return {row.fits[0], {}}; }

    Emit<T> emit(T kept, T target, const T*) const {
        const bool used = target != T(0);
        return {used ? flat(kept) - target : T(0), used ? flat(kept) : T(0)};
    }
};

// Probabilities, taken as they are.
template <class T>
struct KlDivergenceProbs : CategoricalCrossEntropy<T> {
    static constexpr const char* name = "kl_divergence_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const T bounded = prediction >= this->high ? this->high : prediction;
        const T p = prediction <= this->low ? this->low : bounded;
        const T value = target * (log(target) - log(p));
        return {{target == T(0) ? T(0) : value}};
    }
};

}  // namespace
}  // namespace fastloss
