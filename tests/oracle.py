"""The truth, from a loss's ``definition`` alone, at hundreds of bits.

The definition runs on jets: numbers of mpmath that carry the exact first and second derivatives
with respect to each prediction of a unit. So derivatives owe nothing to the library's formulas.
Inputs are exact; parameters are rounded to the compute dtype first.

At a kink the definition runs once for each side, and rule 5 of the design picks: the gradient of
least magnitude between both sides, the Hessian of smaller magnitude. So near a kink that rounding
an operand of the comparison to the compute dtype can cross it, either side is right.

Errors are in ulps of the exact result. Where the data can make a difference of terms vanish the
ulp is that of the largest term. Terms are found without knowledge of the loss: a target inside its
domain is a mixture of the domain's corners (a share y of the label 1 and 1 - y of the label 0; a
distribution's share of each class), the parts are the loss of each corner times its share, and what
the parts lack of the whole. So exp(z) - y counts as two terms, and each part is held to its own
precision where it stands alone. Where a distribution has several classes, the gradient of a class
is a difference from its own target mass (p Σq - q), which counts as a term too.

Where the definition gives NaN, at an end of the domain, nothing is claimed: the tests of rules hold
the limits.
"""

import contextlib
import functools
import math
import operator
import types
from dataclasses import dataclass

import mpmath
import numpy as np
from mpmath import mpf

from fastloss.vocabulary.exact import WORDS

__all__ = ["Truth", "truth", "ulp_error"]

FORMATS = {"float32": (24, -126, 127), "float64": (53, -1022, 1023)}
"""Bits of the significand, least and largest exponent of a normal number."""

BASE_BITS = 260
OUTPUTS = ("value", "grad", "hess")


# ---- jets


class Jet:
    """A number with its derivatives: ``slopes[i]`` and ``curves[i]``, first and second in x_i."""

    __slots__ = ("curves", "slopes", "value")
    sides = ()
    """From where kinks are looked at: each prediction slightly above (1) or below (-1)."""
    epsilon = mpf(0)
    """How far rounding may move an operand of a comparison, relative to it."""
    noise = mpf(0)
    """What is smaller comes of the precision; the truth is 0."""
    exact_sides = True
    """Whether a comparison near a kink, not at it, has its true outcome."""
    met_kink = False
    near_kink = False

    def __init__(self, value, slopes, curves):
        self.value = value
        self.slopes = slopes
        self.curves = curves

    def through(self, value, first, second):
        """A function of this jet, by its value and derivatives there."""
        return Jet(
            value,
            [first * s if s else s for s in self.slopes],
            [
                (first * c if c else c) + (second * s * s if s else s)
                for s, c in zip(self.slopes, self.curves, strict=True)
            ],
        )

    def __add__(self, other):
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.slopes, self.curves)
        return Jet(
            self.value + other.value,
            list(map(mpf.__add__, self.slopes, other.slopes)),
            list(map(mpf.__add__, self.curves, other.curves)),
        )

    __radd__ = __add__

    def __neg__(self):
        return Jet(-self.value, [-s for s in self.slopes], [-c for c in self.curves])

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        if not isinstance(other, Jet):
            return Jet(
                self.value * other,
                [s * other for s in self.slopes],
                [c * other for c in self.curves],
            )
        u, v = self, other
        pairs = list(zip(u.slopes, u.curves, v.slopes, v.curves, strict=True))
        return Jet(
            u.value * v.value,
            [us * v.value + u.value * vs for us, _, vs, _ in pairs],
            [uc * v.value + 2 * us * vs + u.value * vc for us, uc, vs, vc in pairs],
        )

    __rmul__ = __mul__

    def reciprocal(self):
        r = 1 / self.value if self.value else mpmath.inf
        return self.through(r, -r * r, 2 * r * r * r)

    def __truediv__(self, other):
        return self * (other.reciprocal() if isinstance(other, Jet) else 1 / mpf(other))

    def __rtruediv__(self, other):
        return self.reciprocal() * other

    def __pow__(self, n):
        first = n * self.value ** (n - 1)
        return self.through(self.value**n, first, n * (n - 1) * self.value ** (n - 2))

    def __abs__(self):
        return self if self >= 0 else -self

    def compare(self, other):
        """The sign of self - other; where they are equal, that next to the point."""
        gap = self - other
        if not any(gap.slopes):
            return mpmath.sign(gap.value)
        if gap.value:
            if abs(gap.value) > Jet.epsilon * abs(self.value):
                return mpmath.sign(gap.value)
            Jet.near_kink = True
            if Jet.exact_sides:
                return mpmath.sign(gap.value)
        Jet.met_kink = True
        return mpmath.sign(sum(map(operator.mul, gap.slopes, Jet.sides)))

    def __lt__(self, other):
        return self.compare(other) < 0

    def __le__(self, other):
        return self.compare(other) <= 0

    def __gt__(self, other):
        return self.compare(other) > 0

    def __ge__(self, other):
        return self.compare(other) >= 0


