// Half deviances of means, without the terms that the target alone makes. Predictions are
// logarithms of means, or means.
#pragma once

#include "exponentials.hpp"
#include "logistic.hpp"

namespace fastloss {
namespace {

// target / mean and (mean - target) / mean, with their limits at 0 / 0 and inf / inf.
template <class T>
struct Relative {
    T ratio, gap;

    FASTLOSS_INLINE Relative(T mean, T target) {
        const bool none = target == T(0), alone = none | (mean == T(__builtin_inf()));
        ratio = none ? flat(mean) : target / mean;
        gap = alone ? T(1) + flat(ratio) : (mean - target) / mean;
    }
};

// The logarithm in two words, of which the first is the rounded sum.
template <class T>
FASTLOSS_INLINE TwoWord<T> rounded_log(T mean) {
    const TwoWord<T> words = two_log(mean);
    return two_difference(words.high, -words.low);
}

template <class T>
struct Poisson {
    static constexpr const char* name = "poisson";

    Point<T> operator()(T prediction, T target) const {
        const T infinity = T(__builtin_inf());
        const T mean = exp(prediction);
        // the exponential wins over the product at +inf; 0 * -inf = 0
        const bool alone = (mean == infinity) | (target == T(0));
        const T value = alone ? mean + flat(target) : fma(-target, prediction, mean);
        return {value, {mean - target}, {mean + flat(target)}};
    }
};

template <class T>
struct PoissonMean {
    static constexpr const char* name = "poisson_mean";

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> words = two_log(prediction);
        const bool none = target == T(0), alone = none | (prediction == T(__builtin_inf()));
        const T value = fma(-target, words.high, fma(-target, words.low, prediction));
        // the first of two quotients may be subnormal
        const T raised = target < T(0x1p-60) ? T(0x1p60) : T(1);
        const T hess = target * raised / prediction / (prediction * raised);
        return {alone ? prediction + flat(target) : value,
                {Relative<T>(prediction, target).gap},
                {none ? flat(prediction) : hess}};
    }
};

template <class T>
struct Gamma {
    static constexpr const char* name = "gamma";

    Point<T> operator()(T prediction, T target) const {
        const T ratio = times_square(target, two_exp(T(-0.5) * prediction));
        // an infinite ratio wins over the logarithm
        const T value = ratio == T(__builtin_inf()) ? ratio : prediction + ratio;
        return {value, {T(1) - ratio}, {ratio}};
    }
};

template <class T>
struct GammaFisher : Gamma<T> {
    static constexpr const char* name = "gamma_fisher";

    Point<T> operator()(T prediction, T target) const {
        const Point<T> point = Gamma<T>::operator()(prediction, target);
        return {point.value, {point.grad[0]}, {T(1) + flat(prediction)}};
    }
};

template <class T>
struct GammaMean {
    static constexpr const char* name = "gamma_mean";

    Point<T> operator()(T prediction, T target) const {
        const Relative<T> relative(prediction, target);
        const T ratio = relative.ratio;
        const TwoWord<T> words = two_log(prediction);
        const T value = ratio == T(__builtin_inf()) ? ratio : words.high + (words.low + ratio);
        const T curve = fma(T(2), ratio, T(-1));
        return {value, {relative.gap / prediction}, {curve / prediction / prediction}};
    }
};

template <class T>
struct GammaMeanFisher : GammaMean<T> {
    static constexpr const char* name = "gamma_mean_fisher";

    Point<T> operator()(T prediction, T target) const {
        const Point<T> point = GammaMean<T>::operator()(prediction, target);
        return {point.value, {point.grad[0]}, {T(1) / prediction / prediction}};
    }
};

template <class T>
struct InverseGaussian {
    static constexpr const char* name = "inverse_gaussian";

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> root = two_exp(T(-0.5) * prediction);
        const T ratio = times_square(target, root);
        return {times_square(fma(T(0.5), ratio, T(-1)), root),
                {times_square(T(1) - ratio, root)},
                {times_square(fma(T(2), ratio, T(-1)), root)}};
    }
};

