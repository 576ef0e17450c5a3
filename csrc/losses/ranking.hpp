// Losses of the order of a group's elements, by pairs.
#pragma once

#include "softplus.hpp"

namespace fastloss {
namespace {

// The gradient and the Hessian are those of the better prediction.
template <class T>
struct PairwiseLogistic {
    static constexpr const char* name = "pairwise_logistic";
    static constexpr bool ranked = false;
    T sigmoid;

    Point<T> operator()(T better, T worse) const {
        const TwoWord<T> gap = two_difference(worse, better);
        const TwoWord<T> scaled = two_product(sigmoid, gap.high);
        const T low = scaled.low + sigmoid * gap.low;
        const bool wrong = scaled.high > T(0);
        // raised, as products of what would be subnormal lose digits
        const TwoWord<T> e = two_exp_raised(-abs(scaled.high), wrong ? -low : low);
        const Softplus<T> side({lowered(e.high), lowered(e.low)});
        const T steep = sigmoid * side.share(e);
        const T linear = scaled.high + (low + side.softplus);
        return {wrong ? linear : side.softplus,
                {wrong ? -sigmoid * side.inverse.high : -lowered(steep)},
                {lowered(sigmoid * steep * side.inverse.high)}};
    }
};

template <class T>
struct PairwiseHinge {
    static constexpr const char* name = "pairwise_hinge";
    static constexpr bool ranked = false;
    T margin;

    Point<T> operator()(T better, T worse) const {
        const TwoWord<T> gap = two_difference(worse, better);
        const TwoWord<T> sum = two_sum(margin, gap.high);
        const bool finite = abs(gap.high) < T(__builtin_inf());
        const T violation = finite ? sum.high + (sum.low + gap.low) : gap.high;
        return {maximum(violation, T(0)),
                {violation > T(0) ? T(-1) : flat(violation)},
                {flat(violation)}};
    }
};

// The logistic loss of a pair times the change of NDCG if both changed places, which is held fixed.
template <class T>
struct LambdarankNdcg : PairwiseLogistic<T> {
    static constexpr const char* name = "lambdarank_ndcg";
    static constexpr bool ranked = true;
    T norm, linear;

    // 2^target - 1, or the target itself.
    T gain(T target) const {
        const TwoWord<T> x = two_product(target, Format<T>::ln2_high);
        const T low = fma(target, Format<T>::ln2_low, x.low);
        return linear != T(0) ? target : expm1(x.high, low);
    }

    // log2(3 + rank) - log2(2 + rank): the logarithms are summed up, so that differences between
    // neighbours keep their digits.
    T step(T rank) const { return log1p(T(1) / (T(2) + rank)) * T(0x1.71547652b82fep0); }

    // 1 / log2(2 + rank), of the logarithm.
    TwoWord<T> discount(TwoWord<T> logarithm) const {
        return two_inverse(logarithm.high, logarithm.low);
    }

    T weigh(T gain, T discount, T gap, T apart) const {
        const T weight = abs(gain) * abs(discount);
        return norm * apart != T(0) ? weight / (T(0.01) + abs(gap)) : weight;
    }

    // What a group is multiplied by, from the sum of the magnitudes of its pairs' gradients.
    T rescale(T sum) const {
        const T both = T(2) * sum;
        const bool scales = (norm != T(0)) & (both > T(0));
        return scales ? log1p(both) * T(0x1.71547652b82fep0) / both : T(1);
    }
};

}  // namespace
}  // namespace fastloss
