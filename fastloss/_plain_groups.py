"""The plain drivers of groups: scalar functions on NumPy arrays, in float64, one group at a time.

They are the reference, and what runs where the compiled core is missing. They name no loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ._plain import row_outputs
from ._plan import VALUE
from ._run_groups import GroupCall
from .vocabulary import two_product

__all__ = ["run"]

_Outputs = tuple[Any, np.ndarray, np.ndarray, np.ndarray]
"""Value, gradient and Hessian of a group, and the value of each of its elements."""


def run(call: GroupCall) -> float:
    """The reduced value; writes the outputs."""
    with np.errstate(all="ignore"):
        members = [_Members(call, group) for group in range(_groups(call).count)]
        divisor = _divisor(call, members)
        total = [_evaluate(one, divisor) for one in members]
    summed = _sum(total)
    return summed / divisor if divisor else math.nan


def _groups(call: GroupCall) -> Any:
    return call.plan.groups


def _sum(x: list[float]) -> float:
    return math.fsum(x) if np.isfinite(x).all() else float(np.sum(x))


class _Members:
    """The elements of a group that count, in the order that the loss asks for."""

    def __init__(self, call: GroupCall, group: int) -> None:
        offsets = _groups(call).offsets
        self.call = call
        self.group = group
        self.all = np.arange(offsets[group], offsets[group + 1])
        self.weight_of_group = 1.0 if call.group_weight is None else call.group_weight[group]
        here = self.all if call.weight is None else self.all[call.weight[self.all] != 0]
        if not self.weight_of_group:
            here = here[:0]
        self.at = here[_order(call.plan.loss, call.prediction[here], call.target[here])]
        self.prediction = call.prediction[self.at].astype(np.float64)
        self.target = call.target[self.at].astype(np.float64)
        ones = np.ones(self.at.size)
        self.event = ones if call.event is None else call.event[self.at].astype(np.float64)
        weighs = call.weight is not None and call.plan.loss.unit != "group"
        self.weight = call.weight[self.at] if weighs else ones  # type: ignore[index]

    def units(self) -> float:
        """What its units weigh together."""
        unit = self.call.plan.loss.unit
        if unit == "group":
            return self.weight_of_group if self.at.size else 0.0
        if unit == "event":
            return _sum((self.weight * self.event).tolist())
        weights = [self.weight[i] * np.sum(self.weight[self.target[i] > self.target])
                   for i in range(self.at.size)]  # fmt: skip
        return self.weight_of_group * _sum(weights)


def _order(loss: Any, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    if loss.order == "given":
        return np.arange(target.size)
    kind, _, direction = loss.order.partition(" ")
    key = prediction if kind == "prediction" else target
    return np.argsort(-key if direction == "down" else key, kind="stable")


def _divisor(call: GroupCall, members: list[_Members]) -> float:
    if call.plan.reduction != "mean":
        return 1.0
    if call.plan.normalizer is not None:
        return call.plan.normalizer
    return _sum([one.units() for one in members])


def _evaluate(members: _Members, divisor: float) -> float:
    """Writes the group's outputs; its part of the sum."""
    call, plan = members.call, members.call.plan
    n, weight = members.at.size, members.weight_of_group
    if np.isnan(members.target).any() or np.isnan(members.event).any():
        unknown = np.full(n, np.nan)
        found: _Outputs = (np.nan, unknown, unknown, unknown)
    elif n:
        found = _DRIVERS[plan.loss.schema](members)
    else:
        found = (0.0, np.empty(0), np.empty(0), np.empty(0))
    value, grad, hess, values = found
    factor = weight / divisor if divisor else 0.0
    for out, result in ((call.grad_out, grad), (call.hess_out, hess)):
        if out is not None:
            out[members.all] = 0.0
            out[members.at] = result * factor if factor else 0.0
    total = float(value * weight) if n else 0.0
    if call.value_out is not None:
        if plan.loss.unit == "event":
            call.value_out[members.all] = 0.0
            call.value_out[members.at] = values
        else:
            call.value_out[members.group] = total
    return total if plan.outputs & VALUE else 0.0


