// The row schema: a formula of the classes of a row. `term` sees every class, `fit` the classes
// that carry target mass (one, for a class index), `finish` the row's sums, `emit` every class
// again. Two loop orders give the same bits: along a row (along.hpp), and across rows for few
// classes (across.hpp). Each loop is a function of its own, so that output sets share it.
//
// A formula with a `settle` makes numbers of the row's terms, which its `fit` is given: its fits
// come after all terms instead of beside them. It keeps the predictions themselves, which are read
// again where they have been written over.
#pragma once

#include <fastloss.h>

#include "lanes.hpp"
#include "loops.hpp"
#include "map.hpp"

namespace fastloss {
namespace {

constexpr int64_t max_rows = 64;  // in one call of a row block function

constexpr int at_least_1(int n) {
    return n > 0 ? n : 1;
}

// Whether a formula gives its value alone: it says so and has no `emit`.
template <class F, class = void>
constexpr bool is_value_only = false;
template <class F>
constexpr bool is_value_only<F, decltype(void(F::value_only))> = F::value_only;

// How many numbers a formula settles; 0 where it has no `settle`.
template <class F, class = void>
constexpr int settles = 0;
template <class F>
constexpr int settles<F, decltype(void(F::settled))> = F::settled;

// What a fit knows of its row.
template <class T, int numbers>
struct Known {
    T reference;
    T settled[numbers];
};
template <class T>
struct Known<T, 0> {
    T reference;
};

template <class T, class F>
Fit<T, F::fit_sums> fit_class(const F& formula, T prediction, T target,
                              const Known<T, settles<F>>& known) {
    if constexpr (settles<F> > 0) {
        return formula.fit(prediction, target, known.reference, known.settled);
    } else {
        return formula.fit(prediction, target, known.reference);
    }
}

// Numbers of two words, n of a kind.
template <class T, int kinds, int64_t n>
struct Words {
    alignas(64) T high[at_least_1(kinds)][n];
    alignas(64) T low[at_least_1(kinds)][n];

    void set(int kind, int64_t i, TwoWord<T> x) {
        high[kind][i] = x.high;
        low[kind][i] = x.low;
    }
    TwoWord<T> get(int kind, int64_t i) const { return {high[kind][i], low[kind][i]}; }
};

// What the rows of a block have settled.
template <class T, int numbers>
struct SettledRows {
    alignas(64) T settled[numbers][max_rows];
};
template <class T>
struct SettledRows<T, 0> {};

// What a formula knows of each row of a block before it finishes them.
template <class T, class F>
struct RowSums : SettledRows<T, settles<F>> {
    static constexpr int terms = F::term_sums, fits = F::fit_sums;
    alignas(64) T reference[max_rows];
    alignas(64) T ties[max_rows];
    alignas(64) T picked[max_rows];  // the prediction at the label
    Words<T, terms, max_rows> term;
    Words<T, fits, max_rows> fit;

    Row<T, terms, fits> row(int64_t i) const {
        Row<T, terms, fits> row;
        row.reference = reference[i];
        row.ties = ties[i];
        for (int s = 0; s < terms; ++s) row.terms[s] = term.get(s, i);
        for (int s = 0; s < fits; ++s) row.fits[s] = fit.get(s, i);
        return row;
    }

    Known<T, settles<F>> known(int64_t i) const {
        Known<T, settles<F>> known;
        known.reference = reference[i];
        if constexpr (settles<F> > 0) {
            for (int s = 0; s < settles<F>; ++s) known.settled[s] = this->settled[s][i];
        }
        return known;
    }
};

template <class T, class F>
struct Settle {
    FASTLOSS_LOOP_FUNCTION void loop(const F formula, int64_t n, RowSums<T, F>& rows) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            Row<T, F::term_sums, 0> row;
            row.reference = rows.reference[i];
            row.ties = rows.ties[i];
            for (int s = 0; s < F::term_sums; ++s) row.terms[s] = rows.term.get(s, i);
            const Settled<T, settles<F>> settled = formula.settle(row);
            for (int s = 0; s < settles<F>; ++s) rows.settled[s][i] = settled.numbers[s];
        }
    }
};

// The fit of class indices: one class a row, its target mass 1.
template <class T, class F>
struct LabelFit {
    FASTLOSS_LOOP_FUNCTION void loop(const F formula, int64_t n, RowSums<T, F>& rows) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const auto fit = fit_class(formula, rows.picked[i], T(1), rows.known(i));
            for (int s = 0; s < F::fit_sums; ++s) rows.fit.set(s, i, fit.sums[s]);
        }
    }
};

// What emit needs of each finished row.
template <class T, class F>
struct Coefficients {
    alignas(64) T of[at_least_1(F::coefficients)][max_rows];

    void row(int64_t i, T (&to)[at_least_1(F::coefficients)]) const {
        for (int c = 0; c < F::coefficients; ++c) to[c] = of[c][i];
    }
};

template <class T, class F, int outputs>
FASTLOSS_LOOP_FUNCTION void finish_rows(const F formula, int64_t n, const RowSums<T, F>& rows, T k,
                                        T* value, Coefficients<T, F>& coefficients) {
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const auto finish = formula.finish(rows.row(i), k);
        if constexpr (outputs & FASTLOSS_VALUE) value[i] = finish.value;
        if constexpr (outputs & ~FASTLOSS_VALUE) {
            for (int c = 0; c < F::coefficients; ++c)
                coefficients.of[c][i] = finish.coefficients[c];
        }
    }
}

// Emits the class that has the target mass, for class indices; the other classes have none.
template <class T, class F, int outputs>
struct LabelEmits {
    alignas(64) T kept[max_rows] = {};
    alignas(64) T grad[max_rows];
    alignas(64) T hess[max_rows];

    FASTLOSS_LOOP_FUNCTION void loop(const F formula, int64_t n,
                                     const Coefficients<T, F>& coefficients, const T* factor,
                                     LabelEmits& at) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            T row[at_least_1(F::coefficients)];
            coefficients.row(i, row);
            const Emit<T> emit = formula.emit(at.kept[i], T(1), row);
            const bool used = factor[i] != T(0);
            if constexpr (outputs & FASTLOSS_GRAD) at.grad[i] = used ? emit.grad * factor[i] : T(0);
            if constexpr (outputs & FASTLOSS_HESS) at.hess[i] = used ? emit.hess * factor[i] : T(0);
        }
    }
};

}  // namespace
}  // namespace fastloss
