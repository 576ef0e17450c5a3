// The map schema: a pointwise formula, one sample at a time, over contiguous buffers.
#pragma once

#include <fastloss.h>

#include <type_traits>

#include "formula.hpp"
#include "lanes.hpp"
#include "loops.hpp"

namespace fastloss {
namespace {

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
    using type = Indices<I...>;
};

// A formula is a struct of parameters of its dtype and nothing else; or it names such a struct, of
// which it is made once, before the loop.
template <class Formula, class = void>
struct Parameters {
    using type = Formula;
};
template <class Formula>
struct Parameters<Formula, std::void_t<typename Formula::Parameters>> {
    using type = typename Formula::Parameters;
};

template <class Formula, class T>
constexpr int parameter_count() {
    using Given = typename Parameters<Formula>::type;
    return __is_empty(Given) ? 0 : int(sizeof(Given) / sizeof(T));
}

// Number by number, as GCC does not take one copy of them all out of a loop.
template <class Formula, class T, int... I>
inline Formula load_formula(const T* parameters, Indices<I...>) {
    return Formula(typename Parameters<Formula>::type{parameters[I]...});
}
template <class Formula, class T>
inline Formula load_formula(const void* parameters) {
    using All = typename MakeIndices<parameter_count<Formula, T>()>::type;
    return load_formula<Formula>(static_cast<const T*>(parameters), All{});
}

// How many inputs a formula takes, and how many of them are predictions.
template <class Signature>
struct Shape;
template <class Formula, class T, int P, class... Inputs>
struct Shape<Point<T, P> (Formula::*)(Inputs...) const> {
    static constexpr int predictions = P;
    static constexpr int inputs = sizeof...(Inputs);
    static constexpr bool value_only = false;
};
// One that gives its value alone.
template <class Formula, class T, class... Inputs>
struct Shape<T (Formula::*)(Inputs...) const> {
    static constexpr int predictions = 1;
    static constexpr int inputs = sizeof...(Inputs);
    static constexpr bool value_only = true;
};

template <class T>
inline T value_of(T value) {
    return value;
}
template <class T, int P>
inline T value_of(const Point<T, P>& point) {
    return point.value;
}

template <class T, template <class> class Formula, int outputs, int... I>
FASTLOSS_LOOP_FUNCTION void map_loop(int64_t n, const void* const* in, const void* parameters,
                                     void* const* out, Indices<I...>) {
    using Signature = Shape<decltype(&Formula<T>::operator())>;
    constexpr int P = Signature::predictions;
    const Formula<T> formula = load_formula<Formula<T>, T>(parameters);
    const T* const x[] = {static_cast<const T*>(in[I])...};
    const T scale = *static_cast<const T*>(in[sizeof...(I)]);
    T* const value = static_cast<T*>(out[0]);
    T* grad[P];
    T* hess[P];
    for (int p = 0; p < P; ++p) {
        grad[p] = static_cast<T*>(out[1 + p]);
        hess[p] = static_cast<T*>(out[1 + P + p]);
    }
    n = whole_lanes(n);
    FASTLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const auto point = formula(x[I][i]...);
        if constexpr (outputs & FASTLOSS_VALUE) value[i] = value_of(point);
        for (int p = 0; p < P; ++p) {
            if constexpr (outputs & FASTLOSS_GRAD) grad[p][i] = point.grad[p] * scale;
            if constexpr (outputs & FASTLOSS_HESS) hess[p][i] = point.hess[p] * scale;
        }
    }
}

template <class T, template <class> class Formula, int outputs>
void map_block(int64_t n, int64_t, const void* const* in, const void* parameters,
               void* const* out) {
    using Signature = Shape<decltype(&Formula<T>::operator())>;
    map_loop<T, Formula, outputs>(n, in, parameters, out,
                                  typename MakeIndices<Signature::inputs>::type{});
}

}  // namespace
}  // namespace fastloss
