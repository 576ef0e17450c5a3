// The order of the predictions of a row.
#pragma once

#include <stdint.h>

namespace fastloss {

// Of each of k numbers, `stride` apart, on its side of the target: twice how many lie farther out,
// plus how many are equal to it, itself included. What is not above the target counts as below;
// NaNs are equal to one another and larger than all else.
void write_ranks(const float* x, int64_t k, int64_t stride, float target, float* ranks);
void write_ranks(const double* x, int64_t k, int64_t stride, double target, double* ranks);

}  // namespace fastloss
