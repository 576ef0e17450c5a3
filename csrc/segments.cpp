// Tallies of many segments, unit by unit. A thread has segments of its own: none waits, and a
// segment takes up its units in their order.
#include "threads.hpp"

#include <fastloss.h>
#include <math.h>
#include <string.h>

namespace fastloss {
namespace {

// A segment's carries wait for so many of its units. Before, its limbs are below 2^61; a unit adds
// at most two words to a sum, each of them less than 2^52 to a limb: 2^61 + 256 * 2 * 2^52 = 2^62.
// A merge may add 2^61 to that, and carries at once.
constexpr int64_t units_between_carries = 256;
constexpr int64_t carried_limb = int64_t(1) << 61;

constexpr int block_units = 512;
constexpr int units_ahead = 12;  // whose records are fetched

enum SpecialBits : int64_t { nan_bit = 1, infinity_bit = 2, negative_infinity_bit = 4 };

struct SegmentTask {
    const void* loss;
    const double* weight;
    const void* code;
    int64_t units, first;
    bool wide_loss, wide_code;
    fastloss_segments to;
    uint32_t threads;
    int64_t* done;
    uint8_t* missing;
    int stopped;
};

// A double as digits of a limb and the next: x = low 2^(32 limb - 1074) + high 2^(32 limb - 1042).
struct LimbDigits {
    int64_t low, high;
    int limb;
    int64_t special;
};

inline LimbDigits limb_digits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const unsigned exponent = unsigned(bits >> 52) & 2047;
    uint64_t mantissa = bits & 0x000FFFFFFFFFFFFF;
    if (__builtin_expect(exponent == 2047, 0)) {
        return {0, 0, 0, mantissa ? nan_bit : bits >> 63 ? negative_infinity_bit : infinity_bit};
    }
    const unsigned normal = exponent != 0;
    mantissa |= uint64_t(normal) << 52;
    const unsigned position = exponent - normal, shift = position % 32;
    const uint64_t low = (mantissa << shift) & 0xFFFFFFFF, high = mantissa >> (32 - shift);
    const uint64_t sign = 0 - (bits >> 63);
    return {int64_t((low ^ sign) - sign), int64_t((high ^ sign) - sign), int(position / 32), 0};
}

inline int column_of(int sum, int limb) {
    return FASTLOSS_SEGMENT_LIMB + sum * FASTLOSS_LIMBS + limb;
}

// What a unit adds to the sums. Products are two words, of which the lower rounds where it
// underflows; squares of float32 need but one.
template <bool weighted, bool narrow>
struct UnitWords {
    static constexpr int count = weighted ? 8 : narrow ? 2 : 3;
    static constexpr int sum[8] = {
        FASTLOSS_LOSS,           FASTLOSS_LOSS_SQUARED,      FASTLOSS_LOSS_SQUARED,
        FASTLOSS_WEIGHT,         FASTLOSS_WEIGHT_TIMES_LOSS, FASTLOSS_WEIGHT_TIMES_LOSS,
        FASTLOSS_WEIGHT_SQUARED, FASTLOSS_WEIGHT_SQUARED};
    LimbDigits word[count];

    UnitWords(double x, double w) {
        if (weighted) x *= w;
        word[0] = limb_digits(x);
        if (!weighted && narrow) {
            word[1] = limb_digits(x * x);
            return;
        }
        set_product(1, x, x);
        if (weighted) {
            word[3] = limb_digits(w);
            set_product(4, w, x);
            set_product(6, w, w);
        }
    }

    void set_product(int i, double a, double b) {
        const double high = a * b, low = fma(a, b, -high);
        word[i] = limb_digits(high);
        word[i + 1] = limb_digits(low - low == 0 ? low : 0);
    }

    bool finite() const {
        int64_t special = 0;
        for (int i = 0; i < count; ++i) special |= word[i].special;
        return special == 0;
    }

