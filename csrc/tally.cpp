// The sums of a state, shared out to threads. They are exact, so that no share changes a bit.
#include "dispatch.hpp"
#include "exact_sum.hpp"
#include "threads.hpp"

#include <math.h>
#include <stdlib.h>
#include <string.h>

namespace fastloss {
namespace {

constexpr int64_t chunk_units = 1 << 15;

struct alignas(128) Share {
    fastloss_tally tally;
    ExactSum sum[FASTLOSS_SUMS];
};

struct Work {
    const void* value;
    const double* weight;
    int64_t units;
    const Kernels* kernels;
    Share* shares;
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
    Share& share = work.shares[worker];
    const int64_t begin = chunk * chunk_units;
    const int64_t end = begin + chunk_units < work.units ? begin + chunk_units : work.units;
    for (int64_t first = begin; first < end; first += tally_units) {
        const int64_t n = end - first;
        work.kernels->tally_block(work.value, work.weight, first, n < tally_units ? n : tally_units,
                                  share.tally, share.sum);
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
    Share* shares = static_cast<Share*>(aligned_alloc(128, threads * sizeof(Share)));
    if (!shares) return FASTLOSS_NO_MEMORY;
    memset(static_cast<void*>(shares), 0, threads * sizeof(Share));
    for (int i = 0; i < threads; ++i) shares[i].tally = empty();
    Work work{value, weight, units, &current_kernels(dtype == FASTLOSS_FLOAT64), shares};
    parallel_for(chunks, threads, run_chunk, &work, nullptr, nullptr);
    for (int i = 1; i < threads; ++i) {
        merge(shares[0].tally, shares[i].tally);
        for (int s = 0; s < FASTLOSS_SUMS; ++s) shares[0].sum[s].add(shares[i].sum[s]);
    }
    *to = shares[0].tally;
    for (int s = 0; s < FASTLOSS_SUMS; ++s) shares[0].sum[s].store(to->sum[s]);
    free(shares);
    return FASTLOSS_OK;
}
