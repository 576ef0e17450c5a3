#include "kernels.hpp"

extern "C" const fastloss::Kernels fastloss_avx2_float64 = fastloss::make_kernels<double>();
