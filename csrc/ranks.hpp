// The order of the predictions of a row.
#pragma once

#include <stdint.h>

namespace fastloss {

// Of each of k numbers, `stride` apart: twice how many are smaller, plus how many are equal to it,
// itself included. NaNs are equal to one another and larger than all else.
void write_ranks(const float* x, int64_t k, int64_t stride, float* ranks);
void write_ranks(const double* x, int64_t k, int64_t stride, double* ranks);

}  // namespace fastloss
