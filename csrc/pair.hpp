// The pair schema: a formula of the better and the worse prediction of a pair, over all pairs of a
// group whose targets differ. The first element of a pair goes through a loop, the others through
// vectors: sums of the first are folded, the others are added to theirs. Where pairs weigh by
// ranks, the elements are sorted by prediction, else by target.
#pragma once

#include "group.hpp"
#include "map.hpp"

namespace fastloss {
namespace {

constexpr int64_t pair_tile = 512;          // pairs of an element that stay in L1
constexpr int64_t pairs_to_stop = 1 << 20;  // between two looks at whether to stop

// The elements of a group, sorted. Ranked ones have a gain and a discount of two words each.
template <class T>
struct PairElements {
    const T *prediction, *target, *weight;
    const T *gain, *gain_low, *discount, *discount_low;
};

// What pairs of one element with others give: value, the gradient and the Hessian of the first, and
// the gradient of the better one.
template <class T>
struct PairTile {
    alignas(64) T value[pair_tile];
    alignas(64) T grad[pair_tile];
    alignas(64) T hess[pair_tile];
    alignas(64) T pull[pair_tile];

    void clear(int64_t from, int64_t to) {
        for (int64_t j = from; j < to; ++j) value[j] = grad[j] = hess[j] = pull[j] = T(0);
    }
};

// Pairs of element i with those from j on.
template <class T, class F, int outputs, bool weighted>
FASTLOSS_LOOP_FUNCTION void pair_loop(const F formula, const PairElements<T> elements, int64_t i,
                                      int64_t j, int64_t n, PairTile<T>& tile) {
    const T prediction = elements.prediction[i];
    const T weight = weighted ? elements.weight[i] : T(1);
    const T* const predictions = elements.prediction + j;
    const T* const weights = weighted ? elements.weight + j : nullptr;
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const Point<T> pair = formula(prediction, predictions[k]);
        const T both = weighted ? weight * weights[k] : T(1);
        if constexpr (outputs & FASTLOSS_VALUE) tile.value[k] = pair.value * both;
        if constexpr (outputs & FASTLOSS_GRAD) tile.grad[k] = pair.grad[0] * both;
        if constexpr (outputs & FASTLOSS_HESS) tile.hess[k] = pair.hess[0] * both;
    }
}

// The same by ranks: either element may be the better one.
template <class T, class F, int outputs>
FASTLOSS_LOOP_FUNCTION void ranked_pair_loop(const F formula, const PairElements<T> elements,
                                             int64_t i, int64_t j, int64_t n, bool apart,
                                             PairTile<T>& tile) {
    const T prediction = elements.prediction[i], target = elements.target[i];
    const TwoWord<T> gain = {elements.gain[i], elements.gain_low[i]};
    const TwoWord<T> discount = {elements.discount[i], elements.discount_low[i]};
    const T* const predictions = elements.prediction + j;
    const T* const targets = elements.target + j;
    const T *const gains = elements.gain + j, *const gains_low = elements.gain_low + j;
    const T* const discounts = elements.discount + j;
    const T* const discounts_low = elements.discount_low + j;
    const T spread = apart ? T(1) : T(0);
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const bool first = target > targets[k], pairs = target != targets[k];
        const T better = first ? prediction : predictions[k];
        const T worse = first ? predictions[k] : prediction;
        const Point<T> pair = formula(better, worse);
        const T of_ranks =
            formula.weigh((gain.high - gains[k]) + (gain.low - gains_low[k]),
                          (discount.high - discounts[k]) + (discount.low - discounts_low[k]),
                          better - worse, spread);
        const T both = pairs ? of_ranks : T(0);
        const T grad = pairs ? pair.grad[0] * both : T(0);
        if constexpr (outputs & FASTLOSS_VALUE) tile.value[k] = pairs ? pair.value * both : T(0);
        if constexpr (outputs & FASTLOSS_GRAD) tile.grad[k] = first ? grad : -grad;
        if constexpr (outputs & FASTLOSS_HESS) tile.hess[k] = pairs ? pair.hess[0] * both : T(0);
        tile.pull[k] = grad;
    }
}

