# Losses of elements as functions, for `from fastloss.function cimport ...` in other extensions.
from libc.stdint cimport int32_t, int64_t

cdef extern from "fastloss.h" nogil:
    enum: FASTLOSS_FLOAT32
    enum: FASTLOSS_FLOAT64

    ctypedef struct fastloss_function:
        int32_t dtype
        int32_t inputs
        int32_t predictions
        int32_t outputs

cdef extern from "fastloss_function.h":
    int fastloss_get(object loss, int dtype, fastloss_function *to) except -1
    void fastloss_points(const fastloss_function *f, int64_t n, const void *const *inputs,
                         void *const *outputs) noexcept nogil
