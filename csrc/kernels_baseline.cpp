#include "kernels.hpp"

extern "C" const fastloss::Isa fastloss_isa_baseline = fastloss::make_isa("baseline");
