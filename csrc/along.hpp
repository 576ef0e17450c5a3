// Rows one after another: a row stays in cache from its maximum to its gradient.
#pragma once

#include "row.hpp"

namespace fastloss {
namespace {

constexpr int64_t segment = 1024;  // classes whose terms stay in L1 until they are summed

// A maximum is the same in any order, so several vectors may hold it, which hides its latency.
template <class T>
FASTLOSS_LOOP_FUNCTION T row_maximum(const T* z, int64_t k) {
    typedef T Vector __attribute__((vector_size(vector_bytes)));
    constexpr int width = vector_bytes / int(sizeof(T)), several = 4;
    Vector best[several];
    for (int v = 0; v < several; ++v) best[v] = Vector{} - T(__builtin_inf());
    const auto take = [&](int v, int64_t j) {
        Vector x;
        __builtin_memcpy(&x, z + j, sizeof(x));
        best[v] = x > best[v] ? x : best[v];
    };
    int64_t j = 0;
    for (; j + several * width <= k; j += several * width) {
        for (int v = 0; v < several; ++v) take(v, j + v * width);
    }
    for (; j + width <= k; j += width) take(0, j);
    for (int v = 1; v < several; ++v) best[0] = best[v] > best[0] ? best[v] : best[0];
    T most = best[0][0];
    for (int i = 1; i < width; ++i) most = best[0][i] > most ? best[0][i] : most;
    for (; j < k; ++j) most = z[j] > most ? z[j] : most;
    return most;
}

// Lanes of the first words and of the second: one loop, as the first wait for their own sums.
template <class T>
FASTLOSS_LOOP_FUNCTION void add_segment(Lanes<T>& sum, const T* high, const T* low, int64_t n) {
    sum.add(high, low, n);
}

// The loops over a segment; n is a multiple of the lanes.
template <class T, class F>
struct AlongSums {
    static constexpr int terms = F::term_sums, fits = F::fit_sums;
    using TermBuffer = Words<T, terms, segment>;
    using FitBuffer = Words<T, fits, segment>;

    // Returns how many predictions are the reference.
    template <bool keeps>
    FASTLOSS_LOOP_FUNCTION int64_t term_loop(const F formula, const T* z, T reference, int64_t n,
                                             T* kept, TermBuffer& sums) {
        n = whole_lanes(n);
        Bits<T> ties = 0;  // counted in bits of T, which every instruction set can select
        FASTLOSS_INDEPENDENT
        for (int64_t j = 0; j < n; ++j) {
            const T prediction = z[j];
            const Term<T, terms> term = formula.term(prediction, reference);
            ties += to_bits(prediction == reference ? from_bits<T>(1) : T(0));
            for (int s = 0; s < terms; ++s) sums.set(s, j, term.sums[s]);
            if constexpr (keeps) kept[j] = term.kept;
        }
        return int64_t(ties);
    }

    FASTLOSS_LOOP_FUNCTION void fit_loop(const F formula, const T* z, const T* q,
                                         const Known<T, settles<F>> row, int64_t n,
                                         FitBuffer& sums) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t j = 0; j < n; ++j) {
            const Fit<T, fits> fit = fit_class(formula, z[j], q[j], row);
            for (int s = 0; s < fits; ++s) sums.set(s, j, fit.sums[s]);
        }
    }
};

template <class T, class F, int outputs, bool soft>
FASTLOSS_LOOP_FUNCTION void emit_loop(const F formula, const T* kept, const T* q, const T* row,
                                      T factor, int64_t n, T* grad, T* hess) {
    n = whole_lanes(n);
    T coefficients[at_least_1(F::coefficients)];
    for (int c = 0; c < F::coefficients; ++c) coefficients[c] = row[c];
    FASTLOSS_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
        const Emit<T> emit = formula.emit(kept[j], soft ? q[j] : T(0), coefficients);
        if constexpr (outputs & FASTLOSS_GRAD) grad[j] = emit.grad * factor;
        if constexpr (outputs & FASTLOSS_HESS) hess[j] = emit.hess * factor;
    }
}

// The ragged end of a row, padded to whole lanes.
template <class T>
struct End {
    alignas(64) T x[lanes];
    End(const T* from, int64_t n, T fill) {
        for (int64_t j = 0; j < lanes; ++j) x[j] = fill;
        __builtin_memcpy(x, from, n * sizeof(T));
    }
};

