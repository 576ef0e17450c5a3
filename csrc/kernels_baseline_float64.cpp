#include "kernels.hpp"

extern "C" const fastloss::Kernels fastloss_baseline_float64 = fastloss::make_kernels<double>();
