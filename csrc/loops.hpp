// What loops over formulas have in common.
#pragma once

// The iterations are independent: an output may be an input's own buffer, but then element i of
// one is element i of the other.
#if defined(__clang__)
#define FASTLOSS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define FASTLOSS_INDEPENDENT _Pragma("GCC ivdep")
#endif

// A function that is one loop. Noinline: output sets share it, and tests find it by its name.
// Formulas come by value: outputs cannot change their parameters, which stay in registers.
// Flatten: a formula is inlined whatever its size, or its loop would not vectorise.
#define FASTLOSS_LOOP_FUNCTION static __attribute__((noinline, flatten))
