# cython: language_level=3
"""What another extension does with losses of fastloss."""
from libc.stdint cimport uintptr_t

from fastloss.function cimport *


def points(loss, dtype, Py_ssize_t n, inputs, outputs):
    """Evaluates n elements in memory; an address of 0 is an output that is not asked for."""
    cdef fastloss_function function
    cdef const void *x[8]
    cdef void *y[9]
    fastloss_get(loss, {"float32": FASTLOSS_FLOAT32, "float64": FASTLOSS_FLOAT64}.get(dtype, -1),
                 &function)
    assert function.inputs == len(inputs) and function.outputs == len(outputs)
    for i, address in enumerate(inputs):
        x[i] = <void *><uintptr_t>address
    for i, address in enumerate(outputs):
        y[i] = <void *><uintptr_t>address
    with nogil:
        fastloss_points(&function, n, x, y)
    return function.predictions


def total(loss, double[::1] prediction, double[::1] target):
    """The sum of the values of numbers, one by one."""
    cdef fastloss_function function
    cdef const void *x[2]
    cdef void *y[3]
    cdef double value, result = 0
    cdef Py_ssize_t i
    fastloss_get(loss, FASTLOSS_FLOAT64, &function)
    y[0], y[1], y[2] = &value, NULL, NULL
    with nogil:
        for i in range(prediction.shape[0]):
            x[0], x[1] = &prediction[i], &target[i]
            fastloss_points(&function, 1, x, y)
            result += value
    return result
