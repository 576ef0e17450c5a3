// One call as its workers see it. Shared by the orchestration and by every instruction set's
// objects, so plain data only.
#pragma once

#include <fastloss.h>

namespace fastloss {

class ExactSum;

inline int64_t dtype_size(int dtype) {
    constexpr int8_t sizes[FASTLOSS_DTYPES] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8};
    return sizes[dtype];
}

// Rows of more classes than this go row by row, the others across rows.
constexpr int64_t most_classes_across = 128;

// Losses that a state looks at together: a sum of so many multiples of a step is exact.
constexpr int tally_units = 512;

// An array over the units of a job, its axes merged where every array of the job allows it.
struct Strided {
    char* data;
    int64_t class_stride;
    int32_t dtype;
    bool rows_together;     // contiguous, whatever the dtype
    bool classes_together;  // the classes of a row lie side by side
    bool staged;            // Fortran-ordered: many blocks at once pass through a buffer
    bool direct;            // contiguous, aligned and of the compute dtype: used where it lies
    int64_t strides[FASTLOSS_MAX_NDIM];
};

constexpr int max_outputs = 1 + 2 * FASTLOSS_MAX_PREDICTIONS;

// Which of the tables of an instruction set: [float32, float64].
inline int compute_index(const fastloss_plan& plan) {
    return plan.dtype == FASTLOSS_FLOAT64;
}

// Value, gradients, Hessians.
inline int output_count(const fastloss_plan& plan) {
    return 1 + 2 * plan.predictions;
}

struct Job {
    const fastloss_plan* plan;
    fastloss_block block;
    bool along;     // row schema: row by row, not across rows
    bool stream;    // large outputs bypass the cache
    bool prefetch;  // the arrays exceed the second-level cache
    int ndim;
    int64_t shape[FASTLOSS_MAX_NDIM];
    int64_t units, classes, block_units, blocks;
    Strided input[FASTLOSS_MAX_INPUTS];
    Strided weight;
    Strided output[max_outputs];  // value, gradients, Hessians
    int64_t staged_blocks;        // that pass through buffers at once; 0: no array is staged
    bool weighted;                // some unit may have another weight than 1
    bool narrow_weights;          // of at most as many digits as float32, and so are the values
    bool weights_checked;         // a scan has found them finite and not negative
    double scale;                 // of gradients and Hessians
};

// Scratch memory of one worker; every buffer starts a few lines off its neighbours so that no two
// of them share the low 12 bits of their addresses.
struct Scratch {
    char* input[FASTLOSS_MAX_INPUTS];
    char* output[max_outputs];
    double* weight;  // of each unit; times its class weight after the labels were read
    int64_t* labels;
    char* number;                             // the target of each row
    char* factor;                             // of each unit's gradient
    char* staged_input[FASTLOSS_MAX_INPUTS];  // of a chunk of blocks
    char* staged_output[max_outputs];
};

// What a worker reports of one block. Sums are two words, to be added exactly.
struct BlockResult {
    double value_high, value_low;
    double weight_high, weight_low;
    fastloss_status status;
};

// What the object of an instruction set and a compute dtype exports.
struct Kernels {
    const fastloss_kernel* kernels;
    int count;
    // [schema]
    void (*run_block[2])(const Job&, const Scratch&, int64_t block, BlockResult&);
    // before anything is written: class indices, weights, domains; sums the weights
    void (*scan_block[2])(const Job&, const Scratch&, int64_t block, BlockResult&);
    // units of a staged array to and from a contiguous buffer
    void (*gather)(const Job&, const Strided&, int64_t begin, int64_t n, char* buffer);
    void (*scatter)(const Job&, const Strided&, int64_t begin, int64_t n, const char* buffer);
    // adds at most tally_units to what a state keeps
    void (*tally_block)(const void* values, const double* weights, int64_t first, int64_t n,
                        fastloss_tally&, ExactSum*);
};

}  // namespace fastloss
