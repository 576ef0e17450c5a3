// Cross-entropies over the classes of a row.
#pragma once

#include "clip.hpp"
#include "over_classes.hpp"
#include "regression.hpp"

namespace fastloss {
namespace {

// What the terms of a row of logits add up to: all the e_j below but one maximum, all of them, one
// over that, and its logarithm.
template <class T>
struct Normalizer {
    TwoWord<T> rest, sum, inverse, softplus;
};

// Logits. With m = max z, e_j = exp(z_j - m) and r = sum of the e_j but one maximum:
// log-sum-exp = m + log1p(r), so a confident row keeps its full relative precision.
template <class T>
struct SoftmaxCrossEntropy {
    static constexpr const char* name = "softmax_cross_entropy";
    static constexpr Reference reference = Reference::maximum;
    static constexpr int term_sums = 1, fit_sums = 2, coefficients = 7;

    // Of a logit less the maximum.
    static Term<T, 1> term_of(TwoWord<T> below, bool top) {
        const TwoWord<T> e = two_exp_raised(below.high, below.low);
        return {top ? T(1) : lowered(e.high), {{top ? T(0) : e.high, top ? T(0) : e.low}}};
    }

    // Of half the maximum less a logit, as the whole may overflow.
    static Fit<T, 2> fit_of(TwoWord<T> half, T target, bool top) {
        const bool none = (target == T(0)) | top;
        const TwoWord<T> product = two_product(T(2) * target, half.high);
        const T low = product.low + T(2) * target * half.low;
        return {{{none ? T(0) : product.high, none ? T(0) : low}, {target, T(0)}}};
    }

    template <int fits>
    static Normalizer<T> normalizer(const Row<T, 1, fits>& row) {
        const TwoWord<T> others = two_sum(lowered(row.terms[0].high), row.ties - T(1));
        // several infinite maxima have no limit
        const bool undefined = (abs(row.reference) == T(__builtin_inf())) & (row.ties > T(1));
        const T rest = others.high + (undefined ? T(__builtin_nan("")) : T(0));
        const T rest_low = others.low + lowered(row.terms[0].low);
        const TwoWord<T> one_more = two_sum(T(1), rest);
        const TwoWord<T> sum = {one_more.high, one_more.low + rest_low};
        const TwoWord<T> inverse = two_inverse(sum.high, sum.low);
        return {{rest, rest_low}, sum, inverse, two_log1p(rest, rest_low * inverse.high)};
    }

    Term<T, 1> term(T prediction, T maximum) const {
        // exp knows infinities; both may be +inf
        return term_of(finite_difference(prediction, maximum), prediction == maximum);
    }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        return fit_of(two_difference(T(0.5) * maximum, T(0.5) * prediction), target,
                      prediction == maximum);
    }

    Finish<T, 7> finish(const Row<T, 1, 2>& row, T) const {
        const auto [rest, sum, inverse, softplus] = normalizer(row);
        const TwoWord<T> gap = row.fits[0], mass = row.fits[1];
        const T share = mass.high * inverse.high;
        const T share_low = fma(mass.high, inverse.high, -share) +
                            fma(mass.high, inverse.low, mass.low * inverse.high);
        const TwoWord<T> product = two_product(mass.high, softplus.high);
        const T product_low = mass.high * softplus.low + mass.low * softplus.high;
        const TwoWord<T> value = two_sum(gap.high, product.high);
        const T value_low = value.low + (gap.low + (product.low + product_low));
        return {value_low - value_low == T(0) ? value.high + value_low : value.high,
                {share, share_low, inverse.high, inverse.low, sum.high, sum.low, mass.high}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const TwoWord<T> share = {row[0], row[1]}, inverse = {row[2], row[3]},
                         sum = {row[4], row[5]};
        const T mass = row[6];
        const T part = fma(kept, share.high, kept * share.low);  // mass p
        const T part_low = fma(kept, share.high, -part) + kept * share.low;
        const T rest = sum.high - kept, rest_low = ((sum.high - rest) - kept) + sum.low;
        const T others = rest * inverse.high;  // 1 - p
        const T others_low =
            fma(rest, inverse.high, -others) + fma(rest, inverse.low, rest_low * inverse.high);
        const T missing = fma(rest, share.high, fma(rest, share.low, rest_low * share.high));
        // where a class has all the mass, the difference would cancel
        const TwoWord<T> surplus = two_difference(part, target);
        const T grad = target == mass ? -missing : surplus.high + (surplus.low + part_low);
        const T hess = fma(part, others, fma(part, others_low, part_low * others));
        return {target == T(0) ? part : grad, hess};
    }

    // p and p (1 - p) from 1 / sum and sum, two words each.
    Emit<T> emit_probability(T kept, const T* row) const {
        const T whole[] = {row[0], row[1], row[0], row[1], row[2], row[3], T(1)};
        return SoftmaxCrossEntropy::emit(kept, T(0), whole);
    }
};

// Logits divided by a temperature, with z_loss times the square of their log-sum-exp added.
template <class T>
struct SoftmaxCrossEntropyTempered {
    using Plain = SoftmaxCrossEntropy<T>;
    static constexpr const char* name = "softmax_cross_entropy_tempered";
    static constexpr Reference reference = Plain::reference;
    static constexpr int term_sums = 1, fit_sums = 2, coefficients = 10;
    struct Parameters {
        T z_loss, temperature;
    };
    T z_loss, limit;  // of the penalty, at infinity
    TwoWord<T> inverse;

