// What a formula is made of, and gives back. No array, no loop: the drivers own those.
#pragma once

#include "special/gamma.hpp"
#include "special/normal.hpp"

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

// 0 or, for a NaN, the NaN: the flat part of a derivative.
template <class T>
inline T flat(T x) {
    return x == x ? T(0) : x;
}

// What the classes of a row are compared with.
enum class Reference {
    none,     // 0
    maximum,  // the largest prediction
    label,    // the prediction of the label's class
    rival,    // the largest prediction of the other classes
    number,   // the row's target, one number
};

// One class of one row, seen before its row is known.
template <class T, int Sums>
struct Term {
    T kept;  // what emit will need again
    TwoWord<T> sums[Sums > 0 ? Sums : 1];
};

// What a row settles of its terms before its fits.
template <class T, int Numbers>
struct Settled {
    T numbers[Numbers];
};

// Sums over the classes that carry target mass.
template <class T, int Sums>
struct Fit {
    TwoWord<T> sums[Sums > 0 ? Sums : 1];
};

// One row after its sums: its reference, how many classes equal it, the sums. It settles without
// fits.
template <class T, int TermSums, int FitSums>
struct Row {
    T reference, ties;
    TwoWord<T> terms[TermSums > 0 ? TermSums : 1];
    TwoWord<T> fits[FitSums > 0 ? FitSums : 1];
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
