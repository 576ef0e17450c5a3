// A block of the map schema: load, check, run the block function, weight, sum, store.
#pragma once

#include "block.hpp"

namespace fastloss {
namespace {

template <class T>
const T* map_input(const Job& job, const Strided& array, int64_t begin, int64_t n, char* buffer) {
    if (array.direct && n == padded(n)) {
        return reinterpret_cast<const T*>(array.data) + begin;
    }
    T* const x = reinterpret_cast<T*>(buffer);
    load(job, array, begin, n, x);
    pad(x, n);
    return x;
}

inline void prefetch_arrays(const Job& job, int64_t begin) {
    for (int i = 0; i < job.plan->inputs; ++i) prefetch_block<0>(job, job.input[i], begin);
    if (job.weight.data) prefetch_block<0>(job, job.weight, begin);
    if (job.stream || job.plan->in_place) return;
    for (int o = 0; o < output_count(*job.plan); ++o) {
        if (job.output[o].data) prefetch_block<1>(job, job.output[o], begin);
    }
}

// Loads the inputs of a block; false where a unit that counts has one outside its domain, or two
// that are out of order.
template <class T>
bool load_inputs(const Job& job, const Scratch& scratch, int64_t begin, int64_t n,
                 const void** in) {
    const fastloss_plan& plan = *job.plan;
    for (int i = 0; i < plan.inputs; ++i) {
        const T* const x = map_input<T>(job, job.input[i], begin, n, scratch.input[i]);
        in[i] = x;
        if (plan.domain[i].checked && any_outside(plan.domain[i], x, padded(n)) &&
            used_outside(job, plan.domain[i], x, n, 1, 1, 0, scratch.weight)) {
            return false;
        }
    }
    const int first = plan.ordered[0], second = plan.ordered[1];
    if (first == second) return true;
    const T* const low = static_cast<const T*>(in[first]);
    const T* const high = static_cast<const T*>(in[second]);
    return !any_above(low, high, padded(n)) || !used_above(job, low, high, n, scratch.weight);
}

template <class T>
void run_map_block(const Job& job, const Scratch& scratch, int64_t block, BlockResult& result) {
    const fastloss_plan& plan = *job.plan;
    const int64_t begin = block * job.block_units, n = block_length(job, begin);
    const int outputs = output_count(plan);

    if (job.prefetch) prefetch_arrays(job, begin + 2 * FASTLOSS_BLOCK);
    if (!load_weights(job, begin, n, scratch.weight)) {
        result.status = FASTLOSS_BAD_WEIGHT;
        return;
    }
    const void* in[FASTLOSS_MAX_INPUTS + 1];
    const T scale = job.weighted ? T(1) : T(job.scale);  // weights come later, and bring it along
    in[plan.inputs] = &scale;
    if (!load_inputs<T>(job, scratch, begin, n, in)) {
        result.status = FASTLOSS_BAD_INPUT;
        return;
    }
    void* out[max_outputs];
    for (int o = 0; o < outputs; ++o) {
        const Strided& array = job.output[o];
        const bool in_array = array.data && array.direct && !job.stream && !plan.in_place &&
                              n == padded(n) && reinterpret_cast<uintptr_t>(array.data) % 64 == 0;
        out[o] = in_array ? array.data + begin * int64_t(sizeof(T)) : scratch.output[o];
    }

    job.block(padded(n), 1, in, plan.parameters, out);

    if (plan.outputs & FASTLOSS_VALUE) {
        if (plan.reduction == FASTLOSS_NONE) {
            if (job.weighted) weight_outputs(static_cast<T*>(out[0]), scratch.weight, 1, n);
        } else {
            sum_values(job, static_cast<T*>(out[0]), scratch.weight, n, result);
        }
    }
    for (int o = 0; o < outputs; ++o) {
        const Strided& array = job.output[o];
        double* const sums = o > 0 && o <= plan.predictions ? plan.grad_sums[o - 1] : nullptr;
        if (!array.data && !sums) continue;
        T* const x = static_cast<T*>(out[o]);
        if (o > 0 && job.weighted) weight_outputs(x, scratch.weight, job.scale, n);
        if (sums) {
            sum_numbers(x, n, sums[2 * block], sums[2 * block + 1]);
        } else if (out[o] == scratch.output[o]) {
            put(job, array, begin, n, x);
        }
    }
    if (job.stream) finish_streaming();
}

// Checks and sums the weights of a block.
inline bool scan_weights(const Job& job, const Scratch& scratch, int64_t begin, int64_t n,
                         BlockResult& result) {
    if (!job.weight.data) return true;
    if (!job.narrow_weights) {
        if (!load_weights(job, begin, n, scratch.weight)) return false;
        sum_numbers(scratch.weight, n, result.weight_high, result.weight_low);
        return true;
    }
    float* const weight = reinterpret_cast<float*>(scratch.factor);
    load(job, job.weight, begin, n, weight);
    if (bad_weights(weight, n)) return false;
    sum_numbers(weight, n, result.weight_high, result.weight_low);
    return true;
}

template <class T>
void scan_map_block(const Job& job, const Scratch& scratch, int64_t block, BlockResult& result) {
    const fastloss_plan& plan = *job.plan;
    const int64_t begin = block * job.block_units, n = block_length(job, begin);
    if (!scan_weights(job, scratch, begin, n, result)) {
        result.status = FASTLOSS_BAD_WEIGHT;
        return;
    }
    if (!plan.in_place) return;
    load_weights(job, begin, n, scratch.weight);
    const void* in[FASTLOSS_MAX_INPUTS];
    if (!load_inputs<T>(job, scratch, begin, n, in)) result.status = FASTLOSS_BAD_INPUT;
}

}  // namespace
}  // namespace fastloss
