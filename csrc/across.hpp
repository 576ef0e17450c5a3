// Class-major buffers of up to max_rows rows: every loop runs across rows, so that few classes
// fill whole vectors too.
#pragma once

#include "row.hpp"

namespace fastloss {
namespace {

// The lanes and the tree of Lanes, with a row in every column.
template <class T>
class ColumnSum {
    static constexpr bool compensated = sizeof(T) == sizeof(double);

  public:
    void clear(int64_t k) {
        used_ = 1;
        while (used_ < lanes && used_ < k) used_ *= 2;
        __builtin_memset(high_, 0, used_ * sizeof(high_[0]));
        if (compensated) __builtin_memset(low_, 0, used_ * sizeof(low_[0]));
        __builtin_memset(low_words_, 0, used_ * sizeof(low_words_[0]));
    }

    FASTLOSS_LOOP_FUNCTION void add(ColumnSum& sum, int64_t j, const T* x, int64_t n) {
        double* const high = sum.high_[j % lanes];
        double* const low = sum.low_[j % lanes];
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            if constexpr (compensated) {
                const double total = high[i] + x[i];
                const double x_part = total - high[i];
                low[i] += (high[i] - (total - x_part)) + (x[i] - x_part);
                high[i] = total;
            } else {
                high[i] += double(x[i]);
            }
        }
    }

    FASTLOSS_LOOP_FUNCTION void add_low(ColumnSum& sum, int64_t j, const T* x, int64_t n) {
        T* const low = sum.low_words_[j % lanes];
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) low[i] += x[i];
    }

    FASTLOSS_LOOP_FUNCTION void fold(ColumnSum& sum, int64_t n, T* to, T* to_low) {
        n = whole_lanes(n);
        for (int width = sum.used_ / 2; width > 0; width /= 2) {
            for (int lane = 0; lane < width; ++lane) {
                double* const high = sum.high_[lane];
                double* const low = sum.low_[lane];
                T* const words = sum.low_words_[lane];
                const double* const other = sum.high_[lane + width];
                const double* const other_low = sum.low_[lane + width];
                const T* const other_words = sum.low_words_[lane + width];
                FASTLOSS_INDEPENDENT
                for (int64_t i = 0; i < n; ++i) {
                    const double a = high[i], b = other[i];
                    const double total = a + b;
                    if constexpr (compensated) {
                        const double b_part = total - a;
                        low[i] += other_low[i] + ((a - (total - b_part)) + (b - b_part));
                    }
                    high[i] = total;
                }
                FASTLOSS_INDEPENDENT
                for (int64_t i = 0; i < n; ++i) words[i] += other_words[i];
            }
        }
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const double low = compensated ? sum.low_[0][i] : 0;
            const TwoWord<T> total =
                two_words<T>(sum.high_[0][i], low + double(sum.low_words_[0][i]));
            to[i] = total.high;
            to_low[i] = total.low;
        }
    }

  private:
    int used_;  // lanes; the others would only add zeros
    alignas(64) double high_[lanes][max_rows];
    alignas(64) double low_[lanes][max_rows];
    alignas(64) T low_words_[lanes][max_rows];
};

template <class T>
FASTLOSS_LOOP_FUNCTION void column_maxima(const T* z, int64_t n, int64_t k, T* maximum) {
    n = whole_lanes(n);
    for (int64_t i = 0; i < n; ++i) maximum[i] = -T(__builtin_inf());
    for (int64_t j = 0; j < k; ++j) {
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const T x = z[j * n + i];
            maximum[i] = x > maximum[i] ? x : maximum[i];
        }
    }
}

// The loops over the rows of one class.
template <class T, class F>
struct AcrossSums {
    static constexpr int terms = F::term_sums, fits = F::fit_sums;

    template <bool keeps>
    FASTLOSS_LOOP_FUNCTION void term_loop(const F formula, const T* z, int64_t n, T* kept,
                                          RowSums<T, F>& rows, Words<T, terms, max_rows>& x) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const T prediction = z[i];
            const Term<T, terms> term = formula.term(prediction, rows.maximum[i]);
            rows.ties[i] += prediction == rows.maximum[i] ? T(1) : T(0);
            for (int s = 0; s < terms; ++s) x.set(s, i, term.sums[s]);
            if constexpr (keeps) kept[i] = term.kept;
        }
    }

    FASTLOSS_LOOP_FUNCTION void fit_loop(const F formula, const T* z, const T* q, int64_t n,
                                         const RowSums<T, F>& rows, Words<T, fits, max_rows>& x) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const Fit<T, fits> fit = formula.fit(z[i], q[i], rows.maximum[i]);
            for (int s = 0; s < fits; ++s) x.set(s, i, fit.sums[s]);
        }
    }
};

