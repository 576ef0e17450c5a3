"""Where to look for errors: the ranges of inputs in which formulas lose digits.

Each range is a function from a random sample to inputs that lie in it. A case has as many units of
each range that its loss has. All but the ordinary numbers are hard.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._domains import Domain

from .oracle import Truth
from .samples import (
    Inputs,
    descending,
    from_logits,
    generator,
    in_order,
    masses,
    sample,
    with_classes,
)

__all__ = ["RANGES", "Case", "case", "sweep"]

TAILS = {"float32": (16.0, 110.0), "float64": (30.0, 750.0)}
"""From where exponentials vanish beside 1 to where they are 0."""

Draw = np.random.Generator
Range = Callable[[fl.Loss, Inputs, Draw], Inputs]


@dataclass(frozen=True)
class Case:
    """Points of a loss and their truth.

    Attributes
    ----------
    loss : fastloss.Loss
    kind : str
        What targets are.
    dtype : {"float32", "float64"}
    inputs : dict
    ordinary : ndarray
        Which units have numbers of moderate size only.
    truth : Truth
    """

    loss: fl.Loss
    kind: str
    dtype: str
    inputs: Inputs
    ordinary: np.ndarray
    truth: Truth


@functools.lru_cache(maxsize=4)
def case(loss: fl.Loss, kind: str, dtype: str, n: int, classes: int | None = None) -> Case:
    """A case of n units or a few more; the same at each call, so that all ways to run share it."""
    rng = generator()
    loss = with_classes(loss, classes)
    found = ranges(loss, kind)
    each = max(1, -(-n // len(found)))
    parts = []
    for make in found:
        inputs = sample(loss, (each,), dtype, rng, kind, make is not ordinary, classes)
        found_inputs = in_order(loss, make(loss, inputs, rng))
        prediction = descending(loss, found_inputs["prediction"])
        parts.append({**found_inputs, "prediction": prediction})
    inputs = {name: np.concatenate([part[name] for part in parts]) for name in loss.inputs}
    is_ordinary = np.repeat([make is ordinary for make in found], each)
    return Case(loss, kind, dtype, inputs, is_ordinary, Truth(loss, inputs, dtype))


# ---- the ranges


def ordinary(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Numbers of moderate size."""
    return inputs