def _exp(x):
    e = mpmath.exp(x)
    return e, e, e


def _log(x):
    r = 1 / x if x else mpmath.inf
    return mpmath.log(x) if x else -mpmath.inf, r, -r * r


def _of_jets(word, plain, derivatives):
    def function(x):
        return x.through(*derivatives(x.value)) if isinstance(x, Jet) else plain(x)

    function.__name__ = word
    return function


JET_WORDS = {
    **WORDS,
    "exp": _of_jets("exp", WORDS["exp"], _exp),
    "log": _of_jets("log", WORDS["log"], _log),
    "sign": _of_jets("sign", WORDS["sign"], lambda x: (mpmath.sign(x), mpf(0), mpf(0))),
}


@functools.cache
def _definition(scalars):
    function = scalars.definition
    return types.FunctionType(function.__code__, {**function.__globals__, **JET_WORDS})


# ---- one unit


@dataclass
class Unit:
    """Value, gradients and Hessians of a unit, exact; near a kink those of both sides as well.

    ``met_kink`` says whether the one-sided derivatives differ.
    """

    value: mpf
    grad: list
    hess: list
    met_kink: bool = False
    sides: tuple = ()

    def parts(self):
        return [self.value, *self.grad, *self.hess]


def _enough_bits(numbers, dtype):
    """A precision at which no cancellation of exponentials or tiny numbers shows in a result.

    And the exponent below which results are noise.
    """
    _, least, _ = FORMATS[dtype]
    limit = -least + 128
    finite = [abs(x) for x in numbers if x and math.isfinite(x)]
    if not finite:
        return BASE_BITS, 60 - BASE_BITS
    small, large = math.frexp(min(finite))[1], math.frexp(max(finite))[1]
    tails = min(limit, 3 * max(finite)) if large > 4 else 0
    tiny = min(limit, 2 * max(0, -small))
    bits = BASE_BITS + max(tails, tiny) + max(0, large)
    bits = int(math.ceil(bits / 200) * 200)
    return bits, max(0, large) + 60 - bits


def _evaluate(definition, arguments, targets, parameters, sides):
    """The definition at one side of its kinks. Arguments and targets are numbers or lists."""
    Jet.sides = sides
    n = len(sides)
    flat = arguments if isinstance(arguments, list) else [arguments]
    jets = [Jet(x, [mpf(i == j) for j in range(n)], [mpf(0)] * n) for i, x in enumerate(flat)]
    first = jets if isinstance(arguments, list) else jets[0]
    result = definition(first, targets, *parameters)
    if not isinstance(result, Jet):  # no class has target mass
        return Unit(mpf(result), [mpf(0)] * n, [mpf(0)] * n)
    value, *parts = (
        mpf(0) if abs(x) <= Jet.noise else x for x in (result.value, *result.slopes, *result.curves)
    )
    return Unit(value, parts[:n], parts[n:])


