// The sums of a state, shared out to threads. They are exact, so that no subtotal changes a bit.
#include "dispatch.hpp"
#include "exact_sum.hpp"
#include "threads.hpp"

#include <math.h>
#include <stdlib.h>
#include <string.h>

namespace fastloss {
namespace {

constexpr int64_t chunk_units = 1 << 15;

struct alignas(128) Subtotal {
    fastloss_tally tally;
    ExactSum sum[FASTLOSS_SUMS];
};

struct Work {
    const void* value;
    const double* weight;
    int64_t units;
    const Kernels* kernels;
    Subtotal* subtotals;
};

fastloss_tally empty() {
    fastloss_tally tally{};
    for (int64_t& row : tally.first) row = -1;
    tally.least = INFINITY;
    tally.greatest = -INFINITY;
    return tally;
}

void run_chunk(void* context, int worker, int64_t chunk) {
    const Work& work = *static_cast<Work*>(context);
    Subtotal& subtotal = work.subtotals[worker];
    const int64_t begin = chunk * chunk_units;
    const int64_t end = begin + chunk_units < work.units ? begin + chunk_units : work.units;
    for (int64_t first = begin; first < end; first += tally_units) {
        const int64_t n = end - first;
        work.kernels->tally_block(work.value, work.weight, first, n < tally_units ? n : tally_units,
                                  subtotal.tally, subtotal.sum);
    }
}

void merge(fastloss_tally& to, const fastloss_tally& from) {
    for (int i = 0; i < FASTLOSS_COUNTS; ++i) {
        to.count[i] += from.count[i];
        const bool earlier = to.first[i] < 0 || from.first[i] < to.first[i];
        if (from.first[i] >= 0 && earlier) to.first[i] = from.first[i];
    }
    if (from.least < to.least) to.least = from.least;
    if (from.greatest > to.greatest) to.greatest = from.greatest;
}

}  // namespace
}  // namespace fastloss

using namespace fastloss;

int fastloss_tally_values(const void* value, int dtype, const double* weight, int64_t units,
                          int threads, fastloss_tally* to) {
    FloatEnvironment environment;
    const int64_t chunks = (units + chunk_units - 1) / chunk_units;
    if (threads > chunks) threads = int(chunks);
    if (threads > maximum_threads) threads = maximum_threads;
    if (threads < 1) threads = 1;
    Subtotal* subtotals = static_cast<Subtotal*>(aligned_alloc(128, threads * sizeof(Subtotal)));
    if (!subtotals) return FASTLOSS_NO_MEMORY;
    memset(static_cast<void*>(subtotals), 0, threads * sizeof(Subtotal));
    for (int i = 0; i < threads; ++i) subtotals[i].tally = empty();
    Work work{value, weight, units, &current_kernels(dtype == FASTLOSS_FLOAT64), subtotals};
    parallel_for(chunks, threads, run_chunk, &work, nullptr, nullptr);
    for (int i = 1; i < threads; ++i) {
        merge(subtotals[0].tally, subtotals[i].tally);
        for (int s = 0; s < FASTLOSS_SUMS; ++s) subtotals[0].sum[s].add(subtotals[i].sum[s]);
    }
    *to = subtotals[0].tally;
    for (int s = 0; s < FASTLOSS_SUMS; ++s) subtotals[0].sum[s].store(to->sum[s]);
    free(subtotals);
    return FASTLOSS_OK;
}
