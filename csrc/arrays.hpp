// Arrays of any dtype and stride to and from contiguous buffers of the compute dtype.
#pragma once

#include <fastloss.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "job.hpp"
#include "loops.hpp"
#include "transpose.hpp"

namespace fastloss {
namespace {

// Columns of Fortran-ordered arrays: from how many on a buffer holds but short pieces of each,
// which no hardware prefetches, and how many ahead are asked for.
constexpr int64_t many_columns = 64, columns_ahead = 8;
constexpr int64_t piece_rows = 16;  // converted at a time on their way to or from columns

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
    static T from(Bool x) { return T(uint8_t(x.byte < 1 ? x.byte : 1)); }
};

// The bits as float. Where a double lost some the last one is 1, so that a second rounding, to
// fewer digits, is as if there were no first.
inline uint32_t narrowed(float x) {
    return __builtin_bit_cast(uint32_t, x);
}
inline uint32_t narrowed(double x) {
    const double nearest = float(x);
    const uint32_t beyond = __builtin_fabs(nearest) > __builtin_fabs(x), lost = nearest != x;
    return (__builtin_bit_cast(uint32_t, float(x)) - beyond) | lost;
}

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
        const uint32_t bits = narrowed(value);
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
        const uint32_t bits = narrowed(value);
        const float x = __builtin_bit_cast(float, bits);
        const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
        return {uint16_t(x != x ? bits >> 16 | 0x40u : rounded)};
    }
};

// Converts the first of n numbers by instructions that compilers do not find; returns how many.
template <class S, class T>
int64_t convert_some(T*, const S*, int64_t) {
    return 0;
}

#if defined(__F16C__)
inline int64_t convert_some(float* to, const Float16* from, int64_t n) {
    const int64_t some = n & ~int64_t(7);
    for (int64_t i = 0; i < some; i += 8) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(halves));
    }
    return some;
}

inline int64_t convert_some(Float16* to, const float* from, int64_t n) {
    const int64_t some = n & ~int64_t(7);
    for (int64_t i = 0; i < some; i += 8) {
        const __m128i halves =
            _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), halves);
    }
    return some;
}
#endif

// Steps that compilers make vectors of.
template <int64_t step, class S, class T>
void load_steps(T* to, const S* x, int64_t n) {
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) to[i] = Convert<S, T>::from(x[step * i]);
}

