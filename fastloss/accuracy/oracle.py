"""The truth, from a loss's ``definition`` alone, at hundreds of bits.

The definition runs on jets, so derivatives owe nothing to the library's formulas. Hessians that are
not the second derivatives have a definition of their own, ``curvature``. Inputs are exact;
parameters are rounded to the compute dtype first.

At a kink the definition runs once for each side, and the rule of kinks picks: the gradient of
least magnitude between both sides, the Hessian of smaller magnitude, of two
alike the lesser. So near a kink that rounding an operand of the comparison to the compute dtype can
cross it, either side is right.

Errors are in ulps of the exact result. Where the data can make a difference of terms vanish the ulp
is that of the largest term. Terms are found without knowledge of the loss: a target inside its
domain is a mixture of the domain's corners (a share y of the label 1 and 1 - y of the label 0; a
distribution's share of each class), the parts are the loss of each corner times its share, and what
the parts lack of the whole. So exp(z) - y counts as two terms, and each part is held to its own
precision where it stands alone. A Hessian that changes its sign is such a difference too: near the
change its terms are as large as it is where a prediction is half or one and a half of what it is;
where the first of several is so far from the target; in rows, where a logit is moved by 1. In such
rows, what the loss has without any target mass is a term too. Where a distribution has several
classes, the gradient of a class is a difference from its own target mass (p Σq - q), which counts
as a term too; and the value is a sum of products, each of which may lose half of the least float.
A definition may also give its terms itself, as a tuple whose sum the value is.

Where the definition gives NaN, at an end of the domain, nothing is claimed: the tests of rules hold
the limits.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

import fastloss as fl
from fastloss._domains import POSITIVE

from .jets import Jet, on_jets
from .samples import masses
from .ulps import FORMATS, Column, ulp_error

__all__ = ["OUTPUTS", "Truth", "Unit"]

BASE_BITS = 260
BESIDE = (mpf(1) / 2, mpf(3) / 2)
"""By what an input is multiplied, to look at Hessians beside it."""
OUTPUTS = ("value", "grad", "hess")


# ---- one unit


@dataclass
class Point:
    """Where a definition is evaluated: predictions or classes, the target, what else there is."""

    predictions: list[Any]
    target: Any
    extras: list[Any]


@dataclass
class Unit:
    """Value, gradients and Hessians of a unit, exact; near a kink those of both sides as well.

    ``terms`` are the magnitudes of the largest terms that the definition gives, of all parts in
    their order. ``met_kink`` says whether the one-sided derivatives differ.
    """

    value: Any
    grad: list[Any]
    hess: list[Any]
    terms: list[Any]
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
    most = sys.float_info.max  # of what is scaled
    finite = [min(abs(float(x)), most) for x in numbers if x and mpmath.isfinite(x)] + factors
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


def _scaled(x: Any, logarithm: Any) -> Any:
    """A number over a scale or times it, whichever is large: as large as precision goes by."""
    return max(x, mpf(1)) * mpmath.exp(min(abs(logarithm), mpf(50)))


class Truth:
    """The truth of all units of some inputs.

    Parameters
    ----------
    loss : fastloss.Loss
    inputs : dict
        An array for each name in ``loss.inputs``.
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
        domains = dict(zip(loss.inputs, loss.domains(), strict=True))
        self._domains = [domains[name] for name in loss.differentiated]
        self._target_domain = domains["target"]
        # what is differentiated, of each unit; classes for rows
        self._arguments = self._together([inputs[name] for name in loss.differentiated])
        self._targets = self._target_numbers(np.asarray(inputs["target"]), inputs["prediction"])
        extras = [n for n in loss.inputs if n not in (*loss.differentiated, "target")]
        self._extras = self._together([inputs[name] for name in extras]) if extras else None
        self._bits: list[tuple[int, int]] = []
        self._known_terms: dict[int, list[Any]] = {}
        self._known_beside: dict[int, list[Any]] = {}
        self.units: list[Unit] = []
        for i, target in enumerate(self._targets):
            point = self._point(i)
            targets = target if isinstance(target, list) else [target]
            numbers = [*point.predictions, *targets, *point.extras]
            if loss.schema == "map":
                size = max(map(abs, numbers))
                numbers += [_scaled(size, x) for x in self._logarithms(point)]
            self._bits.append(_enough_bits(numbers, self._parameters, dtype))
            with self._precision(i):
                self.units.append(self._unit(point))

    def _logarithms(self, point: Point) -> Iterator[Any]:
        """Those of the scales that are predicted."""
        names = self.loss.differentiated
        for name, domain, x in zip(names, self._domains, point.predictions, strict=True):
            if name.startswith("log_"):
                yield x
            elif name != "prediction" and domain.low >= 0 and 0 < x < mpmath.inf:
                yield mpmath.log(x)

    def errors(self, output: str, got: Any, bound: float = 0.0) -> np.ndarray:
        """The error of each number of an output, in ulps.

        Only where it exceeds ``bound`` in ulps of the result are the terms looked at.
        """
        errors = self._prepared[output].errors(got)
        for i in np.flatnonzero(errors > bound):
            errors[i] = self._error(output, got, int(i))
        return errors

    def worst(
        self, output: str, got: Any, among: np.ndarray | None = None, bound: float = 0.0
    ) -> tuple[float, int]:
        """The largest error of an output in ulps, and which number has it.

        ``among`` tells which units count. The terms, which take long, are looked at where they can
        matter: not for an error that is no more than ``bound`` without them.
        """
        errors = self._prepared[output].errors(got)
        if among is not None:
            errors[~np.repeat(among, self._width(output))] = 0.0
        largest, at = -1.0, 0
        for i in np.argsort(-errors, kind="stable"):
            if errors[i] <= largest:
                break
            error = self._error(output, got, int(i)) if errors[i] > bound else errors[i]
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

    def _together(self, arrays: list[Any]) -> list[list[Any]]:
        """The numbers of each unit: the classes of a row, or one of each array."""
        columns = [self._numbers(np.asarray(array).astype(self.dtype)) for array in arrays]
        if self.loss.schema == "row":
            return columns[0]
        return [list(numbers) for numbers in zip(*columns, strict=True)]

    def _point(self, i: int) -> Point:
        return Point(self._arguments[i], self._targets[i], self._extras[i] if self._extras else [])

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

    def _evaluate(self, point: Point, sides: list[int]) -> Unit:
        """The definition at one side of its kinks."""
        Jet.sides = sides
        n = len(sides)
        jets = [Jet(x, {j: mpf(1)}, {}) for j, x in enumerate(point.predictions)]
        result = self._definition(*self._given(point, jets))
        several = result if isinstance(result, tuple) else (result,)
        # a number is no jet where no class has target mass
        jets = [x if isinstance(x, Jet) else Jet(mpf(x), {}, {}) for x in several]
        parts = self._parts(functools.reduce(Jet.__add__, jets), n)
        of_terms = zip(*(self._parts(jet, n) for jet in jets), strict=True)
        terms = [max(map(abs, column)) for column in of_terms]
        if self._curvature:
            constants = [Jet(x, {}, {}) for x in point.predictions]
            given = self._curvature(*self._given(point, constants))
            curves = [
                x.value if isinstance(x, Jet) else mpf(x)
                for x in (given if isinstance(given, tuple) else (given,))
            ]
            parts[1 + n :] = [mpf(0) if abs(x) <= self._noise else x for x in curves]
            terms[1 + n :] = map(abs, parts[1 + n :])
        return Unit(parts[0], parts[1 : 1 + n], parts[1 + n :], terms)

    def _given(self, point: Point, jets: list[Jet]) -> list[Any]:
        """The arguments of a definition."""
        first = [jets] if self.loss.schema == "row" else jets
        return [*first, point.target, *point.extras, *self._constants, *self._parameters]

    def _parts(self, jet: Jet, n: int) -> list[Any]:
        """Value, gradients and Hessians of a jet of n predictions."""
        parts = [jet.value]
        parts += (slopes.get(j, 0) for slopes in (jet.slopes, jet.curves) for j in range(n))
        return [mpf(0) if abs(x) <= self._noise else x for x in parts]

    def _unit(self, point: Point) -> Unit:
        """The truth of a unit, with the rule of kinks."""
        domains = self._domains * (len(point.predictions) // len(self._domains))
        # beyond an end of the domain there is no other side; numbers above 0 have no lower end
        ways = [
            (1 if x <= domain.low and domain != POSITIVE else -1, -1 if x >= domain.high else 1)
            for x, domain in zip(point.predictions, domains, strict=True)
        ]
        below, above = ([way[side] for way in ways] for side in (0, 1))
        Jet.met_kink = Jet.near_kink = False
        unit = self._evaluate(point, above)
        if Jet.met_kink:
            other = self._evaluate(point, below)
            # at an end of the domain slopes that point beyond it are subgradients too
            ends = [
                way[0] * a > 0 and way[0] == way[1] for way, a in zip(ways, unit.grad, strict=True)
            ]
            pairs = zip(unit.grad, other.grad, ends, strict=True)
            unit = Unit(
                unit.value,
                [_least(a, b, end or a * b <= 0) for a, b, end in pairs],
                [_least(a, b, False) for a, b in zip(unit.hess, other.hess, strict=True)],
                unit.terms,
                met_kink=(unit.grad, unit.hess) != (other.grad, other.hess),
            )
        if Jet.near_kink:
            Jet.exact_sides = False
            unit.sides = tuple(self._evaluate(point, side) for side in (below, above))
            Jet.exact_sides = True
        return unit

    def _corners(self, target: Any) -> list[tuple[Any, Any]]:
        """The target as a mixture of corners of its domain: pairs of share and target."""
        domain = self._target_domain
        if isinstance(target, list) and min(target) < 0:
            return []  # steps are no mixture
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
        point, whole = self._point(i), self.units[i].parts()
        target = point.target
        with self._precision(i):
            largest = [max(abs(x), t) for x, t in zip(whole, self.units[i].terms, strict=True)]
            rest = whole
            for share, corner in self._corners(target):
                if not share:
                    continue
                unit = self._unit(replace(point, target=corner))
                terms = [share * x if mpmath.isfinite(x) else mpf(0) for x in unit.parts()]
                rest = [r - t for r, t in zip(rest, terms, strict=True)]
                largest = [max(m, abs(t)) for m, t in zip(largest, terms, strict=True)]
            largest = [max(m, abs(r)) for m, r in zip(largest, rest, strict=True)]
            largest = list(map(max, largest, self._terms_without_mass(i)))
        if isinstance(target, list) and sum(q > 0 for q in target) > 1:
            for j, mass in enumerate(target, 1):
                largest[j] = max(largest[j], mass)
            # products that are subnormal: each adds half of the least float
            largest[0] = max(largest[0], len(target) * mpf(2) ** (FORMATS[self.dtype][1] - 1))
        self._known_terms[i] = largest
        return largest

    def _terms_without_mass(self, i: int) -> list[Any]:
        """The magnitudes of what the loss of a row has without target mass, and of the rest."""
        point, whole = self._point(i), self.units[i].parts()
        masses = isinstance(self.loss, fl.RowLoss) and self.loss.takes_distributions
        if self.loss.hessian_sign != "any" or not masses:
            return [mpf(0)] * len(whole)
        nothing = replace(point, target=[mpf(0)] * len(point.predictions))
        # a loss that is infinite without any has no such term
        without = [x if mpmath.isfinite(x) else mpf(0) for x in self._unit(nothing).parts()]
        return [max(abs(t), abs(w - t)) for w, t in zip(whole, without, strict=True)]

    def _largest_beside(self, i: int) -> list[Any]:
        """The magnitude of each Hessian beside a place where it changes its sign, else 0."""
        if i not in self._known_beside:
            with self._precision(i):
                sides = [self.units[i].hess, *(self._unit(point).hess for point in self._beside(i))]
            self._known_beside[i] = [
                max(map(abs, curves)) if min(curves) < 0 < max(curves) else mpf(0)
                for curves in zip(*sides, strict=True)
            ]
        return self._known_beside[i]

    def _beside(self, i: int) -> Iterator[Point]:
        """The points beside a unit."""
        point = self._point(i)
        n = len(point.predictions)
        if self.loss.schema == "row":
            if self.loss.hessian_sign == "any":
                for j, step in itertools.product(range(n), (-1, 1)):
                    moved = [x + step * (j == k) for k, x in enumerate(point.predictions)]
                    yield replace(point, predictions=moved)
            return
        places = [(j, x * factor) for j, x in enumerate(point.predictions) for factor in BESIDE]
        if n > 1:
            first, target = point.predictions[0], point.target
            places += [(0, target + (first - target) * factor) for factor in BESIDE]
        for j, place in places:
            if self._domains[j].low <= place <= self._domains[j].high:
                moved = [place if j == k else x for k, x in enumerate(point.predictions)]
                yield replace(point, predictions=moved)

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
        if output == "hess":
            scale = max(scale, self._largest_beside(index)[part])
        allowed = [exact]
        if output != "value":
            allowed += [side.column(output)[part] for side in unit.sides]
        return min(ulp_error(number, x, self.dtype, scale) for x in allowed)


def _least(a: Any, b: Any, between: bool) -> Any:
    """What is least in magnitude of two one-sided derivatives, or of all between them.

    Of two alike it is the lesser, as it is in a mirror too, which turns sides but not Hessians.
    """
    return mpf(0) if between else min(a, b, key=lambda x: (abs(x), x))
