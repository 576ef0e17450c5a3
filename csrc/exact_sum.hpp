// The exact sum of doubles: the same bits for any order and any partition.
#pragma once

#include <fastloss.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

namespace fastloss {

// A fixed-point number wide enough for every double, in units of 2^-1074: limb i counts 2^(32 i).
// Limbs are signed and wider than their 32 bits, so that an addition touches two of them and
// carries wait.
class ExactSum {
  public:
    void add(double x) {
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        const unsigned exponent = unsigned(bits >> 52) & 2047;
        uint64_t mantissa = bits & 0x000FFFFFFFFFFFFF;
        if (__builtin_expect(exponent == 2047, 0)) {
            nonfinite_ |= mantissa ? nan : bits >> 63 ? minus_infinity : plus_infinity;
            return;
        }
        const unsigned normal = exponent != 0;
        mantissa |= uint64_t(normal) << 52;
        const unsigned position = exponent - normal;
        const unsigned shift = position % 32;
        const uint64_t low = (mantissa << shift) & 0xFFFFFFFF;
        const uint64_t high = mantissa >> (32 - shift);
        const uint64_t sign = 0 - (bits >> 63);
        int64_t* limb = limbs_ + position / 32;
        limb[0] += int64_t((low ^ sign) - sign);
        limb[1] += int64_t((high ^ sign) - sign);
        if (__builtin_expect(++pending_ >= most_pending, 0)) propagate_carries();
    }

    void add(const ExactSum& other) {
        for (int i = 0; i < limb_count; ++i) limbs_[i] += other.limbs_[i];
        nonfinite_ |= other.nonfinite_;
        pending_ += other.pending_;
        if (pending_ >= most_pending) propagate_carries();
    }

    // Rounded once, to nearest even. NaN if a NaN or both infinities were added, else the infinity
    // added, else ±infinity when the exact sum is too large; a sum of zero is +0.
    double value() const {
        if (nonfinite_ == plus_infinity) return from_bits(infinity_bits);
        if (nonfinite_ == minus_infinity) return from_bits(sign_bit | infinity_bits);
        if (nonfinite_) return from_bits(nan_bits);

        int first = 0;
        while (first < limb_count - 1 && limbs_[first] == 0) ++first;
        ExactSum magnitude = *this;
        magnitude.propagate_carries(first);
        const bool negative = magnitude.limbs_[limb_count - 1] < 0;
        if (negative) {
            for (int64_t& limb : magnitude.limbs_) limb = -limb;
            magnitude.propagate_carries(first);
        }
        return from_bits(magnitude.rounded_bits() | (negative ? sign_bit : 0));
    }

    // Each limb in [0, 2^32), but for the last one.
    void store(fastloss_exact& to) {
        propagate_carries();
        memcpy(to.limb, limbs_, sizeof limbs_);
        to.special = (nonfinite_ & nan) || nonfinite_ == (plus_infinity | minus_infinity) ? NAN
                     : nonfinite_ == plus_infinity                                        ? INFINITY
                     : nonfinite_ ? -INFINITY
                                  : 0;
    }

  private:
    // 2098 bits for the doubles, 60 for 2^60 additions.
    static constexpr int limb_count = FASTLOSS_LIMBS;
    // An addition changes a limb by less than 2^52, and a merge of two sums doubles a limb:
    // 2 * 1000 * 2^52 < 2^63. A limb after a carry counts as one addition.
    static constexpr int32_t most_pending = 1000;
    static constexpr uint32_t nan = 1, plus_infinity = 2, minus_infinity = 4;
    static constexpr uint64_t sign_bit = 0x8000000000000000;
    static constexpr uint64_t infinity_bits = 0x7FF0000000000000;
    static constexpr uint64_t nan_bits = 0x7FF8000000000000;

    static double from_bits(uint64_t bits) {
        double x;
        memcpy(&x, &bits, sizeof x);
        return x;
    }

    // Afterwards every limb lies in [0, 2^32), except the last, which carries the sign. Those
    // before `first` are 0.
    void propagate_carries(int first = 0) {
        int64_t carry = 0;
        for (int i = first; i < limb_count - 1; ++i) {
            const int64_t limb = limbs_[i] + carry;
            carry = limb >> 32;
            limbs_[i] = limb & 0xFFFFFFFF;
        }
        limbs_[limb_count - 1] += carry;
        pending_ = 1;
    }

    // The nearest double of a number that is not negative and has its carries propagated.
    uint64_t rounded_bits() const {
        int top = limb_count - 1;
        while (top > 0 && limbs_[top] == 0) --top;
        if (top == limb_count - 1) return infinity_bits;

        const uint64_t leading = uint64_t(limbs_[top]);
        const uint64_t second = top >= 1 ? uint64_t(limbs_[top - 1]) : 0;
        const uint64_t third = top >= 2 ? uint64_t(limbs_[top - 2]) : 0;
        // Subnormals and the first binade are their own bit pattern.
        if (top == 0) return leading;
        uint64_t window = leading << 32 | second;
        if (top == 1 && window < uint64_t(1) << 53) return window;

        const int zeros = __builtin_clzll(window);
        const int exponent = 32 * top + 31 - zeros - 51;
        if (exponent > 2046) return infinity_bits;
        window = window << zeros | third >> (32 - zeros);
        bool sticky = (window & 0x3FF) != 0 || ((third << zeros) & 0xFFFFFFFF) != 0;
        for (int i = 0; i < top - 2 && !sticky; ++i) sticky = limbs_[i] != 0;

        const uint64_t mantissa = window >> 11;
        const bool half = (window >> 10) & 1;
        const bool up = half && (sticky || (mantissa & 1));
        // The implicit bit adds one to the exponent, and so does a mantissa rounded up to 2^53.
        return (uint64_t(exponent - 1) << 52) + mantissa + up;
    }

    int64_t limbs_[limb_count] = {};
    int32_t pending_ = 0;
    uint32_t nonfinite_ = 0;
};

}  // namespace fastloss
