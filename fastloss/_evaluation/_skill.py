"""How much better than the best constant prediction: R², D² and the like, in the same pass.

Where the best constant is the targets' mean, losses of two constants differ by what is linear in
the target (see Gneiting, Making and evaluating point forecasts, 2011, theorem 7). So the mean
target and the mean loss of any one constant give the mean loss of the best. The loss of predicting
the targets themselves is taken off both, as likelihoods without all their terms begin anywhere.
"""

from __future__ import annotations

import math

import numpy as np

from .._loss import Loss

__all__ = ["constant_of", "perfect", "skill"]

# How many times above its rounding the denominator is at least.
_RESOLVED = 1e3


def constant_of(loss: Loss) -> float | None:
    """Some prediction; None where the best constant is not the mean of the targets."""
    if loss.optimum != "mean" or loss.schema != "map" or len(loss.inputs) > 2:
        return None
    domain = loss.domains()[1]
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        middle = (domain.low + domain.high) / 2
    else:
        middle = domain.low + 1 if math.isfinite(domain.low) else 0.0
    return float(loss.mean_to_score(middle))


def perfect(loss: Loss, target: np.ndarray) -> np.ndarray:
    """The predictions that are the targets, whose losses are the least."""
    with np.errstate(all="ignore"):  # of a link there may be infinite ones
        return np.asarray(loss.mean_to_score(target), np.float64)


def skill(
    loss: Loss, mean: float, of_constant: float, of_perfect: float, target: float
) -> float | None:
    """1 - (mean - least) / (mean of the best constant prediction - least).

    NaN where that constant is not worse than the least, or by no more than rounding makes of it.

    Parameters
    ----------
    loss : Loss
    mean : float
        Of the losses.
    of_constant : float
        The mean loss of the prediction that :func:`constant_of` gives.
    of_perfect : float
        The mean loss of what :func:`perfect` gives.
    target : float
        The mean of the targets.
    """
    constant = constant_of(loss)
    if constant is None or not math.isfinite(target):
        return None
    with np.errstate(all="ignore"):
        best = float(loss.mean_to_score(target))
        change = float(loss.value(best, target)) - float(loss.value(constant, target))
    worse = of_constant + change - of_perfect
    rounding = np.finfo(float).eps * (abs(of_constant) + abs(change) + abs(of_perfect))
    return 1 - (mean - of_perfect) / worse if worse > _RESOLVED * rounding else math.nan
