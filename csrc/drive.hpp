// One block of a call: load, check, run the block function, weight, sum, store. Names no loss.
#pragma once

#include "arrays.hpp"
#include "block_sum.hpp"
#include "job.hpp"
#include "lanes.hpp"

namespace fastloss {
namespace {

constexpr int64_t few = 8;  // numbers, for which lanes and grids would take longer

inline int64_t padded(int64_t n) {
    return (n + lanes - 1) / lanes * lanes;
}

// The surplus of the last block repeats its last sample, so that it costs nothing special.
template <class T>
inline void pad(T* x, int64_t n) {
    for (int64_t i = n; i < padded(n); ++i) x[i] = x[n - 1];
}

template <class T>
inline bool outside(T x, T low, T high, bool discrete) {
    return discrete ? (x != low) & (x != high) & (x == x) : (x < low) | (x > high);
}

// Whether any of n values lies outside the domain; NaN lies in every domain.
template <class T>
bool any_outside(const fastloss_domain& domain, const T* x, int64_t n) {
    const T low = T(domain.low), high = T(domain.high);
    int bad = 0;
    if (domain.discrete) {
        for (int64_t i = 0; i < n; ++i)
            bad |= int(x[i] != low) & int(x[i] != high) & int(x[i] == x[i]);
    } else {
        for (int64_t i = 0; i < n; ++i) bad |= int(x[i] < low) | int(x[i] > high);
    }
    return bad != 0;
}

// Whether a unit that counts has one of its k values outside the domain.
template <class T>
bool used_outside(const Job& job, const fastloss_domain& domain, const T* x, int64_t n, int64_t k,
                  int64_t unit_stride, int64_t class_stride, const double* weight) {
    for (int64_t i = 0; i < n; ++i) {
        if (job.weighted && weight[i] == 0) continue;
        for (int64_t j = 0; j < k; ++j) {
            const T value = x[i * unit_stride + j * class_stride];
            if (outside(value, T(domain.low), T(domain.high), domain.discrete != 0)) return true;
        }
    }
    return false;
}

template <class X>
inline bool bad_weights(const X* weight, int64_t n) {
    int bad = 0;
    for (int64_t i = 0; i < n; ++i)
        bad |= int(!(weight[i] >= 0)) | int(!(weight[i] < X(__builtin_inf())));
    return bad != 0;
}

template <class X>
inline void sum_few(const X* x, int64_t n, double& high, double& low) {
    high = low = 0;
    for (int64_t i = 0; i < n; ++i) {
        const TwoWord<double> sum = two_sum(high, double(x[i]));
        high = sum.high;
        low += sum.low;
    }
    low = high - high == 0 ? low : 0;  // an infinite or NaN total has no rounding error
}

// Sums of n numbers in a buffer, which gets zeros up to whole lanes.
inline void sum_numbers(double* x, int64_t n, double& high, double& low) {
    if (n < few) return sum_few(x, n, high, low);
    for (int64_t i = n; i < padded(n); ++i) x[i] = 0;
    Lanes<double> sums;
    sums.add(x, padded(n));
    sums.fold(high, low);
}

inline void sum_numbers(float* x, int64_t n, double& high, double& low) {
    if (n < few) return sum_few(x, n, high, low);
    for (int64_t i = n; i < padded(n); ++i) x[i] = 0;
    sum_block(x, padded(n), high, low);
}

// The sum of weight times value over the units that count.
template <class T>
void sum_values(const Job& job, T* value, const double* weight, int64_t n, BlockResult& result) {
    if (!job.weighted) {
        sum_numbers(value, n, result.value_high, result.value_low);
        return;
    }
    alignas(64) double products[FASTLOSS_BLOCK];
    if (job.narrow_weights) {  // 24 digits times 24 digits: nothing is lost
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            products[i] = weight[i] == 0 ? 0 : weight[i] * double(value[i]);
        }
        sum_numbers(products, n, result.value_high, result.value_low);
        return;
    }
    alignas(64) double lost[FASTLOSS_BLOCK];
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const TwoWord<double> product = two_product(weight[i], double(value[i]));
        products[i] = weight[i] == 0 ? 0 : product.high;
        lost[i] = weight[i] == 0 ? 0 : product.low;
    }
    const int64_t size = padded(n);
    for (int64_t i = n; i < size; ++i) products[i] = lost[i] = 0;
    Lanes<double> sums;
    sums.add(products, lost, size);
    sums.fold(result.value_high, result.value_low);
}

