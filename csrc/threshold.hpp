// The number above which the predictions of a row add up to 1.
#pragma once

#include <stdint.h>

namespace fastloss {

// Of each of k numbers, `stride` apart, what it has above that threshold; the positive ones add up
// to 1. NaN where the row has no such threshold: it holds a NaN, or its largest numbers are several
// and infinite. `above` may be z.
void above_threshold(const float* z, int64_t k, int64_t stride, float* above);
void above_threshold(const double* z, int64_t k, int64_t stride, double* above);

}  // namespace fastloss