template <class S, class T>
void load_run(T* to, const char* from, int64_t stride, int64_t n) {
    constexpr int64_t item = sizeof(S);
    const S* const x = reinterpret_cast<const S*>(from);
    if (stride == item) {
        const int64_t done = convert_some(to, x, n);
        load_steps<1>(to + done, x + done, n - done);
    } else if (stride == 2 * item) {
        load_steps<2>(to, x, n);
    } else if (stride == -item) {
        load_steps<-1>(to, x, n);
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
        const int64_t done = convert_some(x, from, n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = done; i < n; ++i) x[i] = Convert<S, T>::to(from[i]);
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
inline int64_t label_of(S x, int64_t none) {
    if constexpr (S(0.5) != S(0)) {  // floating-point
        const bool integral = x >= S(-0x1p62) && x <= S(0x1p62) && S(int64_t(x)) == x;
        return integral ? int64_t(x) : none;
    } else {
        return S(-1) > S(0) && uint64_t(x) > uint64_t(INT64_MAX) ? none : int64_t(x);
    }
}

template <class S>
void load_label_run(int64_t* to, const char* from, int64_t stride, int64_t n, int64_t none) {
    if (stride == int64_t(sizeof(S))) {
        const S* const x = reinterpret_cast<const S*>(from);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) to[i] = label_of(x[i], none);
    } else {
        for (int64_t i = 0; i < n; ++i) {
            to[i] = label_of(*reinterpret_cast<const S*>(from + i * stride), none);
        }
    }
}

template <class S>
void load_narrow_label_run(int64_t* to, const char* from, int64_t stride, int64_t n, int64_t none) {
    for (int64_t i = 0; i < n; ++i) {
        float x;
        load_run<S, float>(&x, from + i * stride, 0, 1);
        to[i] = label_of(x, none);
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

// Calls partly(address, units done, units) and whole(address, units done, rows) for the parts of
// rows and the whole rows of the n units of a staged array that start at `begin` in C order.
template <class T, class Part, class Whole>
inline void for_staged_rows(const Job& job, const Strided& array, int64_t begin, int64_t n,
                            Part partly, Whole whole) {
    const int64_t columns = job.shape[1], step = array.strides[1] / int64_t(sizeof(T));
    T* const data = reinterpret_cast<T*>(array.data);
    int64_t done = 0;
    while (done < n) {
        const int64_t row = (begin + done) / columns, column = (begin + done) % columns;
        const int64_t left = n - done;
        if (column == 0 && left >= columns) {
            whole(data + row, done, left / columns);
            done += left / columns * columns;
        } else {
            const int64_t some = columns - column < left ? columns - column : left;
            partly(data + row + column * step, done, some);
            done += some;
        }
    }
}

// Units of a staged array, whose rows are closer to each other than its columns, to and from a
// contiguous buffer.
template <class T>
void gather(const Job& job, const Strided& array, int64_t begin, int64_t n, char* buffer) {
    T* const to = reinterpret_cast<T*>(buffer);
    const int64_t columns = job.shape[1], step = array.strides[1] / int64_t(sizeof(T));
    for_staged_rows<T>(
        job, array, begin, n,
        [&](const T* from, int64_t done, int64_t some) {
            for (int64_t i = 0; i < some; ++i) to[done + i] = from[i * step];
        },
        [&](const T* from, int64_t done, int64_t rows) {
            if (columns < many_columns) {
                transpose(from, step, columns, rows, to + done, columns);
            } else {
                transpose<T, Far::source>(from, step, columns, rows, to + done, columns,
                                          columns_ahead);
            }
        });
}

template <class T>
void scatter(const Job& job, const Strided& array, int64_t begin, int64_t n, const char* buffer) {
    const T* const from = reinterpret_cast<const T*>(buffer);
    const int64_t columns = job.shape[1], step = array.strides[1] / int64_t(sizeof(T));
    for_staged_rows<T>(
        job, array, begin, n,
        [&](T* to, int64_t done, int64_t some) {
            for (int64_t i = 0; i < some; ++i) to[i * step] = from[done + i];
        },
        [&](T* to, int64_t done, int64_t rows) {
            if (columns < many_columns) {
                transpose(from + done, columns, rows, columns, to, step);
            } else {
                transpose<T, Far::destination>(from + done, columns, rows, columns, to, step,
                                               columns_ahead);
            }
        });
}

// Calls run(first row, rows) for pieces of n rows, so small that they stay in L1.
template <class Run>
inline void for_pieces(int64_t n, Run run) {
    for (int64_t i = 0; i < n; i += piece_rows) run(i, n - i < piece_rows ? n - i : piece_rows);
}

// From one class to the next in numbers of the compute dtype, where the units of a class lie side
// by side; else 0.
template <class T>
inline int64_t column_step(const Job& job, const Strided& array, int64_t stride) {
    constexpr int64_t item = sizeof(T);
    const bool columns = array.dtype == job.plan->dtype && stride == item &&
                         array.class_stride > item && array.class_stride % item == 0 &&
                         reinterpret_cast<uintptr_t>(array.data) % item == 0;
    return columns ? array.class_stride / item : 0;
}

// Rows of k classes to a row-major buffer, or to a class-major one whose columns are `column` long.
template <class T>
inline void load_rows(const Job& job, const Strided& array, int64_t begin, int64_t n, int64_t k,
                      T* to, int64_t column) {
    if (column && array.direct) {
        const T* const rows = reinterpret_cast<const T*>(array.data) + begin * k;
        if (job.prefetch) {
            transpose<T, Far::source>(rows, k, n, k, to, column, n);
        } else {
            transpose(rows, k, n, k, to, column);
        }
        return;
    }
    const LoadRun<T> load_units = loader<T>(array.dtype);
    const auto by_rows = [&](char* at, int64_t stride, int64_t length, T* rows) {
        if (stride == k * array.class_stride) {
            load_units(rows, at, array.class_stride, length * k);
            return;
        }
        if (const int64_t step = column_step<T>(job, array, stride)) {
            transpose<T, Far::source>(reinterpret_cast<const T*>(at), step, k, length, rows, k,
                                      columns_ahead);
            return;
        }
        for (int64_t i = 0; i < length; ++i) {
            load_units(rows + i * k, at + i * stride, array.class_stride, k);
        }
    };
    for_runs(job, array, begin, n, [&](char* at, int64_t stride, int64_t done, int64_t length) {
        if (!column) {
            by_rows(at, stride, length, to + done * k);
        } else if (array.classes_together && k <= most_classes_across) {
            T rows[piece_rows * most_classes_across];
            for_pieces(length, [&](int64_t i, int64_t some) {
                by_rows(at + i * stride, stride, some, rows);
                transpose(rows, k, some, k, to + done + i, column);
            });
        } else {
            for (int64_t j = 0; j < k; ++j) {
                load_units(to + j * column + done, at + j * array.class_stride, stride, length);
            }
        }
    });
}

template <class T>
inline void store_rows(const Job& job, const Strided& array, int64_t begin, int64_t n, int64_t k,
                       const T* from, int64_t column) {
    if (column && array.direct) {
        transpose(from, column, k, n, reinterpret_cast<T*>(array.data) + begin * k, k);
        return;
    }
    const StoreRun<T> store_units = storer<T>(array.dtype);
    const auto by_rows = [&](char* at, int64_t stride, int64_t length, const T* rows) {
        if (stride == k * array.class_stride) {
            store_units(at, array.class_stride, rows, length * k);
            return;
        }
        if (const int64_t step = column_step<T>(job, array, stride)) {
            transpose<T, Far::destination>(rows, k, length, k, reinterpret_cast<T*>(at), step,
                                           columns_ahead);
            return;
        }
        for (int64_t i = 0; i < length; ++i) {
            store_units(at + i * stride, array.class_stride, rows + i * k, k);
        }
    };
    for_runs(job, array, begin, n, [&](char* at, int64_t stride, int64_t done, int64_t length) {
        if (!column) {
            by_rows(at, stride, length, from + done * k);
        } else if (array.classes_together && k <= most_classes_across) {
            T rows[piece_rows * most_classes_across];
            for_pieces(length, [&](int64_t i, int64_t some) {
                transpose(from + done + i, column, k, some, rows, k);
                by_rows(at + i * stride, stride, some, rows);
            });
        } else {
            for (int64_t j = 0; j < k; ++j) {
                store_units(at + j * array.class_stride, stride, from + j * column + done, length);
            }
        }
    });
}

// Copies by whole cache lines: stores that cross two lines cost more than copying. Those of
// `stream` bypass the cache; the ragged ends always go through it.
template <bool stream>
inline void copy_lines(char* to, const char* from, int64_t bytes) {
    int64_t head = -reinterpret_cast<intptr_t>(to) & 63;
    head = head < bytes ? head : bytes;
    const int64_t end = head + ((bytes - head) & ~int64_t(63));
    __builtin_memcpy(to, from, head);
    for (int64_t i = head; i < end; i += 64) {
#if defined(__AVX512F__)
        const __m512i line = _mm512_loadu_si512(from + i);
        if constexpr (stream) {
            _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), line);
        } else {
            _mm512_store_si512(to + i, line);
        }
#elif defined(__SSE2__)
        for (int64_t j = i; j < i + 64; j += 16) {
            const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + j));
            if constexpr (stream) {
                _mm_stream_si128(reinterpret_cast<__m128i*>(to + j), part);
            } else {
                _mm_store_si128(reinterpret_cast<__m128i*>(to + j), part);
            }
        }
#else
        __builtin_memcpy(to + i, from + i, 64);
#endif
    }
    __builtin_memcpy(to + end, from + end, bytes - end);
}

// Streamed lines are visible to other threads after this.
inline void finish_streaming() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

}  // namespace
}  // namespace fastloss
