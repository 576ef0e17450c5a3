#include "dispatch.hpp"

#include <atomic>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && !defined(FASTLOSS_BASELINE)
#define FASTLOSS_SEVERAL_ISAS 1
#endif

extern "C" {
extern const fastloss::Kernels fastloss_baseline_float32, fastloss_baseline_float64;
#if FASTLOSS_SEVERAL_ISAS
extern const fastloss::Kernels fastloss_avx2_float32, fastloss_avx2_float64;
extern const fastloss::Kernels fastloss_avx512_float32, fastloss_avx512_float64;
#endif
}

namespace fastloss {
namespace {

struct Isa {
    const char* name;
    const Kernels* kernels[2];
};

const Isa isas[] = {
    {"baseline", {&fastloss_baseline_float32, &fastloss_baseline_float64}},
#if FASTLOSS_SEVERAL_ISAS
    {"avx2", {&fastloss_avx2_float32, &fastloss_avx2_float64}},
    {"avx512", {&fastloss_avx512_float32, &fastloss_avx512_float64}},
#endif
};
constexpr int isa_count = sizeof(isas) / sizeof(isas[0]);

bool supported(int isa) {
#if FASTLOSS_SEVERAL_ISAS
    // the features of x86-64-v3 and v4, which also cover what the operating system saves
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    return isa == 0 || (isa == 1 && v3) || (isa == 2 && v4);
#else
    return isa == 0;
#endif
}

int choose() {
    int best = isa_count - 1;
    while (!supported(best)) --best;
    const char* wanted = getenv("FASTLOSS_ISA");
    for (int isa = 0; wanted && isa <= best; ++isa) {
        if (strcmp(wanted, isas[isa].name) == 0) return isa;
    }
    return best;
}

std::atomic<int>& chosen() {
    static std::atomic<int> isa{choose()};
    return isa;
}

}  // namespace

const Kernels& current_kernels(int dtype) {
    return *isas[fastloss_isa()].kernels[dtype];
}

}  // namespace fastloss

using namespace fastloss;

int fastloss_kernel_count(void) {
    return current_kernels(0).count;
}
const fastloss_kernel* fastloss_kernels(int dtype) {
    return current_kernels(dtype == FASTLOSS_FLOAT64).kernels;
}
int fastloss_isa_count(void) {
    return isa_count;
}
int fastloss_isa_supported(int isa) {
    return isa >= 0 && isa < isa_count && supported(isa);
}
const char* fastloss_isa_name(int isa) {
    return isas[isa].name;
}
int fastloss_isa(void) {
    return chosen().load(std::memory_order_relaxed);
}
int fastloss_set_isa(int isa) {
    if (!fastloss_isa_supported(isa)) return -1;
    chosen().store(isa);
    return 0;
}
