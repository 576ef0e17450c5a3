// Drives the C interface from many threads at once, for ThreadSanitizer: every kernel, thread
// counts and instruction sets that change, forks, and poll functions that do what they may. Every
// result must have the bits of a call that ran alone. Names no loss.
#include <fastloss.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                       \
        }                                                                   \
    } while (0)

constexpr int64_t map_units = 70'000, row_units = 7'000, row_classes = 10;
constexpr int64_t group_sizes = 20;  // groups of 1, 2, ... elements, and again
// Large enough for stores that bypass the cache.
constexpr int64_t large_units = 2'000'000;

using Bytes = std::vector<char>;

// Numbers between 0.2 and 0.8, which every domain but that of class indices holds.
template <class T>
Bytes numbers(int64_t count, uint32_t seed) {
    Bytes bytes(count * sizeof(T));
    for (int64_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        const T x = T(0.2) + T(0.6) * T(seed >> 8) / T(1 << 24);
        memcpy(&bytes[i * sizeof(T)], &x, sizeof(T));
    }
    return bytes;
}

// A call of one kernel with all its outputs.
class Call {
  public:
    Call(int kernel, int dtype, int64_t size) : kernel_(kernel), dtype_(dtype) {
        const fastloss_kernel& k = fastloss_kernels(dtype)[kernel];
        const bool rows = k.schema == FASTLOSS_ROW;
        units_ = size ? size : rows ? row_units : map_units;
        classes_ = rows ? row_classes : 1;
        for (int i = 0; i < k.inputs; ++i) {
            input_[i] = is_double() ? numbers<double>(units_ * classes_, i)
                                    : numbers<float>(units_ * classes_, i);
        }
        if (k.target == FASTLOSS_LABELS) {
            input_[1].assign(units_ * sizeof(int64_t), 0);
            for (int64_t i = 0; i < units_; ++i)
                input_[1][i * sizeof(int64_t)] = char(i % classes_);
        }
        for (int64_t end = 0, i = 0; end < units_; end += 1 + i++ % group_sizes) {
            offsets_.push_back(end);
        }
        offsets_.push_back(units_);
    }

    // Value, gradients and Hessians.
    Bytes run(int threads) const {
        Bytes results;
        if (of_groups()) {
            CHECK(run_groups(threads, results) == FASTLOSS_OK);
        } else {
            CHECK(run(threads, 1.0, results).status == FASTLOSS_OK);
        }
        return results;
    }

    // The lowest block with a number that is refused; callers check those of groups.
    int64_t refused(int threads) const {
        if (of_groups()) return 0;
        Bytes results;
        const Outcome outcome = run(threads, 0.799, results);
        CHECK(outcome.status == FASTLOSS_BAD_INPUT);
        return outcome.block;
    }

  private:
    struct Outcome {
        int status;
        int64_t block;
    };

    bool is_double() const { return dtype_ == FASTLOSS_FLOAT64; }
    bool of_groups() const {
        const int schema = fastloss_kernels(dtype_)[kernel_].schema;
        return schema != FASTLOSS_MAP && schema != FASTLOSS_ROW;
    }

    struct Parameters {
        float narrow[16];
        double wide[16];
        Parameters() {
            for (int i = 0; i < 16; ++i) narrow[i] = wide[i] = 0.5;
        }
        const void* of(bool is_double) const {
            return is_double ? static_cast<const void*>(wide) : narrow;
        }
    };

