"""Which losses to look at: every loss of the registry, with its parameters' values."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable
from typing import Any

import fastloss as fl

__all__ = [
    "all_variants",
    "extreme_variants",
    "name_of",
    "plain_variants",
    "target_kinds",
    "variants",
    "weighs",
    "with_kinds",
]


def variants(name: str) -> list[fl.Loss]:
    """The losses of a registry name: the defaults, each parameter's examples, all kernels."""
    default = fl.get(name)
    found = [default, *_changed(default, "examples")]
    kernels = {loss.kernel for loss in found}
    for one, other in itertools.combinations(found[1:], 2):  # some kernels need two parameters
        with contextlib.suppress(ValueError):
            both = one.replace(**{p: x for p, x in other.params.items() if x != default.params[p]})
            if both.kernel not in kernels:
                kernels.add(both.kernel)
                found.append(both)
    return found


def extreme_variants(name: str) -> list[fl.Loss]:
    """The losses of a registry name with a parameter near an end of its domain."""
    return _changed(fl.get(name), "extremes")


def _changed(default: fl.Loss, values: str) -> list[fl.Loss]:
    return [
        _with(default, name, value)
        for name, parameter in default._parameters.items()
        for value in getattr(parameter, values)
        if value != parameter.default
    ]


def _with(default: fl.Loss, name: str, value: Any) -> fl.Loss:
    """The loss with one parameter changed, and others where it needs them."""
    parameters = default._parameters
    others = ({p: v} for p in parameters if p != name for v in parameters[p].examples)
    for extra in ({}, *others):
        with contextlib.suppress(ValueError):
            return default.replace(**{name: value}, **extra)
    raise AssertionError(f"no valid {default.name} has {name}={value!r}")


def all_variants() -> list[fl.Loss]:
    """The variants of all losses."""
    return [loss for name in fl.losses() for loss in variants(name)]


def plain_variants() -> list[fl.Loss]:
    """Those whose units all weigh 1: the ones that error bounds speak of."""
    return [loss for loss in all_variants() if not weighs(loss)]


def weighs(loss: fl.Loss) -> bool:
    """Whether the loss itself weighs its units."""
    if not isinstance(loss, fl.RowLoss):
        return False
    return loss.class_weight is not None or loss.ignore_index is not None


def target_kinds(loss: fl.Loss) -> tuple[str, ...]:
    """What targets may be: ``"values"``, or for rows ``"labels"`` and ``"distribution"``."""
    if not isinstance(loss, fl.RowLoss):
        return ("values",)
    kinds = ("labels",) if loss.takes_labels else ()
    # class indices alone can be ignored
    return kinds if loss.ignore_index is not None else (*kinds, "distribution")


def with_kinds(losses: Iterable[fl.Loss]) -> list[tuple[fl.Loss, str]]:
    """Each loss with each kind of its targets."""
    return [(loss, kind) for loss in losses for kind in target_kinds(loss)]


def name_of(thing: Any) -> str:
    """How a loss, a (loss, kind) pair or a (backend, instruction set) pair is called."""
    if isinstance(thing, tuple):
        return "-".join(str(part) for part in thing if part not in (None, "values"))
    return str(thing)
