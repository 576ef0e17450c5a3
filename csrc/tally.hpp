// What a state keeps of the values of some units: counts, extremes and exact sums, vector by
// vector.
#pragma once

#include "exact_sum.hpp"
#include "job.hpp"
#include "lanes.hpp"

#include <math.h>

namespace fastloss {
namespace {

typedef int64_t Longs __attribute__((vector_size(vector_bytes)));

// The largest magnitude of each lane, as bits.
struct Largest {
    Longs bits[vectors] = {};

    void add(int v, Doubles x) {
        const Longs size = (Longs)x & INT64_MAX;
        bits[v] = size > bits[v] ? size : bits[v];
    }
    void add(const double* x) {
        for (int i = 0; i < tally_units; i += lanes) {
            for (int v = 0; v < vectors; ++v) add(v, load_doubles(x + i + v * vector_size));
        }
    }
    int64_t of_all() const {
        int64_t lane[lanes], most = 0;
        __builtin_memcpy(lane, bits, sizeof(lane));
        for (int i = 0; i < lanes; ++i) most = lane[i] > most ? lane[i] : most;
        return most;
    }
};

// Adds tally_units numbers, the largest of which has the bits `most`, and leaves others in their
// place. Each round takes off the digits above a step, which is so far below the largest number
// that they add up exactly in any order; digits below are for the next round.
inline void add_exactly(ExactSum& sum, double* x, int64_t most) {
    while (most) {
        const int64_t exponent = most >> 52;
        if (exponent < 60 || exponent > 2000) {  // a step would not be normal; or not finite
            for (int i = 0; i < tally_units; ++i) sum.add(x[i]);
            return;
        }
        const double place = 3 * from_bits<double>(uint64_t(exponent + 9) << 52);
        Largest largest;
        Doubles total[vectors] = {};
        for (int i = 0; i < tally_units; i += lanes) {
            for (int v = 0; v < vectors; ++v) {
                double* at = x + i + v * vector_size;
                const Doubles whole = load_doubles(at);
                const Doubles upper = (whole + place) - place, rest = whole - upper;
                total[v] += upper;
                largest.add(v, rest);
                __builtin_memcpy(at, &rest, sizeof(rest));
            }
        }
        double lane[lanes], upper = 0;
        __builtin_memcpy(lane, total, sizeof(lane));
        for (int i = 0; i < lanes; ++i) upper += lane[i];
        sum.add(upper);
        most = largest.of_all();
    }
}

inline void add_exactly(ExactSum& sum, double* x) {
    Largest largest;
    largest.add(x);
    add_exactly(sum, x, largest.of_all());
}

// Adds products in two words; what of them underflows is rounded.
inline void add_products(ExactSum& sum, const double* a, const double* b) {
    alignas(64) double high[tally_units], low[tally_units];
    for (int i = 0; i < tally_units; ++i) {
        high[i] = a[i] * b[i];
        const double rest = fma(a[i], b[i], -high[i]);
        low[i] = rest - rest == 0 ? rest : 0;
    }
    add_exactly(sum, high);
    add_exactly(sum, low);
}

// Of the units that count, NaN left aside.
struct Extremes {
    Doubles low = Doubles{} + INFINITY, high = Doubles{} - INFINITY;

    void add(Doubles down, Doubles up) {
        low = down < low ? down : low;
        high = up > high ? up : high;
    }
    void store(fastloss_tally& to) const {
        for (int i = 0; i < vector_size; ++i) {
            to.least = low[i] < to.least ? low[i] : to.least;
            to.greatest = high[i] > to.greatest ? high[i] : to.greatest;
        }
    }
};

// A whole block without weights; the bits of the largest unit.
template <class T>
int64_t load_block(const T* value, double* x, fastloss_tally& to) {
    Extremes extremes;
    Largest largest;
    for (int i = 0; i < tally_units; i += lanes) {
        for (int v = 0; v < vectors; ++v) {
            const Doubles some = load_doubles(value + i + v * vector_size);
            __builtin_memcpy(x + i + v * vector_size, &some, sizeof(some));
            extremes.add(some, some);
            largest.add(v, some);
        }
    }
    extremes.store(to);
    to.count[FASTLOSS_USED] += tally_units;
    return largest.of_all();
}

// Units of weight 0, and those beyond the last, become 0 and weigh nothing.
template <class T>
int64_t load_block(const T* value, const double* weight, int64_t n, double* x, double* w,
                   fastloss_tally& to) {
    for (int64_t i = 0; i < tally_units; ++i) {
        w[i] = i >= n ? 0 : weight ? weight[i] : 1;
        x[i] = i < n && w[i] != 0 ? double(value[i]) : 0;
        to.count[FASTLOSS_USED] += w[i] != 0;
    }
    Extremes extremes;
    for (int i = 0; i < tally_units; i += vector_size) {
        const Doubles some = load_doubles(x + i), infinity = Doubles{} + INFINITY;
        const Longs used = load_doubles(w + i) != 0;
        extremes.add(used ? some : infinity, used ? some : -infinity);
    }
    extremes.store(to);
    Largest largest;
    largest.add(x);
    return largest.of_all();
}

// Values that are not finite, the first of which is number `first`.
inline void tally_special(fastloss_tally& to, const double* x, int64_t first) {
    for (int i = 0; i < tally_units; ++i) {
        if (x[i] - x[i] == 0) continue;
        const int kind = x[i] != x[i] ? FASTLOSS_NAN : FASTLOSS_INFINITE;
        to.count[kind] += 1;
        if (to.first[kind] < 0 || first + i < to.first[kind]) to.first[kind] = first + i;
    }
}

// Adds squares of float32, which double holds; the largest has the bits `most`.
inline void add_narrow_squares(ExactSum& sum, const double* x, int64_t most) {
    alignas(64) double square[tally_units];
    for (int i = 0; i < tally_units; ++i) square[i] = x[i] * x[i];
    const double largest = from_bits<double>(uint64_t(most));
    add_exactly(sum, square, int64_t(to_bits(largest * largest)));
}

// Units from `first` on, at most tally_units. Those of weight 0 are absent.
template <class T>
void tally_block(const void* values, const double* weights, int64_t first, int64_t n,
                 fastloss_tally& to, ExactSum* sums) {
    alignas(64) double x[tally_units], w[tally_units];
    const T* value = static_cast<const T*>(values) + first;
    const double* weight = weights ? weights + first : nullptr;
    const int64_t most = !weights && n == tally_units ? load_block(value, x, to)
                                                      : load_block(value, weight, n, x, w, to);
    if (most >> 52 == 2047) tally_special(to, x, first);
    if (weights) {
        for (int i = 0; i < tally_units; ++i) x[i] = w[i] == 0 ? 0 : w[i] * x[i];
        add_products(sums[FASTLOSS_WEIGHT_SQUARED], w, w);
        add_products(sums[FASTLOSS_WEIGHT_TIMES_LOSS], w, x);
        add_exactly(sums[FASTLOSS_WEIGHT], w);
    }
    if (sizeof(T) == sizeof(float) && !weights) {
        add_narrow_squares(sums[FASTLOSS_LOSS_SQUARED], x, most);
    } else {
        add_products(sums[FASTLOSS_LOSS_SQUARED], x, x);
    }
    weights ? add_exactly(sums[FASTLOSS_LOSS], x) : add_exactly(sums[FASTLOSS_LOSS], x, most);
}

}  // namespace
}  // namespace fastloss
