// Divergences of a predicted distribution from a target distribution.
#pragma once

#include "categorical.hpp"
#include "mixture.hpp"
#include "two_words.hpp"

namespace fastloss {
namespace {

// Logits: cross-entropy less the target's entropy, summed class by class.
template <class T>
struct KlDivergence : SoftmaxCrossEntropy<T> {
    static constexpr const char* name = "kl_divergence";

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        // the whole gap may overflow
        const TwoWord<T> below = two_difference(T(0.5) * maximum, T(0.5) * prediction);
        const bool top = prediction == maximum, none = target == T(0);
        const TwoWord<T> log_target = two_log(target);
        const TwoWord<T> half = two_sum(top ? T(0) : below.high, T(0.5) * log_target.high);
        const T half_low = half.low + (T(0.5) * log_target.low + (top ? T(0) : below.low));
        const TwoWord<T> product = two_product(T(2) * target, half.high);
        const T low = product.low + T(2) * target * half_low;
        const bool finite = abs(product.high) < T(__builtin_inf());
        return {{{none ? T(0) : product.high, none | !finite ? T(0) : low}, {target, T(0)}}};
    }
};

template <class T>
struct KlDivergenceLogProbs : SumOverClasses<T> {
    static constexpr const char* name = "kl_divergence_log_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> log_target = two_log(target);
        const TwoWord<T> gap = two_difference(log_target.high, prediction);
        const TwoWord<T> value = two_product(target, gap.high);
        const T low = value.low + target * (gap.low + log_target.low);
        const bool none = target == T(0);
        return {{{none ? T(0) : value.high, none ? T(0) : low}}};
    }

    Emit<T> emit(T kept, T target, const T* row) const { return Nll<T>().emit(kept, target, row); }
};

// Probabilities, taken as they are.
template <class T>
struct KlDivergenceProbs : CategoricalCrossEntropy<T> {
    static constexpr const char* name = "kl_divergence_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> log_target = two_log(target), log_p = this->clip.log(prediction);
        const TwoWord<T> gap = two_difference(log_p.high, log_target.high);
        const TwoWord<T> value = two_product(target, gap.high);
        const T low = value.low + target * (gap.low + (log_p.low - log_target.low));
        const bool none = target == T(0);
        return {{{none ? T(0) : value.high, none ? T(0) : low}}};
    }
};

// ---- of logits, the other way round: with the sum S of the e, log p = z - max - log S, so that it
// is sum p a - log S for a = z - max - log q, and a less its mean is what the gradient needs

// The low word where the high one is finite.
template <class T>
FASTLOSS_INLINE TwoWord<T> low_if_finite(T high, T low) {
    return {high, abs(high) < Format<T>::infinity ? low : T(0)};
}

// A logit less the maximum; both may be infinite.
template <class T>
FASTLOSS_INLINE TwoWord<T> below_maximum(T prediction, T maximum) {
    const TwoWord<T> gap = two_difference(prediction, maximum);
    return select(prediction == maximum, {T(0), T(0)}, gap);
}

// What of a class does not need its row: e, raised, and a.
template <class T>
struct OwnExcess {
    TwoWord<T> e, a;

    FASTLOSS_INLINE OwnExcess(T prediction, T target, T maximum) {
        const TwoWord<T> gap = below_maximum(prediction, maximum);
        e = two_exp_raised(gap.high, gap.low);
        const TwoWord<T> log_target = two_log_fine(target);
        const TwoWord<T> both = two_difference(gap.high, log_target.high);
        // a class without target mass costs infinity, but where it is impossible too
        T high = target == T(0) ? Format<T>::infinity + flat(prediction) : both.high;
        high = prediction == -Format<T>::infinity ? flat(target) : high;
        high = (e.high == T(0)) & (high == -Format<T>::infinity) ? T(0) : high;
        const bool same = abs(both.high) < Format<T>::infinity;
        a = low_if_finite(high, same ? both.low + (gap.low - log_target.low) : T(0));
    }
};

