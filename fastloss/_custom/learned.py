"""Gradients of a traced loss by what else is learned: its parameters and inputs."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import sympy
from sympy.core.parameters import distribute

from .._domains import ANYTHING
from .._loss import MapLoss
from .._parameters import Parameter, finite_number
from .stable import EARLY, LATE, rewritten
from .write import function

__all__ = ["value_and_grads"]

MOST = 3
"""Beside the prediction, as many as the core takes."""


def value_and_grads(loss: Any, names: Iterable[str], *arrays: Any, **options: Any) -> Any:
    """See :meth:`fastloss._custom.CustomLoss.value_and_grads`."""
    names = (names,) if isinstance(names, str) else tuple(names)
    known = loss.given.arguments
    for name in names:
        if name not in known:
            raise ValueError(f"wrt names some of {', '.join(known)}; got {name!r}")
    if not names or len({*names}) < len(names):
        raise ValueError(f"wrt names each once, and one at least; got {names!r}")
    others = tuple(name for name in names if name != "prediction")
    if len(others) > MOST:
        raise ValueError(f"wrt takes {MOST} beside the prediction; got {', '.join(others)}")
    if not others:
        value, grad = loss.value_and_grad(*arrays, **options)
        return value, (grad,)
    learned = _class_of(loss.given, others)
    kept = {name: x for name, x in loss.params.items() if name not in others}
    numbers = {name: np.array(loss.params[name]) for name in learned.summed}
    value, grads = learned(**kept).value_and_grad(*arrays, **numbers, **options)
    found = dict(zip(learned.differentiated, grads, strict=True))
    return value, tuple(found[name] for name in names)


class _LearnedLoss(MapLoss):
    """A loss whose inputs are also parameters of another; its Hessians mean nothing."""

    jit = True

    @property
    def kernel(self) -> str:
        return f"{self.name} by {', '.join(self.differentiated)}"


@functools.cache
def _class_of(given: Any, others: tuple[str, ...]) -> Any:
    original = ("prediction", "target", *given.inputs)
    numbers = tuple(name for name in others if name not in original)
    inputs = (*original, *numbers)
    differentiated = ("prediction", *others)
    parameters = [name for name, _ in given.parameters if name not in numbers]
    order = [*differentiated, *(name for name in inputs if name not in differentiated), *parameters]
    domains = (*given.domains, *(ANYTHING for _ in numbers))
    members: dict[str, Any] = {
        "name": given.name,
        "inputs": inputs,
        "differentiated": differentiated,
        "summed": numbers,
        "formula": staticmethod(_formula(given, order, differentiated)),
        "domains": lambda self: domains,
    }
    defaults = dict(given.parameters)
    members |= {name: Parameter(defaults[name], finite_number) for name in parameters}
    return type(given.name, (_LearnedLoss,), members)


def _formula(given: Any, order: list[str], differentiated: tuple[str, ...]) -> Any:
    """Value and gradients, which also stand where Hessians do, that nobody asks for."""
    with distribute(False):
        value = rewritten(given.value, EARLY)
        grads = [value.diff(sympy.Symbol(name, real=True)) for name in differentiated]
        if given.grad is not None:
            grads[0] = given.grad
        value, *grads = (rewritten(rewritten(part, EARLY), LATE) for part in (value, *grads))
    inputs = [name for name in order if name not in dict(given.parameters)]
    parts = function(order, (value, *grads), flat=inputs)
    arguments = ", ".join(f"_{i}" for i in range(len(order)))
    text = f"""
def formula({arguments}):
    parts = computed({arguments})
    return parts[0], parts[1:], parts[1:]
"""
    meanings: dict[str, Any] = {"computed": parts}
    exec(compile(text, "<formula>", "exec"), meanings)
    return meanings["formula"]
