"""The plain driver: runs the scalar functions on NumPy arrays, in float64, rounding once.

It is the reference, and what runs where the compiled core is missing. Names no loss.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._plan import GRAD, HESS, VALUE, Plan

__all__ = ["run"]

# Elements looked at together.
_CHUNK = 1 << 16


def run(plan: Plan) -> float | None:
    """The reduced value, or None where values of the inputs are refused."""
    blocks = [_Block(plan, begin) for begin in _begins(plan)]
    with np.errstate(all="ignore"):
        if not all(block.check() for block in blocks):
            return None
        total = math.fsum(w for block in blocks for w in [block.weight_sum()])
        mean = plan.reduction == "mean"
        divisor = 1.0 if not mean else total if plan.normalizer is None else plan.normalizer
        scale = 1 / divisor if divisor else 0.0
        sums = [block.evaluate(scale) for block in blocks]
    if mean and (divisor == 0 or not blocks):
        return math.nan if plan.normalizer is None else 0.0
    return _sum(np.array(sums)) / divisor


def _begins(plan: Plan) -> range:
    return range(0, plan.units, max(1, _CHUNK // plan.classes))


def _sum(x: np.ndarray) -> float:
    """The correctly rounded sum; that of NumPy where it is not finite."""
    if np.isfinite(x).all():
        return math.fsum(x.ravel().tolist())
    return float(np.sum(x))


def _row_sum(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(x, axis=-1, dtype=np.longdouble), np.float64)


def _two_words(*words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of all words of a row, in two words."""
    total = sum(np.sum(word, axis=-1, dtype=np.longdouble) for word in words)
    high = np.asarray(total, np.float64)
    return high, np.where(np.isfinite(high), np.asarray(total - high, np.float64), 0.0)


class _Block:
    """Some units of a call."""

    def __init__(self, plan: Plan, begin: int) -> None:
        self.plan = plan
        self.n = min(plan.units - begin, max(1, _CHUNK // plan.classes))
        flat = np.arange(begin, begin + self.n)
        self.index = np.unravel_index(flat, plan.shape) if plan.shape else ()

    def read(self, array: np.ndarray, dtype: Any) -> np.ndarray:
        """The block's part, rounded to a dtype, in float64."""
        part = array[self.index].astype(dtype).astype(np.float64)
        return part if self.plan.shape else part[np.newaxis]

    def write(self, array: np.ndarray, part: np.ndarray) -> None:
        array[self.index] = part if self.plan.shape else part[0]

    # ---- what is read

    def check(self) -> bool:
        """Whether every value that counts is allowed; reads weights and labels."""
        plan = self.plan
        loss: Any = plan.loss
        self.labels = None
        self.weight = np.ones(self.n) if plan.weight is None else self.read(plan.weight, np.float64)
        if not ((self.weight >= 0) & (self.weight < np.inf)).all():
            return False
        if plan.labels:
            labels = self.read(plan.arrays["target"], np.float64)
            valid = (labels >= 0) & (labels < plan.classes) & (labels == np.floor(labels))
            if loss.ignore_index is not None:
                ignored = labels == loss.ignore_index
                self.weight = np.where(ignored, 0.0, self.weight)
                labels = np.where(ignored, 0.0, labels)
                valid |= ignored
            if not valid.all():
                return False
            self.labels = labels.astype(np.int64)
        # targets are checked before they can weigh, predictions after
        return (
            all(self._inside(name) for name in plan.arrays if plan.rows and name == "target")
            and self._weigh_classes()
            and all(self._inside(name) for name in plan.arrays)
        )

    def _inside(self, name: str) -> bool:
        """Whether every value of an input that counts lies in its domain."""
        domain = self.plan.domain_of(name)
        if domain is None:
            return True
        bad = domain.outside(self.read(self.plan.arrays[name], self.plan.dtype))
        used = (self.weight != 0).reshape(-1, *(1,) * (bad.ndim - 1))
        return not (bad & used).any()

    def _weigh_classes(self) -> bool:
        loss: Any = self.plan.loss
        if self.plan.rows and loss.class_weight is not None:
            classes = np.asarray(loss.class_weight)
            if self.labels is not None:
                mean = classes[self.labels]
            else:
                mass = self.read(self.plan.arrays["target"], self.plan.dtype)
                mean = _row_sum(np.where(mass == 0, 0.0, mass * classes))
            self.weight = np.where(self.weight == 0, 0.0, self.weight * mean)
        return True

    def weight_sum(self) -> float:
        return _sum(self.weight)

    # ---- what is computed

    def evaluate(self, scale: float) -> float:
        """Writes the block's outputs; its part of the sum."""
        plan = self.plan
        dtype = plan.dtype.type
        parameters = [np.float64(dtype(x)) for x in plan.loss.kernel_parameters()]
        arguments = [
            self.read(array, plan.dtype)
            for name, array in plan.arrays.items()
            if not (plan.labels and name == "target")
        ]
        if plan.rows:
            value, grads, hesses = self._rows(arguments, parameters)
        else:
            value, grads, hesses = plan.loss.scalars.formula(*arguments, *parameters)
            if len(plan.loss.differentiated) == 1:
                grads, hesses = (grads,), (hesses,)
        used = self.weight != 0
        weighted = np.where(used, value * self.weight, 0.0)
        if plan.value_out is not None:
            self.write(plan.value_out, weighted)
        factor = self.weight * scale
        for bit, outs, parts in ((GRAD, plan.grad_out, grads), (HESS, plan.hess_out, hesses)):
            if not plan.outputs & bit:
                continue
            for out, part in zip(outs, parts, strict=True):
                across = (-1, *(1,) * (out.ndim - len(plan.shape)))
                part = np.where(used.reshape(across), part * factor.reshape(across), 0.0)
                self.write(out, part)
        return _sum(weighted) if plan.outputs & VALUE and plan.value_out is None else 0.0

    def _rows(self, arguments: list[np.ndarray], parameters: list[Any]) -> Any:
        plan = self.plan
        loss: Any = plan.loss
        scalars = loss.scalars
        z = arguments[0]
        if self.labels is None:
            q = arguments[1]
        else:
            q = np.zeros_like(z)
            np.put_along_axis(q, self.labels[:, np.newaxis], 1.0, axis=1)
        if loss.label_smoothing:
            dtype = plan.dtype.type
            share = dtype(loss.label_smoothing / plan.classes)
            q = dtype(1 - loss.label_smoothing) * q + share
        maximum = np.max(np.where(np.isnan(z), -np.inf, z), axis=1, keepdims=True)
        ties = np.sum(z == maximum, axis=1).astype(np.float64)
        kept, terms = scalars.term(z, maximum, *parameters)
        fits = scalars.fit(z, q, maximum, *parameters)
        value, row = scalars.finish(
            maximum[:, 0],
            ties,
            tuple(_two_words(*words) for words in terms),
            tuple(_two_words(*words) for words in fits),
            *parameters,
        )
        columns = tuple(c[:, np.newaxis] for c in row)
        grad, hess = scalars.emit(kept, q, columns, *parameters)
        return value, (grad,), (hess,)
