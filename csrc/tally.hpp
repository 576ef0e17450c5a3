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

// Adds tally_units numbers, and leaves others in their place. Each round takes off the digits above
// a step, which is so far below the largest number that they add up exactly in any order; digits
// below are for the next round.
inline void add_exactly(ExactSum& sum, double* x) {
    Largest largest;
    largest.add(x);
    while (const int64_t most = largest.of_all()) {
        const int64_t exponent = most >> 52;
        if (exponent < 60 || exponent > 2000) {  // a step would not be normal; or not finite
            for (int i = 0; i < tally_units; ++i) sum.add(x[i]);
            return;
        }
        const double place = 3 * from_bits<double>(uint64_t(exponent + 9) << 52);
        largest = Largest{};
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
    }
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

// The least and the greatest of the units that count, NaN left aside.
inline void tally_extremes(fastloss_tally& to, const double* x, const double* w) {
    const Doubles infinity = Doubles{} + INFINITY;
    Doubles low = infinity, high = -infinity;
    for (int i = 0; i < tally_units; i += vector_size) {
        const Doubles v = load_doubles(x + i);
        const Longs used = load_doubles(w + i) != 0;
        const Doubles down = used ? v : infinity, up = used ? v : -infinity;
        low = down < low ? down : low;
        high = up > high ? up : high;
    }
    for (int i = 0; i < vector_size; ++i) {
        to.least = low[i] < to.least ? low[i] : to.least;
        to.greatest = high[i] > to.greatest ? high[i] : to.greatest;
    }
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

// Units from `first` on, at most tally_units. Those of weight 0 are absent.
template <class T>
void tally_block(const void* values, const double* weights, int64_t first, int64_t n,
                 fastloss_tally& to, ExactSum* sums) {
    alignas(64) double x[tally_units], w[tally_units];
    const T* value = static_cast<const T*>(values) + first;
    for (int64_t i = 0; i < tally_units; ++i) {
        w[i] = i >= n ? 0 : weights ? weights[first + i] : 1;
        x[i] = i < n && w[i] != 0 ? double(value[i]) : 0;
        to.count[FASTLOSS_USED] += w[i] != 0;
    }
    tally_extremes(to, x, w);
    Largest largest;
    largest.add(x);
    if (largest.of_all() >> 52 == 2047) tally_special(to, x, first);
    if (weights) {
        for (int i = 0; i < tally_units; ++i) x[i] = w[i] == 0 ? 0 : w[i] * x[i];
        add_products(sums[FASTLOSS_WEIGHT_SQUARED], w, w);
        add_products(sums[FASTLOSS_WEIGHT_TIMES_LOSS], w, x);
        add_exactly(sums[FASTLOSS_WEIGHT], w);
    }
    add_products(sums[FASTLOSS_LOSS_SQUARED], x, x);
    add_exactly(sums[FASTLOSS_LOSS], x);
}

}  // namespace
}  // namespace fastloss
