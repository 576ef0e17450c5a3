"""Formulas in LaTeX, traced from the definitions of losses with SymPy's symbols.

What is traced must give the loss's own values before it is shown.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import math
import operator
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy.printing.latex import LatexPrinter

import fastloss as fl
from fastloss._domains import Domain
from fastloss.accuracy.samples import generator, masses, sample, sample_groups
from fastloss.accuracy.variants import target_kinds
from fastloss.vocabulary import rebind

__all__ = ["Traced", "definition_text", "formula", "is_right", "numbers_shown"]

UNITS, CLASSES = 4, 3
ANY_CLASSES = [sympy.Dummy(integer=True) for _ in range(2)]
COUNT = sympy.Symbol("K", integer=True, positive=True)
RESIDUAL = sympy.Symbol("r", real=True)
GREEK = {"alpha", "beta", "gamma", "delta", "epsilon", "nu", "tau", "theta"}


# ---- the vocabulary on symbols


def _exact(x: Any) -> Any:
    """A float as a simple fraction where it is one."""
    if isinstance(x, sympy.Expr) and not x.is_number:
        return x
    x = float(x)
    if not math.isfinite(x):
        return sympy.Float(x)
    simple = Fraction(x).limit_denominator(1000)
    return sympy.Rational(simple) if float(simple) == x else sympy.Float(x)


def _over_all(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of several arguments or of one iterable, as ``max`` is."""
    return lambda *x: function(*(x if len(x) > 1 else x[0]))


def _sum(terms: Any) -> Any:
    """The sum over the classes of a row, or over pairs, of which one stands for all."""
    (term,) = terms
    letters = iter("jkim"[len(term.atoms(sympy.Sum)) :])
    used = [x for x in ANY_CLASSES if x in term.free_symbols] or ANY_CLASSES[:1]
    indices = {x: sympy.Symbol(next(letters), integer=True) for x in used}
    sign = -1 if term.as_coeff_Mul()[0].is_negative else 1
    limits = [(index, 1, COUNT) for index in indices.values()]
    return sign * sympy.Sum(sign * term.subs(indices), *limits)


class _EveryClass:
    """A row, of which one class stands for all; another one in a loop inside of a loop."""

    def __init__(self, base: sympy.IndexedBase) -> None:
        self.base = base
        self.loops = 0

    def __iter__(self) -> Iterator[Any]:
        self.loops += 1
        try:
            yield self.base[ANY_CLASSES[self.loops - 1]]
        finally:
            self.loops -= 1

    def __len__(self) -> int:
        return 1


class _Holds(sympy.Function):
    """1 where a condition holds, else 0."""

    is_integer = True
    nargs = 1

    @classmethod
    def eval(cls, condition: Any) -> Any:
        if isinstance(condition, sympy.StrictLessThan):
            x, y = condition.args
            return 1 - cls(x > y) - cls(sympy.Eq(x, y))
        known = condition in (sympy.true, sympy.false)
        return sympy.Integer(bool(condition)) if known else None


class _Threshold(sympy.Function):
    """The number above which those of a row add up to 1."""

    is_real = True

    @classmethod
    def eval(cls, *row: Any) -> Any:
        if not all(x.is_number for x in row):
            return None
        largest = sorted(row, reverse=True)
        return max((sum(largest[:k]) - 1) / k for k in range(1, len(row) + 1))


def _count(terms: Any, start: Any = 0) -> Any:
    """The sum of some terms, where a condition counts as 1."""

    def number(x: Any) -> Any:
        condition = isinstance(x, sympy.logic.boolalg.Boolean | bool)
        return _Holds(x) if condition and not isinstance(x, sympy.Symbol) else x

    return sum(map(number, terms), start)


def _refuse(*_: Any, **__: Any) -> Any:
    raise TypeError("one class cannot stand for all")