def _parameters(plan: Any) -> list[np.float64]:
    return [np.float64(plan.dtype.type(x)) for x in plan.loss.kernel_parameters()]


# ---- pairs


def _pairs(members: _Members) -> _Outputs:
    plan = members.call.plan
    loss: Any = plan.loss
    parameters = _parameters(plan)
    z, y, n = members.prediction, members.target, members.at.size
    weigh = _ranked(members, parameters) if loss.order == "prediction down" else None
    most = n if loss.most_ranks is None else min(n, loss.most_ranks)
    grad, hess = np.zeros(n, np.longdouble), np.zeros(n, np.longdouble)
    value = total = np.longdouble(0)
    for i in range(most):
        others = np.arange(i + 1, n)
        others = others[y[others] != y[i]]
        first = y[i] > y[others]
        better, worse = np.where(first, z[i], z[others]), np.where(first, z[others], z[i])
        parts = loss.scalars.formula(better, worse, *parameters)
        weight = members.weight[i] * members.weight[others]
        if weigh is not None:
            weight = weigh(i, others, better - worse)
        v, g, h = (np.asarray(weight * x, np.longdouble) for x in parts)
        value, total = value + v.sum(), total - g.sum()
        signed = np.where(first, g, -g)
        grad[i] += signed.sum()
        grad[others] -= signed
        hess[i] += h.sum()
        hess[others] += h
    if weigh is not None:
        factor = loss.scalars.rescale(np.float64(total), *parameters)
        value, grad, hess = value * factor, grad * factor, hess * factor
    return value, grad.astype(np.float64), hess.astype(np.float64), grad


def _ranked(members: _Members, parameters: list[np.float64]) -> Callable[..., Any]:
    """The weights of an element's pairs with others, by gains and ranks."""
    loss: Any = members.call.plan.loss
    scalars, z = loss.scalars, members.prediction
    n = z.size
    steps = scalars.step(np.arange(n - 1, dtype=np.float64), *parameters)
    sums = np.cumsum(np.append(np.longdouble(1), steps))
    high = sums.astype(np.float64)
    discount, low = scalars.discount(high, (sums - high).astype(np.float64), *parameters)
    best = np.sort(members.target)[::-1][: loss.most_ranks]
    total = np.sum(scalars.gain(best, *parameters) * discount[: best.size])
    gain = scalars.gain(members.target, *parameters) * (1 / total if total > 0 else 0.0)
    apart = np.float64(z[0] != z[-1])

    def weigh(i: int, others: np.ndarray, gap: np.ndarray) -> Any:
        gains = gain[i] - gain[others]
        discounts = (discount[i] - discount[others]) + (low[i] - low[others])
        return scalars.weigh(gains, discounts, gap, apart, *parameters)

    return weigh


# ---- a group as a row


def _list(members: _Members) -> _Outputs:
    plan = members.call.plan
    loss: Any = plan.loss
    q = members.target
    share = 1.0
    if loss.normalized:
        mass = _sum(q.tolist())
        share = 1 / mass if mass else 0.0
    if not share:
        zeros = np.zeros(q.size)
        return 0.0, zeros, zeros, zeros
    row = members.prediction[np.newaxis], q[np.newaxis]
    value, (grad,), (hess,) = row_outputs(loss, *row, row, [])
    return value[0] * share, grad[0] * share, hess[0] * share, grad[0]


# ---- scans


