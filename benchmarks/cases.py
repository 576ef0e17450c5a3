"""Measures works: fastloss, every peer that has them, and the memory traffic alone."""

from __future__ import annotations

import gc
import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import fastloss as fl

from .figures import statistics, verify
from .inputs import fitting
from .machine import Run
from .measure import Eviction, interleave
from .peers import Peer
from .progress import progress
from .tables import extent
from .traffic import traffic
from .work import Call, Work, draw_arrays, results

COLD = 10_000_000
"""From so many elements on, caches hold nothing of the arrays when a call begins."""
WARM_SAMPLE = 5e-4  # seconds: there are thousands of rows
PAUSE = 1e-3  # seconds before a sample, in which another library's threads go to sleep
METHODS = {
    "value": "value",
    "gradient": "grad",
    "value and gradient": "value_and_grad",
    "gradient and Hessian": "grad_and_hess",
}


@dataclass(frozen=True)
class Group:
    """Works of one loss, dtype and shape, for which inputs are drawn once."""

    loss: str
    dtype: str
    shape: tuple[int, ...]
    variants: tuple[tuple[str, bool], ...]
    """Output sets, each without or with weights."""
    peers: tuple[Peer, ...]
    repetitions: int

    @property
    def cold(self) -> bool:
        return math.prod(self.shape) >= COLD

    @property
    def title(self) -> str:
        return f"{self.loss} {self.dtype} {extent(self.shape)}"


def run(groups: list[Group], threads: int) -> dict[str, Any]:
    """All cases, and what they were measured on."""
    # OpenMP's threads spin after their work on the core of whoever comes next, for 10 ms unless
    # told otherwise; half a millisecond outlasts any gap between the calls of a sample
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    session, cases = Run(), []
    eviction = Eviction() if any(group.cold for group in groups) else None
    fl.set_threads(threads)
    # np.dot has threads too, and the yardstick is that of one
    with (
        threadpool_limits(1, user_api="blas"),
        progress(sum(len(group.variants) for group in groups)) as bar,
    ):
        for group in groups:
            bar.set_description(group.title)
            gc.collect()  # what the group before held
            arrays = draw_arrays(group.loss, getattr(np, group.dtype), group.shape)
            for outputs, weighted in group.variants:
                work = Work(arrays, outputs, weighted, threads)
                cases.append(measure(work, group, eviction if group.cold else None))
                bar.update(1)
    fl.set_threads(0)
    return session.describe() | {"threads": threads, "cases": cases}


def measure(work: Work, group: Group, eviction: Eviction | None) -> dict[str, Any]:
    """The case: its rows, verified and timed."""
    expected = results(fastloss(work, fresh=True)())
    rows: list[dict[str, Any]] = []
    calls: dict[tuple[str, str], Call] = {}

    def add(name: str, kind: str, output: str, call: Call) -> None:
        rows.append({"name": name, "kind": kind, "output": output})
        absent = None if kind == "yardstick" else _fault(call, expected, work)
        if absent:
            rows[-1]["absent"] = absent
        else:
            calls[name, output] = call

    for output in ("out=", "fresh") if work.written else ("none",):
        add("memory traffic", "yardstick", output, traffic(work, output == "fresh"))
        add("fastloss", "fastloss", output, fastloss(work, output == "fresh"))
    for peer in group.peers:
        call = peer.prepare(work) if work.prediction.dtype.name in peer.dtypes else None
        if call is not None:
            add(peer.name, "peer", peer.output if work.written else "none", call)
    samples = interleave(
        calls,
        group.repetitions,
        eviction,
        before=lambda name: sleep(PAUSE if work.threads > 1 else 0),
        warm_sample=WARM_SAMPLE,
    )
    for row in rows:
        key = row["name"], row["output"]
        if key in samples:
            bases = [samples.get((n, row["output"])) for n in ("memory traffic", "fastloss")]
            row |= statistics(samples[key], *bases, work.elements, work.bytes)
    return {
        "loss": work.loss,
        "dtype": work.prediction.dtype.name,
        "shape": list(work.arrays.shape),
        "elements": work.elements,
        "outputs": work.outputs,
        "weighted": work.weighted,
        "caches": "cold" if eviction else "warm",
        "bytes": work.bytes,
        "rows": rows,
    }


def _fault(call: Call, expected: list[Any], work: Work) -> str | None:
    """What is wrong with a peer, if anything; the others go on."""
    try:
        found = results(call())
    except Exception as error:
        return f"failed: {type(error).__name__}: {error}".splitlines()[0]
    return verify(found, expected, work.names, work.prediction.dtype)[1]


def fastloss(work: Work, fresh: bool) -> Call:
    """The call as one writes it: a dictionary of arguments would cost time at small sizes."""
    buffers = {} if fresh else work.buffers
    given = ["prediction", "target", *(["weight"] if work.weighted else [])]
    named = [f"{name}={name}" for name in (*list(work.arrays.inputs)[2:], *buffers)]
    method = getattr(fitting(work.loss, work.arrays.shape), METHODS[work.outputs])
    names = {"method": method, **work.arrays.inputs, "weight": work.weight, **buffers}
    return eval(f"lambda: method({', '.join(given + named)})", names)


def write(measured: dict[str, Any], path: Path) -> None:
    """As JSON, one case a line."""
    cases = ",\n".join(json.dumps(case, ensure_ascii=False) for case in measured["cases"])
    head = json.dumps(measured | {"cases": []}, indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head.replace('"cases": []', f'"cases": [\n{cases}\n]') + "\n")
    print(f"wrote {path}", file=sys.stderr)