WORDS: dict[str, Any] = {
    "abs": sympy.Abs,
    "const": _exact,
    "either_terms": lambda condition, yes, no: (
        sympy.Piecewise((sum(yes), condition), (sum(no), True)),
    ),
    "erf": sympy.erf,
    "erfc": sympy.erfc,
    "exp": sympy.exp,
    "expm1": lambda x: sympy.exp(x) - 1,
    "half_square": lambda x, a, b: (x**2 / 2, 0),
    "inf": sympy.oo,
    "lgamma": sympy.loggamma,
    "log": sympy.log,
    "log1mexp": lambda x: sympy.log(1 - sympy.exp(-x)),
    "log1p": lambda x: sympy.log(1 + x),
    "log_normal_mass": lambda a, b, *_: (
        sympy.log((sympy.erf(b / sympy.sqrt(2)) - sympy.erf(a / sympy.sqrt(2))) / 2),
        0,
    ),
    "log_rising": lambda n, t: (
        sympy.loggamma(n + sympy.exp(-t)) - sympy.loggamma(sympy.exp(-t)) + n * t
    ),
    "max": _over_all(sympy.Max),
    "maximum": sympy.Max,
    "min": _over_all(sympy.Min),
    "minimum": sympy.Min,
    "nan": sympy.nan,
    "normal_density": lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
    "normal_interval": lambda x: sympy.erf(x / sympy.sqrt(2)),
    "power": sympy.Pow,
    "scaled_softplus": lambda x, t: sympy.exp(-t) * sympy.log(1 + sympy.exp(x + t)),
    "sign": sympy.sign,
    "simplex_threshold": lambda row: _Threshold(*row),
    "sqrt": sympy.sqrt,
    "sum": _count,
    "tanh": sympy.tanh,
}
PER_CLASS = (
    WORDS
    | dict.fromkeys(["enumerate", "list", "max", "min", "range", "sorted", "tuple"], _refuse)
    | {"simplex_threshold": _refuse}
    | {"len": lambda _: COUNT, "sum": _sum}
)


# ---- symbols


def _assumed(domain: Domain) -> dict[str, bool]:
    """What SymPy may know of the numbers of a domain."""
    return {"positive" if domain.low > 0 else "nonnegative" if domain.low == 0 else "real": True}


def _letter(loss: fl.Loss) -> str:
    """The customary letter for a prediction."""
    domain, target = loss.domains()[:2]
    if domain.low >= 0:
        return "p" if domain.high == 1 else r"\mu"
    if isinstance(loss, fl.RowLoss) and loss.takes_numbers:
        return "x"
    bare = target.checked and not domain.checked
    return "z" if loss.schema != "map" or loss.link != "identity" or bare else r"\hat{y}"


def _where(domains: dict[Any, Domain]) -> Callable[..., Any]:
    """The word of cases, less those that no number of a domain meets."""

    def where(condition: Any, yes: Any, no: Any) -> Any:
        if isinstance(condition, sympy.core.relational.Relational) and condition.lhs in domains:
            domain = domains[condition.lhs]
            ends = (condition.subs(condition.lhs, end) for end in (domain.low, domain.high))
            if condition.rhs.is_number and not any(ends):
                return no
        return sympy.Piecewise((yes, condition), (no, True))

    return where


def _named(name: str) -> str:
    """A parameter's name in LaTeX."""
    if name in GREEK:
        return "\\" + name
    return name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")


TRANSFORMS = (lambda x: x, lambda x: 1 - x, lambda x: 1 / x, lambda x: 2 / x - 1)


def _parameter(loss: fl.Loss, i: int) -> Any:
    """The i-th number that the definition takes after its arguments.

    It is a symbol where it follows one parameter; else, or where that is 0 or absent by default,
    the number itself.
    """
    for symbol, (name, value) in _symbols_of_parameters(loss).items():
        found = {}
        for x in (value, *loss._parameters[name].examples):
            numbers = loss.replace(**{name: x}).kernel_parameters()
            if x and math.isfinite(x) and len(numbers) > i:
                found[x] = numbers[i]
        for transform in TRANSFORMS:
            if len(found) > 1 and all(transform(x) == number for x, number in found.items()):
                return transform(symbol)
    return _exact(loss.kernel_parameters()[i])


def _symbols_of_parameters(loss: fl.Loss) -> dict[Any, tuple[str, float]]:
    """Symbols with the names and values of the parameters that they stand for."""
    return {
        sympy.Symbol(_named(name), **{"positive" if value > 0 else "real": True}): (name, value)
        for name, value in loss.params.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value
    }


# ---- groups


class _Held(sympy.Symbol):
    """A prediction whose place among the others is known: ``value`` is a number to sort by."""


def _held(letter: str) -> list[_Held]:
    """Predictions from the largest down."""
    symbols = [_Held(f"{letter}_{i + 1}", real=True) for i in range(CLASSES)]
    for i, symbol in enumerate(symbols):
        symbol.value = -i
    return symbols