def _scan(members: _Members) -> _Outputs:
    loss: Any = members.call.plan.loss
    scalars = loss.scalars
    z, weight, event, n = members.prediction, members.weight, members.event, members.at.size
    ties = loss.joins_ties
    new = np.array([i == 0 or not ties or members.target[i] != members.target[i - 1]
                    for i in range(n)])  # fmt: skip
    begins = np.flatnonzero(new)
    ends = np.append(begins[1:], n)
    known = np.where(np.isnan(z), -np.inf, z)
    units = np.maximum.accumulate(np.maximum.reduceat(known, begins)[::-1])[::-1]
    unit = np.repeat(units, ends - begins)
    mass = _times((weight, 0.0), scalars.mass(z, unit))
    terms = _terms(scalars, z, units, mass, event, begins, ends)
    grad, hess, values = np.zeros(n), np.zeros(n), np.zeros(n)
    slope = curve = (np.float64(0), np.float64(0))
    for k, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        if k and units[k] != units[k - 1]:
            ratio = scalars.mass(units[k], units[k - 1])
            slope, curve = _times(slope, ratio), _times(curve, _times(ratio, ratio))
        here = np.arange(begin, end)
        own = here[event[here] != 0]
        each = np.sum(weight[own]) / max(own.size, 1)
        slope_left, curve_left = slope, curve
        logs = (np.float64(0), np.float64(0))
        for log, inverse, left in terms[k]:
            weighted, part = _times((each, 0.0), inverse), _times((left, 0.0), inverse)
            of_part = _times((each, 0.0), part)
            slope, curve = _plus(slope, weighted), _plus(curve, _times(weighted, inverse))
            slope_left = _plus(slope_left, of_part)
            curve_left = _plus(curve_left, _times(of_part, part))
            logs = _plus(logs, log)
        for i in here:
            is_event = event[i] != 0
            sums = (slope_left, curve_left) if is_event else (slope, curve)
            of_own = weight[i] if is_event else np.float64(0)
            grad[i], hess[i] = scalars.emit((mass[0][i], mass[1][i]), *sums, of_own)
            if is_event:
                mean = _times(logs, (1 / np.float64(own.size), 0.0))
                values[i] = weight[i] * _plus(mean, scalars.gap(z[i], units[k]))[0]
    return _sum(values.tolist()), grad, hess, values


def _terms(
    scalars: Any, z: Any, units: Any, mass: Any, event: Any, begins: Any, ends: Any
) -> list[list[Any]]:
    """The terms of each tie's events, with what is left of the tie's masses."""
    total = (np.float64(0), np.float64(0))
    found: list[list[Any]] = [[] for _ in begins]
    tops = 0
    for k in range(begins.size - 1, -1, -1):
        if k + 1 < begins.size and units[k] != units[k + 1]:
            total, tops = _times(total, scalars.mass(units[k + 1], units[k])), 0
        tied = (np.float64(0), np.float64(0))
        events = 0
        for i in range(ends[k] - 1, begins[k] - 1, -1):
            one = mass[0][i], mass[1][i]
            tops += z[i] == units[k]
            if event[i] != 0:
                tied, events = _plus(tied, one), events + 1
            else:
                total = _plus(total, one)
        # several infinite maxima have no limit
        undefined = tops > 1 and not np.isfinite(units[k])
        rest = (np.float64(np.nan), np.float64(0)) if undefined else total
        for l in range(events):
            left = scalars.left(np.float64(l), np.float64(events))
            log, inverse = scalars.term(rest, tied, left)
            found[k].append((log, inverse, left))
        total = _plus(total, tied)
    return found


def _normal(high: Any, low: Any) -> tuple[Any, Any]:
    """The sum of both with the largest high word; an infinite or NaN one stands alone."""
    total = high + low
    finite = np.isfinite(low) & np.isfinite(total)
    return np.where(finite, total, high)[()], np.where(finite, (high - total) + low, 0.0)[()]


def _plus(a: Any, b: Any) -> tuple[Any, Any]:
    high = a[0] + b[0]
    part = high - a[0]
    return _normal(high, ((a[0] - (high - part)) + (b[0] - part)) + (a[1] + b[1]))


def _times(a: Any, b: Any) -> tuple[Any, Any]:
    high, low = two_product(a[0], b[0])
    return _normal(high, low + (a[0] * b[1] + a[1] * b[0]))


_DRIVERS: dict[str, Callable[[_Members], _Outputs]] = {
    "pair": _pairs,
    "list": _list,
    "scan": _scan,
}
