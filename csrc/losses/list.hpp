// The list of losses: one line a kernel, in the schema that drives it.
#pragma once

#include "binary.hpp"
#include "categorical.hpp"
#include "classification.hpp"
#include "counts.hpp"
#include "divergence.hpp"
#include "forecast.hpp"
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
    SquaredHinge,
    ZeroOne>;

using RowLosses = List<
    SoftmaxCrossEntropy,
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
    TotalVariation,
    MultiQuantile,
    CrpsEnsemble,
    TopK>;
// clang-format on

}  // namespace
}  // namespace fastloss
