"""The best constant prediction. Asks a loss for properties, never for its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._inputs import as_array

__all__ = ["init_score"]

# Halvings of an interval of doubles until its ends are neighbours.
_HALVINGS = 1100


def init_score(loss: Any, target: Any, weight: Any = None) -> Any:
    """The constant prediction that minimises a loss; see :meth:`fastloss.Loss.init_score`."""
    if len(loss.inputs) > 2:
        raise TypeError(f"{loss.name} has extra inputs, which no constant prediction fits")
    y = as_array(target, "target")
    w = None if weight is None else as_array(weight, "weight")
    with np.errstate(all="ignore"):
        if loss.schema == "row":
            return loss.mean_to_score(_class_means(loss, y, w))
        y, w = _checked(loss, y, w)
        if loss.optimum == "mean":
            return float(loss.mean_to_score(np.average(y, weights=w)))
        if loss.optimum == "quantile":
            return _quantile(y, w, getattr(loss, "quantile", 0.5))
        return _solve(loss, y, w)


def _checked(loss: Any, y: np.ndarray, w: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    weight = np.broadcast_to(1.0 if w is None else w, y.shape).astype(np.float64)
    # any prediction inside its domain lets the loss check targets and weights
    inside = loss.domains()[0]
    middle = 0.5 if inside.low == 0 else 0.0
    loss.value(np.full(y.shape, middle), y, weight, reduction="sum")
    used = weight.ravel() > 0
    if not used.any():
        raise ValueError("target has no element that counts")
    return y.ravel()[used].astype(np.float64), weight.ravel()[used]


def _class_means(loss: Any, y: np.ndarray, w: np.ndarray | None) -> np.ndarray:
    hard = loss.takes_labels and (y.ndim == 1 or y.dtype.kind in "biu")
    if hard:
        labels = y.ravel()
        shown = labels != loss.ignore_index if loss.ignore_index is not None else labels == labels
        classes = len(loss.class_weight or ()) or int(labels[shown].max(initial=0)) + 1
        prediction = np.full((*y.shape, classes), 1 / classes)
        mass = np.zeros((labels.size, classes))
        rows = np.flatnonzero(shown)
        loss.value(prediction, y, w, reduction="sum")  # checks labels and weights
        mass[rows, labels[rows].astype(np.int64)] = 1.0
    else:
        loss.value(np.full(y.shape, -1.0 if loss.domains()[0].high == 0 else 0.5), y, w,
                   reduction="sum")  # fmt: skip
        mass = y.reshape(-1, y.shape[-1]).astype(np.float64)
    if loss.class_weight is not None:
        mass = mass * (mass @ np.asarray(loss.class_weight))[:, np.newaxis]
    if w is not None:
        mass = mass * np.broadcast_to(w, y.shape if hard else y.shape[:-1]).reshape(-1, 1)
    mean = mass.sum(axis=0)
    if not mean.sum() > 0:
        raise ValueError("target has no row that counts")
    mean = mean / mean.sum()
    return (1 - loss.label_smoothing) * mean + loss.label_smoothing / mean.size


def _quantile(y: np.ndarray, w: np.ndarray, level: float) -> float:
    """The middle of all weighted quantiles of a level."""
    order = np.argsort(y, kind="stable")
    y, total = y[order], np.cumsum(w[order])
    below = level * total[-1]
    first = min(int(np.searchsorted(total, below, side="left")), y.size - 1)
    last = min(int(np.searchsorted(total, below, side="right")), y.size - 1)
    return float(y[first] + (y[last] - y[first]) / 2)


def _solve(loss: Any, y: np.ndarray, w: np.ndarray) -> float:
    """The root of the gradient of a convex loss, by bisection."""

    def slope(z: float) -> float:
        return float(np.sum(loss.grad(np.full(y.shape, z), y, w, reduction="sum")))

    low, high = float(y.min()), float(y.max())
    width = max(1.0, high - low)
    while slope(low) > 0:
        low -= width
    while slope(high) < 0:
        high += width
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return high
