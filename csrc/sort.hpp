// Stable order of floating-point keys, by their bits.
#pragma once

#include <stdint.h>
#include <string.h>

namespace fastloss {
namespace {

struct Keyed {
    uint64_t key;
    int64_t index;
};

// Unsigned integers in the order of the numbers; -0 is 0, NaN comes last or first.
inline uint64_t sortable(double x) {
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | uint64_t(1) << 63;
}
inline uint64_t sortable(float x) {
    uint32_t bits;
    x += 0.0f;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 31 ? uint32_t(~bits) : bits | uint32_t(1) << 31;
}

constexpr int64_t many_keys = 4096;  // that are worth counting by long digits

inline void insertion_sort(Keyed* x, int64_t n) {
    for (int64_t i = 1; i < n; ++i) {
        const Keyed moved = x[i];
        int64_t j = i;
        for (; j > 0 && x[j - 1].key > moved.key; --j) x[j] = x[j - 1];
        x[j] = moved;
    }
}

template <int digit_bits>
Keyed* sort_by_digits(Keyed* x, Keyed* other, int64_t n, int key_bits) {
    constexpr int64_t digits = int64_t(1) << digit_bits;
    for (int shift = 0; shift < key_bits; shift += digit_bits) {
        int64_t place[digits] = {};
        for (int64_t i = 0; i < n; ++i) ++place[(x[i].key >> shift) & (digits - 1)];
        if (place[(x[0].key >> shift) & (digits - 1)] == n) continue;  // all the same
        int64_t before = 0;
        for (int64_t& at : place) {
            const int64_t count = at;
            at = before;
            before += count;
        }
        for (int64_t i = 0; i < n; ++i) other[place[(x[i].key >> shift) & (digits - 1)]++] = x[i];
        Keyed* const swapped = x;
        x = other;
        other = swapped;
    }
    return x;
}

// Sorts x, with as much memory beside it; the result lies in either.
inline Keyed* sort_keys(Keyed* x, Keyed* other, int64_t n, int key_bits) {
    bool sorted = true;
    for (int64_t i = 1; i < n && sorted; ++i) sorted = x[i - 1].key <= x[i].key;
    if (sorted) return x;
    if (n <= key_bits) {  // so few are not worth passes over all digits
        insertion_sort(x, n);
        return x;
    }
    return n < many_keys ? sort_by_digits<8>(x, other, n, key_bits)
                         : sort_by_digits<11>(x, other, n, key_bits);
}

}  // namespace
}  // namespace fastloss
