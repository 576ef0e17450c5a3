// What the drivers of all schemas do with a block: weights, domains, sums, stores.
#pragma once

#include "arrays.hpp"
#include "block_sum.hpp"
#include "job.hpp"
#include "lanes.hpp"

namespace fastloss {
namespace {

constexpr int64_t few = 8;  // numbers, for which lanes and grids would take longer

inline int64_t padded(int64_t n) {
    return (n + lanes - 1) / lanes * lanes;
}

// The surplus of the last block repeats its last sample, so that it costs nothing special.
template <class T>
inline void pad(T* x, int64_t n) {
    for (int64_t i = n; i < padded(n); ++i) x[i] = x[n - 1];
}

// A domain's lower end as T. What T rounds to 0 is above it: the domain is that of numbers above 0.
template <class T>
inline T lower_end(const fastloss_domain& domain) {
    const T low = T(domain.low);
    return low == T(0) && domain.low > 0 ? from_bits<T>(1) : low;
}

template <class T>
inline bool outside(T x, T low, T high, bool discrete) {
    return discrete ? (x != low) & (x != high) & (x == x) : (x < low) | (x > high);
}

// Whether any of n values lies outside the domain; NaN lies in every domain.
template <class T>
bool any_outside(const fastloss_domain& domain, const T* x, int64_t n) {
    const T low = lower_end<T>(domain), high = T(domain.high);
    int bad = 0;
    if (domain.discrete) {
        for (int64_t i = 0; i < n; ++i)
            bad |= int(x[i] != low) & int(x[i] != high) & int(x[i] == x[i]);
    } else {
        for (int64_t i = 0; i < n; ++i) bad |= int(x[i] < low) | int(x[i] > high);
    }
    return bad != 0;
}

// Whether a unit that counts has one of its k values outside the domain.
template <class T>
bool used_outside(const Job& job, const fastloss_domain& domain, const T* x, int64_t n, int64_t k,
                  int64_t unit_stride, int64_t class_stride, const double* weight) {
    const T low = lower_end<T>(domain), high = T(domain.high);
    for (int64_t i = 0; i < n; ++i) {
        if (job.weighted && weight[i] == 0) continue;
        for (int64_t j = 0; j < k; ++j) {
            const T value = x[i * unit_stride + j * class_stride];
            if (outside(value, low, high, domain.discrete != 0)) return true;
        }
    }
    return false;
}

// Whether any of n values lies above another one's; NaN lies nowhere.
template <class T>
bool any_above(const T* low, const T* high, int64_t n) {
    int above = 0;
    for (int64_t i = 0; i < n; ++i) above |= int(low[i] > high[i]);
    return above != 0;
}

// Whether that is so for a unit that counts.
template <class T>
bool used_above(const Job& job, const T* low, const T* high, int64_t n, const double* weight) {
    for (int64_t i = 0; i < n; ++i) {
        if (low[i] > high[i] && !(job.weighted && weight[i] == 0)) return true;
    }
    return false;
}

template <class X>
inline bool bad_weights(const X* weight, int64_t n) {
    int bad = 0;
    for (int64_t i = 0; i < n; ++i)
        bad |= int(!(weight[i] >= 0)) | int(!(weight[i] < X(__builtin_inf())));
    return bad != 0;
}

template <class X>
inline void sum_few(const X* x, int64_t n, double& high, double& low) {
    high = low = 0;
    for (int64_t i = 0; i < n; ++i) {
        const TwoWord<double> sum = two_sum(high, double(x[i]));
        high = sum.high;
        low += sum.low;
    }
    low = high - high == 0 ? low : 0;  // an infinite or NaN total has no rounding error
}

// Sums of n numbers in a buffer, which gets zeros up to whole lanes.
inline void sum_numbers(double* x, int64_t n, double& high, double& low) {
    if (n < few) return sum_few(x, n, high, low);
    for (int64_t i = n; i < padded(n); ++i) x[i] = 0;
    Lanes<double> sums;
    sums.add(x, padded(n));
    sums.fold(high, low);
}

inline void sum_numbers(float* x, int64_t n, double& high, double& low) {
    if (n < few) return sum_few(x, n, high, low);
    for (int64_t i = n; i < padded(n); ++i) x[i] = 0;
    sum_block(x, padded(n), high, low);
}

// The sum of weight times value over the units that count.
template <class T>
void sum_values(const Job& job, T* value, const double* weight, int64_t n, BlockResult& result) {
    if (!job.weighted) {
        sum_numbers(value, n, result.value_high, result.value_low);
        return;
    }
    alignas(64) double products[FASTLOSS_BLOCK];
    if (job.narrow_weights) {  // 24 digits times 24 digits: nothing is lost
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            products[i] = weight[i] == 0 ? 0 : weight[i] * double(value[i]);
        }
        sum_numbers(products, n, result.value_high, result.value_low);
        return;
    }
    alignas(64) double lost[FASTLOSS_BLOCK];
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const TwoWord<double> product = two_product(weight[i], double(value[i]));
        products[i] = weight[i] == 0 ? 0 : product.high;
        lost[i] = weight[i] == 0 ? 0 : product.low;
    }
    const int64_t size = padded(n);
    for (int64_t i = n; i < size; ++i) products[i] = lost[i] = 0;
    Lanes<double> sums;
    sums.add(products, lost, size);
    sums.fold(result.value_high, result.value_low);
}

