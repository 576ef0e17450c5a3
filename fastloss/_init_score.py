"""The best constant prediction. Asks a loss for properties, never for its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._failures import refused
from ._inputs import as_array, check_index_agreement
from ._links import LINKS
from ._messages import at
from ._plan import VALUE, Plan, check_classes, make_plan
from ._units import parts

__all__ = ["init_score"]

# A label beyond is a mistake that memory would pay for.
_MOST_CLASSES = 2**24
# Where a loss that is not convex is looked at first: so many of each kind.
_PLACES = 129
# Halvings of an interval of doubles until its ends are neighbours.
_HALVINGS = 1100


def init_score(loss: Any, target: Any, weight: Any = None) -> Any:
    """The constant prediction that minimises a loss; see :meth:`fastloss.Loss.init_score`."""
    if len(loss.inputs) > 2:
        raise TypeError(f"{loss.name} has extra inputs, which no constant prediction fits")
    rows = loss.schema == "row"
    numbers = rows and loss.takes_numbers
    if loss.optimum == "none" or (rows and loss.optimum != ("quantile" if numbers else "mean")):
        raise TypeError(f"{loss.name} has no formula for its best constant prediction")
    check_index_agreement({"target": target, "weight": weight})
    y = as_array(target, "target")
    y = y.ravel().reshape(y.shape)  # a view of more elements than memory holds ends here
    with np.errstate(all="ignore"):
        if rows and not numbers:
            return loss.mean_to_score(_class_means(loss, y, weight))
        plan = _plan(loss, (*y.shape, len(loss.columns)) if numbers else y.shape, y, weight)
        _check(plan)
        y, w = _used(plan)
        if loss.optimum == "mean":
            return float(loss.mean_to_score(np.average(y, weights=w)))
        if numbers:
            return np.array([_quantile(y, w, level) for level in loss.columns])
        if loss.optimum == "quantile":
            return _quantile(y, w, getattr(loss, "quantile", 0.5))
        return _solve(loss, y, w)


def _plan(loss: Any, shape: tuple[int, ...], y: np.ndarray, weight: Any) -> Plan:
    """A call with these targets and weights, whose values are still to be checked."""
    domain = loss.domains()[0]
    prediction = np.broadcast_to(np.clip(0.0, domain.low, domain.high), shape)
    return make_plan(
        loss, VALUE, prediction, y, weight, "sum", None, None, None, None, None, {}
    )  # fmt: skip


def _check(plan: Plan) -> None:
    found = refused(plan)
    if found:
        raise ValueError(found[1])


def _used(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Targets and weights of the units that count."""
    y = np.concatenate([np.empty(0), *(units.input("target") for units in parts(plan))])
    w = np.concatenate([np.empty(0), *(units.weight for units in parts(plan))])
    used = w != 0
    if not used.any():
        raise ValueError("target has no element that counts")
    return y[used], w[used]


def _class_means(loss: Any, y: np.ndarray, weight: Any) -> np.ndarray:
    """The mean of all rows' target masses, weighted and smoothed."""
    if loss.takes_labels and (y.ndim < 2 or y.dtype.kind in "biu"):
        known = loss.class_weight
        classes = 1 if known is None else loss.class_count(len(known))
        plan = _plan(loss, (*y.shape, classes), y, weight)
        total = _zeros(plan) if known is None else np.zeros(len(known))
        plan.classes = max(1, loss.class_count(total.size))
    else:
        check_classes("target", y)
        plan = _plan(loss, y.shape, y, weight)
        total = np.zeros(plan.classes)
    _check(plan)
    for units in parts(plan):
        if plan.labels:
            np.add.at(total, units.classes, units.weight)
        else:
            used = units.weight != 0
            total += units.weight[used] @ units.input("target")[used]
    if not total.sum() > 0:
        raise ValueError("target has no row that counts")
    mean = total / total.sum()
    if loss.between_labels:  # the mass of the labels above
        return np.asarray(np.minimum(np.cumsum(mean[::-1])[-2::-1], 1.0))
    return np.asarray((1 - loss.label_smoothing) * mean + loss.label_smoothing / mean.size)


