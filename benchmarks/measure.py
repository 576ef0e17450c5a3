"""Interleaved timing: every repetition runs every rival once, in a new random order."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from itertools import repeat
from time import perf_counter, process_time
from typing import Any

import numpy as np

from .machine import caches

WARM_SAMPLE = 2e-3  # seconds that a sample of calls on warm caches takes at least
SMALLEST_EVICTION = 64 << 20

shuffle = random.Random(0).shuffle


class Sample(list):
    """Seconds per call, one entry a repetition, and the processor time of all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = self.processor = 0.0

    @property
    def cores(self) -> float:
        """How many cores were busy on average: above 1 for whoever uses more than one thread."""
        return self.processor / self.wall


class Eviction:
    """Reads more memory than the caches hold, so that the next call finds nothing in them."""

    def __init__(self) -> None:
        size = max(SMALLEST_EVICTION, *(2 * n for n in caches().values()))
        self.scratch = np.zeros(size // 8, np.int64)
        self.scratch += 1  # pages of its own, not all the same page of zeros

    def __call__(self) -> None:
        self.scratch.max()


def interleave(
    calls: dict[str, Callable[[], Any]],
    repetitions: int,
    eviction: Callable[[], Any] | None,
    before: Callable[[str], Any] = lambda name: None,
    warm_sample: float = WARM_SAMPLE,
) -> dict[str, Sample]:
    """Times each call: single calls, each after an eviction, else loops of calls on warm caches.

    ``before`` is called with a name, untimed, before each of its samples.
    """
    counts = {}
    for name, call in calls.items():
        before(name)
        counts[name] = 1 if eviction else _count(call, warm_sample)
    samples = {name: Sample() for name in calls}
    order = list(calls)
    gc.disable()
    try:
        for _ in range(repetitions):
            shuffle(order)
            for name in order:
                before(name)
                if eviction:
                    eviction()
                else:
                    calls[name]()
                _sample(calls[name], counts[name], samples[name])
    finally:
        gc.enable()
    return samples


def _count(call: Callable[[], Any], seconds: float) -> int:
    """Calls that fill a sample."""
    count, sample = 1, Sample()
    call()
    while _sample(call, count, sample) < seconds:
        count *= 2
    return count


def _sample(call: Callable[[], Any], count: int, sample: Sample) -> float:
    processor = process_time()
    begin = perf_counter()
    for _ in repeat(None, count):
        call()
    seconds = perf_counter() - begin
    sample.append(seconds / count)
    sample.wall += seconds
    sample.processor += process_time() - processor
    return seconds


def median_ratio(samples: dict[str, Sample], one: str, other: str) -> float:
    """The median over repetitions of one rival's time over another's."""
    return float(np.median(np.array(samples[one]) / np.array(samples[other])))
