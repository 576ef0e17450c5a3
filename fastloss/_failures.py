"""Says what is wrong with the values of a call, the same for every backend and thread count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._plan import Plan

__all__ = ["failure"]

# Units looked at together.
_CHUNK = 1 << 18


def failure(plan: Plan) -> Exception:
    """The error of a call whose values were refused.

    Class indices come first, then weights, then the inputs' domains; of each the lowest unit.
    """
    for find in (_bad_label, _bad_weight, _bad_input):
        message = find(plan)
        if message:
            return ValueError(message)
    return RuntimeError("an input changed while the call ran")


def _chunks(plan: Plan) -> Iterator[tuple[Any, ...]]:
    for begin in range(0, plan.units, _CHUNK):
        flat = np.arange(begin, min(begin + _CHUNK, plan.units))
        yield np.unravel_index(flat, plan.shape) if plan.shape else ()


def _where(name: str, index: tuple[Any, ...], scalar: bool) -> str:
    if scalar or not index:
        return name
    return f"{name}[{', '.join(str(int(i)) for i in index)}]"


def _first(bad: np.ndarray) -> tuple[int, ...] | None:
    if not bad.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _ignored(plan: Plan, labels: np.ndarray) -> np.ndarray:
    ignore: Any = getattr(plan.loss, "ignore_index", None)
    return labels == ignore if ignore is not None else np.zeros(labels.shape, bool)


def _no_class(plan: Plan, labels: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        fraction = labels != np.floor(labels) if labels.dtype.kind == "f" else False
        return (fraction | ~((labels >= 0) & (labels < plan.classes))) & ~_ignored(plan, labels)


def _numeric(array: Any) -> np.ndarray:
    array = np.atleast_1d(array)
    return array if array.dtype.kind in "biuf" else array.astype(np.float32)


def _bad_label(plan: Plan) -> str | None:
    if not plan.labels:
        return None
    for index in _chunks(plan):
        labels = _numeric(plan.arrays["target"][index])
        if first := _first(_no_class(plan, labels)):
            value = labels[first]
            at = _where("target", tuple(i[first[0]] for i in index), plan.given["target"].ndim == 0)
            hint = ""
            if value == np.floor(value) and value < 0:
                hint = f"; to leave such rows out use ignore_index={int(value)}"
            return f"{at} is {value.item()!r}, not a class index from 0 to {plan.classes - 1}{hint}"
    return None


def _bad_weight(plan: Plan) -> str | None:
    if plan.weight is None:
        return None
    for index in _chunks(plan):
        weight = _numeric(plan.weight[index]).astype(np.float64)
        if first := _first(~((weight >= 0) & (weight < np.inf))):
            at = _where("weight", tuple(i[first[0]] for i in index), plan.given["weight"].ndim == 0)
            return f"{at} is {weight[first].item()!r}; weights must be finite and >= 0"
    return None


def _classes_count(plan: Plan, index: tuple[Any, ...]) -> Any:
    """Whether the class weights of each row's target leave it any weight."""
    weights: Any = getattr(plan.loss, "class_weight", None)
    if weights is None:
        return True
    target = _numeric(plan.arrays["target"][index])
    if plan.labels:
        shown = ~_ignored(plan, target)
        return np.asarray(weights)[np.where(shown, target, 0).astype(np.int64)] != 0
    target = target.reshape(-1, plan.classes)
    return (target * (np.asarray(weights) != 0) > 0).any(axis=1)


def _bad_input(plan: Plan) -> str | None:
    names = [n for n in plan.loss.inputs if plan.domain_of(n) is not None]
    for index in _chunks(plan):
        used = np.ones(len(index[0]) if index else 1, bool)
        if plan.weight is not None:
            used &= _numeric(plan.weight[index]) != 0
        if plan.labels:
            used &= ~_ignored(plan, _numeric(plan.arrays["target"][index]))
        found = []
        for order, name in enumerate(names):
            values = plan.arrays[name][index].astype(plan.dtype)
            if not index:
                values = values[np.newaxis]
            bad = plan.domain_of(name).outside(values)
            counts = used & _classes_count(plan, index) if name == "prediction" else used
            bad &= counts.reshape(-1, *(1,) * (bad.ndim - 1))
            if first := _first(bad):
                found.append((first[0], order, name, first, values[first].item()))
        if found:
            unit, _, name, first, value = min(found)
            at = _where(name, (*(i[unit] for i in index), *first[1:]), plan.given[name].ndim == 0)
            return (
                f"{at} is {value!r}, outside its domain: {name} must be "
                f"{plan.domain_of(name).text}{_swapped(plan)}{_unspecified(plan)}"
            )
    return None


def _swapped(plan: Plan) -> str:
    if plan.rows or plan.given["prediction"].shape != plan.given["target"].shape:
        return ""
    domains = dict(zip(plan.loss.inputs, plan.loss.domains(), strict=True))
    if domains["prediction"].outside(plan.given["target"]).any():
        return ""
    if domains["target"].outside(plan.given["prediction"]).any():
        return ""
    return "; are prediction and target swapped?"


def _unspecified(plan: Plan) -> str:
    if not plan.wrote_to or plan.in_place:
        return ""
    return f"; {' and '.join(plan.wrote_to)} may have been written in part"
