"""What became slower since a revision: make bench-compare, ``python -m benchmarks.guard [BASE]``.

Builds both, and times them sample by sample in random order, each in a process of its own, with a
second process of the base, which shows the noise. Exits with 1 when something became slower.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from . import builds
from .guard_processes import Process, trio
from .progress import progress
from .tables import extent, markdown, number

SECONDS, QUICK_SECONDS = 280, 50
CONFIRMING = 0.2  # part of them kept for a second look at what seems to have changed
FEWEST, MOST = 7, 60  # rounds of a case; in each, every process gives a sample
LEAST_CHANGE = 0.03
USUAL = 0.9  # part of the cases of a shape whose noise is taken for usual
ERRORS = 4.0  # standard errors of a median that noise alone may reach

SHAPES = {
    "map": [(1,), (1_000,), (100_000,), (2_000_000,)],
    "row": [(1, 2), (100, 10), (10_000, 10), (2_000, 1_000)],
}
METHODS = ("value_and_grad", "grad_and_hess")
VARIED = ("sigmoid_cross_entropy", "softmax_cross_entropy")
VARIANTS = ("weighted", "strided", "other dtypes", "2 threads")


@dataclass(frozen=True)
class Case:
    loss: str
    dtype: str
    shape: tuple[int, ...]
    method: str
    variant: str = "plain"

    @property
    def title(self) -> str:
        variant = "" if self.variant == "plain" else f", {self.variant}"
        return f"{self.loss}.{self.method} {self.dtype}, {extent(self.shape)}{variant}"


@dataclass
class Measured:
    case: Case
    nanoseconds: float
    """Of a call, with the base."""
    ratio: float
    """Working tree to base: the median over the rounds."""
    noise: float
    """How far the two processes of the base are apart, or the error of the median."""
    same: bool
    """Whether both give the same bits."""


def cases(schemas: dict[str, str], quick: bool) -> Iterator[Case]:
    """Those of the same inputs one after another."""
    dtypes, methods = (("float32",), METHODS[:1]) if quick else (("float32", "float64"), METHODS)
    for loss, schema in schemas.items():
        for dtype in dtypes:
            for shape in SHAPES[schema]:
                for method in methods:
                    yield Case(loss, dtype, shape, method)
            if loss in VARIED and dtype == "float32":
                for variant in VARIANTS:
                    yield Case(loss, dtype, SHAPES[schema][2], METHODS[0], variant)


def measure(processes: list[Process], case: Case, seconds: float) -> Measured | str:
    """The times of a case, or why there are none."""
    until = time.monotonic() + seconds
    for process in processes:  # all at once, as nothing is timed yet
        process.send("prepare", **asdict(case))
    ready = [process.answer() for process in processes]
    if errors := [answer["error"] for answer in ready if "error" in answer]:
        return errors[0]
    rounds: list[list[float]] = []
    order = [0, 1, 2]
    while len(rounds) < FEWEST or (len(rounds) < MOST and time.monotonic() < until):
        random.shuffle(order)
        times = {i: processes[i].ask("time", count=ready[0]["count"]) for i in order}
        rounds.append([times[i] for i in range(3)])
    one, other, tree = np.log(rounds).T
    change = np.concatenate([tree - one, tree - other])
    low, middle, high = np.quantile(change, (0.25, 0.5, 0.75))
    error = 1.25 * (high - low) / 1.35 / np.sqrt(len(rounds))  # of a median, by a normal law
    return Measured(
        case,
        float(np.exp(np.median([one, other])) * 1e9),
        float(np.exp(middle)),
        float(np.expm1(max(abs(np.median(other - one)), ERRORS * error))),
        ready[0]["digest"] == ready[2]["digest"],
    )


def sweep(processes: list[Process], todo: list[Case], seconds: float) -> list[Measured]:
    """Every case, in about this time."""
    found = []
    until = time.monotonic() + seconds
    with progress(len(todo)) as bar:
        for i, case in enumerate(todo):
            bar.set_description(case.title)
            one = measure(processes, case, (until - time.monotonic()) / (len(todo) - i))
            bar.update()
            if isinstance(one, Measured):
                found.append(one)
            else:
                print(f"not compared: {case.title}: {one}")
    return found


def noise_by_shape(found: list[Measured]) -> dict[tuple[int, ...], float]:
    """What most cases of a shape stay below."""
    shapes = {m.case.shape for m in found}
    return {
        shape: float(np.quantile([m.noise for m in found if m.case.shape == shape], USUAL))
        for shape in shapes
    }


def changed(found: list[Measured], usual: dict[tuple[int, ...], float]) -> dict[Case, Measured]:
    """Those whose ratio, up or down, is beyond the noise."""
    return {
        m.case: m
        for m in found
        if abs(np.log(m.ratio)) > np.log1p(max(LEAST_CHANGE, m.noise, usual[m.case.shape]))
    }


def compare(base: Path, tree: Path, quick: bool) -> tuple[list[Measured], list[Measured]]:
    """All cases, and those that changed, as measured last."""
    seconds = QUICK_SECONDS if quick else SECONDS
    with trio(base, tree) as processes:
        before, after = (process.ask("losses") for process in processes[1:])
        for name in sorted(before.keys() ^ after.keys()):
            print(f"not compared: {name}, which only one of both has")
        both = {name: schema for name, schema in after.items() if name in before}
        found = sweep(processes, list(cases(both, quick)), seconds * (1 - CONFIRMING))
    usual = noise_by_shape(found)
    suspects = changed(found, usual)
    if not suspects:
        return found, []
    with trio(base, tree) as processes:  # whose memory lies elsewhere
        again = changed(sweep(processes, list(suspects), seconds * CONFIRMING), usual)
    same_way = [m for m in again.values() if (m.ratio > 1) == (suspects[m.case].ratio > 1)]
    return found, same_way


def table(title: str, found: list[Measured]) -> str:
    lines = [
        [
            m.case.title,
            number(m.nanoseconds * 1e-3),
            number(m.nanoseconds * m.ratio * 1e-3),
            f"{m.ratio:.2f}",
            f"± {m.noise:.1%}",
        ]
        for m in sorted(found, key=lambda m: -abs(np.log(m.ratio)))
    ]
    return markdown([title, "base, µs", "now, µs", "ratio", "noise"], lines)


def report(found: list[Measured], confirmed: list[Measured]) -> bool:
    """Prints the tables; whether something became slower."""
    different = [m.case.title for m in found if not m.same]
    if different:
        print(f"\nother bits than the base's in {len(different)} cases:", *different, sep="\n  ")
    slower = [m for m in confirmed if m.ratio > 1]
    faster = [m for m in confirmed if m.ratio < 1]
    for title, some in (("slower", slower), ("faster", faster)):
        print(f"\n{table(title, some)}" if some else f"\nnothing is {title}")
    mean = np.exp(np.mean(np.log([m.ratio for m in found])))
    noise = ", ".join(
        f"{extent(shape)}: {usual:.1%}" for shape, usual in sorted(noise_by_shape(found).items())
    )
    print(f"\n{len(found)} cases take {mean:.3f} × the base's time (geometric mean)")
    print(f"noise of {USUAL:.0%} of the cases, at most: {noise}")
    return bool(slower)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument(
        "base", nargs="?", help="a revision; without it HEAD, or its parent if nothing is changed"
    )
    parser.add_argument("--quick", action="store_true", help="a minute, value_and_grad in float32")
    options = parser.parse_args(arguments)
    try:
        base = options.base or builds.default_base()
        print(f"base: {builds.describe(base)}")
        packages = builds.build_revision(base), builds.build_working_tree()
    except subprocess.CalledProcessError as error:
        parser.exit(2, f"failed: {' '.join(map(str, error.cmd))}\n")
    if packages[0] == packages[1]:
        print("both have the same sources: whatever differs is noise")
    return report(*compare(*packages, options.quick))


if __name__ == "__main__":
    sys.exit(main())
