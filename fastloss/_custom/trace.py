"""From a user's function of arrays to a formula: it is called once, with symbols."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import sympy
from sympy import S
from sympy.logic.boolalg import Boolean

from . import functions as f
from .of_loss import expression

__all__ = ["FUNCTIONS", "UFUNCS", "Traced", "exact", "result_of", "trace", "untraceable"]


def exact(number: Any) -> Any:
    """A number of a formula as SymPy's: 0.1 is one tenth."""
    if isinstance(number, numbers.Integral):
        return sympy.Integer(int(number))
    number = float(number)
    if math.isnan(number):
        raise ValueError("a formula cannot hold NaN")
    if math.isinf(number):
        return S.Infinity if number > 0 else S.NegativeInfinity
    return sympy.Rational(repr(number))


def _log_cosh(x: Any) -> Any:
    return sympy.log(sympy.cosh(x))


def _either(a: Any, b: Any) -> Any:
    return sympy.Or(sympy.And(a, sympy.Not(b)), sympy.And(sympy.Not(a), b))


def _power(base: Any, exponent: Any) -> Any:
    return base**exponent if exponent.is_Rational else f.Power(base, exponent)


def _entropy(x: Any) -> Any:
    return -x * sympy.log(x)


UFUNCS: dict[str, Callable[..., Any]] = {
    # NumPy's
    "absolute": f.Absolute,
    "add": lambda a, b: a + b,
    "cosh": sympy.cosh,
    "divide": lambda a, b: a / b,
    "equal": sympy.Eq,
    "exp": sympy.exp,
    "exp2": lambda x: sympy.exp(sympy.log(2) * x),
    "expm1": f.Expm1,
    "fabs": f.Absolute,
    "float_power": _power,
    "greater": sympy.Gt,
    "greater_equal": sympy.Ge,
    "less": sympy.Lt,
    "less_equal": sympy.Le,
    "log": sympy.log,
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": f.Log1p,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "logaddexp": lambda a, b: a + f.Softplus(b - a),
    "logical_and": sympy.And,
    "logical_not": sympy.Not,
    "logical_or": sympy.Or,
    "maximum": f.Maximum,
    "minimum": f.Minimum,
    "multiply": lambda a, b: a * b,
    "negative": lambda x: -x,
    "logical_xor": _either,
    "not_equal": sympy.Ne,
    "positive": lambda x: x,
    "power": _power,
    "reciprocal": lambda x: 1 / x,
    "sign": f.Sign,
    "sinh": sympy.sinh,
    "sqrt": sympy.sqrt,
    "square": lambda x: x**2,
    "subtract": lambda a, b: a - b,
    "tanh": f.Tanh,
    # SciPy's
    "digamma": f.Digamma,
    "entr": _entropy,
    "erf": f.Erf,
    "erfc": f.Erfc,
    "expit": f.Sigmoid,
    "gammaln": f.Lgamma,
    "log_expit": lambda x: -f.Softplus(-x),
    "logit": lambda p: sympy.log(p) - f.Log1p(-p),
    "psi": f.Digamma,
    "softplus": f.Softplus,
    "xlog1py": f.Xlog1py,
    "xlogy": f.Xlogy,
}
UFUNCS["fmax"] = UFUNCS["maximum"]
UFUNCS["fmin"] = UFUNCS["minimum"]
UFUNCS["bitwise_and"] = UFUNCS["logical_and"]
UFUNCS["bitwise_or"] = UFUNCS["logical_or"]
UFUNCS["bitwise_xor"] = UFUNCS["logical_xor"]
UFUNCS["invert"] = UFUNCS["logical_not"]
_LOGICAL = {name for name in UFUNCS if name.startswith(("logical_", "bitwise_"))} | {"invert"}


def _is_condition(x: Any) -> bool:
    return isinstance(x, Boolean) and not x.is_Symbol


def _as_number(x: Any) -> Any:
    """1 where a condition holds, else 0."""
    return f.Choice((1, x), (0, True)) if _is_condition(x) else x


def _as_condition(x: Any) -> Any:
    return x if _is_condition(x) else sympy.Ne(x, 0)


def _apply(name: str, operands: Iterable[Any]) -> Any:
    """A ufunc of expressions and numbers."""
    convert = _as_condition if name in _LOGICAL else _as_number
    return UFUNCS[name](*(convert(_expression(x)) for x in operands))


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return f.Choice((_as_number(yes), _as_condition(condition)), (_as_number(no), True))


def _clip(x: Any, a_min: Any = None, a_max: Any = None, **ends: Any) -> Any:
    low, high = ends.get("min", a_min), ends.get("max", a_max)
    x = x if low is None else f.Maximum(x, low)
    return x if high is None else f.Minimum(x, high)


def _select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    pairs = zip(conditions, choices, strict=True)
    found = ((_as_number(choice), _as_condition(condition)) for condition, choice in pairs)
    return f.Choice(*found, (_as_number(default), True))


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.clip: _clip,
    np.ones_like: lambda x: S.One,
    np.select: _select,
    np.where: _where,
    np.zeros_like: lambda x: S.Zero,
}