// Adds or subtracts what a tile gives the others of its pairs.
template <class T, int sign>
FASTLOSS_LOOP_FUNCTION void add_to_others(const T* x, int64_t n, double* high, double* low) {
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t k = 0; k < n; ++k) {
        const double addend = sign * double(x[k]);
        if constexpr (sizeof(T) == sizeof(double)) {
            const TwoWord<double> sum = two_sum(high[k], addend);
            high[k] = sum.high;
            low[k] += sum.low;
        } else {
            high[k] += addend;
        }
    }
}

template <class T>
FASTLOSS_LOOP_FUNCTION void add_to_total(Lanes<T>& sum, const T* x, int64_t n) {
    sum.add(x, n);
}

// Adds a number of two words to another.
inline void add_words(double& high, double& low, double x, double x_low) {
    const TwoWord<double> sum = two_sum(high, x);
    high = sum.high;
    low += sum.low + x_low;
}

template <class T>
inline void add_lanes(const Lanes<T>& sum, double& high, double& low) {
    double x, x_low;
    sum.fold(x, x_low);
    add_words(high, low, x, x_low);
}

// A formula of T with its parameters in float64.
template <class T, template <class> class Formula>
inline Formula<double> widened(const Formula<T>& formula) {
    constexpr int count = parameter_count<Formula<T>, T>();
    T narrow[count];
    double wide[count];
    __builtin_memcpy(narrow, &formula, sizeof(narrow));
    for (int p = 0; p < count; ++p) wide[p] = double(narrow[p]);
    return load_formula<Formula<double>, double>(wide);
}

// Steps to the sums of those before, and 1.
inline void add_up(int64_t n, double* high, double* low) {
    TwoWord<double> sum = {1, 0};
    for (int64_t k = 0; k < n; ++k) {
        const double step = high[k];
        high[k] = sum.high;
        low[k] = sum.low;
        const TwoWord<double> next = two_sum(sum.high, step);
        sum = two_sum(next.high, next.low + sum.low);
    }
}

// Numbers of two words of T.
template <class T>
inline void split(const double* x, const double* x_low, double factor, int64_t n, T* high, T* low) {
    for (int64_t k = 0; k < n; ++k) {
        const double product = x[k] * factor, rest = x_low ? x_low[k] * factor : 0;
        high[k] = T(product);
        low[k] = T((product - double(high[k])) + rest);
    }
}

// Gains and discounts, in units of the best order's sum; in float64, whose differences keep the
// digits of T.
template <class T, template <class> class Formula>
struct Ranks {
    FASTLOSS_LOOP_FUNCTION void gain_loop(const Formula<double> formula, const T* target, int64_t n,
                                          double* gain) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t k = 0; k < n; ++k) gain[k] = formula.gain(double(target[k]));
    }

    FASTLOSS_LOOP_FUNCTION void step_loop(const Formula<double> formula, int64_t n, double* step) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t k = 0; k < n; ++k) step[k] = formula.step(double(int32_t(k)));
    }

    FASTLOSS_LOOP_FUNCTION void discount_loop(const Formula<double> formula, int64_t n,
                                              double* high, double* low) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t k = 0; k < n; ++k) {
            const TwoWord<double> discount = formula.discount({high[k], low[k]});
            high[k] = discount.high;
            low[k] = discount.low;
        }
    }

    // Fills the elements' gains and discounts.
    static void fill(const Formula<double>& formula, const GroupTask& task, char* scratch,
                     PairElements<T>& elements) {
        const int64_t n = task.n, size = group_array_size(n);
        const int64_t padded_n = (n + lanes - 1) / lanes * lanes;
        const auto array = [&](int i) { return reinterpret_cast<T*>(scratch + i * size); };
        const auto wide = [&](int i) { return reinterpret_cast<double*>(scratch + i * size); };
        double *const gain = wide(4), *const discount = wide(5), *const discount_low = wide(6);
        step_loop(formula, padded_n, discount);
        add_up(padded_n, discount, discount_low);
        discount_loop(formula, padded_n, discount, discount_low);
        gain_loop(formula, static_cast<const T*>(task.sorted), padded_n, gain);
        double best = 0, best_low = 0;
        for (int64_t k = 0; k < n && k < task.most_ranks; ++k) {
            add_words(best, best_low, gain[k] * discount[k], 0);
        }
        best += best_low;
        gain_loop(formula, elements.target, padded_n, gain);
        split(gain, nullptr, best > 0 ? 1 / best : 0, padded_n, array(0), array(1));
        split(discount, discount_low, 1, padded_n, array(2), array(3));
        elements.gain = array(0);
        elements.gain_low = array(1);
        elements.discount = array(2);
        elements.discount_low = array(3);
    }
};

