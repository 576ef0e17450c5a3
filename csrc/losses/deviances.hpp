// Half deviances of means, without the terms that the target alone makes. Predictions are
// logarithms of means, or means.
#pragma once

#include "exponentials.hpp"
#include "logistic.hpp"

namespace fastloss {
namespace {

// The mean, target / it, and (it - target) / it, with their limits at 0 / 0 and inf / inf.
template <class T>
struct Relative {
    T mean, ratio, gap;

    FASTLOSS_INLINE Relative(T prediction, T target) {
        mean = prediction + T(0);  // -0 becomes 0
        const bool none = target == T(0), alone = none | (mean == T(__builtin_inf()));
        ratio = none ? flat(mean) : target / mean;
        gap = alone ? T(1) + flat(ratio) : (mean - target) / mean;
    }
};

// The logarithm in two words, of which the first is the rounded sum.
template <class T>
FASTLOSS_INLINE TwoWord<T> rounded_log(T mean) {
    const TwoWord<T> words = two_log_fine(mean);
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
        const auto [mean, ratio, gap] = Relative<T>(prediction, target);
        const TwoWord<T> words = two_log(mean);
        const bool none = target == T(0), alone = none | (mean == T(__builtin_inf()));
        const T value = fma(-target, words.high, fma(-target, words.low, mean));
        // the first of two quotients may be subnormal
        const T raised = target < T(0x1p-60) ? T(0x1p60) : T(1);
        const T hess = target * raised / mean / (mean * raised);
        return {alone ? mean + flat(target) : value, {gap}, {none ? flat(mean) : hess}};
    }
};

// A value with log(target!) added, which wins over any power.
template <class T>
FASTLOSS_INLINE T with_factorial(T value, T mean, TwoWord<T> log_mean, T target) {
    const TwoWord<T> words = two_log_factorial(target), log_count = two_log_fine(target);
    const bool wins = words.high == T(__builtin_inf());
    const T whole = wins ? words.high + flat(log_mean.high) : value + words.high + words.low;
    // where each of two terms may overflow, but not their difference
    const TwoWord<T> gap = two_difference(log_count.high, log_mean.high);
    const T low = gap.low + (log_count.low - log_mean.low);
    const T rest = fma(target, gap.high, fma(target, low, mean - target));
    const bool many = target > constant<T>(0x1p120f, 0x1p1010);
    return many & (rest - rest == T(0)) ? rest : whole;
}

template <class T>
struct PoissonFull : Poisson<T> {
    static constexpr const char* name = "poisson_full";

    Point<T> operator()(T prediction, T target) const {
        Point<T> point = Poisson<T>::operator()(prediction, target);
        point.value =
            with_factorial(point.value, exp(prediction), TwoWord<T>{prediction, T(0)}, target);
        return point;
    }
};

template <class T>
struct PoissonMeanFull : PoissonMean<T> {
    static constexpr const char* name = "poisson_mean_full";

    Point<T> operator()(T prediction, T target) const {
        Point<T> point = PoissonMean<T>::operator()(prediction, target);
        point.value = with_factorial(point.value, prediction, two_log(prediction), target);
        return point;
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
        const auto [mean, ratio, gap] = Relative<T>(prediction, target);
        const TwoWord<T> words = two_log(mean);
        const T value = ratio == T(__builtin_inf()) ? ratio : words.high + (words.low + ratio);
        return {value, {gap / mean}, {fma(T(2), ratio, T(-1)) / mean / mean}};
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
        const auto [mean, ratio, gap] = Relative<T>(prediction, target);
        return {fma(T(0.5), ratio, T(-1)) / mean,
                {gap / mean / mean},
                {fma(T(3), ratio, T(-2)) / mean / mean / mean}};
    }
};

template <class T>
struct InverseGaussianMeanFisher : InverseGaussianMean<T> {
    static constexpr const char* name = "inverse_gaussian_mean_fisher";

    Point<T> operator()(T prediction, T target) const {
        const Point<T> point = InverseGaussianMean<T>::operator()(prediction, target);
        const T mean = Relative<T>(prediction, target).mean;
        return {point.value, {point.grad[0]}, {T(1) / mean / mean / mean}};
    }
};

// factor exp(x) and the root of exp(x), lowered where large; what raises the power again.
template <class T>
struct Exponent {
    static constexpr T least = constant<T>(0x1p-48f, 0x1p-104);
    TwoWord<T> x, root;
    T power, up;