// x = used ? x * weight * scale : 0
template <class T>
void weight_outputs(T* x, const double* weight, double scale, int64_t n) {
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const T product = x[i] * T(weight[i] * scale);
        const T weighted = x[i] == T(0) ? x[i] : product;  // the weight may overflow
        x[i] = weight[i] == 0 ? T(0) : weighted;
    }
}

inline int64_t block_length(const Job& job, int64_t begin) {
    const int64_t left = job.units - begin;
    return left < job.block_units ? left : job.block_units;
}

// The weights of a block; false where they are not finite or negative.
inline bool load_weights(const Job& job, int64_t begin, int64_t n, double* weight) {
    if (job.weight.data) {
        load(job, job.weight, begin, n, weight);
        return job.weights_checked || !bad_weights(weight, n);
    }
    if (job.weighted) {
        for (int64_t i = 0; i < n; ++i) weight[i] = 1;
    }
    return true;
}

// Stores n numbers one after another, converted where the array has another dtype.
template <class T>
void store_lines(const Job& job, int dtype, char* to, const T* x, int64_t n) {
    const bool same = dtype == job.plan->dtype;
    const int64_t item = dtype_size(dtype), piece = same ? n : FASTLOSS_BLOCK;
    alignas(64) char converted[FASTLOSS_BLOCK * sizeof(double)];
    for (int64_t i = 0; i < n; i += piece) {
        const int64_t some = n - i < piece ? n - i : piece;
        const char* from = reinterpret_cast<const char*>(x + i);
        if (!same) {
            storer<T>(dtype)(converted, item, x + i, some);
            from = converted;
        }
        if (job.stream) {
            copy_lines<true>(to + i * item, from, some * item);
        } else {
            copy_lines<false>(to + i * item, from, some * item);
        }
    }
}

template <class T>
inline void put(const Job& job, const Strided& array, int64_t begin, int64_t n, const T* x) {
    if (job.ndim == 1 && array.strides[0] == dtype_size(array.dtype)) {
        store_lines(job, array.dtype, array.data + begin * array.strides[0], x, n);
    } else {
        store(job, array, begin, n, x);
    }
}

// Asks for a block ahead of time, so that memory never waits for arithmetic.
template <int writes>
inline void prefetch_block(const Job& job, const Strided& array, int64_t begin) {
    constexpr int64_t line = 64;
    const int64_t n = job.block_units, stride = array.strides[0];
    const int64_t step = stride < 0 ? -stride : stride;
    if (job.ndim > 1 || step > line || begin + n > job.units) return;
    const char* const from = array.data + begin * stride;
    const char* const first = stride < 0 ? from + (n - 1) * stride : from;
    for (int64_t i = 0; i < n * step; i += line) __builtin_prefetch(first + i, writes, 2);
}

// ---- map

template <class T>
const T* map_input(const Job& job, const Strided& array, int64_t begin, int64_t n, char* buffer) {
    if (array.direct && n == padded(n)) {
        return reinterpret_cast<const T*>(array.data) + begin;
    }
    T* const x = reinterpret_cast<T*>(buffer);
    load(job, array, begin, n, x);
    pad(x, n);
    return x;
}

inline void prefetch_arrays(const Job& job, int64_t begin) {
    for (int i = 0; i < job.plan->inputs; ++i) prefetch_block<0>(job, job.input[i], begin);
    if (job.weight.data) prefetch_block<0>(job, job.weight, begin);
    if (job.stream || job.plan->in_place) return;
    for (int o = 0; o < 1 + 2 * job.plan->predictions; ++o) {
        if (job.output[o].data) prefetch_block<1>(job, job.output[o], begin);
    }
}

