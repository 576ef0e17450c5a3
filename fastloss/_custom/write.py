"""Expressions as straight-line text in the vocabulary, each part computed once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy import S
from sympy.core.parameters import distribute

from .. import vocabulary
from ..vocabulary import composed
from . import functions as f
from . import row_words
from .of_loss import OfLoss, meanings, prefix

__all__ = ["Writer", "assembled", "executed", "function", "text"]

_CALLS: dict[Any, str] = {
    sympy.Abs: "abs",
    sympy.cosh: "cosh",
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sign: "sign",
    sympy.sinh: "sinh",
    sympy.tanh: "tanh",
    f.Absolute: "abs",
    f.Digamma: "digamma",
    f.Erf: "erf",
    f.Erfc: "erfc",
    f.Expm1: "expm1",
    f.InverseMills: "inverse_mills",
    f.InverseMillsSlope: "inverse_mills_slope",
    f.Least: "least",
    f.Lgamma: "lgamma",
    f.Log1p: "log1p",
    f.LogCosh: "log_cosh",
    f.LogErfc: "log_erfc",
    f.Maximum: "maximum",
    f.Minimum: "minimum",
    f.NormalDensity: "normal_density",
    f.Product: "product",
    f.Ratio: "ratio",
    f.RatioOfSquare: "ratio_of_square",
    f.SechSquared: "sech_squared",
    f.Sigmoid: "sigmoid",
    f.Sign: "sign",
    f.Softplus: "softplus",
    f.Tanh: "tanh",
    f.Trigamma: "trigamma",
    f.Xlog1py: "xlog1py",
    f.Xlogy: "xlogy",
}
_TAKE_LOW = {sympy.exp, f.Expm1, f.NormalDensity, f.SechSquared}
"""What changes by as much as its argument is rounded, and takes what the rounding lost."""
_COMPARISONS = {
    sympy.Eq: "==", sympy.Ne: "!=", sympy.Gt: ">", sympy.Ge: ">=", sympy.Lt: "<", sympy.Le: "<=",
}  # fmt: skip
_JOINS = {sympy.And: "&", sympy.Or: "|"}


class Writer:
    """Lines of a function's text; what was written once has a name."""

    def __init__(self, careful: bool) -> None:
        self.lines: list[str] = []
        self._careful = careful
        self._known: dict[Any, str] = {}
        self._lows: dict[Any, str] = {}
        self._losses: dict[Any, str] = {}
        self._meanings: dict[Any, Any] = {}

    def name(self, e: Any) -> str:
        """The name or literal that an expression is known by, written first where it is new."""
        if e not in self._known:
            self._known[e] = self._written(e)
        return self._known[e]

    def alias(self, symbol: Any, e: Any) -> None:
        """From now on a symbol stands for an expression."""
        self._known[symbol] = self.name(e)
        self._meanings[symbol] = e

    def names(self, expressions: list[Any]) -> list[str]:
        """The names of several; what they share is written once."""
        shared, results = sympy.cse(expressions, symbols=sympy.numbered_symbols("_s"), order="none")
        for symbol, part in shared:
            self.alias(symbol, part)
        return [self.name(part) for part in results]

    def know(self, symbol: Any, name: str, low: str = "") -> None:
        """A symbol has a name already; of two words, two."""
        self._known[symbol] = name
        if low:
            self._lows[symbol] = low

    def has_two_words(self, e: Any) -> bool:
        """Whether an expression is made of a number of two words, so that it has two as well."""
        e = self._meanings.get(e, e)
        if e in self._lows:
            return True
        made = sum(map(self.has_two_words, e.args)) if e.is_Mul or e.is_Add else 0
        return made == 1 if e.is_Mul else made > 0 and len(e.args) == 2

    def two_words(self, e: Any) -> tuple[str, str]:
        """The names of both words of an expression; the lower one may be 0."""
        e = self._meanings.get(e, e)
        if e in self._lows:
            return self._known[e], self._lows[e]
        if not self.has_two_words(e):
            return self.name(e), "const(0.0)"
        if e.is_Mul:
            part = next(t for t in e.args if self.has_two_words(t))
            return self._multiplied(self.name(e / part), self.two_words(part))
        a, b = (self.two_words(t) for t in (e.args[0], -e.args[1]))
        high, low = self.pair(f"two_difference({a[0]}, {b[0]})")
        return high, self.line(f"{low} + ({a[1]} - {b[1]})")

    def _multiplied(self, factor: str, words: tuple[str, str]) -> tuple[str, str]:
        high, low = self.pair(f"two_product({factor}, {words[0]})")
        return high, self.line(f"{low} + {factor} * {words[1]}")

    def with_nan(self, names: list[str], arguments: Iterable[str]) -> list[str]:
        """Numbers that are NaN where an argument is."""
        nothing = self.line(" + ".join(f"flat({_argument(name)})" for name in arguments))
        return [self.line(f"{name} + {nothing}") for name in names]

    def line(self, text: str) -> str:
        """The name of what a text computes."""
        name = f"_{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def pair(self, text: str) -> tuple[str, str]:
        """The names of the two numbers that a text computes."""
        name = f"_{len(self.lines)}"
        self.lines.append(f"{name}, {name}_low = {text}")
        return name, f"{name}_low"

    def _written(self, e: Any) -> str:
        if e.is_Symbol:
            return _argument(e.name)
        if e is S.true or e is S.false:
            return self.line(f"const(0.0) {'==' if e is S.true else '!='} const(0.0)")
        if isinstance(e, sympy.ITE):
            c, a, b = e.args
            return self.name(sympy.Or(sympy.And(c, a), sympy.And(sympy.Not(c), b)))
        if not e.is_Boolean and e.is_number and not e.has(f.Real):
            return _literal(e)
        if e.is_Add:
            return self.line(self._sum(e))
        if e.is_Mul:
            return self.line(self._product(e))
        if e.is_Pow:
            return self._power(e.base, e.exp)
        if isinstance(e, sympy.Piecewise):
            return self._choice(e)
        if isinstance(e, f.Pick):
            *pairs, last = e.args
            return self._chosen(zip(pairs[1::2], pairs[::2], strict=True), last)
        if e.func in _COMPARISONS:
            return self.line(f"{self.name(e.lhs)} {_COMPARISONS[e.func]} {self.name(e.rhs)}")
        if e.func in _JOINS:
            return self.line(_JOINS[e.func].join(f" {self.name(x)} " for x in e.args).strip())
        if e.func is sympy.Not:
            return self.line(f"({self.name(e.args[0])}) == (const(0.0) != const(0.0))")
        if e.func is f.Group:
            return self.name(e.args[0])
        if e.func is f.Power:
            return self._raised(*e.args)
        if e.func is f.Steep:
            a, b, exponent = e.args
            power = self._raised(b, exponent) if exponent != 1 else self.name(b)
            return self.line(f"product({self.name(a)}, {power})")
        if e.func is OfLoss:
            return self._of_loss(e)
        if e.func in _CALLS:
            return self._call(e)
        raise TypeError(f"no word of the vocabulary computes {e.func.__name__}")

    def _call(self, e: Any) -> str:
        word, x = _CALLS[e.func], self._meanings.get(e.args[0], e.args[0])
        if self._careful and e.func in _TAKE_LOW:
            if self.has_two_words(x):
                return self.line(f"{word}({', '.join(self.two_words(x))})")
            if x.is_Add and len(x.args) == 2:
                a, b = (self.name(x) for x in (x.args[0], -x.args[1]))
                return self.line(f"{word}({', '.join(self.pair(f'two_difference({a}, {b})'))})")
        return self.line(f"{word}({', '.join(map(self.name, e.args))})")

    def _of_loss(self, e: Any) -> str:
        text, part, *inputs = e.args
        parameters = (f"const({x!r})" for x in e.loss.kernel_parameters())
        call = f"{prefix}{e.loss.kernel}({', '.join([*map(self.name, inputs), *parameters])})"
        if not self._careful:
            return self.line(f"total({call})")
        if (text, *inputs) not in self._losses:
            name = self._losses[text, *inputs] = f"_{len(self.lines)}"
            self.lines.append(f"{name}, {name}_grad, {name}_hess = {call}")
        return self._losses[text, *inputs] + ("", "_grad", "_hess")[int(part)]

    def _sum(self, e: Any) -> str:
        """Differences last, so that what is subtracted has its own sign."""
        plus = [t for t in e.args if not _negative(t)]
        minus = [-t for t in e.args if _negative(t)]
        plus, minus = (sorted(part, key=lambda t: (t.is_number, str(t))) for part in (plus, minus))
        first = " + ".join(map(self.name, plus))
        if not plus:
            first = f"-{self.name(minus.pop(0))}"
        return "".join([first, *(f" - {self.name(t)}" for t in minus)])

    def _product(self, e: Any) -> str:
        number, rest = e.as_coeff_Mul()
        over: list[str] = []
        under: list[str] = []
        for factor in sympy.Mul.make_args(rest):
            base, exponent = factor.as_base_exp()
            if exponent == -1:
                under.append(self.name(base))
            elif exponent.is_Integer and -4 <= exponent < 0:
                over += [self.name(1 / base)] * -exponent  # the power may overflow
            else:
                over.append(self.name(factor))
        if abs(number) != 1:
            over.insert(0, self.name(abs(number)))
        top = " * ".join(over) if over else "const(1.0)"
        for divisor in under:
            top = f"{top} / {divisor}"
        return f"-({top})" if number < 0 else top

    def _power(self, base: Any, exponent: Any) -> str:
        if exponent == -1:
            return self.line(f"const(1.0) / {self.name(base)}")
        if exponent.is_number and exponent.is_negative:
            inverse = self.name(1 / base)
            if exponent.is_Integer and exponent >= -4:
                return self.line(" * ".join([inverse] * -exponent))
            return self.line(f"const(1.0) / {self.name(base**-exponent)}")
        if exponent == sympy.Rational(1, 2):
            return self.line(f"sqrt({self.name(base)})")
        if exponent.is_Rational and exponent.q == 2 and exponent.p <= 9:
            whole = self.name(base ** ((exponent.p - 1) // 2))
            return self.line(f"{whole} * {self.name(sympy.sqrt(base))}")
        if exponent.is_Integer:
            half, odd = self.name(base ** (exponent // 2)), exponent % 2
            return self.line(f"{half} * {half}" + (f" * {self.name(base)}" if odd else ""))
        return self._raised(base, exponent)

    def _raised(self, base: Any, exponent: Any) -> str:
        signed = self._careful and not base.is_nonnegative
        word = "signed_power" if signed else "power"
        return self.line(f"{word}({self.name(base)}, {self.name(exponent)})")

    def _choice(self, e: Any) -> str:
        *pairs, (last, default) = e.args
        if default != S.true:
            raise TypeError("a choice needs a value where no condition holds")
        return self._chosen(pairs, last)

    def _chosen(self, pairs: Iterable[Any], last: Any) -> str:
        chosen = self.name(last)
        for value, condition in reversed([*pairs]):
            chosen = self.line(f"where({self.name(condition)}, {self.name(value)}, {chosen})")
        return chosen


def _negative(term: Any) -> bool:
    number, _ = term.as_coeff_Mul()
    return bool(number.is_negative)


def _literal(e: Any) -> str:
    if e is S.Infinity or e is S.NegativeInfinity:
        return "const(inf)" if e is S.Infinity else "const(-inf)"
    if e is S.NaN or e is S.ComplexInfinity or e.is_real is False:
        raise ValueError(f"a part of the formula is no real number: {e}")
    return f"const({float(e)!r})"


def text(name: str, arguments: Iterable[str], expressions: Any, flat: Iterable[str] = ()) -> str:
    """A function of the arguments that returns an expression, or a tuple of several.

    All are NaN where one of the arguments ``flat`` is.
    """
    with distribute(False):  # a number times a difference stays one
        return _text(name, tuple(arguments), expressions, tuple(flat))


def _text(name: str, arguments: tuple[str, ...], expressions: Any, flat: tuple[str, ...]) -> str:
    several = isinstance(expressions, tuple)
    writer = Writer(careful=several)
    names = writer.names([*expressions] if several else [expressions])
    if flat:
        names = writer.with_nan(names, flat)
    return assembled(name, arguments, writer, ", ".join(names))


def assembled(name: str, arguments: Iterable[str], writer: Writer, result: str) -> str:
    """A function's text, of its lines and what it returns."""
    head = f"def {name}({', '.join(map(_argument, arguments))}):"
    return "\n    ".join([head, *writer.lines, f"return {result}"]) + "\n"


def function(arguments: Iterable[str], expressions: Any, flat: Iterable[str] = ()) -> Any:
    """That text as a function."""
    several = isinstance(expressions, tuple)
    found = meanings(expressions if several else (expressions,), definition=not several)
    return executed("formula", text("formula", arguments, expressions, flat), **found)


def executed(name: str, text: str, **meanings: Any) -> Any:
    """A text's function of a name, whose globals are the words and these."""
    found = {**_WORDS, **meanings}
    exec(compile(text, f"<{name}>", "exec"), found)
    return found[name]


_WORDS: dict[str, Any] = {
    word: getattr(module, word)
    for module in (vocabulary, composed, row_words)
    for word in module.__all__
}


def _argument(name: str) -> str:
    """An argument's name in texts, where it must not hide a word."""
    return f"_{name}" if name in _WORDS else name  # none of a user begins with _
