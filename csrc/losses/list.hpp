// The list of losses: one line a kernel, in the schema that drives it.
#pragma once

#include "binary.hpp"
#include "categorical.hpp"
#include "counts.hpp"
#include "divergence.hpp"
#include "margin.hpp"
#include "ordinal.hpp"
#include "regression.hpp"

namespace fastloss {
namespace {

template <template <class> class... Formulas>
struct List {};

// clang-format off
using MapLosses = List<
    SquaredError,
    AbsoluteError,
    Huber,
    Quantile,
    LogCosh,
    Poisson,
    SigmoidCrossEntropy,
    BinaryCrossEntropy,
    Hinge,
    SquaredHinge>;

using RowLosses = List<
    SoftmaxCrossEntropy,
    TemperedCrossEntropy,
    CappedCrossEntropy,
    SoftmaxFocal,
    Poly1,
    GeneralizedCrossEntropy,
    CategoricalCrossEntropy,
    Nll,
    MulticlassBrier,
    MulticlassHinge,
    MultiMargin,
    SquaredMultiMargin,
    OrdinalCrossEntropy,
    KlDivergence,
    KlDivergenceLogProbs,
    KlDivergenceProbs,
    TotalVariation>;
// clang-format on

}  // namespace
}  // namespace fastloss
