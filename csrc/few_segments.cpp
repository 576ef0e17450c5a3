// Tallies of few segments: a thread gathers the units of each, and tallies them block by block.
#include "dispatch.hpp"
#include "exact_sum.hpp"
#include "threads.hpp"

#include <math.h>
#include <stdlib.h>
#include <string.h>

namespace fastloss {
namespace {

constexpr int64_t chunk_units = 1 << 15;

struct alignas(128) Segment {
    fastloss_tally tally;
    ExactSum sum[FASTLOSS_SUMS];
    int64_t skipped;
    int gathered;
    alignas(64) double weight[tally_units];
    alignas(64) unsigned char loss[tally_units * sizeof(double)];
};

struct FewTask {
    const void* loss;
    const double* weight;
    const void* code;
    int64_t units, segments;
    bool wide_loss, wide_code;
    const Kernels* kernels;
    Segment* of_threads;
};

void begin(Segment& segment) {
    segment.tally = fastloss_tally{};
    segment.tally.least = INFINITY;
    segment.tally.greatest = -INFINITY;
    for (ExactSum& sum : segment.sum) sum = ExactSum();
    segment.skipped = 0;
    segment.gathered = 0;
}

void tally_gathered(const FewTask& task, Segment& segment) {
    int64_t& used = segment.tally.count[FASTLOSS_USED];
    const int64_t before = used;
    task.kernels->tally_block(segment.loss, task.weight ? segment.weight : nullptr, 0,
                              segment.gathered, segment.tally, segment.sum);
    segment.skipped += segment.gathered - (used - before);
    segment.gathered = 0;
}

template <class T, class Code>
void gather(const FewTask& task, Segment* segments, int64_t begin, int64_t end) {
    const T* loss = static_cast<const T*>(task.loss);
    const Code* code = static_cast<const Code*>(task.code);
    const double* weight = task.weight;
    for (int64_t i = begin; i < end; ++i) {
        Segment& to = segments[code[i]];
        const int place = to.gathered;
        reinterpret_cast<T*>(to.loss)[place] = loss[i];
        if (weight) to.weight[place] = weight[i];
        to.gathered = place + 1;
        if (to.gathered == tally_units) tally_gathered(task, to);
    }
}

void run_few(void* context, int worker, int64_t chunk) {
    const FewTask& task = *static_cast<FewTask*>(context);
    Segment* segments = task.of_threads + worker * task.segments;
    const int64_t begin = chunk * chunk_units;
    const int64_t end = begin + chunk_units < task.units ? begin + chunk_units : task.units;
    if (task.wide_loss) {
        task.wide_code ? gather<double, int64_t>(task, segments, begin, end)
                       : gather<double, int32_t>(task, segments, begin, end);
    } else {
        task.wide_code ? gather<float, int64_t>(task, segments, begin, end)
                       : gather<float, int32_t>(task, segments, begin, end);
    }
}

void merge(Segment& to, const Segment& from) {
    for (int i = 0; i < FASTLOSS_COUNTS; ++i) to.tally.count[i] += from.tally.count[i];
    if (from.tally.least < to.tally.least) to.tally.least = from.tally.least;
    if (from.tally.greatest > to.tally.greatest) to.tally.greatest = from.tally.greatest;
    for (int i = 0; i < FASTLOSS_SUMS; ++i) to.sum[i].add(from.sum[i]);
    to.skipped += from.skipped;
}

// Adds digits of the sum's sign: a small negative sum needs as few limbs as a positive one.
void add_limbs(const fastloss_exact& sum, int64_t* limb) {
    const bool negative = sum.limb[FASTLOSS_LIMBS - 1] < 0;
    int64_t carry = 0;
    for (int i = 0; i < FASTLOSS_LIMBS; ++i) {
        const bool last = i == FASTLOSS_LIMBS - 1;
        const int64_t digits = (negative ? -sum.limb[i] : sum.limb[i]) + carry;
        const int64_t kept = last ? digits : digits & 0xFFFFFFFF;
        carry = digits >> 32;
        limb[i] += negative ? -kept : kept;
    }
}

void add_to(int64_t* record, Segment& segment) {
    const fastloss_tally& tally = segment.tally;
    record[FASTLOSS_SEGMENT_USED] += tally.count[FASTLOSS_USED];
    record[FASTLOSS_SEGMENT_SKIPPED] += segment.skipped;
    double least, greatest;
    memcpy(&least, record + FASTLOSS_SEGMENT_LEAST, sizeof least);
    memcpy(&greatest, record + FASTLOSS_SEGMENT_GREATEST, sizeof greatest);
    if (tally.least < least) memcpy(record + FASTLOSS_SEGMENT_LEAST, &tally.least, sizeof least);
    if (tally.greatest > greatest) {
        memcpy(record + FASTLOSS_SEGMENT_GREATEST, &tally.greatest, sizeof greatest);
    }
    for (int i = 0; i < FASTLOSS_SUMS; ++i) {
        fastloss_exact sum;
        segment.sum[i].store(sum);
        const double special = sum.special;
        record[FASTLOSS_SEGMENT_SPECIAL + i] |= special == 0         ? 0
                                                : special != special ? 1
                                                : special > 0        ? 2
                                                                     : 4;
        add_limbs(sum, record + FASTLOSS_SEGMENT_LIMB + i * FASTLOSS_LIMBS);
    }
}

// Blocks do not know the numbers of what they hold.
template <class T, class Code>
void count_special(const FewTask& task, int64_t first, int64_t* records) {
    const T* loss = static_cast<const T*>(task.loss);
    const Code* code = static_cast<const Code*>(task.code);
    for (int64_t i = 0; i < task.units; ++i) {
        if (loss[i] - loss[i] == 0 || (task.weight && task.weight[i] == 0)) continue;
        int64_t* count = records + code[i] * FASTLOSS_SEGMENT_COLUMNS +
                         (loss[i] != loss[i] ? FASTLOSS_SEGMENT_NAN : FASTLOSS_SEGMENT_INFINITE);
        if (count[0] == 0 || first + i < count[1]) count[1] = first + i;
        ++count[0];
    }
}

}  // namespace
}  // namespace fastloss

