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
    "Choice",
    "Digamma",
    "Erf",
    "Erfc",
    "Expm1",
    "Group",
    "InverseMills",
    "InverseMillsSlope",
    "Least",
    "Lgamma",
    "Log1p",
    "LogCosh",
    "LogErfc",
    "Maximum",
    "Minimum",
    "NormalDensity",
    "Pick",
    "Power",
    "Product",
    "Ratio",
    "RatioOfSquare",
    "Real",
    "SechSquared",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Steep",
    "Tanh",
    "Trigamma",
    "Xlog1py",
    "Xlogy",
]


class Real(sympy.Function):
    is_real = True


class Choice(sympy.Piecewise):
    """One of several by conditions."""

    def _eval_is_integer(self) -> None:
        """Unknown: SymPy 1.14 would go round in circles over differences of integers."""


class Pick(Real):
    """The same as a function: condition, value, condition, value, ..., value of all else.

    SymPy moves what a ``Piecewise`` is an argument of into its branches.
    """

    @classmethod
    def eval(cls, *args: Any) -> Any:
        *pairs, last = args
        values = {*pairs[1::2], last}
        if len(values) == 1:
            return last
        for i, condition in enumerate(pairs[::2]):
            if condition is S.false:
                return cls(*args[: 2 * i], *args[2 * i + 2 :])
            if condition is S.true:
                return cls(*args[: 2 * i], args[2 * i + 1])
        return None

    @classmethod
    def of(cls, e: Any) -> Any:
        """An expression with all of its choices so."""
        if isinstance(e, Choice):
            *pairs, (last, _) = e.args
            args = [x for value, condition in pairs for x in (condition, value)]
            return cls(*map(cls.of, args), cls.of(last))
        return e.func(*map(cls.of, e.args)) if e.has(Choice) else e

    def _eval_derivative(self, x: Any) -> Any:
        last = len(self.args) - 1
        branch = (i % 2 == 1 or i == last for i in range(last + 1))
        return Pick(*(e.diff(x) if b else e for b, e in zip(branch, self.args, strict=True)))

    def _latex(self, printer: Any, exp: str = "") -> str:
        pairs = zip(self.args[1:-1:2], self.args[:-1:2], strict=True)
        text = printer._print(sympy.Piecewise(*pairs, (self.args[-1], True), evaluate=False))
        return rf"\left({text}\right)^{{{exp}}}" if exp else str(text)


class Group(Real):
    """A sum that is computed by itself, whatever it is added to."""


class Sign(Real):
    """-1, 0 or 1."""

    def _eval_derivative(self, x: Any) -> Any:
        return S.Zero

    def _eval_power(self, exponent: Any) -> Any:
        """Of even powers the limit at 0, which both sides share."""
        return S.One if exponent.is_even else None


class Absolute(Real):
    """The magnitude; its derivative is 0 at 0."""

    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> Any:
        return Sign(self.args[0])

    def _eval_power(self, exponent: Any) -> Any:
        return self.args[0] ** exponent if exponent.is_even else None


class Least(Real):
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


class Maximum(Real):
    """The larger of two; where they are equal its derivative is the least between both."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slopes = a.diff(x), b.diff(x)
        return Choice((slopes[0], a > b), (slopes[1], a < b), (Least(*slopes), True))


class Minimum(Real):
    """The smaller of two, with derivatives like the maximum's."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slopes = a.diff(x), b.diff(x)
        return Choice((slopes[0], a < b), (slopes[1], a > b), (Least(*slopes), True))


class Log1p(Real):
    """log(1 + x)."""

    def fdiff(self, argindex: int = 1) -> Any:
        return 1 / (1 + self.args[0])


class Expm1(Real):
    """exp(x) - 1."""

    def fdiff(self, argindex: int = 1) -> Any:
        return sympy.exp(self.args[0])


class Sigmoid(Real):
    """1 / (1 + exp(-x))."""

    is_positive = True

    def fdiff(self, argindex: int = 1) -> Any:
        return Sigmoid(self.args[0]) * Sigmoid(-self.args[0])


