// Sums of one fixed shape: sample i goes to float64 lane i mod 16, a fixed tree folds the lanes.
// The shape depends on nothing but the length, so neither threads nor instruction sets nor
// layouts change a bit.
#pragma once

#include <fastloss.h>

#include "float.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace fastloss {
namespace {

constexpr int lanes = FASTLOSS_LANES;

// The multiple of the lanes at or below n, so written that compilers leave the remainder loop out.
inline int64_t whole_lanes(int64_t n) {
    return int64_t(uint64_t(n) & ~uint64_t(lanes - 1));
}

// Vectors of the width that the instruction set has: wider ones would live in memory.
#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif
constexpr int vector_size = vector_bytes / int(sizeof(double));
constexpr int vectors = lanes / vector_size;

typedef double Doubles __attribute__((vector_size(vector_bytes)));

template <class T>
inline Doubles load_doubles(const T* x) {
#if defined(__SSE2__) && !defined(__AVX__)
    // compilers convert half a vector one number at a time
    if constexpr (sizeof(T) == sizeof(float)) {
        return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x))));
    }
#endif
    typedef T Values __attribute__((vector_size(vector_size * sizeof(T))));
    Values v;
    __builtin_memcpy(&v, x, sizeof(v));
    return __builtin_convertvector(v, Doubles);
}

// high + low in two words of T; a sum that T holds as infinite or NaN has no low word.
template <class T>
inline TwoWord<T> two_words(double high, double low) {
    const double sum = high + low;
    const T rounded = T(high - high == 0 ? sum : high);
    const double rest = sizeof(T) == sizeof(double) ? (high - sum) + low : sum - double(rounded);
    return {rounded, rounded - rounded == T(0) ? T(rest) : T(0)};
}

// Sums to the accuracy of T: for double the rounding errors are carried along; beside float32 those
// of float64 sums are nothing.
template <class T>
class Lanes {
    static constexpr bool compensated = sizeof(T) == sizeof(double);

  public:
    // Adds n values, a multiple of the lanes.
    template <class X>
    void add(const X* values, int64_t n) {
        add_words<false>(values, static_cast<const T*>(nullptr), n);
    }

    // Adds n numbers of two words. The low ones are little beside the others, so plain sums of T
    // do.
    void add(const T* high, const T* low, int64_t n) { add_words<true>(high, low, n); }

    // The sum as two words: high + low. Lane i meets lane i + 8, then i + 4, 2, 1.
    void fold(double& high, double& low) const {
        Doubles h[vectors], l[vectors];
        for (int v = 0; v < vectors; ++v) h[v] = load_doubles(high_ + v * vector_size);
        for (int v = 0; v < vectors; ++v) l[v] = load_doubles(low_ + v * vector_size);
        for (int width = vectors / 2; width > 0; width /= 2) {
            for (int v = 0; v < width; ++v) two_sum(h[v], l[v], h[v + width], l[v + width]);
        }
        double lane_high[vector_size], lane_low[vector_size];
        __builtin_memcpy(lane_high, h, sizeof(lane_high));
        __builtin_memcpy(lane_low, l, sizeof(lane_low));
        for (int width = vector_size / 2; width > 0; width /= 2) {
            for (int i = 0; i < width; ++i) {
                two_sum(lane_high[i], lane_low[i], lane_high[i + width], lane_low[i + width]);
            }
        }
        high = lane_high[0];
        // an infinite or NaN total has no rounding error worth keeping
        low = high - high == 0 ? lane_low[0] + double(low_words()) : 0;
    }

    // The sum as two words of T; for float32 the plain tree is more than exact enough.
    TwoWord<T> total() const {
        if constexpr (compensated) {
            double high, low;
            fold(high, low);
            return two_words<T>(high, low);
        } else {
            return two_words<T>(tree(high_), double(low_words()));
        }
    }

  private:
    template <bool two, class X>
    void add_words(const X* values, const T* low_values, int64_t n) {
        typedef T Vector __attribute__((vector_size(vector_bytes)));
        constexpr int width = vector_bytes / int(sizeof(T)), narrow_vectors = lanes / width;
        Doubles high[vectors], low[vectors];
        Vector low_sum[narrow_vectors];
        for (int v = 0; v < vectors; ++v) high[v] = load_doubles(high_ + v * vector_size);
        for (int v = 0; v < vectors; ++v) low[v] = load_doubles(low_ + v * vector_size);
        __builtin_memcpy(low_sum, low_words_, sizeof(low_sum));
        for (int64_t i = 0; i < n; i += lanes) {
            for (int v = 0; v < vectors; ++v) {
                const Doubles x = load_doubles(values + i + v * vector_size);
                const Doubles total = high[v] + x;
                if constexpr (compensated) {
                    const Doubles x_part = total - high[v];
                    low[v] += (high[v] - (total - x_part)) + (x - x_part);
                }
                high[v] = total;
            }
            for (int v = 0; two && v < narrow_vectors; ++v) {
                Vector x;
                __builtin_memcpy(&x, low_values + i + v * width, sizeof(x));
                low_sum[v] += x;
            }
        }
        __builtin_memcpy(high_, high, sizeof(high_));
        if constexpr (compensated) __builtin_memcpy(low_, low, sizeof(low_));
        if constexpr (two) __builtin_memcpy(low_words_, low_sum, sizeof(low_sum));
    }

    template <class X>
    static X tree(const X (&x)[lanes]) {
        X sum[lanes];
        __builtin_memcpy(sum, x, sizeof(sum));
        for (int width = lanes / 2; width > 0; width /= 2) {
            for (int i = 0; i < width; ++i) sum[i] += sum[i + width];
        }
        return sum[0];
    }
    T low_words() const { return tree(low_words_); }

    // a + a_low becomes the exact a + b plus both low parts
    template <class X>
    static void two_sum(X& a, X& a_low, const X& b, const X& b_low) {
        const X total = a + b;
        const X b_part = total - a;
        a_low += b_low + ((a - (total - b_part)) + (b - b_part));
        a = total;
    }

    double high_[lanes] = {}, low_[lanes] = {};
    T low_words_[lanes] = {};
};

}  // namespace
}  // namespace fastloss
