// Robust losses: half the squared residual near 0, slower growth far away. Residuals are measured
// by c in two words; of two forms, one near 0 and one far away, that one is used in which no square
// overflows.
#pragma once

#include "two_words.hpp"

namespace fastloss {
namespace {

// A point, and the weight grad / r, which can stand in for the Hessian.
template <class T>
struct Weighted {
    T value, grad, hess, weight;

    FASTLOSS_INLINE Point<T> exact() const { return {value, {grad}, {hess}}; }
    FASTLOSS_INLINE Point<T> majorizer() const { return {value, {grad}, {weight}}; }
};

// Of (r / c)^2: from here down the value is half the squared residual to all digits.
template <class T>
constexpr T tiny = T(0x1p-60);

template <class T>
FASTLOSS_INLINE T half_square(TwoWord<T> a) {
    return rounded(half(a) * a);
}

// What losses of 1 / (1 + u) share, with u = (a / c)^2 and t = min(a, c) / max(a, c).
template <class T>
struct Rational {
    bool far;            // a > c
    TwoWord<T> square;   // t^2
    TwoWord<T> inverse;  // 1 / (1 + t^2)
    TwoWord<T> weight;   // 1 / (1 + u)
    TwoWord<T> slope;    // a / (1 + u)

    FASTLOSS_INLINE Rational(TwoWord<T> a, T c) {
        const Ratio<T> ratio(a, c);
        const TwoWord<T> one = {T(1), T(0)};
        far = ratio.far;
        square = ratio.t * ratio.t;
        inverse = fastloss::inverse(plus_one(square));
        weight = select(far, square, one) * inverse;
        slope = (select(far, {c, T(0)}, a) * select(far, ratio.t, one)) * inverse;
    }
};

// a / c over a unit, which keeps its square finite; u = (a / c)^2, log(1 + u).
template <class T>
struct LogOfSquare {
    TwoWord<T> q, log;
    T unit, u;

