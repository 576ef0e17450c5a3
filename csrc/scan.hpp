// The scan schema: the sorted elements of a group, whose events each weigh the mass of all elements
// from theirs on. One walk from the end carries the mass; each event makes a term of it; one walk
// from the beginning carries the sums of the terms. Masses are in units of exp of the largest
// score from there on, so that none is lost; everything is float64 in two words.
#pragma once

#include "group.hpp"
#include "map.hpp"

namespace fastloss {
namespace {

using Words2 = TwoWord<double>;

constexpr int64_t scan_tile = 512;

// high + low with the largest high word; an infinite or NaN one stands alone.
inline Words2 normal_words(double high, double low) {
    const double sum = high + low;
    return low - low == 0 && sum - sum == 0 ? Words2{sum, (high - sum) + low} : Words2{high, 0};
}

inline Words2 plus(Words2 a, Words2 b) {
    const Words2 sum = two_sum(a.high, b.high);
    return normal_words(sum.high, sum.low + (a.low + b.low));
}

inline Words2 times(Words2 a, Words2 b) {
    const Words2 product = two_product(a.high, b.high);
    return normal_words(product.high, product.low + (a.high * b.low + a.low * b.high));
}

// Arrays of the scratch memory.
struct ScanArrays {
    double *unit, *mass, *mass_low;                    // of each element
    double *rest, *rest_low, *tied, *tied_low, *left;  // of each event, before its term
    double *value, *value_low, *slope, *slope_low;     // and after it, in the same memory
    const double *score, *event, *weight;

    explicit ScanArrays(const GroupTask& task) {
        const int64_t size = group_array_size(task.n);
        const auto array = [&](int i) {
            return reinterpret_cast<double*>(task.scratch + i * size);
        };
        unit = array(0), mass = array(1), mass_low = array(2);
        rest = array(3), rest_low = array(4), tied = array(5), tied_low = array(6);
        left = array(7);
        value = rest, value_low = rest_low, slope = tied, slope_low = tied_low;
        score = task.score, event = task.event, weight = task.event_weight;
    }

    bool is_event(int64_t i) const { return !event || event[i] != 0; }
    double weight_of(int64_t i) const { return weight ? weight[i] : 1; }
};

template <class T, class F>
struct ScanLoops {
    // The mass of each element, in its unit.
    FASTLOSS_LOOP_FUNCTION void mass_loop(const F formula, const double* score,
                                          const double* weight, const double* unit, int64_t n,
                                          double* mass, double* mass_low) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; ++i) {
            const Words2 mass_of_1 = formula.mass(score[i], unit[i]);
            const double w = weight[i];
            const double high = w * mass_of_1.high;
            mass[i] = high;
            mass_low[i] = fma(w, mass_of_1.high, -high) + w * mass_of_1.low;
        }
    }

    // The term of each event: the logarithm of its mass, and the mass's inverse.
    FASTLOSS_LOOP_FUNCTION void term_loop(const F formula, const ScanArrays arrays, int64_t n) {
        n = whole_lanes(n);
        FASTLOSS_INDEPENDENT
        for (int64_t e = 0; e < n; ++e) {
            const auto term = formula.term({arrays.rest[e], arrays.rest_low[e]},
                                           {arrays.tied[e], arrays.tied_low[e]}, arrays.left[e]);
            arrays.value[e] = term.value.high;
            arrays.value_low[e] = term.value.low;
            arrays.slope[e] = term.slope.high;
            arrays.slope_low[e] = term.slope.low;
        }
    }
};

// Elements on the way from the sums of terms to their outputs.
struct ScanTile {
    alignas(64) double mass[scan_tile], mass_low[scan_tile];
    alignas(64) double slope[scan_tile], slope_low[scan_tile];
    alignas(64) double curve[scan_tile], curve_low[scan_tile];
    alignas(64) double own[scan_tile];  // the weight of the element's event, or 0
    alignas(64) double grad[scan_tile], hess[scan_tile];
};