// x = used ? x * weight * scale : 0
template <class T>
void weight_outputs(T* x, const double* weight, double scale, int64_t n) {
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const T product = x[i] * T(weight[i] * scale);
        const T weighted = x[i] == T(0) ? x[i] : product;  // the weight may overflow
        x[i] = weight[i] == 0 ? T(0) : weighted;
    }
}

inline int64_t block_length(const Job& job, int64_t begin) {
    const int64_t left = job.units - begin;
    return left < job.block_units ? left : job.block_units;
}

// The weights of a block; false where they are not finite or negative.
inline bool load_weights(const Job& job, int64_t begin, int64_t n, double* weight) {
    if (job.weight.data) {
        load(job, job.weight, begin, n, weight);
        return job.weights_checked || !bad_weights(weight, n);
    }
    if (job.weighted) {
        for (int64_t i = 0; i < n; ++i) weight[i] = 1;
    }
    return true;
}

// Stores n numbers one after another, converted where the array has another dtype.
template <class T>
void store_lines(const Job& job, int dtype, char* to, const T* x, int64_t n) {
    const bool same = dtype == job.plan->dtype;
    const int64_t item = dtype_size(dtype), piece = same ? n : FASTLOSS_BLOCK;
    alignas(64) char converted[FASTLOSS_BLOCK * sizeof(double)];
    for (int64_t i = 0; i < n; i += piece) {
        const int64_t some = n - i < piece ? n - i : piece;
        const char* from = reinterpret_cast<const char*>(x + i);
        if (!same) {
            storer<T>(dtype)(converted, item, x + i, some);
            from = converted;
        }
        if (job.stream) {
            copy_lines<true>(to + i * item, from, some * item);
        } else {
            copy_lines<false>(to + i * item, from, some * item);
        }
    }
}

template <class T>
inline void put(const Job& job, const Strided& array, int64_t begin, int64_t n, const T* x) {
    if (job.ndim == 1 && array.strides[0] == dtype_size(array.dtype)) {
        store_lines(job, array.dtype, array.data + begin * array.strides[0], x, n);
    } else {
        store(job, array, begin, n, x);
    }
}

// Asks for a block ahead of time, so that memory never waits for arithmetic.
template <int writes>
inline void prefetch_block(const Job& job, const Strided& array, int64_t begin) {
    constexpr int64_t line = 64;
    const int64_t n = job.block_units, stride = array.strides[0];
    const int64_t step = stride < 0 ? -stride : stride;
    if (job.ndim > 1 || step > line || begin + n > job.units) return;
    const char* const from = array.data + begin * stride;
    const char* const first = stride < 0 ? from + (n - 1) * stride : from;
    for (int64_t i = 0; i < n * step; i += line) __builtin_prefetch(first + i, writes, 2);
}

}  // namespace
}  // namespace fastloss
