/* fastloss: losses of elements as functions, for extensions of Python. Nothing to link. */
#ifndef FASTLOSS_FUNCTION_H
#define FASTLOSS_FUNCTION_H

#include <Python.h>
#include <string.h>

#include "fastloss.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gets the function of a loss, an object of one of its classes, for a dtype. Returns 0, or -1
 * with an exception set. */
static inline int fastloss_get(PyObject* loss, int dtype, fastloss_function* to) {
    const fastloss_api* api = (const fastloss_api*)PyCapsule_Import("fastloss._core.api", 0);
    return api ? api->function(loss, dtype, to) : -1;
}

/* Evaluates n elements: `in` are arrays of the function's dtype, `out` likewise, of which those
 * that are null are not asked for. An array that is written to may be one that is read. Nothing is
 * checked and nothing can fail; the interpreter's lock is not needed. */
static inline void fastloss_points(const fastloss_function* f, int64_t n, const void* const* in,
                                   void* const* out) {
    enum { CHUNK = 4 * FASTLOSS_LANES, LINE = 64, INPUTS = FASTLOSS_MAX_INPUTS + 1 };
    enum { ARRAYS = INPUTS + 1 + 2 * FASTLOSS_MAX_PREDICTIONS };
    const size_t size = f->dtype == FASTLOSS_FLOAT64 ? sizeof(double) : sizeof(float);
    const double one = 1;
    const float one_single = 1;
    double memory[ARRAYS * CHUNK + LINE / sizeof(double)];
    char* const buffer = (char*)(((uintptr_t)memory + LINE - 1) / LINE * LINE);
    const void* x[INPUTS];
    void* y[1 + 2 * FASTLOSS_MAX_PREDICTIONS];
    int64_t begin;
    int i;
    for (i = 0; i < f->inputs; ++i) x[i] = buffer + i * CHUNK * sizeof(double);
    x[f->inputs] = f->dtype == FASTLOSS_FLOAT64 ? (const void*)&one : (const void*)&one_single;
    for (i = 0; i < f->outputs; ++i) y[i] = buffer + (INPUTS + i) * CHUNK * sizeof(double);
    for (begin = 0; begin < n; begin += CHUNK) {
        const int64_t rest = n - begin, m = rest < CHUNK ? rest : (int64_t)CHUNK;
        const int64_t padded = (m + FASTLOSS_LANES - 1) / FASTLOSS_LANES * FASTLOSS_LANES;
        for (i = 0; i < f->inputs; ++i) {
            char* const to = buffer + i * CHUNK * sizeof(double);
            int64_t j;
            memcpy(to, (const char*)in[i] + begin * size, m * size);
            for (j = m; j < padded; ++j) memcpy(to + j * size, to, size);
        }
        f->block(padded, 1, x, f->parameters, y);
        for (i = 0; i < f->outputs; ++i) {
            if (out[i]) memcpy((char*)out[i] + begin * size, y[i], m * size);
        }
    }
}

#ifdef __cplusplus
}
#endif
#endif
