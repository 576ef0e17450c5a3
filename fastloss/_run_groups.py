"""Runs losses of groups: what the drivers of groups have in common."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ._failures import refused
from ._messages import at
from ._native import core
from ._plan import Plan

__all__ = ["GroupCall", "check_backend", "run"]


@dataclasses.dataclass
class GroupCall:
    """A call whose values were checked: contiguous arrays of the compute dtype.

    Attributes
    ----------
    plan : Plan
    prediction, target, event : ndarray
        Of the compute dtype; ``event`` may be None.
    weight : ndarray or None
        Of the elements, float64; 0 is absent. Where groups are the unit nothing but 0 and 1.
    group_weight : ndarray or None
    value_out, grad_out, hess_out : ndarray or None
        Of the compute dtype.
    """

    plan: Plan
    prediction: np.ndarray
    target: np.ndarray
    event: np.ndarray | None
    weight: np.ndarray | None
    group_weight: np.ndarray | None
    value_out: np.ndarray | None
    grad_out: np.ndarray | None
    hess_out: np.ndarray | None


def run(plan: Plan, backend: str) -> float | None:
    """The reduced value, or None where values of the inputs are refused."""
    check_backend(plan, backend)
    with np.errstate(all="ignore"):
        weight, group_weight = _weights(plan)
    plan.weight = weight
    if refused(plan):
        return None
    first = [out[0] if out else None for out in (plan.grad_out, plan.hess_out)]
    outs = dict(zip(("value_out", "grad_out", "hess_out"), (plan.value_out, *first), strict=True))
    written = {name: _writable(out, plan.dtype) for name, out in outs.items()}
    inputs = {name: _contiguous(plan.arrays.get(name), plan.dtype) for name in _INPUTS}
    float64 = np.dtype(np.float64)
    call = GroupCall(
        plan,
        weight=_contiguous(weight, float64),
        group_weight=_contiguous(group_weight, float64),
        **inputs,
        **written,
    )
    value = _run(call, backend)
    for name, out in outs.items():
        if out is not None and out is not written[name]:
            with np.errstate(all="ignore"):
                out[...] = written[name]
    return value


def check_backend(plan: Plan, backend: str) -> None:
    """Raises where a backend has no drivers of groups."""
    if backend == "numba":
        raise NotImplementedError(
            f"the backend 'numba' has no driver for {plan.loss.name}, a loss of groups; "
            "the backends 'native' and 'numpy' have"
        )


_INPUTS = ("prediction", "target", "event")


def _run(call: GroupCall, backend: str) -> float:
    if backend == "numpy":
        from . import _plain_groups

        return _plain_groups.run(call)
    value: float = core.run_groups(call)
    return value


def _contiguous(array: np.ndarray | None, dtype: np.dtype[Any]) -> Any:
    return None if array is None else np.ascontiguousarray(array, dtype)


def _writable(out: np.ndarray | None, dtype: np.dtype[Any]) -> Any:
    """The array itself where it can be written to at once."""
    if out is None:
        return None
    fits = out.dtype == dtype and out.flags.c_contiguous
    return out if fits else np.empty(out.shape, dtype)


def _weights(plan: Plan) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The weights of elements and of groups, checked."""
    groups: Any = plan.groups
    weight = plan.weight
    if groups.weight is not None:
        of_groups = _checked(plan, groups.weight)
        here = of_groups != 0
        return None if here.all() else np.repeat(here, np.diff(groups.offsets)), of_groups
    if weight is None:
        return None, None
    weight = _checked(plan, weight)
    if groups.unit != "group" or not weight.size:
        return weight, None
    of_groups = np.maximum.reduceat(weight, groups.offsets[:-1])
    here = weight != 0
    uneven = here & (weight != np.repeat(of_groups, np.diff(groups.offsets)))
    if uneven.any():
        _raise_uneven(plan, weight, int(np.argmax(uneven)))
    return None if here.all() else here, of_groups


def _checked(plan: Plan, weight: np.ndarray) -> np.ndarray:
    bad = ~((weight >= 0) & (weight < np.inf))
    if bad.any():
        first = int(np.argmax(bad))
        index = () if plan.given["weight"].ndim == 0 else (first,)
        raise ValueError(
            f"{at('weight', index)} is {weight[first]!s}; weights must be finite and >= 0"
        )
    return weight.astype(np.float64)


def _raise_uneven(plan: Plan, weight: np.ndarray, first: int) -> None:
    groups: Any = plan.groups
    group = int(np.searchsorted(groups.offsets, first, side="right")) - 1
    begin, end = groups.offsets[group], groups.offsets[group + 1]
    other = int(begin) + int(np.argmax(weight[begin:end]))
    raise ValueError(
        f"weight[{first}] is {weight[first]!s}, but weight[{other}] of the same group is "
        f"{weight[other]!s}: elements of a group of {plan.loss.name} weigh the same, or 0 to be "
        "absent"
    )
