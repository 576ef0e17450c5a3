// Fortran-ordered arrays: many blocks at once pass through contiguous buffers.
#pragma once

#include "dispatch.hpp"
#include "job.hpp"

namespace fastloss {
namespace {

// The units of a chunk in buffers, and the job that finds them there.
class Stage {
  public:
    Stage(const Job& job, const Scratch& scratch, int64_t begin, int64_t n)
        : from_(job), scratch_(scratch), begin_(begin), n_(n), job_(job) {
        const int dtype = compute_index(*job.plan);
        job_.prefetch = false;
        for (int i = 0; i < job.plan->inputs; ++i) {
            if (!job.input[i].staged) continue;
            current_kernels(dtype).gather(job, job.input[i], begin, n, scratch.staged_input[i]);
            show(job_.input[i], scratch.staged_input[i]);
        }
        for (int o = 0; o < output_count(*job.plan); ++o) {
            if (!job.output[o].staged) continue;
            job_.stream = false;
            show(job_.output[o], scratch.staged_output[o]);
        }
    }

    const Job& job() const { return job_; }

    void store() const {
        const int dtype = compute_index(*from_.plan);
        for (int o = 0; o < output_count(*from_.plan); ++o) {
            if (!from_.output[o].staged) continue;
            current_kernels(dtype).scatter(from_, from_.output[o], begin_, n_,
                                           scratch_.staged_output[o]);
        }
    }

  private:
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

}  // namespace
}  // namespace fastloss
