// The instruction sets that this build has and this CPU supports.
#pragma once

#include "job.hpp"

namespace fastloss {

// The one in use: FASTLOSS_ISA, else the best that the CPU supports.
const Isa& current_isa();

}  // namespace fastloss