// What a finished row tells its classes: the mean of a, -inf where the loss is infinite; what a
// lone maximum has above it; one over the sum of the e and that sum.
template <class T>
struct Centre {
    TwoWord<T> mean, lead;
    T lone, maximum;
    TwoWord<T> inverse, sum;

    FASTLOSS_INLINE static Centre read(const T* row) {
        return {{row[0], row[1]}, {row[2], row[3]}, row[4],
                row[5],           {row[6], row[7]}, {row[8], row[9]}};
    }

    // What a class has above the mean; infinite where the loss is.
    FASTLOSS_INLINE TwoWord<T> about(TwoWord<T> a, bool of_lone) const {
        const TwoWord<T> above = two_difference(a.high, mean.high);
        const TwoWord<T> usual = low_if_finite(a.high == Format<T>::infinity ? a.high : above.high,
                                               above.low + (a.low - mean.low));
        return select(of_lone, lead, usual);
    }
};

// Of a class a mass times x, or where it is a maximum, x alone, as sums of their own.
template <class T>
struct SumOfClass {
    TwoWord<T> other, top;

    FASTLOSS_INLINE SumOfClass(TwoWord<T> mass, TwoWord<T> x, bool is_top) {
        const bool none = is_top | ((mass.high == T(0)) & (x.high == x.high));
        // also where the mass underflows
        const bool infinite = (x.high == Format<T>::infinity) & !is_top;
        const TwoWord<T> zero = {T(0), T(0)}, usual = select(none, zero, mass * x);
        other = select(infinite, {x.high, T(0)}, usual);
        top = select(is_top, x, zero);
    }
};

// The mean over p of what classes have, of those sums; what a lone maximum has above it, free of
// cancellation.
template <class T>
struct Means {
    TwoWord<T> mean, lead;

    FASTLOSS_INLINE Means(TwoWord<T> others, TwoWord<T> tops, const Normalizer<T>& all) {
        const TwoWord<T> top = tops * all.inverse, both = two_sum(others.high, top.high);
        mean = low_if_finite(both.high, both.low + (others.low + top.low));
        const TwoWord<T> share = all.rest * all.inverse, own = share * tops;  // 1 - p
        const TwoWord<T> above = two_difference(own.high, others.high);
        const TwoWord<T> gap = low_if_finite(above.high, above.low + (own.low - others.low));
        lead = {mean.high == Format<T>::infinity ? mean.high : gap.high, gap.low};
    }
};

// The probability p of a class, raised, 1 - p and 1 - 2 p.
template <class T>
struct Share {
    TwoWord<T> p, others, way;

    FASTLOSS_INLINE Share(TwoWord<T> raised_e, bool top, const Centre<T>& row) {
        const T one = two_exp_raised(T(0), T(0)).high;
        p = select(top, {one, T(0)}, raised_e) * row.inverse;
        const TwoWord<T> part = {lowered(p.high), lowered(p.low)};
        const TwoWord<T> e = {top ? T(1) : lowered(raised_e.high),
                              top ? T(0) : lowered(raised_e.low)};
        const TwoWord<T> left = two_difference(row.sum.high, e.high);
        others = two_times({left.high, left.low + (row.sum.low - e.low)}, row.inverse);
        const TwoWord<T> difference = two_difference(others.high, part.high);
        way = {difference.high, difference.low + (others.low - part.low)};
    }
};

// One class of a finished row: gradient and Hessian, p (1 - p), and whether the loss is infinite.
template <class T>
struct OfClass {
    T grad, hess, variance;
    bool infinite;

    FASTLOSS_INLINE OfClass(T prediction, T target, const Centre<T>& row) {
        const OwnExcess<T> own(prediction, target, row.maximum);
        const Share<T> share(own.e, prediction == row.maximum, row);
        const TwoWord<T> gap = row.about(own.a, prediction == row.lone);
        const TwoWord<T> bend = share.way * gap, bent = two_sum(bend.high, share.others.high);
        const TwoWord<T> curve = {bent.high, bent.low + (bend.low + share.others.low)};
        // it is so whatever the prediction
        infinite = gap.high == Format<T>::infinity;
        grad = infinite ? T(0) : lowered(rounded(share.p * gap));
        hess = infinite ? T(0) : lowered(rounded(share.p * curve));
        variance = lowered(rounded(share.p * share.others));
    }
};