template <class T>
void run_map_block(const Job& job, const Scratch& scratch, int64_t block, BlockResult& result) {
    const fastloss_plan& plan = *job.plan;
    const int64_t begin = block * job.block_units, n = block_length(job, begin);
    const int predictions = plan.predictions, outputs = 1 + 2 * predictions;

    if (job.prefetch) prefetch_arrays(job, begin + 2 * FASTLOSS_BLOCK);
    if (!load_weights(job, begin, n, scratch.weight)) {
        result.status = FASTLOSS_BAD_WEIGHT;
        return;
    }
    const void* in[FASTLOSS_MAX_INPUTS + 1];
    const T scale = job.weighted ? T(1) : T(job.scale);  // weights come later, and bring it along
    in[plan.inputs] = &scale;
    for (int i = 0; i < plan.inputs; ++i) {
        const T* const x = map_input<T>(job, job.input[i], begin, n, scratch.input[i]);
        in[i] = x;
        if (plan.domain[i].checked && any_outside(plan.domain[i], x, padded(n)) &&
            used_outside(job, plan.domain[i], x, n, 1, 1, 0, scratch.weight)) {
            result.status = FASTLOSS_BAD_INPUT;
            return;
        }
    }
    void* out[max_outputs] = {};
    for (int o = 0; o < outputs; ++o) {
        const Strided& array = job.output[o];
        const int kind = o == 0 ? FASTLOSS_VALUE : o <= predictions ? FASTLOSS_GRAD : FASTLOSS_HESS;
        const bool in_array = array.data && array.direct && !job.stream && !plan.in_place &&
                              n == padded(n) && reinterpret_cast<uintptr_t>(array.data) % 64 == 0;
        if (plan.outputs & kind) {
            out[o] = in_array ? array.data + begin * int64_t(sizeof(T)) : scratch.output[o];
        }
    }

    job.block(padded(n), 1, in, plan.parameters, out);

    if (plan.outputs & FASTLOSS_VALUE) {
        if (plan.reduction == FASTLOSS_NONE) {
            if (job.weighted) weight_outputs(static_cast<T*>(out[0]), scratch.weight, 1, n);
        } else {
            sum_values(job, static_cast<T*>(out[0]), scratch.weight, n, result);
        }
    }
    for (int o = 0; o < outputs; ++o) {
        const Strided& array = job.output[o];
        if (!out[o] || !array.data) continue;
        T* const x = static_cast<T*>(out[o]);
        if (o > 0 && job.weighted) weight_outputs(x, scratch.weight, job.scale, n);
        if (out[o] == scratch.output[o]) put(job, array, begin, n, x);
    }
    if (job.stream) finish_streaming();
}

// Checks and sums the weights of a block.
inline bool scan_weights(const Job& job, const Scratch& scratch, int64_t begin, int64_t n,
                         BlockResult& result) {
    if (!job.weight.data) return true;
    if (!job.narrow_weights) {
        if (!load_weights(job, begin, n, scratch.weight)) return false;
        sum_numbers(scratch.weight, n, result.weight_high, result.weight_low);
        return true;
    }
    float* const weight = reinterpret_cast<float*>(scratch.factor);
    load(job, job.weight, begin, n, weight);
    if (bad_weights(weight, n)) return false;
    sum_numbers(weight, n, result.weight_high, result.weight_low);
    return true;
}

template <class T>
void scan_map_block(const Job& job, const Scratch& scratch, int64_t block, BlockResult& result) {
    const fastloss_plan& plan = *job.plan;
    const int64_t begin = block * job.block_units, n = block_length(job, begin);
    if (!scan_weights(job, scratch, begin, n, result)) {
        result.status = FASTLOSS_BAD_WEIGHT;
        return;
    }
    if (!plan.in_place) return;
    load_weights(job, begin, n, scratch.weight);
    for (int i = 0; i < plan.inputs; ++i) {
        if (!plan.domain[i].checked) continue;
        const T* const x = map_input<T>(job, job.input[i], begin, n, scratch.input[i]);
        if (used_outside(job, plan.domain[i], x, n, 1, 1, 0, scratch.weight)) {
            result.status = FASTLOSS_BAD_INPUT;
            return;
        }
    }
}

// ---- row

