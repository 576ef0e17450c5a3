"""Numbers of mpmath that carry exact first and second derivatives, and the words on them.

A definition that runs on jets gives its derivatives too, which so owe nothing to the formulas.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mpf

from fastloss.vocabulary import rebind
from fastloss.vocabulary.exact import WORDS

__all__ = ["Jet", "on_jets"]


Slopes = dict[int, Any]


class Jet:
    """A number with its derivatives: ``slopes[i]`` and ``curves[i]``, first and second in x_i.

    What a dictionary lacks is 0.
    """

    __slots__ = ("curves", "slopes", "value")
    sides: list[int] = []
    """From where kinks are looked at: each prediction slightly above (1) or below (-1)."""
    epsilon: Any = mpf(0)
    """How far rounding may move an operand of a comparison, relative to it."""
    exact_sides = True
    """Whether a comparison near a kink, not at it, has its true outcome."""
    met_kink = False
    near_kink = False

    def __init__(self, value: Any, slopes: Slopes, curves: Slopes) -> None:
        self.value = value
        self.slopes = slopes
        self.curves = curves

    def through(self, value: Any, first: Any, second: Any) -> Jet:
        """A function of this jet, by its value and derivatives there."""
        squares = {i: second * s * s for i, s in self.slopes.items() if s}
        curves = _sum(_times(self.curves, first), squares)
        return Jet(value, _times(self.slopes, first), curves)

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.slopes, self.curves)
        slopes, curves = _sum(self.slopes, other.slopes), _sum(self.curves, other.curves)
        return Jet(self.value + other.value, slopes, curves)

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return self * -1

    def __sub__(self, other: Any) -> Jet:
        return self + -other

    def __rsub__(self, other: Any) -> Jet:
        return -self + other

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            slopes, curves = _times(self.slopes, other), _times(self.curves, other)
            return Jet(self.value * other, slopes, curves)
        u, v = self, other
        curves = _sum(_times(u.curves, v.value), _times(v.curves, u.value))
        mixed = {i: 2 * u.slopes[i] * v.slopes[i] for i in u.slopes.keys() & v.slopes.keys()}
        slopes = _sum(_times(u.slopes, v.value), _times(v.slopes, u.value))
        return Jet(u.value * v.value, slopes, _sum(curves, mixed))

    __rmul__ = __mul__

    def reciprocal(self) -> Jet:
        """One over this jet."""
        r = 1 / self.value if self.value else mpmath.inf
        return self.through(r, -r * r, 2 * r * r * r)

    def __truediv__(self, other: Any) -> Jet:
        return self * (other if isinstance(other, Jet) else Jet(mpf(other), {}, {})).reciprocal()

    def __rtruediv__(self, other: Any) -> Jet:
        return self.reciprocal() * other

    def __pow__(self, n: int) -> Jet:
        first = n * self.value ** (n - 1)
        return self.through(self.value**n, first, n * (n - 1) * self.value ** (n - 2))

    def __abs__(self) -> Jet:
        return self if self >= 0 else -self

    def compare(self, other: Any) -> Any:
        """The sign of self - other; where they are equal, that next to the point."""
        gap = self - other
        if not any(gap.slopes.values()):
            return mpmath.sign(gap.value)
        if gap.value:
            if abs(gap.value) > Jet.epsilon * abs(self.value):
                return mpmath.sign(gap.value)
            Jet.near_kink = True
            if Jet.exact_sides:
                return mpmath.sign(gap.value)
        Jet.met_kink = True
        return mpmath.sign(sum(s * Jet.sides[i] for i, s in gap.slopes.items()))

    def __lt__(self, other: Any) -> bool:
        return self.compare(other) < 0

    def __le__(self, other: Any) -> bool:
        return self.compare(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self.compare(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self.compare(other) >= 0


def _sum(a: Slopes, b: Slopes) -> Slopes:
    return {**a, **b, **{i: a[i] + b[i] for i in a.keys() & b.keys()}}


def _times(a: Slopes, factor: Any) -> Slopes:
    return {i: s * factor for i, s in a.items() if s}  # no 0 * inf


@functools.lru_cache(maxsize=256)
def _exp_with(bits: int, x: Any) -> Any:
    """The exponential; the definition asks for the same ones at every corner of a target."""
    return mpmath.exp(x)


def _exp(x: Any) -> tuple[Any, Any, Any]:
    e = _exp_with(mpmath.mp.prec, x)
    return e, e, e


def _log(x: Any) -> tuple[Any, Any, Any]:
    if x < 0:
        return (mpmath.nan,) * 3
    r = 1 / x if x else mpmath.inf
    return mpmath.log(x) if x else -mpmath.inf, r, -r * r


def _sqrt(x: Any) -> tuple[Any, Any, Any]:
    if x < 0:
        return (mpmath.nan,) * 3
    root = mpmath.sqrt(x)
    slope = 1 / (2 * root) if root else mpmath.inf
    return root, slope, -2 * slope**3


def _tanh(x: Any) -> tuple[Any, Any, Any]:
    t, s = mpmath.tanh(x), WORDS["sech_squared"](x)
    return t, s, -2 * t * s


def _sech_squared(x: Any) -> tuple[Any, Any, Any]:
    t, s, first = _tanh(x)
    return s, first, s * (4 * t * t - 2 * s)


def _log1mexp(x: Any) -> tuple[Any, Any, Any]:
    value = WORDS["log1mexp"](x)
    r = 1 / mpmath.expm1(x) if x and value else (mpf(0) if x else mpmath.inf)
    return value, r, -r * (1 + r)


def _log1p(x: Any) -> tuple[Any, Any, Any]:
    r = 1 / (1 + x)
    return WORDS["log1p"](x), r, -r * r


def _scaled_softplus(x: Any, log_scale: Any) -> Any:
    """Of two jets that depend on different predictions."""
    value, *parts = WORDS["scaled_softplus_derivatives"](x.value, log_scale.value)
    one = x.through(value, *parts[:2])
    other = log_scale.through(mpf(0), *parts[2:])
    return one + other


def _log_rising(count: Any, log_step: Any) -> Any:
    value, first, second = WORDS["log_rising_derivatives"](count, log_step.value)
    return log_step.through(value, first, second)


def _normal_density(x: Any) -> tuple[Any, Any, Any]:
    y = WORDS["normal_density"](x)
    return y, -x * y, (x * x - 1) * y


def _normal_cdf(x: Any) -> tuple[Any, Any, Any]:
    return WORDS["normal_cdf"](x), *_normal_density(x)[:2]


def _normal_interval(x: Any) -> tuple[Any, Any, Any]:
    first, second, _ = _normal_density(x)
    return WORDS["normal_interval"](x), 2 * first, 2 * second


def _log_normal_cdf(x: Any) -> tuple[Any, Any, Any]:
    return (
        WORDS["log_normal_cdf"](x),
        WORDS["inverse_mills"](x),
        -WORDS["inverse_mills_slope"](x),
    )


def _lgamma(x: Any) -> tuple[Any, Any, Any]:
    return WORDS["lgamma"](x), WORDS["digamma"](x), WORDS["trigamma"](x)


def _digamma(x: Any) -> tuple[Any, Any, Any]:
    return *_lgamma(x)[1:], mpmath.psi(2, x) if x else -mpmath.inf


def _of_jets(word: str, derivatives: Callable[[Any], tuple[Any, Any, Any]]) -> Any:
    plain = WORDS[word]

    def function(x: Any) -> Any:
        return x.through(*derivatives(x.value)) if isinstance(x, Jet) else plain(x)

    function.__name__ = word
    return function


def _power(base: Any, exponent: Any) -> Any:
    plain = WORDS["power"]
    if not isinstance(base, Jet):
        return plain(base, exponent)
    x = base.value
    first, second = exponent, exponent * (exponent - 1)
    return base.through(
        plain(x, exponent),
        first * plain(x, exponent - 1) if first else mpf(0),
        second * plain(x, exponent - 2) if second else mpf(0),
    )


def _maximum(*xs: Any) -> Any:
    """The largest; several that are equal share its derivatives, a constant among them has none."""
    tied = [xs[0]]
    for x in xs[1:]:
        if x > tied[0]:
            tied = [x]
        elif not x < tied[0]:
            tied.append(x)
    if len(tied) > 1:
        Jet.met_kink = True
    constants = [x for x in tied if not isinstance(x, Jet)]
    return constants[0] if constants else sum(tied) * (1 / mpf(len(tied)))


_JET_WORDS = {
    **WORDS,
    "digamma": _of_jets("digamma", _digamma),
    "exp": _of_jets("exp", _exp),
    "lgamma": _of_jets("lgamma", _lgamma),
    "log": _of_jets("log", _log),
    "log1mexp": _of_jets("log1mexp", _log1mexp),
    "log1p": _of_jets("log1p", _log1p),
    "log_normal_cdf": _of_jets("log_normal_cdf", _log_normal_cdf),
    "log_rising": _log_rising,
    "maximum": _maximum,
    "normal_cdf": _of_jets("normal_cdf", _normal_cdf),
    "normal_density": _of_jets("normal_density", _normal_density),
    "normal_interval": _of_jets("normal_interval", _normal_interval),
    "power": _power,
    "scaled_softplus": _scaled_softplus,
    "sech_squared": _of_jets("sech_squared", _sech_squared),
    "sign": _of_jets("sign", lambda x: (mpmath.sign(x), mpf(0), mpf(0))),
    "sqrt": _of_jets("sqrt", _sqrt),
    "tanh": _of_jets("tanh", _tanh),
}


@functools.cache
def on_jets(definition: Callable[..., Any]) -> Callable[..., Any]:
    """A definition whose words take jets."""
    return rebind(definition, _JET_WORDS)
