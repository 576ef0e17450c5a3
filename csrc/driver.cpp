// A call from its plan to its result: merges axes, decides on threads and stores, hands blocks to
// workers, adds their sums exactly. Names no loss.
#include <atomic>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatch.hpp"
#include "exact_sum.hpp"
#include "job.hpp"
#include "threads.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace fastloss {
namespace {

// Logits in a block of rows: its buffers fit the second-level cache.
constexpr int64_t row_block_size = 32768;
constexpr int64_t most_rows_in_block = 64;
// Beyond these, half as many rows across keep their columns in the first-level cache.
constexpr int64_t most_narrow_classes = 72;
// Elements that a second thread must save before it is woken.
constexpr int64_t serial_elements = 65536;
// Units of Fortran-ordered arrays that pass through buffers at once.
constexpr int64_t staged_rows = 64, fewest_staged = 16384, most_staged = 131072;
constexpr int64_t most_cache = 32 << 20;
// Below this, arrays are in the cache already or soon.
constexpr int64_t second_level_cache = 1 << 20;
// Between buffers, so that they do not share the low 12 bits of their addresses.
constexpr int64_t stagger = 320;

// Whether float32 holds every number of a dtype.
bool is_narrow(int dtype) {
    return dtype_size(dtype) <= 2 || dtype == FASTLOSS_FLOAT32;
}

int compute_index(const fastloss_plan& plan) {
    return plan.dtype == FASTLOSS_FLOAT64;
}

int output_count(const fastloss_plan& plan) {
    return 1 + 2 * plan.predictions;
}

int64_t unit_count(const fastloss_plan& plan) {
    int64_t units = 1;
    for (int axis = 0; axis < plan.ndim; ++axis) units *= plan.shape[axis];
    return units;
}

// A virtual machine reports the whole socket's cache, of which it has a slice: no more than
// most_cache of it counts.
int64_t find_last_level_cache() {
    const int64_t l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return l3 > 0 && l3 < most_cache ? l3 : most_cache;
}

// Found when the library is loaded: a fork in the middle of a first use would leave its child
// waiting for ever.
const int64_t last_level_cache = find_last_level_cache();

// Every array of a plan, in the order of a job's.
template <class Visit>
void for_arrays(const fastloss_plan& plan, Job& job, Visit visit) {
    for (int i = 0; i < plan.inputs; ++i) {
        // class indices have no class axis
        visit(plan.input[i], job.input[i], i == 0 || (i == 1 && !plan.labels));
    }
    visit(plan.weight, job.weight, false);
    visit(plan.value_out, job.output[0], false);
    for (int p = 0; p < plan.predictions; ++p) {
        visit(plan.grad_out[p], job.output[1 + p], true);
        visit(plan.hess_out[p], job.output[1 + plan.predictions + p], true);
    }
}

bool mergeable(const fastloss_plan& plan, Job& job, int outer, int inner) {
    bool all = true;
    for_arrays(plan, job, [&](const fastloss_array& array, Strided&, bool) {
        if (array.data && array.strides[outer] != array.strides[inner] * plan.shape[inner]) {
            all = false;
        }
    });
    return all;
}

// Drops axes of one unit and merges neighbours that every array steps through evenly.
void merge_axes(const fastloss_plan& plan, Job& job) {
    int innermost[FASTLOSS_MAX_NDIM];  // of each merged axis
    job.ndim = 0;
    for (int axis = 0; axis < plan.ndim; ++axis) {
        if (plan.shape[axis] == 1) continue;
        if (job.ndim > 0 && mergeable(plan, job, innermost[job.ndim - 1], axis)) {
            job.shape[job.ndim - 1] *= plan.shape[axis];
            innermost[job.ndim - 1] = axis;
        } else {
            job.shape[job.ndim] = plan.shape[axis];
            innermost[job.ndim++] = axis;
        }
    }
    const bool single = job.ndim == 0;
    if (single) job.shape[job.ndim++] = 1;
    const bool rows = plan.schema == FASTLOSS_ROW;
    const int64_t item = dtype_size(plan.dtype);
    for_arrays(plan, job, [&](const fastloss_array& from, Strided& to, bool classes) {
        to.data = static_cast<char*>(from.data);
        if (!from.data) return;
        to.dtype = from.dtype;
        to.class_stride = from.class_stride;
        to.classes_together = from.class_stride == dtype_size(from.dtype);
        const int64_t natural = rows && classes ? plan.classes * item : item;
        for (int axis = 0; axis < job.ndim; ++axis) {
            to.strides[axis] = single ? natural : from.strides[innermost[axis]];
        }
        to.rows_together = job.ndim == 1 && to.classes_together &&
                           to.strides[0] == plan.classes * dtype_size(from.dtype);
        to.direct = job.ndim == 1 && from.dtype == plan.dtype && to.strides[0] == natural &&
                    reinterpret_cast<uintptr_t>(from.data) % item == 0 &&
                    (!(rows && classes) || from.class_stride == item || plan.classes == 1);
        to.staged = !rows && job.ndim == 2 && from.dtype == plan.dtype && to.strides[0] == item &&
                    to.strides[1] > item && to.strides[1] % item == 0 &&
                    reinterpret_cast<uintptr_t>(from.data) % item == 0;
    });
}

// Units that pass through buffers at once: enough whole rows for whole cache lines of a column.
int64_t staged_units(int64_t columns) {
    const int64_t units = columns * staged_rows;
    return units < fewest_staged ? fewest_staged : (units > most_staged ? most_staged : units);
}

void stage_arrays(const fastloss_plan& plan, Job& job) {
    job.staged = false;
    for (int i = 0; i < plan.inputs; ++i) job.staged |= job.input[i].staged;
    for (int o = 0; o < output_count(plan); ++o) {
        job.staged |= job.output[o].data && job.output[o].staged;
    }
    job.chunk_blocks = job.staged ? staged_units(job.shape[1]) / FASTLOSS_BLOCK : 0;
}

int64_t row_block_units(int64_t classes) {
    const bool wide = classes > most_narrow_classes && classes <= most_classes_across;
    int64_t rows = wide ? most_rows_in_block / 2 : most_rows_in_block;
    while (rows > 1 && rows * classes > row_block_size) rows /= 2;
    return rows;
}

int64_t bytes_touched(const fastloss_plan& plan, int64_t units) {
    int64_t bytes = 0;
    Job job;
    for_arrays(plan, job, [&](const fastloss_array& array, Strided&, bool classes) {
        if (!array.data) return;
        const bool rows = plan.schema == FASTLOSS_ROW && classes;
        bytes += units * (rows ? plan.classes : 1) * dtype_size(array.dtype);
    });
    return bytes;
}

// Scratch memory that a thread keeps from call to call.
class Arena {
  public:
    ~Arena() { free(memory_); }
    char* get(int64_t size) {
        if (size > size_) {
            free(memory_);
            memory_ = static_cast<char*>(aligned_alloc(4096, (size + 4095) / 4096 * 4096));
            size_ = memory_ ? size : 0;
        }
        return memory_;
    }
    void trim() {
        if (size_ <= most_kept) return;
        free(memory_);
        memory_ = nullptr;
        size_ = 0;
    }

