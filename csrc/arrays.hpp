// Arrays of any dtype and stride to and from contiguous buffers of the compute dtype.
#pragma once

#include <fastloss.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "job.hpp"
#include "loops.hpp"

namespace fastloss {
namespace {

struct Float16 {
    uint16_t bits;
};
struct BFloat16 {
    uint16_t bits;
};

template <class S, class T>
struct Convert {
    static T from(S x) { return T(x); }
    static S to(T x) { return S(x); }
};

// A byte is true unless it is 0, whatever wrote it.
struct Bool {
    uint8_t byte;
};
template <class T>
struct Convert<Bool, T> {
    static T from(Bool x) { return T(x.byte != 0 ? 1 : 0); }
};

template <class T>
struct Convert<Float16, T> {
    // One multiplication re-biases the exponent and normalises subnormals.
    static T from(Float16 x) {
        const uint32_t magnitude = uint32_t(x.bits & 0x7fff) << 13;
        const uint32_t finite =
            __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude) * 0x1p112f);
        const uint32_t bits = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : finite;
        return T(__builtin_bit_cast(float, bits | (uint32_t(x.bits & 0x8000) << 16)));
    }
    // Adding 2^(exponent + 13) rounds to ten fraction bits; subnormals share the exponent -14.
    static Float16 to(T value) {
        const uint32_t bits = __builtin_bit_cast(uint32_t, float(value));
        float x = __builtin_bit_cast(float, bits & 0x7fffffffu);
        const bool nan = x != x;
        x = x < 131072.0f ? x : 131072.0f;
        const float power =
            __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, x) & 0x7f800000u);
        const float magic = (power > 0x1p-14f ? power : 0x1p-14f) * 0x1p13f;
        const float rounded = (x + magic) - magic;
        uint32_t half = __builtin_bit_cast(uint32_t, rounded * 0x1p-112f) >> 13;
        half = rounded >= 65536.0f ? 0x7c00u : half;
        half = nan ? 0x7e00u : half;
        return {uint16_t(half | (bits >> 16 & 0x8000u))};
    }
};

template <class T>
struct Convert<BFloat16, T> {
    static T from(BFloat16 x) { return T(__builtin_bit_cast(float, uint32_t(x.bits) << 16)); }
    static BFloat16 to(T value) {
        const float x = float(value);
        const uint32_t bits = __builtin_bit_cast(uint32_t, x);
        const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
        return {uint16_t(x != x ? bits >> 16 | 0x40u : rounded)};
    }
};

template <class S, class T>
void load_run(T* to, const char* from, int64_t stride, int64_t n) {
    if (stride == int64_t(sizeof(S))) {
        const S* const x = reinterpret_cast<const S*>(from);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) to[i] = Convert<S, T>::from(x[i]);
    } else if (stride == 0) {
        const T x = Convert<S, T>::from(*reinterpret_cast<const S*>(from));
        for (int64_t i = 0; i < n; ++i) to[i] = x;
    } else {
        for (int64_t i = 0; i < n; ++i) {
            to[i] = Convert<S, T>::from(*reinterpret_cast<const S*>(from + i * stride));
        }
    }
}

template <class S, class T>
void store_run(char* to, int64_t stride, const T* from, int64_t n) {
    if (stride == int64_t(sizeof(S))) {
        S* const x = reinterpret_cast<S*>(to);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) x[i] = Convert<S, T>::to(from[i]);
    } else {
        for (int64_t i = 0; i < n; ++i) {
            *reinterpret_cast<S*>(to + i * stride) = Convert<S, T>::to(from[i]);
        }
    }
}

template <class T>
using LoadRun = void (*)(T* to, const char* from, int64_t stride, int64_t n);
template <class T>
using StoreRun = void (*)(char* to, int64_t stride, const T* from, int64_t n);

template <class T>
LoadRun<T> loader(int dtype) {
    static constexpr LoadRun<T> table[FASTLOSS_DTYPES] = {
        load_run<Bool, T>,     load_run<int8_t, T>,  load_run<int16_t, T>,  load_run<int32_t, T>,
        load_run<int64_t, T>,  load_run<uint8_t, T>, load_run<uint16_t, T>, load_run<uint32_t, T>,
        load_run<uint64_t, T>, load_run<Float16, T>, load_run<BFloat16, T>, load_run<float, T>,
        load_run<double, T>};
    return table[dtype];
}

// Outputs are floating-point arrays.
template <class T>
StoreRun<T> storer(int dtype) {
    static constexpr StoreRun<T> table[] = {store_run<Float16, T>, store_run<BFloat16, T>,
                                            store_run<float, T>, store_run<double, T>};
    return table[dtype - FASTLOSS_FLOAT16];
}

// What is no class index of any array.
inline int64_t no_label(const fastloss_plan& plan) {
    return plan.ignores && plan.ignore_index == INT64_MIN ? INT64_MIN + 1 : INT64_MIN;
}

template <class S>
void load_label_run(int64_t* to, const char* from, int64_t stride, int64_t n, int64_t none) {
    for (int64_t i = 0; i < n; ++i) {
        const S x = *reinterpret_cast<const S*>(from + i * stride);
        if constexpr (S(0.5) != S(0)) {  // floating-point
            const bool integral = x >= S(-0x1p62) && x <= S(0x1p62) && S(int64_t(x)) == x;
            to[i] = integral ? int64_t(x) : none;
        } else {
            to[i] = S(-1) > S(0) && uint64_t(x) > uint64_t(INT64_MAX) ? none : int64_t(x);
        }
    }
}