template <class T>
struct ReverseKlDivergence : SoftmaxCrossEntropy<T> {
    static constexpr const char* name = "reverse_kl_divergence";
    static constexpr int coefficients = 10;

    Term<T, 1> term(T prediction, T maximum) const {
        const TwoWord<T> gap = below_maximum(prediction, maximum);
        return {prediction, {this->term_of(gap, prediction == maximum).sums[0]}};
    }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        const OwnExcess<T> own(prediction, target, maximum);
        const SumOfClass<T> sum(own.e, own.a, prediction == maximum);
        return {{sum.other, sum.top}};
    }

    Finish<T, 10> finish(const Row<T, 1, 2>& row, T) const {
        const Normalizer<T> all = this->normalizer(row);
        const TwoWord<T> sum = row.fits[0];
        const TwoWord<T> others = TwoWord<T>{lowered(sum.high), lowered(sum.low)} * all.inverse;
        const auto [mean, lead] = Means<T>(others, row.fits[1], all);
        const TwoWord<T> value = two_difference(mean.high, all.softplus.high);
        const bool infinite = mean.high == Format<T>::infinity;
        const T lone = row.ties == T(1) ? row.reference : Format<T>::nan;
        return {rounded(value.high, value.low + (mean.low - all.softplus.low)),
                {infinite ? -mean.high : mean.high, mean.low, lead.high, lead.low, lone,
                 row.reference, all.inverse.high, all.inverse.low, all.sum.high, all.sum.low}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const OfClass<T> own(kept, target, Centre<T>::read(row));
        return {own.grad, own.hess};
    }
};

template <class T>
struct ReverseKlDivergenceFisher : ReverseKlDivergence<T> {
    static constexpr const char* name = "reverse_kl_divergence_fisher";

    Emit<T> emit(T kept, T target, const T* row) const {
        const OfClass<T> own(kept, target, Centre<T>::read(row));
        return {own.grad, own.variance};
    }
};

// ---- both ways, of logits

template <class T>
struct SymmetricKlDivergence : ReverseKlDivergence<T> {
    using Forward = KlDivergence<T>;
    using Reverse = ReverseKlDivergence<T>;
    static constexpr const char* name = "symmetric_kl_divergence";
    static constexpr int fit_sums = 4, coefficients = 13;

    Fit<T, 4> fit(T prediction, T target, T maximum) const {
        const Fit<T, 2> forward = Forward{}.fit(prediction, target, maximum);
        const Fit<T, 2> reverse = Reverse::fit(prediction, target, maximum);
        return {{forward.sums[0], forward.sums[1], reverse.sums[0], reverse.sums[1]}};
    }

    Finish<T, 13> finish(const Row<T, 1, 4>& row, T k) const {
        const Row<T, 1, 2> one = {
            row.reference, row.ties, {row.terms[0]}, {row.fits[0], row.fits[1]}};
        const Row<T, 1, 2> other = {
            row.reference, row.ties, {row.terms[0]}, {row.fits[2], row.fits[3]}};
        const Finish<T, 7> forward = Forward{}.finish(one, k);
        const Finish<T, 10> reverse = Reverse::finish(other, k);
        const T *const f = forward.coefficients, *const r = reverse.coefficients;
        return {forward.value + reverse.value,
                {r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], f[0], f[1], f[6]}};
    }

    // The exact Hessian, and what it is at the target.
    static OfClass<T> of_class(T kept, T target, const T* row) {
        const TwoWord<T> gap = below_maximum(kept, row[5]);
        const T e = lowered(two_exp_raised(gap.high, gap.low).high);
        const T plain[] = {row[10], row[11], row[6], row[7], row[8], row[9], row[12]};
        const Emit<T> forward = Forward{}.emit(kept == row[5] ? T(1) : e, target, plain);
        OfClass<T> own(kept, target, Centre<T>::read(row));
        own.grad = own.infinite ? T(0) : forward.grad + own.grad;
        own.hess = own.infinite ? T(0) : forward.hess + own.hess;
        own.variance += forward.hess;
        return own;
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const OfClass<T> own = of_class(kept, target, row);
        return {own.grad, own.hess};
    }
};

