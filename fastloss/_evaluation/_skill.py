"""How much better than the best constant prediction: R², D² and the like, in the same pass.

Where the best constant is the targets' mean, losses of two constants differ by what is linear in
the target (see Gneiting, Making and evaluating point forecasts, 2011, theorem 7). So the mean
target and the mean loss of any one constant give the mean loss of the best.
"""

from __future__ import annotations

import math

import numpy as np

from .._loss import Loss

__all__ = ["constant_of", "skill"]


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


def skill(loss: Loss, mean: float, of_constant: float, target: float) -> float | None:
    """1 - mean / mean of the best constant prediction; NaN where the latter is not above 0.

    Parameters
    ----------
    loss : Loss
    mean : float
        Of the losses.
    of_constant : float
        The mean loss of the prediction that :func:`constant_of` gives.
    target : float
        The mean of the targets.
    """
    constant = constant_of(loss)
    if constant is None or not math.isfinite(target):
        return None
    with np.errstate(all="ignore"):
        best = float(loss.mean_to_score(target))
        base = of_constant - float(loss.value(constant, target)) + float(loss.value(best, target))
    return 1 - mean / base if base > 0 else math.nan
