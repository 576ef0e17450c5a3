// A call of a loss of groups: gathers each group's elements that count in the order asked for, runs
// its block function and puts the results where they belong. Groups are shared among threads; sums
// between them are exact. Names no loss.
#include <atomic>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.hpp"
#include "exact_sum.hpp"
#include "group.hpp"
#include "sort.hpp"
#include "threads.hpp"

namespace fastloss {
namespace {

// Elements of the groups that a thread takes at once; work, in elements, worth a second thread.
constexpr int64_t elements_in_chunk = 2048, fewest_shared = 1 << 15;
constexpr int64_t nanoseconds_to_poll = 20000000;

struct alignas(128) GroupTotal {
    ExactSum value, weight;
};

struct GroupCall {
    const fastloss_groups_plan* plan;
    FloatEnvironment* environment;
    GroupTotal* totals;
    bool weighs;  // a pass that sums the units' weights alone
    double scale;
    std::atomic<int> status;
};

double group_weight(const fastloss_groups_plan& plan, int64_t group) {
    return plan.group_weight ? plan.group_weight[group] : 1;
}

bool counts(const fastloss_groups_plan& plan, int64_t element) {
    return !plan.weight || plan.weight[element] != 0;
}

// Memory for one group, laid out array by array.
class GroupMemory {
  public:
    explicit GroupMemory(char* memory) : memory_(memory) {}
    template <class T>
    T* take(int64_t n) {
        char* const at = memory_;
        memory_ += size_of<T>(n);
        forbid(memory_ - stagger);
        return reinterpret_cast<T*>(at);
    }
    template <class T>
    static int64_t size_of(int64_t n) {
        return ((n + 2 * group_slack) * int64_t(sizeof(T)) + 63) / 64 * 64 + stagger;
    }

  private:
    char* memory_;
};

int64_t block_scratch(const fastloss_groups_plan& plan, int64_t n) {
    const int64_t arrays = plan.schema == FASTLOSS_PAIR   ? pair_scratch_arrays
                           : plan.schema == FASTLOSS_SCAN ? scan_scratch_arrays
                                                          : 0;
    return arrays * group_array_size(n);
}

int64_t memory_of_group(const fastloss_groups_plan& plan, int64_t n) {
    // keys twice; up to nine arrays of numbers, flags
    return 2 * GroupMemory::size_of<Keyed>(n) + 10 * GroupMemory::size_of<double>(n) +
           GroupMemory::size_of<uint8_t>(n) + GroupMemory::size_of<char>(block_scratch(plan, n));
}

// One group while it is computed.
template <class T>
class Group {
  public:
    Group(GroupCall& call, int worker, int64_t number)
        : call_(call),
          plan_(*call.plan),
          worker_(worker),
          number_(number),
          begin_(plan_.offsets[number]),
          end_(plan_.offsets[number + 1]) {}

    // False where the call has to end.
    bool run() {
        const double weight = group_weight(plan_, number_);
        if (call_.weighs && plan_.unit == FASTLOSS_GROUPS) {
            if (weight != 0 && any_counts()) total().weight.add(weight);
            return true;
        }
        if (call_.weighs && plan_.unit == FASTLOSS_EVENTS) {
            for (int64_t i = begin_; i < end_; ++i) {
                if (counts(plan_, i) && is_event(i)) total().weight.add(weight_of(i));
            }
            return true;
        }
        char* const memory = arena().get(memory_of_group(plan_, end_ - begin_));
        if (!memory) {
            call_.status.store(FASTLOSS_NO_MEMORY);
            return false;
        }
        lay_out(memory);
        gather();
        if (call_.weighs) {
            add_pairs(weight);
        } else if (n_ == 0 || weight == 0) {
            fill(T(0), T(0));
        } else if (undefined_) {
            fail();
        } else if (plan_.schema == FASTLOSS_LIST) {
            run_list(weight);
        } else {
            run_task(weight);
        }
        arena().trim();
        return call_.status.load(std::memory_order_relaxed) == FASTLOSS_OK;
    }

