"""What threads gain and what they may disturb: ``python -m benchmarks.threads``.

Writes threads.json and threads.md into benchmarks/results; ``--quick`` only prints.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

import fastloss as fl

from .inputs import draw
from .machine import Run
from .measure import interleave, median_ratio
from .progress import progress
from .report import goal, goal_cells, publish, verdict
from .tables import count, markdown, number, session_line

WORKS = (("sigmoid_cross_entropy", 1), ("softmax_cross_entropy", 100))  # with classes
MILLION = 1_000_000
SINGLE, BACK_TO_BACK, SMALL = (MILLION, 4 * MILLION), 200_000, 65_536
PAUSE = 5e-3  # seconds after which threads and cores have gone to sleep
REPETITIONS, QUICK_REPETITIONS = 41, 7

BLOCKS, QUICK_BLOCKS, BLOCK_SECONDS = 20, 4, 0.1  # with and without a neighbour, in turns
NEIGHBOUR = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
parent = os.getppid()
while os.getppid() == parent:  # it outlives nobody
    sum(range(10_000))
"""

SPIN = 50.0  # microseconds that a thread may spin after its work, as csrc/threads.cpp says
SLEEP = 20e-3

MATRIX = 1_000
BLAS_PAUSE = 0.1  # seconds after which the threads of the BLAS have gone to sleep


