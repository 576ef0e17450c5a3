"""Losses of users' formulas against the registry's: ``python -m benchmarks.own``.

Writes own.json and own.md into benchmarks/results; ``--quick`` only prints.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import fastloss as fl

from .formulas import LOOPS, OWN
from .inputs import draw, fitting, unit_losses
from .machine import Run
from .measure import Eviction, interleave, median_ratio
from .progress import progress
from .report import goal, goal_cells, publish, verdict
from .tables import count, markdown, number, session_line

SIZES, QUICK_SIZES = (100_000, 10_000_000), (100_000,)
DTYPES = (np.float32, np.float64)
REPETITIONS, QUICK_REPETITIONS = 21, 5
CLASSES = 100
STARTS = 3

START = """
from time import perf_counter
import numpy as np
from benchmarks.formulas import OWN
loss = OWN["sigmoid_cross_entropy"]()
begin = perf_counter()
loss.value_and_grad(np.zeros(8), np.zeros(8))
print(perf_counter() - begin)
"""


def agree(name: str, one: Any, other: Any) -> None:
    """Raises where gradients differ by more than rounding; values may by what targets give."""
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max(), err_msg=name)


def formulas(sizes: tuple[int, ...], repetitions: int) -> Iterator[dict[str, Any]]:
    """Each formula against the registry's kernel and a loop of Numba: value and gradient."""
    for size in sizes:
        eviction = Eviction() if size > SIZES[0] else None
        for dtype in DTYPES:
            for name, custom in OWN.items():
                native, own = fl.get(name), custom()
                shape = (size // CLASSES, CLASSES) if native.schema == "row" else (size,)
                inputs = draw(native, dtype, shape)
                grad = np.empty(shape, dtype)
                calls = {
                    "native": partial(native.value_and_grad, **inputs, grad_out=grad),
                    "own": partial(own.value_and_grad, **inputs, grad_out=grad),
                }
                if name in LOOPS:
                    calls["loop"] = partial(LOOPS[name], **inputs, grad=grad)
                agree(name, own.grad(**inputs), native.grad(**inputs))
                samples = interleave(calls, repetitions, eviction)
                what = f"{name}, {np.dtype(dtype)}, {count(size)} elements"
                each = 1e9 * float(np.median(samples["own"])) / size
                yield {
                    "what": f"{what}: time over the registry's",
                    "nanoseconds": each,
                    **goal(median_ratio(samples, "own", "native"), 2),
                }
                if name in LOOPS:
                    yield {
                        "what": f"{what}: a loop over math.exp takes so much longer",
                        "nanoseconds": each,
                        **goal(median_ratio(samples, "loop", "own"), 4, least=True),
                    }


def numba_backend(repetitions: int) -> Iterator[dict[str, Any]]:
    """The registry on the Numba backend against the native one."""
    ratios = []
    for name in unit_losses():
        rows = fl.get(name).schema == "row"
        shape = (SIZES[0] // CLASSES, CLASSES) if rows else (SIZES[0],)
        loss = fitting(name, shape)
        inputs = draw(loss, np.float32, shape)

        def call(backend: str, loss: Any = loss, inputs: Any = inputs) -> Any:
            with fl.use_backend(backend):
                return loss.value_and_grad(**inputs)

        calls = {backend: partial(call, backend) for backend in ("native", "numba")}
        samples = interleave(calls, repetitions, None)
        ratio = median_ratio(samples, "numba", "native")
        ratios.append(ratio)
        yield {
            "what": f"{name}, float32, {count(SIZES[0])} elements: Numba backend over the native",
            "nanoseconds": 1e9 * float(np.median(samples["numba"])) / SIZES[0],
            **goal(ratio, None),
        }
    yield {
        "what": f"median of {len(ratios)} losses: Numba backend over the native",
        "nanoseconds": None,
        **goal(float(np.median(ratios)), None),
    }


def starts() -> Iterator[dict[str, Any]]:
    """Seconds of a formula's first call, in a process that compiles and in later ones."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = [_start(folder) for _ in range(1 + STARTS)]
    for what, each in (("that compiles", seconds[0]), ("later", float(np.median(seconds[1:])))):
        yield {
            "what": f"sigmoid_cross_entropy, first call in a process {what}: seconds",
            "nanoseconds": None,
            "measured": each,
        }


def _start(folder: str) -> float:
    environment = {**os.environ, "FASTLOSS_CACHE_DIR": folder}
    command = [sys.executable, "-c", START]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def report(results: dict[str, Any]) -> str:
    """All of own.md."""
    lines = [
        [
            row["what"],
            number(row["nanoseconds"]) if row["nanoseconds"] else "",
            number(row["measured"]),
            *goal_cells(row),
        ]
        for row in results["rows"]
    ]
    parts = [
        "# Losses of users' formulas",
        f"{session_line(results)} {results['repetitions']} repetitions, one thread.",
        "Value and gradient of the mean, the gradient into an array that exists; 100 000 elements "
        "on warm caches, 10 million cold. The formulas and the loops are in "
        "[formulas.py](../formulas.py); rows have 100 classes. Medians of the ratio within each "
        "repetition.",
        verdict(results["rows"]),
        markdown(["", "ns per element", "measured", "goal", ""], lines),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes; prints only")
    options = parser.parse_args(arguments)
    repetitions = QUICK_REPETITIONS if options.quick else REPETITIONS
    session = Run()
    results: dict[str, Any] = {"repetitions": repetitions, "rows": []}
    parts = {
        "formulas": formulas(QUICK_SIZES if options.quick else SIZES, repetitions),
        "Numba backend": numba_backend(repetitions),
        "starts": starts(),
    }
    fl.set_threads(1)
    with progress(len(parts)) as bar:
        for name, rows in parts.items():
            bar.set_description(name)
            results["rows"] += rows
            bar.update()
    fl.set_threads(0)
    results |= session.describe()
    publish("own", results, report(results), keep=not options.quick)


if __name__ == "__main__":
    main()