    FASTLOSS_INLINE Exponent(T factor, TwoWord<T> exponent) : x(exponent) {
        const bool large =
            (x.high > constant<T>(80.0f, 160.0)) | ((factor > T(1)) & (x.high > T(0)));
        // by 24 log(2), or 52: a tiny factor may make a number of a power that is none
        const T lower = large ? constant<T>(0x1.0a2b24p+4f, 0x1.205966f2b4f12p+5) : T(0);
        const T lower_low = large ? constant<T>(-0x1.88a91ap-25f, 0x1.6dca0480f5c1ap-49) : T(0);
        const TwoWord<T> half = two_difference(T(0.5) * x.high, lower);
        const T low = half.low + (T(0.5) * x.low - lower_low);
        root = two_exp(half.high, abs(x.high) < T(__builtin_inf()) ? low : T(0));
        power = times_square(factor, root);
        up = large ? T(1) / least : T(1);
    }

    FASTLOSS_INLINE bool is_far() const { return abs(x.high) >= T(2); }

    // times power, it is to be raised by scale instead of up
    FASTLOSS_INLINE T to(T scale) const { return up < scale ? least : T(1); }

    // of factor exp(c t) over t from 0 to z, where x is c z and far from 0; to be raised
    FASTLOSS_INLINE T far(T factor, T c) const { return (power - factor / up) / c; }

    FASTLOSS_INLINE T integral(T factor, T c, T z) const {
        const T near = factor * (expm1(x.high, x.low) / c);
        const bool linear = abs(x.high) < T(0x1p-60);
        const T value = is_far() ? far(factor, c) * up : near;
        return factor == T(0) ? flat(z) : linear ? factor * z : value;
    }
};

// c z for a finite c, where 0 inf = 0
template <class T>
FASTLOSS_INLINE TwoWord<T> multiple(TwoWord<T> c, TwoWord<T> z) {
    const TwoWord<T> x = two_product(c.high, z.high);
    const bool none = !(x.high == x.high), usual = abs(x.high) < T(__builtin_inf());
    const T low = fma(c.high, z.low, fma(c.low, z.high, x.low));
    return {none ? flat(z.high) : x.high, usual ? low : T(0)};
}

// The difference, where two infinities are as first to second.
template <class T>
FASTLOSS_INLINE T larger(T a, T b, T first, T second) {
    const T infinity = T(__builtin_inf());
    const bool both = (abs(a) == infinity) & (a == b);
    return both ? (first > second ? infinity : -infinity) : a - b;
}

// The value; 1 - power and 2 - power; target mean^(1 - power) and mean^(2 - power), of the
// logarithm z of the mean. First and second are as the mean to the target.
template <class T>
struct TweedieParts {
    TwoWord<T> a, b;
    Exponent<T> seen, expected;
    T value;

    // one scale for both, as what overflows may have a difference that does not
    FASTLOSS_INLINE T common() const { return maximum(seen.up, expected.up); }

    FASTLOSS_INLINE TweedieParts(TwoWord<T> z, T target, T power, T first, T second)
        : a(two_difference(T(1), power)),
          b(two_difference(T(2), power)),
          seen(target, multiple(a, z)),
          expected(T(1), multiple(b, z)) {
        // where only a division by a makes an integral infinite, that is what counts
        const T most = seen.power * seen.up;
        const bool divided = most < T(__builtin_inf());
        const T longest = minimum(T(1) / abs(a.high), minimum(abs(z.high), T(0x1p60)));
        const T ratio =
            maximum(target, most) / expected.root.high / expected.up * (b.high * longest);
        const T one = first * (a.high == T(0) ? T(1) : a.high);
        const T other = second * (b.high == T(0) ? T(-1) : b.high);
        const bool far = expected.is_far() & seen.is_far() & (target != T(0));
        const T scale = far ? common() : T(1);
        const T far_plus = expected.far(T(1), b.high) * expected.to(scale);
        const T far_minus = seen.far(target, a.high) * seen.to(scale);
        const T plus = expected.integral(T(1), b.high, z.high);
        const T minus = seen.integral(target, a.high, z.high);
        value = scale * larger(far ? far_plus : plus, far ? far_minus : minus,
                               divided ? expected.root.high : one, divided ? ratio : other);
    }
};

template <class T>
struct Tweedie {
    static constexpr const char* name = "tweedie";
    T power;

