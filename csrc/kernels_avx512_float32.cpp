#include "kernels.hpp"

extern "C" const fastloss::Kernels fastloss_avx512_float32 = fastloss::make_kernels<float>();
