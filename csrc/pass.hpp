// One pass over the blocks of a job: hands them to threads and adds their sums exactly.
#pragma once

#include <atomic>
#include <stdlib.h>
#include <string.h>

#include "exact_sum.hpp"
#include "scratch.hpp"
#include "stage.hpp"
#include "threads.hpp"

namespace fastloss {
namespace {

using BlockFunction = void (*)(const Job&, const Scratch&, int64_t, BlockResult&);

struct Sums {
    double value, weight;
};

struct alignas(128) Total {
    ExactSum value, weight;
};

// One pass over the blocks of a job.
struct Pass {
    const Job* job;
    BlockFunction function;
    bool staged;
    int64_t blocks_per_chunk;
    Total* totals;
    std::atomic<int64_t> bad_block;
    std::atomic<int> status;
};

// False where a block was refused.
bool run_blocks(Pass& pass, const Job& job, const Scratch& scratch, Total& total, int64_t first,
                int64_t last) {
    for (int64_t block = first; block < last; ++block) {
        if (block > pass.bad_block.load(std::memory_order_relaxed)) return false;
        BlockResult result{};
        pass.function(job, scratch, block, result);
        if (result.status != FASTLOSS_OK) {
            // the lowest bad block wins, whichever thread finds it
            int64_t lowest = pass.bad_block.load();
            while (block < lowest && !pass.bad_block.compare_exchange_weak(lowest, block)) {
            }
            return false;
        }
        total.value.add(result.value_high);
        total.value.add(result.value_low);
        if (!job.weighted) continue;
        total.weight.add(result.weight_high);
        total.weight.add(result.weight_low);
    }
    return true;
}

void run_chunk(void* context, int worker, int64_t chunk) {
    Pass& pass = *static_cast<Pass*>(context);
    const Job& job = *pass.job;
    char* const memory = arena().get(scratch_size(job));
    if (!memory) {
        pass.status.store(FASTLOSS_NO_MEMORY);
        return;
    }
    const Scratch scratch = lay_out(job, memory);
    const int64_t first = chunk * pass.blocks_per_chunk, end = first + pass.blocks_per_chunk;
    const int64_t last = end < job.blocks ? end : job.blocks;
    Total& total = pass.totals[worker];
    if (!pass.staged) {
        run_blocks(pass, job, scratch, total, first, last);
        return;
    }
    const int64_t begin = first * job.block_units, limit = last * job.block_units;
    const Stage stage(job, scratch, begin, (limit < job.units ? limit : job.units) - begin);
    if (run_blocks(pass, stage.job(), scratch, total, first, last)) stage.store();
}

// Runs one block where there is but one: nothing to share or to add.
int run_alone(const Job& job, BlockFunction function, Sums& sums, int64_t& bad_block) {
    char* const memory = arena().get(scratch_size(job));
    if (!memory) return FASTLOSS_NO_MEMORY;
    const Scratch scratch = lay_out(job, memory);
    BlockResult result{};
    function(job, scratch, bad_block, result);
    sums = {result.value_high + result.value_low, result.weight_high + result.weight_low};
    return result.status;
}

// The caller's poll function runs in the caller's floating-point environment.
struct Caller {
    const fastloss_plan* plan;
    FloatEnvironment* environment;
};

int poll_caller(void* context) {
    const Caller& caller = *static_cast<Caller*>(context);
    caller.environment->leave();
    const int status = caller.plan->poll(caller.plan->poll_context);
    caller.environment->enter();
    return status;
}

// Chunks for every thread to take several of, so that they end together.
int64_t blocks_per_chunk(const Job& job, int threads) {
    if (job.staged_blocks) return job.staged_blocks;
    const int64_t share = job.blocks / (int64_t(threads) * 8);
    return share < 1 ? 1 : (share > 32 ? 32 : share);
}

int run_pass(const Job& job, BlockFunction function, bool staged, int threads,
             FloatEnvironment& environment, Sums& sums, int64_t& bad_block) {
    bad_block = 0;
    if (job.blocks == 1) return run_alone(job, function, sums, bad_block);
    const fastloss_plan& plan = *job.plan;
    Total own;  // the caller's; those of workers are padded, and allocated
    Total* totals = &own;
    if (threads > 1) {
        totals = static_cast<Total*>(aligned_alloc(128, threads * sizeof(Total)));
        if (!totals) return FASTLOSS_NO_MEMORY;
        memset(static_cast<void*>(totals), 0, threads * sizeof(Total));
    }
    Pass pass{&job,   function,    staged,       blocks_per_chunk(job, threads),
              totals, {INT64_MAX}, {FASTLOSS_OK}};
    const int64_t chunks = (job.blocks + pass.blocks_per_chunk - 1) / pass.blocks_per_chunk;
    Caller caller{&plan, &environment};
    const int stopped =
        parallel_for(chunks, threads, run_chunk, &pass, plan.poll ? poll_caller : nullptr, &caller);
    for (int i = 1; i < threads; ++i) {
        totals[0].value.add(totals[i].value);
        totals[0].weight.add(totals[i].weight);
    }
    sums = {totals[0].value.value(), job.weighted ? totals[0].weight.value() : 0};
    if (threads > 1) free(totals);
    arena().trim();
    if (stopped) return FASTLOSS_INTERRUPTED;
    bad_block = pass.bad_block.load();
    if (bad_block == INT64_MAX) return pass.status.load();
    Sums unused;  // which kind of error the lowest block has: ask it again
    return run_alone(job, function, unused, bad_block);
}

}  // namespace
}  // namespace fastloss