    explicit SoftmaxCrossEntropyTempered(Parameters given)
        : z_loss(given.z_loss),
          limit(z_loss == T(0) ? T(0) : Format<T>::infinity),
          inverse(two_inverse(given.temperature, T(0))) {}

    TwoWord<T> tempered(TwoWord<T> x) const {
        const TwoWord<T> y = two_product(x.high, inverse.high);
        const T low = y.low + (x.high * inverse.low + x.low * inverse.high);
        return {y.high, abs(y.high) < T(__builtin_inf()) ? low : T(0)};
    }

    // Keeps e raised: the slope of z_loss may multiply a subnormal one.
    static Term<T, 1> term_of(TwoWord<T> below, bool top) {
        const TwoWord<T> e = two_exp_raised(below.high, below.low);
        const T one = two_exp_raised(T(0), T(0)).high;
        return {top ? one : e.high, {{top ? T(0) : e.high, top ? T(0) : e.low}}};
    }

    Term<T, 1> term(T prediction, T maximum) const {
        return term_of(tempered(two_difference(prediction, maximum)), prediction == maximum);
    }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        return Plain::fit_of(tempered(two_difference(T(0.5) * maximum, T(0.5) * prediction)),
                             target, prediction == maximum);
    }

    // With the maximum in two words, not divided yet.
    Finish<T, 10> finish_of(const Row<T, 1, 2>& row, TwoWord<T> maximum) const {
        const Finish<T, 7> plain = Plain{}.finish(row, T(0));
        const T* const c = plain.coefficients;
        // both parts of the log-sum-exp may all but cancel
        const TwoWord<T> rest = two_log_fine(c[4], c[5]), top = tempered(maximum);
        const TwoWord<T> sum = two_sum(top.high, rest.high);
        const T log_sum = rounded(sum.high, sum.low + (top.low + rest.low));
        const bool infinite = abs(log_sum) == Format<T>::infinity;
        const T product = infinite ? (log_sum > T(0) ? limit : -limit) : z_loss * log_sum;
        const T square = infinite ? limit : product * log_sum, slope = T(2) * product;
        return {plain.value + square,
                {c[0], c[1], c[2], c[3], c[4], c[5], c[6], row.fits[1].low, slope,
                 abs(slope) < Format<T>::infinity ? slope : flat(slope)}};
    }

