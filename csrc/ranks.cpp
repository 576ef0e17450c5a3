#include "ranks.hpp"

#include <algorithm>
#include <vector>

namespace fastloss {
namespace {

template <class T>
struct Item {
    T x;
    int64_t place;
};

template <class T>
bool before(const Item<T>& a, const Item<T>& b) {
    return a.x < b.x || (a.x == a.x && b.x != b.x);
}

template <class T>
void rank(const T* x, int64_t k, int64_t stride, T target, T* ranks) {
    static thread_local std::vector<Item<T>> items;
    items.resize(k);
    for (int64_t j = 0; j < k; ++j) items[j] = {x[j * stride], j};
    std::sort(items.begin(), items.end(), before<T>);
    for (int64_t first = 0; first < k;) {
        int64_t end = first + 1;
        while (end < k && !before(items[first], items[end])) ++end;
        const int64_t below = first + end;  // twice how many are smaller, plus how many are equal
        const T outer = T(items[first].x > target ? 2 * k - below : below);
        for (int64_t j = first; j < end; ++j) ranks[items[j].place * stride] = outer;
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