// Multiplies the weights by the class weights of class indices and takes absent rows out: their
// weight becomes 0 and their label a class. False where a label of a row that counts is no class.
inline bool use_labels(const Job& job, int64_t n, const Scratch& scratch) {
    const fastloss_plan& plan = *job.plan;
    int64_t* const labels = scratch.labels;
    double* const weight = scratch.weight;
    const uint64_t classes = uint64_t(job.classes);
    int64_t bad = 0;  // as wide as labels, so that both fill the same vectors
    if (!job.weighted) {
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const bool valid = uint64_t(labels[i]) < classes;
            bad |= valid ? 0 : 1;
            labels[i] = valid ? labels[i] : 0;
        }
        return bad == 0;
    }
    const bool ignores = plan.ignores != 0;
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const bool ignored = ignores && labels[i] == plan.ignore_index;
        const bool present = !ignored && weight[i] != 0;
        const bool valid = uint64_t(labels[i]) < classes;
        bad |= present && !valid ? 1 : 0;
        labels[i] = present && valid ? labels[i] : 0;
        weight[i] = present && valid ? weight[i] : 0;
    }
    for (int64_t i = 0; plan.class_weight && i < n; ++i) weight[i] *= plan.class_weight[labels[i]];
    return bad == 0;
}

template <class T>
void weight_distributions(const Job& job, int64_t n, const T* q, int64_t unit_stride,
                          int64_t class_stride, double* weight) {
    for (int64_t i = 0; i < n; ++i) {
        double mean = 0;
        for (int64_t j = 0; j < job.classes; ++j) {
            const double mass = double(q[i * unit_stride + j * class_stride]);
            mean += mass == 0 ? 0 : mass * job.plan->class_weight[j];
        }
        weight[i] = weight[i] == 0 ? 0 : weight[i] * mean;
    }
}

template <class T>
struct RowBlock {
    const T* prediction;
    const T* target;  // null: class indices
    int64_t unit_stride, class_stride, column;
    fastloss_status status;
};

template <class T>
const T* row_input(const Job& job, const Strided& array, int64_t begin, int64_t n, int64_t column,
                   char* buffer) {
    if (job.along && array.direct) {
        return reinterpret_cast<const T*>(array.data) + begin * job.classes;
    }
    T* const x = reinterpret_cast<T*>(buffer);
    load_rows(job, array, begin, n, job.classes, x, column);
    for (int64_t j = 0; column && j < job.classes; ++j) pad(x + j * column, n);
    return x;
}

// Everything of a block of rows that is read. A label becomes a smoothed distribution here, so
// that formulas need not know of smoothing.
template <class T>
RowBlock<T> load_row_block(const Job& job, const Scratch& scratch, int64_t begin, int64_t n,
                           bool predictions) {
    const fastloss_plan& plan = *job.plan;
    const int64_t k = job.classes;
    RowBlock<T> rows{};
    rows.column = job.along ? 0 : padded(n);
    rows.unit_stride = job.along ? k : 1;
    rows.class_stride = job.along ? 1 : rows.column;
    const int64_t size = k * (job.along ? n : rows.column);
    if (!load_weights(job, begin, n, scratch.weight)) {
        rows.status = FASTLOSS_BAD_WEIGHT;
        return rows;
    }
    if (plan.labels) {
        if (job.prefetch) prefetch_block<0>(job, job.input[1], begin + 4 * job.block_units);
        const LoadLabelRun load_labels = label_loader(job.input[1].dtype);
        for_runs(job, job.input[1], begin, n,
                 [&](char* at, int64_t stride, int64_t done, int64_t length) {
                     load_labels(scratch.labels + done, at, stride, length, no_label(plan));
                 });
        if (!use_labels(job, n, scratch)) {
            rows.status = FASTLOSS_BAD_LABEL;
            return rows;
        }
    } else {
        rows.target = row_input<T>(job, job.input[1], begin, n, rows.column, scratch.input[1]);
        if (plan.domain[1].checked && any_outside(plan.domain[1], rows.target, size) &&
            used_outside(job, plan.domain[1], rows.target, n, k, rows.unit_stride,
                         rows.class_stride, scratch.weight)) {
            rows.status = FASTLOSS_BAD_INPUT;
            return rows;
        }
        if (plan.class_weight) {
            weight_distributions(job, n, rows.target, rows.unit_stride, rows.class_stride,
                                 scratch.weight);
        }
    }
    if (!predictions) return rows;
    rows.prediction = row_input<T>(job, job.input[0], begin, n, rows.column, scratch.input[0]);
    if (plan.domain[0].checked && any_outside(plan.domain[0], rows.prediction, size) &&
        used_outside(job, plan.domain[0], rows.prediction, n, k, rows.unit_stride,
                     rows.class_stride, scratch.weight)) {
        rows.status = FASTLOSS_BAD_INPUT;
    }
    return rows;
}