  private:
    static constexpr int64_t most_kept = 8 << 20;
    char* memory_ = nullptr;
    int64_t size_ = 0;
};

Arena& arena() {
    static thread_local Arena instance;
    return instance;
}

int64_t buffer_units(const Job& job) {
    return job.block_units < FASTLOSS_LANES ? FASTLOSS_LANES : job.block_units;
}

int64_t buffer_size(int64_t elements) {
    return (elements * int64_t(sizeof(double)) + 63) / 64 * 64 + stagger;
}

int64_t scratch_size(const Job& job) {
    const int64_t large = job.plan->inputs + 2 * job.plan->predictions, small = 4;
    const int64_t staged = job.staged ? job.plan->inputs + output_count(*job.plan) : 0;
    return large * buffer_size(buffer_units(job) * job.classes) +
           small * buffer_size(buffer_units(job)) +
           staged * buffer_size(job.chunk_blocks * FASTLOSS_BLOCK);
}

// Where AddressSanitizer watches, nobody may touch what lies between buffers.
void forbid([[maybe_unused]] char* gap) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(gap, stagger);
#endif
}

void allow([[maybe_unused]] char* memory, [[maybe_unused]] int64_t size) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(memory, size);
#endif
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
    scratch.factor = take(units);
    if (job.staged) {
        const int64_t chunk = job.chunk_blocks * FASTLOSS_BLOCK;
        for (int i = 0; i < job.plan->inputs; ++i) scratch.staged_input[i] = take(chunk);
        for (int o = 0; o < output_count(*job.plan); ++o) scratch.staged_output[o] = take(chunk);
    }
    return scratch;
}

// The units of a chunk in buffers, and the job that finds them there.
class Stage {
  public:
    Stage(const Job& job, const Scratch& scratch, int64_t begin, int64_t n)
        : from_(job), scratch_(scratch), begin_(begin), n_(n), job_(job) {
        const int dtype = compute_index(*job.plan);
        job_.prefetch = false;
        for (int i = 0; i < job.plan->inputs; ++i) {
            if (!job.input[i].staged) continue;
            current_isa().gather[dtype](job, job.input[i], begin, n, scratch.staged_input[i]);
            show(job_.input[i], scratch.staged_input[i]);
        }
        for (int o = 0; o < output_count(*job.plan); ++o) {
            if (!is_staged(o)) continue;
            job_.stream = false;
            show(job_.output[o], scratch.staged_output[o]);
        }
    }

    const Job& job() const { return job_; }

