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
        // the whole gap may overflow
        const TwoWord<T> below = two_difference(T(0.5) * maximum, T(0.5) * prediction);
        const bool top = prediction == maximum, none = target == T(0);
        const TwoWord<T> log_target = two_log(target);
        const TwoWord<T> half = two_sum(top ? T(0) : below.high, T(0.5) * log_target.high);
        const T half_low = half.low + (T(0.5) * log_target.low + (top ? T(0) : below.low));
        const TwoWord<T> product = two_product(T(2) * target, half.high);
        const T low = product.low + T(2) * target * half_low;
        const bool finite = abs(product.high) < T(__builtin_inf());
        return {{{none ? T(0) : product.high, none | !finite ? T(0) : low}, {target, T(0)}}};
    }
};

template <class T>
struct KlDivergenceLogProbs : Nll<T> {
    static constexpr const char* name = "kl_divergence_log_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> log_target = two_log(target);
        const TwoWord<T> gap = two_difference(log_target.high, prediction);
        const TwoWord<T> value = two_product(target, gap.high);
        const T low = value.low + target * (gap.low + log_target.low);
        const bool none = target == T(0);
        return {{{none ? T(0) : value.high, none ? T(0) : low}}};
    }
};

// Probabilities, taken as they are.
template <class T>
struct KlDivergenceProbs : CategoricalCrossEntropy<T> {
    static constexpr const char* name = "kl_divergence_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> log_target = two_log(target), log_p = this->clip.log(prediction);
        const TwoWord<T> gap = two_difference(log_p.high, log_target.high);
        const TwoWord<T> value = two_product(target, gap.high);
        const T low = value.low + target * (gap.low + (log_p.low - log_target.low));
        const bool none = target == T(0);
        return {{{none ? T(0) : value.high, none ? T(0) : low}}};
    }
};

// Half the absolute error is a quantile loss at the median.
template <class T>
struct TotalVariation : OverClasses<T, Quantile<T>> {
    static constexpr const char* name = "total_variation";
};

}  // namespace
}  // namespace fastloss
