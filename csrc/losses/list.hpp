// The list of losses: one line a kernel, in the schema that drives it.
#pragma once

#include "binary.hpp"
#include "categorical.hpp"
#include "classification.hpp"
#include "counts.hpp"
#include "deviances.hpp"
#include "distribution.hpp"
#include "divergence.hpp"
#include "forecast.hpp"
#include "margin.hpp"
#include "ordinal.hpp"
#include "partial_likelihood.hpp"
#include "ranking.hpp"
#include "regression.hpp"
#include "relative.hpp"
#include "robust.hpp"
#include "survival.hpp"

namespace fastloss {
namespace {

template <template <class> class... Formulas>
struct List {};

// clang-format off
using MapLosses = List<
    SquaredError,
    AbsoluteError,
    Huber,
    SmoothL1,
    PseudoHuber,
    Quantile,
    Expectile,
    EpsilonInsensitive,
    SquaredEpsilonInsensitive,
    LogCosh,
    Cauchy,
    CauchyMajorizer,
    Fair,
    GemanMcclure,
    GemanMcclureMajorizer,
    GeneralRobust,
    GeneralRobustMajorizer,
    GeneralRobustExponential,
    GeneralRobustExponentialMajorizer,
    TukeyBiweight,
    TukeyBiweightMajorizer,
    Welsch,
    WelschMajorizer,
    SquaredLogError,
    SquaredLogErrorFisher,
    Mape,
    Smape,
    Poisson,
    PoissonFull,
    PoissonMean,
    PoissonMeanFull,
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
    SigmoidFocal,
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
    CrpsGaussian,
    CrpsGaussianFisher,
    CrpsGaussianScale,
    CrpsGaussianScaleFisher,
    NegativeBinomialNll,
    IntervalScore,
    Aft,
    AftLogistic,
    AftExtreme,
    ZeroOne>;

using RowLosses = List<
    SoftmaxCrossEntropy,
    SoftmaxCrossEntropyTempered,
    SoftmaxCrossEntropyCapped,
    SoftmaxFocal,
    Poly1,
    GeneralizedCrossEntropy,
    CategoricalCrossEntropy,
    Nll,
    MulticlassBrier,
    MulticlassHinge,
    MultiMargin,
    SquaredMultiMargin,
    Sparsemax,
    OrdinalCrossEntropy,
    ProportionalOdds,
    KlDivergence,
    KlDivergenceLogProbs,
    KlDivergenceProbs,
    ReverseKlDivergence,
    ReverseKlDivergenceFisher,
    ReverseKlDivergenceLogProbs,
    ReverseKlDivergenceProbs,
    SymmetricKlDivergence,
    SymmetricKlDivergenceFisher,
    SymmetricKlDivergenceLogProbs,
    SymmetricKlDivergenceProbs,
    JsDivergence,
    JsDivergenceFisher,
    JsDivergenceLogProbs,
    JsDivergenceProbs,
    TotalVariation,
    MultiQuantile,
    CrpsEnsemble,
    TopK>;

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
