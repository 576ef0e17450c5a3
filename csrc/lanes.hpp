// Sums of one fixed shape: sample i goes to float64 lane i mod 16, a fixed tree folds the lanes.
// The shape depends on nothing but the length, so neither threads nor instruction sets nor
// layouts change a bit.
#pragma once

#include <fastloss.h>

namespace fastloss {
namespace {

constexpr int lanes = FASTLOSS_LANES;

// The multiple of the lanes at or below n, so written that compilers leave the remainder loop out.
inline int64_t whole_lanes(int64_t n) {
    return int64_t(uint64_t(n) & ~uint64_t(lanes - 1));
}

typedef double LaneVector __attribute__((vector_size(lanes * sizeof(double))));

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(lanes * sizeof(T))));
};

template <class T>
inline void load_lanes(const T* x, LaneVector& to) {
    typename VectorOf<T>::type v;
    __builtin_memcpy(&v, x, sizeof(v));
    to = __builtin_convertvector(v, LaneVector);
}

// What float32 data need: a product of two of them is exact in float64, and so is most of a sum.
// Float64 data carry the rounding errors of the sum along.
template <class T>
class Lanes {
  public:
    // Adds the next `lanes` values.
    template <class X>
    void add(const X* values) {
        LaneVector x;
        load_lanes(values, x);
        if constexpr (sizeof(T) == sizeof(double)) {
            const LaneVector total = high_ + x;
            const LaneVector x_part = total - high_;
            low_ += (high_ - (total - x_part)) + (x - x_part);
            high_ = total;
        } else {
            high_ += x;
        }
    }

    // The sum as two words: high + low.
    void fold(double& high, double& low) const {
        double h[lanes], l[lanes];
        __builtin_memcpy(h, &high_, sizeof(h));
        __builtin_memcpy(l, &low_, sizeof(l));
        for (int width = lanes / 2; width > 0; width /= 2) {
            for (int i = 0; i < width; ++i) {
                const double a = h[i], b = h[i + width];
                const double total = a + b;
                const double b_part = total - a;
                l[i] += l[i + width] + ((a - (total - b_part)) + (b - b_part));
                h[i] = total;
            }
        }
        high = h[0];
        // an infinite or NaN total has no rounding error worth keeping
        low = h[0] - h[0] == 0 ? l[0] : 0;
    }

    // The sum rounded to T; for float32 the plain tree is more than exact enough.
    T total() const {
        if constexpr (sizeof(T) == sizeof(double)) {
            double high, low;
            fold(high, low);
            return high + low;
        } else {
            double h[lanes];
            __builtin_memcpy(h, &high_, sizeof(h));
            for (int width = lanes / 2; width > 0; width /= 2) {
                for (int i = 0; i < width; ++i) h[i] += h[i + width];
            }
            return T(h[0]);
        }
    }

  private:
    LaneVector high_{}, low_{};
};

}  // namespace
}  // namespace fastloss
