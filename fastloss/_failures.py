"""Says what is wrong with the values of a call, the same for every backend and thread count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._messages import at
from ._plan import Plan
from ._units import Units, parts

__all__ = ["failure", "refused", "wrong_units"]


def failure(plan: Plan) -> Exception:
    """The error of a call whose values were refused."""
    found = refused(plan)
    if found is None:
        return RuntimeError("an input changed while the call ran")
    name, message = found
    return ValueError(f"{message}{_swapped(plan, name)}{_unspecified(plan, name)}")


def refused(plan: Plan) -> tuple[str, str] | None:
    """The argument whose values are wrong and what is wrong, or None.

    Class indices come first, then weights, then the inputs' domains and order; of each the lowest
    unit.
    """
    with np.errstate(all="ignore"):
        return _bad_label(plan) or _bad_weight(plan) or _bad_input(plan)


def wrong_units(plan: Plan) -> np.ndarray:
    """Which units hold a value that is refused, in C order."""
    with np.errstate(all="ignore"):
        return np.concatenate([np.empty(0, bool), *map(_wrong, parts(plan))])


def _wrong(units: Units) -> np.ndarray:
    plan = units.plan
    wrong = _wrong_weights(units)
    if plan.labels:
        labels = _wrong_labels(units, plan.loss.label_count(plan.classes))  # type: ignore[attr-defined]
        wrong |= labels
        if wrong.any():  # whose classes weigh nothing that could be looked up
            return wrong
    for name in plan.loss.inputs:
        if plan.domain_of(name) is not None:
            wrong |= _outside_domain(units, name).reshape(units.count, -1).any(axis=1)
    return wrong | _wrong_order(units) if plan.loss.ordered else wrong


def _first(bad: np.ndarray) -> tuple[int, ...] | None:
    if not bad.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _where(units: Units, name: str, first: tuple[int, ...]) -> str:
    """The argument's element as one would write it; first is its place among the units."""
    plan = units.plan
    if plan.given[name].ndim == 0:
        return name
    unit = np.unravel_index(units.begin + first[0], plan.shape)
    return at(name, [*unit, *first[1:]])


def _bad_label(plan: Plan) -> tuple[str, str] | None:
    if not plan.labels:
        return None
    count = plan.loss.label_count(plan.classes)  # type: ignore[attr-defined]
    for units in parts(plan):
        if first := _first(_wrong_labels(units, count)):
            label = units.labels[first]
            message = (
                f"{_where(units, 'target', first)} is {label!s}, not a class index from 0 to "
                f"{count - 1}"
            )
            if label < 0 and float(label).is_integer():
                message += f"; to leave such rows out use ignore_index={int(label)}"
            return "target", message
    return None


def _wrong_labels(units: Units, count: int) -> np.ndarray:
    labels = units.labels
    valid = (labels >= 0) & (labels < count) & (labels == np.floor(labels))
    return ~(valid | units.absent)


def _bad_weight(plan: Plan) -> tuple[str, str] | None:
    if plan.weight is None:
        return None
    for units in parts(plan):
        if first := _first(_wrong_weights(units)):
            where, value = _where(units, "weight", first), units.of(plan.weight)[first]
            return "weight", f"{where} is {value!s}; weights must be finite and >= 0"
    return None


def _wrong_weights(units: Units) -> np.ndarray:
    weight = units.given_weight
    return np.asarray(~((weight >= 0) & (weight < np.inf)))


def _bad_input(plan: Plan) -> tuple[str, str] | None:
    names = [name for name in plan.loss.inputs if plan.domain_of(name) is not None]
    ordered = plan.loss.ordered
    for units in parts(plan) if names or ordered else ():
        found = []
        for order, name in enumerate(names):
            if first := _first(_outside_domain(units, name)):
                found.append((first[0], order, name, first))
        if ordered and (first := _first(_wrong_order(units))):
            found.append((first[0], len(names), " and ".join(ordered), first))
        if found:
            _, _, name, first = min(found)
            return name, _outside(units, name, first) if name in names else _above(units, first)
    return None


def _outside_domain(units: Units, name: str) -> np.ndarray:
    bad = units.plan.domain_of(name).outside(units.input(name))
    # a distribution is checked before it can weigh its row
    counts = (units.given_weight if name == "target" else units.weight) != 0
    return np.asarray(bad & counts.reshape(-1, *(1,) * (bad.ndim - 1)))


def _wrong_order(units: Units) -> np.ndarray:
    low, high = units.plan.loss.ordered
    return np.asarray((units.input(low) > units.input(high)) & (units.weight != 0))


def _value(units: Units, name: str, first: tuple[int, ...]) -> str:
    return f"{units.of(units.plan.arrays[name])[first]!s}"


def _outside(units: Units, name: str, first: tuple[int, ...]) -> str:
    where, value = _where(units, name, first), _value(units, name, first)
    wanted = units.plan.domain_of(name).text
    return f"{where} is {value}, outside its domain: {name} must be {wanted}"


def _above(units: Units, first: tuple[int, ...]) -> str:
    low, high = units.plan.loss.ordered
    where, value = _where(units, high, first), _value(units, high, first)
    return (
        f"{where} is {value}, below {_where(units, low, first)}, which is "
        f"{_value(units, low, first)}"
    )


def _swapped(plan: Plan, name: str) -> str:
    """A hint where the inputs would lie in their domains the other way round."""
    prediction, target = plan.given["prediction"], plan.given["target"]
    if plan.rows or name not in plan.loss.inputs or prediction.shape != target.shape:
        return ""
    domains: dict[str, Any] = dict(zip(plan.loss.inputs, plan.loss.domains(), strict=True))
    if domains["prediction"].outside(target).any() or domains["target"].outside(prediction).any():
        return ""
    return "; are prediction and target swapped?"


def _unspecified(plan: Plan, name: str) -> str:
    """A warning where the error was found during the pass that writes."""
    scanned = plan.labels or (plan.reduction == "mean" and plan.normalizer is None)
    if not plan.wrote_to or plan.in_place or (name == "weight" and scanned):
        return ""
    if name == "target" and plan.labels:
        return ""
    return f"; {' and '.join(plan.wrote_to)} may have been written in part"
