// The sum of a block of floats, exact to 2^-56 of the largest and so the same in any order. It
// counts in integers: compensated sums of float64 take half as long again.
#pragma once

#include "lanes.hpp"

namespace fastloss {
namespace {

typedef float Floats __attribute__((vector_size(vector_bytes)));
typedef int32_t Integers __attribute__((vector_size(vector_bytes)));
typedef uint32_t Counts __attribute__((vector_size(vector_bytes)));
constexpr int float_width = vector_bytes / int(sizeof(float));
constexpr int float_vectors = lanes / float_width;

inline Floats load_floats(const float* x) {
    Floats v;
    __builtin_memcpy(&v, x, sizeof(v));
    return v;
}

// Takes a grid's part off numbers of at most half a unit: adding 3 units rounds to steps of 2^-22
// units, and the bits of what comes out count the steps.
struct GridSum {
    Counts steps[float_vectors] = {};  // with surplus and modulo 2^32

    FASTLOSS_INLINE Floats add(int v, Floats x, float unit) {
        const Floats rounded = x + 3 * unit;
        steps[v] += (Counts)rounded;
        return x - (rounded - 3 * unit);
    }

    // The steps of n numbers, in units.
    double total(int64_t n, float unit) const {
        const uint32_t surplus = uint32_t(n) * to_bits(3 * unit);
        uint32_t lane[lanes], sum = 0;
        __builtin_memcpy(lane, steps, sizeof(lane));
        for (int i = 0; i < lanes; ++i) sum += lane[i];
        return double(int32_t(sum - surplus)) * 0x1p-22 * double(unit);
    }
};

// The largest magnitude's bits.
inline int32_t greatest_bits(const float* x, int64_t n) {
    Integers most[float_vectors] = {};
    for (int64_t i = 0; i < n; i += lanes) {
        for (int v = 0; v < float_vectors; ++v) {
            const Integers bits = (Integers)load_floats(x + i + v * float_width) & INT32_MAX;
            most[v] = bits > most[v] ? bits : most[v];
        }
    }
    int32_t lane[lanes], found = 0;
    __builtin_memcpy(lane, most, sizeof(lane));
    for (int i = 0; i < lanes; ++i) found = lane[i] > found ? lane[i] : found;
    return found;
}

// Adds n floats, a multiple of the lanes and at most a block.
inline void sum_block(const float* x, int64_t n, double& high, double& low) {
    using F = Format<float>;
    constexpr uint32_t lowest = 40, highest = 250;  // biased exponents whose scale is normal
    const uint32_t exponent = uint32_t(greatest_bits(x, n)) >> F::mantissa;
    if (exponent < lowest || exponent > highest) {
        Lanes<double> sums;
        sums.add(x, n);
        sums.fold(high, low);
        return;
    }
    // numbers become less than 1/2, so a block's steps fit an integer; what a grid leaves is at
    // most half a unit of the next
    const float scale = from_bits<float>((2 * F::bias - 2 - exponent) << F::mantissa);
    constexpr float unit = 1, finer = 0x1p-22f, finest = 0x1p-44f;
    GridSum first, second, third;
    for (int64_t i = 0; i < n; i += lanes) {
        for (int v = 0; v < float_vectors; ++v) {
            const Floats scaled = load_floats(x + i + v * float_width) * scale;
            third.add(v, second.add(v, first.add(v, scaled, unit), finer), finest);
        }
    }
    const TwoWord<double> sum = two_sum(first.total(n, unit), second.total(n, finer));
    const double unscale = 1 / double(scale);
    high = sum.high * unscale;
    low = (sum.low + third.total(n, finest)) * unscale;
}

}  // namespace
}  // namespace fastloss