    Outcome run(int threads, double highest, Bytes& results) const {
        const fastloss_kernel& k = fastloss_kernels(dtype_)[kernel_];
        const int64_t item = is_double() ? sizeof(double) : sizeof(float);
        const int64_t stride = classes_ * item, size = units_ * stride;
        const Parameters parameters;
        fastloss_plan plan{};
        plan.schema = k.schema;
        plan.dtype = dtype_;
        plan.outputs = FASTLOSS_VALUE | FASTLOSS_GRAD | FASTLOSS_HESS;
        if (!k.block[plan.outputs]) plan.outputs = FASTLOSS_VALUE;
        plan.reduction = FASTLOSS_MEAN;
        plan.predictions = k.predictions;
        plan.inputs = k.inputs;
        plan.block = k.block[plan.outputs];
        plan.block_along = k.block_along[plan.outputs];
        plan.parameters = parameters.of(is_double());
        plan.ndim = 1;
        plan.threads = threads;
        plan.shape = &units_;
        plan.classes = classes_;
        plan.normalizer = __builtin_nan("");
        for (int i = 0; i < k.inputs; ++i) {
            plan.input[i] = {const_cast<char*>(input_[i].data()), &stride, item, dtype_};
            plan.domain[i] = {0, highest, 1, 0};
        }
        plan.target = k.target;
        plan.encoding = k.target == FASTLOSS_NUMBERS ? FASTLOSS_RANKS : FASTLOSS_CLASS;
        const int64_t label = sizeof(int64_t);
        if (k.target == FASTLOSS_NUMBERS) plan.input[1].strides = &item;
        if (k.target == FASTLOSS_LABELS) {
            plan.input[1] = {const_cast<char*>(input_[1].data()), &label, 0, FASTLOSS_INT64};
        }
        results.resize(sizeof(double) + 2 * k.predictions * size);
        char* out = results.data() + sizeof(double);
        const bool differentiates = plan.outputs & FASTLOSS_GRAD;
        for (int p = 0; differentiates && p < k.predictions; ++p, out += 2 * size) {
            plan.grad_out[p] = {out, &stride, item, dtype_};
            plan.hess_out[p] = {out + size, &stride, item, dtype_};
        }
        fastloss_result result;
        const int status = fastloss_run(&plan, &result);
        memcpy(results.data(), &result.value, sizeof(double));
        return {status, result.block};
    }

    int run_groups(int threads, Bytes& results) const {
        const fastloss_kernel& k = fastloss_kernels(dtype_)[kernel_];
        const int64_t size = units_ * int64_t(is_double() ? sizeof(double) : sizeof(float));
        const Parameters parameters;
        fastloss_groups_plan plan{};
        plan.schema = k.schema;
        plan.dtype = dtype_;
        plan.outputs = FASTLOSS_VALUE | FASTLOSS_GRAD | FASTLOSS_HESS;
        plan.reduction = FASTLOSS_MEAN;
        plan.block = k.block[plan.outputs];
        plan.parameters = parameters.of(is_double());
        plan.order = FASTLOSS_PREDICTION_DOWN;
        plan.unit = FASTLOSS_GROUPS;
        plan.most_ranks = units_;
        plan.groups = int64_t(offsets_.size()) - 1;
        plan.offsets = offsets_.data();
        plan.prediction = input_[0].data();
        plan.target = input_[1].data();
        plan.normalizer = __builtin_nan("");
        plan.threads = threads;
        results.resize(sizeof(double) + 2 * size);
        plan.grad_out = results.data() + sizeof(double);
        plan.hess_out = results.data() + sizeof(double) + size;
        fastloss_result result;
        const int status = fastloss_run_groups(&plan, &result);
        memcpy(results.data(), &result.value, sizeof(double));
        return status;
    }

    int kernel_, dtype_;
    int64_t units_, classes_;
    std::vector<int64_t> offsets_;  // of groups
    Bytes input_[FASTLOSS_MAX_INPUTS];
};

// A call and what it gives alone.
struct Case {
    Call call;
    Bytes expected;
    int64_t refused;

    Case(int kernel, int dtype, int64_t size)
        : call(kernel, dtype, size), expected(call.run(1)), refused(call.refused(1)) {}
    bool right(int threads) const {
        return call.run(threads) == expected && call.refused(threads) == refused;
    }
};

// Never destroyed: threads that outlive `main` use them.
std::vector<Case>& cases = *new std::vector<Case>;

// ---- long calls, and poll functions that do what they may

// Blocks of the last slow call that other threads than its caller ran.
std::atomic<int> blocks_of_workers;

void slow_block(int64_t n, int64_t, const void* const* in, const void* parameters,
                void* const* out) {
    if (!pthread_equal(pthread_self(), *static_cast<const pthread_t*>(parameters))) {
        ++blocks_of_workers;
    }
    memcpy(out[0], in[0], n * sizeof(float));
    timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1'000'000'000 + now.tv_nsec - start.tv_nsec < 50'000);
}

// The status of a call that lasts for several polls.
int run_slowly(int (*poll)(void*), void* context) {
    static float number = 0.5f;
    const int64_t units = 4000 * FASTLOSS_BLOCK, stride = 0;
    const pthread_t caller = pthread_self();
    blocks_of_workers = 0;
    fastloss_plan plan{};
    plan.schema = FASTLOSS_MAP;
    plan.dtype = FASTLOSS_FLOAT32;
    plan.outputs = FASTLOSS_VALUE;
    plan.reduction = FASTLOSS_MEAN;
    plan.predictions = plan.inputs = 1;
    plan.block = slow_block;
    plan.parameters = &caller;
    plan.ndim = 1;
    plan.threads = 3;
    plan.shape = &units;
    plan.classes = 1;
    plan.normalizer = __builtin_nan("");
    plan.poll = poll;
    plan.poll_context = context;
    plan.input[0] = {&number, &stride, 0, FASTLOSS_FLOAT32};
    fastloss_result result;
    const int status = fastloss_run(&plan, &result);
    CHECK(status == FASTLOSS_INTERRUPTED || result.value == number);
    return status;
}

