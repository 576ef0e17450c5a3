// A block of the row schema: load, check, run the block function, weight, sum, store.
#pragma once

#include "block.hpp"
#include "ranks.hpp"
#include "threshold.hpp"
#include "transpose.hpp"

namespace fastloss {
namespace {

// Multiplies the weights by the class weights of class indices and takes absent rows out: their
// weight becomes 0 and their label a class. False where a label of a row that counts is no class.
inline bool use_labels(const Job& job, int64_t n, const Scratch& scratch) {
    const fastloss_plan& plan = *job.plan;
    int64_t* const labels = scratch.labels;
    double* const weight = scratch.weight;
    const bool between =
        plan.encoding == FASTLOSS_LEVELS || plan.encoding == FASTLOSS_STEPS;  // labels
    const uint64_t classes = uint64_t(job.classes + between);
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
    const T* target;  // masses; null: class indices or numbers
    const T* number;
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

// Everything of a block of rows that is read.
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
    if (plan.target == FASTLOSS_LABELS) {
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
    } else if (plan.target == FASTLOSS_NUMBERS) {
        T* const number = reinterpret_cast<T*>(scratch.number);
        load(job, job.input[1], begin, n, number);
        pad(number, n);
        rows.number = number;
        if (plan.domain[1].checked &&
            used_outside(job, plan.domain[1], number, n, 1, 1, 0, scratch.weight)) {
            rows.status = FASTLOSS_BAD_INPUT;
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

// Masses less the share that is spread evenly, so that formulas need not know of smoothing.
template <class T>
void smooth(const Job& job, int64_t size, const T* mass, T* q) {
    const T keep = T(1 - job.plan->label_smoothing);
    const T share = T(job.plan->label_smoothing / double(job.classes));
    for (int64_t i = 0; i < size; ++i) q[i] = keep * mass[i] + share;
}

// What the plan's encoding makes of class indices or numbers, for each class.
template <class T>
void encode(const Job& job, const Scratch& scratch, int64_t n, const RowBlock<T>& rows, T* q) {
    const fastloss_plan& plan = *job.plan;
    const int64_t k = job.classes, size = k * (rows.column ? rows.column : n);
    const int64_t unit = rows.unit_stride, step = rows.class_stride;
    if (plan.encoding == FASTLOSS_COLUMNS) {
        for (int64_t i = 0; i < size; ++i) q[i] = T(plan.columns[rows.column ? i / step : i % k]);
        return;
    }
    for (int64_t i = 0; i < size; ++i) q[i] = 0;
    for (int64_t i = 0; i < n; ++i) {
        if (plan.encoding == FASTLOSS_RANKS) {
            write_ranks(rows.prediction + i * unit, k, step, rows.number[i], q + i * unit);
        } else if (plan.encoding == FASTLOSS_STEPS) {
            const int64_t label = scratch.labels[i];
            if (label > 0) q[i * unit + (label - 1) * step] = 1;
            if (label < k) q[i * unit + label * step] = -1;
        } else {
            const int64_t label = scratch.labels[i];
            const int64_t first = plan.encoding == FASTLOSS_LEVELS ? 0 : label;
            const int64_t end = plan.encoding == FASTLOSS_LEVELS ? label : label + 1;
            for (int64_t j = first; j < end; ++j) q[i * unit + j * step] = 1;
        }
    }
}

// Writes targets out as something of each class where formulas need that.
template <class T>
void write_targets(const Job& job, const Scratch& scratch, int64_t n, RowBlock<T>& rows) {
    T* const q = reinterpret_cast<T*>(scratch.input[1]);
    const bool smooths = job.plan->label_smoothing > 0;
    if (!rows.target && (smooths || job.plan->encoding != FASTLOSS_CLASS)) {
        encode(job, scratch, n, rows, q);
        rows.target = q;
    }
    if (smooths) {
        smooth(job, job.classes * (rows.column ? rows.column : n), rows.target, q);
        rows.target = q;
    }
}

// Predictions less the number above which those of their row add up to 1.
template <class T>
void subtract_threshold(const Job& job, const Scratch& scratch, int64_t n, RowBlock<T>& rows) {
    T* const above = reinterpret_cast<T*>(scratch.input[0]);
    for (int64_t i = 0; i < n; ++i) {
        const int64_t first = i * rows.unit_stride;
        above_threshold(rows.prediction + first, job.classes, rows.class_stride, above + first);
    }
    rows.prediction = above;
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
    write_targets(job, scratch, n, rows);
    if (plan.above_threshold) subtract_threshold(job, scratch, n, rows);

    const int64_t size = padded(n);
    T* const factor = reinterpret_cast<T*>(scratch.factor);
    for (int64_t i = 0; i < n; ++i) {
        factor[i] = job.weighted ? T(scratch.weight[i] * job.scale) : T(job.scale);
    }
    pad(factor, n);
    if (!rows.target) pad(scratch.labels, n);
    const void* const in[] = {rows.prediction, rows.target, rows.target ? nullptr : scratch.labels,
                              factor, rows.number};
    void* out[3] = {scratch.output[0]};
    for (int o = 1; o < 3; ++o) {
        const Strided& array = job.output[o];
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
        if (!array.data || out[o] != scratch.output[o]) continue;
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
