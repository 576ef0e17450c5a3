# The C interface of the core, for `cimport fastloss.fastloss`.
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t

cdef extern from "fastloss.h" nogil:
    enum: FASTLOSS_ABI_VERSION
    enum: FASTLOSS_BLOCK
    enum: FASTLOSS_MAX_INPUTS
    enum: FASTLOSS_MAX_PREDICTIONS
    enum: FASTLOSS_FLOAT16
    enum: FASTLOSS_BFLOAT16
    enum: FASTLOSS_FLOAT32
    enum: FASTLOSS_FLOAT64
    enum: FASTLOSS_MAP
    enum: FASTLOSS_ROW
    enum: FASTLOSS_PAIR
    enum: FASTLOSS_LIST
    enum: FASTLOSS_SCAN
    enum: FASTLOSS_VALUE
    enum: FASTLOSS_GRAD
    enum: FASTLOSS_HESS
    enum: FASTLOSS_NONE
    enum: FASTLOSS_SUM
    enum: FASTLOSS_MEAN
    enum: FASTLOSS_CLASS
    enum: FASTLOSS_ONE_HOT
    enum: FASTLOSS_LEVELS
    enum: FASTLOSS_COLUMNS
    enum: FASTLOSS_RANKS
    enum: FASTLOSS_STEPS
    enum: FASTLOSS_MASSES
    enum: FASTLOSS_LABELS
    enum: FASTLOSS_NUMBERS
    enum: FASTLOSS_AS_GIVEN
    enum: FASTLOSS_TARGET_UP
    enum: FASTLOSS_TARGET_DOWN
    enum: FASTLOSS_PREDICTION_DOWN
    enum: FASTLOSS_GROUPS
    enum: FASTLOSS_PAIRS
    enum: FASTLOSS_EVENTS
    enum: FASTLOSS_OK
    enum: FASTLOSS_INTERRUPTED
    enum: FASTLOSS_NO_MEMORY

    ctypedef void (*fastloss_block)(int64_t n, int64_t k, const void *const *inputs,
                                    const void *parameters, void *const *outputs) noexcept

    ctypedef struct fastloss_array:
        void *data
        const int64_t *strides
        int64_t class_stride
        int32_t dtype

    ctypedef struct fastloss_domain:
        double low
        double high
        int32_t checked
        int32_t discrete

    ctypedef struct fastloss_plan:
        int32_t schema
        int32_t dtype
        int32_t outputs
        int32_t reduction
        int32_t predictions
        int32_t inputs
        fastloss_block block
        fastloss_block block_along
        const void *parameters
        int32_t ndim
        int32_t threads
        const int64_t *shape
        int64_t classes
        fastloss_array input[8]
        fastloss_domain domain[8]
        fastloss_array weight
        fastloss_array value_out
        fastloss_array grad_out[4]
        fastloss_array hess_out[4]
        int32_t in_place
        int32_t target
        int32_t ignores
        int64_t ignore_index
        const double *class_weight
        double label_smoothing
        double normalizer
        int (*poll)(void *) noexcept
        void *poll_context
        int32_t encoding
        const double *columns
        int32_t above_threshold
        int32_t ordered[2]
        double *grad_sums[4]

    ctypedef struct fastloss_result:
        double value
        double weight_sum
        int64_t block
        int64_t block_size

    ctypedef struct fastloss_kernel:
        const char *name
        int32_t schema
        int32_t predictions
        int32_t inputs
        int32_t parameters
        fastloss_block block[8]
        fastloss_block block_along[8]

    ctypedef struct fastloss_groups_plan:
        int32_t schema
        int32_t dtype
        int32_t outputs
        int32_t reduction
        fastloss_block block
        const void *parameters
        int32_t order
        int32_t ties
        int32_t unit
        int32_t normalized
        int64_t most_ranks
        int64_t groups
        const int64_t *offsets
        const void *prediction
        const void *target
        const void *event
        const double *weight
        const double *group_weight
        double normalizer
        void *value_out
        void *grad_out
        void *hess_out
        int32_t threads
        int (*poll)(void *) noexcept
        void *poll_context

    int fastloss_run_groups(const fastloss_groups_plan *plan, fastloss_result *result)
    int fastloss_threads_for_groups(const fastloss_groups_plan *plan)
    int fastloss_run(const fastloss_plan *plan, fastloss_result *result)
    int fastloss_threads_for(const fastloss_plan *plan)
    int fastloss_streams(const fastloss_plan *plan)
    int64_t fastloss_block_units(const fastloss_plan *plan)
    enum: FASTLOSS_LIMBS

    ctypedef struct fastloss_exact:
        int64_t limb[67]
        double special

    enum: FASTLOSS_USED, FASTLOSS_NAN, FASTLOSS_INFINITE, FASTLOSS_SUMS

    ctypedef struct fastloss_tally:
        int64_t count[3]
        int64_t first[3]
        double least
        double greatest
        fastloss_exact sum[5]

    int fastloss_tally_values(const void *loss, int dtype, const double *weight, int64_t units,
                              int threads, fastloss_tally *to) nogil

    ctypedef struct fastloss_segments:
        int64_t *cells
        int64_t stride
        const int16_t *place

    int fastloss_tally_segments(const void *loss, int dtype, const double *weight,
                                const void *code, int code_dtype, int64_t units, int64_t first,
                                const fastloss_segments *to, int threads, int64_t *done,
                                uint8_t *missing) nogil
    int fastloss_tally_few_segments(const void *loss, int dtype, const double *weight,
                                    const void *code, int code_dtype, int64_t units,
                                    int64_t first, int64_t segments, int threads,
                                    int64_t *records) nogil
    int fastloss_kernel_count()
    const fastloss_kernel *fastloss_kernels(int dtype)
    int fastloss_isa_count()
    int fastloss_isa_supported(int isa)
    const char *fastloss_isa_name(int isa)
    int fastloss_isa()
    int fastloss_set_isa(int isa)
    int fastloss_get_threads()
    void fastloss_set_threads(int threads)

    ctypedef struct fastloss_function:
        fastloss_block block
        int32_t dtype
        int32_t inputs
        int32_t predictions
        int32_t outputs
        double parameters[16]

    ctypedef struct fastloss_api:
        int32_t version
        int (*function)(void *loss, int32_t dtype, fastloss_function *to) except -1
