// Arithmetic on numbers of two words, for formulas whose digits must last.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

template <class T>
FASTLOSS_INLINE TwoWord<T> select(bool condition, TwoWord<T> yes, TwoWord<T> no) {
    return {condition ? yes.high : no.high, condition ? yes.low : no.low};
}

template <class T>
FASTLOSS_INLINE TwoWord<T> magnitude(TwoWord<T> x) {
    return {abs(x.high), x.high < T(0) ? -x.low : x.low};
}

// x where another number is positive or 0, else -x.
template <class T>
FASTLOSS_INLINE T signed_as(T like, T x) {
    return like < T(0) ? -x : x;
}

// The same number with the largest high word, for |low| <= |high| or high = 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> normal(T high, T low) {
    const T total = high + low;
    return {total, (high - total) + low};
}

template <class T>
FASTLOSS_INLINE T rounded(TwoWord<T> x) {
    return x.high + x.low;
}

template <class T>
FASTLOSS_INLINE TwoWord<T> half(TwoWord<T> x) {
    return {T(0.5) * x.high, T(0.5) * x.low};
}

template <class T>
FASTLOSS_INLINE TwoWord<T> twice(TwoWord<T> x) {
    return {T(2) * x.high, T(2) * x.low};
}

// A product; its low word is 0 where it is infinite.
template <class T>
FASTLOSS_INLINE TwoWord<T> operator*(TwoWord<T> a, TwoWord<T> b) {
    const T high = a.high * b.high;
    const T low = fma(a.high, b.high, -high) + fma(a.high, b.low, a.low * b.high);
    return {high, abs(high) < Format<T>::infinity ? low : T(0)};
}
template <class T>
FASTLOSS_INLINE TwoWord<T> operator*(T a, TwoWord<T> b) {
    return TwoWord<T>{a, T(0)} * b;
}

template <class T>
FASTLOSS_INLINE TwoWord<T> operator-(TwoWord<T> x) {
    return {-x.high, -x.low};
}
template <class T>
FASTLOSS_INLINE TwoWord<T> operator+(T a, TwoWord<T> x) {
    const TwoWord<T> sum = two_sum(a, x.high);
    return {sum.high, sum.low + x.low};
}
template <class T>
FASTLOSS_INLINE TwoWord<T> operator-(T a, TwoWord<T> x) {
    return a + -x;
}

// A sum in two words; its low word is 0 where it is infinite.
template <class T>
FASTLOSS_INLINE TwoWord<T> plus(TwoWord<T> a, TwoWord<T> b) {
    const TwoWord<T> sum = two_sum(a.high, b.high),
                     total = normal(sum.high, sum.low + (a.low + b.low));
    const bool finite = abs(sum.high) < Format<T>::infinity;
    return {finite ? total.high : sum.high, finite ? total.low : T(0)};
}

// p + q x.
template <class T>
FASTLOSS_INLINE TwoWord<T> affine(T p, T q, TwoWord<T> x) {
    const T product = q * x.high;
    const TwoWord<T> sum = two_sum(p, product);
    return {sum.high, sum.low + fma(q, x.low, fma(q, x.high, -product))};
}

// 1 + x for |x| <= 1.
template <class T>
FASTLOSS_INLINE TwoWord<T> plus_one(TwoWord<T> x) {
    const T high = T(1) + x.high;
    return {high, ((T(1) - high) + x.high) + x.low};
}

template <class T>
FASTLOSS_INLINE TwoWord<T> inverse(TwoWord<T> x) {
    return two_inverse(x.high, x.low);
}

// Whether a > c; and the smaller of both over the larger, for a >= 0 and a finite c > 0.
template <class T>
struct Ratio {
    bool far;
    TwoWord<T> t;

    FASTLOSS_INLINE Ratio(TwoWord<T> a, T c) : far(a.high > c) {
        const T most = far ? a.high : c, least = far ? c : a.high;
        t.high = least / most;
        const T rest = fma(-t.high, most, least) + (far ? -t.high * a.low : a.low);
        t.low = most < Format<T>::infinity ? rest / most : T(0);
    }
};

// log(1 + x); or where x is huge, in a unit of 2^60, its logarithm.
template <class T>
FASTLOSS_INLINE TwoWord<T> log_of_scaled(T x, T x_low, bool huge) {
    const T y = huge ? x - T(1) : x;
    const T y_low = x_low + (huge ? (x - y) - T(1) : T(0));
    const TwoWord<T> log = two_log1p(y, y_low / (T(1) + y));
    const TwoWord<T> sum = two_sum(log.high, huge ? T(41.5887451171875) : T(0));
    const T low = log.low + (sum.low + (huge ? T(8.571640921856503e-05) : T(0)));
    return {sum.high, sum.high < Format<T>::infinity ? low : T(0)};
}

// Times a power of two; one that is infinite has no lower word.
template <class T>
FASTLOSS_INLINE TwoWord<T> scaled(TwoWord<T> x, T power) {
    const T high = x.high * power;
    return {high, abs(high) < Format<T>::infinity ? x.low * power : T(0)};
}

// One over a number, infinity included.
template <class T>
FASTLOSS_INLINE TwoWord<T> inverse_of(TwoWord<T> x) {
    const TwoWord<T> y = inverse(x);
    return {y.high, abs(x.high) < Format<T>::infinity ? y.low : T(0)};
}

}  // namespace
}  // namespace fastloss