def special(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Zeros, ones, ends, peaked rows, ties, common offsets, in any mixture."""
    return inputs


def neighbours(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Up to three floats away from those."""
    return _changed(loss, inputs, lambda domain, x: _nearby(x, rng))


def swept(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Every magnitude that the domain holds, at even steps of bit patterns."""
    return _changed(loss, inputs, lambda domain, x: _sweep_like(x, domain.low, domain.high, rng))


def partly_swept(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Every magnitude beside special numbers."""
    return _partly(loss, inputs, swept(loss, inputs, rng), rng)


def subnormal(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Subnormal numbers beside special ones."""

    def change(domain: Domain, x: np.ndarray) -> np.ndarray:
        tiny = np.finfo(x.dtype).smallest_normal
        return _sweep_like(x, max(-tiny, domain.low), min(tiny, domain.high), rng)

    return _partly(loss, inputs, _changed(loss, inputs, change), rng)


def kinks(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Predictions at 0, ±1 and the parameters, from zero or from the target, or floats away."""
    steps = [0.0, 1.0, -1.0, *(s for p in _finite_parameters(loss) for s in (p, -p))]
    target = _number(loss, inputs)
    changed = {}
    for name, domain in _predictions(loss):
        x = inputs[name]
        moved = rng.choice(steps, x.shape).astype(x.dtype)
        if target is not None:
            moved = np.where(rng.random(x.shape) < 0.5, moved, target + moved)
        moved = domain.clip(_nearby(moved, rng))
        changed[name] = np.where(rng.random(x.shape) < 0.7, moved, x)
    return {**inputs, **changed}


def best(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Predictions close to the best ones, where residuals are differences of near numbers."""
    x, target = inputs["prediction"], inputs["target"]
    if isinstance(loss, fl.RowLoss) and target.dtype.kind == "i":
        target = masses(loss, target, x.shape[-1])
    elif target.shape != x.shape:
        target = np.broadcast_to(target[:, np.newaxis], x.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = loss.mean_to_score(target.astype(np.float64))
    close = (exact * (1 + _small(x.shape, np.finfo(x.dtype).nmant + 2, rng))).astype(x.dtype)
    close = loss.domains()[0].clip(close)
    return {**inputs, "prediction": np.where(np.isfinite(close), close, x)}


def tails(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Predictions whose exponentials all but vanish; of several some."""
    changed = {}
    for name, domain in _predictions(loss):
        x = inputs[name]
        far = _signs(x.shape, rng) * rng.uniform(*TAILS[x.dtype.name], x.shape)
        far = np.where(domain.outside(far), -far, far).astype(x.dtype)
        several = len(loss.differentiated) > 1
        changed[name] = np.where(rng.random(x.shape) < 0.5, far, x) if several else far
    return {**inputs, **changed}


def ends(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Next to the ends of the domain: probabilities beside 0 and 1, at any small distance."""

    def change(domain: Domain, x: np.ndarray) -> np.ndarray:
        finite = [end for end in (domain.low, domain.high) if np.isfinite(end)]
        if not finite:
            return x
        end = rng.choice(finite, x.shape)
        gap = np.abs(_small(x.shape, -np.finfo(x.dtype).minexp, rng))
        closest = np.abs(_small(x.shape, np.finfo(x.dtype).nmant + 2, rng))
        tiny = np.finfo(x.dtype).smallest_normal
        gap = np.where(np.abs(end) < tiny, gap, closest)  # elsewhere floats are not that dense
        return np.where(end == domain.low, end + gap, end - gap)

    return _changed(loss, inputs, change)


def dominant(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Rows in which one class has nearly all the mass, or none."""
    x = inputs["prediction"]
    units, classes = x.shape
    one = np.arange(classes) == rng.integers(classes, size=(units, 1))
    peak = _signs((units, 1), rng) * rng.uniform(*TAILS[x.dtype.name], (units, 1))
    logits = rng.normal(0, 2, x.shape) + one * peak
    return {**inputs, "prediction": from_logits(loss.domains()[0], logits).astype(x.dtype)}


def offset(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Logits around a large common number: a few apart, or a few floats apart."""
    x = inputs["prediction"]
    units = (len(x), 1)
    common = (_signs(units, rng) * np.exp2(rng.uniform(4, 60, units))).astype(x.dtype)
    steps = np.where(rng.random(units) < 0.5, 1.0, np.spacing(np.abs(common)))
    around = common + (steps * rng.integers(-9, 10, x.shape)).astype(x.dtype)
    moved = {"target": common[:, 0]} if _number(loss, inputs) is not None else {}
    return {**inputs, **moved, "prediction": around}


def intervals(loss: fl.Loss, inputs: Inputs, rng: Draw) -> Inputs:
    """Of two inputs in order the second close to the first, at any distance, or infinite."""
    first, second = loss.ordered
    x = inputs[first]
    gap = np.abs(_small(x.shape, np.finfo(x.dtype).nmant + 2, rng))
    above = np.nextafter((x * (1 + gap)).astype(x.dtype), x.dtype.type(np.inf))
    return {**inputs, second: np.where(rng.random(x.shape) < 0.2, x.dtype.type(np.inf), above)}


RANGES: tuple[Range, ...] = (
    ordinary, special, neighbours, swept, partly_swept, subnormal, tails, ends, kinks, best,
    dominant, offset, intervals,
)  # fmt: skip


def ranges(loss: fl.Loss, kind: str) -> list[Range]:
    """Those that a loss has, with a kind of targets."""
    real = {
        name: domain
        for name, domain in zip(loss.inputs, loss.domains(), strict=True)
        if not domain.discrete and (name, kind) != ("target", "labels")
    }
    predictions = [domain for _, domain in _predictions(loss)]
    rows = loss.schema == "row"
    with np.errstate(divide="ignore"):
        sure = loss.mean_to_score(np.array([0.0, 1.0]))
    has: dict[Range, bool] = {
        best: "target" in real or np.isfinite(sure).any(),
        tails: not np.isfinite([(domain.low, domain.high) for domain in predictions]).all(),
        ends: any(
            np.isfinite(end) for domain in real.values() for end in (domain.low, domain.high)
        ),
        dominant: rows,
        offset: rows and not predictions[0].checked,
        intervals: bool(loss.ordered),
    }
    return [make for make in RANGES if has.get(make, True)]


# ---- numbers


def sweep(low: float, high: float, n: int, dtype: Any) -> np.ndarray:
    """As many floats at even steps of bit patterns: every magnitude, subnormals included."""
    integer = np.dtype(f"int{8 * np.dtype(dtype).itemsize}")
    largest = np.finfo(dtype).max
    codes = [_code(x, integer) for x in np.clip([low, high], -largest, largest).astype(dtype)]
    steps = [codes[0] + (codes[1] - codes[0]) * i // max(1, n - 1) for i in range(n)]
    magnitudes = np.array([abs(step) for step in steps], integer).view(dtype)
    return np.where(np.array(steps, object) < 0, -magnitudes, magnitudes).astype(dtype)


def _code(x: Any, integer: np.dtype) -> int:
    """A number's place among all floats of its dtype, 0 for zero."""
    place = int(np.abs(x).view(integer))
    return -place if x < 0 else place


def _sweep_like(x: np.ndarray, low: float, high: float, rng: Draw) -> np.ndarray:
    return rng.permutation(sweep(low, high, x.size, x.dtype)).reshape(x.shape)


def _nearby(x: np.ndarray, rng: Draw) -> np.ndarray:
    for _ in range(3):
        step = rng.choice([-np.inf, np.nan, np.inf], x.shape).astype(x.dtype)
        with np.errstate(over="ignore"):
            x = np.where(np.isnan(step), x, np.nextafter(x, step))
    return x


def _small(shape: tuple[int, ...], bits: int, rng: Draw) -> np.ndarray:
    """Numbers below 1 in magnitude, of every magnitude down to so many bits."""
    return _signs(shape, rng) * np.exp2(-rng.uniform(0, bits, shape))


def _signs(shape: tuple[int, ...], rng: Draw) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


def _number(loss: fl.Loss, inputs: Inputs) -> np.ndarray | None:
    """The number that each prediction has as its target, where targets are numbers."""
    if not isinstance(loss, fl.RowLoss):
        return inputs["target"]
    return inputs["target"][:, np.newaxis] if loss.takes_numbers else None


def _finite_parameters(loss: fl.Loss) -> list[float]:
    return [p for p in loss.kernel_parameters() if np.isfinite(p)]


# ---- inputs


def _predictions(loss: fl.Loss) -> Iterator[tuple[str, Domain]]:
    """The inputs that are differentiated."""
    domains = dict(zip(loss.inputs, loss.domains(), strict=True))
    return ((name, domains[name]) for name in loss.differentiated)


def _continuous(loss: fl.Loss, inputs: Inputs) -> Iterator[tuple[str, Domain]]:
    """The inputs that are real numbers."""
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        if domain.discrete or inputs[name].dtype.kind != "f":
            continue
        # distributions hold no numbers beyond 1
        mass = name not in loss.differentiated and _number(loss, inputs) is None
        yield name, replace(domain, high=min(domain.high, 1.0)) if mass else domain


def _changed(
    loss: fl.Loss, inputs: Inputs, change: Callable[[Domain, np.ndarray], np.ndarray]
) -> Inputs:
    """Inputs with other real numbers."""
    numbers = _continuous(loss, inputs)
    changed = {}
    for name, domain in numbers:
        x = inputs[name]
        changed[name] = domain.clip(change(domain, x).astype(x.dtype))
    return {**inputs, **changed}


def _partly(loss: fl.Loss, inputs: Inputs, others: Inputs, rng: Draw) -> Inputs:
    """Of the real numbers some from one, some from the other."""
    chosen = {name: rng.random(inputs[name].shape) < 0.5 for name, _ in _continuous(loss, inputs)}
    mixed = {name: np.where(mask, others[name], inputs[name]) for name, mask in chosen.items()}
    return {**inputs, **mixed}
