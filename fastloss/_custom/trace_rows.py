"""Formulas of rows are traced like those of elements, on what has a number for each class or one.

Shapes are those of NumPy on the numbers of a row: what is made of classes has classes, and
reductions have none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import sympy

from . import functions as f
from .rows import (
    CLASSES,
    IS_LABEL,
    PREDICTION,
    TARGET,
    AtLabel,
    Largest,
    LogShare,
    LogTotal,
    Share,
    Total,
)
from .trace import Traced, result_of

__all__ = ["METHODS", "REDUCTIONS", "TracedRow", "trace_row"]

REDUCTIONS: dict[Any, Callable[[Any], Any]] = {
    np.amax: Largest,
    np.amin: lambda x: -Largest(-x),
    np.max: Largest,
    np.mean: lambda x: Total(x) / CLASSES,
    np.min: lambda x: -Largest(-x),
    np.sum: Total,
}
METHODS = {name: getattr(np, name) for name in ("max", "mean", "min", "sum")}
_WORDS: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "log_softmax": (LogShare, True),
    "logsumexp": (LogTotal, False),
    "softmax": (Share, True),
}
"""Of :mod:`fastloss.rowwise`, and whether there is a result for each class."""


class TracedRow(Traced):
    """What has a number for each class, or one."""

    __slots__ = ("of_class",)

    def __init__(self, expression: Any, of_class: bool) -> None:
        super().__init__(f.Pick.of(expression))
        self.of_class = of_class

    def made(self, expression: Any, of: Iterable[Any]) -> Traced:
        return TracedRow(expression, any(map(_has_classes, of)))

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function is np.size and len(args) == 1 and not options:
            return self.size
        if function is np.dot and len(args) == 2 and not options:
            return args[0] @ args[1]
        if function not in REDUCTIONS:
            return super().__array_function__(function, types, args, options)
        x, *axis = args
        if set(options) - {"axis"} or (*axis, *options.values()) not in _WHOLE_ROW:
            given = ", ".join([*map(repr, axis), *(f"{name}=" for name in options)])
            raise TypeError(f"a formula of a row cannot give {function.__name__} {given}")
        return TracedRow(REDUCTIONS[function](x.expression), False) if x.of_class else x

    def row_word(self, name: str, *others: Any) -> Any:
        if not self.of_class:
            raise TypeError(f"{name} needs a number for each class; got one number")
        if name == "is_label":
            if not isinstance(others[0], Label):
                raise TypeError("is_label needs the target of a formula with rows='labels'")
            return TracedRow(IS_LABEL, True)
        word, of_class = _WORDS[name]
        return TracedRow(word(self.expression), of_class)

    @property
    def size(self) -> TracedRow:
        """The number of classes, or 1."""
        return TracedRow(CLASSES if self.of_class else sympy.S.One, False)

    def __matmul__(self, other: Any) -> Any:
        if not (isinstance(other, TracedRow) and self.of_class and other.of_class):
            return NotImplemented
        return np.sum(np.multiply(self, other))

    def __getattr__(self, name: str) -> Any:
        if name in ("dtype", "ndim", "shape"):  # what asks is not NumPy
            self.__array__()
        if name not in METHODS:
            return super().__getattr__(name)
        return lambda *args, **options: METHODS[name](self, *args, **options)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, Label):
            raise TypeError(
                "a formula of a row has one index, the target where it is a class (rows='labels')"
            )
        if not self.of_class:
            raise TypeError("one number for the row has no classes to take the label's from")
        return TracedRow(AtLabel(self.expression), False)

    def __iter__(self) -> Any:
        raise TypeError(
            "a formula of a row sees all of its classes at once: it cannot iterate; np.sum, np.max "
            "and fastloss.rowwise reduce them"
        )

    __hash__ = None


_WHOLE_ROW = {(), (None,), (0,), (-1,)}


def _has_classes(x: Any) -> bool:
    if isinstance(x, (list, tuple)):  # of np.select
        return any(map(_has_classes, x))
    return isinstance(x, TracedRow) and x.of_class


class Label:
    """A class index: what the label has is taken by it, and nothing else."""

    def __array_ufunc__(self, *args: Any, **options: Any) -> Any:
        raise TypeError(
            "the target of a formula with rows='labels' is a class index: x[target] is what the "
            "label has, fastloss.rowwise.is_label(x, target) says where it is"
        )

    __array_function__ = __array__ = __bool__ = __float__ = __index__ = __int__ = __array_ufunc__
    __abs__ = __invert__ = __neg__ = __pos__ = __iter__ = __getitem__ = __array_ufunc__
    __hash__ = None  # type: ignore[assignment]


for _name in (
    "add", "and", "eq", "ge", "gt", "le", "lt", "matmul", "mul", "ne", "or", "pow", "sub",
    "truediv", "xor",
):  # fmt: skip
    setattr(Label, f"__{_name}__", Label.__array_ufunc__)
    setattr(Label, f"__r{_name}__", Label.__array_ufunc__)


def trace_row(
    function: Callable[..., Any], target: str, names: tuple[str, ...], of_class: bool = False
) -> Any:
    """The expression of a function of a row.

    Parameters
    ----------
    function : callable
    target : {"labels", "masses"}
    names : tuple of str
        Those of the parameters.
    of_class : bool
        Whether it gives a number for each class, as derivatives do, and not one for the row.
    """
    given: dict[str, Any] = {
        "prediction": TracedRow(PREDICTION, True),
        "target": Label() if target == "labels" else TracedRow(TARGET, True),
    }
    given |= {name: TracedRow(sympy.Symbol(name, real=True), False) for name in names}
    signature = inspect.signature(function).parameters
    first = [given.pop(n) for n, p in signature.items() if p.kind is p.POSITIONAL_ONLY]
    result = function(*first, **given)
    expression = result_of(result, of_class)
    if not of_class and result.of_class:
        raise TypeError(
            "the formula of a row must return one number, and this is one for each class: np.sum, "
            "np.mean or np.max reduce them"
        )
    return expression
