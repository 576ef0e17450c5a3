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
        const bool none = (target == T(0)) | (prediction == maximum);
        const T gap = none ? T(0) : maximum - prediction;
        return {{target == T(0) ? T(0) : target * (gap + log(target)), target}};
    }
};

template <class T>
struct KlDivergenceLogProbs {
    static constexpr const char* name = "kl_divergence_log_probs";
    static constexpr bool uses_maximum = false;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 1> fit(T prediction, T target, T) const {
        return {{target == T(0) ? T(0) : target * (log(target) - prediction)}};
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
        const T top = T(1) - this->eps;
        const T p = prediction < this->eps ? this->eps : (prediction > top ? top : prediction);
        return {{target == T(0) ? T(0) : target * (log(target) - log(p))}};
    }
};

}  // namespace
}  // namespace fastloss
