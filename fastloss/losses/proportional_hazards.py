"""Losses of who has an event among those at risk."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, EVENT, GROUP, TIME, Domain
from .._loss import ScanLoss
from .._parameters import choice
from ..vocabulary import exp, log
from ._partial_likelihood import PartialLikelihood, PartialLikelihoodEfron

__all__ = ["CoxPh"]


class CoxPh(ScanLoss):
    """Negative log partial likelihood of proportional hazards, Σ log Σ_at_risk exp(z_j) - z_i.

    Use it for times to an event that may be censored, where it matters who is at more risk than
    whom: no distribution of the times is assumed.

    Avoid it where times themselves are to be predicted, where hazards cross, and in small batches:
    risk sets end with the data of a call.

    The prediction is the logarithm of the relative hazard, the target the time of the event or of
    censoring. An element is at risk until its time, that included. ``group`` holds strata, which
    have risk sets of their own.

    A mean is over events. Values of ``reduction="none"`` are those of each event, 0 for the
    censored. A weight counts in risk sets and as the event's (the weighted partial likelihood).

    Parameters
    ----------
    ties : {"breslow", "efron"}
        What events of the same time see of each other: all of them the whole risk set (Breslow,
        1974), or each one tied event's mean mass less than the one before (Efron, 1977).

    See Also
    --------
    Listmle : of an order where nobody is censored.
    PairwiseLogistic : of pairs of targets, without censoring.

    Notes
    -----
    D. R. Cox, Regression models and life-tables (1972).
    """

    name = "cox_ph"
    unit = "event"
    link = "log"
    inputs = ("prediction", "target", "event", "group")
    order = "target up"
    joins_ties = True
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = ""
    proper = False
    ulps = {"float32": (1, 1, 1), "float64": (1.5, 1.5, 2)}
    ties: str = choice("breslow", "efron")

    @property
    def scalars(self) -> Any:
        return PartialLikelihoodEfron if self.ties == "efron" else PartialLikelihood

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, TIME, EVENT, GROUP

    @staticmethod
    def definition(predictions: Any, targets: Any, events: Any, weights: Any, ties: str) -> Any:
        efron = ties == "efron"
        people = list(zip(predictions, targets, events, weights, strict=True))
        total = 0
        for time in sorted({t for t, e in zip(targets, events, strict=True) if e}):
            risk = sum(w * exp(z) for z, t, _, w in people if t >= time)
            tied = [(z, w) for z, t, e, w in people if t == time and e]
            mass = sum(w * exp(z) for z, w in tied)
            weight = sum(w for _, w in tied) / len(tied)
            for l in range(len(tied)):
                total = total + weight * log(risk - (mass * l / len(tied) if efron else 0))
            total = total - sum(w * z for z, w in tied)
        return total