def ordered(loss: fl.Loss) -> list[int] | None:
    """The targets that a formula of some elements is for, where it depends on their order."""
    if not isinstance(loss, fl.GroupLoss) or loss.schema == "list":
        return None
    targets = list(range(CLASSES))
    return targets if loss.order == "target up" else targets[::-1]


def _definition(loss: fl.Loss) -> Any:
    return type(loss).definition if isinstance(loss, fl.GroupLoss) else loss.scalars.definition


def label_shown(loss: fl.RowLoss) -> int:
    """The class index that a formula of some classes is for: one that has all its terms."""
    return int(loss.between_labels)


def _sample(loss: fl.Loss, first: bool) -> tuple[dict[str, Any], Any]:
    """Random inputs, with the label that is shown if wanted; the values of units or groups."""
    if isinstance(loss, fl.GroupLoss):
        inputs = sample_groups(loss, [CLASSES] * UNITS, "float64", generator())
        if targets := ordered(loss):
            inputs["prediction"] = np.sort(inputs["prediction"])[::-1].copy()
            inputs["target"] = np.tile(np.array(targets, float), UNITS)
            if "event" in inputs:
                inputs["event"][:] = 1
        values = loss.value(**inputs, reduction="none").reshape(UNITS, -1).sum(axis=1)
        return {n: inputs[n].reshape(UNITS, -1) for n in ("prediction", "target")}, values
    kind = target_kinds(loss)[-1]
    classes = CLASSES if loss.schema == "row" else None
    inputs = sample(loss, (UNITS,), "float64", generator(), kind, extremes=False, classes=classes)
    if first:
        inputs["target"][:] = label_shown(loss)
    return inputs, loss.value(**inputs, reduction="none")


# ---- tracing


def _tidied(expression: Any) -> Any:
    """Fractions for floats, x^a for exp(a log x), and cases outside of factors."""
    expression = expression.replace(lambda x: x.is_Float, _exact)
    expression = expression.replace(
        lambda x: isinstance(x, sympy.exp) and any(f.func == sympy.log for f in x.exp.args),
        lambda x: sympy.powdenest(x, force=True),
    )
    alone = len(expression.atoms(sympy.Piecewise)) == 1 and not expression.atoms(sympy.Sum)
    nested = isinstance(expression, sympy.Piecewise)
    return sympy.piecewise_fold(expression) if alone or nested else expression