template <class T>
struct SymmetricKlDivergenceFisher : SymmetricKlDivergence<T> {
    static constexpr const char* name = "symmetric_kl_divergence_fisher";

    Emit<T> emit(T kept, T target, const T* row) const {
        const OfClass<T> own = SymmetricKlDivergence<T>::of_class(kept, target, row);
        return {own.grad, own.variance};
    }
};

// ---- class by class, of log-probabilities and probabilities

// The logarithm of p / q.
template <class T>
FASTLOSS_INLINE TwoWord<T> two_log_ratio(T p, T q) {
    const bool near = (p <= T(2) * q) & (q <= T(2) * p) & (q != T(0));
    const T gap = p - q;
    const T x = near ? gap / q : T(0), x_low = near ? fma(-x, q, gap) / q : T(0);
    const TwoWord<T> sum = two_sum(T(1), x);
    const TwoWord<T> a = two_log_fine(near ? sum.high : p, near ? sum.low + x_low : T(0));
    const TwoWord<T> b = two_log_fine(near ? T(1) : q);
    const TwoWord<T> ratio = two_difference(a.high, b.high);
    return low_if_finite(ratio.high, ratio.low + (a.low - b.low));
}

// The same by the logarithm of p.
template <class T>
FASTLOSS_INLINE TwoWord<T> log_excess(T log_p, T q) {
    const TwoWord<T> b = two_log_fine(q), ratio = two_difference(log_p, b.high);
    return low_if_finite(ratio.high, ratio.low - b.low);
}

template <class T>
FASTLOSS_INLINE TwoWord<T> plus(TwoWord<T> x, T y) {
    const TwoWord<T> sum = two_sum(x.high, y);
    return low_if_finite(sum.high, sum.low + x.low);
}

// A probability times what may be infinite; nothing where it is 0.
template <class T>
FASTLOSS_INLINE TwoWord<T> times_probability(T log_p, TwoWord<T> x) {
    const bool infinite = abs(x.high) == Format<T>::infinity;
    const TwoWord<T> product =
        two_exp_product(log_p, infinite ? T(1) : x.high, infinite ? T(0) : x.low);
    const T high = infinite ? x.high : product.high;
    return {log_p == -Format<T>::infinity ? T(0) : high, infinite ? T(0) : product.low};
}

template <class T>
struct ReverseKlDivergenceLogProbs : SumOverClasses<T> {
    static constexpr const char* name = "reverse_kl_divergence_log_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        return {{times_probability(prediction, log_excess(prediction, target))}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const TwoWord<T> ratio = log_excess(kept, target);
        return {rounded(times_probability(kept, plus(ratio, T(1)))),
                rounded(times_probability(kept, plus(ratio, T(2))))};
    }
};

template <class T>
struct ReverseKlDivergenceProbs : SumOverClasses<T> {
    static constexpr const char* name = "reverse_kl_divergence_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> product = prediction * two_log_ratio(prediction, target);
        return {{select(prediction == T(0), {flat(target), T(0)}, product)}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const TwoWord<T> slope = plus(two_log_ratio(kept, target), T(1));
        const bool none = (kept == T(0)) & (target == T(0));
        const T curve = T(1) / abs(kept) + flat(target);
        return {none ? T(0) : rounded(slope), none ? T(0) : curve};
    }
};

