// Every word of the vocabulary that has an error of its own, as a loop over arrays: for tests.
#include "csrc/loops.hpp"
#include "csrc/special/gamma.hpp"
#include "csrc/special/normal.hpp"

namespace fastloss {
namespace {

template <class T>
TwoWord<T> in_words(T x) {
    return {x, T(0)};
}
template <class T>
TwoWord<T> in_words(TwoWord<T> x) {
    return x;
}

// n must be a multiple of 64, as the drivers see to.
template <class Word, class T>
FASTLOSS_LOOP_FUNCTION void word_loop(int64_t n, const T* x, const T* y, T* high, T* low) {
    n &= ~int64_t(63);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const TwoWord<T> result = in_words(Word::of(x[i], y[i]));
        high[i] = result.high;
        low[i] = result.low;
    }
}

}  // namespace
}  // namespace fastloss

#define WORD(name, ...)                                                                       \
    namespace fastloss {                                                                      \
    namespace {                                                                               \
    struct name##_word {                                                                      \
        template <class T>                                                                    \
        static auto of(T x, [[maybe_unused]] T y) {                                           \
            return name(__VA_ARGS__);                                                         \
        }                                                                                     \
    };                                                                                        \
    }                                                                                         \
    }                                                                                         \
    extern "C" void name##_float32(int64_t n, const float* x, const float* y, float* high,    \
                                   float* low) {                                              \
        fastloss::word_loop<fastloss::name##_word>(n, x, y, high, low);                       \
    }                                                                                         \
    extern "C" void name##_float64(int64_t n, const double* x, const double* y, double* high, \
                                   double* low) {                                             \
        fastloss::word_loop<fastloss::name##_word>(n, x, y, high, low);                       \
    }

WORD(digamma, x)
WORD(exp, x, y)
WORD(expm1, x, y)
WORD(lgamma, x)
WORD(log, x)
WORD(inverse_mills, x, y)
WORD(inverse_mills_slope, x, y)
WORD(log1mexp, x, y)
WORD(log1p, x)
WORD(log1p_unit, x, y)
WORD(log_normal_cdf, x, y)
WORD(log_rising, x, y)
WORD(log_rising_curve, x, y)
WORD(log_rising_slope, x, y)
WORD(normal_cdf, x, y)
WORD(normal_density, x, y)
WORD(normal_interval, x, y)
WORD(power, x, y)
WORD(sech_squared, x, y)
WORD(sqrt, x)
WORD(tanh, x)
WORD(trigamma, x)
WORD(two_exp_fine, x, y)
WORD(two_exp_negative, x, y)
WORD(two_exp_product, x, y)
WORD(two_log, x, y)
WORD(two_log1p, x)
WORD(two_log1pexp, x, y)
WORD(two_log_factorial, x)
WORD(two_log_fine, x, y)
WORD(two_one_plus_exp, x, y)
WORD(two_sqrt, x, y)
WORD(two_tanh, x, y)
