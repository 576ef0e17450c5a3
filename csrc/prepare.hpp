// From a plan to a job: merges axes, decides on loop orders, buffers and stores.
#pragma once

#include <unistd.h>

#include "job.hpp"

namespace fastloss {
namespace {

// Logits in a block of rows: its buffers fit the second-level cache.
constexpr int64_t row_block_size = 32768;
constexpr int64_t most_rows_in_block = 64;
// Beyond these, half as many rows across keep their columns in the first-level cache.
constexpr int64_t most_narrow_classes = 72;
// Elements that a second thread must save before it is woken.
constexpr int64_t serial_elements = 65536;
// Units of Fortran-ordered arrays that pass through buffers at once.
constexpr int64_t staged_rows = 64, fewest_staged = 16384, most_staged = 131072;
constexpr int64_t most_cache = 32 << 20;
// Below this, arrays are in the cache already or soon.
constexpr int64_t second_level_cache = 1 << 20;

// Whether float32 holds every number of a dtype.
bool is_narrow(int dtype) {
    return dtype_size(dtype) <= 2 || dtype == FASTLOSS_FLOAT32;
}

int64_t unit_count(const fastloss_plan& plan) {
    int64_t units = 1;
    for (int axis = 0; axis < plan.ndim; ++axis) units *= plan.shape[axis];
    return units;
}

// A virtual machine reports the whole socket's cache, of which it has a slice: no more than
// most_cache of it counts.
int64_t find_last_level_cache() {
    const int64_t l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return l3 > 0 && l3 < most_cache ? l3 : most_cache;
}

// Found when the library is loaded: a fork in the middle of a first use would leave its child
// waiting for ever.
const int64_t last_level_cache = find_last_level_cache();

// Every array of a plan, in the order of a job's.
template <class Visit>
void for_arrays(const fastloss_plan& plan, Job& job, Visit visit) {
    for (int i = 0; i < plan.inputs; ++i) {
        // class indices and numbers have no class axis
        visit(plan.input[i], job.input[i], i == 0 || (i == 1 && plan.target == FASTLOSS_MASSES));
    }
    visit(plan.weight, job.weight, false);
    visit(plan.value_out, job.output[0], false);
    for (int p = 0; p < plan.predictions; ++p) {
        visit(plan.grad_out[p], job.output[1 + p], true);
        visit(plan.hess_out[p], job.output[1 + plan.predictions + p], true);
    }
}

bool mergeable(const fastloss_plan& plan, Job& job, int outer, int inner) {
    bool all = true;
    for_arrays(plan, job, [&](const fastloss_array& array, Strided&, bool) {
        if (array.data && array.strides[outer] != array.strides[inner] * plan.shape[inner]) {
            all = false;
        }
    });
    return all;
}

// Drops axes of one unit and merges neighbours that every array steps through evenly.
void merge_axes(const fastloss_plan& plan, Job& job) {
    int innermost[FASTLOSS_MAX_NDIM];  // of each merged axis
    job.ndim = 0;
    for (int axis = 0; axis < plan.ndim; ++axis) {
        if (plan.shape[axis] == 1) continue;
        if (job.ndim > 0 && mergeable(plan, job, innermost[job.ndim - 1], axis)) {
            job.shape[job.ndim - 1] *= plan.shape[axis];
            innermost[job.ndim - 1] = axis;
        } else {
            job.shape[job.ndim] = plan.shape[axis];
            innermost[job.ndim++] = axis;
        }
    }
    const bool single = job.ndim == 0;
    if (single) job.shape[job.ndim++] = 1;
    const bool rows = plan.schema == FASTLOSS_ROW;
    const int64_t item = dtype_size(plan.dtype);
    for_arrays(plan, job, [&](const fastloss_array& from, Strided& to, bool classes) {
        to.data = static_cast<char*>(from.data);
        to.staged = false;
        if (!from.data) return;
        to.dtype = from.dtype;
        to.class_stride = from.class_stride;
        to.classes_together = from.class_stride == dtype_size(from.dtype);
        const int64_t natural = rows && classes ? plan.classes * item : item;
        for (int axis = 0; axis < job.ndim; ++axis) {
            to.strides[axis] = single ? natural : from.strides[innermost[axis]];
        }
        to.rows_together = job.ndim == 1 && to.classes_together &&
                           to.strides[0] == plan.classes * dtype_size(from.dtype);
        const bool computable =
            from.dtype == plan.dtype && reinterpret_cast<uintptr_t>(from.data) % item == 0;
        to.direct = computable && job.ndim == 1 && to.strides[0] == natural &&
                    (!(rows && classes) || from.class_stride == item || plan.classes == 1);
        to.staged = computable && !rows && job.ndim == 2 && to.strides[0] == item &&
                    to.strides[1] > item && to.strides[1] % item == 0;
    });
}

// Units that pass through buffers at once: enough whole rows for whole cache lines of a column.
int64_t staged_units(int64_t columns) {
    const int64_t units = columns * staged_rows;
    return units < fewest_staged ? fewest_staged : (units > most_staged ? most_staged : units);
}

void stage_arrays(const fastloss_plan& plan, Job& job) {
    bool staged = false;
    for (int i = 0; i < plan.inputs; ++i) staged |= job.input[i].staged;
    for (int o = 0; o < output_count(plan); ++o) staged |= job.output[o].staged;
    job.staged_blocks = staged ? staged_units(job.shape[1]) / FASTLOSS_BLOCK : 0;
}

int64_t block_units(const fastloss_plan& plan) {
    if (plan.schema == FASTLOSS_MAP) return FASTLOSS_BLOCK;
    const int64_t classes = plan.classes;
    const bool wide = classes > most_narrow_classes && classes <= most_classes_across;
    int64_t rows = wide ? most_rows_in_block / 2 : most_rows_in_block;
    while (rows > 1 && rows * classes > row_block_size) rows /= 2;
    return rows;
}

int64_t bytes_touched(const fastloss_plan& plan, int64_t units) {
    int64_t bytes = 0;
    Job job;
    for_arrays(plan, job, [&](const fastloss_array& array, Strided&, bool classes) {
        if (!array.data) return;
        const bool rows = plan.schema == FASTLOSS_ROW && classes;
        bytes += units * (rows ? plan.classes : 1) * dtype_size(array.dtype);
    });
    return bytes;
}

bool streams(const fastloss_plan& plan, int64_t bytes) {
    return !plan.in_place && bytes > last_level_cache / 4 * 3;
}

void prepare(const fastloss_plan& plan, Job& job) {
    job.plan = &plan;
    job.units = unit_count(plan);
    job.classes = plan.classes;
    job.along = plan.schema == FASTLOSS_ROW && plan.block_along &&
                (plan.classes > most_classes_across || !plan.block);
    job.block = job.along ? plan.block_along : plan.block;
    job.block_units = block_units(plan);
    job.blocks = (job.units + job.block_units - 1) / job.block_units;
    job.narrow_weights = plan.dtype == FASTLOSS_FLOAT32 && !plan.class_weight &&
                         (!plan.weight.data || is_narrow(plan.weight.dtype));
    job.weights_checked = false;
    job.weighted = plan.weight.data || plan.ignores || plan.class_weight;
    const bool large = job.units * job.classes >= serial_elements;
    const int64_t bytes = large ? bytes_touched(plan, job.units) : 0;
    job.stream = streams(plan, bytes);
    job.prefetch = bytes > second_level_cache;
    merge_axes(plan, job);
    stage_arrays(plan, job);
}

}  // namespace
}  // namespace fastloss