class Traced:
    """A definition in symbols.

    Parameters
    ----------
    loss : fastloss.Loss
    classes : int, optional
        Of rows, or elements of groups: how many there are; by default one stands for all.
    label : bool
        Whether the target is the index that is shown, and no symbol.
    """

    def __init__(self, loss: fl.Loss, classes: int | None = None, label: bool = False) -> None:
        self.loss = loss
        self.row = loss.schema != "map"
        self.classes = classes
        self.label = label
        domains = dict(zip(loss.inputs, loss.domains(), strict=True))
        letters = {name: _named(name) for name in loss.inputs if name not in ("event", "group")}
        of_classes = self.row and not (isinstance(loss, fl.RowLoss) and loss.takes_numbers)
        letters["prediction"] = _letter(loss)
        letters["target"] = "q" if of_classes and loss.schema in ("row", "list") else "y"
        self.letters = letters
        self.symbols = {
            name: self._row(letters[name])
            if of_classes or (self.row and name == "prediction")
            else sympy.Symbol(letters[name], **_assumed(domains[name]))
            for name in letters
        }
        order = dict.fromkeys((*loss.differentiated, "target", *letters))
        arguments = [self.symbols[name] for name in order]
        if self.columns:
            arguments.append(self._row("q"))
        if label:
            shown = masses(loss, label_shown(loss), CLASSES).astype(int).tolist()
            arguments[1] = list(map(sympy.Integer, shown))
            letters["target"] = "1"
        elif targets := ordered(loss):
            arguments = [_held(letters["prediction"]), list(map(sympy.Integer, targets))]
            self.symbols = {"prediction": arguments[0]}
            letters["target"] = str(tuple(targets))
        options = {}
        if isinstance(loss, fl.GroupLoss):
            count = len(arguments[0])
            arguments += [[True] * count] * ("event" in loss.inputs) + [[sympy.S.One] * count]
            symbols = {name: x for x, (name, _) in _symbols_of_parameters(loss).items()}
            options = {
                name: value if isinstance(value, int) else symbols.get(name, value)
                for name, value in loss.params.items()
            }
        residual = not self.row and letters["prediction"] == r"\hat{y}"
        if residual:
            arguments[0] = self.symbols["target"] + RESIDUAL
        count = 0 if options else len(loss.kernel_parameters())
        parameters = [_parameter(loss, i) for i in range(count)]
        words = dict(PER_CLASS if self.row and classes is None else WORDS)
        known = ((x, domains[name]) for name, x in self.symbols.items())
        words["where"] = _where(
            {s: d for x, d in known for s in ([x] if isinstance(x, sympy.Symbol) else x)}
        )
        found = rebind(_definition(loss), words)(*arguments, *parameters, **options)
        several = found if isinstance(found, tuple) else (found,)
        expression = sympy.sympify(functools.reduce(operator.add, several))
        expression = _tidied(expression)
        self.residual = residual and self.symbols["target"] not in expression.free_symbols
        if residual and not self.residual:
            difference = self.symbols["prediction"] - self.symbols["target"]
            expression = expression.subs(RESIDUAL, difference)
        self.expression = expression

    @property
    def columns(self) -> tuple[float, ...]:
        """The constants of the classes."""
        return (self.loss.columns or ()) if isinstance(self.loss, fl.RowLoss) else ()

    def _row(self, letter: str) -> Any:
        base, count = sympy.IndexedBase(letter, real=True), self.classes
        return _EveryClass(base) if count is None else [base[i + 1] for i in range(count)]

    def value(self, unit: dict[str, Any]) -> float:
        """What the expression is for a unit."""
        known = _symbols_of_parameters(self.loss)
        numbers = {symbol: value for symbol, (_, value) in known.items()}
        expression = self.expression
        expression = expression.subs(COUNT, CLASSES).doit()
        known = [(symbol, unit[name]) for name, symbol in self.symbols.items()]
        if self.columns:
            known.append((self._row("q"), self.columns))
        for symbol, x in known:
            if isinstance(symbol, sympy.Symbol):
                numbers[symbol] = x
                continue
            if isinstance(symbol, _EveryClass):
                symbol = [symbol.base[i + 1] for i in range(CLASSES)]
            numbers |= dict(zip(symbol, x, strict=True))
        if not self.row:
            numbers[RESIDUAL] = unit["prediction"] - unit["target"]
        return float(expression.subs(numbers))

    def latex(self) -> str:
        """The equation."""
        printer = _Printer(_symbols_of_parameters(self.loss))
        names = list(self.letters.values())
        if self.residual:
            names = [
                "r",
                *(x for n, x in self.letters.items() if n not in ("prediction", "target")),
            ]
        equation = rf"\ell({', '.join(names)}) = {printer.doprint(self.expression)}"
        return lighter(equation) + (r", \qquad r = \hat{y} - y" if self.residual else "")


def lighter(latex: str) -> str:
    """The same with parentheses that grow only around what is tall."""

    def plain(found: re.Match[str]) -> str:
        tall = re.search(r"frac|begin|sum", found[1])
        return f"\1{found[1]}\2" if tall else f"({found[1]})"

    innermost = re.compile(r"\\left\(((?:(?!\\left\().)*?)\\right\)")
    while innermost.search(latex):
        latex = innermost.sub(plain, latex)
    return latex.replace("\1", r"\left(").replace("\2", r"\right)")


