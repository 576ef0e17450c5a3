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

template <class T>
struct Cauchy {
    static constexpr const char* name = "cauchy";
    T c;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), a = magnitude(r);
        const Rational<T> part(a, c);
        // log(1 + u), with u from a / c; or 2 log(a / c) by a / c in another unit
        const bool huge = a.high > c * T(0x1p62);
        const T unit = huge ? T(0x1p-60) : T(1);
        const TwoWord<T> q = TwoWord<T>{unit * a.high, unit * a.low} * two_inverse(c, T(0));
        const TwoWord<T> u = q * q;
        const TwoWord<T> log = log_of_scaled(huge ? q.high : u.high, huge ? q.low : u.low, huge);
        const T factor = huge ? T(1) : T(0.5);
        const T outer = rounded(c * (c * TwoWord<T>{factor * log.high, factor * log.low}));
        // 1 - u, or u - 1 over u^2
        const T first = part.far ? T(-1) : T(1);
        const TwoWord<T> curve = affine(first, -first, part.square) * part.weight;
        return {u.high < tiny<T> ? half_square(a) : outer, signed_as(r.high, rounded(part.slope)),
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
        const TwoWord<T> weight = part.weight * part.weight;
        const TwoWord<T> curve = affine(first, second, part.square) * weight;
        return {rounded((half(least) * least) * part.inverse),
                signed_as(r.high, rounded(part.slope * part.weight)), rounded(curve * part.inverse),
                rounded(weight)};
    }

    Point<T> operator()(T prediction, T target) const {
        return weighted(prediction, target).exact();
    }
};

template <class T>
struct Welsch {
    static constexpr const char* name = "welsch";
    T c;

    FASTLOSS_INLINE Weighted<T> weighted(T prediction, T target) const {
        const TwoWord<T> r = two_difference(prediction, target), all = magnitude(r);
        const T last = T(64) * c;  // from here on exp(-u) is 0
        const TwoWord<T> a = {minimum(all.high, last), all.high < last ? all.low : T(0)};
        const TwoWord<T> q = a * two_inverse(c, T(0)), u = q * q, h = half(u);
        // exp(-u) as a square, which does not lose the digits of a subnormal number
        const TwoWord<T> root = two_exp_negative(-h.high, -h.low), e = root * root;
        // 1 - exp(-u) is 2 tanh(u/2) / (1 + tanh(u/2)) near 0
        const T square = h.high * h.high;
        const T tail = h.high * square * tanh_reduced(square);
        const T tanh_high = h.high + tail;
        const T tanh_low = ((h.high - tanh_high) + tail) + h.low * (T(1) - tanh_high * tanh_high);
        const TwoWord<T> tanh = {tanh_high, tanh_low};
        const TwoWord<T> near =
            TwoWord<T>{T(2) * tanh.high, T(2) * tanh.low} * inverse(plus_one(tanh));
        const TwoWord<T> far = plus_one(TwoWord<T>{-e.high, -e.low});
        const T outer = rounded(c * (c * half(select(h.high < T(0.8), near, far))));
        const TwoWord<T> curve = affine(T(1), T(-2), u) * root;
        return {u.high < tiny<T> ? half_square(a) : outer,
                signed_as(r.high, rounded((a * root) * root)), rounded(curve * root), rounded(e)};
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
        const TwoWord<T> a = {minimum(all.high, c), all.high < c ? all.low : T(0)};
        const TwoWord<T> gap = two_difference(c, a.high);
        const TwoWord<T> w = normal(gap.high, gap.low - a.low) * two_inverse(c, T(0));
        const TwoWord<T> n = w * affine(T(2), T(-1), w), n_2 = n * n;
        // the value is a^2 (1 + n + n^2) / 6
        const TwoWord<T> part = two_sum(T(1), n.high), high = two_sum(part.high, n_2.high);
        const TwoWord<T> sum = {high.high, high.low + (part.low + (n.low + n_2.low))};
        return {rounded((a * a) * (sum * two_inverse(T(6), T(0)))),
                signed_as(r.high, rounded(a * n_2)), rounded(n * affine(T(-4), T(5), n)),
                rounded(n_2)};
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
