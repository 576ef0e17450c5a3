"""One build in a process of its own, told on stdin what to do: ``benchmarks.guard`` starts it.

A line of JSON asks, a line of JSON answers; nothing runs while nothing is asked.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import repeat
from time import perf_counter
from typing import Any

import numpy as np

import fastloss as fl

from .inputs import draw, draw_weights, fitting, unit_losses
from .work import results

SAMPLE = 1e-3  # seconds that a sample takes at least


class Worker:
    """The state between two questions: the call that is to be timed."""

    call: Callable[[], Any]

    def losses(self) -> dict[str, str]:
        """The registry: the schema of each loss."""
        return {name: fl.get(name).schema for name in unit_losses()}

    def prepare(self, **case: Any) -> dict[str, Any]:
        """Makes a case ready; a digest of its results and the calls that fill a sample."""
        self.call = prepare(**case)
        digest = hashlib.sha256()
        for part in results(self.call()):
            digest.update(np.asarray(part).tobytes())
        count = 1
        while self.time(count) * count < SAMPLE:
            count *= 2
        return {"digest": digest.hexdigest(), "count": count}

    def time(self, count: int) -> float:
        """Seconds per call, after one that finds the caches as the other processes left them."""
        call = self.call
        call()
        begin = perf_counter()
        for _ in repeat(None, count):
            call()
        return (perf_counter() - begin) / count


def prepare(
    loss: str, dtype: str, shape: list[int], method: str, variant: str
) -> Callable[[], Any]:
    """The call of a case, which writes to the same arrays each time."""
    inputs = dict(draw_once(loss, dtype, tuple(shape)))
    prediction, target = inputs["prediction"], inputs["target"]
    if variant == "weighted":
        units = shape if fl.get(loss).schema == "map" else shape[:-1]
        inputs["weight"] = draw_weights(np.dtype(dtype).type, tuple(units))
    elif variant == "strided":
        inputs["prediction"] = np.repeat(prediction, 2, axis=-1)[..., ::2]
    elif variant == "other dtypes":
        inputs["prediction"] = prediction.astype(np.float16)
        inputs["target"] = (target if target.dtype.kind == "i" else target > 0.5).astype(np.uint8)
    fl.set_threads(2 if variant == "2 threads" else 1)
    for name in ("grad_out", "hess_out"):
        if name[:4] in method:
            made = [np.empty(inputs[i].shape, inputs[i].dtype) for i in fl.get(loss).differentiated]
            inputs[name] = made[0] if len(made) == 1 else tuple(made)
    return partial(getattr(fitting(loss, tuple(shape)), method), **inputs)


@lru_cache(maxsize=1)  # cases of the same inputs follow each other
def draw_once(loss: str, dtype: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    return draw(fitting(loss, shape), np.dtype(dtype).type, shape)


def main() -> None:
    worker = Worker()
    gc.disable()
    print(json.dumps(fl.__file__), flush=True)
    for line in sys.stdin:
        question, arguments = json.loads(line)
        try:
            answer = getattr(worker, question)(**arguments)
        except Exception as error:  # what one build cannot do is reported; the others go on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
