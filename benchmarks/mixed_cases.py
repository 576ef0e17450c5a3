"""The cases of ``benchmarks.mixed``: arguments of each, and the most that it may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

import fastloss as fl

from .inputs import draw, draw_weights

COLUMNS = 1_000  # of the losses of single elements, where two axes matter
HALVES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@dataclass
class Case:
    """Arguments of a call, and the most that it may take in times of its group's first."""

    name: str
    arguments: dict[str, Any]
    limit: float | None = None
    cold_limit: float | None = None
    """The same where nothing is in the caches, if only there."""


@dataclass(frozen=True)
class Work:
    """A loss, and its classes where it is a loss of rows."""

    loss: str
    classes: int = COLUMNS

    @property
    def rows(self) -> bool:
        return fl.get(self.loss).schema == "row"

    @property
    def title(self) -> str:
        return f"{self.loss}, {self.classes} classes" if self.rows else self.loss


WORKS = [
    Work("squared_error"),
    Work("sigmoid_cross_entropy"),
    Work("softmax_cross_entropy", 10),
    Work("softmax_cross_entropy", 1_000),
]


def arguments(prediction: np.ndarray, target: Any, grad: Any = None, **more: Any) -> dict[str, Any]:
    """Of a call; its gradient goes to an array like the prediction unless another is given."""
    grad = np.empty_like(prediction) if grad is None else grad
    return {"prediction": prediction, "target": target, "grad_out": grad, **more}


def contiguous(like: np.ndarray) -> np.ndarray:
    return np.empty(like.shape, like.dtype)


def every_second(array: np.ndarray) -> np.ndarray:
    return np.repeat(array, 2, axis=-1)[..., ::2]


def groups(work: Work, elements: int) -> Iterator[list[Case]]:
    """Cases to be compared with the first of each group; made one group at a time."""
    shape = (max(1, elements // work.classes), work.classes)
    loss = fl.get(work.loss)
    inputs = draw(loss, np.float32, shape)
    z, y = inputs["prediction"], inputs["target"]
    if not work.rows:  # hard labels: integers hold them too
        y = (y > 0.5).astype(np.float32)

    yield list(targets(work, z, y))
    yield [
        Case("float32", arguments(z, y)),
        *(
            Case(f"{name} predictions", arguments(z.astype(half), y), cold_limit=1.0)
            for name, half in HALVES.items()
        ),
    ]
    yield list(layouts(work, z, y))

    units = shape[:-1] if work.rows else shape
    weight = draw_weights(np.float32, units)
    yield [
        Case("weights, one each", arguments(z, y, weight=weight)),
        Case("a weight for all", arguments(z, y, weight=np.float32(0.7))),
        *(
            [Case("a weight for each row", arguments(z, y, weight=weight[:, :1].copy()))]
            if not work.rows
            else []
        ),
    ]
    wide, labels = z.astype(np.float64), y if work.rows else y.astype(np.float64)
    yield [
        Case("float64", arguments(wide, labels)),
        Case("float64, gradient in float32", arguments(wide, labels, contiguous(z)), limit=1.0),
    ]


def targets(work: Work, z: np.ndarray, y: np.ndarray) -> Iterator[Case]:
    """Integers and booleans against floats, which for rows are distributions."""
    if work.rows:
        one_hot = y[:, None] == np.arange(work.classes)
        yield Case("float32 one-hot targets", arguments(z, one_hot.astype(np.float32)))
        yield Case("uint8 one-hot targets", arguments(z, one_hot.astype(np.uint8)), limit=1.0)
        yield Case("bool one-hot targets", arguments(z, one_hot), limit=1.0)
        yield Case("int64 labels", arguments(z, y))
        yield Case("int32 labels", arguments(z, y.astype(np.int32)))
        yield Case("one label for all", arguments(z, np.int64(3)))
    else:
        yield Case("float32 targets", arguments(z, y))
        yield Case("uint8 targets", arguments(z, y.astype(np.uint8)), limit=1.0)
        yield Case("bool targets", arguments(z, y.astype(np.bool_)), limit=1.0)
        yield Case("int64 targets", arguments(z, y.astype(np.int64)))
        yield Case("float64 targets", arguments(z, y.astype(np.float64)))
        yield Case("one target for all", arguments(z, np.float32(1)))


def layouts(work: Work, z: np.ndarray, y: np.ndarray) -> Iterator[Case]:
    """Strides; gradients are contiguous unless a case says otherwise."""
    out = contiguous(z)
    turned = np.asfortranarray(z)
    yield Case("contiguous", arguments(z, y, out))
    yield Case("every second prediction", arguments(every_second(z), y, out), limit=1.5)
    yield Case("reversed", arguments(z[..., ::-1], y[..., ::-1], out), limit=1.5)
    if work.rows:
        yield Case("class-major logits and gradient", arguments(turned, y), limit=1.5)
        yield Case("class-major logits", arguments(turned, y, out), limit=1.5)
    else:
        both = every_second(z), every_second(y)
        yield Case("every second prediction and target", arguments(*both, out))
        turned_y = np.asfortranarray(y)
        yield Case("Fortran order, all arrays", arguments(turned, turned_y), limit=1.5)
        yield Case("Fortran order, predictions", arguments(turned, y, out), limit=1.5)