  private:
    GroupTotal& total() { return call_.totals[worker_]; }

    bool any_counts() const {
        for (int64_t i = begin_; i < end_; ++i) {
            if (counts(plan_, i)) return true;
        }
        return false;
    }

    T event_of(int64_t i) const {
        return plan_.event ? static_cast<const T*>(plan_.event)[i] : T(1);
    }
    bool is_event(int64_t i) const { return event_of(i) != T(0); }
    double weight_of(int64_t i) const { return plan_.weight ? plan_.weight[i] : 1; }
    T prediction_of(int64_t i) const { return static_cast<const T*>(plan_.prediction)[i]; }
    T target_of(int64_t i) const { return static_cast<const T*>(plan_.target)[i]; }
    // elements' weights are those of pairs or events, else they tell who is there
    bool weighted() const { return plan_.weight && plan_.unit != FASTLOSS_GROUPS; }

    void lay_out(char* memory) {
        const int64_t n = end_ - begin_;
        allow(memory, memory_of_group(plan_, n));
        GroupMemory from(memory);
        keys_ = from.take<Keyed>(n);
        spare_ = from.take<Keyed>(n);
        prediction_ = from.take<T>(n);
        target_ = from.take<T>(n);
        sorted_ = from.take<T>(n);
        weight_ = from.take<double>(n);
        event_ = from.take<double>(n);
        score_ = from.take<double>(n);
        for (double*& words : words_) words = from.take<double>(n);
        starts_ = from.take<uint8_t>(n);
        scratch_ = from.take<char>(block_scratch(plan_, n));
    }

    T key_of(int64_t i) const {
        return plan_.order == FASTLOSS_PREDICTION_DOWN ? prediction_of(i) : target_of(i);
    }

    void gather() {
        const bool down =
            plan_.order == FASTLOSS_TARGET_DOWN || plan_.order == FASTLOSS_PREDICTION_DOWN;
        const uint64_t all = uint64_t(-1) >> (64 - 8 * int(sizeof(T)));
        n_ = 0;
        for (int64_t i = begin_; i < end_; ++i) {
            if (!counts(plan_, i)) continue;
            undefined_ |= target_of(i) != target_of(i) || event_of(i) != event_of(i);
            const uint64_t key = sortable(key_of(i));
            keys_[n_++] = {down ? ~key & all : key, i};
        }
        if (plan_.order != FASTLOSS_AS_GIVEN) {
            Keyed* const found = sort_keys(keys_, spare_, n_, 8 * int(sizeof(T)));
            if (found != keys_) {
                spare_ = keys_;
                keys_ = found;
            }
        }
        for (int64_t i = 0; i < n_; ++i) {
            const int64_t from = keys_[i].index;
            prediction_[i] = prediction_of(from);
            target_[i] = target_of(from);
            weight_[i] = weight_of(from);
            event_[i] = double(event_of(from));
            score_[i] = double(prediction_[i]);
            starts_[i] = i == 0 || !plan_.ties || keys_[i].key != keys_[i - 1].key;
        }
        for (int64_t i = n_; n_ > 0 && i < n_ + group_slack; ++i) {
            prediction_[i] = prediction_[n_ - 1];
            target_[i] = target_[n_ - 1];
            weight_[i] = weight_[n_ - 1];
            score_[i] = score_[n_ - 1];
        }
    }

    // The weights of all pairs, from the last one on: a pair weighs as its elements' product.
    void add_pairs(double weight) {
        double after = 0;
        for (int64_t end = n_; end > 0;) {
            int64_t begin = end;
            double tied = 0;
            while (begin > 0 && target_[begin - 1] == target_[end - 1]) tied += weight_[--begin];
            if (begin == end) return;  // NaN
            for (int64_t i = begin; i < end; ++i) total().weight.add(weight_[i] * after * weight);
            after += tied;
            end = begin;
        }
    }

