#include "kernels.hpp"

extern "C" const fastloss::Kernels fastloss_avx512_float64 = fastloss::make_kernels<double>();
