#include "kernels.hpp"

extern "C" const fastloss::Isa fastloss_isa_avx2 = fastloss::make_isa("avx2");