    T* grads() const { return static_cast<T*>(plan_.grad_out); }
    T* hesses() const { return static_cast<T*>(plan_.hess_out); }

    void fill(T derivative, T value) {
        T* const values = static_cast<T*>(plan_.value_out);
        const bool of_elements = plan_.unit == FASTLOSS_EVENTS;
        for (int64_t i = begin_; i < end_; ++i) {
            const bool here = n_ > 0 && counts(plan_, i);
            if (grads()) grads()[i] = here ? derivative : T(0);
            if (hesses()) hesses()[i] = here ? derivative : T(0);
            if (values && of_elements) values[i] = here ? value : T(0);
        }
        if (values && !of_elements) values[number_] = value;
    }

    // A NaN among targets leaves nothing that is known of the group.
    void fail() {
        fill(call_.scale == 0 ? T(0) : T(NAN), T(NAN));
        total().value.add(NAN);
    }

    void add_value(double value, double low, double weight) {
        if (!(plan_.outputs & FASTLOSS_VALUE)) return;
        const double high = value * weight;
        total().value.add(high);
        if (high - high == 0) {
            total().value.add(exact_rest(value, weight, high) + low * weight);
        }
        T* const values = static_cast<T*>(plan_.value_out);
        if (values && plan_.unit != FASTLOSS_EVENTS) {
            values[number_] = T(high - high == 0 ? high + low * weight : high);
        }
    }

    // a b - product, without an instruction for it.
    static double exact_rest(double a, double b, double product) {
        if (b == 1) return 0;
        const double rest = ::fma(a, b, -product);
        return rest - rest == 0 ? rest : 0;
    }

    void run_task(double weight) {
        GroupTask task{};
        task.n = n_;
        task.prediction = prediction_;
        task.target = target_;
        task.most_ranks = plan_.most_ranks;
        task.score = score_;
        task.event = plan_.event ? event_ : nullptr;
        task.event_weight = weighted() ? weight_ : nullptr;
        task.starts = starts_;
        task.scratch = scratch_;
        task.stop = stop;
        task.context = this;
        task.grad = {words_[0], words_[1]};
        task.hess = {words_[2], words_[3]};
        const int64_t size = (n_ + group_slack) * int64_t(sizeof(double));
        for (double* words : words_) memset(words, 0, size);
        if (plan_.schema == FASTLOSS_PAIR && weighted()) {
            T* const narrow = reinterpret_cast<T*>(event_);  // pairs have no events
            for (int64_t i = 0; i < n_ + group_slack; ++i) narrow[i] = T(weight_[i]);
            task.weight = narrow;
        }
        if (plan_.order == FASTLOSS_PREDICTION_DOWN) task.sorted = sort_targets();
        if (plan_.value_out && plan_.unit == FASTLOSS_EVENTS) task.values = spare_values();
        const void* const in[] = {&task};
        plan_.block(0, 0, in, plan_.parameters, nullptr);
        if (call_.status.load(std::memory_order_relaxed) != FASTLOSS_OK) return;
        add_value(task.value, task.value_low, weight);
        const double factor = weight * call_.scale;
        fill_absent();
        for (int64_t i = 0; i < n_; ++i) {
            const int64_t to = keys_[i].index;
            if (grads()) grads()[to] = scaled(task.grad, i, factor);
            if (hesses()) hesses()[to] = scaled(task.hess, i, factor);
            if (task.values) static_cast<T*>(plan_.value_out)[to] = T(task.values[i]);
        }
    }

    // Of the largest target first.
    const T* sort_targets() {
        const uint64_t all = uint64_t(-1) >> (64 - 8 * int(sizeof(T)));
        Keyed* const first = reinterpret_cast<Keyed*>(scratch_);  // not in use yet
        for (int64_t i = 0; i < n_; ++i) first[i] = {~sortable(target_[i]) & all, i};
        const Keyed* const found = sort_keys(first, spare_, n_, 8 * int(sizeof(T)));
        for (int64_t i = 0; i < n_; ++i) sorted_[i] = target_[found[i].index];
        for (int64_t i = n_; i < n_ + group_slack; ++i) sorted_[i] = sorted_[n_ - 1];
        return sorted_;
    }