template <class T, class F, int outputs>
FASTLOSS_LOOP_FUNCTION void scan_emit_loop(const F formula, ScanTile& tile, int64_t n) {
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const Emit<double> emit =
            formula.emit({tile.mass[i], tile.mass_low[i]}, {tile.slope[i], tile.slope_low[i]},
                         {tile.curve[i], tile.curve_low[i]}, tile.own[i]);
        if constexpr (outputs & FASTLOSS_GRAD) tile.grad[i] = emit.grad;
        if constexpr (outputs & FASTLOSS_HESS) tile.hess[i] = emit.hess;
    }
}

// The largest score from each tie on: the unit of its masses. NaN counts in masses.
inline void find_units(const GroupTask& task, double* unit) {
    double most = -__builtin_inf();
    for (int64_t end = task.n; end > 0;) {
        int64_t begin = end - 1;
        while (!task.starts[begin]) --begin;
        for (int64_t i = begin; i < end; ++i) most = task.score[i] > most ? task.score[i] : most;
        for (int64_t i = begin; i < end; ++i) unit[i] = most;
        end = begin;
    }
}

inline int64_t count_events(const ScanArrays& arrays, int64_t n) {
    int64_t events = 0;
    for (int64_t i = 0; i < n; ++i) events += arrays.is_event(i);
    return events;
}

// From the end: the mass of all elements after each event's tie and beside it, and of the tie's
// events.
template <class F>
void walk_back(const F& formula, const GroupTask& task, const ScanArrays& arrays, int64_t events) {
    Words2 total = {0, 0};
    double unit = -__builtin_inf();
    int64_t tops = 0, event = events;  // how many masses are 1 by being the unit itself
    for (int64_t end = task.n; end > 0;) {
        int64_t begin = end - 1;
        while (!task.starts[begin]) --begin;
        const double next = arrays.unit[begin];
        if (next != unit) {
            if (end < task.n) total = times(total, formula.mass(unit, next));
            unit = next;
            tops = 0;
        }
        Words2 tied = {0, 0};
        int64_t own = 0;
        for (int64_t i = end - 1; i >= begin; --i) {
            const Words2 mass = {arrays.mass[i], arrays.mass_low[i]};
            tops += arrays.score[i] == unit;
            if (arrays.is_event(i)) {
                tied = plus(tied, mass);
                ++own;
            } else {
                total = plus(total, mass);
            }
        }
        // several infinite maxima have no limit
        const bool undefined = tops > 1 && unit - unit != 0;
        for (int64_t l = own - 1; l >= 0; --l) {
            --event;
            arrays.rest[event] = undefined ? __builtin_nan("") : total.high;
            arrays.rest_low[event] = total.low;
            arrays.tied[event] = tied.high;
            arrays.tied_low[event] = tied.low;
            arrays.left[event] = formula.left(double(l), double(own));
        }
        total = plus(total, tied);
        end = begin;
    }
    for (int64_t e = events; e < events + group_slack; ++e) {
        arrays.rest[e] = 1;
        arrays.rest_low[e] = arrays.tied[e] = arrays.tied_low[e] = arrays.left[e] = 0;
    }
}