    Finish<T, 10> finish(const Row<T, 1, 2>& row, T) const {
        return finish_of(row, {row.reference, T(0)});
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const T e = lowered(kept), mass = row[6], slope = row[8], finite = row[9];
        const TwoWord<T> share = {row[2], row[3]}, sum = {row[4], row[5]};
        const Emit<T> plain = Plain{}.emit(e, target, row);
        const T raised = fma(kept, share.high, kept * share.low), p = lowered(raised);
        const T rest = sum.high - e, rest_low = ((sum.high - rest) - e) + sum.low;
        const T others =  // 1 - p
            fma(rest, share.high, fma(rest, share.low, rest_low * share.high));
        // a class that has most of the mass: less its small lack, not a large difference
        const T lack = (mass - target) + row[7];
        const bool most = (target > T(0)) & (target > T(0.5) * mass);
        const T inner = most ? fma(-mass, others, lack) : plain.grad;
        // a small slope would be lost where it is lowered, a large one multiplies a subnormal p
        const bool small = abs(slope) < T(1);
        const T part = small ? slope * p : lowered(slope) * raised;
        const T bent = small ? finite * p : lowered(finite) * raised;
        const T grad = inner + (raised == T(0) ? T(0) : part);
        const T hess = fma(bent, others, plain.hess) + (T(2) * z_loss * p) * p;
        return {grad * inverse.high, hess * inverse.high * inverse.high};
    }
};

// Logits that first go through softcap * tanh(z / softcap).
template <class T>
struct SoftmaxCrossEntropyCapped : SoftmaxCrossEntropyTempered<T> {
    using Plain = SoftmaxCrossEntropy<T>;
    using Tempered = SoftmaxCrossEntropyTempered<T>;
    static constexpr const char* name = "softmax_cross_entropy_capped";
    static constexpr int coefficients = 11;
    struct Parameters {
        T z_loss, temperature, softcap;
    };
    T softcap;

    explicit SoftmaxCrossEntropyCapped(Parameters given)
        : Tempered({given.z_loss, given.temperature}), softcap(given.softcap) {}

    // z / softcap
    TwoWord<T> steepness(T prediction) const {
        const T high = prediction / softcap;
        const bool finite = abs(high) < T(__builtin_inf());
        return {high, finite ? fma(-high, softcap, prediction) / softcap : T(0)};
    }

    TwoWord<T> capped(T prediction) const {
        const TwoWord<T> x = steepness(prediction);
        return two_times({softcap, T(0)}, two_tanh(x.high, x.low));
    }

    // What a capped logit has above the capped maximum: nothing, but for rounding.
    TwoWord<T> below(T prediction, T maximum) const {
        // conditions on the maximum alone would keep a row's loop from filling vectors
        const T top = prediction == prediction ? maximum : prediction;
        const TwoWord<T> a = capped(prediction), b = capped(top);
        const TwoWord<T> gap = two_difference(a.high, b.high);
        const TwoWord<T> both = normalized(gap.high, gap.low + (a.low - b.low));
        const bool none = both.high > T(0);
        return {none ? T(0) : both.high, none ? T(0) : both.low};
    }

    Term<T, 1> term(T prediction, T maximum) const {
        const TwoWord<T> gap = Tempered::tempered(below(prediction, maximum));
        return {prediction, {Plain::term_of(gap, prediction == maximum).sums[0]}};
    }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        const TwoWord<T> gap = Tempered::tempered(below(prediction, maximum));
        return Plain::fit_of({T(-0.5) * gap.high, T(-0.5) * gap.low}, target,
                             prediction == maximum);
    }

    Finish<T, 11> finish(const Row<T, 1, 2>& row, T) const {
        const TwoWord<T> maximum = capped(row.reference);
        Row<T, 1, 2> limited = row;  // infinities are capped too
        limited.reference = maximum.high;
        const Finish<T, 10> all = Tempered::finish_of(limited, maximum);
        const T* const c = all.coefficients;
        return {all.value,
                {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], row.reference}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const TwoWord<T> gap = Tempered::tempered(below(kept, row[10])), x = steepness(kept);
        const Term<T, 1> term = Tempered::term_of(gap, kept == row[10]);
        const Emit<T> inner = Tempered::emit(term.kept, target, row);
        const T slope = sech_squared(x.high, x.low);
        const T bend = T(-2) * tanh(x.high) / softcap;  // of the slope, relative to it
        return {inner.grad * slope, slope * fma(slope, inner.hess, bend * inner.grad)};
    }
};