template <class T>
struct InverseGaussianFisher : InverseGaussian<T> {
    static constexpr const char* name = "inverse_gaussian_fisher";

    Point<T> operator()(T prediction, T target) const {
        const Point<T> point = InverseGaussian<T>::operator()(prediction, target);
        const T hess = times_square(T(1), two_exp(T(-0.5) * prediction));
        return {point.value, {point.grad[0]}, {hess}};
    }
};

template <class T>
struct InverseGaussianMean {
    static constexpr const char* name = "inverse_gaussian_mean";

    Point<T> operator()(T prediction, T target) const {
        const Relative<T> relative(prediction, target);
        const T curve = fma(T(3), relative.ratio, T(-2));
        return {fma(T(0.5), relative.ratio, T(-1)) / prediction,
                {relative.gap / prediction / prediction},
                {curve / prediction / prediction / prediction}};
    }
};

template <class T>
struct InverseGaussianMeanFisher : InverseGaussianMean<T> {
    static constexpr const char* name = "inverse_gaussian_mean_fisher";

    Point<T> operator()(T prediction, T target) const {
        const Point<T> point = InverseGaussianMean<T>::operator()(prediction, target);
        return {point.value, {point.grad[0]}, {T(1) / prediction / prediction / prediction}};
    }
};

// What the Tweedie loss is of the mean and of its logarithm z.
template <class T>
struct TweedieParts {
    TwoWord<T> a, b;         // 1 - power and 2 - power
    TwoWord<T> root;         // of mean^a
    T value, grown, shrunk;  // mean^b and target mean^a

    // c z, where 0 inf = 0
    FASTLOSS_INLINE static TwoWord<T> multiple(TwoWord<T> c, TwoWord<T> z) {
        const TwoWord<T> x = two_product(c.high, z.high);
        const bool none = c.high == T(0), usual = !none & (abs(x.high) < T(__builtin_inf()));
        const T low = fma(c.high, z.low, fma(c.low, z.high, x.low));
        return {none ? flat(z.high) : x.high, usual ? low : T(0)};
    }

    // factor (exp(x) - 1) / c for x = c z and grown = factor exp(x); factor z where c is 0
    FASTLOSS_INLINE static T integral(T factor, T c, T z, TwoWord<T> x, T grown) {
        const T near = factor * (expm1(x.high, x.low) / c);
        const T value = abs(x.high) < T(2) ? near : (grown - factor) / c;
        const bool linear = (abs(x.high) < T(0x1p-60)) | (c == T(0));
        return factor == T(0) ? flat(z) : linear ? factor * z : value;
    }

    // x - y, where two infinities are as first to second
    FASTLOSS_INLINE static T larger(T x, T y, T first, T second) {
        const T infinity = T(__builtin_inf());
        const bool both = (abs(x) == infinity) & (x == y);
        return both ? (first > second ? infinity : -infinity) : x - y;
    }

    FASTLOSS_INLINE static TwoWord<T> root_of(TwoWord<T> x) {
        return two_exp(T(0.5) * x.high, T(0.5) * x.low);
    }

    FASTLOSS_INLINE TweedieParts(T mean, TwoWord<T> z, T target, T power)
        : a(two_difference(T(1), power)), b(two_difference(T(2), power)) {
        const TwoWord<T> x = multiple(a, z), y = multiple(b, z);
        root = root_of(x);
        shrunk = times_square(target, root);
        grown = times_square(T(1), root_of(y));
        const T first = mean * (a.high == T(0) ? T(1) : a.high);
        const T second = target * (b.high == T(0) ? T(-1) : b.high);
        value = larger(integral(T(1), b.high, z.high, y, grown),
                       integral(target, a.high, z.high, x, shrunk), first, second);
    }
};

template <class T>
struct Tweedie {
    static constexpr const char* name = "tweedie";
    T power;

    FASTLOSS_INLINE Point<T> point(T prediction, T target, T& expected) const {
        const T mean = exp(prediction);
        const TweedieParts<T> parts(mean, {prediction, T(0)}, target, power);
        const T a = parts.a.high, b = parts.b.high;
        expected = parts.grown;
        return {parts.value,
                {parts.larger(parts.grown, parts.shrunk, mean, target)},
                {parts.larger(b * parts.grown, a * parts.shrunk, b * mean, a * target)}};
    }

