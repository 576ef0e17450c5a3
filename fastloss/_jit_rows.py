"""Losses of rows as functions of one row, for :mod:`fastloss.jit`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError

from ._numba import compiled
from ._sweeps import SweepLoss
from ._threshold import surplus
from .jit import floating, of_types
from .vocabulary._numba_math import OPTIONS
from .vocabulary.compiled import words

__all__ = ["of_rows"]

_njit = njit(**OPTIONS)

# What a loss's encoding makes of class indices or numbers, for each class: lines of text.
_ENCODED = {
    "class": ["q[target] = 1"],
    "one_hot": ["q[target] = 1"],
    "levels": ["q[:target] = 1"],
    "steps": ["if target > 0:", "    q[target - 1] = 1", "if target < k:", "    q[target] = -1"],
    "columns": ["q[:] = columns"],
    "ranks": ["ranks(z, dtype(target), q)"],
}
_REFERENCES = {
    "none": "dtype(0)",
    "label": "z[target]",
    "number": "dtype(target)",
    "maximum": "largest(z, -1)",
    "rival": "largest(z, target)",
}


@_njit
def _largest(z: Any, but: int) -> Any:
    """The largest number of a row without one of its places."""
    found = z.dtype.type(-np.inf)
    for j in range(z.size):
        found = z[j] if j != but and z[j] > found else found
    return found


@_njit
def _sum(x: Any, low: Any) -> Any:
    """The sum of a row of numbers of two words, in two words of their dtype."""
    high, rest = 0.0, 0.0
    for j in range(x.size):
        total = high + x[j]
        part = total - high
        rest += np.float64(low[j]) + ((high - (total - part)) + (x[j] - part))
        high = total
    both = high + rest if high - high == 0 else high
    rounded = x.dtype.type(both)
    lost = ((high - both) + rest) + (both - rounded)
    return rounded, x.dtype.type(lost if rounded - rounded == 0 else 0.0)


@_njit
def _ranks(z: Any, number: Any, q: Any) -> None:
    """Twice how many lie farther out on each one's side of a number, plus how many are equal."""
    ordered = np.sort(z)
    for j in range(z.size):
        below = np.searchsorted(ordered, z[j], side="left")
        up_to = np.searchsorted(ordered, z[j], side="right")
        both = below + up_to
        q[j] = 2 * z.size - both if z[j] > number else both


@_njit
def _check(target: int, count: int) -> None:
    if target < 0 or target >= count:
        raise ValueError("target is no class")


@_njit
def _check_length(name: str, array: Any, k: int) -> None:
    if array.size != k:
        raise ValueError(name + " has not as many classes as the row")


@functools.cache
def _above_threshold() -> Any:
    """What :func:`fastloss._threshold.above_threshold` gives, of one row."""
    meanings = words(np.float64)
    exceeds = compiled(surplus, np.float64)
    two_difference, two_sum = meanings["two_difference"], meanings["two_sum"]
    two_product = meanings["two_product"]
    least = np.finfo(np.float64).smallest_subnormal

    @_njit
    def above(row: Any) -> Any:
        k, top, tops = row.size, np.float64(row.max()), 0
        high, low = np.empty(k), np.empty(k)
        for j in range(k):
            high[j], low[j] = two_difference(np.float64(row[j]), top)
            if row[j] == top:
                high[j], tops = 0.0, tops + 1
        found = np.full(k, row.dtype.type(np.nan))
        if top != top or (top - top != 0 and tops > 1):
            return found
        order = np.argsort(-high, kind="mergesort")
        count, total, total_low = 1.0, -1.0, 0.0
        for j in order[1:]:
            if not exceeds(high[j], low[j], count, total, total_low) > 0.0:
                break
            added, lost = two_sum(total, high[j])
            total, total_low = two_sum(added, lost + (total_low + low[j]))
            count += 1.0
        threshold = total / count
        rest, rest_low = two_product(threshold, count)
        threshold_low = ((total - rest) - rest_low + total_low) / count
        for j in range(k):
            inside = exceeds(high[j], low[j], count, total, total_low)
            outside, lost = two_difference(high[j], threshold)
            outside = outside + (lost + low[j] - threshold_low)
            if high[j] - high[j] != 0:
                outside = high[j]
            found[j] = max(inside / count, least) if inside > 0.0 else min(outside, 0.0)
        return found

    return above


def of_rows(loss: Any) -> Any:
    """The function of a loss of rows."""
    if isinstance(loss, SweepLoss):
        raise TypeError(f"{loss.name} is a formula of rows, which has no function of one row")
    if loss.class_weight is not None or loss.ignore_index is not None:
        raise ValueError(
            f"a function of rows has neither class_weight nor ignore_index; got {loss!r}: weigh "
            "what it gives, and skip the rows"
        )
    return _of_rows(loss)


