// The instruction sets that this build has and this CPU supports.
#pragma once

#include "job.hpp"

namespace fastloss {

// Of the one in use: FASTLOSS_ISA, else the best that the CPU supports. 0 float32, 1 float64.
const Kernels& current_kernels(int dtype);

}  // namespace fastloss