class Softplus(Real):
    """log(1 + exp(x))."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Sigmoid(self.args[0])


class Tanh(Real):
    """The hyperbolic tangent."""

    def fdiff(self, argindex: int = 1) -> Any:
        return SechSquared(self.args[0])


class SechSquared(Real):
    """1 - tanh(x)**2."""

    def fdiff(self, argindex: int = 1) -> Any:
        return -2 * Tanh(self.args[0]) * SechSquared(self.args[0])


class LogCosh(Real):
    """log(cosh(x))."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Tanh(self.args[0])


class NormalDensity(Real):
    """exp(-x**2 / 2) / sqrt(2 pi)."""

    def fdiff(self, argindex: int = 1) -> Any:
        return -self.args[0] * NormalDensity(self.args[0])


class Erf(Real):
    """The error function."""

    def fdiff(self, argindex: int = 1) -> Any:
        root = sympy.sqrt(2)
        return 2 * root * NormalDensity(root * self.args[0])


class Erfc(Real):
    """1 less the error function."""

    def fdiff(self, argindex: int = 1) -> Any:
        root = sympy.sqrt(2)
        return -2 * root * NormalDensity(root * self.args[0])


class LogErfc(Real):
    """Its logarithm; the derivative is the inverse of Mills' ratio."""

    def fdiff(self, argindex: int = 1) -> Any:
        root = sympy.sqrt(2)
        return -root * InverseMills(-root * self.args[0])


class InverseMills(Real):
    """The normal density over the distribution function."""

    def fdiff(self, argindex: int = 1) -> Any:
        return -InverseMillsSlope(self.args[0])


class InverseMillsSlope(Real):
    """What it falls by."""


class Power(Real):
    """b**e where b may be 0 or negative; no derivative is NaN where b's is 0."""

    def _eval_derivative(self, x: Any) -> Any:
        b, e = self.args
        slope = Steep(e * b.diff(x), b, e - 1)
        return slope if x not in e.free_symbols else slope + e.diff(x) * self * sympy.log(b)


class Product(Real):
    """a b; 0 where a is 0, whatever b."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        if a.is_zero or b.is_zero:
            return S.Zero
        if a.is_number or b.is_number:
            return a * b
        top, bottom = sympy.fraction(b)
        return Ratio(top * a, bottom) if top.is_number and bottom != 1 else None

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        return Product(a.diff(x), b) + Product(a, b.diff(x))


class Steep(Real):
    """a b**e; 0 where a is 0."""

    @classmethod
    def eval(cls, a: Any, b: Any, e: Any) -> Any:
        if a.is_zero:
            return S.Zero
        return a if e.is_zero else None

    def _eval_derivative(self, x: Any) -> Any:
        a, b, e = self.args
        slope = Steep(a.diff(x), b, e) + Steep(a * e * b.diff(x), b, e - 1)
        return slope if x not in e.free_symbols else slope + e.diff(x) * self * sympy.log(b)


class Trigamma(Real):
    """The second derivative of the logarithm of the gamma function."""

    def _eval_derivative(self, x: Any) -> Any:
        if x not in self.free_symbols:
            return S.Zero
        raise TypeError("no word computes the derivative of trigamma: give the formula hess=")


class Digamma(Real):
    """The derivative of the logarithm of the gamma function."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Trigamma(self.args[0])


class Lgamma(Real):
    """The logarithm of the gamma function."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Digamma(self.args[0])


class Ratio(Real):
    """a / b; 0 where a is 0, whatever b."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        return S.Zero if a.is_zero else None

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        return Ratio(a.diff(x), b) - RatioOfSquare(a * b.diff(x), b)


class RatioOfSquare(Real):
    """a / b**2; 0 where a is 0, whatever b, whose square may underflow."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        return S.Zero if a.is_zero else None

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        return RatioOfSquare(a.diff(x), b) - Ratio(RatioOfSquare(2 * a * b.diff(x), b), b)


class Xlogy(Real):
    """a log(b); 0 where a is 0."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slope = a.diff(x)
        direct = S.Zero if slope.is_zero else slope * sympy.log(b)
        return direct + Ratio(a * b.diff(x), b)


class Xlog1py(Real):
    """a log(1 + b); 0 where a is 0."""

    def _eval_derivative(self, x: Any) -> Any:
        a, b = self.args
        slope = a.diff(x)
        direct = S.Zero if slope.is_zero else slope * Log1p(b)
        return direct + Ratio(a * b.diff(x), 1 + b)
