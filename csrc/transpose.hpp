// Rows of classes to class-major columns and back, by square tiles.
#pragma once

#include <stdint.h>

#include "float.hpp"
#include "loops.hpp"

namespace fastloss {
namespace {

// As many vectors as a vector has numbers; vectors of 16 bytes do not cross the parts of which
// wider registers are made.
template <class T>
struct Tile {
    static constexpr int size = 16 / int(sizeof(T));
    typedef T Vector __attribute__((vector_size(16)));
    Vector line[size];

    FASTLOSS_INLINE void load(const T* from, int64_t step) {
        for (int i = 0; i < size; ++i) __builtin_memcpy(&line[i], from + i * step, sizeof(Vector));
    }
    FASTLOSS_INLINE void store(T* to, int64_t step) {
        for (int i = 0; i < size; ++i) __builtin_memcpy(to + i * step, &line[i], sizeof(Vector));
    }
    FASTLOSS_INLINE void transpose() {
        if constexpr (size == 4) {
            const Vector a = __builtin_shufflevector(line[0], line[1], 0, 4, 1, 5);
            const Vector b = __builtin_shufflevector(line[0], line[1], 2, 6, 3, 7);
            const Vector c = __builtin_shufflevector(line[2], line[3], 0, 4, 1, 5);
            const Vector d = __builtin_shufflevector(line[2], line[3], 2, 6, 3, 7);
            line[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
            line[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
            line[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
            line[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
        } else {
            const Vector a = __builtin_shufflevector(line[0], line[1], 0, 2);
            line[1] = __builtin_shufflevector(line[0], line[1], 1, 3);
            line[0] = a;
        }
    }
};

// Asks for n numbers of each of a tile's lines.
template <class T, int writes>
FASTLOSS_INLINE void prefetch_lines(const T* at, int64_t step, int64_t n) {
    for (int i = 0; i < Tile<T>::size; ++i) {
        for (int64_t j = 0; j < n; j += 64 / int64_t(sizeof(T))) {
            __builtin_prefetch(at + i * step + j, writes, 2);
        }
    }
}

enum class Far { neither, source, destination };

// to[j * to_step + i] = from[i * from_step + j] for i < n and j < k. Where a side is no multiple of
// the tile's, the last tile overlaps the one before. One side may be far away in memory: its lines
// are passed one after another, and asked for `ahead` lines early.
template <class T, Far far = Far::neither>
FASTLOSS_LOOP_FUNCTION void transpose(const T* from, int64_t from_step, int64_t n, int64_t k, T* to,
                                      int64_t to_step, int64_t ahead = 0) {
    constexpr int64_t size = Tile<T>::size;
    if (n < size || k < size) {
        for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j < k; ++j) to[j * to_step + i] = from[i * from_step + j];
        }
        return;
    }
    constexpr bool by_columns = far == Far::destination;
    const int64_t outer_end = by_columns ? k : n, inner_end = by_columns ? n : k;
    for (int64_t outer = 0; outer < outer_end; outer += size) {
        const int64_t o = outer + size <= outer_end ? outer : outer_end - size;
        if constexpr (far == Far::source) {
            prefetch_lines<T, 0>(from + (o + ahead) * from_step, from_step, k);
        }
        if constexpr (far == Far::destination) {
            prefetch_lines<T, 1>(to + (o + ahead) * to_step, to_step, n);
        }
        for (int64_t inner = 0; inner < inner_end; inner += size) {
            const int64_t i = inner + size <= inner_end ? inner : inner_end - size;
            const int64_t row = by_columns ? i : o, column = by_columns ? o : i;
            Tile<T> tile;
            tile.load(from + row * from_step + column, from_step);
            tile.transpose();
            tile.store(to + column * to_step + row, to_step);
        }
    }
}

}  // namespace
}  // namespace fastloss