// From the beginning: adds the terms up and finishes the elements, a tile at a time.
template <class F, int outputs>
void walk_there(const F& formula, GroupTask& task, const ScanArrays& arrays) {
    Words2 slope = {0, 0}, curve = {0, 0}, value = {0, 0};
    double unit = __builtin_inf();
    int64_t event = 0, filled = 0, first = 0;  // of the tile: elements in it, the first one
    ScanTile tile;
    const auto flush = [&] {
        const int64_t whole = (filled + lanes - 1) / lanes * lanes;
        for (int64_t i = filled; i < whole; ++i) {
            tile.mass[i] = tile.mass_low[i] = tile.slope[i] = tile.slope_low[i] = 0;
            tile.curve[i] = tile.curve_low[i] = tile.own[i] = 0;
        }
        scan_emit_loop<double, F, outputs>(formula, tile, whole);
        for (int64_t i = 0; i < filled; ++i) {
            if constexpr (outputs & FASTLOSS_GRAD) task.grad.high[first + i] = tile.grad[i];
            if constexpr (outputs & FASTLOSS_HESS) task.hess.high[first + i] = tile.hess[i];
        }
        first += filled;
        filled = 0;
    };
    for (int64_t begin = 0; begin < task.n;) {
        int64_t end = begin + 1;
        while (end < task.n && !task.starts[end]) ++end;
        const double next = arrays.unit[begin];
        if (next != unit) {
            const Words2 ratio = begin > 0 ? formula.mass(next, unit) : Words2{0, 0};
            slope = times(slope, ratio);
            curve = times(curve, times(ratio, ratio));
            unit = next;
        }
        double weight = 0;
        int64_t own = 0;
        for (int64_t i = begin; i < end; ++i) {
            if (!arrays.is_event(i)) continue;
            weight += arrays.weight_of(i);
            ++own;
        }
        // of the tie's events, of which a part is left
        Words2 slope_left = slope, curve_left = curve, logs = {0, 0};
        const double each = own ? weight / double(own) : 0;
        for (int64_t l = 0; l < own; ++l, ++event) {
            const double left = formula.left(double(l), double(own));
            const Words2 term = {arrays.slope[event], arrays.slope_low[event]};
            const Words2 weighted = times({each, 0}, term);
            // the square of what the slope has, lest a mass of nearly all lose its rest
            const Words2 part = times({left, 0}, term), of_part = times({each, 0}, part);
            slope = plus(slope, weighted);
            slope_left = plus(slope_left, of_part);
            curve = plus(curve, times(weighted, term));
            curve_left = plus(curve_left, times(of_part, part));
            logs = plus(logs, {arrays.value[event], arrays.value_low[event]});
        }
        if (own) logs = times(logs, {1 / double(own), 0});
        for (int64_t i = begin; i < end; ++i) {
            const bool is_event = arrays.is_event(i);
            const double weight_of_i = arrays.weight_of(i);
            if constexpr (outputs & FASTLOSS_VALUE) {
                if (is_event) {
                    const Words2 gap = formula.gap(arrays.score[i], unit);
                    const Words2 of_event = times({weight_of_i, 0}, plus(logs, gap));
                    value = plus(value, of_event);
                    if (task.values) task.values[i] = of_event.high;
                } else if (task.values) {
                    task.values[i] = 0;
                }
            }
            if constexpr ((outputs & ~FASTLOSS_VALUE) != 0) {
                const Words2 s = is_event ? slope_left : slope, c = is_event ? curve_left : curve;
                tile.mass[filled] = arrays.mass[i];
                tile.mass_low[filled] = arrays.mass_low[i];
                tile.slope[filled] = s.high;
                tile.slope_low[filled] = s.low;
                tile.curve[filled] = c.high;
                tile.curve_low[filled] = c.low;
                tile.own[filled] = is_event ? weight_of_i : 0;
                if (++filled == scan_tile) flush();
            }
        }
        begin = end;
    }
    if constexpr ((outputs & ~FASTLOSS_VALUE) != 0) flush();
    task.value = value.high;
    task.value_low = value.low;
}

template <template <class> class Formula, int outputs>
void scan_group(int64_t, int64_t, const void* const* in, const void* parameters, void* const*) {
    using F = Formula<double>;
    GroupTask& task = *static_cast<GroupTask*>(const_cast<void*>(in[0]));
    const F formula = load_formula<F, double>(parameters);
    const ScanArrays arrays(task);
    find_units(task, arrays.unit);
    const int64_t n = task.n, whole = (n + lanes - 1) / lanes * lanes;
    double* const ones = arrays.left;  // not in use yet
    for (int64_t i = 0; i < whole; ++i) ones[i] = arrays.weight && i < n ? arrays.weight[i] : 1;
    for (int64_t i = n; i < whole; ++i) arrays.unit[i] = 0;
    ScanLoops<double, F>::mass_loop(formula, arrays.score, ones, arrays.unit, whole, arrays.mass,
                                    arrays.mass_low);
    const int64_t events = count_events(arrays, n);
    walk_back(formula, task, arrays, events);
    ScanLoops<double, F>::term_loop(formula, arrays, (events + lanes - 1) / lanes * lanes);
    walk_there<F, outputs>(formula, task, arrays);
}

}  // namespace
}  // namespace fastloss
