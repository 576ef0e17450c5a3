/* fastloss: the C interface of the core.
 *
 * Plain C types only and append-only: fields and functions are added at the end, never changed.
 * Shapes and strides are those of NumPy: strides in bytes, axes in C order.
 */
#ifndef FASTLOSS_H
#define FASTLOSS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FASTLOSS_ABI_VERSION 1
#define FASTLOSS_MAX_INPUTS 8
#define FASTLOSS_MAX_PREDICTIONS 4
#define FASTLOSS_MAX_NDIM 64

/* Samples in a block of the map schema; every sum has the shape that this number gives it. */
#define FASTLOSS_BLOCK 512
/* Block functions get n rounded up to a multiple of this; the surplus is padding. */
#define FASTLOSS_LANES 16

enum fastloss_dtype {
    FASTLOSS_BOOL,
    FASTLOSS_INT8,
    FASTLOSS_INT16,
    FASTLOSS_INT32,
    FASTLOSS_INT64,
    FASTLOSS_UINT8,
    FASTLOSS_UINT16,
    FASTLOSS_UINT32,
    FASTLOSS_UINT64,
    FASTLOSS_FLOAT16,
    FASTLOSS_BFLOAT16,
    FASTLOSS_FLOAT32,
    FASTLOSS_FLOAT64,
    FASTLOSS_DTYPES
};

enum fastloss_schema {
    FASTLOSS_MAP,
    FASTLOSS_ROW,
    /* losses of whole groups of elements, run by fastloss_run_groups */
    FASTLOSS_PAIR, /* pairs of a group's elements */
    FASTLOSS_LIST, /* a group is a row, by block_along of a row kernel */
    FASTLOSS_SCAN  /* a sorted group, walked there and back */
};

/* Outputs asked for, a bit each; the sum selects the variant of a kernel. */
enum fastloss_output { FASTLOSS_VALUE = 1, FASTLOSS_GRAD = 2, FASTLOSS_HESS = 4 };

enum fastloss_reduction { FASTLOSS_NONE, FASTLOSS_SUM, FASTLOSS_MEAN };

/* What the targets of rows are: masses of all classes, a class index, or one number. */
enum fastloss_target { FASTLOSS_MASSES, FASTLOSS_LABELS, FASTLOSS_NUMBERS };

/* What a row's block function gets for each class where targets are no masses.
 * Of class indices: CLASS, the index itself; ONE_HOT, a mass of 1 at the class; LEVELS, a mass of 1
 * at every class below the index, of which there is one more than classes; STEPS, 1 at the class
 * before the index and -1 at its own, likewise.
 * Of numbers: COLUMNS, the plan's constant of each class; RANKS, twice how many predictions of the
 * row lie farther out on their side of the number plus how many are equal. */
enum fastloss_encoding {
    FASTLOSS_CLASS,
    FASTLOSS_ONE_HOT,
    FASTLOSS_LEVELS,
    FASTLOSS_COLUMNS,
    FASTLOSS_RANKS,
    FASTLOSS_STEPS
};

enum fastloss_status {
    FASTLOSS_OK,
    FASTLOSS_BAD_LABEL,   /* a class index that is no class, in block `where` */
    FASTLOSS_BAD_WEIGHT,  /* a negative or not finite weight, in block `where` */
    FASTLOSS_BAD_INPUT,   /* a value outside an input's domain or out of order, in block `where` */
    FASTLOSS_INTERRUPTED, /* poll returned nonzero */
    FASTLOSS_NO_MEMORY
};

/* A block function: the formula's loop over contiguous buffers of the compute dtype.
 *
 * map: in = predictions, then the other inputs, `n` samples each (a multiple of FASTLOSS_LANES),
 *      then one number, the factor of gradients and Hessians; out = value, gradients, Hessians.
 *      `k` is 1.
 * row, across (class-major, `in[0][j * n + i]`) and along (row-major, `in[0][i * k + j]`):
 *      in = prediction, masses or null, labels (int64) or null, factor of each row's gradient,
 *      numbers or null;
 *      out = value of each row, gradient, Hessian. The gradient may be the prediction's own
 *      buffer.
 * There is memory for all outputs; those not asked for may be written or not.
 * pair, scan: in[0] is a GroupTask of csrc/group.hpp; the rest is null or 0. */
