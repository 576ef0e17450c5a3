// What a formula is made of, and gives back. No array, no loop: the drivers own those.
#pragma once

#include "real.hpp"

namespace fastloss {
namespace {

// One unit of a pointwise loss with P differentiated inputs.
template <class T, int P = 1>
struct Point {
    static constexpr int predictions = P;
    T value;
    T grad[P];
    T hess[P];
};

// A rounded difference and what the rounding lost: high + low is exact while high is finite.
template <class T>
struct TwoWord {
    T high, low;
};

template <class T>
inline TwoWord<T> two_difference(T a, T b) {
    const T high = a - b;
    const T b_part = a - high;
    const T a_part = high + b_part;
    const T low = (a - a_part) + (b_part - b);
    return {high, abs(high) < T(__builtin_inf()) ? low : T(0)};
}

// 0 or, for a NaN, the NaN: the flat part of a derivative.
template <class T>
inline T flat(T x) {
    return x == x ? T(0) : x;
}

// One class of one row, seen before its row is known.
template <class T, int Sums>
struct Term {
    T kept;  // what emit will need again
    T sums[Sums > 0 ? Sums : 1];
};

// Sums over the classes that carry target mass.
template <class T, int Sums>
struct Fit {
    T sums[Sums];
};

// One row after its sums: the maximum of its predictions, how many classes share it, the sums.
template <class T, int TermSums, int FitSums>
struct Row {
    T maximum, ties;
    T terms[TermSums > 0 ? TermSums : 1];
    T fits[FitSums];
};

template <class T, int Coefficients>
struct Finish {
    T value;
    T coefficients[Coefficients > 0 ? Coefficients : 1];
};

// One class of one finished row.
template <class T>
struct Emit {
    T grad, hess;
};

}  // namespace
}  // namespace fastloss