template <class S>
void load_narrow_label_run(int64_t* to, const char* from, int64_t stride, int64_t n, int64_t none) {
    for (int64_t i = 0; i < n; ++i) {
        float x;
        load_run<S, float>(&x, from + i * stride, 0, 1);
        load_label_run<float>(to + i, reinterpret_cast<const char*>(&x), 0, 1, none);
    }
}

using LoadLabelRun = void (*)(int64_t* to, const char* from, int64_t stride, int64_t n,
                              int64_t none);

inline LoadLabelRun label_loader(int dtype) {
    static constexpr LoadLabelRun table[FASTLOSS_DTYPES] = {
        load_narrow_label_run<Bool>,    load_label_run<int8_t>,          load_label_run<int16_t>,
        load_label_run<int32_t>,        load_label_run<int64_t>,         load_label_run<uint8_t>,
        load_label_run<uint16_t>,       load_label_run<uint32_t>,        load_label_run<uint64_t>,
        load_narrow_label_run<Float16>, load_narrow_label_run<BFloat16>, load_label_run<float>,
        load_label_run<double>};
    return table[dtype];
}

// Calls run(address of the first unit, stride, units done, units) for each straight run of the
// n units that start at `begin` in C order.
template <class Run>
inline void for_runs(const Job& job, const Strided& array, int64_t begin, int64_t n, Run run) {
    const int last = job.ndim - 1;
    const int64_t stride = array.strides[last];
    if (last == 0) {
        run(array.data + begin * stride, stride, int64_t(0), n);
        return;
    }
    int64_t done = 0;
    while (done < n) {
        int64_t index = begin + done;
        const int64_t start = index % job.shape[last];
        char* at = array.data + start * stride;
        index /= job.shape[last];
        for (int axis = last - 1; axis >= 0; --axis) {
            at += index % job.shape[axis] * array.strides[axis];
            index /= job.shape[axis];
        }
        const int64_t left = job.shape[last] - start;
        const int64_t length = n - done < left ? n - done : left;
        run(at, stride, done, length);
        done += length;
    }
}

template <class T>
inline void load(const Job& job, const Strided& array, int64_t begin, int64_t n, T* to) {
    const LoadRun<T> load_units = loader<T>(array.dtype);
    for_runs(job, array, begin, n, [&](char* at, int64_t stride, int64_t done, int64_t length) {
        load_units(to + done, at, stride, length);
    });
}

template <class T>
inline void store(const Job& job, const Strided& array, int64_t begin, int64_t n, const T* from) {
    const StoreRun<T> store_units = storer<T>(array.dtype);
    for_runs(job, array, begin, n, [&](char* at, int64_t stride, int64_t done, int64_t length) {
        store_units(at, stride, from + done, length);
    });
}

// Rows of k classes to a row-major buffer, or to a class-major one whose columns are `column` long.
template <class T>
inline void load_rows(const Job& job, const Strided& array, int64_t begin, int64_t n, int64_t k,
                      T* to, int64_t column) {
    const LoadRun<T> load_units = loader<T>(array.dtype);
    for_runs(job, array, begin, n, [&](char* at, int64_t stride, int64_t done, int64_t length) {
        if (column) {
            for (int64_t j = 0; j < k; ++j) {
                load_units(to + j * column + done, at + j * array.class_stride, stride, length);
            }
        } else {
            for (int64_t i = 0; i < length; ++i) {
                load_units(to + (done + i) * k, at + i * stride, array.class_stride, k);
            }
        }
    });
}

template <class T>
inline void store_rows(const Job& job, const Strided& array, int64_t begin, int64_t n, int64_t k,
                       const T* from, int64_t column) {
    const StoreRun<T> store_units = storer<T>(array.dtype);
    for_runs(job, array, begin, n, [&](char* at, int64_t stride, int64_t done, int64_t length) {
        if (column) {
            for (int64_t j = 0; j < k; ++j) {
                store_units(at + j * array.class_stride, stride, from + j * column + done, length);
            }
        } else {
            for (int64_t i = 0; i < length; ++i) {
                store_units(at + i * stride, array.class_stride, from + (done + i) * k, k);
            }
        }
    });
}

// Copies by whole cache lines that bypass the cache; the ragged ends go through it.
inline void stream(char* to, const char* from, int64_t bytes) {
#if defined(__SSE2__)
    int64_t head = -reinterpret_cast<intptr_t>(to) & 63;
    head = head < bytes ? head : bytes;
    const int64_t body = (bytes - head) & ~int64_t(63);
    __builtin_memcpy(to, from, head);
    for (int64_t i = head; i < head + body; i += 64) {
#if defined(__AVX512F__)
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), _mm512_loadu_si512(from + i));
#else
        for (int64_t j = i; j < i + 64; j += 16) {
            _mm_stream_si128(reinterpret_cast<__m128i*>(to + j),
                             _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + j)));
        }
#endif
    }
    __builtin_memcpy(to + head + body, from + head + body, bytes - head - body);
#else
    __builtin_memcpy(to, from, bytes);
#endif
}

// Streamed lines are visible to other threads after this.
inline void finish_streaming() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

}  // namespace
}  // namespace fastloss
