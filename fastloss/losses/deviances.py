"""Half deviances of means, without the terms that the target alone makes.

Each is what generalised linear models minimise. Deviances, which are twice as large and 0 where
the mean is the target, are for evaluation. Predictions are logarithms of means, or means.
"""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, COUNTS, Domain
from .._loss import MapLoss
from .._parameters import choice, finite_positive, flag, outside_fraction
from ..vocabulary import (
    abs,
    const,
    constant,
    exp,
    flat,
    fma,
    inf,
    lgamma,
    log,
    two_difference,
    two_exp,
    two_log,
    two_log1pexp,
    two_log_factorial,
    two_log_fine,
    where,
)
from ._exponentials import times_square
from ._logistic import logistic, root_share
from ._tweedie import TWEEDIE
from ._two_words import rounded_log

__all__ = ["Gamma", "InverseGaussian", "NegativeBinomial", "Poisson", "Tweedie"]


class _Deviance(MapLoss):
    """What all have in common: targets from 0, and their mean as the best constant."""

    optimum = "mean"
    convex = False
    smooth = True
    elicits = "mean"
    proper = False

    def domains(self) -> tuple[Domain, ...]:
        return COUNTS if self.link == "identity" else ANYTHING, COUNTS

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "nonnegative" if self.convex else "any"


class _OfAnyPrediction(_Deviance):
    """One of the mean or of its logarithm."""

    prediction_is: str = choice("log_mean", "mean")

    @property
    def link(self) -> str:  # type: ignore[override]
        return {"log_mean": "log", "mean": "identity"}[self.prediction_is]


class _WithFisher(_OfAnyPrediction):
    """One whose Hessian can be negative."""

    hessian: str = choice("exact", "fisher")

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.hessian == "fisher" else super().hessian_sign


def _relative(mean: Any, target: Any) -> tuple[Any, Any, Any]:
    """The mean, target / it, and (it - target) / it, with their limits at 0 / 0 and inf / inf."""
    mean = mean + const(0.0)  # -0 becomes 0
    none = target == const(0.0)
    alone = none | (mean == const(inf))
    ratio = where(none, flat(mean), target / mean)
    return mean, ratio, where(alone, const(1.0) + flat(ratio), (mean - target) / mean)


class Poisson(_OfAnyPrediction):
    """Poisson loss, exp(z) - target z for z = log mean; the term log(target!) can be added.

    The ulp of the gradient is that of the larger of exp(z) and target.

    Use it for counts and rates, and for other numbers from 0 on whose variance grows in proportion
    to their mean; targets need not be integers.

    Avoid it where counts scatter much more than their mean.

    Parameters
    ----------
    prediction_is : {"log_mean", "mean"}
        What predictions are. Of means the loss is mean - target log(mean).
    full : bool
        Add log Γ(target + 1), which makes it the whole log-likelihood; derivatives stay.

    See Also
    --------
    NegativeBinomial : for counts that scatter more.
    Tweedie : of amounts, with zeros.
    Gamma : of a variance that grows with the square of the mean.
    """

    name = "poisson"
    convex = True
    full: bool = flag(False)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "positive" if self.prediction_is == "log_mean" else "nonnegative"

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        bounds = (2.0, 2.0, 1.5) if self.prediction_is == "log_mean" else (2.0, 1.5, 1.5)
        return dict.fromkeys(("float32", "float64"), bounds)

    @property
    def scalars(self) -> Any:
        return _POISSON[self.prediction_is, self.full]

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return exp(prediction) - target * prediction

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        return _poisson_log(prediction, target)


def _poisson_log(prediction: Any, target: Any) -> Any:
    mean = exp(prediction)
    # the exponential wins over the product at +inf; 0 * -inf = 0
    alone = (mean == const(inf)) | (target == const(0.0))
    value = where(alone, mean + flat(target), fma(-target, prediction, mean))
    return value, mean - target, mean + flat(target)


def _poisson_mean(prediction: Any, target: Any) -> Any:
    mean, _, gap = _relative(prediction, target)
    high, low = two_log(mean)
    alone = (mean == const(inf)) | (target == const(0.0))
    value = fma(-target, high, fma(-target, low, mean))
    # the first of two quotients may be subnormal
    raised = where(target < const(2.0**-60), const(2.0**60), const(1.0))
    hess = where(target == const(0.0), flat(mean), target * raised / mean / (mean * raised))
    return where(alone, mean + flat(target), value), gap, hess