class Traced:
    """A symbol, or what a formula makes of symbols; NumPy's functions take it as an array."""

    __slots__ = ("expression",)
    __array_priority__ = 1000

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def made(self, expression: Any, of: Iterable[Any]) -> Traced:
        """What a function makes of these."""
        return Traced(expression)

    def row_word(self, name: str, *others: Any) -> Any:
        """A function of :mod:`fastloss.rowwise`."""
        raise TypeError(
            f"a formula of elements cannot use {name}: one of rows is fl.custom(rows=...)"
        )

    def of_loss(self, loss: Any, plain: bool, target: Any, inputs: dict[str, Any]) -> Any:
        """A loss that the formula calls."""
        if not plain:
            raise TypeError(
                f"a formula takes the value of {loss.name} for each element: neither derivatives "
                "nor weight, reduction, normalizer, value_out and threads"
            )
        if type(self) is not Traced:
            raise TypeError(f"a formula of rows cannot call {loss.name}")
        others = {name: _expression(x) for name, x in inputs.items()}
        return Traced(expression(loss, self.expression, _expression(target), others))

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError(
            "a formula cannot use what makes arrays of its inputs, as SciPy's softmax, log_softmax "
            "and logsumexp do: fastloss.rowwise has those that are traced"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in UFUNCS:
            name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise untraceable(name)
        if options:
            raise TypeError(f"a formula cannot give {ufunc.__name__} {', '.join(options)}=")
        return self.made(_apply(ufunc.__name__, inputs), inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function not in FUNCTIONS:
            raise untraceable(function.__name__)
        plain = {name: _expression(value) for name, value in options.items()}
        try:
            expression = FUNCTIONS[function](*map(_expression, args), **plain)
            return self.made(expression, (*args, *options.values()))
        except TypeError as error:
            raise TypeError(f"a formula cannot use {function.__name__} so: {error}") from None

    def __bool__(self) -> bool:
        raise TypeError(
            "a formula cannot branch on its inputs (if, and, or, not, min, max): use np.where, "
            "&, |, ~, np.minimum, np.maximum"
        )

    def __float__(self) -> float:
        raise TypeError(
            "a formula cannot make a plain number of its inputs (float, math.exp): use NumPy's "
            "functions"
        )

    __int__ = __float__
    __index__ = __float__

    def __iter__(self) -> Any:
        raise TypeError("a formula sees one element at a time: it cannot iterate or index")

    def __getitem__(self, key: Any) -> Any:
        return self.__iter__()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise untraceable(f".{name}")

    __hash__ = None  # type: ignore[assignment]


def untraceable(name: str) -> TypeError:
    """The error of a formula that uses this."""
    return TypeError(
        f"a formula cannot use {name}: what can be traced is listed in the documentation of "
        "fl.custom"
    )


def _expression(x: Any) -> Any:
    if isinstance(x, Traced):
        return x.expression
    if isinstance(x, (bool, np.bool_)):
        return S.true if x else S.false
    if isinstance(x, (list, tuple)):  # of np.select
        return [_expression(item) for item in x]
    if x is None:
        return None
    if isinstance(x, numbers.Real) or (isinstance(x, np.ndarray) and x.ndim == 0):
        return exact(x)
    raise TypeError(f"a formula cannot hold {type(x).__name__}: it sees one element at a time")


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    def apply(self: Traced, *others: Any) -> Any:
        operands = (*others, self) if swapped else (self, *others)
        if not all(isinstance(x, (Traced, numbers.Real, np.ndarray)) for x in others):
            return NotImplemented
        return self.made(_apply(name, operands), operands)

    return apply


for _name, _ufunc in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
    "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
}.items():  # fmt: skip
    setattr(Traced, f"__{_name}__", _operator(_ufunc))
    setattr(Traced, f"__r{_name}__", _operator(_ufunc, swapped=True))
for _name, _ufunc in {
    "neg": "negative", "pos": "positive", "abs": "absolute", "invert": "logical_not",
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal",
}.items():  # fmt: skip
    setattr(Traced, f"__{_name}__", _operator(_ufunc))


def trace(function: Callable[..., Any], names: tuple[str, ...], constant: bool = False) -> Any:
    """The expression of a function of arrays, in real symbols of these names.

    ``constant`` says whether it may return a plain number.
    """
    symbols = {name: Traced(sympy.Symbol(name, real=True)) for name in names}
    signature = inspect.signature(function).parameters
    first = [symbols.pop(n) for n, p in signature.items() if p.kind is p.POSITIONAL_ONLY]
    return result_of(function(*first, **symbols), constant)


def result_of(result: Any, constant: bool) -> Any:
    """The expression that a formula returns."""
    if constant and isinstance(result, numbers.Real):
        return exact(result)
    if not isinstance(result, Traced):
        raise TypeError(
            f"the formula must return what it computes of its inputs; got {type(result).__name__}"
        )
    if _is_condition(result.expression):
        raise TypeError("the formula must return numbers; got a condition")
    return result.expression
