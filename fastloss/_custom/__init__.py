"""Losses that users invent: a formula is traced, derived and becomes a loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sympy.core.parameters import distribute

from .._domains import ANYTHING, CLASS_INDEX, MASS, Domain
from .._links import LINKS
from .._parameters import finite_number
from .loss import CustomLoss, CustomRowLoss, Formula, class_of
from .trace import trace
from .trace_rows import trace_row

__all__ = ["CustomLoss", "CustomRowLoss", "make"]

_TAKEN = {"differentiated", "formula", "given", "name", "self", "wrt"}
_TAKEN |= set(inspect.signature(CustomLoss.value_grad_hess).parameters)
"""Names that a loss or its methods use themselves."""
_STATEMENTS = {
    "convex": (True, False),
    "elicits": ("mean", "median", "quantile", "expectile", "mode", "probabilities", ""),
    "hessian_sign": ("positive", "nonnegative", "zero", "any"),
    "link": tuple(LINKS),
    "proper": (True, False),
    "smooth": (True, False),
}


def make(
    function: Callable[..., Any] | None = None,
    /,
    *,
    rows: str | None = None,
    inputs: Iterable[str] = (),
    domains: Mapping[str, tuple[float, float]] | None = None,
    grad: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    **statements: Any,
) -> Any:
    """See :func:`fastloss.custom`."""
    if function is None:
        return lambda function: make(
            function, rows=rows, inputs=inputs, domains=domains, grad=grad, hess=hess, **statements
        )
    if rows not in (None, "labels", "masses"):
        raise ValueError(f"rows must be 'labels' or 'masses'; got {rows!r}")
    if isinstance(inputs, str):
        inputs = (inputs,)
    extras = tuple(inputs)
    if rows and extras:
        raise TypeError("a formula of a row takes prediction and target; it has no other inputs")
    parameters = _parameters(function, extras)
    names = ("prediction", "target", *extras, *(name for name, _ in parameters))
    kind = CustomRowLoss if rows else CustomLoss
    for name in names[2:]:
        if name.startswith("_") or name in _TAKEN or hasattr(kind, name):
            raise ValueError(f"an argument of the formula cannot be called {name!r}")
    for name, value in statements.items():
        if name not in _STATEMENTS:
            raise TypeError(f"a custom loss states {', '.join(_STATEMENTS)}; got {name}=")
        if value not in _STATEMENTS[name]:
            known = ", ".join(map(repr, _STATEMENTS[name]))
            raise ValueError(f"{name} must be one of {known}; got {value!r}")

    def traced(function: Callable[..., Any], constant: bool = False) -> Any:
        if rows:
            return trace_row(function, rows, names[2:], constant)
        return trace(function, names, constant)

    with distribute(False):
        given = Formula(
            name=getattr(function, "__name__", type(function).__name__),
            text=inspect.getdoc(function) or "A custom loss.",
            parameters=parameters,
            value=traced(function),
            grad=grad and traced(grad, constant=True),
            hess=hess and traced(hess, constant=True),
            inputs=extras,
            domains=tuple(_domains(("prediction", "target", *extras), domains or {}, rows)),
            statements=tuple(sorted(statements.items())),
            rows=rows or "",
        )
    return class_of(given)


def _parameters(
    function: Callable[..., Any], inputs: tuple[str, ...]
) -> tuple[tuple[str, float], ...]:
    """The parameters of a formula, which are the arguments with defaults."""
    signature = inspect.signature(function).parameters
    arrays = [name for name, p in signature.items() if p.default is p.empty]
    if arrays != ["prediction", "target", *inputs]:
        wanted = ", ".join(("prediction", "target", *inputs))
        raise TypeError(
            f"the formula must take {wanted}, then parameters with defaults; "
            f"got ({', '.join(map(str, signature.values()))})"
        )
    found = []
    for name, p in signature.items():
        if p.default is p.empty:
            continue
        found.append((name, finite_number(f"the default of {name}", p.default)))
    return tuple(found)


def _domains(
    names: tuple[str, ...], ends: Mapping[str, tuple[float, float]], rows: str | None
) -> Iterable[Domain]:
    usual = {"target": {"labels": CLASS_INDEX, "masses": MASS}[rows]} if rows else {}
    known = [name for name in names if usual.get(name) != CLASS_INDEX]
    for name in ends:
        if name not in known:
            raise ValueError(f"domains are those of {', '.join(known)}; got {name!r}")
    for name in names:
        if name not in ends:
            yield usual.get(name, ANYTHING)
            continue
        try:
            low, high = map(float, ends[name])
        except (TypeError, ValueError):
            low = high = 0.0
        if not low < high:
            raise ValueError(f"the domain of {name} must be (low, high); got {ends[name]!r}")
        yield Domain(f"a number in [{low:g}, {high:g}]", low, high)
