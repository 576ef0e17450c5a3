#include "kernels.hpp"

extern "C" const fastloss::Isa fastloss_isa_avx512 = fastloss::make_isa("avx512");