def _zeros(plan: Plan) -> np.ndarray:
    """A zero for each class up to the largest index."""
    largest, unit = 0, 0
    for units in parts(plan):
        labels = np.where(units.absent | ~(units.labels < np.inf), 0, units.labels)
        if labels.max() > largest:
            largest, unit = labels.max(), units.begin + int(np.argmax(labels))
    if largest >= _MOST_CLASSES:
        where = at("target", np.unravel_index(unit, plan.shape))
        raise ValueError(
            f"{where} is {largest!s}, but labels alone tell of at most {_MOST_CLASSES} classes; "
            "give class_weight for more"
        )
    return np.zeros(int(largest) + 1)


def _quantile(y: np.ndarray, w: np.ndarray, level: float) -> float:
    """The middle of all weighted quantiles of a level."""
    order = np.argsort(y, kind="stable")
    y, total = y[order], np.cumsum(w[order])
    if np.isnan(y[-1]):
        return float(y[-1])
    below = level * total[-1]
    first = min(int(np.searchsorted(total, below, side="left")), y.size - 1)
    last = min(int(np.searchsorted(total, below, side="right")), y.size - 1)
    return float(y[first] if y[first] == y[last] else y[first] / 2 + y[last] / 2)


def _solve(loss: Any, y: np.ndarray, w: np.ndarray) -> float:
    """A minimum, by bisection: the only one of a convex loss, else the lowest that is found."""
    if np.isnan(y).any():
        return float("nan")
    convex = getattr(loss, "convex", False)  # a loss of the user's may not say it

    constant = np.empty_like(y)

    def at(z: float) -> tuple[float, float]:
        """The total and its slope."""
        constant.fill(z)
        value, grad = loss.value_and_grad(constant, y, w, reduction="sum", grad_out=constant)
        return value, float(np.sum(grad))

    places = _places(loss, y, convex)
    totals = np.array([at(z)[0] for z in places])
    lowest = int(np.argmin(np.where(np.isnan(totals), np.inf, totals)))
    start = float(places[lowest])
    total, slope = at(start)
    if slope == 0:
        return start
    way = -1 if slope > 0 else 1
    # rounding makes no hill
    hill = 1e-12 * np.abs(totals[np.isfinite(totals)]).max(initial=0.0)

    def beyond(value: float, slope: float) -> bool:
        """Whether a minimum lies between here and the start."""
        return way * slope >= 0 or (not convex and value > total + hill)

    domain = loss.domains()[0]
    last = domain.low if way < 0 else domain.high
    end = float(places[lowest + way]) if 0 <= lowest + way < places.size else start
    step = max(1.0, float(places[-1] - places[0]))
    while end != last and (end == start or not beyond(*at(end))):
        end, step = float(np.clip(end + way * step, domain.low, domain.high)), 2 * step
    for _ in range(_HALVINGS):
        middle = start / 2 + end / 2
        if not min(start, end) < middle < max(start, end):
            break
        value, slope = at(middle)
        if beyond(value, slope):
            end = middle
        else:
            start, total = middle, value
    return start if total <= at(end)[0] else end


def _places(loss: Any, y: np.ndarray, convex: bool) -> np.ndarray:
    """Where to look for the start, in order: beside targets and typical predictions."""
    domain = loss.domains()[0]
    scores = LINKS[loss.link].link(y)
    finite = np.isfinite(scores)
    scores = scores[finite] if finite.any() else np.zeros(1)
    ends = float(scores.min()), float(scores.max())
    found = np.array(ends)
    if not convex:
        part = np.linspace(0, 1, _PLACES)
        even = [low * (1 - part) + high * part for low, high in (ends, loss.sample)]
        found = np.concatenate([*even, np.sort(scores)[(part * (scores.size - 1)).astype(int)]])
    return np.unique(np.clip(found, domain.low, domain.high))
