"""The truth, from a loss's ``definition`` alone, at hundreds of bits.

The definition runs on jets, so derivatives owe nothing to the library's formulas. Hessians that are
not the second derivatives have a definition of their own, ``curvature``. Inputs are exact;
parameters are rounded to the compute dtype first.

At a kink the definition runs once for each side, and the rule of kinks picks: the gradient of
least magnitude between both sides, the Hessian of smaller magnitude. So near a kink that rounding
an operand of the comparison to the compute dtype can cross it, either side is right.

Errors are in ulps of the exact result. Where the data can make a difference of terms vanish the ulp
is that of the largest term. Terms are found without knowledge of the loss: a target inside its
domain is a mixture of the domain's corners (a share y of the label 1 and 1 - y of the label 0; a
distribution's share of each class), the parts are the loss of each corner times its share, and what
the parts lack of the whole. So exp(z) - y counts as two terms, and each part is held to its own
precision where it stands alone. A Hessian that changes its sign is such a difference in the
prediction itself: near the change its terms are as large as it is half the prediction away, or in
rows with one logit moved by 1. In such rows, what the loss has without any target mass is a term
too. Where a distribution has several classes, the gradient of a class is a difference from its own
target mass (p Σq - q), which counts as a term too.

Where the definition gives NaN, at an end of the domain, nothing is claimed: the tests of rules hold
the limits.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

import fastloss as fl

from .jets import Jet, on_jets
from .samples import masses
from .ulps import FORMATS, Column, ulp_error

__all__ = ["OUTPUTS", "Truth", "Unit"]

BASE_BITS = 260
BESIDE = mpf(1) / 2
"""How far from a prediction its Hessian is looked at too, relative to it."""
OUTPUTS = ("value", "grad", "hess")


# ---- one unit


@dataclass
class Unit:
    """Value, gradients and Hessians of a unit, exact; near a kink those of both sides as well.

    ``met_kink`` says whether the one-sided derivatives differ.
    """

    value: Any
    grad: list[Any]
    hess: list[Any]
    met_kink: bool = False
    sides: tuple[Unit, ...] = ()

    def parts(self) -> list[Any]:
        """Value, gradients and Hessians in one list."""
        return [self.value, *self.grad, *self.hess]

    def column(self, output: str) -> list[Any]:
        """The numbers of one output."""
        return {"value": [self.value], "grad": self.grad, "hess": self.hess}[output]


def _enough_bits(numbers: list[Any], parameters: list[Any], dtype: str) -> tuple[int, int]:
    """A precision at which no cancellation of exponentials or tiny numbers shows in a result.

    And the exponent below which results are noise. Parameters may multiply exponents.
    """
    _, least, _ = FORMATS[dtype]
    limit = -least + 128
    factors = [abs(float(x)) for x in parameters if x and mpmath.isfinite(x)]
    finite = [*(abs(float(x)) for x in numbers if x and mpmath.isfinite(x)), *factors]
    if not finite:
        return BASE_BITS, 60 - BASE_BITS
    small, large = math.frexp(min(finite))[1], math.frexp(max(finite))[1]
    # exponentials may be of squares, of products with a parameter and of quotients by one
    quotient = 2 * max(finite) / min([1.0, *factors])
    largest = max(quotient * max(1.0, quotient), max(finite) * (1 + max(factors, default=0.0)))
    tails = min(limit, 3 * largest) if quotient > 4 else 0
    tiny = 2 * max(0, -small)
    needed = BASE_BITS + max(tails, tiny) + max(0, large)
    bits = math.ceil(needed / 200) * 200
    return bits, max(0, large) + 60 - bits


class Truth:
    """The truth of all units of some inputs.

    Parameters
    ----------
    loss : fastloss.Loss
    inputs : dict
        ``prediction`` and ``target``, as arrays.
    dtype : {"float32", "float64"}
        What results are held to.

    Attributes
    ----------
    units : list of Unit
    """

    def __init__(self, loss: fl.Loss, inputs: dict[str, Any], dtype: str) -> None:
        self.loss = loss
        self.dtype = dtype
        self._definition = on_jets(loss.scalars.definition)
        curvature = getattr(loss.scalars, "curvature", None)
        self._curvature = on_jets(curvature) if curvature else None
        round_to = np.dtype(dtype).type
        self._parameters = [mpf(float(round_to(p))) for p in loss.kernel_parameters()]
        columns = loss.columns if isinstance(loss, fl.RowLoss) else None
        self._constants = [] if columns is None else [[mpf(float(round_to(c))) for c in columns]]
        self._arguments = self._numbers(np.asarray(inputs["prediction"]).astype(dtype))
        self._targets = self._target_numbers(np.asarray(inputs["target"]), inputs["prediction"])
        self._bits: list[tuple[int, int]] = []
        self._known_terms: dict[int, list[Any]] = {}
        self.units: list[Unit] = []
        for argument, target in zip(self._arguments, self._targets, strict=True):
            several = isinstance(argument, list)
            numbers = [
                *(argument if several else [argument]),
                *(target if isinstance(target, list) else [target]),
            ]
            self._bits.append(_enough_bits(numbers, self._parameters, dtype))
            with self._precision(-1):
                self.units.append(self._unit(argument, target))

    def errors(self, output: str, got: Any, bound: float = 0.0) -> np.ndarray:
        """The error of each number of an output, in ulps.

        Only where it exceeds ``bound`` in ulps of the result are the terms looked at.
        """
        errors = self._prepared[output].errors(got)
        for i in np.flatnonzero(errors > bound):
            errors[i] = self._error(output, got, int(i))
        return errors

    def worst(self, output: str, got: Any, among: np.ndarray | None = None) -> tuple[float, int]:
        """The largest error of an output in ulps, and which number has it.

        ``among`` tells which units count. The terms are looked at where they can matter.
        """
        errors = self._prepared[output].errors(got)
        if among is not None:
            errors[~np.repeat(among, self._width(output))] = 0.0
        largest, at = -1.0, 0
        for i in np.argsort(-errors, kind="stable"):
            if errors[i] <= largest:
                break
            error = self._error(output, got, int(i)) if errors[i] else 0.0
            if error > largest:
                largest, at = error, int(i)
        return max(largest, 0.0), at

    def exact(self, output: str, i: int) -> Any:
        """The truth of the i-th number of an output."""
        unit, part = divmod(i, self._width(output))
        return self.units[unit].column(output)[part]

    def unit_of(self, output: str, i: int) -> int:
        """The unit that the i-th number of an output belongs to."""
        return i // self._width(output)

    # ---- numbers

    def _numbers(self, array: np.ndarray) -> list[Any]:
        if self.loss.schema == "row":
            rows = array.reshape(-1, array.shape[-1])
            return [[mpf(float(x)) for x in row] for row in rows]
        return [mpf(float(x)) for x in array.ravel()]

    def _target_numbers(self, target: np.ndarray, prediction: np.ndarray) -> list[Any]:
        if not isinstance(self.loss, fl.RowLoss):
            return self._numbers(target.astype(self.dtype))
        if self.loss.takes_numbers:
            return [mpf(float(x)) for x in target.astype(self.dtype).ravel()]
        classes = prediction.shape[-1]
        if target.shape != prediction.shape:
            target = masses(self.loss, target, classes)
        rows = self._numbers(target.astype(self.dtype))
        smoothing = self.loss.label_smoothing
        if not smoothing:
            return rows
        round_to = np.dtype(self.dtype).type
        kept, spread = (mpf(float(round_to(x))) for x in (1 - smoothing, smoothing / classes))
        with mpmath.workprec(2600):
            return [[kept * q + spread for q in row] for row in rows]

    @contextlib.contextmanager
    def _precision(self, i: int) -> Iterator[None]:
        """Evaluates definitions as one unit needs it."""
        bits, noise = self._bits[i]
        with mpmath.workprec(bits):
            Jet.epsilon = mpf(2) ** -FORMATS[self.dtype][0]
            self._noise = mpf(2) ** noise  # what is smaller comes of the precision; the truth is 0
            yield

    # ---- the definition

    def _evaluate(self, arguments: Any, target: Any, sides: list[int]) -> Unit:
        """The definition at one side of its kinks. Arguments and targets are numbers or lists."""
        Jet.sides = sides
        n = len(sides)
        flat = arguments if isinstance(arguments, list) else [arguments]
        jets = [Jet(x, {i: mpf(1)}, {}) for i, x in enumerate(flat)]
        first = jets if isinstance(arguments, list) else jets[0]
        result = self._definition(first, target, *self._constants, *self._parameters)
        if not isinstance(result, Jet):  # no class has target mass
            result = Jet(mpf(result), {}, {})
        parts = [result.value]
        parts += (slopes.get(i, 0) for slopes in (result.slopes, result.curves) for i in range(n))
        if self._curvature:
            constants = (Jet(x, {}, {}) for x in (arguments, target))
            curve = self._curvature(*constants, *self._parameters)
            parts[1 + n :] = [curve.value if isinstance(curve, Jet) else curve]
        value, *derivatives = (mpf(0) if abs(x) <= self._noise else x for x in parts)
        return Unit(value, derivatives[:n], derivatives[n:])

    def _unit(self, arguments: Any, target: Any) -> Unit:
        """The truth of a unit, with the rule of kinks."""
        domain = self.loss.domains()[0]
        flat = arguments if isinstance(arguments, list) else [arguments]
        # beyond an end of the domain there is no other side
        ways = [(1 if x <= domain.low else -1, -1 if x >= domain.high else 1) for x in flat]
        below, above = ([way[i] for way in ways] for i in (0, 1))
        Jet.met_kink = Jet.near_kink = False
        unit = self._evaluate(arguments, target, above)
        if Jet.met_kink:
            other = self._evaluate(arguments, target, below)
            # at an end of the domain slopes that point beyond it are subgradients too
            ends = [
                way[0] * a > 0 and way[0] == way[1] for way, a in zip(ways, unit.grad, strict=True)
            ]
            pairs = zip(unit.grad, other.grad, ends, strict=True)
            unit = Unit(
                unit.value,
                [_least(a, b, end or a * b <= 0) for a, b, end in pairs],
                [_least(a, b, False) for a, b in zip(unit.hess, other.hess, strict=True)],
                met_kink=(unit.grad, unit.hess) != (other.grad, other.hess),
            )
        if Jet.near_kink:
            Jet.exact_sides = False
            unit.sides = tuple(self._evaluate(arguments, target, side) for side in (below, above))
            Jet.exact_sides = True
        return unit

    def _corners(self, target: Any) -> list[tuple[Any, Any]]:
        """The target as a mixture of corners of its domain: pairs of share and target."""
        domain = self.loss.domains()[self.loss.inputs.index("target")]
        if isinstance(target, list):
            zero, one = mpf(0), mpf(1)
            one_hot = (
                [one if i == j else zero for i in range(len(target))] for j in range(len(target))
            )
            return list(zip(target, one_hot, strict=True))
        if domain.discrete or domain.low == -math.inf:
            return []
        if domain.high == math.inf:  # a corner; the ray from it is the rest
            return [(mpf(1), mpf(domain.low))]
        low, high = mpf(domain.low), mpf(domain.high)
        # smoothing mixes labels, so that the pure ones lie beyond
        smoothing = getattr(self.loss, "label_smoothing", 0.0)
        beyond = (high - low) * mpf(smoothing) / (2 - 2 * mpf(smoothing))
        low, high = low - beyond, high + beyond
        share = (target - low) / (high - low)
        return [(1 - share, low), (share, high)]

    def _largest_terms(self, i: int) -> list[Any]:
        """The magnitude of the largest term of each part of a unit."""
        if i in self._known_terms:
            return self._known_terms[i]
        target, whole = self._targets[i], self.units[i].parts()
        with self._precision(i):
            largest = [abs(x) for x in whole]
            rest = whole
            for share, corner in self._corners(target):
                if not share:
                    continue
                unit = self._unit(self._arguments[i], corner)
                terms = [share * x if mpmath.isfinite(x) else mpf(0) for x in unit.parts()]
                rest = [r - t for r, t in zip(rest, terms, strict=True)]
                largest = [max(m, abs(t)) for m, t in zip(largest, terms, strict=True)]
            largest = [max(m, abs(r)) for m, r in zip(largest, rest, strict=True)]
            if self.loss.schema == "row":
                largest = list(map(max, largest, self._terms_without_mass(i)))
            n = len(self.units[i].grad)
            largest[1 + n :] = map(max, largest[1 + n :], self._largest_beside(i))
        if isinstance(target, list) and sum(map(bool, target)) > 1:
            for j, mass in enumerate(target, 1):
                largest[j] = max(largest[j], mass)
        self._known_terms[i] = largest
        return largest

    def _terms_without_mass(self, i: int) -> list[Any]:
        """The magnitudes of what the loss of a row has without target mass, and of the rest."""
        whole, zeros = self.units[i].parts(), [mpf(0)] * len(self._arguments[i])
        if self.loss.hessian_sign != "any" or not self.loss.takes_distributions:
            return [mpf(0)] * len(whole)
        without = self._unit(self._arguments[i], zeros).parts()
        return [max(abs(t), abs(w - t)) for w, t in zip(whole, without, strict=True)]

    def _largest_beside(self, i: int) -> list[Any]:
        """The magnitude of each Hessian beside a place where it changes its sign, else 0."""
        here, hess, domain = self._arguments[i], self.units[i].hess, self.loss.domains()[0]
        if isinstance(here, list):
            if self.loss.hessian_sign != "any":
                return [mpf(0)] * len(hess)
            others = [
                [z + step * (k == j) for k, z in enumerate(here)]
                for j, step in itertools.product(range(len(here)), (-1, 1))
            ]
        else:
            around = (here * (1 - BESIDE), here * (1 + BESIDE))
            others = [other for other in around if domain.low <= other <= domain.high]
        sides = [hess, *(self._unit(other, self._targets[i]).hess for other in others)]
        return [
            max(map(abs, curves)) if min(curves) < 0 < max(curves) else mpf(0)
            for curves in zip(*sides, strict=True)
        ]

    # ---- errors

    def _width(self, output: str) -> int:
        """Numbers of an output in each unit."""
        return len(self.units[0].column(output)) if self.units else 1

    @functools.cached_property
    def _prepared(self) -> dict[str, Column]:
        with mpmath.workprec(2600):
            return {
                output: Column([x for unit in self.units for x in unit.column(output)], self.dtype)
                for output in OUTPUTS
            }

    def _error(self, output: str, got: Any, i: int) -> float:
        """The error of the i-th number of an output, in ulps of the largest term."""
        index, part = divmod(i, self._width(output))
        unit = self.units[index]
        exact = unit.column(output)[part]
        number = np.asarray(got).ravel()[i]
        if not mpmath.isfinite(exact):
            return ulp_error(number, exact, self.dtype)
        n = len(unit.grad)
        scale = self._largest_terms(index)[part + {"value": 0, "grad": 1, "hess": 1 + n}[output]]
        allowed = [exact]
        if output != "value":
            allowed += [side.column(output)[part] for side in unit.sides]
        return min(ulp_error(number, x, self.dtype, scale) for x in allowed)


def _least(a: Any, b: Any, between: bool) -> Any:
    """What is least in magnitude of two one-sided derivatives, or of all between them."""
    return mpf(0) if between else min(a, b, key=abs)
