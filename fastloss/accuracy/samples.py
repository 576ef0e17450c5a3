"""Random valid inputs of any loss, drawn from what its definition says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastloss as fl
from fastloss._domains import Domain

from .variants import target_kinds

__all__ = [
    "CLASSES",
    "descending",
    "fixed_classes",
    "from_logits",
    "generator",
    "in_order",
    "masses",
    "sample",
    "sample_groups",
    "with_classes",
]

CLASSES = 5
Inputs = dict[str, np.ndarray]
"""An array for each name in ``loss.inputs``."""
Shape = tuple[int, ...]


def generator(seed: int = 20240229) -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(seed)


def sample(
    loss: fl.Loss,
    shape: Shape,
    dtype: Any,
    rng: np.random.Generator,
    kind: str | None = None,
    extremes: bool = True,
    classes: int | None = None,
) -> Inputs:
    """Random valid inputs of a loss.

    Parameters
    ----------
    loss : fastloss.Loss
    shape : tuple of int
        The units'; rows get a last axis of classes.
    dtype : dtype
        Of every input but class indices, which are int64.
    rng : numpy.random.Generator
    kind : str, optional
        One of ``target_kinds(loss)``; the first by default.
    extremes : bool
        Also tails, kinks, zeros, subnormals, ends of the domain, peaked rows and common offsets,
        where values may be infinite. Without, everything is finite and of moderate size.
    classes : int, optional
        Of rows; by default as many as the loss has weights or constants of classes, else 5. Such a
        loss has no other number of them: ask :func:`with_classes` for one that has.

    Returns
    -------
    dict
        An array for each name in ``loss.inputs``: ``loss.value(**sample(...))``.
    """
    dtype = np.dtype(dtype)
    shape = tuple(shape)
    if isinstance(loss, fl.RowLoss):
        kind = kind or target_kinds(loss)[0]
        classes = max(classes or fixed_classes(loss) or CLASSES, loss.least_classes)
        arrays = _rows(loss, (*shape, classes), dtype, rng, kind, extremes)
    else:
        arrays = in_order(loss, _elements(loss, shape, dtype, rng, extremes))
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        if arrays[name].dtype == dtype:
            assert not domain.outside(arrays[name].astype(np.float64)).any(), (loss, name)
    return arrays


def sample_groups(
    loss: fl.GroupLoss,
    sizes: Any,
    dtype: Any,
    rng: np.random.Generator,
    spread: float = 3.0,
    levels: int = 4,
) -> Inputs:
    """Random valid inputs of a loss of groups, whose targets tie.

    Parameters
    ----------
    loss : fastloss.GroupLoss
    sizes : sequence of int
        How many elements each group has.
    dtype : dtype
        Of every input but the groups' ids.
    rng : numpy.random.Generator
    spread : float
        How far predictions lie apart.
    levels : int
        How many targets there are; 0 is one for each element.

    Returns
    -------
    dict
        An array for each name in ``loss.inputs``.
    """
    n = int(np.sum(sizes))
    inputs = {"prediction": (rng.standard_normal(n) * spread).astype(dtype)}
    targets = rng.permutation(n) * (90 / n) if levels == 0 else rng.integers(0, levels, n)
    inputs["target"] = targets.astype(dtype)
    if "event" in loss.inputs:
        inputs["event"] = rng.integers(0, 2, n).astype(dtype)
    inputs["group"] = np.repeat(rng.permutation(len(sizes)), sizes)
    return inputs


def with_classes(loss: fl.Loss, classes: int | None) -> fl.Loss:
    """The loss for so many classes: parameters of one number a class repeat theirs."""
    several = {name: x for name, x in loss.params.items() if isinstance(x, tuple)}
    if classes is None or not isinstance(loss, fl.RowLoss) or not several:
        return loss
    count = {"class_weight": loss.label_count(classes)}
    return loss.replace(
        **{name: np.resize(x, count.get(name, classes)) for name, x in several.items()}
    )


def fixed_classes(loss: fl.RowLoss) -> int | None:
    """How many classes rows of a loss have, where its parameters say it."""
    if loss.class_weight:
        return loss.class_count(len(loss.class_weight))
    return len(loss.columns) if loss.columns else None


def _elements(
    loss: fl.Loss, shape: Shape, dtype: np.dtype, rng: np.random.Generator, extremes: bool
) -> Inputs:
    domains = dict(zip(loss.inputs, loss.domains(), strict=True))
    arrays = {
        name: _numbers(
            domain, loss.sample if name in loss.differentiated else (-3, 3), shape, dtype, rng,
            extremes,
        )
        for name, domain in domains.items()
    }  # fmt: skip
    if extremes:  # kinks lie where prediction and target differ by nothing or by a parameter
        steps = [0.0, *(s for p in loss.kernel_parameters() if np.isfinite(p) for s in (p, -p))]
        for name in loss.differentiated:
            outside = domains[name].outside
            near = (arrays["target"] + rng.choice(steps, shape)).astype(dtype)
            near = np.where(outside(near), arrays["target"], near)
            chosen = (rng.random(shape) < 0.15) & ~outside(near)
            arrays[name] = np.where(chosen, near, arrays[name])
        for name in loss.ordered[1:]:  # no upper end
            arrays[name] = np.where(rng.random(shape) < 0.15, dtype.type(np.inf), arrays[name])
    return arrays


def _numbers(
    domain: Domain,
    typical: tuple[float, float],
    shape: Shape,
    dtype: np.dtype,
    rng: np.random.Generator,
    extremes: bool,
) -> np.ndarray:
    """Numbers of a domain."""
    if domain.discrete:
        return rng.choice([domain.low, domain.high], shape).astype(dtype)
    low, high = max(typical[0], domain.low), min(typical[1], domain.high)
    x = rng.uniform(low, high, shape)
    if extremes:
        special = _specials(domain, dtype)
        tails = rng.choice([-1, 1], shape) * rng.uniform(16, 80, shape)
        kind = rng.random(shape)
        x = np.where(kind < 0.3, rng.choice(special, shape), x)
        x = np.where(kind < 0.15, tails, x)
    return domain.clip(np.asarray(x, dtype))


def _specials(domain: Domain, dtype: np.dtype) -> np.ndarray:
    """Zeros, ones, subnormals and the ends of a domain with their neighbours."""
    tiny = np.finfo(dtype).smallest_normal
    least = np.finfo(dtype).smallest_subnormal
    ends = [dtype.type(end) for end in (domain.low, domain.high) if np.isfinite(end)]
    inside = [np.nextafter(end, dtype.type(0.5)) for end in ends]
    all_values = np.array(
        [s * x for s in (1, -1) for x in (0, least, tiny / 3, tiny, 1e-3, 0.5, 1, 2)]
    )
    all_values = np.concatenate([all_values, ends, inside]).astype(dtype)
    return all_values[~domain.outside(all_values)]


def _rows(
    loss: fl.RowLoss,
    shape: Shape,
    dtype: np.dtype,
    rng: np.random.Generator,
    kind: str,
    extremes: bool,
) -> Inputs:
    *units, classes = shape
    logits = rng.normal(0, 2, shape)
    offset = np.zeros((*units, 1))
    if extremes:
        kind_of_row = rng.random((*units, 1))
        peak = np.arange(classes) == rng.integers(classes, size=(*units, 1))
        peak = peak * rng.uniform(16, 60, (*units, 1))
        logits = np.where(kind_of_row < 0.3, logits + peak, logits)
        logits = np.where(kind_of_row > 0.9, np.round(logits / 2), logits)  # ties
        logits = np.where(kind_of_row > 0.95, 0.0, logits)
        largest = float(np.finfo(dtype).max) / 8
        offsets = [x for x in (0, 0, 0, 100, -200, 1e4, 1e8) if abs(x) < largest]
        offset = rng.choice(offsets, (*units, 1))
    domain = loss.domains()[0]
    prediction = logits + offset if not domain.checked else from_logits(domain, logits)
    if extremes and np.isfinite([domain.low, domain.high]).all():
        # the ends, and numbers that are no distribution
        replaced = rng.random(shape) < 0.05
        prediction = np.where(replaced, rng.choice([0.0, 1.0, 0.5], shape), prediction)
    prediction = prediction.astype(dtype)
    prediction = descending(loss, prediction)
    if kind == "labels":
        return {"prediction": prediction, "target": _labels(loss, units, classes, rng)}
    if kind == "numbers":
        near = (prediction[..., 0] + rng.normal(0, 2, units)).astype(dtype)
        equal = extremes & (rng.random(units) < 0.3)
        return {"prediction": prediction, "target": np.where(equal, prediction[..., -1], near)}
    target = rng.dirichlet(np.ones(classes), units)
    if extremes:
        kind_of_row = rng.random((*units, 1))
        one_hot = np.eye(classes)[rng.integers(classes, size=units)]
        target = np.where(kind_of_row < 0.2, one_hot, target)
        holes = (kind_of_row > 0.8) & (rng.random(shape) < 0.4)
        target = np.where(holes, 0.0, target)
    return {"prediction": prediction, "target": target.astype(dtype)}


def descending(loss: fl.Loss, prediction: np.ndarray) -> np.ndarray:
    """Predictions in descending order where the loss asks for it."""
    if not (isinstance(loss, fl.RowLoss) and loss.descending):
        return prediction
    rows = prediction.reshape(-1, prediction.shape[-1])  # NumPy sorts few axes
    return -np.sort(-rows, axis=-1).reshape(prediction.shape)


def in_order(loss: fl.Loss, inputs: Inputs) -> Inputs:
    """The same, but of two inputs that the loss wants in order the second raised to the first."""
    if not loss.ordered:
        return inputs
    low, high = (np.asarray(inputs[name]) for name in loss.ordered)
    raised = np.where(low > high, low, high).astype(high.dtype)
    return {**inputs, loss.ordered[1]: raised}


def from_logits(domain: Domain, logits: np.ndarray) -> np.ndarray:
    """Logits; or of them log-probabilities or probabilities, as the domain says."""
    if not domain.checked:
        return logits
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    if domain.low == -np.inf:
        return np.minimum(log_p, 0.0)
    return np.clip(np.exp(log_p), domain.low, domain.high)


def masses(loss: fl.RowLoss, labels: np.ndarray, classes: int) -> np.ndarray:
    """The target masses that class indices stand for."""
    indices, labels = np.arange(classes), np.asarray(labels)[..., np.newaxis]
    if loss.encoding == "steps":
        return 1.0 * (indices == labels - 1) - (indices == labels)
    of_class = indices < labels if loss.encoding == "levels" else indices == labels
    return of_class.astype(np.float64)


def _labels(
    loss: fl.RowLoss, shape: list[int], classes: int, rng: np.random.Generator
) -> np.ndarray:
    labels = rng.integers(loss.label_count(classes), size=shape)
    if loss.ignore_index is not None:
        labels = np.where(rng.random(shape) < 0.2, loss.ignore_index, labels)
    return labels