typedef void (*fastloss_block)(int64_t n, int64_t k, const void* const* in, const void* parameters,
                               void* const* out);

typedef struct fastloss_array {
    void* data;
    const int64_t* strides; /* one a unit axis */
    int64_t class_stride;   /* row schema: from one class to the next */
    int32_t dtype;
} fastloss_array;

/* Where an input's values may lie; a NaN lies in every domain. */
typedef struct fastloss_domain {
    double low, high; /* both included */
    int32_t checked;  /* 0: everything is allowed */
    int32_t discrete; /* only low and high themselves are allowed */
} fastloss_domain;

typedef struct fastloss_plan {
    /* what */
    int32_t schema;
    int32_t dtype;   /* the compute dtype, FASTLOSS_FLOAT32 or FASTLOSS_FLOAT64 */
    int32_t outputs; /* a sum of fastloss_output */
    int32_t reduction;
    int32_t predictions;        /* leading inputs that are differentiated */
    int32_t inputs;             /* predictions, target, extra inputs */
    fastloss_block block;       /* map; row: across */
    fastloss_block block_along; /* row; may be null, then `block` serves every width */
    const void* parameters;     /* of the compute dtype */
    /* where */
    int32_t ndim; /* unit axes */
    int32_t threads;
    const int64_t* shape; /* unit axes */
    int64_t classes;      /* row schema; 1 otherwise */
    fastloss_array input[FASTLOSS_MAX_INPUTS];
    fastloss_domain domain[FASTLOSS_MAX_INPUTS];
    fastloss_array weight; /* data null: every weight is 1 */
    /* data null: not asked for */
    fastloss_array value_out;
    fastloss_array grad_out[FASTLOSS_MAX_PREDICTIONS];
    fastloss_array hess_out[FASTLOSS_MAX_PREDICTIONS];
    int32_t in_place; /* an output is the prediction's own memory */
    int32_t target;   /* row schema: what input[1] holds */
    int32_t ignores;  /* ignore_index is set */
    int64_t ignore_index;
    const double* class_weight; /* null: none */
    double label_smoothing;
    /* mean: divide by this instead of the sum of the weights, unless NaN */
    double normalizer;
    /* called by the calling thread about every 20 ms; nonzero ends the call */
    int (*poll)(void*);
    void* poll_context;
    int32_t encoding;      /* row schema */
    const double* columns; /* FASTLOSS_COLUMNS: one number a class */
    /* row: block functions get predictions less the number above which those of their row add up
     * to 1 */
    int32_t above_threshold;
    /* map: the input that lies nowhere above another, and that one; both 0: none */
    int32_t ordered[2];
    /* map: not null where a gradient is summed instead of stored; two words a block, whose sum is
     * that of the block */
    double* grad_sums[FASTLOSS_MAX_PREDICTIONS];
} fastloss_plan;

typedef struct fastloss_result {
    double value;
    double weight_sum;
    int64_t block;      /* of the error */
    int64_t block_size; /* units a block */
} fastloss_result;

typedef struct fastloss_kernel {
    const char* name;
    int32_t schema;
    int32_t predictions;
    int32_t inputs;
    int32_t parameters;
    /* [outputs], null for outputs that it has not; row: across */
    fastloss_block block[8];
    fastloss_block block_along[8];
    int32_t target; /* row: a fastloss_target that it needs, MASSES where class indices do too */
} fastloss_kernel;

/* Runs a plan; returns a fastloss_status. Nothing is allocated but scratch memory. */
int fastloss_run(const fastloss_plan* plan, fastloss_result* result);
/* How many threads, and whether non-temporal stores: what fastloss_run would do. */
int fastloss_threads_for(const fastloss_plan* plan);
int fastloss_streams(const fastloss_plan* plan);
int64_t fastloss_block_units(const fastloss_plan* plan);

