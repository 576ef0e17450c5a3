"""Losses that users invent: a formula is traced, derived and becomes a loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sympy.core.parameters import distribute

from .._domains import ANYTHING, Domain
from .._links import LINKS
from .loss import CustomLoss, Formula, class_of, number
from .trace import trace

__all__ = ["CustomLoss", "make"]

_TAKEN = {*dir(CustomLoss), "differentiated", "formula", "given", "name", "self"}
_TAKEN |= {*inspect.signature(CustomLoss.value_grad_hess).parameters, "wrt"}
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
    inputs: Iterable[str] = (),
    domains: Mapping[str, tuple[float, float]] | None = None,
    grad: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    **statements: Any,
) -> Any:
    """See :func:`fastloss.custom`."""
    if function is None:
        return lambda function: make(
            function, inputs=inputs, domains=domains, grad=grad, hess=hess, **statements
        )
    if isinstance(inputs, str):
        inputs = (inputs,)
    extras = tuple(inputs)
    parameters = _parameters(function, extras)
    names = ("prediction", "target", *extras, *(name for name, _ in parameters))
    for name in names[2:]:
        if name.startswith("_") or name in _TAKEN:
            raise ValueError(f"an argument of the formula cannot be called {name!r}")
    for name, value in statements.items():
        if name not in _STATEMENTS:
            raise TypeError(f"a custom loss states {', '.join(_STATEMENTS)}; got {name}=")
        if value not in _STATEMENTS[name]:
            known = ", ".join(map(repr, _STATEMENTS[name]))
            raise ValueError(f"{name} must be one of {known}; got {value!r}")
    with distribute(False):
        given = Formula(
            name=getattr(function, "__name__", type(function).__name__),
            text=inspect.getdoc(function) or "A custom loss.",
            parameters=parameters,
            value=trace(function, names),
            grad=grad and trace(grad, names, constant=True),
            hess=hess and trace(hess, names, constant=True),
            inputs=extras,
            domains=tuple(_domains(("prediction", "target", *extras), domains or {})),
            statements=tuple(sorted(statements.items())),
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
        found.append((name, number(f"the default of {name}", p.default)))
    return tuple(found)


def _domains(names: tuple[str, ...], ends: Mapping[str, tuple[float, float]]) -> Iterable[Domain]:
    for name in ends:
        if name not in names:
            raise ValueError(f"domains are those of {', '.join(names)}; got {name!r}")
    for name in names:
        if name not in ends:
            yield ANYTHING
            continue
        try:
            low, high = map(float, ends[name])
        except (TypeError, ValueError):
            low = high = 0.0
        if not low < high:
            raise ValueError(f"the domain of {name} must be (low, high); got {ends[name]!r}")
        yield Domain(f"a number in [{low:g}, {high:g}]", low, high)