// Adds the first n numbers of each kind, and zeros up to whole lanes.
template <class T, int kinds>
void add_sums(Lanes<T>* totals, Words<T, kinds, segment>& buffer, int64_t n) {
    const int64_t padded = (n + lanes - 1) / lanes * lanes;
    for (int s = 0; s < kinds; ++s) {
        for (int64_t j = n; j < padded; ++j) buffer.set(s, j, {T(0), T(0)});
        add_segment(totals[s], buffer.high[s], buffer.low[s], padded);
    }
}

// Asks for what lies one row ahead of a segment, while this one is computed. Long rows do not all
// fit the second-level cache twice.
template <class T>
inline void prefetch_next(const T* z, int64_t j, int64_t n, int64_t k) {
    constexpr int64_t most = (256 << 10) / sizeof(T), line = 64 / sizeof(T);
    if (j >= most) return;
    for (int64_t i = j; i < j + n; i += line) __builtin_prefetch(z + k + i, 0, 2);
}

// Row i of a block: its terms and, for a distribution, its fits; or those of one kind.
enum RowParts { terms_alone = 1, fits_alone = 2, both_parts = 3 };

template <class T, class F, bool keeps, RowParts parts>
FASTLOSS_LOOP_FUNCTION void sum_row(const F formula, const T* z, const T* q, int64_t k, T* kept,
                                    int64_t i, RowSums<T, F>& rows) {
    using Sums = AlongSums<T, F>;
    constexpr int terms = F::term_sums, fits = F::fit_sums;
    Lanes<T> term_sums[at_least_1(terms)], fit_sums[at_least_1(fits)];
    typename Sums::TermBuffer term_buffer;
    typename Sums::FitBuffer fit_buffer;
    const Known<T, settles<F>> known = rows.known(i);
    const T reference = rows.reference[i], lowest = -T(__builtin_inf());
    const int64_t left = k % lanes, whole = k - left;
    int64_t ties = 0;
    for (int64_t j = 0; j < whole; j += segment) {
        const int64_t n = whole - j < segment ? whole - j : segment;
        if constexpr (parts & terms_alone) prefetch_next(z, j, n, k);
        if constexpr (parts & fits_alone) {
            if (q) {
                Sums::fit_loop(formula, z + j, q + j, known, n, fit_buffer);
                add_sums(fit_sums, fit_buffer, n);
            }
        }
        if constexpr (parts & terms_alone) {
            ties += Sums::template term_loop<keeps>(formula, z + j, reference, n, kept + j,
                                                    term_buffer);
            add_sums(term_sums, term_buffer, n);
        }
    }
    if (left) {
        const End<T> z_end(z + whole, left, lowest);
        if constexpr (parts & fits_alone) {
            if (q) {
                const End<T> q_end(q + whole, left, T(0));
                Sums::fit_loop(formula, z_end.x, q_end.x, known, lanes, fit_buffer);
                add_sums(fit_sums, fit_buffer, left);
            }
        }
        if constexpr (parts & terms_alone) {
            alignas(64) T kept_end[lanes];
            ties += Sums::template term_loop<keeps>(formula, z_end.x, reference, lanes, kept_end,
                                                    term_buffer);
            if (reference == lowest) ties -= lanes - left;  // the padding
            add_sums(term_sums, term_buffer, left);
            if constexpr (keeps) __builtin_memcpy(kept + whole, kept_end, left * sizeof(T));
        }
    }
    if constexpr (parts & terms_alone) {
        rows.ties[i] = T(ties);
        for (int s = 0; s < terms; ++s) rows.term.set(s, i, term_sums[s].total());
    }
    if constexpr (parts & fits_alone) {
        for (int s = 0; q && s < fits; ++s) rows.fit.set(s, i, fit_sums[s].total());
    }
}

template <class T, class F, int outputs, bool soft>
void emit_row(const F& formula, const T* kept, const T* q, const T* row, T factor, int64_t k,
              T* grad, T* hess) {
    const int64_t whole = k - k % lanes, left = k % lanes;
    emit_loop<T, F, outputs, soft>(formula, kept, q, row, factor, whole, grad, hess);
    if (!left) return;
    const End<T> kept_end(kept + whole, left, T(0));
    const End<T> q_end(soft ? q + whole : kept + whole, left, T(0));
    alignas(64) T grad_end[lanes], hess_end[lanes];
    emit_loop<T, F, outputs, soft>(formula, kept_end.x, q_end.x, row, factor, lanes, grad_end,
                                   hess_end);
    for (int64_t j = 0; j < left; ++j) {
        if constexpr (outputs & FASTLOSS_GRAD) grad[whole + j] = grad_end[j];
        if constexpr (outputs & FASTLOSS_HESS) hess[whole + j] = hess_end[j];
    }
}