def _unit(loss, arguments, targets, parameters):
    """The truth of a unit, with rule 5 at kinks."""
    definition = _definition(loss.scalars)
    domain = loss.domains()[0]
    flat = arguments if isinstance(arguments, list) else [arguments]
    # beyond an end of the domain there is no other side
    ways = [(1 if x <= domain.low else -1, -1 if x >= domain.high else 1) for x in flat]
    below, above = ([way[i] for way in ways] for i in (0, 1))
    Jet.met_kink = Jet.near_kink = False
    unit = _evaluate(definition, arguments, targets, parameters, above)
    if Jet.met_kink:
        other = _evaluate(definition, arguments, targets, parameters, below)
        unit = Unit(
            unit.value,
            [_least(a, b, a * b <= 0) for a, b in zip(unit.grad, other.grad, strict=True)],
            [_least(a, b, False) for a, b in zip(unit.hess, other.hess, strict=True)],
            met_kink=(unit.grad, unit.hess) != (other.grad, other.hess),
        )
    if Jet.near_kink:
        Jet.exact_sides = False
        unit.sides = tuple(
            _evaluate(definition, arguments, targets, parameters, sides) for sides in (below, above)
        )
        Jet.exact_sides = True
    return unit


def _least(a, b, between):
    """What is least in magnitude of two one-sided derivatives, or of all between them."""
    return mpf(0) if between else min(a, b, key=abs)


def _corners(loss, target):
    """The target as a mixture of corners of its domain: pairs of share and target."""
    domain = loss.domains()[loss.inputs.index("target")]
    if isinstance(target, list):
        one_hot = ([mpf(i == j) for i in range(len(target))] for j in range(len(target)))
        return list(zip(target, one_hot, strict=True))
    if domain.discrete or domain.low == -math.inf:
        return []
    if domain.high == math.inf:  # a corner; the ray from it is the rest
        return [(mpf(1), mpf(domain.low))]
    share = (target - domain.low) / (domain.high - domain.low)
    return [(1 - share, mpf(domain.low)), (share, mpf(domain.high))]


def _largest_terms(loss, arguments, target, parameters, whole):
    """The magnitude of the largest term of each part of a unit."""
    largest = [abs(x) for x in whole.parts()]
    rest = whole.parts()
    for share, corner in _corners(loss, target):
        if not share:
            continue
        unit = _unit(loss, arguments, corner, parameters)
        terms = [share * x for x in unit.parts()]
        rest = [r - t for r, t in zip(rest, terms, strict=True)]
        largest = [max(m, abs(t)) for m, t in zip(largest, terms, strict=True)]
    largest = [max(m, abs(r)) for m, r in zip(largest, rest, strict=True)]
    if isinstance(target, list) and sum(map(bool, target)) > 1:
        for i, mass in enumerate(target, 1):
            largest[i] = max(largest[i], mass)
    return largest


# ---- ulps


def ulp_exponent(magnitude, dtype):
    """The exponent of the ulp of a number's binade, never below the least subnormal's."""
    digits, least, largest = FORMATS[dtype]
    exponent = mpmath.frexp(magnitude)[1] - 1 if magnitude else least
    return min(max(exponent, least), largest) - digits + 1


def ulp_error(got, exact, dtype, scale=None):
    """The error of a float, in ulps of the exact result or of a larger scale.

    An infinity counts as the number that a larger exponent would have held.
    """
    got = float(got)
    if mpmath.isnan(exact):
        return 0.0
    if math.isnan(got):
        return math.inf
    if mpmath.isinf(exact):
        return 0.0 if got == exact else math.inf
    largest = FORMATS[dtype][2]
    with mpmath.workprec(2600):
        end = mpf(2) ** (largest + 1)
        exact = mpf(exact)
        if math.isinf(got):
            if exact * got > 0 and abs(exact) >= end:
                return 0.0
            got = end if got > 0 else -end
        magnitude = abs(exact) if scale is None else max(abs(exact), mpf(scale))
        return float(abs(mpf(got) - exact) / mpf(2) ** ulp_exponent(magnitude, dtype))


class _Column:
    """Exact numbers prepared for fast comparison: nearest double, what it lacks, and the ulp."""

    def __init__(self, exact, dtype):
        self.nearest = np.array([float(x) for x in exact])
        self.exponent = np.array(
            [ulp_exponent(abs(x), dtype) if mpmath.isfinite(x) else 0 for x in exact]
        )
        self.rest = np.array(
            [float((mpf(n) - x) * mpf(2) ** -int(e)) if math.isfinite(n) else 0.0
             for n, x, e in zip(self.nearest, exact, self.exponent, strict=True)]
        )  # fmt: skip

    def error(self, got):
        got = np.asarray(got, np.float64).ravel()
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.ldexp(got - self.nearest, -self.exponent)
            error = np.abs(gap + self.rest)
        return np.where(np.isfinite(error), error, np.inf)  # infinities: ulp_error decides