/* The order in which a group's elements are looked at; equal ones stay in theirs. */
enum fastloss_order {
    FASTLOSS_AS_GIVEN,
    FASTLOSS_TARGET_UP,
    FASTLOSS_TARGET_DOWN,
    FASTLOSS_PREDICTION_DOWN
};

/* What a mean divides by the weights of. */
enum fastloss_unit { FASTLOSS_GROUPS, FASTLOSS_PAIRS, FASTLOSS_EVENTS };

/* A call of a loss of groups. Arrays are contiguous; prediction, target, event and outputs are of
 * the compute dtype. Domains, weights and groups were checked by the caller. A gradient may be the
 * prediction's own memory. */
typedef struct fastloss_groups_plan {
    int32_t schema, dtype, outputs, reduction;
    fastloss_block block;
    const void* parameters;
    int32_t order;      /* a fastloss_order */
    int32_t ties;       /* scan: elements with equal targets are tied */
    int32_t unit;       /* a fastloss_unit */
    int32_t normalized; /* list: masses are divided by their sum */
    int64_t most_ranks; /* pair: one of each pair is among so many first elements */
    int64_t groups;
    const int64_t* offsets; /* where each group begins, and the end */
    const void* prediction;
    const void* target;
    const void* event;          /* scan: 0 or 1; null: every element is an event */
    const double* weight;       /* of the elements, 0: absent; null: 1 */
    const double* group_weight; /* null: 1 */
    double normalizer;          /* as in fastloss_plan */
    void* value_out; /* of each group; of each element where events are the unit; may be null */
    void* grad_out;
    void* hess_out;
    int32_t threads;
    int (*poll)(void*);
    void* poll_context;
} fastloss_groups_plan;

/* Runs it; returns FASTLOSS_OK, FASTLOSS_INTERRUPTED or FASTLOSS_NO_MEMORY. */
int fastloss_run_groups(const fastloss_groups_plan* plan, fastloss_result* result);
int fastloss_threads_for_groups(const fastloss_groups_plan* plan);

/* A sum of doubles that is not rounded: limb i counts units of 2^(32 i - 1074); all but the last
 * lie in [0, 2^32). What is not finite adds up beside it, to an infinity or NaN. */
#define FASTLOSS_LIMBS 67
typedef struct fastloss_exact {
    int64_t limb[FASTLOSS_LIMBS];
    double special;
} fastloss_exact;

/* What is counted of losses; units of weight 0 are absent. */
enum fastloss_count { FASTLOSS_USED, FASTLOSS_NAN, FASTLOSS_INFINITE, FASTLOSS_COUNTS };
/* What is summed; the loss is multiplied by the weight first, and rounded. */
enum fastloss_sum {
    FASTLOSS_LOSS,
    FASTLOSS_LOSS_SQUARED,
    FASTLOSS_WEIGHT, /* this and the following: where there are weights */
    FASTLOSS_WEIGHT_TIMES_LOSS,
    FASTLOSS_WEIGHT_SQUARED,
    FASTLOSS_SUMS
};
typedef struct fastloss_tally {
    int64_t count[FASTLOSS_COUNTS];
    int64_t first[FASTLOSS_COUNTS]; /* the lowest number of such a unit, -1 without one */
    double least, greatest;         /* of the losses that are not NaN */
    fastloss_exact sum[FASTLOSS_SUMS];
} fastloss_tally;

/* Counts and sums contiguous losses of float32 or float64, exactly: any partition of the units adds
 * up to the same. The weights are finite and >= 0; null: all are 1. Returns FASTLOSS_OK or
 * FASTLOSS_NO_MEMORY. */
int fastloss_tally_values(const void* loss, int dtype, const double* weight, int64_t units,
                          int threads, fastloss_tally* to);

/* Tallies of many segments: a record of int64 numbers for each, with the columns that some segment
 * has needed. The first three are numbers 0, 1 and 2 of every record. */
