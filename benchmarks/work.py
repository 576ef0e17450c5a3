"""What a call has to do: one loss, its arrays, its outputs, its threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import fastloss as fl

from .inputs import draw, draw_weights, fitting

Call = Callable[[], Any]

OUTPUTS = {
    "value": ("value",),
    "gradient": ("grad",),
    "value and gradient": ("value", "grad"),
    "gradient and Hessian": ("grad", "hess"),
}
"""The output sets and what their calls give, in order."""


@dataclass(frozen=True)
class Arrays:
    """Inputs, weights and outputs of one loss, dtype and shape, which all of its works share."""

    loss: str
    inputs: dict[str, np.ndarray]
    weight: np.ndarray | None
    grad: Any
    """An array, or a tuple of as many as the loss has differentiated inputs; ``hess`` too."""
    hess: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return self.inputs["prediction"].shape


def draw_arrays(name: str, dtype: Any, shape: tuple[int, ...]) -> Arrays:
    """Random inputs and weights, and outputs whose pages are there already."""
    loss = fitting(name, shape)
    inputs = draw(loss, dtype, shape)

    def outputs() -> Any:
        found = tuple(
            np.ones_like(inputs[differentiated]) for differentiated in loss.differentiated
        )
        return found if len(found) > 1 else found[0]

    weight = draw_weights(dtype, shape if loss.schema == "map" else shape[:-1])
    return Arrays(name, inputs, weight, outputs(), outputs())


@dataclass(frozen=True)
class Work:
    """The mean of a loss: one output set, with weights or without."""

    arrays: Arrays
    outputs: str
    weighted: bool = False
    threads: int = 1

    @property
    def loss(self) -> str:
        return self.arrays.loss

    @property
    def prediction(self) -> np.ndarray:
        return self.arrays.inputs["prediction"]

    @property
    def target(self) -> np.ndarray:
        return self.arrays.inputs["target"]

    @property
    def weight(self) -> np.ndarray | None:
        return self.arrays.weight if self.weighted else None

    @property
    def places(self) -> tuple[int, ...]:
        """Which inputs are differentiated."""
        loss = fl.get(self.loss)
        return tuple(map(loss.inputs.index, loss.differentiated))

    @property
    def rows(self) -> bool:
        return fl.get(self.loss).schema == "row"

    @property
    def elements(self) -> int:
        return math.prod(self.arrays.shape)

    @cached_property
    def buffers(self) -> dict[str, Any]:
        """fastloss's arguments that say where arrays are written."""
        names = [name for name in OUTPUTS[self.outputs] if name != "value"]
        return {f"{name}_out": getattr(self.arrays, name) for name in names}

    @property
    def written(self) -> list[np.ndarray]:
        """The output arrays."""
        return list(flat(self.buffers.values()))

    @property
    def names(self) -> list[str]:
        """What each number or array of the results is."""
        outputs = OUTPUTS[self.outputs]
        return [name for name in outputs for _ in flat([self.buffers.get(f"{name}_out")])]

    @property
    def dense(self) -> list[np.ndarray]:
        """The inputs that have an entry for each of the prediction's; class indices have not."""
        return [x for x in self.arrays.inputs.values() if x.shape == self.arrays.shape]

    @property
    def bytes(self) -> int:
        """The least traffic: inputs and outputs once, and the weights."""
        once = sum(x.nbytes for x in (*self.dense, *self.written))
        return once + (self.weight_reads * self.weight.nbytes if self.weighted else 0)

    @property
    def weight_reads(self) -> int:
        """How often a mean reads weights: before anything is scaled their sum must be there."""
        return 2 if self.written else 1


def flat(arrays: Any) -> Iterator[Any]:
    """Arrays in any nesting, one by one: losses of several predictions have several gradients."""
    for x in arrays:
        if isinstance(x, tuple):
            yield from flat(x)
        else:
            yield x


def results(found: Any) -> list[Any]:
    """What a call gives as a flat list."""
    return list(flat(found if isinstance(found, (tuple, list)) else (found,)))