template <class T>
struct SymmetricKlDivergenceLogProbs : SumOverClasses<T> {
    static constexpr const char* name = "symmetric_kl_divergence_log_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> ratio = log_excess(prediction, target);
        const TwoWord<T> size = {abs(ratio.high), ratio.high < T(0) ? -ratio.low : ratio.low};
        // what the smaller lacks of the larger, relative to it
        const T rest = -expm1(-size.high, -size.low);
        const TwoWord<T> x = rest * size;
        const TwoWord<T> above = times_probability(prediction, x), below = target * x;
        const bool none = (target == T(0)) & (prediction == -Format<T>::infinity);
        return {{select(none, {T(0), T(0)}, select(ratio.high > T(0), above, below))}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const TwoWord<T> ratio = log_excess(kept, target);
        const bool larger = ratio.high > T(0);
        const T rest = expm1(-abs(ratio.high), larger ? -ratio.low : ratio.low);
        const TwoWord<T> grad = times_probability(kept, plus(ratio, larger ? -rest : T(0)));
        const bool none = (target == T(0)) & (kept == -Format<T>::infinity);
        const T below = larger ? T(0) : target * rest;
        return {none ? T(0) : grad.high + (grad.low + below),
                rounded(times_probability(kept, plus(ratio, T(2))))};
    }
};

template <class T>
struct SymmetricKlDivergenceProbs : SumOverClasses<T> {
    static constexpr const char* name = "symmetric_kl_divergence_probs";

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> product =
            two_difference(prediction, target) * two_log_ratio(prediction, target);
        const bool none = (prediction == T(0)) & (target == T(0));
        return {{select(none, {T(0), T(0)}, product)}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const T p = abs(kept);
        const TwoWord<T> ratio = two_log_ratio(p, target);
        const bool none = (p == T(0)) & (target == T(0));
        const T curve = (T(1) + target / p) / p;
        return {none ? T(0) : ratio.high + ((p - target) / p + ratio.low), none ? T(0) : curve};
    }
};

// ---- from a mixture of both

// With a = (1 - b) log(p / m) and its derivative s / p, the gradient is p (a - sum p a). A constant
// may be added to a. The Hessian is p ((1 - 2 p) (a - sum p a + s) + p sum p s).
template <class T>
struct JsDivergence {
    using Softmax = SoftmaxCrossEntropy<T>;
    static constexpr const char* name = "js_divergence";
    static constexpr Reference reference = Softmax::reference;
    static constexpr int term_sums = 1, settled = 2, fit_sums = 5, coefficients = 16;
    T beta;

    Term<T, 1> term(T prediction, T maximum) const {
        const TwoWord<T> e = fine_exponential(below_maximum(prediction, maximum));
        return {prediction, {select(prediction == maximum, {T(0), T(0)}, e)}};
    }

    Settled<T, 2> settle(const Row<T, 1, 0>& row) const {
        const TwoWord<T> inverse = Softmax::normalizer(row).inverse;
        return {{inverse.high, inverse.low}};
    }

    Fit<T, 5> fit(T prediction, T target, T maximum, const T* settled) const {
        const TwoWord<T> e = fine_exponential(below_maximum(prediction, maximum));
        const TwoWord<T> p = e * TwoWord<T>{settled[0], settled[1]};
        const Mixture<T> own(p, target, beta);
        const SumOfClass<T> tilt(p, own.tilt(), prediction == maximum);
        const SumOfClass<T> bend(p, own.bend(), prediction == maximum);
        return {{own.divergence(), tilt.other, tilt.top, bend.other, bend.top}};
    }

    Finish<T, 16> finish(const Row<T, 1, 5>& row, T) const {
        const Normalizer<T> all = Softmax::normalizer(row);
        const TwoWord<T> others = {lowered(row.fits[1].high), lowered(row.fits[1].low)};
        const Means<T> of(others, row.fits[2], all);
        const TwoWord<T> bend = {lowered(row.fits[3].high), lowered(row.fits[3].low)};
        const TwoWord<T> bends = two_plus(bend, row.fits[4] * all.inverse);
        const TwoWord<T> curves = two_plus(bends, -of.mean);
        const T lone = row.ties == T(1) ? row.reference : Format<T>::nan;
        return {rounded(row.fits[0]),
                {of.mean.high, of.mean.low, of.lead.high, of.lead.low, lone, row.reference,
                 all.inverse.high, all.inverse.low, all.sum.high, all.sum.low, curves.high,
                 curves.low, bend.high, bend.low, others.high, others.low}};
    }