    FASTLOSS_INLINE LogOfSquare(TwoWord<T> a, T c) {
        const bool huge = a.high > c * T(0x1p62);
        unit = huge ? T(0x1p60) : T(1);
        const T down = huge ? T(0x1p-60) : T(1), twice = huge ? T(2) : T(1);
        q = TwoWord<T>{down * a.high, down * a.low} * two_inverse(c, T(0));
        const TwoWord<T> square = q * q, x = select(huge, q, square);
        u = square.high;
        log = log_of_scaled(x.high, x.low, huge);
        log = {twice * log.high, twice * log.low};
    }
};

template <class T>
struct Cauchy {
    static constexpr const char* name = "cauchy";
    T c;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = magnitude(r);
        const Rational<T> part(a, c);
        const LogOfSquare<T> square(a, c);
        const T outer = rounded(c * (c * half(square.log)));
        // 1 - u, or u - 1 over u^2
        const T first = part.far ? T(-1) : T(1);
        const TwoWord<T> curve = affine(first, -first, part.square) * part.weight;
        return {square.u < tiny<T> ? half_square(a) : outer, signed_as(r.high, rounded(part.slope)),
                rounded(curve * part.inverse), rounded(part.weight)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

template <class T>
struct GemanMcclure {
    static constexpr const char* name = "geman_mcclure";
    T c;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = magnitude(r);
        const Rational<T> part(a, c);
        const TwoWord<T> least = select(part.far, {c, T(0)}, a);
        // 1 - 3 u, or u - 3 over u^3
        const T first = part.far ? T(-3) : T(1), second = part.far ? T(1) : T(-3);
        const TwoWord<T> curve = affine(first, second, part.square) * part.weight;
        return {rounded((half(least) * least) * part.inverse),
                signed_as(r.high, rounded(part.slope * part.weight)),
                rounded(curve * (part.weight * part.inverse)), rounded(part.weight * part.weight)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

// |r| up to 64 c, where exp(-(r / c)^2) and exp(-(r / c)^2 / 2) are 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> bounded(TwoWord<T> r, T c) {
    const TwoWord<T> a = magnitude(r);
    const T last = T(64) * c;
    return {minimum(a.high, last), a.high < last ? a.low : T(0)};
}

// What losses of exp(-u) share, with u = share (a / c)^2 and a <= 64 c.
template <class T>
struct ExpOfSquare {
    TwoWord<T> q, u, root, rest;  // a / c; u; exp(-u / 2); 1 - exp(-u)

    // The root's square does not lose the digits of a subnormal number.
    FASTLOSS_INLINE ExpOfSquare(TwoWord<T> a, T c, T share) {
        q = a * two_inverse(c, T(0));
        u = TwoWord<T>{share * q.high, share * q.low} * q;
        const TwoWord<T> h = half(u);
        root = two_exp_negative(-h.high, -h.low);
        const TwoWord<T> e = root * root;
        // 1 - exp(-u) is 2 tanh(u/2) / (1 + tanh(u/2)) near 0
        const T square = h.high * h.high;
        const T tail = h.high * square * tanh_reduced(square);
        const T tanh_high = h.high + tail;
        const T tanh_low = ((h.high - tanh_high) + tail) + h.low * (T(1) - tanh_high * tanh_high);
        const TwoWord<T> tanh = {tanh_high, tanh_low};
        const TwoWord<T> near = twice(tanh) * inverse(plus_one(tanh));
        const TwoWord<T> far = plus_one(TwoWord<T>{-e.high, -e.low});
        rest = select(h.high < T(0.8), near, far);
    }
};

template <class T>
struct Welsch {
    static constexpr const char* name = "welsch";
    T c;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = bounded(r, c);
        const ExpOfSquare<T> part(a, c, T(1));
        const TwoWord<T> root = part.root, curve = affine(T(1), T(-2), part.u);
        const T outer = rounded(c * (c * half(part.rest)));
        return {part.u.high < tiny<T> ? half_square(a) : outer,
                signed_as(r.high, rounded((a * root) * root)), rounded((curve * root) * root),
                rounded(root * root)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

// By n = 1 - (r / c)^2.
template <class T>
struct TukeyBiweight {
    static constexpr const char* name = "tukey_biweight";
    T c;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), all = magnitude(r);
        const TwoWord<T> gap = two_difference(c, all.high);
        const TwoWord<T> inside = normal(gap.high, gap.low - all.low), zero = {T(0), T(0)};
        const bool beyond = inside.high < T(0);
        const TwoWord<T> a = select(beyond, {c, T(0)}, all);
        // a small one is raised, so that its low word is not lost
        const TwoWord<T> rest = select(beyond, zero, inside);
        const bool small = rest.high < T(0x1p-60);
        const T up = small ? T(0x1p64) : T(1), down = small ? T(0x1p-64) : T(1);
        const TwoWord<T> w = TwoWord<T>{up * rest.high, up * rest.low} * two_inverse(c, T(0));
        const TwoWord<T> share = {down * w.high, down * w.low};
        const TwoWord<T> raised = w * affine(T(2), T(-1), share);
        const TwoWord<T> n = {down * raised.high, down * raised.low}, n_2 = n * n;
        // the value is a^2 (1 + n + n^2) / 6
        const TwoWord<T> part = two_sum(T(1), n.high), high = two_sum(part.high, n_2.high);
        const TwoWord<T> sum = {high.high, high.low + (part.low + (n.low + n_2.low))};
        return {rounded((a * a) * (sum * two_inverse(T(6), T(0)))),
                signed_as(r.high, rounded(a * n_2)),
                down * rounded(raised * affine(T(-4), T(5), n)), rounded(n_2)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

// Barron's loss: limit / exponent ((1 + u)^exponent - 1), with u = (r / c)^2.
template <class T>
struct GeneralRobust {
    static constexpr const char* name = "general_robust";
    struct Parameters {
        T exponent, limit, c;
    };
    T exponent, limit, c, at_infinity;
    TwoWord<T> scale, factor;

    explicit GeneralRobust(Parameters given)
        : exponent(given.exponent), limit(given.limit), c(given.c) {
        const TwoWord<T> inverse_c = two_inverse(c, T(0));
        scale = (T(2) * limit * inverse_c) * inverse_c;
        const T level = exponent == T(0.5) ? rounded(c * scale) : T(0);
        at_infinity = exponent > T(0.5) ? Format<T>::infinity : level;
        const T quotient = limit / exponent;
        factor = {quotient, fma(-quotient, exponent, limit) / exponent};
    }

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const T infinity = Format<T>::infinity;
        const TwoWord<T> one = {T(1), T(0)}, r = two_difference(prediction, target);
        const TwoWord<T> a = magnitude(r);
        const Rational<T> part(a, c);
        const LogOfSquare<T> square(a, c);
        const TwoWord<T> log =
            normal(square.log.high, square.log.high < infinity ? square.log.low : T(0));
        // the power's derivative over the exponent, (1 + u)^(exponent - 1), as a square
        const TwoWord<T> root_log = half(two_difference(exponent, T(1)) * log);
        const TwoWord<T> root = two_exp_negative(root_log.high, root_log.low);
        const T slope = rounded(((a * root) * scale) * root);
        // the Hessian over it, (1 + (2 exponent - 1) u) / (1 + u)
        const TwoWord<T> share = two_difference(T(2) * exponent, T(1)) *
                                 (select(part.far, one, part.square) * part.inverse);
        const TwoWord<T> sum = two_sum(part.weight.high, share.high);
        const TwoWord<T> curve = {sum.high, sum.low + (part.weight.low + share.low)};
        // the value: limit / exponent times the power - 1; that is power' (1 + u) - 1 far away
        const TwoWord<T> power_log = exponent * log;
        const T near = rounded(expm1(power_log.high, power_log.low) * factor);
        const TwoWord<T> product = square.unit * (((factor * square.q) * root) * root);
        const TwoWord<T> most = square.unit * (product * square.q), derivative = root * root;
        const TwoWord<T> least = plus_one(TwoWord<T>{-derivative.high, -derivative.low}) * factor;
        const T outer = most.high + (most.low - rounded(least));
        const T far = a.high == infinity ? a.high : outer;
        const T powers = power_log.high > T(1) ? far : near;
        const T value = exponent == T(0) ? rounded(limit * log) : powers;
        return {square.u < tiny<T> ? rounded((limit * square.q) * square.q) : value,
                signed_as(r.high, a.high == infinity ? at_infinity : slope),
                rounded(((curve * scale) * root) * root), rounded((scale * root) * root)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

// Its limit where the exponent is -inf.
template <class T>
struct GeneralRobustExponential {
    static constexpr const char* name = "general_robust_exponential";
    T scale;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = bounded(r, scale);
        const ExpOfSquare<T> part(a, scale, T(0.5));
        const TwoWord<T> root = part.root, inverse = two_inverse(scale, T(0));
        const TwoWord<T> unit = inverse * inverse;
        // 1 - 2 u = (1 - q) (1 + q)
        const TwoWord<T> gap = two_difference(scale, a.high);
        const TwoWord<T> curve =
            (normal(gap.high, gap.low - a.low) * inverse) * affine(T(1), T(1), part.q);
        return {part.u.high < tiny<T> ? part.u.high : rounded(part.rest),
                signed_as(r.high, rounded(((a * unit) * root) * root)),
                rounded(((curve * unit) * root) * root), rounded((unit * root) * root)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

// The same losses with the weight in the Hessian's place.

template <class T>
struct CauchyMajorizer : Cauchy<T> {
    static constexpr const char* name = "cauchy_majorizer";

    Point<T> operator()(T prediction, T target) const {
        return this->weighted(prediction, target).majorizer();
    }
};

template <class T>
struct GemanMcclureMajorizer : GemanMcclure<T> {
    static constexpr const char* name = "geman_mcclure_majorizer";

    Point<T> operator()(T prediction, T target) const {
        return this->weighted(prediction, target).majorizer();
    }
};

template <class T>
struct WelschMajorizer : Welsch<T> {
    static constexpr const char* name = "welsch_majorizer";

    Point<T> operator()(T prediction, T target) const {
        return this->weighted(prediction, target).majorizer();
    }
};

template <class T>
struct GeneralRobustMajorizer : GeneralRobust<T> {
    static constexpr const char* name = "general_robust_majorizer";
    using GeneralRobust<T>::GeneralRobust;

    Point<T> operator()(T prediction, T target) const {
        return this->weighted(prediction, target).majorizer();
    }
};

template <class T>
struct GeneralRobustExponentialMajorizer : GeneralRobustExponential<T> {
    static constexpr const char* name = "general_robust_exponential_majorizer";

    Point<T> operator()(T prediction, T target) const {
        return this->weighted(prediction, target).majorizer();
    }
};

template <class T>
struct TukeyBiweightMajorizer : TukeyBiweight<T> {
    static constexpr const char* name = "tukey_biweight_majorizer";

    Point<T> operator()(T prediction, T target) const {
        return this->weighted(prediction, target).majorizer();
    }
};

// 2/3 + 2/5 y^2 + 2/7 y^4 + ... of y^2 <= 1/9: (2 atanh y - 2 y) / y^3.
template <class T>
FASTLOSS_INLINE T atanh_tail(T square) {
    const T two = T(2);
    return polynomial(square, two / 3, two / 5, two / 7, two / 9, two / 11, two / 13, two / 15,
                      two / 17, two / 19, two / 21, two / 23, two / 25, two / 27, two / 29,
                      two / 31, two / 33);
}

template <class T>
struct Fair {
    static constexpr const char* name = "fair";
    T c;

    Point<T> operator()(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = magnitude(r);
        const Ratio<T> ratio(a, c);
        const TwoWord<T> t = ratio.t, share = inverse(plus_one(t));
        const TwoWord<T> root = select(ratio.far, t, {T(1), T(0)}) * share;  // c / (a + c)
        // near 0, s - log(1 + s) = s y - (2 atanh y - 2 y) with y = s / (2 + s)
        const T below = T(2) + t.high;
        const TwoWord<T> part = two_inverse(below, ((T(2) - below) + t.high) + t.low);
        const TwoWord<T> z = a * part;
        const T y = t.high * part.high;
        const T tail = z.high * (y * atanh_tail(y * y));
        const T inner = a.high - tail;
        const T near = rounded(z * TwoWord<T>{inner, ((a.high - inner) - tail) + a.low});
        // far away, log(1 + s) = -log(c / (a + c)), which matters no more where that is small
        const T least = maximum(root.high, T(0x1p-90));
        const TwoWord<T> drop = c * two_log(least, least > root.high ? T(0) : root.low);
        const TwoWord<T> sum = two_sum(a.high, drop.high);
        const T sum_low = (sum.high < Format<T>::infinity ? sum.low : T(0)) + (a.low + drop.low);
        const T far = rounded(c * TwoWord<T>{sum.high, sum_low});
        const T grad = rounded(select(ratio.far, {c, T(0)}, a) * share);
        return {ratio.far ? far : near,
                {signed_as(r.high, grad)},
                {rounded(root * root) + flat(r.high)}};
    }
};

}  // namespace
}  // namespace fastloss