class _Printer(LatexPrinter):
    """SymPy's LaTeX with fewer signs and the customary order of terms and factors."""

    def __init__(self, parameters: Iterable[Any] = ()) -> None:
        super().__init__({"order": "none", "full_prec": False, "mul_symbol": r"\:"})
        self.parameters = set(parameters)

    def _fixed(self, expression: Any) -> bool:
        return expression.free_symbols <= self.parameters

    def _as_ordered_terms(self, expression: Any, order: Any = None) -> list[Any]:
        """What is subtracted comes last."""
        return sorted(expression.args, key=lambda term: term.could_extract_minus_sign())

    def _print_Mul(self, expression: Any) -> str:  # noqa: N802
        def place(factor: Any) -> int:
            if factor.is_number or self._fixed(factor):
                return int(not factor.is_number)
            if factor.is_Symbol or factor.is_Indexed:
                return 2
            return 4 if factor.atoms(sympy.Function, sympy.Sum) else 3

        if not expression.is_Mul:  # 1 / x comes here too
            return str(super()._print_Mul(expression))
        sign, factors = sympy.S.One, []
        for factor in expression.args:
            # x - 1 as -(1 - x)
            if factor.is_Add and factor.args[0] == -1 and factor.args[1].is_Symbol:
                sign, factor = -sign, sympy.UnevaluatedExpr(-factor)
            factors.append(factor)
        if factors[0].is_number:
            sign *= factors.pop(0)
        factors = [x for x in (sign, *factors) if x != 1]
        if len(factors) > 1:
            expression = sympy.Mul(*sorted(factors, key=place), evaluate=False)
        return str(super()._print_Mul(expression))

    def _print_Relational(self, expression: Any) -> str:  # noqa: N802
        if self._fixed(expression.lhs) and not self._fixed(expression.rhs):
            expression = expression.reversed
        if expression.rhs == 0 and expression.lhs.is_Add:
            # x > y for x - y > 0
            less = sympy.Add(*(x for x in expression.lhs.args if x.could_extract_minus_sign()))
            expression = expression.func(expression.lhs - less, -less)
        return str(super()._print_Relational(expression))

    def _print_Piecewise(self, expression: Any) -> str:  # noqa: N802
        *pieces, (last, _) = expression.args
        lines = [rf"{self._print(e)} & \text{{if }} {self._print(c)}" for e, c in pieces]
        lines.append(rf"{self._print(last)} & \text{{otherwise}}")
        return r"\begin{cases}" + r" \\ ".join(lines) + r"\end{cases}"

    def _print_Sum(self, expression: Any) -> str:  # noqa: N802
        term, *limits = expression.args
        inner = self._print(term)
        if term.is_Add:
            inner = rf"\left({inner}\right)"
        return rf"\sum_{{{', '.join(self._print(index) for index, *_ in limits)}}} {inner}"

    def _print__Threshold(self, expression: Any) -> str:  # noqa: N802
        return r"\tau"

    def _print__Holds(self, expression: Any) -> str:  # noqa: N802
        return rf"[{self._print(expression.args[0])}]"

    def _print_And(self, expression: Any) -> str:  # noqa: N802
        return r" \text{ and } ".join(map(self._print, expression.args))

    def _print_Or(self, expression: Any) -> str:  # noqa: N802
        return r" \text{ or } ".join(map(self._print, expression.args))

    def _print_loggamma(self, expression: Any) -> str:
        return rf"\log\Gamma\left({self._print(expression.args[0])}\right)"


def is_right(traced: Traced) -> bool:
    """Whether it gives what the loss gives."""
    loss = traced.loss
    inputs, values = _sample(loss, traced.label)
    if isinstance(loss, fl.RowLoss) and inputs["target"].dtype.kind == "i":
        inputs["target"] = masses(loss, inputs["target"], CLASSES)
    units = ({name: x[i].tolist() for name, x in inputs.items()} for i in range(UNITS))
    return all(
        math.isclose(traced.value(unit), value, rel_tol=1e-9, abs_tol=1e-12)
        for unit, value in zip(units, values, strict=True)
    )


def _traces(loss: fl.Loss) -> Iterator[Traced]:
    """For any number of classes, then for some."""
    ways = {"map": [()], "row": [(), (CLASSES,), (CLASSES, True)]}.get(
        loss.schema, [(CLASSES,) if ordered(loss) else ()]
    )
    for way in ways:
        with contextlib.suppress(TypeError, ValueError, AttributeError, NotImplementedError):
            traced = Traced(loss, *way)
            if is_right(traced):
                yield traced


def formula(loss: fl.Loss) -> str | None:
    """The loss in LaTeX, or None where its definition cannot be traced."""
    traced = next(_traces(loss), None)
    return traced.latex() if traced else None


def numbers_shown(loss: fl.Loss) -> dict[str, float]:
    """The parameters of which the formula has no symbol, with their values."""
    first = itertools.islice(_traces(loss), 1)
    used = {symbol for traced in first for symbol in traced.expression.free_symbols}
    symbols = _symbols_of_parameters(loss)
    return {name: value for symbol, (name, value) in symbols.items() if symbol not in used}


def definition_text(loss: fl.Loss) -> str:
    """The definition as Python."""
    lines = inspect.getsource(_definition(loss))
    return textwrap.dedent(lines).replace("@staticmethod\n", "").replace(": Any", "").strip()
