"""Functions of SymPy that formulas are derived in: with the derivatives that floats want.

Derivatives at kinks take the least-norm element, and none of them cancels where the function does
not. SymPy's own do neither: ``tanh`` has ``1 - tanh(x)**2``, ``Abs`` a Dirac delta.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

__all__ = [
    "Absolute",
    "Digamma",
    "Erf",
    "Expm1",
    "Least",
    "Lgamma",
    "Log1p",
    "LogCosh",
    "Maximum",
    "Minimum",
    "NormalDensity",
    "Ratio",
    "SechSquared",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Tanh",
    "Trigamma",
    "Xlog1py",
    "Xlogy",
]


class _Real(sympy.Function):
    is_real = True


class Sign(_Real):
    """-1, 0 or 1."""

    def _eval_derivative(self, x: Any) -> Any:
        return S.Zero


class Absolute(_Real):
    """The magnitude; its derivative is 0 at 0."""

    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> Any:
        return Sign(self.args[0])


class Least(_Real):
    """Of two numbers and what lies between them that of least magnitude."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        if a == b:
            return a
        if a.is_zero or b.is_zero:
            return S.Zero
        if a.is_number and b.is_number:
            return S.Zero if a * b < 0 else min(a, b, key=abs)
        return None

    def _eval_derivative(self, x: Any) -> Any:
        return Least(self.args[0].diff(x), self.args[1].diff(x))


class Maximum(_Real):
    """The larger of two; where they are equal its derivative is the least between both."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slopes = a.diff(x), b.diff(x)
        return sympy.Piecewise((slopes[0], a > b), (slopes[1], a < b), (Least(*slopes), True))


class Minimum(_Real):
    """The smaller of two, with derivatives like the maximum's."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slopes = a.diff(x), b.diff(x)
        return sympy.Piecewise((slopes[0], a < b), (slopes[1], a > b), (Least(*slopes), True))


class Log1p(_Real):
    """log(1 + x)."""

    def fdiff(self, argindex: int = 1) -> Any:
        return 1 / (1 + self.args[0])


class Expm1(_Real):
    """exp(x) - 1."""

    def fdiff(self, argindex: int = 1) -> Any:
        return sympy.exp(self.args[0])


class Sigmoid(_Real):
    """1 / (1 + exp(-x))."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Sigmoid(self.args[0]) * Sigmoid(-self.args[0])


class Softplus(_Real):
    """log(1 + exp(x))."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Sigmoid(self.args[0])


class Tanh(_Real):
    """The hyperbolic tangent."""

    def fdiff(self, argindex: int = 1) -> Any:
        return SechSquared(self.args[0])


class SechSquared(_Real):
    """1 - tanh(x)**2."""

    def fdiff(self, argindex: int = 1) -> Any:
        return -2 * Tanh(self.args[0]) * SechSquared(self.args[0])


class LogCosh(_Real):
    """log(cosh(x))."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Tanh(self.args[0])


class NormalDensity(_Real):
    """exp(-x**2 / 2) / sqrt(2 pi)."""

    def fdiff(self, argindex: int = 1) -> Any:
        return -self.args[0] * NormalDensity(self.args[0])


class Erf(_Real):
    """The error function."""

    def fdiff(self, argindex: int = 1) -> Any:
        root = sympy.sqrt(2)
        return 2 * root * NormalDensity(root * self.args[0])


class Trigamma(_Real):
    """The second derivative of the logarithm of the gamma function."""


class Digamma(_Real):
    """The derivative of the logarithm of the gamma function."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Trigamma(self.args[0])


class Lgamma(_Real):
    """The logarithm of the gamma function."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Digamma(self.args[0])


class Ratio(_Real):
    """a / b; 0 where a is 0, whatever b."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        return S.Zero if a.is_zero else None

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        return Ratio(a.diff(x), b) - Ratio(a * b.diff(x), b**2)


class Xlogy(_Real):
    """a log(b); 0 where a is 0."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slope = a.diff(x)
        direct = S.Zero if slope.is_zero else slope * sympy.log(b)
        return direct + Ratio(a * b.diff(x), b)


class Xlog1py(_Real):
    """a log(1 + b); 0 where a is 0."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slope = a.diff(x)
        direct = S.Zero if slope.is_zero else slope * Log1p(b)
        return direct + Ratio(a * b.diff(x), 1 + b)
