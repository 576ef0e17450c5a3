// A call from its plan to its result: which passes, and what the result is divided by. Names no
// loss.
#include <math.h>

#include "pass.hpp"
#include "prepare.hpp"

namespace fastloss {
namespace {

// Whether the values of an input can be wrong.
bool any_refused(const fastloss_plan& plan) {
    for (int i = 0; i < plan.inputs; ++i) {
        if (plan.domain[i].checked) return true;
    }
    return plan.ordered[0] != plan.ordered[1];
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
    return block_units(*plan);
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

    const Kernels& kernels = current_kernels(compute_index(*plan));
    const int threads = fastloss_threads_for(plan);
    Sums sums{};
    const bool sums_first = mean && !given && job.weighted;
    if (plan->target == FASTLOSS_LABELS || sums_first ||
        (plan->in_place && (any_refused(*plan) || plan->weight.data))) {
        const int status = run_pass(job, kernels.scan_block[plan->schema], false, threads,
                                    environment, sums, result->block);
        if (status != FASTLOSS_OK) return status;
        job.weights_checked = true;
    }
    result->weight_sum = job.weighted ? sums.weight : double(job.units);
    const double denominator = !mean ? 1 : given ? plan->normalizer : result->weight_sum;
    // a mean over nothing: no unit counts, so no gradient is selected
    job.scale = denominator == 0 ? 0 : 1 / denominator;
    const int status = run_pass(job, kernels.run_block[plan->schema], job.staged_blocks > 0,
                                threads, environment, sums, result->block);
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
