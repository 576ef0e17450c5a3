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
void rank(const T* x, int64_t k, int64_t stride, T* ranks) {
    static thread_local std::vector<Item<T>> items;
    items.resize(k);
    for (int64_t j = 0; j < k; ++j) items[j] = {x[j * stride], j};
    std::sort(items.begin(), items.end(), before<T>);
    for (int64_t first = 0; first < k;) {
        int64_t end = first + 1;
        while (end < k && !before(items[first], items[end])) ++end;
        for (int64_t j = first; j < end; ++j) ranks[items[j].place * stride] = T(first + end);
        first = end;
    }
}

}  // namespace

void write_ranks(const float* x, int64_t k, int64_t stride, float* ranks) {
    rank(x, k, stride, ranks);
}
void write_ranks(const double* x, int64_t k, int64_t stride, double* ranks) {
    rank(x, k, stride, ranks);
}

}  // namespace fastloss
