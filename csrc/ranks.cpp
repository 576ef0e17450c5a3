#include "ranks.hpp"

#include <vector>

#include "sort.hpp"

namespace fastloss {
namespace {

template <class T>
void rank(const T* x, int64_t k, int64_t stride, T target, T* ranks) {
    static thread_local std::vector<Keyed> keys;
    keys.resize(2 * k);
    const int bits = 8 * int(sizeof(T));
    const uint64_t nan_key = uint64_t(-1) >> (64 - bits);
    for (int64_t j = 0; j < k; ++j) {
        const T member = x[j * stride];
        keys[j] = {member == member ? sortable(member) : nan_key, j};
    }
    const Keyed* const sorted = sort_keys(keys.data(), keys.data() + k, k, bits);
    for (int64_t first = 0; first < k;) {
        int64_t end = first + 1;
        while (end < k && sorted[end].key == sorted[first].key) ++end;
        const int64_t below = first + end;  // twice how many are smaller, plus how many are equal
        const bool above = x[sorted[first].index * stride] > target;
        const T outer = T(above ? 2 * k - below : below);
        for (int64_t j = first; j < end; ++j) ranks[sorted[j].index * stride] = outer;
        first = end;
    }
}

}  // namespace

void write_ranks(const float* x, int64_t k, int64_t stride, float target, float* ranks) {
    rank(x, k, stride, target, ranks);
}
void write_ranks(const double* x, int64_t k, int64_t stride, double target, double* ranks) {
    rank(x, k, stride, target, ranks);
}

}  // namespace fastloss
