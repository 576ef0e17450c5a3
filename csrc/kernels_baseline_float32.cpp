#include "kernels.hpp"

extern "C" const fastloss::Kernels fastloss_baseline_float32 = fastloss::make_kernels<float>();