def call(loss: str, classes: int, elements: int) -> Callable[[], Any]:
    """Value and gradient of the mean, float32."""
    shape = (elements // classes, classes) if fl.get(loss).schema == "row" else (elements,)
    inputs = draw(fl.get(loss), np.float32, shape)
    out = np.empty_like(inputs["prediction"])
    return partial(fl.get(loss).value_and_grad, **inputs, grad_out=out)


def microseconds(samples: list[float]) -> float:
    return float(f"{np.median(samples) * 1e6:.4g}")


def speed_up(repetitions: int) -> Iterator[dict[str, Any]]:
    """Two threads against one: single calls after a pause, and calls without one."""
    kinds = [(n, "single calls", partial(time.sleep, PAUSE)) for n in SINGLE]
    kinds.append((BACK_TO_BACK, "back to back", None))
    for loss, classes in WORKS:
        for elements, kind, pause in kinds:
            calls = dict.fromkeys(("1", "2"), call(loss, classes, elements))
            samples = interleave(calls, repetitions, pause, before=lambda n: fl.set_threads(int(n)))
            yield {
                "what": f"{loss}, {count(elements)} elements, {kind}: speed-up of two threads",
                "microseconds": microseconds(samples["2"]),
                **goal(median_ratio(samples, "1", "2"), 1.8, least=True),
            }


@contextmanager
def neighbour(cpu: int) -> Iterator[subprocess.Popen]:
    """A process that spins on one core, stopped at first."""
    spinning = subprocess.Popen([sys.executable, "-c", NEIGHBOUR, str(cpu)])
    try:
        time.sleep(0.2)  # until it spins
        spinning.send_signal(signal.SIGSTOP)
        yield spinning
    finally:
        spinning.kill()
        spinning.wait()


def block(work: Callable[[], Any]) -> list[float]:
    """Seconds of each of the calls of a block."""
    found, end = [], time.perf_counter() + BLOCK_SECONDS
    work()
    while (begin := time.perf_counter()) < end:
        work()
        found.append(time.perf_counter() - begin)
    return found


def busy_neighbour(blocks: int) -> Iterator[dict[str, Any]]:
    """A small call while another process keeps one core busy, against the same in peace."""
    cpu = max(os.sched_getaffinity(0))
    with neighbour(cpu) as process:
        for loss, classes in WORKS:
            work = call(loss, classes, SMALL)
            for threads, words in ((2, "two threads"), (1, "one thread")):
                fl.set_threads(threads)
                peace, busy = [], []
                for _ in range(blocks):
                    peace += block(work)
                    process.send_signal(signal.SIGCONT)
                    busy += block(work)
                    process.send_signal(signal.SIGSTOP)
                for quantile, name in ((0.5, "median"), (0.95, "95th percentile")):
                    slow, usual = np.quantile(busy, quantile), np.quantile(peace, quantile)
                    judged = (threads, quantile) == (2, 0.5)
                    yield {
                        "what": f"{loss}, {count(SMALL)} elements, {name}: slow-down by a "
                        f"busy neighbour on {words}",
                        "microseconds": float(f"{slow * 1e6:.4g}"),
                        **goal(float(slow / usual), 2.0 if judged else None),
                    }


def worker_clocks() -> list[int]:
    """The processor clocks of fastloss's threads."""
    tasks = Path("/proc/self/task").iterdir()
    workers = [int(t.name) for t in tasks if (t / "comm").read_text().strip() == "fastloss"]
    return [(~worker << 3) | 6 for worker in workers]  # as Linux numbers the clocks of threads


def spinning(repetitions: int) -> Iterator[dict[str, Any]]:
    """Processor time of the workers after a call, while the caller sleeps."""
    fl.set_threads(2)
    work = call(*WORKS[0], MILLION)
    work()
    clocks = worker_clocks()
    spun, slept = [], []
    for _ in range(repetitions):
        work()
        before = [time.clock_gettime_ns(clock) for clock in clocks]
        own = time.thread_time_ns()
        time.sleep(SLEEP)
        slept.append((time.thread_time_ns() - own) * 1e-3)
        after = [time.clock_gettime_ns(clock) for clock in clocks]
        spun.append(max(a - b for a, b in zip(after, before, strict=True)) * 1e-3)
    sleep = float(np.median(slept))
    for name, found in (("median", np.median(spun)), ("most", np.max(spun))):
        limit = round(SPIN + sleep, 1) if name == "median" else None
        yield {
            "what": f"processor time of a worker after its work, µs, {name}; a sleep takes "
            f"{sleep:.0f} µs",
            "microseconds": float(f"{found:.4g}"),
            **goal(float(found), limit),
        }


def after_blas(repetitions: int) -> Iterator[dict[str, Any]]:
    """A call right after a product whose threads still spin, against one thread's product."""
    blas = ThreadpoolController().select(user_api="blas")
    if not blas.lib_controllers:
        print("not measured: NumPy's BLAS has no threads that can be set", file=sys.stderr)
        return
    a = np.random.default_rng(0).standard_normal((MATRIX, MATRIX), np.float32)
    product = partial(np.dot, a, a, out=np.empty_like(a))

    def prepare(threads: str) -> None:
        time.sleep(BLAS_PAUSE)
        for library in blas.lib_controllers:
            library.set_num_threads(int(threads))

    fl.set_threads(2)
    with blas.limit(limits=2):  # what they are now comes back
        for loss, classes in WORKS:
            for elements in (SMALL, MILLION):
                calls = dict.fromkeys(("1", "2"), call(loss, classes, elements))
                samples = interleave(calls, repetitions, product, before=prepare)
                yield {
                    "what": f"{loss}, {count(elements)} elements, right after a product by two "
                    "BLAS threads: slow-down",
                    "microseconds": microseconds(samples["2"]),
                    **goal(median_ratio(samples, "2", "1"), 1.1),
                }


def report(results: dict[str, Any]) -> str:
    """All of threads.md."""
    lines = [
        [row["what"], number(row["microseconds"]), number(row["measured"]), *goal_cells(row)]
        for row in results["rows"]
    ]
    parts = [
        "# Threads",
        f"{session_line(results)} {results['repetitions']} repetitions.",
        "Value and gradient of the mean, float32, softmax of 100 classes; two threads unless a row "
        "says one. Medians of the ratio within each repetition.",
        verdict(results["rows"]),
        markdown(["", "µs", "measured", "goal", ""], lines),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions; prints only")
    options = parser.parse_args(arguments)
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        print("this needs Linux and two cores", file=sys.stderr)
        return 1
    repetitions = QUICK_REPETITIONS if options.quick else REPETITIONS
    session = Run()
    results: dict[str, Any] = {"repetitions": repetitions, "rows": []}
    parts = {
        "speed-up": speed_up(repetitions),
        "busy neighbour": busy_neighbour(QUICK_BLOCKS if options.quick else BLOCKS),
        "spinning": spinning(repetitions),
        "after a BLAS product": after_blas(repetitions),
    }
    with progress(len(parts)) as bar:
        for name, rows in parts.items():
            bar.set_description(name)
            results["rows"] += rows
            bar.update()
    fl.set_threads(0)
    results |= session.describe()
    publish("threads", results, report(results), keep=not options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
