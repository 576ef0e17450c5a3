"""The plain driver: runs the scalar functions on NumPy arrays, in float64, rounding once.

It is the reference, and what runs where the compiled core is missing. Names no loss.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._exact_sum import exact_sum
from ._failures import refused
from ._plan import GRAD, HESS, VALUE, Plan
from ._threshold import above_threshold
from ._units import Units, parts

__all__ = ["row_outputs", "run"]


def run(plan: Plan) -> float | None:
    """The reduced value, or None where values of the inputs are refused."""
    if refused(plan):
        return None
    with np.errstate(all="ignore"):
        divisor = _divisor(plan)
        total = exact_sum(np.array([_evaluate(units, divisor) for units in parts(plan)]))
    return total / divisor if divisor else math.nan


def _divisor(plan: Plan) -> float:
    if plan.reduction != "mean":
        return 1.0
    if plan.normalizer is not None:
        return plan.normalizer
    return exact_sum(np.array([exact_sum(units.weight) for units in parts(plan)]))


def _evaluate(units: Units, divisor: float) -> float:
    """Writes the units' outputs; their part of the sum."""
    plan = units.plan
    dtype = plan.dtype.type
    parameters = [np.float64(dtype(x)) for x in plan.loss.kernel_parameters()]
    arguments = [
        units.input(name).astype(np.float64)
        for name in plan.arrays
        if not (plan.labels and name == "target")
    ]
    if plan.rows:
        value, grads, hesses = _rows(units, arguments, parameters)
    else:
        value, grads, hesses = _elements(plan.loss, arguments, parameters)
    used = units.weight != 0
    weighted = np.where(used, value * units.weight, 0.0)
    if plan.value_out is not None:
        units.put(plan.value_out, weighted)
    factor = units.weight / divisor if divisor else np.zeros(units.count)
    for bit, outs, results in ((GRAD, plan.grad_out, grads), (HESS, plan.hess_out, hesses)):
        if not plan.outputs & bit:
            continue
        for i, (out, result) in enumerate(zip(outs, results, strict=True)):
            across = (-1, *(1,) * (result.ndim - 1))
            result = np.where(used.reshape(across), result * factor.reshape(across), 0.0)
            if out is None:
                plan.grad_sums.setdefault(i, []).append(exact_sum(result))
            else:
                units.put(out, result)
    return exact_sum(weighted) if plan.outputs & VALUE and plan.value_out is None else 0.0


def _elements(loss: Any, arguments: list[np.ndarray], parameters: list[Any]) -> Any:
    found = loss.scalars.formula(*arguments, *parameters)
    if not loss.has_gradient:
        return found, (), ()
    value, grads, hesses = found
    return found if len(loss.differentiated) > 1 else (value, (grads,), (hesses,))


