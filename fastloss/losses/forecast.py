"""Losses of several predictions of one number."""

from __future__ import annotations

from typing import Any

from .._loss import RowLoss
from .._parameters import choice, fractions
from ..vocabulary import abs, const, flat, two_difference, two_product, two_sum, where
from .regression import pinball

__all__ = ["CrpsEnsemble", "MultiQuantile"]


class _Forecast(RowLoss):
    """Targets are one number a row, of shape prediction.shape[:-1]."""

    takes_labels = False
    takes_distributions = False
    takes_numbers = True
    reference = "number"


class MultiQuantile(_Forecast):
    """Quantile losses of several levels, summed: one column of predictions for each level.

    Targets are numbers of shape prediction.shape[:-1]. The gradient of a column is that of
    ``Quantile`` with its level.

    Use it for several quantiles by one model: intervals, or a distribution by many levels.

    Avoid it where columns must not cross, which it does not see to: sort each row afterwards; and
    with Newton steps and boosting, as its Hessian is 0.

    Parameters
    ----------
    quantiles : sequence of float
        The level of each column, between 0 and 1.

    See Also
    --------
    Quantile : of one level.
    CrpsEnsemble : of members without levels; for M sorted ones it is 2 / M times this with the
        levels (j - ½) / M.
    """

    name = "multi_quantile"
    encoding = "columns"
    fit_sums = 1
    coefficients = 1
    optimum = "quantile"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = "quantile"
    proper = False
    kinks = "prediction = target: gradient 0"
    ulps = {"float32": (2, 1, 0), "float64": (2, 1, 0)}
    quantiles: tuple[float, ...] = fractions((0.1, 0.5, 0.9))

    @property
    def columns(self) -> tuple[float, ...]:
        return self.quantiles

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    @staticmethod
    def definition(predictions: Any, number: Any, levels: Any) -> Any:
        residuals = (p - number for p in predictions)
        pairs = zip(residuals, levels, strict=True)
        return sum(where(r > 0, (1 - q) * r, -q * r) for r, q in pairs)

    @staticmethod
    def term(prediction: Any, number: Any) -> Any:
        return prediction, ()

    @staticmethod
    def fit(prediction: Any, level: Any, number: Any) -> Any:
        return ((pinball(prediction, number, level)[0], const(0.0)),)

    @staticmethod
    def finish(number: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return fits[0][0] + fits[0][1], (number,)

    @staticmethod
    def emit(kept: Any, level: Any, row: Any) -> Any:
        _, grad, hess = pinball(kept, row[0], level)
        return grad, hess


class CrpsEnsemble(_Forecast):
    """Continuous ranked probability score of an ensemble: mean |x - y| - ½ mean |x - x'|.

    The members x of an ensemble lie on the last axis; y is the target, one number each. Takes
    O(M log M) for M members (Gneiting and Raftery, 2007; Zamo and Naveau, 2018).

    Use it for forecasts by samples, such as those of weather models and generators: it wants them
    near the target and as wide as it is uncertain, in the target's unit. Of one member it is the
    absolute error.

    Avoid it where several numbers are forecast whose dependence matters, as each is scored alone;
    and with Newton steps and boosting, as its Hessian is 0.

    Parameters
    ----------
    estimator : {"nrg", "fair"}
        Over how many pairs the second mean goes: all M², which favours large ensembles, or the
        M (M - 1) of different members, which needs two and expects for each size what the
        distribution itself would have that members are drawn from (Ferro, 2014).

    See Also
    --------
    MultiQuantile : of columns with levels.
    AbsoluteError : of one number.
    """

    name = "crps_ensemble"
    encoding = "ranks"
    fit_sums = 2
    coefficients = 2
    optimum = "none"
    convex = False
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    kinks = "member = target: gradient 0; members equal to one another: the mean of both sides"
    ulps = {"float32": (2, 1.5, 0), "float64": (2, 1.5, 0)}
    estimator: str = choice("nrg", "fair")

    @property
    def least_classes(self) -> int:  # type: ignore[override]
        return 2 if self.estimator == "fair" else 1

    def kernel_parameters(self) -> tuple[float, ...]:
        return (1.0 if self.estimator == "fair" else 0.0,)

    @staticmethod
    def definition(predictions: Any, number: Any, fair: Any) -> Any:
        members = len(predictions)
        gaps = sum(abs(a - b) for a in predictions for b in predictions)
        distance = sum(abs(x - number) for x in predictions)
        return distance / members - gaps / (2 * members * (members - fair))

    # Targets of the members are their ranks r, counted from outside: of how many pairs with each
    # other half the distance has been taken away. With e = 1 for the fair estimator a member adds
    # (r - e) |x - y|, which is never negative.

    @staticmethod
    def term(prediction: Any, number: Any, fair: Any) -> Any:
        return prediction, ()

    @staticmethod
    def fit(prediction: Any, rank: Any, number: Any, fair: Any) -> Any:
        # a sum may overflow where the mean does not
        far = abs(prediction - number) > const(2.0**64)
        scale = where(far, const(2.0**-64), const(1.0))
        d, d_low = two_difference(prediction * scale, number * scale)
        count = rank - fair
        product, low = two_product(count, d)
        low = low + count * d_low
        zero = const(0.0)
        none = count == zero
        size = where(none, zero, abs(product))
        size_low = where(none, zero, where(d < zero, -low, low))
        near = where(far, zero, size), where(far, zero, size_low)
        return near, (where(far, size, zero), where(far, size_low, zero))

    @staticmethod
    def finish(number: Any, ties: Any, terms: Any, fits: Any, classes: Any, fair: Any) -> Any:
        near, near_low = fits[0]
        any_far = fits[1][0] > const(0.0)
        scale = where(any_far, const(2.0**-64), const(1.0))
        total, low = two_sum(fits[1][0], near * scale)
        low = low + (fits[1][1] + near_low * scale)
        total = where(low - low == const(0.0), total + low, total)
        pairs = classes * (classes - fair)
        value = total / pairs * where(any_far, const(2.0**64), const(1.0))
        return value, (number + flat(value), pairs)

    @staticmethod
    def emit(kept: Any, rank: Any, row: Any, fair: Any) -> Any:
        number, pairs = row[0], row[1]
        below = where(kept < number, fair - rank, const(0.0))
        slope = where(kept > number, rank - fair, below)
        return slope / pairs + flat(kept - number), flat(kept - number)
