"""What may be wrong with a formula, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
from mpmath import mpf

from ..accuracy import measure, points
from ..accuracy.oracle import OUTPUTS, Truth
from ..accuracy.samples import generator, sample
from ..vocabulary import rebind
from ..vocabulary.exact import WORDS

__all__ = ["Report", "check"]

UNITS = 200
"""Elements looked at in each dtype."""
ENOUGH = 16.0
"""Ulps that results may be off at ordinary inputs."""
AGREES = 1e-8
"""How far derivatives may be off finite differences, relative to the larger terms."""


@dataclass(frozen=True)
class Derivative:
    """How far a derivative is off finite differences at most, and at which inputs."""

    output: str
    error: float
    inputs: dict[str, float]


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
    return ", ".join(f"{name} = {float(x):.6g}" for name, x in inputs.items())


def check(loss: Any) -> Report:
    """See :meth:`fastloss._custom.CustomLoss.check`."""
    runner = [("native", None)]
    figures = {
        dtype: measure.own(points.case(loss, "values", dtype, UNITS), runner)
        for dtype in ("float64", "float32")
    }
    return Report(loss, tuple(_derivatives(loss)), figures)


def _derivatives(loss: Any) -> list[Derivative]:
    """What gradient and Hessian are off the differences of the formula, away from kinks."""
    inputs = sample(loss, (UNITS,), "float64", generator(), "values", extremes=False)
    truth = Truth(loss, inputs, "float64")
    definition = rebind(loss.definition, WORDS)
    parameters = [mpf(x) for x in loss.kernel_parameters()]
    found = loss.grad_and_hess(**inputs, reduction="none")
    results = []
    for output, got, order in zip(("grad", "hess"), found, (1, 2), strict=True):
        worst = Derivative(output, 0.0, {})
        for i, unit in enumerate(truth.units):
            z, *others = (mpf(float(x[i])) for x in inputs.values())
            with mpmath.workdps(60):
                step = mpf(10) ** -12 * max(1, abs(z))
                around = [definition(z + k * step, *others, *parameters) for k in range(-2, 3)]
                exact = _difference(around, step, order)
                scale = max(abs(exact), mpf(1))
                error = float(abs(mpf(float(got[i])) - exact) / scale)
            near_kink = unit.met_kink or len(unit.sides) > 0
            if not error <= worst.error and not near_kink:  # NaN is worst
                worst = Derivative(output, error, {n: float(x[i]) for n, x in inputs.items()})
        results.append(worst)
    return results


def _difference(y: list[Any], step: Any, order: int) -> Any:
    """The first or second derivative by central differences of fourth order."""
    if order == 1:
        return (y[0] - 8 * y[1] + 8 * y[3] - y[4]) / (12 * step)
    return (-y[0] + 16 * y[1] - 30 * y[2] + 16 * y[3] - y[4]) / (12 * step**2)