def _with_factorial(value: Any, mean: Any, log_mean: Any, log_mean_low: Any, target: Any) -> Any:
    high, low = two_log_factorial(target)
    # a factorial wins over any power
    whole = where(high == const(inf), high + flat(log_mean), value + high + low)
    # where each of two terms may overflow, but not their difference
    log_count, log_count_low = two_log_fine(target)
    gap, gap_low = two_difference(log_count, log_mean)
    gap_low = gap_low + (log_count_low - log_mean_low)
    rest = fma(target, gap, fma(target, gap_low, mean - target))
    many = target > constant(2.0**120, 2.0**1010)
    return where(many & (rest - rest == const(0.0)), rest, whole)


class _PoissonFull(MapLoss):
    name = "poisson_full"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return exp(prediction), -target * prediction, lgamma(target + 1)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, hess = _poisson_log(prediction, target)
        mean, none = exp(prediction), const(0.0)
        return _with_factorial(value, mean, prediction, none, target), grad, hess


class _PoissonMean(MapLoss):
    name = "poisson_mean"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return where(target == 0, prediction, prediction - target * log(prediction))

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        return _poisson_mean(prediction, target)


class _PoissonMeanFull(MapLoss):
    name = "poisson_mean_full"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        seen = where(target == 0, 0 * prediction, target * log(prediction))
        return prediction, -seen, lgamma(target + 1)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, hess = _poisson_mean(prediction, target)
        return _with_factorial(value, prediction, *two_log(prediction), target), grad, hess


_POISSON: dict[tuple[str, bool], Any] = {
    ("log_mean", False): Poisson,
    ("log_mean", True): _PoissonFull,
    ("mean", False): _PoissonMean,
    ("mean", True): _PoissonMeanFull,
}