// What a function F of log p gives: itself, -F', (1 - p) F'' raised as by two_exp_raised, and the
// label's Hessian, which is (1 - p) ((1 - p) F'' - p F').
template <class T>
struct OfLabel {
    T value, slope, curve, hess;
};

// Losses F(log p) of the label's probability, with F a function of -log p, p raised too, and 1 - p.
template <class T, class F>
struct LabelProbability {
    using Plain = SoftmaxCrossEntropy<T>;
    static constexpr Reference reference = Plain::reference;
    static constexpr int term_sums = 1, fit_sums = 2, coefficients = 9;
    F of_label;

    Term<T, 1> term(T prediction, T maximum) const { return Plain{}.term(prediction, maximum); }

    Fit<T, 2> fit(T prediction, T target, T maximum) const {
        return Plain{}.fit(prediction, target, maximum);
    }

    Finish<T, 9> finish(const Row<T, 1, 2>& row, T) const {
        const Normalizer<T> all = Plain::normalizer(row);
        const TwoWord<T> gap = row.fits[0], inverse = all.inverse;
        const TwoWord<T> sum = two_sum(gap.high, all.softplus.high);
        const T lost = sum.low + (gap.low + all.softplus.low), high = rounded(sum.high, lost);
        const T low = (sum.high - high) + lost;
        const TwoWord<T> e = two_exp_raised(-gap.high, -gap.low);
        const T raised = fma(e.high, inverse.high, fma(e.high, inverse.low, e.low * inverse.high));
        const TwoWord<T> left = two_difference(all.sum.high, lowered(e.high));
        const T left_low = left.low + (all.sum.low - lowered(e.low));
        const bool top = gap.high == T(0);
        const TwoWord<T> q =
            two_times({top ? all.rest.high : left.high, top ? all.rest.low : left_low}, inverse);
        const OfLabel<T> label = of_label({high, low - low == T(0) ? low : T(0)}, raised, q);
        const T larger = q.high * T(0x1p60);  // q may be subnormal
        return {label.value,
                {inverse.high, inverse.low, all.sum.high, all.sum.low, label.slope, label.curve,
                 larger == T(0) ? T(0) : T(1) / larger, -label.slope * q.high, label.hess}};
    }

    Emit<T> emit(T kept, T target, const T* row) const {
        const Emit<T> p = Plain{}.emit_probability(kept, row);
        const T slope = row[4], share = (p.grad * T(0x1p60)) * row[6];  // of 1 - p of the label
        const T hess = fma(p.hess, slope, lowered(p.grad * (share * row[5])));
        const bool label = target == T(1);
        return {label ? row[7] : p.grad * slope, label ? row[8] : hess};
    }
};

template <class T>
struct FocalOfLabel {
    T gamma;

    OfLabel<T> operator()(TwoWord<T> surprise, T raised, TwoWord<T> q) const {
        const TwoWord<T> log_q = two_log_fine(q.high, q.low);
        const TwoWord<T> exponent = two_product(gamma, log_q.high);
        const T power = exp(exponent.high, exponent.low + gamma * log_q.low);
        const T discount = gamma == T(0) ? T(1) + flat(q.high) : power;  // 0^0 = 1
        const bool none = raised == T(0);
        // p log p and its ratio to 1 - p, which tends to 1
        const T product = none ? T(0) : raised * surprise.high;
        const T ratio = q.high == T(0) ? T(1) : lowered(product) / q.high;
        const T curve = fma(gamma - T(1), ratio, T(2) - surprise.high) - surprise.low;
        const T mixed = fma(-gamma, surprise.high, fma(T(2), gamma, T(1))) - gamma * surprise.low;
        const T hess = fma(q.high, mixed, gamma * gamma * lowered(product));
        return {discount * surprise.high, discount * fma(gamma, ratio, T(1)),
                none ? T(0) : (gamma * discount) * (raised * curve),
                none ? T(0) : lowered((raised * hess) * discount)};
    }
};

template <class T>
struct SoftmaxFocal : LabelProbability<T, FocalOfLabel<T>> {
    static constexpr const char* name = "softmax_focal";
};

template <class T>
struct Poly1OfLabel {
    T epsilon;

