// Buffers of a block in scratch memory.
#pragma once

#include "arena.hpp"
#include "job.hpp"

namespace fastloss {
namespace {

int64_t buffer_units(const Job& job) {
    return job.block_units < FASTLOSS_LANES ? FASTLOSS_LANES : job.block_units;
}

int64_t buffer_size(int64_t elements) {
    return (elements * int64_t(sizeof(double)) + 63) / 64 * 64 + stagger;
}

int64_t scratch_size(const Job& job) {
    const int64_t large = job.plan->inputs + 2 * job.plan->predictions, small = 5;
    const int64_t staged = job.plan->inputs + output_count(*job.plan);
    return large * buffer_size(buffer_units(job) * job.classes) +
           small * buffer_size(buffer_units(job)) +
           (job.staged_blocks ? staged * buffer_size(job.staged_blocks * FASTLOSS_BLOCK) : 0);
}

Scratch lay_out(const Job& job, char* memory) {
    allow(memory, scratch_size(job));
    const auto take = [&](int64_t elements) {
        char* const at = memory;
        memory += buffer_size(elements);
        forbid(memory - stagger);
        return at;
    };
    const int64_t units = buffer_units(job), size = units * job.classes;
    Scratch scratch;
    for (int i = 0; i < job.plan->inputs; ++i) scratch.input[i] = take(size);
    for (int o = 1; o < output_count(*job.plan); ++o) scratch.output[o] = take(size);
    scratch.output[0] = take(units);
    scratch.weight = reinterpret_cast<double*>(take(units));
    scratch.labels = reinterpret_cast<int64_t*>(take(units));
    scratch.number = take(units);
    scratch.factor = take(units);
    if (job.staged_blocks) {
        const int64_t chunk = job.staged_blocks * FASTLOSS_BLOCK;
        for (int i = 0; i < job.plan->inputs; ++i) scratch.staged_input[i] = take(chunk);
        for (int o = 0; o < output_count(*job.plan); ++o) scratch.staged_output[o] = take(chunk);
    }
    return scratch;
}

}  // namespace
}  // namespace fastloss