template <class T, template <class> class Formula, int outputs>
void along_block(int64_t n, int64_t k, const void* const* in, const void* parameters,
                 void* const* out) {
    using F = Formula<T>;
    constexpr bool keeps = (outputs & (FASTLOSS_GRAD | FASTLOSS_HESS)) != 0;
    const F formula = load_formula<F, T>(parameters);
    const int64_t* const labels = static_cast<const int64_t*>(in[2]);
    const T* const factor = static_cast<const T*>(in[3]);
    const auto logits = [&](int64_t i) { return static_cast<const T*>(in[0]) + i * k; };
    const auto masses = [&](int64_t i) {
        return labels ? nullptr : static_cast<const T*>(in[1]) + i * k;
    };
    T* const grads = static_cast<T*>(out[1]);
    T* const hesses = static_cast<T*>(out[2]);
    T* const kept = outputs & FASTLOSS_GRAD ? grads : hesses;
    RowSums<T, F> rows{};
    for (int64_t i = 0; i < n; ++i) {
        const T* const z = logits(i);
        if (labels) rows.picked[i] = z[labels[i]];  // before the gradient overwrites it
        if constexpr (F::reference == Reference::maximum) rows.reference[i] = row_maximum(z, k);
        if constexpr (F::reference == Reference::label) rows.reference[i] = rows.picked[i];
        if constexpr (F::reference == Reference::number) {
            rows.reference[i] = static_cast<const T*>(in[4])[i];
        }
        if constexpr (F::reference == Reference::rival) {
            const int64_t label = labels[i];
            const T before = row_maximum(z, label);
            const T behind = row_maximum(z + label + 1, k - label - 1);
            rows.reference[i] = behind > before ? behind : before;
        }
        sum_row<T, F, keeps, settles<F> ? terms_alone : both_parts>(formula, z, masses(i), k,
                                                                    kept + i * k, i, rows);
    }
    const int64_t padded = (n + lanes - 1) / lanes * lanes;
    if constexpr (settles<F> > 0) {
        Settle<T, F>::loop(formula, padded, rows);
        for (int64_t i = 0; !labels && i < n; ++i) {
            sum_row<T, F, keeps, fits_alone>(formula, logits(i), masses(i), k, nullptr, i, rows);
        }
    }
    Coefficients<T, F> coefficients;
    if (labels) LabelFit<T, F>::loop(formula, padded, rows);
    finish_rows<T, F, outputs>(formula, padded, rows, T(k), static_cast<T*>(out[0]), coefficients);
    if constexpr (keeps) {
        LabelEmits<T, F, outputs> at;
        if (labels) {
            for (int64_t i = 0; i < n; ++i) at.kept[i] = kept[i * k + labels[i]];
            LabelEmits<T, F, outputs>::loop(formula, padded, coefficients, factor, at);
        }
        for (int64_t i = 0; i < n; ++i) {
            T* const grad = grads + i * k;
            T* const hess = hesses + i * k;
            if (factor[i] == T(0)) {  // an absent row: nothing of it reaches the outputs
                if constexpr (outputs & FASTLOSS_GRAD) __builtin_memset(grad, 0, k * sizeof(T));
                if constexpr (outputs & FASTLOSS_HESS) __builtin_memset(hess, 0, k * sizeof(T));
                continue;
            }
            T row[at_least_1(F::coefficients)];
            coefficients.row(i, row);
            if (labels) {
                emit_row<T, F, outputs, false>(formula, kept + i * k, nullptr, row, factor[i], k,
                                               grad, hess);
                if constexpr (outputs & FASTLOSS_GRAD) grad[labels[i]] = at.grad[i];
                if constexpr (outputs & FASTLOSS_HESS) hess[labels[i]] = at.hess[i];
            } else {
                emit_row<T, F, outputs, true>(formula, kept + i * k, masses(i), row, factor[i], k,
                                              grad, hess);
            }
        }
    }
}

}  // namespace
}  // namespace fastloss
