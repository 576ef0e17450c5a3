// The list of losses: one line a kernel, in the schema that drives it.
#pragma once

#include "binary.hpp"
#include "categorical.hpp"
#include "counts.hpp"
#include "divergence.hpp"
#include "partial_likelihood.hpp"
#include "ranking.hpp"
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
    CategoricalCrossEntropy,
    KlDivergence,
    KlDivergenceLogProbs,
    KlDivergenceProbs>;

using PairLosses = List<
    PairwiseLogistic,
    PairwiseHinge,
    LambdarankNdcg>;

using ScanLosses = List<
    PartialLikelihood,
    PartialLikelihoodEfron>;
// clang-format on

}  // namespace
}  // namespace fastloss