using namespace fastloss;

int fastloss_tally_few_segments(const void* loss, int dtype, const double* weight, const void* code,
                                int code_dtype, int64_t units, int64_t first, int64_t segments,
                                int threads, int64_t* records) {
    FloatEnvironment environment;
    const int64_t chunks = (units + chunk_units - 1) / chunk_units;
    if (threads > chunks) threads = int(chunks);
    if (threads > maximum_threads) threads = maximum_threads;
    if (threads < 1) threads = 1;
    void* memory = aligned_alloc(alignof(Segment), threads * segments * sizeof(Segment));
    if (!memory) return FASTLOSS_NO_MEMORY;
    Segment* of_threads = static_cast<Segment*>(memory);
    for (int64_t i = 0; i < threads * segments; ++i) begin(of_threads[i]);
    FewTask task{loss,
                 weight,
                 code,
                 units,
                 segments,
                 dtype == FASTLOSS_FLOAT64,
                 code_dtype == FASTLOSS_INT64,
                 &current_kernels(dtype == FASTLOSS_FLOAT64),
                 of_threads};
    parallel_for(chunks, threads, run_few, &task, nullptr, nullptr);
    int64_t special = 0;
    for (int64_t s = 0; s < segments; ++s) {
        for (int thread = 0; thread < threads; ++thread) {
            Segment& from = of_threads[thread * segments + s];
            if (from.gathered) tally_gathered(task, from);
            if (thread) merge(of_threads[s], from);
        }
        const int64_t* count = of_threads[s].tally.count;
        special += count[FASTLOSS_NAN] + count[FASTLOSS_INFINITE];
        add_to(records + s * FASTLOSS_SEGMENT_COLUMNS, of_threads[s]);
    }
    if (special && task.wide_loss) {
        task.wide_code ? count_special<double, int64_t>(task, first, records)
                       : count_special<double, int32_t>(task, first, records);
    } else if (special) {
        task.wide_code ? count_special<float, int64_t>(task, first, records)
                       : count_special<float, int32_t>(task, first, records);
    }
    free(memory);
    return FASTLOSS_OK;
}