template <class T>
void smooth(const Job& job, const Scratch& scratch, int64_t n, RowBlock<T>& rows) {
    const T keep = T(1 - job.plan->label_smoothing);
    const T share = T(job.plan->label_smoothing / double(job.classes));
    T* const q = reinterpret_cast<T*>(scratch.input[1]);
    const int64_t size = job.classes * (rows.column ? rows.column : n);
    if (rows.target) {
        for (int64_t i = 0; i < size; ++i) q[i] = keep * rows.target[i] + share;
    } else {
        for (int64_t i = 0; i < size; ++i) q[i] = share;
        for (int64_t i = 0; i < n; ++i) {
            q[i * rows.unit_stride + scratch.labels[i] * rows.class_stride] = keep + share;
        }
    }
    rows.target = q;
}

template <class T>
void run_row_block(const Job& job, const Scratch& scratch, int64_t block, BlockResult& result) {
    const fastloss_plan& plan = *job.plan;
    const int64_t begin = block * job.block_units, n = block_length(job, begin), k = job.classes;
    RowBlock<T> rows = load_row_block<T>(job, scratch, begin, n, true);
    if (rows.status != FASTLOSS_OK) {
        result.status = rows.status;
        return;
    }
    if (plan.label_smoothing > 0) smooth(job, scratch, n, rows);

    const int64_t size = padded(n);
    T* const factor = reinterpret_cast<T*>(scratch.factor);
    for (int64_t i = 0; i < n; ++i) {
        factor[i] = job.weighted ? T(scratch.weight[i] * job.scale) : T(job.scale);
    }
    pad(factor, n);
    if (!rows.target) pad(scratch.labels, n);
    const void* const in[] = {rows.prediction, rows.target, rows.target ? nullptr : scratch.labels,
                              factor};
    void* out[3] = {};
    if (plan.outputs & FASTLOSS_VALUE) out[0] = scratch.output[0];
    for (int o = 1; o < 3; ++o) {
        const Strided& array = job.output[o];
        if (!(plan.outputs & (o == 1 ? FASTLOSS_GRAD : FASTLOSS_HESS))) continue;
        const bool in_array = job.along && array.data && array.direct && !job.stream;
        out[o] = in_array ? array.data + begin * k * int64_t(sizeof(T)) : scratch.output[o];
    }

    job.block(job.along ? n : size, k, in, plan.parameters, out);

    if (plan.outputs & FASTLOSS_VALUE) {
        T* const value = static_cast<T*>(out[0]);
        if (plan.reduction == FASTLOSS_NONE) {
            if (job.weighted) weight_outputs(value, scratch.weight, 1, n);
            if (job.output[0].data) store(job, job.output[0], begin, n, value);
        } else {
            sum_values(job, value, scratch.weight, n, result);
        }
    }
    for (int o = 1; o < 3; ++o) {
        const Strided& array = job.output[o];
        if (!out[o] || !array.data || out[o] != scratch.output[o]) continue;
        if (job.stream && array.rows_together) {
            const T* rows_out = static_cast<const T*>(out[o]);
            if (!job.along) {
                T* const turned = reinterpret_cast<T*>(scratch.input[0]);  // it has been read
                transpose(rows_out, rows.column, k, n, turned, k);
                rows_out = turned;
            }
            store_lines(job, array.dtype, array.data + begin * array.strides[0], rows_out, n * k);
        } else {
            store_rows(job, array, begin, n, k, static_cast<const T*>(out[o]), rows.column);
        }
    }
    if (job.stream) finish_streaming();
}

template <class T>
void scan_row_block(const Job& job, const Scratch& scratch, int64_t block, BlockResult& result) {
    const fastloss_plan& plan = *job.plan;
    const int64_t begin = block * job.block_units, n = block_length(job, begin);
    const bool domains = plan.in_place && plan.domain[0].checked;
    result.status = load_row_block<T>(job, scratch, begin, n, domains).status;
    if (result.status == FASTLOSS_OK && job.weighted) {
        sum_numbers(scratch.weight, n, result.weight_high, result.weight_low);
    }
}

}  // namespace
}  // namespace fastloss
