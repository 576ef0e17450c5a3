// How a loop says that its iterations are independent: outputs may be an input's own buffer, but
// then element i of one is element i of the other.
#pragma once

#if defined(__clang__)
#define FASTLOSS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define FASTLOSS_INDEPENDENT _Pragma("GCC ivdep")
#endif