    double* spare_values() { return reinterpret_cast<double*>(spare_); }

    static T scaled(const WordArray& x, int64_t i, double factor) {
        const double sum = x.high[i] + x.low[i];
        const double number = sum - sum == 0 ? sum : x.high[i];
        return factor == 0 ? T(0) : T(number * factor);
    }

    // Outputs of elements that are not there.
    void fill_absent() {
        if (!plan_.weight) return;
        for (int64_t i = begin_; i < end_; ++i) {
            if (counts(plan_, i)) continue;
            if (grads()) grads()[i] = T(0);
            if (hesses()) hesses()[i] = T(0);
            if (plan_.value_out && plan_.unit == FASTLOSS_EVENTS) {
                static_cast<T*>(plan_.value_out)[i] = T(0);
            }
        }
    }

    // The group as one row, its targets as masses.
    void run_list(double weight) {
        double mass = 1, mass_low = 0;
        if (plan_.normalized) {
            mass = 0;
            for (int64_t i = 0; i < n_; ++i) {
                const double sum = mass + double(target_[i]), part = sum - mass;
                mass_low += (mass - (sum - part)) + (double(target_[i]) - part);
                mass = sum;
            }
            mass = mass - mass == 0 ? mass + mass_low : mass;
        }
        const double share = mass > 0 || mass != mass ? weight / mass : 0;
        const double factor = share * call_.scale;
        T factors[FASTLOSS_LANES], values[FASTLOSS_LANES];
        for (T& x : factors) x = T(1);
        T* const grad = reinterpret_cast<T*>(words_[0]);
        T* const hess = reinterpret_cast<T*>(words_[2]);
        const void* const in[] = {prediction_, target_, nullptr, factors, nullptr};
        void* const out[] = {values, plan_.outputs & FASTLOSS_GRAD ? grad : nullptr,
                             plan_.outputs & FASTLOSS_HESS ? hess : nullptr};
        plan_.block(1, n_, in, plan_.parameters, out);
        add_value(share == 0 ? 0 : double(values[0]), 0, share);
        fill_absent();
        for (int64_t i = 0; i < n_; ++i) {
            const int64_t to = keys_[i].index;
            if (grads()) grads()[to] = factor == 0 ? T(0) : T(double(grad[i]) * factor);
            if (hesses()) hesses()[to] = factor == 0 ? T(0) : T(double(hess[i]) * factor);
        }
    }

    // The calling thread asks its caller, the others look whether it has ended the call.
    static bool stop(void* context) {
        Group& group = *static_cast<Group*>(context);
        GroupCall& call = group.call_;
        if (group.worker_ == 0 && call.plan->poll) {
            timespec time;
            clock_gettime(CLOCK_MONOTONIC, &time);
            const int64_t now = int64_t(time.tv_sec) * 1000000000 + time.tv_nsec;
            if (group.polled_ == 0) group.polled_ = now;
            if (now - group.polled_ >= nanoseconds_to_poll) {
                group.polled_ = now;
                call.environment->leave();
                if (call.plan->poll(call.plan->poll_context))
                    call.status.store(FASTLOSS_INTERRUPTED);
                call.environment->enter();
            }
        }
        return call.status.load(std::memory_order_relaxed) != FASTLOSS_OK;
    }

