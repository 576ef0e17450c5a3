"""What may be wrong with a formula, in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from .. import _config
from ..accuracy import measure, points
from ..accuracy.oracle import OUTPUTS, Truth
from ..accuracy.samples import CLASSES, generator, masses, sample
from ..accuracy.variants import target_kinds
from ..vocabulary import rebind
from ..vocabulary.exact import WORDS

__all__ = ["Report", "check"]

UNITS = 200
"""Elements looked at in each dtype, one by one or in rows."""
ENOUGH = 16.0
"""Ulps that results may be off at ordinary inputs."""
AGREES = 1e-8
"""How far derivatives may be off finite differences, relative to the larger terms."""


@dataclass(frozen=True)
class Derivative:
    """How far a derivative is off finite differences at most, and at which inputs."""

    output: str
    error: float
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What :meth:`CustomLoss.check` found; prints as text.

    Attributes
    ----------
    loss : Loss
    derivatives : tuple of Derivative
        Of gradient and Hessian.
    figures : dict
        Of each dtype what :mod:`fastloss.accuracy` measures, in ulps.
    """

    loss: Any
    derivatives: tuple[Derivative, ...]
    figures: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether derivatives agree, and all digits hold at ordinary inputs."""
        agree = all(d.error <= AGREES for d in self.derivatives)
        errors = (w.error for f in self.figures.values() for w in f.ordinary.values())
        return agree and all(error <= ENOUGH for error in errors)

    def __str__(self) -> str:
        lines = [f"{self.loss!r}: {'ok' if self.ok else 'look at this'}"]
        lines.append("derivatives against finite differences of the formula, in 60 digits:")
        for d in self.derivatives:
            lines.append(f"  {d.output:5}  off by {d.error:.1e} at most, at {_shown(d.inputs)}")
        for dtype, found in self.figures.items():
            lines.append(f"digits in {dtype}, against the formula in hundreds of bits:")
            for output in OUTPUTS:
                ordinary, worst = found.ordinary[output], found.all[output]
                lines.append(f"  {output:5}  {ordinary.error:.2g} ulp at ordinary inputs")
                if worst.error > ENOUGH and mpmath.isfinite(worst.true):
                    lines.append(
                        f"         loses digits at {_shown(worst.inputs)}: "
                        f"{worst.got:.6g}, truly {mpmath.nstr(worst.true, 6)}"
                    )
        return "\n".join(lines)


def _shown(inputs: dict[str, Any]) -> str:
    def shown(x: Any) -> str:
        return f"{float(x):.6g}" if np.ndim(x) == 0 else f"[{', '.join(map(shown, x))}]"

    return ", ".join(f"{name} = {shown(x)}" for name, x in inputs.items())


def check(loss: Any) -> Report:
    """See :meth:`fastloss._custom.CustomLoss.check`."""
    runner = [(_config.backend(), None)]
    kind = target_kinds(loss)[-1]  # of masses, not labels alone
    figures = {
        dtype: measure.own(points.case(loss, kind, dtype, _units(loss)), runner)
        for dtype in ("float64", "float32")
    }
    return Report(loss, tuple(_derivatives(loss)), figures)


def _units(loss: Any) -> int:
    return UNITS // CLASSES if loss.schema == "row" else UNITS


def _derivatives(loss: Any) -> list[Derivative]:
    """What gradient and Hessian are off the differences of the formula, away from kinks."""
    kind = target_kinds(loss)[-1]
    inputs = sample(loss, (_units(loss),), "float64", generator(), kind, extremes=False)
    truth = Truth(loss, inputs, "float64")
    found = loss.grad_and_hess(**inputs, reduction="none")
    definition = _definition(loss)
    results = []
    for output, got, order in zip(("grad", "hess"), found, (1, 2), strict=True):
        worst = Derivative(output, 0.0, {})
        for i, unit in enumerate(truth.units):
            numbers = [_numbers(loss, name, x[i]) for name, x in inputs.items()]
            error = max(_off(definition, numbers, np.atleast_1d(got[i]), order))
            near_kink = unit.met_kink or len(unit.sides) > 0
            if not error <= worst.error and not near_kink:  # NaN is worst
                worst = Derivative(output, error, {n: x[i] for n, x in inputs.items()})
        results.append(worst)
    return results


def _definition(loss: Any) -> Callable[..., Any]:
    """The formula of lists: of predictions, then of each other input."""
    plain = rebind(loss.definition, WORDS)
    parameters = [mpf(x) for x in loss.kernel_parameters()]
    if loss.schema == "row":
        return lambda z, target: plain(z, target, *parameters)
    return lambda *inputs: plain(*(x for (x,) in inputs), *parameters)


def _numbers(loss: Any, name: str, x: Any) -> list[Any]:
    """An input of a unit; class indices are masses."""
    if np.asarray(x).dtype.kind == "i":
        x = masses(loss, x, CLASSES)
    return [mpf(float(number)) for number in np.atleast_1d(x)]


def _off(
    definition: Callable[..., Any], numbers: list[Any], got: Any, order: int
) -> Iterator[float]:
    """How far each derivative of a unit is off."""
    z, *others = numbers
    with mpmath.workdps(60):
        for j, derivative in enumerate(got):
            step = mpf(10) ** -12 * max(1, abs(z[j]))
            moved = ([x + k * step * (l == j) for l, x in enumerate(z)] for k in range(-2, 3))
            exact = _difference([definition(x, *others) for x in moved], step, order)
            yield float(abs(mpf(float(derivative)) - exact) / max(abs(exact), mpf(1)))


def _difference(y: list[Any], step: Any, order: int) -> Any:
    """The first or second derivative by central differences of fourth order."""
    if order == 1:
        return (y[0] - 8 * y[1] + 8 * y[3] - y[4]) / (12 * step)
    return (-y[0] + 16 * y[1] - 30 * y[2] + 16 * y[3] - y[4]) / (12 * step**2)