    // Calls it with each column and what to add.
    template <class Function>
    void each_digit(Function function) const {
        for (int i = 0; i < count; ++i) {
            const int column = column_of(sum[i], word[i].limb);
            function(column, word[i].low);
            function(column + 1, word[i].high);
        }
    }
};

// Sets what was not set before: threads may at once.
inline void need(const SegmentTask& task, int column) {
    if (!task.to.place[column]) __atomic_store_n(&task.missing[column], 1, __ATOMIC_RELAXED);
}

// Leaves limbs in [0, 2^32), but for one without a next column: that waits until it must have one.
bool carry(const SegmentTask& task, int64_t* record) {
    const int16_t* place = task.to.place;
    for (int sum = 0; sum < FASTLOSS_SUMS; ++sum) {
        for (int limb = 0; limb < FASTLOSS_LIMBS - 1; ++limb) {
            const int at = place[column_of(sum, limb)], next = place[column_of(sum, limb + 1)];
            if (!at) continue;
            if (next) {
                record[next] += record[at] >> 32;
                record[at] &= 0xFFFFFFFF;
            } else if (record[at] >= carried_limb || record[at] <= -carried_limb) {
                need(task, column_of(sum, limb + 1));
                return false;
            }
        }
    }
    return true;
}

// The columns of a unit that is not finite, or whose products are not.
template <class Words, class Function>
void each_special(const Words& words, double x, Function function) {
    for (int i = 0; i < Words::count; ++i) {
        if (words.word[i].special) {
            function(FASTLOSS_SEGMENT_SPECIAL + words.sum[i], words.word[i].special);
        }
    }
    if (x - x == 0) return;
    const int kind = x != x ? FASTLOSS_SEGMENT_NAN : FASTLOSS_SEGMENT_INFINITE;
    function(kind, 1);
    function(kind + 1, 0);  // the first
}

template <class Words>
bool has_special_columns(const SegmentTask& task, const Words& words, double x) {
    bool all = true;
    each_special(words, x, [&](int column, int64_t) { all &= task.to.place[column] != 0; });
    return all;
}

template <class Words>
void need_columns(const SegmentTask& task, const Words& words, double x) {
    words.each_digit([&](int column, int64_t digit) {
        if (digit) need(task, column);
    });
    each_special(words, x, [&](int column, int64_t) { need(task, column); });
}

void add_special(const SegmentTask& task, int64_t* record, int64_t number, int column,
                 int64_t what) {
    int64_t& cell = record[task.to.place[column]];
    if (column >= FASTLOSS_SEGMENT_SPECIAL) {
        cell |= what;
    } else if (what) {
        cell += what;
    } else if (record[task.to.place[column - 1]] == 1 || number < cell) {
        cell = number;
    }
}

inline void add_extremes(int64_t* record, double x) {
    double least, greatest;
    memcpy(&least, record + FASTLOSS_SEGMENT_LEAST, sizeof least);
    memcpy(&greatest, record + FASTLOSS_SEGMENT_GREATEST, sizeof greatest);
    if (x < least) memcpy(record + FASTLOSS_SEGMENT_LEAST, &x, sizeof x);
    if (x > greatest) memcpy(record + FASTLOSS_SEGMENT_GREATEST, &x, sizeof x);
}

// False where a column is absent; nothing was added then.
template <class Words>
inline bool add_unit(const SegmentTask& task, int64_t* record, int64_t number, const Words& words,
                     double x) {
    const int16_t* place = task.to.place;
    int64_t* cell[2 * Words::count];
    int64_t absent = 0;
    for (int i = 0; i < Words::count; ++i) {
        const int16_t* at = place + column_of(words.sum[i], words.word[i].limb);
        absent |= at[0] ? 0 : words.word[i].low;
        absent |= at[1] ? 0 : words.word[i].high;
        cell[2 * i] = record + at[0];
        cell[2 * i + 1] = record + at[1];
    }
    if (__builtin_expect(absent != 0, 0)) return false;
    const bool finite = words.finite();
    if (!finite && !has_special_columns(task, words, x)) return false;
    int64_t& used = record[FASTLOSS_SEGMENT_USED];
    if (used % units_between_carries == 0 && used && !carry(task, record)) return false;
    ++used;
    add_extremes(record, x);
    // digits of an absent column are 0, and do no harm to number 0
    for (int i = 0; i < Words::count; ++i) {
        *cell[2 * i] += words.word[i].low;
        *cell[2 * i + 1] += words.word[i].high;
    }
    if (!finite) {
        each_special(words, x, [&](int column, int64_t what) {
            add_special(task, record, number, column, what);
        });
    }
    return true;
}

struct UnitBlock {
    int n;
    int64_t unit[block_units], code[block_units];
};

// Those of a thread among at most block_units.
template <class Code>
void pick(const SegmentTask& task, uint32_t thread, int64_t begin, int64_t end, UnitBlock& to) {
    const Code* code = static_cast<const Code*>(task.code);
    int n = 0;
    for (int64_t i = begin; i < end; ++i) {
        to.unit[n] = i;
        to.code[n] = code[i];
        n += task.threads == 1 || uint32_t(code[i]) % task.threads == thread;
    }
    to.n = n;
}

template <class T, bool weighted>
bool add_block(const SegmentTask& task, const UnitBlock& block, bool stopped, int64_t& done) {
    const T* loss = static_cast<const T*>(task.loss);
    const int64_t stride = task.to.stride;
    for (int i = 0; i < block.n; ++i) {
        if (i + units_ahead < block.n) {
            const int64_t* record = task.to.cells + block.code[i + units_ahead] * stride;
            for (int64_t cell = 0; cell < stride; cell += 8) __builtin_prefetch(record + cell, 1);
        }
        const int64_t unit = block.unit[i];
        int64_t* record = task.to.cells + block.code[i] * stride;
        const double x = double(loss[unit]), w = weighted ? task.weight[unit] : 1;
        if (weighted && w == 0) {
            const int16_t at = task.to.place[FASTLOSS_SEGMENT_SKIPPED];
            if (at && !stopped) {
                ++record[at];
                continue;
            }
            need(task, FASTLOSS_SEGMENT_SKIPPED);
        } else {
            const UnitWords<weighted, sizeof(T) == 4> words(x, w);
            if (!stopped && add_unit(task, record, task.first + unit, words, x)) continue;
            need_columns(task, words, x);
        }
        if (!stopped) done = unit;
        stopped = true;
    }
    return stopped;
}

template <class T>
bool add_block(const SegmentTask& task, const UnitBlock& block, bool stopped, int64_t& done) {
    return task.weight ? add_block<T, true>(task, block, stopped, done)
                       : add_block<T, false>(task, block, stopped, done);
}

// After the first unit that needs an absent column it but finds what else is absent.
void run_thread(void* context, int, int64_t thread) {
    SegmentTask& task = *static_cast<SegmentTask*>(context);
    UnitBlock block;
    bool stopped = false;
    int64_t done = task.units;
    for (int64_t begin = task.done[thread]; begin < task.units; begin += block_units) {
        const int64_t left = task.units - begin;
        const int64_t end = begin + (left < block_units ? left : block_units);
        task.wide_code ? pick<int64_t>(task, uint32_t(thread), begin, end, block)
                       : pick<int32_t>(task, uint32_t(thread), begin, end, block);
        stopped = task.wide_loss ? add_block<double>(task, block, stopped, done)
                                 : add_block<float>(task, block, stopped, done);
    }
    task.done[thread] = done;
    if (stopped) __atomic_fetch_add(&task.stopped, 1, __ATOMIC_RELAXED);
}

}  // namespace
}  // namespace fastloss

using namespace fastloss;

int fastloss_tally_segments(const void* loss, int dtype, const double* weight, const void* code,
                            int code_dtype, int64_t units, int64_t first,
                            const fastloss_segments* to, int threads, int64_t* done,
                            uint8_t* missing) {
    FloatEnvironment environment;
    SegmentTask task{loss,
                     weight,
                     code,
                     units,
                     first,
                     dtype == FASTLOSS_FLOAT64,
                     code_dtype == FASTLOSS_INT64,
                     *to,
                     uint32_t(threads),
                     done,
                     missing,
                     0};
    parallel_for(threads, threads < maximum_threads ? threads : maximum_threads, run_thread, &task,
                 nullptr, nullptr);
    return task.stopped;
}