// Sums over the classes of what `loop(class, x)` writes for each.
template <class T, int kinds, class Loop>
void sum_columns(int64_t n, int64_t k, Words<T, kinds, max_rows>& to, Loop loop) {
    Words<T, kinds, max_rows> x;
    ColumnSum<T> totals[at_least_1(kinds)];
    for (int s = 0; s < kinds; ++s) totals[s].clear(k);
    for (int64_t j = 0; j < k; ++j) {
        loop(j, x);
        for (int s = 0; s < kinds; ++s) {
            ColumnSum<T>::add(totals[s], j, x.high[s], n);
            ColumnSum<T>::add_low(totals[s], j, x.low[s], n);
        }
    }
    for (int s = 0; s < kinds; ++s) ColumnSum<T>::fold(totals[s], n, to.high[s], to.low[s]);
}

// The target of one class where targets are class indices.
template <class T>
FASTLOSS_LOOP_FUNCTION void label_column(const T* labels, T label, int64_t n, T* target) {
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) target[i] = labels[i] == label ? T(1) : T(0);
}

template <class T, class F, int outputs>
FASTLOSS_LOOP_FUNCTION void emit_column(
    const F formula, const T* kept, const T* target,
    const T (&coefficients)[at_least_1(F::coefficients)][max_rows], const T* factor, int64_t n,
    T* grad, T* hess) {
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        T row[at_least_1(F::coefficients)];
        for (int c = 0; c < F::coefficients; ++c) row[c] = coefficients[c][i];
        const Emit<T> emit = formula.emit(kept[i], target[i], row);
        const bool used = factor[i] != T(0);
        if constexpr (outputs & FASTLOSS_GRAD) grad[i] = used ? emit.grad * factor[i] : T(0);
        if constexpr (outputs & FASTLOSS_HESS) hess[i] = used ? emit.hess * factor[i] : T(0);
    }
}

template <class T, class F>
FASTLOSS_LOOP_FUNCTION void finish_coefficients(const F formula, int64_t n,
                                                const RowSums<T, F>& rows, T k,
                                                T (&to)[at_least_1(F::coefficients)][max_rows]) {
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const auto finish = formula.finish(rows.row(i), k);
        for (int c = 0; c < F::coefficients; ++c) to[c][i] = finish.coefficients[c];
    }
}

template <class T, template <class> class Formula, int outputs>
void across_block(int64_t n, int64_t k, const void* const* in, const void* parameters,
                  void* const* out) {
    using F = Formula<T>;
    using Sums = AcrossSums<T, F>;
    constexpr bool keeps = (outputs & (FASTLOSS_GRAD | FASTLOSS_HESS)) != 0;
    const F formula = load_formula<F, T>(parameters);
    const T* const z = static_cast<const T*>(in[0]);
    const T* const q = static_cast<const T*>(in[1]);
    const T* const labels = static_cast<const T*>(in[2]);
    const T* const factor = static_cast<const T*>(in[3]);
    T* const grad = static_cast<T*>(out[1]);
    T* const hess = static_cast<T*>(out[2]);
    T* const kept = outputs & FASTLOSS_GRAD ? grad : hess;
    RowSums<T, F> rows{};
    if constexpr (F::uses_maximum) column_maxima(z, n, k, rows.maximum);
    if (labels) {
        for (int64_t i = 0; i < n; ++i) rows.picked[i] = z[int64_t(labels[i]) * n + i];
        LabelFit<T, F>::loop(formula, n, rows);
    } else {
        sum_columns(n, k, rows.fit, [&](int64_t j, auto& x) {
            Sums::fit_loop(formula, z + j * n, q + j * n, n, rows, x);
        });
    }
    if constexpr (keeps || F::term_sums > 0) {
        sum_columns(n, k, rows.term, [&](int64_t j, auto& x) {
            Sums::template term_loop<keeps>(formula, z + j * n, n, keeps ? kept + j * n : nullptr,
                                            rows, x);
        });
    }
    if constexpr (outputs & FASTLOSS_VALUE) {
        FinishRows<T, F>::loop(formula, n, rows, T(k), static_cast<T*>(out[0]));
    }
    if constexpr (keeps) {
        alignas(64) T coefficients[at_least_1(F::coefficients)][max_rows], label[max_rows];
        finish_coefficients<T, F>(formula, n, rows, T(k), coefficients);
        for (int64_t j = 0; j < k; ++j) {
            T* const g = grad ? grad + j * n : nullptr;
            T* const h = hess ? hess + j * n : nullptr;
            if (labels) label_column(labels, T(j), n, label);
            emit_column<T, F, outputs>(formula, kept + j * n, labels ? label : q + j * n,
                                       coefficients, factor, n, g, h);
        }
    }
}

}  // namespace
}  // namespace fastloss