    OfLabel<T> operator()(TwoWord<T> surprise, T raised, TwoWord<T> q) const {
        const T part = raised * q.high;
        const T bend = fma(T(2) * epsilon, lowered(raised), T(1) - epsilon);
        return {fma(epsilon, q.high, surprise.high), fma(epsilon, lowered(raised), T(1)),
                -epsilon * part, lowered(part * bend)};
    }
};

template <class T>
struct Poly1 : LabelProbability<T, Poly1OfLabel<T>> {
    static constexpr const char* name = "poly1";
};

template <class T>
struct PowerOfLabel {
    T exponent;

    OfLabel<T> operator()(TwoWord<T> surprise, T raised, TwoWord<T> q) const {
        const TwoWord<T> product = two_product(exponent, surprise.high);
        const T low = product.low + exponent * surprise.low;
        const TwoWord<T> e = two_exp_raised(-product.high, -low);
        const T power = e.high + e.low, part = power * q.high;
        // a tiny product may be subnormal
        const T value = -expm1(-product.high, -low) / exponent;
        return {product.high < T(0x1p-60) ? surprise.high : value, lowered(power), -exponent * part,
                lowered(part * fma(-exponent, q.high, lowered(raised)))};
    }
};

template <class T>
struct GeneralizedCrossEntropy : LabelProbability<T, PowerOfLabel<T>> {
    static constexpr const char* name = "generalized_cross_entropy";
};

// Probabilities, taken as they are.
template <class T>
struct CategoricalCrossEntropy {
    static constexpr const char* name = "categorical_cross_entropy";
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 0, fit_sums = 1, coefficients = 0;
    Clip<T> clip;

    Term<T, 0> term(T prediction, T) const { return {prediction + T(0), {}}; }  // -0 becomes 0

    Fit<T, 1> fit(T prediction, T target, T) const {
        const TwoWord<T> log_p = clip.log(prediction), value = two_product(target, log_p.high);
        const bool none = target == T(0);
        return {{{none ? T(0) : value.high, none ? T(0) : value.low + target * log_p.low}}};
    }

    Finish<T, 0> finish(const Row<T, 0, 1>& row, T) const {
        return {T(0) - (row.fits[0].high + row.fits[0].low), {}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const T slope = target / kept;
        // both quotients are raised, as the first may be subnormal
        const T curve = (target * T(0x1p60)) / kept / (kept * T(0x1p60));
        const bool none = clip.below(kept) | clip.above(kept) | (target == T(0));
        return {none ? T(0) : -slope, none ? T(0) : curve};
    }
};

// Log-probabilities, taken as they are.
template <class T>
struct Nll {
    static constexpr const char* name = "nll";
    static constexpr Reference reference = Reference::none;
    static constexpr int term_sums = 0, fit_sums = 2, coefficients = 0;

    Term<T, 0> term(T prediction, T) const { return {prediction, {}}; }

    Fit<T, 2> fit(T prediction, T target, T) const {
        // tiny products add up in a unit of their own, where none is subnormal
        const bool tiny = abs(target * prediction) < constant<T>(0x1p-90f, 0x1p-900);
        const T unit = tiny ? constant<T>(0x1p64f, 0x1p200) : T(1);
        const TwoWord<T> product = two_product(unit * target, prediction);
        const bool none = tiny | (target == T(0));
        return {{{none ? T(0) : T(0) - product.high, none ? T(0) : -product.low},
                 {tiny ? T(0) - product.high : T(0), tiny ? -product.low : T(0)}}};
    }

    Finish<T, 0> finish(const Row<T, 0, 2>& row, T) const {
        const T unit = constant<T>(0x1p-64f, 0x1p-200);
        const TwoWord<T> tiny = {unit * row.fits[1].high, unit * row.fits[1].low};
        return {rounded(plus(row.fits[0], tiny)), {}};
    }

    Emit<T> emit(T kept, T target, const T*) const {
        const bool used = target != T(0);
        return {used ? flat(kept) - target : T(0), used ? flat(kept) : T(0)};
    }
};

template <class T>
struct MulticlassBrier : OverClasses<T, SquaredError<T>> {
    static constexpr const char* name = "multiclass_brier";
};

}  // namespace
}  // namespace fastloss