class Gamma(_WithFisher):
    """Gamma loss, z + target exp(-z) for z = log mean; the term of the shape is dropped.

    A target of 0 leaves the linear term alone, which has no minimum.

    Use it for positive numbers whose scatter grows with their mean: costs, durations, sizes of
    claims.

    Avoid it where targets can be 0, for which Tweedie is made.

    Parameters
    ----------
    prediction_is : {"log_mean", "mean"}
        What predictions are. Of means the loss is log(mean) + target / mean.
    hessian : {"exact", "fisher"}
        The second derivative, which for means is negative above twice the target; or what one
        expects of it: 1, and for means 1 / mean².

    See Also
    --------
    Tweedie : with zeros.
    InverseGaussian : of heavier tails.
    Poisson : of a variance that grows less.
    """

    name = "gamma"
    ulps = {"float32": (2, 2, 2.5), "float64": (2, 2, 2.5)}

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.prediction_is == "log_mean"

    @property
    def scalars(self) -> Any:
        return _GAMMA[self.prediction_is, self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()


def _gamma_log(prediction: Any, target: Any) -> Any:
    root, root_low = two_exp(const(-0.5) * prediction)
    ratio = times_square(target, root, root_low)
    # an infinite ratio wins over the logarithm
    value = where(ratio == const(inf), ratio, prediction + ratio)
    return value, const(1.0) - ratio, ratio


def _gamma_mean(prediction: Any, target: Any) -> Any:
    mean, ratio, gap = _relative(prediction, target)
    high, low = two_log(mean)
    value = where(ratio == const(inf), ratio, high + (low + ratio))
    curve = fma(const(2.0), ratio, const(-1.0))
    return value, gap / mean, curve / mean / mean


class _GammaLog(MapLoss):
    name = "gamma"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return prediction + target * exp(-prediction)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        return _gamma_log(prediction, target)


class _GammaLogFisher(_GammaLog):
    name = "gamma_fisher"

    @staticmethod
    def curvature(prediction: Any, target: Any) -> Any:
        return const(1.0)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, _ = _gamma_log(prediction, target)
        return value, grad, const(1.0) + flat(prediction)


class _GammaMean(MapLoss):
    name = "gamma_mean"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return log(prediction) + target / prediction

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        return _gamma_mean(prediction, target)


class _GammaMeanFisher(_GammaMean):
    name = "gamma_mean_fisher"

    @staticmethod
    def curvature(prediction: Any, target: Any) -> Any:
        return exp(-2 * log(prediction))

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, _ = _gamma_mean(prediction, target)
        return value, grad, const(1.0) / prediction / prediction


_GAMMA = {
    ("log_mean", "exact"): _GammaLog,
    ("log_mean", "fisher"): _GammaLogFisher,
    ("mean", "exact"): _GammaMean,
    ("mean", "fisher"): _GammaMeanFisher,
}


class InverseGaussian(_WithFisher):
    """Inverse Gaussian loss, ½ target exp(-2 z) - exp(-z) for z = log mean.

    The term 1 / (2 target) of the half deviance is dropped.

    Use it for positive numbers with a heavy upper tail, whose variance grows with the cube of the
    mean.

    Avoid it where targets can be 0, or come close: they count most. It is not convex; its Fisher
    Hessian is positive.

    Parameters
    ----------
    prediction_is : {"log_mean", "mean"}
        What predictions are. Of means the loss is target / (2 mean²) - 1 / mean.
    hessian : {"exact", "fisher"}
        The second derivative, which is negative for means far above the target; or what one
        expects of it: exp(-z), and for means 1 / mean³.

    See Also
    --------
    Gamma : of a variance that grows less.
    Tweedie : any power.
    """

    name = "inverse_gaussian"
    ulps = {"float32": (3, 3, 3), "float64": (3, 3, 3)}

    @property
    def scalars(self) -> Any:
        return _INVERSE_GAUSSIAN[self.prediction_is, self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()


def _inverse_gaussian_log(prediction: Any, target: Any) -> Any:
    root, root_low = two_exp(const(-0.5) * prediction)
    ratio = times_square(target, root, root_low)
    value = times_square(fma(const(0.5), ratio, const(-1.0)), root, root_low)
    grad = times_square(const(1.0) - ratio, root, root_low)
    hess = times_square(fma(const(2.0), ratio, const(-1.0)), root, root_low)
    return value, grad, hess, times_square(const(1.0), root, root_low)


def _inverse_gaussian_mean(prediction: Any, target: Any) -> Any:
    mean, ratio, gap = _relative(prediction, target)
    value = fma(const(0.5), ratio, const(-1.0)) / mean
    curve = fma(const(3.0), ratio, const(-2.0))
    return value, gap / mean / mean, curve / mean / mean / mean


class _InverseGaussianLog(MapLoss):
    name = "inverse_gaussian"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        return target * exp(-2 * prediction) / 2 - exp(-prediction)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, hess, _ = _inverse_gaussian_log(prediction, target)
        return value, grad, hess


class _InverseGaussianLogFisher(_InverseGaussianLog):
    name = "inverse_gaussian_fisher"

    @staticmethod
    def curvature(prediction: Any, target: Any) -> Any:
        return exp(-prediction)

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, _, hess = _inverse_gaussian_log(prediction, target)
        return value, grad, hess


class _InverseGaussianMean(MapLoss):
    name = "inverse_gaussian_mean"

    @staticmethod
    def definition(prediction: Any, target: Any) -> Any:
        inverse = 1 / prediction
        return target * inverse * inverse / 2 - inverse

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        return _inverse_gaussian_mean(prediction, target)


class _InverseGaussianMeanFisher(_InverseGaussianMean):
    name = "inverse_gaussian_mean_fisher"

    @staticmethod
    def curvature(prediction: Any, target: Any) -> Any:
        return exp(-3 * log(prediction))

    @staticmethod
    def formula(prediction: Any, target: Any) -> Any:
        value, grad, _ = _inverse_gaussian_mean(prediction, target)
        mean, _, _ = _relative(prediction, target)
        return value, grad, const(1.0) / mean / mean / mean


_INVERSE_GAUSSIAN = {
    ("log_mean", "exact"): _InverseGaussianLog,
    ("log_mean", "fisher"): _InverseGaussianLogFisher,
    ("mean", "exact"): _InverseGaussianMean,
    ("mean", "fisher"): _InverseGaussianMeanFisher,
}


class Tweedie(_WithFisher):
    """Tweedie loss, the integral of (m - target) / m^power over m from 1 to the mean.

    That is (mean^(2 - power) - 1) / (2 - power) - target (mean^(1 - power) - 1) / (1 - power): half
    the deviance but for a constant that makes the loss 0 at mean 1, and so continuous in the power
    at 1, where it is the Poisson loss less 1, and at 2, where it is the gamma loss less the target.
    At 0 it is half the squared error, at 3 the inverse Gaussian loss, with such constants too.

    Use it for sums of a random number of positive amounts, such as claims, rainfall and sales,
    which are 0 often: powers between 1 and 2.

    Avoid it to compare powers by its value, as the likelihood has a term of the power that is left
    out.

    Parameters
    ----------
    prediction_is : {"log_mean", "mean"}
        What predictions are.
    hessian : {"exact", "fisher"}
        The second derivative, which can be negative; or what one expects of it:
        mean^(2 - power), and for means mean^-power.
    power : float
        Of the mean in the variance; not between 0 and 1, where no such distribution exists.

    See Also
    --------
    Poisson : power 1.
    Gamma : power 2.
    InverseGaussian : power 3.
    """

    name = "tweedie"
    power: float = outside_fraction(1.5)

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        # the Hessian multiplies the rounding of a subnormal power
        hess = max(3.5, 3.0 + abs(self.power - 1) / 2)
        return dict.fromkeys(("float32", "float64"), (3.0, 3.0, hess))

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return 1 <= self.power <= 2 if self.prediction_is == "log_mean" else self.power in (0, 1)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        positive = self.prediction_is == "log_mean" and 1 <= self.power < 2
        return "positive" if positive else super().hessian_sign

    @property
    def scalars(self) -> Any:
        return TWEEDIE[self.prediction_is, self.hessian]

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.power,)


class NegativeBinomial(_Deviance):
    """Negative binomial loss (NB2), (target + 1 / d) log(1 + d exp(z)) - target z for z = log mean.

    It tends to the Poisson loss as the dispersion d tends to 0; terms without z are dropped.

    Use it for counts that scatter more than their mean.

    Avoid it to learn the dispersion, for which a likelihood with all its terms is needed; and where
    the variance is near the mean.

    Parameters
    ----------
    dispersion : float
        The d of the variance mean + d mean²; 1 / d is the size of other texts.

    See Also
    --------
    Poisson : its limit for a small dispersion.
    """

    name = "negative_binomial"
    link = "log"
    convex = True
    hessian_sign = "positive"
    ulps = {"float32": (2.5, 3, 4), "float64": (2.5, 3, 4)}
    dispersion: float = finite_positive(1.0, examples=(0.01, 3.0))

    @staticmethod
    def definition(prediction: Any, target: Any, dispersion: Any) -> Any:
        spread = log(1 + dispersion * exp(prediction))
        return (target + 1 / dispersion) * spread - target * prediction

    @staticmethod
    def formula(prediction: Any, target: Any, dispersion: Any) -> Any:
        zero = const(0.0)
        log_d, log_d_low = rounded_log(dispersion)
        # log(d mean), and its logistic functions
        logit, logit_low = two_difference(prediction, -log_d)
        logit_low = logit_low + log_d_low
        up = logit > zero
        gap, gap_low = where(up, logit, -logit), where(up, logit_low, -logit_low)
        half = const(0.5)
        root, root_low, e, _, near, near_low = logistic(half * gap, half * gap_low)
        share, share_low = root_share(root, root_low, near, near_low)
        inverse = const(1.0) / dispersion
        # exp(-gap) / d, which is the mean where the logit is negative
        mean = times_square(inverse, root, root_low)
        term, term_low = two_log1pexp(-gap, -gap_low)
        spread = where(up, gap + (term + (term_low + gap_low)), term + term_low) * inverse
        spread = where(up | (e > const(2.0**-70)), spread, mean)
        # log(1 + d mean) - z
        slope, slope_low = two_difference(term, where(up, -log_d, prediction))
        slope_low = slope_low + (term_low + where(up, log_d_low, zero))
        rest = fma(target, slope, fma(target, slope_low, spread))
        value = where(target == zero, spread, rest)
        # mean / (1 + d mean) and target / (1 + d mean): one times sigmoid(-gap), one sigmoid(gap)
        small, large = where(up, target, inverse), where(up, inverse, target)
        part = small * root
        less = fma(part, share, fma(part, share_low, small * root_low * share))
        grad = where(up, large * near - less, less - large * near)
        return value, grad, times_square(target + inverse, share, share_low)