# ---- many units


class Truth:
    """The truth of all units of some inputs.

    Attributes
    ----------
    units : list of Unit
    """

    def __init__(self, loss, inputs, dtype):
        self.loss = loss
        self.dtype = dtype
        round_to = np.dtype(dtype).type
        self.parameters = [mpf(float(round_to(p))) for p in loss.kernel_parameters()]
        self.arguments = self._numbers(np.asarray(inputs["prediction"]).astype(dtype))
        self.targets = self._targets(np.asarray(inputs["target"]), inputs["prediction"])
        self.bits = []
        self.units = []
        for argument, target in zip(self.arguments, self.targets, strict=True):
            several = isinstance(argument, list)
            numbers = [*argument, *target] if several else [argument, target]
            numbers = [float(x) for x in (*numbers, *self.parameters)]
            self.bits.append(_enough_bits(numbers, dtype))
            with self._precision(-1):
                self.units.append(_unit(loss, argument, target, self.parameters))

    @contextlib.contextmanager
    def _precision(self, i):
        """Evaluates definitions as one unit needs it."""
        bits, noise = self.bits[i]
        with mpmath.workprec(bits):
            Jet.epsilon = mpf(2) ** -FORMATS[self.dtype][0]
            Jet.noise = mpf(2) ** noise
            yield

    def _numbers(self, array):
        if self.loss.schema == "row":
            rows = array.reshape(-1, array.shape[-1])
            return [[mpf(float(x)) for x in row] for row in rows]
        return [mpf(float(x)) for x in array.ravel()]

    def _targets(self, target, prediction):
        if self.loss.schema != "row":
            return self._numbers(target.astype(self.dtype))
        classes = prediction.shape[-1]
        if target.shape != prediction.shape:
            target = np.eye(classes)[target]
        rows = self._numbers(target.astype(self.dtype))
        smoothing = self.loss.label_smoothing
        if not smoothing:
            return rows
        round_to = np.dtype(self.dtype).type
        kept, spread = (mpf(float(round_to(x))) for x in (1 - smoothing, smoothing / classes))
        with mpmath.workprec(2600):
            return [[kept * q + spread for q in row] for row in rows]

    @functools.cached_property
    def columns(self):
        """The exact numbers of each output, flat."""
        return {
            "value": [u.value for u in self.units],
            "grad": [g for u in self.units for g in u.grad],
            "hess": [h for u in self.units for h in u.hess],
        }

    @functools.cached_property
    def _prepared(self):
        with mpmath.workprec(2600):
            return {name: _Column(exact, self.dtype) for name, exact in self.columns.items()}

    @functools.cache  # noqa: B019
    def _terms(self, i):
        with self._precision(i):
            terms = _largest_terms(
                self.loss, self.arguments[i], self.targets[i], self.parameters, self.units[i]
            )
        n = len(self.units[i].grad)
        return {"value": terms[:1], "grad": terms[1 : n + 1], "hess": terms[n + 1 :]}

    def errors(self, output, got, bound=0.0):
        """The error of each number of an output, in ulps.

        Only where it exceeds ``bound`` in ulps of the result are the terms looked at.
        """
        got = np.asarray(got, np.float64).ravel()
        errors = self._prepared[output].error(got)
        exact = self.columns[output]
        width = len(errors) // max(1, len(self.units))
        for i in np.flatnonzero(errors > bound):
            unit, part = divmod(i, width)
            scale = self._terms(unit)[output][part]
            sides = (getattr(side, output) for side in self.units[unit].sides)
            allowed = [exact[i], *(x[part] for x in sides if isinstance(x, list))]
            errors[i] = min(ulp_error(got[i], x, self.dtype, scale) for x in allowed)
        return errors


def truth(loss, inputs, dtype):
    """The truth of some inputs of a loss; see :class:`Truth`."""
    return Truth(loss, inputs, dtype)