    void store() const {
        const int dtype = compute_index(*from_.plan);
        for (int o = 0; o < output_count(*from_.plan); ++o) {
            if (!is_staged(o)) continue;
            current_isa().scatter[dtype](from_, from_.output[o], begin_, n_,
                                         scratch_.staged_output[o]);
        }
    }

  private:
    bool is_staged(int o) const { return from_.output[o].data && from_.output[o].staged; }

    void show(Strided& array, char* buffer) const {
        const int64_t item = dtype_size(array.dtype);
        array.data = buffer - begin_ * item;
        array.strides[1] = item;
        array.strides[0] = from_.shape[1] * item;
        array.direct = true;
    }

    const Job& from_;
    const Scratch& scratch_;
    const int64_t begin_, n_;
    Job job_;
};

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
    if (job.chunk_blocks) return job.chunk_blocks;
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

bool any_domain(const fastloss_plan& plan) {
    for (int i = 0; i < plan.inputs; ++i) {
        if (plan.domain[i].checked) return true;
    }
    return false;
}

bool streams(const fastloss_plan& plan, int64_t bytes) {
    return !plan.in_place && bytes > last_level_cache / 4 * 3;
}

void prepare(const fastloss_plan& plan, Job& job) {
    job.plan = &plan;
    job.units = unit_count(plan);
    job.classes = plan.classes;
    job.along = plan.schema == FASTLOSS_ROW && plan.block_along &&
                (plan.classes > most_classes_across || !plan.block);
    job.block = job.along ? plan.block_along : plan.block;
    job.block_units = plan.schema == FASTLOSS_MAP ? FASTLOSS_BLOCK : row_block_units(plan.classes);
    job.blocks = (job.units + job.block_units - 1) / job.block_units;
    job.narrow_weights = plan.dtype == FASTLOSS_FLOAT32 && !plan.class_weight &&
                         (!plan.weight.data || is_narrow(plan.weight.dtype));
    job.weights_checked = false;
    job.weighted = plan.weight.data || plan.ignores || plan.class_weight;
    const bool large = job.units * job.classes >= serial_elements;
    const int64_t bytes = large ? bytes_touched(plan, job.units) : 0;
    job.stream = streams(plan, bytes);
    job.prefetch = bytes > second_level_cache;
    merge_axes(plan, job);
    stage_arrays(plan, job);
}

}  // namespace
}  // namespace fastloss

using namespace fastloss;

int fastloss_threads_for(const fastloss_plan* plan) {
    const int64_t elements = unit_count(*plan) * plan->classes;
    const int64_t most = elements / (serial_elements / 2);
    int threads = plan->threads > 0 ? plan->threads : get_threads();
    if (elements < serial_elements) threads = 1;
    if (threads > most) threads = most < 1 ? 1 : int(most);
    return threads < maximum_threads ? threads : maximum_threads;
}

int fastloss_streams(const fastloss_plan* plan) {
    return streams(*plan, bytes_touched(*plan, unit_count(*plan)));
}

int64_t fastloss_block_units(const fastloss_plan* plan) {
    return plan->schema == FASTLOSS_MAP ? FASTLOSS_BLOCK : row_block_units(plan->classes);
}

int fastloss_run(const fastloss_plan* plan, fastloss_result* result) {
    FloatEnvironment environment;
    const bool mean = plan->reduction == FASTLOSS_MEAN;
    const bool given = plan->normalizer == plan->normalizer;
    Job job;
    prepare(*plan, job);
    result->block_size = job.block_units;
    result->value = mean && !given ? NAN : 0;
    result->weight_sum = 0;
    if (job.units == 0) return FASTLOSS_OK;

    const Isa& isa = current_isa();
    const int dtype = compute_index(*plan), threads = fastloss_threads_for(plan);
    Sums sums{};
    const bool sums_first = mean && !given && job.weighted;
    if (plan->labels || sums_first ||
        (plan->in_place && (any_domain(*plan) || plan->weight.data))) {
        const int status = run_pass(job, isa.scan_block[dtype][plan->schema], false, threads,
                                    environment, sums, result->block);
        if (status != FASTLOSS_OK) return status;
        job.weights_checked = true;
    }
    result->weight_sum = job.weighted ? sums.weight : double(job.units);
    const double denominator = !mean ? 1 : given ? plan->normalizer : result->weight_sum;
    // a mean over nothing: no unit counts, so no gradient is selected
    job.scale = denominator == 0 ? 0 : 1 / denominator;
    const int status = run_pass(job, isa.run_block[dtype][plan->schema], job.staged, threads,
                                environment, sums, result->block);
    if (status != FASTLOSS_OK) return status;
    result->value = !mean ? sums.value : denominator == 0 ? NAN : sums.value / denominator;
    return FASTLOSS_OK;
}

int fastloss_get_threads(void) {
    return get_threads();
}
void fastloss_set_threads(int threads) {
    set_threads(threads);
}