    Point<T> operator()(T prediction, T target) const {
        T expected;
        return point(prediction, target, expected);
    }
};

template <class T>
struct TweedieMean {
    static constexpr const char* name = "tweedie_mean";
    T power;

    FASTLOSS_INLINE Point<T> point(T prediction, T target, T& expected) const {
        const TwoWord<T> z = rounded_log(prediction);
        const TweedieParts<T> parts(prediction, z, target, power);
        const TwoWord<T> x = parts.multiple({power, T(0)}, z);
        const TwoWord<T> weight = parts.root_of({-x.high, -x.low});
        const T ratio = Relative<T>(prediction, target).ratio, infinity = T(__builtin_inf());
        const bool none = target == T(0), alone = none | (prediction == infinity);
        const T grad = alone ? times_square(T(1) + flat(target), parts.root)
                             : times_square(prediction - target, weight);
        // a ratio that overflows is all that counts; one that alone counts may be subnormal
        const bool usual = (ratio < infinity) & (parts.a.high != T(0));
        const bool tiny = (target < T(0x1p-60)) & (prediction < T(1));
        const T raised = tiny ? T(0x1p60) : T(1);
        const T factor = usual ? fma(power, ratio, parts.a.high) : power * (target * raised);
        const T hess = times_square(factor, weight);
        expected = times_square(T(1), weight);
        return {parts.value, {grad}, {usual | none ? hess : hess / (prediction * raised)}};
    }

    Point<T> operator()(T prediction, T target) const {
        T expected;
        return point(prediction, target, expected);
    }
};

// The expected Hessian instead of the exact one.
template <class T, class Formula>
struct Expected : Formula {
    Point<T> operator()(T prediction, T target) const {
        T expected;
        const Point<T> point = Formula::point(prediction, target, expected);
        return {point.value, {point.grad[0]}, {expected}};
    }
};

template <class T>
struct TweedieFisher : Expected<T, Tweedie<T>> {
    static constexpr const char* name = "tweedie_fisher";
};

template <class T>
struct TweedieMeanFisher : Expected<T, TweedieMean<T>> {
    static constexpr const char* name = "tweedie_mean_fisher";
};

template <class T>
struct NegativeBinomial {
    static constexpr const char* name = "negative_binomial";
    T dispersion;

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> log_d = rounded_log(dispersion);
        // log(d mean), and its logistic functions
        TwoWord<T> logit = two_difference(prediction, -log_d.high);
        logit.low += log_d.low;
        const bool up = logit.high > T(0);
        const TwoWord<T> gap = {up ? logit.high : -logit.high, up ? logit.low : -logit.low};
        const auto [root, e, near, share] = Logistic<T>({T(0.5) * gap.high, T(0.5) * gap.low});
        // exp(-gap) / d, which is the mean where the logit is negative
        const T part = root.high / dispersion;
        const T mean = fma(part, root.high, T(2) * part * root.low);
        const TwoWord<T> words = two_log1p(e.high, e.low * near.high);
        const TwoWord<T> term = two_sum(words.high, words.low);
        const T sum = up ? gap.high + (term.high + (term.low + gap.low)) : term.high + term.low;
        const T spread = up | (e.high > T(0x1p-70)) ? sum / dispersion : mean;
        // log(1 + d mean) - z
        TwoWord<T> slope = two_difference(term.high, up ? -log_d.high : prediction);
        slope.low += term.low + (up ? log_d.low : T(0));
        const T rest = fma(target, slope.high, fma(target, slope.low, spread));
        const T expected = up ? near.high / dispersion : part * share.high;
        const T seen = up ? target * root.high * share.high : target * near.high;
        const T hess = (target + T(1) / dispersion) * share.high * share.high;
        return {target == T(0) ? spread : rest, {expected - seen}, {hess}};
    }
};

}  // namespace
}  // namespace fastloss