enum fastloss_segment_column {
    FASTLOSS_SEGMENT_USED,
    FASTLOSS_SEGMENT_LEAST, /* bits of doubles, at first infinite */
    FASTLOSS_SEGMENT_GREATEST,
    FASTLOSS_SEGMENT_SKIPPED, /* units of weight 0 */
    FASTLOSS_SEGMENT_NAN,
    FASTLOSS_SEGMENT_FIRST_NAN, /* where the count is not 0 */
    FASTLOSS_SEGMENT_INFINITE,
    FASTLOSS_SEGMENT_FIRST_INFINITE,
    FASTLOSS_SEGMENT_SPECIAL, /* of each sum: 1 had a NaN, 2 an infinity, 4 a negative one */
    /* of each sum: limb i counts units of 2^(32 i - 1074), and is of any sign and size */
    FASTLOSS_SEGMENT_LIMB = FASTLOSS_SEGMENT_SPECIAL + FASTLOSS_SUMS,
    FASTLOSS_SEGMENT_COLUMNS = FASTLOSS_SEGMENT_LIMB + FASTLOSS_SUMS * FASTLOSS_LIMBS
};
typedef struct fastloss_segments {
    int64_t* cells; /* `stride` of them for each segment */
    int64_t stride;
    const int16_t* place; /* of each column in a record; 0: absent */
} fastloss_segments;

/* Adds contiguous losses of float32 or float64, unit i to segment code[i] (int32 or int64), which
 * must exist. The weights are finite and >= 0; null: all are 1, and sums of weights are left alone.
 * Unit 0 is number `first`. Segments are shared out to so many threads; each begins with unit
 * done[thread], and stops where it needs an absent column: missing[column] is then set for all that
 * it will need. Returns how many threads stopped; call again with the columns and the same done. */
int fastloss_tally_segments(const void* loss, int dtype, const double* weight, const void* code,
                            int code_dtype, int64_t units, int64_t first,
                            const fastloss_segments* to, int threads, int64_t* done,
                            uint8_t* missing);

/* Adds contiguous losses as fastloss_tally_segments does, to records of all columns: faster for few
 * segments of many units. Limbs grow by less than 2^32 in size. A thread takes 11 KB for each
 * segment. Returns FASTLOSS_OK, or FASTLOSS_NO_MEMORY with nothing added. */
int fastloss_tally_few_segments(const void* loss, int dtype, const double* weight, const void* code,
                                int code_dtype, int64_t units, int64_t first, int64_t segments,
                                int threads, int64_t* records);

/* Kernels of the instruction set in use for a compute dtype, in the order of the list of losses. */
int fastloss_kernel_count(void);
const fastloss_kernel* fastloss_kernels(int dtype);

/* Instruction sets, slowest first: 0 baseline, 1 avx2, 2 avx512 (x86-64); 0 elsewhere. */
int fastloss_isa_count(void);
int fastloss_isa_supported(int isa);
const char* fastloss_isa_name(int isa);
int fastloss_isa(void);
/* Takes effect for kernels looked up later; returns -1 where the CPU lacks it. */
int fastloss_set_isa(int isa);

int fastloss_get_threads(void);
void fastloss_set_threads(int threads);

/* A loss of elements for other extensions; fastloss_function.h gets and calls it. Plain data: copy
 * it as you like. What `block` is stays as long as the process. */
typedef struct fastloss_function {
    fastloss_block block;
    int32_t dtype;         /* FASTLOSS_FLOAT32 or FASTLOSS_FLOAT64 */
    int32_t inputs;        /* predictions first, then the target, then others */
    int32_t predictions;   /* how many of them are differentiated */
    int32_t outputs;       /* the value, a gradient and a Hessian by each prediction; or 1 */
    double parameters[16]; /* memory for as many numbers of the dtype */
} fastloss_function;

/* What the capsule `fastloss._core.api` points to. */
typedef struct fastloss_api {
    int32_t version; /* FASTLOSS_ABI_VERSION */
    /* The function of a loss, a Python object; -1 with an exception set. Needs the interpreter. */
    int (*function)(void* loss, int32_t dtype, fastloss_function* to);
} fastloss_api;

#ifdef __cplusplus
}
#endif
#endif