// Poll functions act once workers take part.

int stop(void*) {
    return blocks_of_workers > 0;
}

int call_and_stop(void*) {
    CHECK(cases[0].right(2));
    return blocks_of_workers > 0;
}

int fork_once(void* context) {
    pid_t& child = *static_cast<pid_t*>(context);
    if (child == -1 && blocks_of_workers > 0) child = fork();
    return 0;
}

int end_thread(void*) {
    static int ended;
    if (blocks_of_workers > 0) pthread_exit(&ended);
    return 0;
}

void* run_until_thread_ends(void*) {
    run_slowly(end_thread, nullptr);
    return nullptr;
}

// Each of these returns whether workers took part in time.

bool run_whole() {
    CHECK(run_slowly(nullptr, nullptr) == FASTLOSS_OK);
    return blocks_of_workers > 0;
}

bool stop_early() {
    return run_slowly(stop, nullptr) == FASTLOSS_INTERRUPTED;
}

bool call_within() {
    return run_slowly(call_and_stop, nullptr) == FASTLOSS_INTERRUPTED;
}

// On a busy machine it may take some attempts.
void with_workers(bool (*use)()) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        if (use()) return;
    }
    CHECK(!"workers never take part");
}

void expect_child(pid_t child) {
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

bool fork_within() {
    pid_t child = -1;
    CHECK(run_slowly(fork_once, &child) == FASTLOSS_OK);
    if (child == -1) return false;
    if (child == 0) {
        with_workers(run_whole);
        _exit(0);
    }
    expect_child(child);
    return true;
}

bool end_thread_within() {
    const size_t size = 1 << 20;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void* const stack = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstack(&attributes, stack, size) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, run_until_thread_ends, nullptr) == 0);
    void* ended;
    CHECK(pthread_join(thread, &ended) == 0);
    CHECK(munmap(stack, size) == 0);
    const int blocks = blocks_of_workers;
    usleep(1000);
    CHECK(blocks_of_workers == blocks);
    return ended != nullptr;
}

void poll_functions() {
    for (auto use : {run_whole, stop_early, call_within, fork_within, end_thread_within}) {
        with_workers(use);
        with_workers(run_whole);
    }
}

// ---- callers

void all_cases(int first) {
    const int count = int(cases.size());
    for (int i = 0; i < count; ++i) {
        CHECK(cases[(first + i) % count].right((first + i) % 5));  // 0: as many as the process may
    }
}

void many_callers() {
    std::atomic<int> busy{4};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
        callers.emplace_back([&busy, i] {
            all_cases(i * int(cases.size()) / 4);
            --busy;
        });
    }
    const int best = fastloss_isa();
    for (int round = 0; busy.load() > 0; ++round) {
        fastloss_set_threads(round % 5);
        // the baseline may differ in the last bit
        CHECK(fastloss_set_isa(best > 1 ? best - round % 2 : best) == 0);
        if (round % 16 == 0) {
            const pid_t child = fork();
            if (child == 0) {
                const pid_t grandchild = fork();
                CHECK(cases[0].right(3));
                if (grandchild != 0) expect_child(grandchild);
                if (round == 16) with_workers(run_whole);
                _exit(0);
            }
            expect_child(child);
        }
        usleep(1000);
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(fastloss_set_isa(best) == 0);
    fastloss_set_threads(0);
}

}  // namespace

int main() {
    for (int kernel = 0; kernel < fastloss_kernel_count(); ++kernel) {
        for (int dtype : {FASTLOSS_FLOAT32, FASTLOSS_FLOAT64}) cases.emplace_back(kernel, dtype, 0);
    }
    all_cases(0);
    cases.emplace_back(0, FASTLOSS_FLOAT64, large_units);
    poll_functions();
    many_callers();
    printf("%zu calls by 4 threads at once\n", cases.size());
    fflush(stdout);
    // the process ends in the middle of calls
    std::thread([] {
        for (;;) all_cases(0);
    }).detach();
    usleep(20000);
    return 0;
}