@functools.cache
def _of_rows(loss: Any) -> Any:
    def choose(prediction: Any, target: Any, grad: Any = None, hess: Any = None) -> Any:
        if not isinstance(prediction, types.Array) or prediction.ndim != 1:
            raise TypingError(f"prediction of {loss.name} must be a row; got {prediction}")
        floating(loss, "prediction", prediction.dtype)
        masses = isinstance(target, types.Array)
        takes = loss.takes_distributions if masses else loss.takes_labels or loss.takes_numbers
        whole = isinstance(target, (types.Integer, types.IntegerLiteral))
        if not takes or (not masses and loss.takes_labels and not whole):
            raise TypingError(f"target of {loss.name} cannot be {target}")
        given = [isinstance(x, types.Array) for x in (grad, hess)]
        dtype = np.float64 if prediction.dtype == types.float64 else np.float32
        return _text(loss, dtype, masses, given)

    arguments = ("prediction", "target", "grad=None", "hess=None")
    return of_types(loss.name, arguments, type(loss).__doc__, choose, inline=False)


def _text(loss: Any, dtype: Any, masses: bool, given: list[bool]) -> Any:
    """The sweeps of a row, as the drivers of many rows make them."""
    scalars = loss.scalars
    parameters = [dtype(x) for x in loss.kernel_parameters()]
    constants = "".join(f", c{i}" for i in range(len(parameters)))
    soft = masses or loss.encoding != "class" or loss.label_smoothing > 0
    terms, fits = scalars.term_sums, scalars.fit_sums
    lines = ["k = prediction.size"]
    if masses:
        lines += ["check_length('target', target, k)", "q = np.empty(k, dtype)", "q[:] = target"]
    if not masses and loss.takes_labels:
        lines.append(f"check(target, k + {int(loss.between_labels)})")
    lines.append("z = above(prediction)" if loss.above_threshold else "z = prediction")
    if soft and not masses:
        lines += ["q = np.zeros(k, dtype)", *_ENCODED[loss.encoding]]
    if loss.label_smoothing:
        lines.append(f"q[:] = dtype({1 - loss.label_smoothing!r}) * q + "
                     f"dtype({loss.label_smoothing!r} / k)")  # fmt: skip
    lines.append(f"reference = {_REFERENCES[scalars.reference]}")
    lines += ["kept = np.empty(k, dtype)", "ties = dtype(0)"]
    lines.append(f"x = np.empty(({2 * max(terms, fits, 1)}, k), dtype)")
    term_lines = [
        "for j in range(k):",
        f"    t = term(z[j], reference{constants})",
        "    kept[j] = t[0]",
        "    ties += dtype(z[j] == reference)",
        *(f"    x[{2 * s}, j], x[{2 * s + 1}, j] = t[1][{s}]" for s in range(terms)),
        f"terms = {_sums(terms)}",
    ]
    known = "reference, settled" if scalars.settled else "reference"
    fit_lines = [f"fits = fit(z[target], dtype(1), {known}{constants})"]
    if soft:
        fit_lines = [
            "for j in range(k):",
            f"    s = fit(z[j], q[j], {known}{constants})",
            *(f"    x[{2 * s}, j], x[{2 * s + 1}, j] = s[{s}]" for s in range(fits)),
            f"fits = {_sums(fits)}",
        ]
    settle = [f"settled = settle(reference, ties, terms{constants})"] * bool(scalars.settled)
    lines += [*term_lines, *settle, *fit_lines]
    lines.append(f"value, row = finish(reference, ties, terms, fits, dtype(k){constants})")
    if not loss.has_gradient:
        return _made([*lines, "return value"], loss, dtype, parameters)
    for name, there in zip(("grad", "hess"), given, strict=True):
        if there:
            lines += [f"check_length('{name}', {name}, k)", f"to_{name} = {name}"]
        else:
            lines.append(f"to_{name} = np.empty(k, dtype)")
    lines += [
        "for j in range(k):",
        "    mass = " + ("q[j]" if soft else "dtype(j == target)"),
        f"    to_grad[j], to_hess[j] = emit(kept[j], mass, row{constants})",
        "return value, to_grad, to_hess",
    ]
    return _made(lines, loss, dtype, parameters)


def _sums(count: int) -> str:
    return "(" + "".join(f"summed(x[{2 * s}], x[{2 * s + 1}]), " for s in range(count)) + ")"


def _made(lines: list[str], loss: Any, dtype: Any, parameters: list[Any]) -> Any:
    scalars = loss.scalars
    head = "def call(prediction, target, grad=None, hess=None):"
    names = ["term", "fit", "finish"]
    names += ["settle"] * bool(scalars.settled) + ["emit"] * loss.has_gradient
    meanings = {name: compiled(getattr(scalars, name), dtype) for name in names}
    meanings |= {f"c{i}": x for i, x in enumerate(parameters)}
    meanings |= {"np": np, "dtype": dtype, "check": _check, "check_length": _check_length}
    meanings |= {"largest": _largest, "summed": _sum, "ranks": _ranks}
    if loss.above_threshold:
        meanings["above"] = _above_threshold()
    if loss.encoding == "columns":
        meanings["columns"] = np.asarray(loss.columns, dtype)
    exec(compile("\n    ".join([head, *lines]), "<function>", "exec"), meanings)
    return meanings["call"]