def _two_words(*words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of all words of a row, in two words; infinities have no lower ones."""
    first, *lower = (np.atleast_1d(np.asarray(word, np.longdouble)) for word in words)
    most = np.max(np.where(np.isfinite(first), np.abs(first), 0), axis=-1, keepdims=True)
    # digits above a common place add up exactly
    place = np.ldexp(np.longdouble(1), np.frexp(most * first.shape[-1])[1] + 1)
    upper = (first + place) - place
    exact = np.sum(upper, axis=-1)
    rest = np.sum(first - upper, axis=-1) + sum(np.sum(word, axis=-1) for word in lower)
    plain = np.sum(first, axis=-1)
    high = np.asarray(np.where(np.isfinite(plain), exact + rest, plain), np.float64)
    low = np.asarray((exact - high) + rest, np.float64)
    return high, np.where(np.isfinite(high), low, 0.0)


def _encoded(units: Units, z: np.ndarray) -> np.ndarray:
    """What the loss's encoding makes of class indices or numbers, for each class."""
    loss: Any = units.plan.loss
    if loss.encoding == "columns":
        constants = np.asarray(loss.columns, units.plan.dtype).astype(np.float64)
        return np.broadcast_to(constants, z.shape)
    if loss.encoding == "ranks":
        number = units.input("target")
        return np.array([_ranks(*row) for row in zip(z, number, strict=True)])
    classes = np.arange(z.shape[1])
    labels = units.classes[:, np.newaxis]
    if loss.encoding == "steps":
        return 1.0 * (classes == labels - 1) - (classes == labels)
    mass = classes < labels if loss.encoding == "levels" else classes == labels
    return mass.astype(np.float64)


def _ranks(row: np.ndarray, number: float) -> np.ndarray:
    """Twice how many lie farther out on each one's side of a number, plus how many are equal."""
    ordered = np.sort(row)
    below = np.searchsorted(ordered, row, "left") + np.searchsorted(ordered, row, "right")
    return np.where(row > number, 2 * row.size - below, below).astype(np.float64)


def _picked(z: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The prediction of the class that has the mass of each row."""
    return np.take_along_axis(z, np.argmax(q, axis=1)[:, np.newaxis], axis=1)


def _reference(kind: str, z: np.ndarray, q: np.ndarray) -> np.ndarray:
    """What the classes of each row are compared with; q holds one mass a row for labels."""
    if kind == "none":
        return np.zeros((len(z), 1))
    if kind == "label":
        return _picked(z, q)
    out = np.isnan(z) if kind == "maximum" else np.isnan(z) | (q == 1)
    return np.max(np.where(out, -np.inf, z), axis=1, keepdims=True)


def _rows(units: Units, arguments: list[np.ndarray], parameters: list[Any]) -> Any:
    plan = units.plan
    loss: Any = plan.loss
    z = above_threshold(arguments[0]) if loss.above_threshold else arguments[0]
    q = arguments[1] if plan.target == "masses" else _encoded(units, z)
    if loss.label_smoothing:
        dtype = plan.dtype.type
        share = dtype(loss.label_smoothing / plan.classes)
        q = dtype(1 - loss.label_smoothing) * q + share
    one = plan.labels and loss.encoding == "class" and not loss.label_smoothing
    fitted = (_picked(z, q), 1.0) if one else (z, q)
    if hasattr(loss, "sweeps"):
        derivatives = 2 if plan.outputs & HESS else int(bool(plan.outputs & GRAD))
        label = _picked(z, q) if plan.target == "labels" else 0.0
        return _swept(loss.sweeps(derivatives), z, q, label, parameters)
    if loss.scalars.reference == "number":
        return row_outputs(loss, z, q, fitted, parameters, arguments[1][:, np.newaxis])
    return row_outputs(loss, z, q, fitted, parameters)


def row_outputs(
    loss: Any,
    z: np.ndarray,
    q: np.ndarray,
    fitted: Any,
    parameters: list[Any],
    reference: Any = None,
) -> Any:
    """Value, gradient and Hessian of rows with these target masses.

    ``fitted`` are the predictions and masses of the classes that have any; ``reference`` is that
    of each row where the rows do not tell it.
    """
    scalars = loss.scalars
    if reference is None:
        reference = _reference(scalars.reference, z, q)
    ties = np.sum(z == reference, axis=1).astype(np.float64)
    kept, terms = scalars.term(z, reference, *parameters)
    sums = reference[:, 0], ties, tuple(_two_words(*words) for words in terms)
    known = [reference]
    if scalars.settled:
        known.append(_columns(scalars.settle(*sums, *parameters), len(z)))
    fits = scalars.fit(*fitted, *known, *parameters)
    value, row = scalars.finish(
        *sums,
        tuple(_two_words(*words) for words in fits),
        np.float64(z.shape[1]),
        *parameters,
    )
    if not loss.has_gradient:
        return value, (), ()
    grad, hess = scalars.emit(kept, q, _columns(row, len(z)), *parameters)
    return value, (grad,), (hess,)


def _swept(scalars: Any, z: np.ndarray, q: np.ndarray, label: Any, parameters: list[Any]) -> Any:
    """The same of a loss of sweeps."""
    rows, classes = z.shape
    row = _columns((np.float64(classes), np.ravel(label)), rows)

    def of_class(x: Any) -> np.ndarray:
        return np.broadcast_to(x, z.shape)

    for sweep in scalars.sweeps:
        known = row
        for function in sweep.largest:
            largest = np.max(of_class(function(z, q, known, *parameters)), axis=1)
            row += _columns((largest,), rows)
        for function in sweep.sums:
            words = map(of_class, function(z, q, known, *parameters))
            row += _columns(_two_words(*words), rows)
        for function, _ in sweep.settled:
            numbers = function(row, *parameters)
            row += tuple(np.broadcast_to(x, (rows, 1)) for x in numbers)
    nothing = np.sum(np.where(np.isnan(z + q), np.nan, 0.0), axis=1, keepdims=True)
    value = np.broadcast_to(scalars.finish(row, *parameters), (rows, 1)) + nothing
    if scalars.emit is None:
        return value[:, 0], (), ()
    slopes = [of_class(x) + nothing for x in scalars.emit(z, q, row, *parameters)]
    return value[:, 0], tuple(slopes[:1]), tuple(slopes[1:])


def _columns(numbers: Any, rows: int) -> tuple[np.ndarray, ...]:
    """Numbers of each row, to meet its classes."""
    return tuple(np.broadcast_to(x, rows)[:, np.newaxis] for x in numbers)