    GroupCall& call_;
    const fastloss_groups_plan& plan_;
    const int worker_;
    const int64_t number_, begin_, end_;
    int64_t n_ = 0, polled_ = 0;
    bool undefined_ = false;
    Keyed *keys_, *spare_;
    T *prediction_, *target_, *sorted_;
    double *weight_, *event_, *score_, *words_[4];
    uint8_t* starts_;
    char* scratch_;
};

// The first group that begins at an element or after it.
int64_t first_group(const fastloss_groups_plan& plan, int64_t element) {
    int64_t low = 0, high = plan.groups;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (plan.offsets[middle] < element) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void run_groups_chunk(void* context, int worker, int64_t chunk) {
    GroupCall& call = *static_cast<GroupCall*>(context);
    const fastloss_groups_plan& plan = *call.plan;
    const int64_t begin = first_group(plan, chunk * elements_in_chunk);
    const int64_t end = first_group(plan, (chunk + 1) * elements_in_chunk);
    for (int64_t group = begin; group < end; ++group) {
        if (call.status.load(std::memory_order_relaxed) != FASTLOSS_OK) return;
        const bool goes_on = plan.dtype == FASTLOSS_FLOAT64
                                 ? Group<double>(call, worker, group).run()
                                 : Group<float>(call, worker, group).run();
        if (!goes_on) return;
    }
}

int poll_of_groups(void* context) {
    const GroupCall& call = *static_cast<GroupCall*>(context);
    call.environment->leave();
    const int status = call.plan->poll(call.plan->poll_context);
    call.environment->enter();
    return status;
}

struct GroupSums {
    double value, weight;
};

int run_groups_pass(GroupCall& call, int threads, GroupSums& sums) {
    const fastloss_groups_plan& plan = *call.plan;
    const int64_t elements = plan.offsets[plan.groups];
    const int64_t chunks = (elements + elements_in_chunk - 1) / elements_in_chunk;
    call.totals =
        static_cast<GroupTotal*>(aligned_alloc(alignof(GroupTotal), threads * sizeof(GroupTotal)));
    if (!call.totals) return FASTLOSS_NO_MEMORY;
    memset(static_cast<void*>(call.totals), 0, threads * sizeof(GroupTotal));
    const int stopped = parallel_for(chunks, threads, run_groups_chunk, &call,
                                     plan.poll ? poll_of_groups : nullptr, &call);
    for (int i = 1; i < threads; ++i) {
        call.totals[0].value.add(call.totals[i].value);
        call.totals[0].weight.add(call.totals[i].weight);
    }
    sums = {call.totals[0].value.value(), call.totals[0].weight.value()};
    free(call.totals);
    return stopped ? int(FASTLOSS_INTERRUPTED) : call.status.load();
}

}  // namespace
}  // namespace fastloss

using namespace fastloss;

int fastloss_threads_for_groups(const fastloss_groups_plan* plan) {
    const int64_t elements = plan->offsets[plan->groups];
    int64_t work = elements;  // pairs are many more
    if (plan->schema == FASTLOSS_PAIR && plan->groups > 0) {
        work = elements * (1 + elements / plan->groups / 8);
    }
    const int64_t most = work / fewest_shared;
    int threads = plan->threads > 0 ? plan->threads : get_threads();
    if (threads > most) threads = most < 1 ? 1 : int(most);
    return threads < maximum_threads ? threads : maximum_threads;
}

int fastloss_run_groups(const fastloss_groups_plan* plan, fastloss_result* result) {
    FloatEnvironment environment;
    const bool mean = plan->reduction == FASTLOSS_MEAN;
    const bool given = plan->normalizer == plan->normalizer;
    const int threads = fastloss_threads_for_groups(plan);
    GroupCall call{plan, &environment, nullptr, true, 1, {FASTLOSS_OK}};
    GroupSums sums{};
    if (mean && !given) {
        const int status = run_groups_pass(call, threads, sums);
        if (status != FASTLOSS_OK) return status;
    }
    result->weight_sum = sums.weight;
    const double denominator = !mean ? 1 : given ? plan->normalizer : sums.weight;
    call.weighs = false;
    call.scale = denominator == 0 ? 0 : 1 / denominator;
    const int status = run_groups_pass(call, threads, sums);
    result->value = denominator == 0 ? NAN : sums.value / denominator;
    return status;
}
