// Products with exponentials that alone may overflow or lose digits to underflow.
#pragma once

#include "../formula.hpp"

namespace fastloss {
namespace {

// factor root^2, where 0 inf = 0.
template <class T>
FASTLOSS_INLINE T times_square(T factor, TwoWord<T> root) {
    // a factor that may be subnormal is raised, and the root lowered the second time
    const bool tiny = abs(factor) < T(0x1p-60);
    const T raised = factor * (tiny ? T(0x1p60) : T(1));
    TwoWord<T> part = two_product(raised, root.high);
    part.low += raised * root.low;
    const T down = tiny ? T(0x1p-60) : T(1);
    const TwoWord<T> last = {root.high * down, root.low * down};
    const T product = part.high * last.high;
    const T exact = fma(part.high, last.high, fma(part.high, last.low, part.low * last.high));
    const T limited = abs(product) < T(__builtin_inf()) ? exact : product;
    const T nothing = flat(root.high);
    return factor == T(0) ? nothing : limited;
}

}  // namespace
}  // namespace fastloss
