// The list of losses: one line a kernel, in the schema that drives it.
#pragma once

#include "binary.hpp"
#include "categorical.hpp"
#include "deviances.hpp"
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
    PoissonMean,
    Gamma,
    GammaFisher,
    GammaMean,
    GammaMeanFisher,
    InverseGaussian,
    InverseGaussianFisher,
    InverseGaussianMean,
    InverseGaussianMeanFisher,
    Tweedie,
    TweedieFisher,
    TweedieMean,
    TweedieMeanFisher,
    NegativeBinomial,
    SigmoidCrossEntropy,
    SigmoidCrossEntropyShaped,
    BinaryCrossEntropy,
    Exponential,
    Hinge,
    SquaredHinge,
    ModifiedHuber,
    SigmoidFocal>;

using RowLosses = List<
    SoftmaxCrossEntropy,
    CategoricalCrossEntropy,
    KlDivergence,
    KlDivergenceLogProbs,
    KlDivergenceProbs>;
// clang-format on

}  // namespace
}  // namespace fastloss
