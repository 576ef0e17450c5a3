"""What an import and a call on one element cost: ``python -m benchmarks.imports_and_calls``."""

from __future__ import annotations

import subprocess
import sys
from statistics import median, quantiles
from timeit import Timer

import numpy as np

import fastloss as fl

from .inputs import draw, fitting, unit_losses
from .progress import progress

IMPORTS, IMPORT_GOAL = 15, 30.0  # milliseconds above NumPy's own
SAMPLES, CALLS, CALL_GOAL = 21, 20_000, 1.0  # times np.subtract's call

TIMED_IMPORT = """
from time import perf_counter
begin = perf_counter()
import numpy
between = perf_counter()
import fastloss
print(perf_counter() - between, between - begin)
"""


def measure_imports(update) -> tuple[list[float], list[float]]:
    """Milliseconds that ``import fastloss`` adds to ``import numpy``, and those of the latter.

    Each in a new process, after one that warms the disk's cache.
    """
    added, numpys = [], []
    for i in range(IMPORTS + 1):
        run = subprocess.run(
            [sys.executable, "-c", TIMED_IMPORT],
            capture_output=True,
            text=True,
            check=True,
        )
        update()
        if i:
            ours, numpy = (1e3 * float(x) for x in run.stdout.split())
            added.append(ours)
            numpys.append(numpy)
    return added, numpys


def measure_calls(update) -> dict[str, list[float]]:
    """Nanoseconds of a call on one element, by name, interleaved."""
    names = {"np": np, "a": np.ones(1, np.float32), "b": np.ones(1, np.float32)}
    names["c"] = np.empty_like(names["a"])
    timers = {"np.subtract": Timer("np.subtract(a, b, out=c)", globals=names)}
    for name in unit_losses():
        shape = (1,) if fl.get(name).schema == "map" else (1, 2)
        loss = fitting(name, shape)
        inputs = draw(loss, np.float32, shape)
        names = {
            "loss": loss,
            "grad": np.empty_like(inputs["prediction"]),
            **inputs,
        }
        extras = "".join(f", {extra}={extra}" for extra in loss.inputs[2:])
        statement = f"loss.value_and_grad(prediction, target{extras}, grad_out=grad)"
        timers[name] = Timer(statement, globals=names)
    samples = {name: [] for name in timers}
    for timer in timers.values():
        timer.timeit(CALLS // 10)
    for _ in range(SAMPLES):
        for name, timer in timers.items():
            samples[name].append(timer.timeit(CALLS) / CALLS * 1e9)
        update()
    return samples


def _spread(values: list[float], digits: int) -> str:
    low, middle, high = quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f} – {high:.{digits}f})"


def main() -> None:
    with progress(IMPORTS + 1 + SAMPLES) as bar:
        bar.set_description("imports")
        added, numpys = measure_imports(bar.update)
        bar.set_description("calls")
        calls = measure_calls(bar.update)
    verdict = "met" if median(added) <= IMPORT_GOAL else "missed"
    print(f"import numpy     {_spread(numpys, 1)} ms")
    print(
        f"import fastloss  {_spread(added, 1)} ms more; goal at most {IMPORT_GOAL:g} ms: {verdict}"
    )
    yardstick = calls.pop("np.subtract")
    print(f"\none element, ns a call\n{'np.subtract':28}{_spread(yardstick, 0):>22}")
    for name, samples in calls.items():
        ratio = median(a / b for a, b in zip(samples, yardstick, strict=True))
        verdict = "met" if ratio <= CALL_GOAL else "missed"
        print(f"{name:28}{_spread(samples, 0):>22}  {ratio:.2f} × np.subtract, {verdict}")


if __name__ == "__main__":
    main()