    FASTLOSS_INLINE Point<T> point(T prediction, T target, T& fisher) const {
        // halves tell subnormal means from each other
        const T mean = exp(T(0.5) * prediction), rest = target / mean;
        const TweedieParts<T> parts({prediction, T(0)}, target, power, mean, rest);
        const T a = parts.a.high, b = parts.b.high;
        const Exponent<T>&seen = parts.seen, &expected = parts.expected;
        const T up = parts.common();
        const T first = expected.power * expected.to(up), second = seen.power * seen.to(up);
        fisher = expected.power * expected.up;
        return {parts.value,
                {larger(first, second, mean, rest) * up},
                {larger(b * first, a * second, b * mean, a * rest) * up}};
    }

    Point<T> operator()(T prediction, T target) const {
        T fisher;
        return point(prediction, target, fisher);
    }
};

template <class T>
struct TweedieMean {
    static constexpr const char* name = "tweedie_mean";
    T power;

    FASTLOSS_INLINE Point<T> point(T prediction, T target, T& fisher) const {
        const TwoWord<T> z = rounded_log(prediction);
        const TweedieParts<T> parts(z, target, power, prediction, target);
        const T a = parts.a.high;
        // the roots of mean^-power and of mean^(-1 - power)
        const TwoWord<T> weight = root_of_inverse({power, T(0)}, z);
        const TwoWord<T> steep = root_of_inverse(two_sum(power, T(1)), z);
        const bool alone = (target == T(0)) | (prediction == T(__builtin_inf()));
        const T grad = alone ? times_square(T(1) + flat(target), parts.seen.root) * parts.seen.up
                             : times_square(prediction - target, weight);
        const T product = power * times_square(target, steep);
        const T rest = product == product ? product : flat(target);  // 0 * inf = 0
        fisher = times_square(T(1), weight);
        return {parts.value,
                {grad},
                {larger(times_square(a, weight), -rest, a * prediction, -power * target)}};
    }

    FASTLOSS_INLINE static TwoWord<T> root_of_inverse(TwoWord<T> c, TwoWord<T> z) {
        const TwoWord<T> x = multiple(c, z);
        return two_exp(T(-0.5) * x.high, T(-0.5) * x.low);
    }

    Point<T> operator()(T prediction, T target) const {
        T fisher;
        return point(prediction, target, fisher);
    }
};

// The expected Hessian instead of the exact one.
template <class T, class Formula>
struct Expected : Formula {
    Point<T> operator()(T prediction, T target) const {
        T fisher;
        const Point<T> point = Formula::point(prediction, target, fisher);
        return {point.value, {point.grad[0]}, {fisher}};
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
    struct Parameters {
        T dispersion;
    };
    T inverse;
    TwoWord<T> log_d;

    explicit NegativeBinomial(Parameters given)
        : inverse(T(1) / given.dispersion), log_d(rounded_log(given.dispersion)) {}

    Point<T> operator()(T prediction, T target) const {
        // log(d mean), and its logistic functions
        TwoWord<T> logit = two_difference(prediction, -log_d.high);
        logit.low += log_d.low;
        const bool up = logit.high > T(0);
        const TwoWord<T> gap = {up ? logit.high : -logit.high, up ? logit.low : -logit.low};
        const auto [root, e, near, share] = Logistic<T>({T(0.5) * gap.high, T(0.5) * gap.low});
        // exp(-gap) / d, which is the mean where the logit is negative
        const T mean = times_square(inverse, root);
        const TwoWord<T> term = two_log1pexp(-gap.high, -gap.low);
        const T sum = up ? gap.high + (term.high + (term.low + gap.low)) : term.high + term.low;
        const T spread = up | (e.high > T(0x1p-70)) ? sum * inverse : mean;
        // log(1 + d mean) - z
        TwoWord<T> slope = two_difference(term.high, up ? -log_d.high : prediction);
        slope.low += term.low + (up ? log_d.low : T(0));
        const T rest = fma(target, slope.high, fma(target, slope.low, spread));
        // mean / (1 + d mean) and target / (1 + d mean): one times sigmoid(-gap), one sigmoid(gap)
        const T small = up ? target : inverse, large = up ? inverse : target;
        const T part = small * root.high;
        const T less = fma(part, share.high, fma(part, share.low, small * root.low * share.high));
        return {target == T(0) ? spread : rest,
                {up ? large * near.high - less : less - large * near.high},
                {times_square(target + inverse, share)}};
    }
};

}  // namespace
}  // namespace fastloss
