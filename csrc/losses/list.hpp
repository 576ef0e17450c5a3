// The list of losses: one line a kernel, in the schema that drives it.
#pragma once

#include "binary.hpp"
#include "categorical.hpp"
#include "counts.hpp"
#include "distribution.hpp"
#include "divergence.hpp"
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
    GaussianNll,
    GaussianNllFisher,
    GaussianNllVariance,
    GaussianNllVarianceFisher,
    LaplaceNll,
    LaplaceNllFisher,
    LaplaceNllScale,
    LaplaceNllScaleFisher,
    StudentTNll,
    StudentTNllFisher,
    StudentTNllScale,
    StudentTNllScaleFisher,
    IntervalScore>;

using RowLosses = List<
    SoftmaxCrossEntropy,
    CategoricalCrossEntropy,
    KlDivergence,
    KlDivergenceLogProbs,
    KlDivergenceProbs>;
// clang-format on

}  // namespace
}  // namespace fastloss
