"""Random, realistic inputs of a loss, drawn from what its definition says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastloss as fl

SPREAD = 3.0  # standard deviation of raw scores
PEAK = 15.0  # what one class of a peaked row has above the others
PEAKED = 0.1  # part of the rows


def fitting(name: str, shape: tuple[int, ...]) -> Any:
    """The loss of a name, of any build, for predictions of a shape: of as many classes."""
    loss = fl.get(name)
    several = {key: x for key, x in loss.params.items() if isinstance(x, tuple)}
    return loss.replace(**{key: np.resize(x, shape[-1]) for key, x in several.items()})


def unit_losses() -> list[str]:
    """The losses of elements or rows; those of groups need other inputs."""
    return [name for name in fl.losses() if fl.get(name).schema in ("map", "row")]


def draw(loss: Any, dtype: Any, shape: tuple[int, ...], seed: int = 0) -> dict[str, np.ndarray]:
    """Every input of a loss by name, for predictions of a shape; computed losses are finite."""
    random = np.random.default_rng(seed)
    rows = loss.schema == "row"
    found = {}
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        if rows and name == "target" and loss.takes_labels:
            found[name] = random.integers(shape[-1], size=shape[:-1])
        elif rows and name == "target" and getattr(loss, "takes_numbers", False):
            found[name] = _elements(random, domain, dtype, shape[:-1])
        elif rows:
            found[name] = _rows(random, domain, dtype, shape)
        else:
            found[name] = _elements(random, domain, dtype, shape)
    return _in_order(loss, found)


def _in_order(loss: Any, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same, but of inputs that must be in order the second raised to the first."""
    if ordered := getattr(loss, "ordered", ()):  # builds of old have none
        found[ordered[1]] = np.maximum(*(found[name] for name in ordered))
    return found


def draw_weights(dtype: Any, shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    """Weights around 1, a tenth of them 0."""
    random = np.random.default_rng(seed)
    weights = random.uniform(0.5, 1.5, shape)
    weights[random.random(shape) < 0.1] = 0.0
    return weights.astype(dtype)


def logits(random: np.random.Generator, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Normal scores; for several axes, rows of classes of which some are peaked."""
    scores = random.standard_normal(shape, dtype=dtype)
    scores *= dtype(SPREAD)
    if len(shape) > 1:
        rows = np.flatnonzero(random.random(shape[0]) < PEAKED)
        scores[rows, random.integers(shape[-1], size=rows.size)] += dtype(PEAK)
    return scores


def _elements(random: Any, domain: Any, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    if domain.discrete:
        return np.where(random.random(shape) < 0.5, domain.low, domain.high).astype(dtype)
    if np.isfinite([domain.low, domain.high]).all():
        margin = 1e-3 * (domain.high - domain.low)
        return random.uniform(domain.low + margin, domain.high - margin, shape).astype(dtype)
    if domain.text == "a time >= 0":
        return np.exp(random.normal(0.0, 0.5, shape)).astype(dtype)
    if domain.low == 0:
        return random.poisson(2.0, shape).astype(dtype)
    if np.isfinite(domain.low):
        return (domain.low + np.exp(random.normal(0.0, 0.5, shape))).astype(dtype)
    if np.isfinite(domain.high):
        return (domain.high - random.exponential(1.0, shape)).astype(dtype)
    return logits(random, dtype, (np.prod(shape, dtype=int),)).reshape(shape)


def _rows(random: Any, domain: Any, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    scores = logits(random, dtype, shape)
    if not domain.checked:
        return scores
    scores -= scores.max(axis=-1, keepdims=True)
    masses = np.exp(scores)
    total = masses.sum(axis=-1, keepdims=True)
    return scores - np.log(total) if domain.high == 0 else masses / total
