#include "kernels.hpp"

extern "C" const fastloss::Kernels fastloss_avx2_float32 = fastloss::make_kernels<float>();