    // The Hessian, and what it is at the target.
    struct Both {
        T grad, hess, fisher;
    };
    Both of_class(T kept, T target, const T* row) const {
        const Centre<T> centre = Centre<T>::read(row);
        const bool top = kept == centre.maximum, lone = kept == centre.lone;
        const Share<T> share(fine_exponential(below_maximum(kept, centre.maximum)), top, centre);
        const Mixture<T> own(share.p, target, beta);
        const TwoWord<T> tilt = own.tilt(), gap = centre.about(tilt, lone);
        const TwoWord<T> p = {lowered(share.p.high), lowered(share.p.low)};
        const TwoWord<T> around = centre.about(own.bend(), lone);
        const TwoWord<T> usual = two_plus(share.way * around, p * TwoWord<T>{row[10], row[11]});
        // of a lone maximum by its own a and s and the others' sums, of which none cancels:
        // (1 - p) ((1 - 2 p) a + (1 - p) s - sum p a) + p sum p (a + s)
        const TwoWord<T> inner = two_plus(share.way * tilt, share.others * own.curve());
        const TwoWord<T> outer = share.others * two_plus(inner, {-row[14], -row[15]});
        const TwoWord<T> of_lone = two_plus(outer, p * TwoWord<T>{row[12], row[13]});
        const TwoWord<T> curve = select(lone, of_lone, usual);
        return {lowered(rounded(share.p * gap)), lowered(rounded(share.p * curve)),
                lowered(rounded(share.p * share.others * (beta * own.rest)))};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const Both own = of_class(kept, target, row);
        return {own.grad, own.hess};
    }
};

template <class T>
struct JsDivergenceFisher : JsDivergence<T> {
    static constexpr const char* name = "js_divergence_fisher";

    Emit<T> emit(T kept, T target, const T* row) const {
        const auto own = this->of_class(kept, target, row);
        return {own.grad, own.fisher};
    }
};

// Class by class.
template <class T>
struct OverMixture : SumOverClasses<T> {
    struct Parameters {
        T beta;
    };
    T beta;

    explicit OverMixture(Parameters given) : beta(given.beta) {}
};

template <class T>
struct JsDivergenceLogProbs : OverMixture<T> {
    static constexpr const char* name = "js_divergence_log_probs";
    using OverMixture<T>::OverMixture, OverMixture<T>::beta;

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> p = fine_exponential<T>({prediction, T(0)});
        return {{Mixture<T>(p, target, beta).divergence()}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const TwoWord<T> p = fine_exponential<T>({kept, T(0)});
        const Mixture<T> own(p, target, beta);
        const TwoWord<T> slope = own.slope();
        const bool none = (p.high == T(0)) | (slope.high == -Format<T>::infinity);
        const TwoWord<T> curve = two_plus(slope, own.curve());
        return {none ? T(0) : lowered(rounded(p * slope)),
                none ? T(0) : lowered(rounded(p * curve))};
    }
};

template <class T>
struct JsDivergenceProbs : OverMixture<T> {
    static constexpr const char* name = "js_divergence_probs";
    using OverMixture<T>::OverMixture, OverMixture<T>::beta;

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> p = {prediction * raising<T>(), T(0)};
        return {{Mixture<T>(p, target, beta).divergence()}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const T p = abs(kept);
        const Mixture<T> own({p * raising<T>(), T(0)}, target, beta);
        const T raised = rounded(own.share(own.q * raising<T>()) * own.rest);
        // where it is subnormal p is not small
        const T usual = lowered(raised / p), curve = rounded(own.curve()) / p;
        const T hess = p < T(0x1p-60) ? curve : usual;
        return {rounded(own.slope()), target == T(0) ? flat(p) : hess};
    }
};

// Half the absolute error is a quantile loss at the median.
template <class T>
struct TotalVariation : OverClasses<T, Quantile<T>> {
    static constexpr const char* name = "total_variation";
};

}  // namespace
}  // namespace fastloss
