"""How far off results are at the points of a case: the worst of each output, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from .oracle import OUTPUTS
from .peers import Peer
from .points import Case
from .runners import Runner, outputs, running
from .variants import name_of

__all__ = ["Figures", "Worst", "merged", "own", "theirs"]

Bounds = tuple[float, ...]
"""Of value, gradient and Hessian, in ulps."""
EXACT: Bounds = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Worst:
    """The largest error of an output.

    Attributes
    ----------
    error : float
        In ulps; infinite where a result is NaN, or wrongly finite.
    case : Case
        The points.
    unit : int
        Which of them.
    got, true : number
        The result and the truth.
    by : str
        What computed it.
    """

    error: float
    case: Case
    unit: int
    got: float
    true: Any
    by: str

    @property
    def inputs(self) -> dict[str, Any]:
        """What the unit holds."""
        return {name: x[self.unit] for name, x in self.case.inputs.items()}

    def __str__(self) -> str:
        return (
            f"{self.error:.2f} ulp by {self.by} at {self.inputs}: {self.got!r}, "
            f"truly {mpmath.nstr(self.true, 20)}"
        )


@dataclass(frozen=True)
class Figures:
    """The worst of each output that can be compared, by its name.

    Attributes
    ----------
    ordinary : dict
        Over ordinary numbers.
    all : dict
        Over all ranges.
    """

    ordinary: dict[str, Worst]
    all: dict[str, Worst]


def own(case: Case, runners: Iterable[Runner], bounds: Bounds = EXACT) -> Figures:
    """Ours, over all ways to run.

    An error that is no more than the output's bound may be overstated, up to the bound.
    """
    found = []
    for runner in runners:
        with running(runner):
            results = outputs(case.loss, case.inputs)
        found.append(_figures(case, results, name_of(runner), bounds=bounds))
    return merged(found)


def theirs(case: Case, peer: Peer) -> Figures | None:
    """A peer's, away from kinks, where conventions differ; None where it has no such loss."""
    results = peer.results(case.loss, case.kind, case.inputs)
    if results is None:
        return None
    smooth = np.array([not unit.met_kink for unit in case.truth.units])
    return _figures(case, results, peer.name, smooth)


def merged(figures: Iterable[Figures]) -> Figures:
    """The worst of several."""
    ordinary: dict[str, Worst] = {}
    everywhere: dict[str, Worst] = {}
    for one in figures:
        for found, new in ((ordinary, one.ordinary), (everywhere, one.all)):
            for output, worst in new.items():
                if output not in found or worst.error > found[output].error:
                    found[output] = worst
    return Figures(ordinary, everywhere)


def _figures(
    case: Case,
    results: Iterable[Any],
    by: str,
    differentiable: np.ndarray | None = None,
    bounds: Bounds = EXACT,
) -> Figures:
    """``differentiable`` tells at which units gradients and Hessians count."""
    found = Figures({}, {})
    units = np.ones(len(case.ordinary), bool)
    for output, got, bound in zip(OUTPUTS, results, bounds, strict=True):
        if got is None:
            continue
        among = units if output == "value" or differentiable is None else differentiable
        found.ordinary[output] = _worst(case, output, got, among & case.ordinary, by, bound)
        found.all[output] = _worst(case, output, got, among, by, bound)
    return found


def _worst(case: Case, output: str, got: Any, among: np.ndarray, by: str, bound: float) -> Worst:
    error, at = case.truth.worst(output, got, among, bound)
    unit = case.truth.unit_of(output, at)
    result = float(np.asarray(got).ravel()[at])
    return Worst(error, case, unit, result, case.truth.exact(output, at), by)
