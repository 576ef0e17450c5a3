#include "threshold.hpp"

#include <vector>

#include "float.hpp"
#include "sort.hpp"

namespace fastloss {
namespace {

using Wide = TwoWord<double>;

template <class T>
Wide below(T z, T top) {
    return z == top ? Wide{0, 0} : two_difference(double(z), double(top));
}

// The largest numbers of a row: how many lie above the threshold, and their sum less 1.
struct Largest {
    double count = 1;
    Wide total = {-1, 0};

    // By how much so many times a number exceeds that; above the threshold it is positive.
    double surplus(Wide x) const {
        const Wide product = two_product(count, x.high);
        const Wide rest = two_difference(product.high, total.high);
        return rest.high + (rest.low + (product.low + count * x.low - total.low));
    }

    void add(Wide x) {
        const Wide sum = two_sum(total.high, x.high);
        total = two_sum(sum.high, sum.low + (total.low + x.low));
        ++count;
    }
};

template <class T>
Largest find_largest(const T* z, int64_t k, int64_t stride, T top) {
    static thread_local std::vector<Keyed> keys;
    keys.resize(2 * k);
    int64_t n = 0;
    for (int64_t j = 0; j < k; ++j) {  // no other can lie above
        if (below(z[j * stride], top).high >= -1) keys[n++] = {sortable(z[j * stride]), j};
    }
    const Keyed* const sorted = sort_keys(keys.data(), keys.data() + n, n, 8 * int(sizeof(T)));
    Largest largest;
    for (int64_t i = n - 2; i >= 0; --i) {
        const Wide x = below(z[sorted[i].index * stride], top);
        if (!(largest.surplus(x) > 0)) break;
        largest.add(x);
    }
    return largest;
}

template <class T>
void subtract_threshold(const T* z, int64_t k, int64_t stride, T* above) {
    T top = -Format<T>::infinity;
    int64_t tops = 0;
    bool defined = true;
    for (int64_t j = 0; j < k; ++j) {
        const T x = z[j * stride];
        defined &= x == x;
        tops = x > top ? 1 : tops + (x == top);
        top = x > top ? x : top;
    }
    if (!defined || (abs(top) == Format<T>::infinity && tops > 1)) {
        for (int64_t j = 0; j < k; ++j) above[j * stride] = Format<T>::nan;
        return;
    }
    const Largest largest = find_largest(z, k, stride, top);
    const double threshold = largest.total.high / largest.count;
    const Wide product = two_product(threshold, largest.count);
    const double threshold_low =
        (largest.total.high - product.high - product.low + largest.total.low) / largest.count;
    const T least = from_bits<T>(1);  // what lies above stays above
    for (int64_t j = 0; j < k; ++j) {
        const Wide x = below(z[j * stride], top);
        const double surplus = largest.surplus(x);
        const Wide rest = two_difference(x.high, threshold);
        const double outside = rest.high + (rest.low + (x.low - threshold_low));
        const T inside = T(surplus / largest.count);
        above[j * stride] = surplus > 0 ? maximum(inside, least) : minimum(T(outside), T(0));
    }
}

}  // namespace

void above_threshold(const float* z, int64_t k, int64_t stride, float* above) {
    subtract_threshold(z, k, stride, above);
}
void above_threshold(const double* z, int64_t k, int64_t stride, double* above) {
    subtract_threshold(z, k, stride, above);
}

}  // namespace fastloss
