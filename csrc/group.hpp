// One group as its block function sees it. Shared by the orchestration and by every instruction
// set's objects, so plain data only.
#pragma once

#include <fastloss.h>

namespace fastloss {

// What block functions may read and write beyond the end of an array of n elements.
constexpr int64_t group_slack = FASTLOSS_LANES;

// Numbers of two words, one an element, whose sums are the results.
struct WordArray {
    double *high, *low;
};

struct GroupTask {
    int64_t n;  // elements that count, in the order that the plan asks for
    // pair: of the compute dtype
    const void *prediction, *target;
    const void* weight;  // null: 1
    const void* sorted;  // targets from the largest down, where pairs depend on ranks
    int64_t most_ranks;
    // scan: always float64
    const double *score, *event, *event_weight;  // event null: all are; event_weight null: 1
    const uint8_t* starts;                       // whether an element is the first of its tie
    double* values;                              // of each element's event; may be null
    char* scratch;
    // pair: every 2^20 pairs or so; whether the call is to end
    bool (*stop)(void* context);
    void* context;
    // results; arrays are there where outputs are asked for
    double value, value_low;
    WordArray grad, hess;
};

// Scratch memory of a block function, for arrays of elements and their slack.
constexpr int64_t pair_scratch_arrays = 7, scan_scratch_arrays = 10;

inline int64_t group_array_size(int64_t n) {
    return (n + 2 * group_slack) * int64_t(sizeof(double));
}

}  // namespace fastloss