// All pairs of a group.
template <class T, template <class> class Formula, int outputs>
void pair_group(int64_t, int64_t, const void* const* in, const void* parameters, void* const*) {
    using F = Formula<T>;
    GroupTask& task = *static_cast<GroupTask*>(const_cast<void*>(in[0]));
    const F formula = load_formula<F, T>(parameters);
    const int64_t n = task.n;
    PairElements<T> elements{};
    elements.prediction = static_cast<const T*>(task.prediction);
    elements.target = static_cast<const T*>(task.target);
    elements.weight = static_cast<const T*>(task.weight);
    bool apart = false;
    if constexpr (F::ranked) {
        Ranks<T, Formula>::fill(widened<T, Formula>(formula), task, task.scratch, elements);
        apart = n > 0 && elements.prediction[0] != elements.prediction[n - 1];
    }
    PairTile<T> tile;
    Lanes<T> values, pulls;
    int64_t since_stop = 0, end_of_tie = 0;
    for (int64_t i = 0; i < n && i < task.most_ranks; ++i) {
        int64_t first = i + 1;
        if constexpr (!F::ranked) {
            while (end_of_tie < n && elements.target[end_of_tie] == elements.target[i]) {
                ++end_of_tie;
            }
            first = end_of_tie;
            if (first == n) break;
        }
        Lanes<T> grads, hesses;
        for (int64_t j = first; j < n; j += pair_tile) {
            const int64_t some = n - j < pair_tile ? n - j : pair_tile;
            const int64_t whole = (some + lanes - 1) / lanes * lanes;
            if constexpr (F::ranked) {
                ranked_pair_loop<T, F, outputs>(formula, elements, i, j, whole, apart, tile);
            } else if (elements.weight) {
                pair_loop<T, F, outputs, true>(formula, elements, i, j, whole, tile);
            } else {
                pair_loop<T, F, outputs, false>(formula, elements, i, j, whole, tile);
            }
            tile.clear(some, whole);
            if constexpr (outputs & FASTLOSS_VALUE) add_to_total(values, tile.value, whole);
            if constexpr (F::ranked) add_to_total(pulls, tile.pull, whole);
            if constexpr (outputs & FASTLOSS_GRAD) {
                add_to_total(grads, tile.grad, whole);
                add_to_others<T, -1>(tile.grad, whole, task.grad.high + j, task.grad.low + j);
            }
            if constexpr (outputs & FASTLOSS_HESS) {
                add_to_total(hesses, tile.hess, whole);
                add_to_others<T, 1>(tile.hess, whole, task.hess.high + j, task.hess.low + j);
            }
        }
        if constexpr (outputs & FASTLOSS_GRAD) {
            add_lanes(grads, task.grad.high[i], task.grad.low[i]);
        }
        if constexpr (outputs & FASTLOSS_HESS) {
            add_lanes(hesses, task.hess.high[i], task.hess.low[i]);
        }
        since_stop += n - first;
        if (since_stop > pairs_to_stop) {
            since_stop = 0;
            if (task.stop(task.context)) return;
        }
    }
    values.fold(task.value, task.value_low);
    if constexpr (F::ranked) {
        double pull, pull_low;
        pulls.fold(pull, pull_low);
        const double factor = widened<T, Formula>(formula).rescale(-(pull + pull_low));
        task.value *= factor;
        task.value_low *= factor;
        for (int64_t i = 0; i < n; ++i) {
            if constexpr (outputs & FASTLOSS_GRAD) {
                task.grad.high[i] *= factor;
                task.grad.low[i] *= factor;
            }
            if constexpr (outputs & FASTLOSS_HESS) {
                task.hess.high[i] *= factor;
                task.hess.low[i] *= factor;
            }
        }
    }
}

}  // namespace
}  // namespace fastloss
