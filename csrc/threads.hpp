// The thread pool, the thread count and the floating-point environment of every call.
#pragma once

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <fenv.h>
#endif

namespace fastloss {

// Sets the default floating-point environment (round to nearest, subnormals kept, exceptions
// masked) and restores the caller's at the end of the scope, sticky flags included: flags that a
// kernel raises never leak.
class FloatEnvironment {
  public:
    FloatEnvironment() { enter(); }
    ~FloatEnvironment() { leave(); }
    FloatEnvironment(const FloatEnvironment&) = delete;
    FloatEnvironment& operator=(const FloatEnvironment&) = delete;

    // For code of the caller's that runs within the scope: leave(), run it, enter().
#if defined(__x86_64__)
    void enter() {
        saved_ = _mm_getcsr();
        if ((saved_ & ~sticky_flags) != default_control) _mm_setcsr(default_control);
    }
    void leave() { _mm_setcsr(saved_); }

  private:
    static constexpr unsigned default_control = 0x1F80;
    static constexpr unsigned sticky_flags = 0x3F;
    unsigned saved_;
#else
    void enter() {
        fegetenv(&saved_);
        fesetenv(FE_DFL_ENV);
    }
    void leave() { fesetenv(&saved_); }

  private:
    fenv_t saved_;
#endif
};

// No call uses more threads than this, whatever it asks for: `worker` < maximum_threads.
constexpr int maximum_threads = 256;

// Work is a range of chunks numbered 0..chunks-1, handed out in increasing order.
using ChunkFunction = void (*)(void* context, int worker, int64_t chunk);

// Runs function(context, worker, chunk) for every chunk, on the caller (worker 0), who has set the
// default floating-point environment, and on at most threads-1 pool workers (numbered from 1),
// which do so themselves.
// When another call occupies the pool, the caller runs every chunk itself.
// poll (may be null) is called by the calling thread only, between chunks, about every 20 ms; a
// nonzero return stops handing out chunks. All chunks handed out have ended on return.
// Returns 0, or the nonzero value of poll.
int parallel_for(int64_t chunks, int threads, ChunkFunction function, void* context,
                 int (*poll)(void*), void* poll_context);

// FASTLOSS_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs this process may use: the smaller of
// its affinity and its cgroup quota rounded up. Found at the first use.
int default_threads();

// The limit for the whole process; set_threads(0) returns to the default.
int get_threads();
void set_threads(int threads);

}  // namespace fastloss
