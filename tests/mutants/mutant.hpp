// Formulas that are off by a little, for tests to notice: in a throw-away build this text comes
// before every source and puts a mutant in the place of each listed formula. The environment
// variable FASTLOSS_MUTANT picks one: its name, which output (0 value, 1 gradient, 2 Hessian), and
// what that is multiplied by and added to. All others are what they were.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "losses/list.hpp"

namespace fastloss {
namespace {

struct Mutation {
    char formula[64] = "";
    int output = -1;
    double factor = 1, offset = 0;

    Mutation() {
        const char* const text = getenv("FASTLOSS_MUTANT");
        if (text) sscanf(text, "%63s %d %lf %lf", formula, &output, &factor, &offset);
    }
};

template <class Formula, class T>
T mutated(int output, T x) {
    static const Mutation wanted;
    static const bool meant = strcmp(wanted.formula, Formula::name) == 0;
    return meant && output == wanted.output ? T(x * wanted.factor + wanted.offset) : x;
}

// Made as the formula is, of its parameters.
template <class Formula, class Signature = decltype(&Formula::operator())>
struct MapMutant;

template <class Formula, class T, int P, class Base, class... Inputs>
struct MapMutant<Formula, Point<T, P> (Base::*)(Inputs...) const> : Formula {
    template <class... Given>
    explicit MapMutant(Given... given) : Formula{given...} {}

    Point<T, P> operator()(Inputs... inputs) const {
        Point<T, P> point = Formula::operator()(inputs...);
        point.value = mutated<Formula>(0, point.value);
        for (int p = 0; p < P; ++p) {
            point.grad[p] = mutated<Formula>(1, point.grad[p]);
            point.hess[p] = mutated<Formula>(2, point.hess[p]);
        }
        return point;
    }
};

template <class Formula, class T, class Base, class... Inputs>
struct MapMutant<Formula, T (Base::*)(Inputs...) const> : Formula {
    template <class... Given>
    explicit MapMutant(Given... given) : Formula{given...} {}

    T operator()(Inputs... inputs) const {
        return mutated<Formula>(0, Formula::operator()(inputs...));
    }
};

template <class Formula>
struct RowMutant : Formula {
    template <class... Given>
    explicit RowMutant(Given... given) : Formula{given...} {}

    template <class... Inputs>
    auto finish(const Inputs&... inputs) const {
        auto row = Formula::finish(inputs...);
        row.value = mutated<Formula>(0, row.value);
        return row;
    }

    template <class... Inputs>
    auto emit(const Inputs&... inputs) const {
        auto at = Formula::emit(inputs...);
        at.grad = mutated<Formula>(1, at.grad);
        at.hess = mutated<Formula>(2, at.hess);
        return at;
    }
};

template <class Formula, class T>
struct ScanMutant : RowMutant<Formula> {
    using RowMutant<Formula>::RowMutant;

    auto term(TwoWord<T> rest, TwoWord<T> tied, T left) const {
        auto term = Formula::term(rest, tied, left);
        term.value.high = mutated<Formula>(0, term.value.high);
        return term;
    }

    auto emit(TwoWord<T> mass, TwoWord<T> slope, TwoWord<T> curve, T own) const {
        return RowMutant<Formula>::emit(mass, slope, curve, own);
    }
};

// A formula is a template of its dtype; so is its mutant.
template <template <class> class Formula>
struct MutantOf {
    template <class T>
    using OfMap = MapMutant<Formula<T>>;
    template <class T>
    using OfRow = RowMutant<Formula<T>>;
    template <class T>
    using OfScan = ScanMutant<Formula<T>, T>;
};

template <template <class> class... Formulas>
auto mutate_maps(List<Formulas...>) -> List<MutantOf<Formulas>::template OfMap...>;
template <template <class> class... Formulas>
auto mutate_rows(List<Formulas...>) -> List<MutantOf<Formulas>::template OfRow...>;
template <template <class> class... Formulas>
auto mutate_scans(List<Formulas...>) -> List<MutantOf<Formulas>::template OfScan...>;

using MapMutants = decltype(mutate_maps(MapLosses{}));
using RowMutants = decltype(mutate_rows(RowLosses{}));
using PairMutants = decltype(mutate_maps(PairLosses{}));
using ScanMutants = decltype(mutate_scans(ScanLosses{}));

}  // namespace
}  // namespace fastloss

#define MapLosses MapMutants
#define RowLosses RowMutants
#define PairLosses PairMutants
#define ScanLosses ScanMutants
