#include "threads.hpp"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>

#if defined(__APPLE__)
#include <dispatch/dispatch.h>
#else
#include <semaphore.h>
#endif

namespace fastloss {
namespace {

// How long a thread burns its CPU before it sleeps: a wake-up costs both sides 5 to 30 us.
constexpr int64_t spin_nanoseconds = 50 * 1000;
constexpr int64_t poll_nanoseconds = 20 * 1000 * 1000;
constexpr size_t stack_bytes = 2 * 1024 * 1024;  // kernels of rows take up to 0.2 MB

int64_t clock_nanoseconds(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

int64_t precise_time() {
    return clock_nanoseconds(CLOCK_MONOTONIC);
}

int64_t cheap_time() {
#if defined(CLOCK_MONOTONIC_COARSE)
    return clock_nanoseconds(CLOCK_MONOTONIC_COARSE);
#else
    return precise_time();
#endif
}

// Negative when unknown.
int current_cpu() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

void pause_briefly() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

template <class Condition>
bool spin_until(Condition condition, int64_t deadline) {
    do {
        for (int i = 0; i < 16; ++i) {
            if (condition()) return true;
            pause_briefly();
        }
    } while (precise_time() < deadline);
    return condition();
}

// Posting takes no lock, so a caller never waits for a preempted worker in order to wake it.
// wait() may return early.
class Semaphore {
  public:
#if defined(__APPLE__)
    bool reset() { return (handle_ = dispatch_semaphore_create(0)) != nullptr; }
    void post() { dispatch_semaphore_signal(handle_); }
    void wait() { dispatch_semaphore_wait(handle_, DISPATCH_TIME_FOREVER); }

  private:
    dispatch_semaphore_t handle_ = nullptr;
#else
    bool reset() { return sem_init(&handle_, 0, 0) == 0; }
    void post() { sem_post(&handle_); }
    void wait() { sem_wait(&handle_); }

  private:
    sem_t handle_{};
#endif
};

// Where one thread sleeps until another has made some condition true. Either the sleeper sees the
// condition or the waker sees `parked_`: both write first and read second, in one total order.
class Parking {
  public:
    bool reset() {
        parked_.store(false);
        return semaphore_.reset();
    }

    // May return early.
    template <class Condition>
    void sleep_until(Condition condition) {
        parked_.store(true);
        if (!condition()) semaphore_.wait();
        parked_.store(false);
    }

    // Returns whether the thread slept.
    bool wake() {
        if (!parked_.load() || !parked_.exchange(false)) return false;
        semaphore_.post();
        return true;
    }

  private:
    std::atomic<bool> parked_{false};
    Semaphore semaphore_;
};

struct alignas(128) Worker {
    Parking parking;
};

// Every chunk ever handed out has a ticket of its own; a job owns the tickets begin..end-1, and its
// fields change only while ticket == end, that is, between jobs. Hence a worker that reads the job
// and then takes ticket t by compare-and-swap knows that what it read belonged to t: until then the
// job could not end, and no later job ever has this ticket. A worker that comes late finds no
// ticket and touches nothing but this struct, which is never destroyed.
struct Pool {
    alignas(128) std::atomic<int64_t> ticket{0};

    alignas(128) std::atomic<int64_t> end{0};
    std::atomic<int64_t> begin{0};
    std::atomic<ChunkFunction> function{nullptr};
    std::atomic<void*> context{nullptr};
    std::atomic<int> threads{0};
    std::atomic<int> caller_cpu{-1};

    alignas(128) std::atomic<int64_t> finished_by_workers{0};
    std::atomic<int> next_to_wake{0};

    alignas(128) Parking caller;
    std::atomic<bool> busy{false};
    // The rest belongs to the thread that set `busy`.
    int created = 0;
    int64_t taken_by_caller = 0;
    int64_t ticket_at_fork = 0;

    Worker workers[maximum_threads];  // number 0, the caller, stays unused
};

Pool pool;
thread_local bool owns_pool = false;

struct Chunk {
    ChunkFunction function;
    void* context;
    int64_t number;
    int threads;
    bool is_last;
};

bool take_chunk(int worker, Chunk* chunk) {
    int64_t ticket = pool.ticket.load();
    for (;;) {
        const int64_t end = pool.end.load();
        if (ticket >= end) return false;
        chunk->function = pool.function.load(std::memory_order_relaxed);
        chunk->context = pool.context.load(std::memory_order_relaxed);
        chunk->number = ticket - pool.begin.load(std::memory_order_relaxed);
        chunk->threads = pool.threads.load(std::memory_order_relaxed);
        chunk->is_last = ticket + 1 == end;
        if (worker >= chunk->threads) return false;
        if (pool.ticket.compare_exchange_weak(ticket, ticket + 1)) return true;
    }
}

// A wake-up costs microseconds: everyone wakes at most one worker per chunk, and only while there
// are chunks left for it.
void run_chunk(int worker, const Chunk& chunk) {
    if (!chunk.is_last) {
        while (pool.next_to_wake.load() < chunk.threads) {
            const int sleeper = pool.next_to_wake.fetch_add(1);
            if (sleeper >= chunk.threads || pool.workers[sleeper].parking.wake()) break;
        }
    }
    chunk.function(chunk.context, worker, chunk.number);
}

// When the other CPUs are busy, a woken worker lands on the caller's, where it can only delay it
// (a chunk of 5 us became 60). There it steps back until the scheduler moves it or the job is over.
// To a long job it comes back: the scheduler moves only those who want to run.
bool may_join(int64_t job) {
    for (int yields = 0; yields < 16; ++yields) {
        const int cpu = current_cpu();
        if (cpu < 0 || cpu != pool.caller_cpu.load(std::memory_order_relaxed)) return true;
        if (pool.ticket.load() >= pool.end.load()) return false;
        sched_yield();
    }
    const timespec nap{0, 1000 * 1000};
    nanosleep(&nap, nullptr);
    return pool.end.load() == job && pool.ticket.load() < job;
}

// Returns whether there was a chunk left.
bool work(int worker) {
    Chunk chunk;
    if (!take_chunk(worker, &chunk)) return false;
    FloatEnvironment environment;
    do {
        run_chunk(worker, chunk);
        pool.finished_by_workers.fetch_add(1);
        pool.caller.wake();
    } while (take_chunk(worker, &chunk));
    return true;
}

void* worker_main(void* argument) {
    const int worker = int(reinterpret_cast<intptr_t>(argument));
#if defined(__APPLE__)
    pthread_setname_np("fastloss");
#elif defined(__linux__)
    pthread_setname_np(pthread_self(), "fastloss");
#endif
    int64_t job = 0;  // the end of the last one seen
    const auto new_job = [&] { return pool.end.load() != job; };
    int64_t deadline = precise_time() + spin_nanoseconds;
    for (;;) {
        if (spin_until(new_job, deadline)) {
            job = pool.end.load();
            if (!may_join(job)) {
                deadline = 0;
            } else if (work(worker)) {
                deadline = precise_time() + spin_nanoseconds;
            }
        } else {
            pool.workers[worker].parking.sleep_until(new_job);
            deadline = precise_time() + spin_nanoseconds;
        }
    }
}

bool create_worker(int worker) {
    if (!pool.workers[worker].parking.reset()) return false;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);

    // Signals go to the application's threads, except the faults a thread raises itself: blocked,
    // they would kill the process before faulthandler could speak.
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    pthread_t thread;
    void* argument = reinterpret_cast<void*>(intptr_t(worker));
    const int error = pthread_create(&thread, &attributes, worker_main, argument);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

void wait_for_workers(int64_t taken_by_workers) {
    const auto done = [&] { return pool.finished_by_workers.load() == taken_by_workers; };
    if (done() || spin_until(done, precise_time() + spin_nanoseconds)) return;
    while (!done()) pool.caller.sleep_until(done);
}

// Stops handing out chunks and waits for those that workers have begun. Returns the next ticket.
int64_t halt_job() {
    const int64_t ticket = pool.ticket.exchange(pool.end.load());
    wait_for_workers(ticket - pool.begin.load() - pool.taken_by_caller);
    return ticket;
}

// A poll function may fork in the middle of a job (a Python signal handler can): the job is halted
// and goes on in both processes, in the child without workers. A job of another thread is
// forgotten by the child, which has no such thread.
void before_fork() {
    if (owns_pool) pool.ticket_at_fork = halt_job();
}

void after_fork_in_parent() {
    if (owns_pool) pool.ticket.store(pool.ticket_at_fork);
}

void after_fork_in_child() {
    pool.created = 0;
    pool.caller.reset();
    if (owns_pool) {
        pool.ticket.store(pool.ticket_at_fork);
    } else {
        pool.ticket.store(pool.end.load());
        pool.busy.store(false);
    }
}

// When the library is loaded, so that no fork can come between a first call and its handlers.
const bool pool_usable = pool.caller.reset() && pthread_atfork(before_fork, after_fork_in_parent,
                                                               after_fork_in_child) == 0;

bool occupy_pool() {
    if (!pool_usable || pool.busy.load() || pool.busy.exchange(true)) return false;
    owns_pool = true;
    return true;
}

void release_pool() {
    owns_pool = false;
    pool.busy.store(false);
}

// Returns how many there are now, at most `wanted`.
int create_workers(int wanted) {
    while (pool.created < wanted && create_worker(pool.created + 1)) ++pool.created;
    return pool.created < wanted ? pool.created : wanted;
}

// The calling thread ends inside its poll function: an interpreter that shuts down ends threads
// that want its lock (CPython until 3.13). Workers still use what lies on its stack.
void abandon_job(void*) {
    if (!owns_pool) return;
    halt_job();
    release_pool();
}

class Poll {
  public:
    Poll(int (*function)(void*), void* context) : function_(function), context_(context) {}

    // To be called between chunks, so that a single chunk reads no clock.
    int check() {
        if (!function_) return 0;
        const int64_t now = cheap_time();
        if (last_ == 0) last_ = now;
        if (now - last_ < poll_nanoseconds) return 0;
        last_ = now;
        int status;
        pthread_cleanup_push(abandon_job, nullptr);
        status = function_(context_);
        pthread_cleanup_pop(0);
        return status;
    }

  private:
    int (*function_)(void*);
    void* context_;
    int64_t last_ = 0;
};

int run_alone(int64_t chunks, ChunkFunction function, void* context, Poll poll) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        if (chunk > 0) {
            if (const int status = poll.check()) return status;
        }
        function(context, 0, chunk);
    }
    return 0;
}

int run_together(int64_t chunks, int threads, ChunkFunction function, void* context, Poll poll) {
    const int64_t begin = pool.ticket.load();
    pool.begin.store(begin, std::memory_order_relaxed);
    pool.function.store(function, std::memory_order_relaxed);
    pool.context.store(context, std::memory_order_relaxed);
    pool.threads.store(threads, std::memory_order_relaxed);
    pool.caller_cpu.store(current_cpu(), std::memory_order_relaxed);
    pool.finished_by_workers.store(0, std::memory_order_relaxed);
    pool.next_to_wake.store(1, std::memory_order_relaxed);
    pool.taken_by_caller = 0;
    pool.end.store(begin + chunks);

    Chunk chunk;
    int status = 0;
    while (take_chunk(0, &chunk)) {
        ++pool.taken_by_caller;
        run_chunk(0, chunk);
        if (!chunk.is_last && (status = poll.check()) != 0) break;
    }
    halt_job();
    return status;
}

}  // namespace

int parallel_for(int64_t chunks, int threads, ChunkFunction function, void* context,
                 int (*poll_function)(void*), void* poll_context) {
    const Poll poll(poll_function, poll_context);
    if (threads > 1 && chunks > 1 && occupy_pool()) {
        if (threads > maximum_threads) threads = maximum_threads;
        threads = 1 + create_workers(int(chunks < threads ? chunks : threads) - 1);
        const int status = run_together(chunks, threads, function, context, poll);
        release_pool();
        return status;
    }
    return run_alone(chunks, function, context, poll);
}

}  // namespace fastloss
