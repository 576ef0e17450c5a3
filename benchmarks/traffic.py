"""The yardsticks: the memory traffic of a work and nothing else, by NumPy."""

from __future__ import annotations

import numpy as np

from .work import Call, Work


def subtract(prediction, target, grad):
    return lambda: np.subtract(prediction, target, out=grad)


def subtract_fresh(prediction, target, grad):
    return lambda: np.subtract(prediction, target)


def copyto(prediction, target, grad):
    return lambda: np.copyto(grad, prediction)


def copy_fresh(prediction, target, grad):
    return lambda: prediction.copy()


def traffic(work: Work, fresh: bool) -> Call:
    """A call that reads what the work must read, and writes as much as it must write.

    Arrays that are only read are read by np.dot, two at a time.
    """
    steps = _outputs(work, fresh) if work.buffers else _reads(work.dense)
    if work.weighted:
        steps += work.weight_reads * _reads([work.weight])

    def call():
        for step in steps:
            step()

    return steps[0] if len(steps) == 1 else call


def _outputs(work: Work, fresh: bool) -> list[Call]:
    prediction, target, *extras = work.dense if len(work.dense) > 1 else (work.prediction, None)
    grad, *others = work.written
    if target is None:
        first = (copy_fresh if fresh else copyto)(prediction, target, grad)
    else:
        first = (subtract_fresh if fresh else subtract)(prediction, target, grad)
    writes = [_write(array, fresh) for array in others]
    return [first, *_reads(extras), *writes]


def _write(array: np.ndarray, fresh: bool) -> Call:
    if fresh:
        return lambda: np.full(array.shape, 1.0, array.dtype)
    return lambda: array.fill(1.0)


def _reads(arrays: list[np.ndarray]) -> list[Call]:
    """Reads of arrays in pairs; one without a partner is multiplied with itself."""
    lines = [array.reshape(-1) for array in arrays]
    pairs = [(lines[i], lines[min(i + 1, len(lines) - 1)]) for i in range(0, len(lines), 2)]
    return [lambda a=a, b=b: np.dot(a, b) for a, b in pairs]
