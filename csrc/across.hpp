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
    void begin(int64_t k) {
        classes_ = int(k < lanes ? k : lanes);
        used_ = 1;
        while (used_ < classes_) used_ *= 2;
    }

    // Adds class j of n rows; the first of each lane begins it.
    FASTLOSS_INLINE void add(int64_t j, const T* x, const T* x_low, int64_t n) {
        double* const high = high_[j % lanes];
        double* const low = low_[j % lanes];
        T* const low_words = low_words_[j % lanes];
        if (j < lanes) {
            FASTLOSS_INDEPENDENT
            for (int64_t i = 0; i < n; ++i) {
                high[i] = 0 + double(x[i]);  // never -0
                if constexpr (compensated) low[i] = 0;
            }
            FASTLOSS_INDEPENDENT
            for (int64_t i = 0; i < n; ++i) low_words[i] = 0 + x_low[i];
            return;
        }
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
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) low_words[i] += x_low[i];
    }

    FASTLOSS_LOOP_FUNCTION void fold(ColumnSum& sum, int64_t n, T* to, T* to_low) {
        n = whole_lanes(n);
        for (int width = sum.used_ / 2; width > 0; width /= 2) {
            for (int lane = 0; lane < width && lane + width < sum.classes_; ++lane) {
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
    int classes_, used_;  // lanes in use, and the power of two above
    alignas(64) double high_[lanes][max_rows];
    alignas(64) double low_[lanes][max_rows];
    alignas(64) T low_words_[lanes][max_rows];
};

// The largest prediction of every row; of rivals, which leaves the label's class out. Distances to
// the label's column are numbers of the dtype, as SSE2 cannot compare others, and count down.
template <class T, bool rivals>
FASTLOSS_LOOP_FUNCTION void column_maxima(const T* z, T* distance, int64_t n, int64_t k,
                                          T* maximum) {
    n = whole_lanes(n);
    for (int64_t i = 0; i < n; ++i) maximum[i] = -T(__builtin_inf());
    for (int64_t j = 0; j < k; ++j) {
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const T z_ij = z[j * n + i];
            const T x = rivals && distance[i] == T(0) ? -T(__builtin_inf()) : z_ij;
            if constexpr (rivals) distance[i] -= T(1);
            maximum[i] = x > maximum[i] ? x : maximum[i];
        }
    }
}

// The loops over the rows of one class after another; constants stay in registers throughout.
template <class T, class F>
struct AcrossSums {
    static constexpr int terms = F::term_sums, fits = F::fit_sums;

    template <bool keeps>
    FASTLOSS_LOOP_FUNCTION void term_loop(const F formula, const T* z, int64_t n, int64_t k,
                                          T* kept, RowSums<T, F>& rows, ColumnSum<T>* totals) {
        Words<T, terms, max_rows> x;
        n = whole_lanes(n);
        for (int64_t j = 0; j < k; ++j) {
            const T* const column = z + j * n;
            FASTLOSS_INDEPENDENT
            for (int64_t i = 0; i < n; ++i) {
                const T prediction = column[i];
                const Term<T, terms> term = formula.term(prediction, rows.reference[i]);
                rows.ties[i] += prediction == rows.reference[i] ? T(1) : T(0);
                for (int s = 0; s < terms; ++s) x.set(s, i, term.sums[s]);
                if constexpr (keeps) kept[j * n + i] = term.kept;
            }
            for (int s = 0; s < terms; ++s) totals[s].add(j, x.high[s], x.low[s], n);
        }
    }

    FASTLOSS_LOOP_FUNCTION void fit_loop(const F formula, const T* z, const T* q, int64_t n,
                                         int64_t k, const RowSums<T, F>& rows,
                                         ColumnSum<T>* totals) {
        Words<T, fits, max_rows> x;
        n = whole_lanes(n);
        for (int64_t j = 0; j < k; ++j) {
            FASTLOSS_INDEPENDENT
            for (int64_t i = 0; i < n; ++i) {
                const Fit<T, fits> fit =
                    fit_class(formula, z[j * n + i], q[j * n + i], rows.known(i));
                for (int s = 0; s < fits; ++s) x.set(s, i, fit.sums[s]);
            }
            for (int s = 0; s < fits; ++s) totals[s].add(j, x.high[s], x.low[s], n);
        }
    }
};

// Sums over the classes of what `loop(totals)` adds.
template <class T, int kinds, class Loop>
void sum_columns(int64_t n, int64_t k, Words<T, kinds, max_rows>& to, Loop loop) {
    ColumnSum<T> totals[at_least_1(kinds)];
    for (int s = 0; s < kinds; ++s) totals[s].begin(k);
    loop(totals);
    for (int s = 0; s < kinds; ++s) ColumnSum<T>::fold(totals[s], n, to.high[s], to.low[s]);
}

template <class T, class F, int outputs, bool soft>
FASTLOSS_LOOP_FUNCTION void emit_columns(const F formula, const T* kept, const T* target,
                                         const Coefficients<T, F>& coefficients, const T* factor,
                                         int64_t n, int64_t k, T* grad, T* hess) {
    n = whole_lanes(n);
    for (int64_t j = 0; j < k; ++j) {
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const int64_t at = j * n + i;
            T row[at_least_1(F::coefficients)];
            coefficients.row(i, row);
            const Emit<T> emit = formula.emit(kept[at], soft ? target[at] : T(0), row);
            const bool used = factor[i] != T(0);
            if constexpr (outputs & FASTLOSS_GRAD) grad[at] = used ? emit.grad * factor[i] : T(0);
            if constexpr (outputs & FASTLOSS_HESS) hess[at] = used ? emit.hess * factor[i] : T(0);
        }
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
    const int64_t* const labels = static_cast<const int64_t*>(in[2]);
    const T* const factor = static_cast<const T*>(in[3]);
    T* const grad = static_cast<T*>(out[1]);
    T* const hess = static_cast<T*>(out[2]);
    T* const kept = outputs & FASTLOSS_GRAD ? grad : hess;
    RowSums<T, F> rows;
    __builtin_memset(rows.ties, 0, n * sizeof(T));
    for (int64_t i = 0; labels && i < n; ++i) rows.picked[i] = z[labels[i] * n + i];
    if constexpr (F::reference == Reference::maximum) {
        column_maxima<T, false>(z, nullptr, n, k, rows.reference);
    } else if constexpr (F::reference == Reference::rival) {
        alignas(64) T distance[max_rows];
        for (int64_t i = 0; i < n; ++i) distance[i] = T(labels[i]);
        column_maxima<T, true>(z, distance, n, k, rows.reference);
    } else if constexpr (F::reference == Reference::label) {
        __builtin_memcpy(rows.reference, rows.picked, n * sizeof(T));
    } else if constexpr (F::reference == Reference::number) {
        __builtin_memcpy(rows.reference, in[4], n * sizeof(T));
    } else {
        __builtin_memset(rows.reference, 0, n * sizeof(T));
    }
    const auto sum_fits = [&] {
        if (labels) {
            LabelFit<T, F>::loop(formula, n, rows);
        } else {
            sum_columns(n, k, rows.fit, [&](ColumnSum<T>* totals) {
                Sums::fit_loop(formula, z, q, n, k, rows, totals);
            });
        }
    };
    if constexpr (settles<F> == 0) sum_fits();
    if constexpr (keeps || F::term_sums > 0) {
        sum_columns(n, k, rows.term, [&](ColumnSum<T>* totals) {
            Sums::template term_loop<keeps>(formula, z, n, k, kept, rows, totals);
        });
    }
    if constexpr (settles<F> > 0) {
        Settle<T, F>::loop(formula, n, rows);
        sum_fits();
    }
    Coefficients<T, F> coefficients;
    finish_rows<T, F, outputs>(formula, n, rows, T(k), static_cast<T*>(out[0]), coefficients);
    if constexpr (keeps) {
        if (!labels) {
            emit_columns<T, F, outputs, true>(formula, kept, q, coefficients, factor, n, k, grad,
                                              hess);
            return;
        }
        LabelEmits<T, F, outputs> at;
        for (int64_t i = 0; i < n; ++i) at.kept[i] = kept[labels[i] * n + i];
        LabelEmits<T, F, outputs>::loop(formula, n, coefficients, factor, at);
        emit_columns<T, F, outputs, false>(formula, kept, q, coefficients, factor, n, k, grad,
                                           hess);
        for (int64_t i = 0; i < n; ++i) {
            if constexpr (outputs & FASTLOSS_GRAD) grad[labels[i] * n + i] = at.grad[i];
            if constexpr (outputs & FASTLOSS_HESS) hess[labels[i] * n + i] = at.hess[i];
        }
    }
}

}  // namespace
}  // namespace fastloss
