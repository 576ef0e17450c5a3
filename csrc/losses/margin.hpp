// Losses that ask the label's score to exceed those of the other classes by a margin.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

// margin + (rival - label) in two words.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_violation(T margin, T rival, T label) {
    const TwoWord<T> gap = two_difference(rival, label), sum = two_sum(margin, gap.high);
    const T low = sum.low + gap.low, high = sum.high + low;  // sum.high may be 0
    const bool finite = abs(sum.high) < T(__builtin_inf());
    return {finite ? high : sum.high, finite ? (sum.high - high) + low : T(0)};
}

template <class T>
struct MulticlassHinge {
    static constexpr const char* name = "multiclass_hinge";
    static constexpr Reference reference = Reference::rival;
    static constexpr int term_sums = 1, fit_sums = 2, coefficients = 3;
    T margin;

    // the largest rival hides a NaN
    Term<T, 1> term(T prediction, T) const { return {prediction, {{flat(prediction), T(0)}}}; }

    Fit<T, 2> fit(T prediction, T, T rival) const {
        return {
            {two_violation(margin, rival, prediction), {prediction == rival ? T(1) : T(0), T(0)}}};
    }

    Finish<T, 3> finish(const Row<T, 1, 2>& row, T) const {
        const T violation = row.fits[0].high + row.terms[0].high;
        const T rivals = row.ties - row.fits[1].high;
        const T active = violation > T(0) ? T(1) : flat(violation);
        return {maximum(violation, T(0)), {row.reference, active, active / rivals}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const T rival = row[0], active = row[1], share = row[2];
        const T other = kept == rival ? share : flat(active);
        return {target == T(1) ? -active : other, flat(active)};
    }
};

// Classes that equal the label's, itself among them, are left out and added at the end. Terms are
// made smaller so that their sums stay finite where their mean is.
template <class T>
struct MultiMargin {
    static constexpr const char* name = "multi_margin";
    static constexpr Reference reference = Reference::label;
    static constexpr int term_sums = 2, fit_sums = 0, coefficients = 2;
    static constexpr T smaller = T(0x1p-4);
    T margin;

    // More equal classes than the label's; where those are infinite, there is no limit.
    template <int sums>
    T equals(const Row<T, sums, 0>& row) const {
        const bool undefined = (abs(row.reference) == T(__builtin_inf())) & (row.ties > T(1));
        return undefined ? T(__builtin_nan("")) : row.ties - T(1);
    }

    Term<T, 2> term(T prediction, T label) const {
        const T kept = maximum(two_violation(margin, prediction, label).high, T(0));
        const TwoWord<T> part =
            two_violation(smaller * margin, smaller * prediction, smaller * label);
        const bool none = (kept == T(0)) | (prediction == label);
        return {kept,
                {{none ? T(0) : part.high, none ? T(0) : part.low},
                 {none ? T(0) : T(1) + flat(kept), T(0)}}};
    }

    Fit<T, 0> fit(T, T, T) const { return {}; }

    Finish<T, 2> finish(const Row<T, 2, 0>& row, T classes) const {
        const T more = equals(row);
        const T sum = row.terms[0].high + fma(more, smaller * margin, row.terms[0].low);
        const T slope = T(1) / classes;
        return {sum / (smaller * classes), {slope, (row.terms[1].high + more) / -classes}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const T slope = kept > T(0) ? row[0] : flat(kept);
        const T grad = target == T(1) ? row[1] : slope;
        return {grad, flat(grad)};
    }
};

template <class T>
struct SquaredMultiMargin : MultiMargin<T> {
    static constexpr const char* name = "squared_multi_margin";
    static constexpr int term_sums = 3, coefficients = 3;
    using MultiMargin<T>::margin, MultiMargin<T>::smaller;

    Term<T, 3> term(T prediction, T label) const {
        const Term<T, 2> linear = MultiMargin<T>::term(prediction, label);
        const TwoWord<T> part = linear.sums[0];
        const TwoWord<T> square = two_product(part.high, part.high);
        const T low = square.low + T(2) * part.high * part.low;
        // negative: a part of a violation that overflows
        return {linear.kept == T(__builtin_inf()) ? -part.high : linear.kept,
                {{square.high, low}, part, linear.sums[1]}};
    }

    Finish<T, 3> finish(const Row<T, 3, 0>& row, T classes) const {
        const T more = this->equals(row), part = smaller * margin;
        const T square = row.terms[0].high + fma(more * part, part, row.terms[0].low);
        const T sum = row.terms[1].high + fma(more, part, row.terms[1].low);
        return {square / (smaller * smaller * classes),
                {T(2) / classes, (T(-2) * sum) / (smaller * classes),
                 (T(2) * (row.terms[2].high + more)) / classes}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const bool label = target == T(1);
        const T slope = kept < T(0) ? row[0] / -smaller : row[0];
        const T curve = kept == T(0) ? T(0) : row[0] + flat(kept);
        return {label ? row[1] : slope * kept, label ? row[2] : curve};
    }
};

// Predictions come less the threshold. What a label that is the only maximum lacks of 1 is the sum
// of the others, so that a confident row keeps its digits.
template <class T>
struct Sparsemax {
    static constexpr const char* name = "sparsemax";
    static constexpr Reference reference = Reference::maximum;
    static constexpr int term_sums = 3, fit_sums = 1, coefficients = 2;

    Term<T, 3> term(T prediction, T most) const {
        const T rest = prediction == most ? T(0) : maximum(prediction, T(0));
        // a square may be subnormal
        const TwoWord<T> square = two_product(rest * T(0x1p60), rest * T(0x1p60));
        return {prediction,
                {{rest, T(0)}, square, {prediction > T(0) ? T(1) : flat(prediction), T(0)}}};
    }

    Fit<T, 1> fit(T prediction, T, T) const { return {{{prediction, T(0)}}}; }

    Finish<T, 2> finish(const Row<T, 3, 1>& row, T) const {
        const T label = row.fits[0].high, rest = row.terms[0].high, most = row.reference;
        const T squares = (row.terms[1].high + row.terms[1].low) * T(0x1p-120);
        const bool sure = (label == most) & (row.ties == T(1));
        const T missing = sure ? rest : T(1) - maximum(label, T(0));
        const T unsure = fma(T(0.5), fma(row.ties * most, most, squares), T(0.5) - label);
        return {sure ? T(0.5) * fma(rest, rest, squares) : unsure,
                {missing, T(1) - T(1) / row.terms[2].high}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        return {target == T(1) ? -row[0] : maximum(kept, T(0)), kept > T(0) ? row[1] : flat(kept)};
    }
};

}  // namespace
}  // namespace fastloss
