"""Which losses to look at: every loss of the registry, with its parameters' values."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable
from typing import Any

import fastloss as fl

__all__ = [
    "all_variants",
    "each_kernel",
    "extreme_variants",
    "group_losses",
    "name_of",
    "plain_variants",
    "target_kinds",
    "unit_losses",
    "variants",
    "weighs",
    "with_kinds",
]


def unit_losses() -> list[str]:
    """The losses of elements or rows, which stand each for itself."""
    return [name for name in fl.losses() if not isinstance(fl.get(name), fl.GroupLoss)]


def group_losses() -> list[str]:
    """The losses of groups, whose elements matter to each other."""
    return [name for name in fl.losses() if isinstance(fl.get(name), fl.GroupLoss)]


def variants(name: str) -> list[fl.Loss]:
    """The losses of a registry name: the defaults, then each parameter's examples.

    And pairs of these that have a kernel of their own.
    """
    default = fl.get(name)
    found = [default, *_changed(default, "examples")]
    changes = [{p: v} for p, known in default._parameters.items() for v in known.examples]
    for one, other in itertools.combinations(changes, 2):
        with contextlib.suppress(ValueError):
            loss = default.replace(**{**one, **other})
            if loss.kernel not in {known.kernel for known in found}:
                found.append(loss)
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
    """The variants of all losses of units."""
    return [loss for name in unit_losses() for loss in variants(name)]


def plain_variants() -> list[fl.Loss]:
    """Those whose units all weigh 1: the ones that error bounds speak of."""
    return [loss for loss in all_variants() if not weighs(loss)]


def weighs(loss: fl.Loss) -> bool:
    """Whether the loss itself weighs its units."""
    if not isinstance(loss, fl.RowLoss):
        return False
    return loss.class_weight is not None or loss.ignore_index is not None


def target_kinds(loss: fl.Loss) -> tuple[str, ...]:
    """What targets may be: ``"values"``; for rows some of ``"labels"``, ``"distribution"`` and
    ``"numbers"``.
    """
    if not isinstance(loss, fl.RowLoss):
        return ("values",)
    # class indices alone can be ignored
    distribution = loss.takes_distributions and loss.ignore_index is None
    takes = {
        "labels": loss.takes_labels,
        "distribution": distribution,
        "numbers": loss.takes_numbers,
    }
    return tuple(kind for kind, taken in takes.items() if taken)


def with_kinds(losses: Iterable[fl.Loss]) -> list[tuple[fl.Loss, str]]:
    """Each loss with each kind of its targets."""
    return [(loss, kind) for loss in losses for kind in target_kinds(loss)]


def each_kernel() -> list[tuple[fl.Loss, str]]:
    """A loss for each kernel and kind of target, with and without weights of its own."""
    found: dict[Any, tuple[fl.Loss, str]] = {}
    for loss, kind in with_kinds(all_variants()):
        found.setdefault((loss.kernel, kind, weighs(loss)), (loss, kind))
    return list(found.values())


def name_of(thing: Any) -> str:
    """How a loss, a (loss, kind) pair or a (backend, instruction set) pair is called."""
    if isinstance(thing, tuple):
        return "-".join(str(part) for part in thing if part not in (None, "values"))
    return str(thing)
