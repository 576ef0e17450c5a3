"""What ``benchmarks.compare`` measures, and the targets that fastloss has set itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import fastloss as fl

from .tables import extent


@dataclass(frozen=True)
class Target:
    """Goals of a workload; what is not given has no goal."""

    ratio: float | None = None
    """Time on one thread, relative to the yardstick."""
    two_threads: float | None = None
    """Time on two threads, relative to the yardstick on one."""
    faster: dict[str, float] = field(default_factory=dict)
    """How many times faster than a rival, by its name; ``"every peer"`` for all of them."""


@dataclass(frozen=True)
class Workload:
    """Value and gradient of the mean of one loss for predictions of one dtype and shape."""

    loss: str
    dtype: str
    shape: tuple[int, ...]
    target: Target
    cold: bool
    """Whether caches hold nothing of it when a call begins."""
    quick: bool = False
    """Whether ``--quick`` measures it too."""

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def rows(self) -> bool:
        return fl.get(self.loss).schema == "row"

    @property
    def title(self) -> str:
        return f"{self.loss} {self.dtype}, {extent(self.shape)}"

    def describe(self) -> dict[str, Any]:
        return {
            "loss": self.loss,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "elements": self.elements,
            "caches": "cold" if self.cold else "warm",
            "title": self.title,
        }


MILLION = 1_000_000

WORKLOADS = [
    Workload(
        "squared_error", "float32", (10 * MILLION,), Target(ratio=1.15), cold=True, quick=True
    ),
    Workload("squared_error", "float64", (10 * MILLION,), Target(ratio=1.15), cold=True),
    Workload(
        "sigmoid_cross_entropy",
        "float32",
        (10 * MILLION,),
        Target(ratio=1.8, two_threads=1.25),
        cold=True,
        quick=True,
    ),
    Workload(
        "sigmoid_cross_entropy",
        "float64",
        (10 * MILLION,),
        Target(ratio=2.8, two_threads=1.6),
        cold=True,
    ),
    Workload(
        "sigmoid_cross_entropy",
        "float32",
        (100_000,),
        # 0.75 ns where the yardstick takes 0.13
        Target(ratio=5.8, faster={"torch.compile": 3.0}),
        cold=False,
    ),
    Workload(
        "sigmoid_cross_entropy",
        "float32",
        (1_000,),
        Target(faster={"every peer": 10.0}),
        cold=False,
        quick=True,
    ),
    Workload("sigmoid_cross_entropy", "float32", (1,), Target(ratio=1.0), cold=False, quick=True),
    Workload("softmax_cross_entropy", "float32", (MILLION, 10), Target(ratio=4.0), cold=True),
    Workload("softmax_cross_entropy", "float32", (100_000, 100), Target(ratio=1.8), cold=True),
    Workload(
        "softmax_cross_entropy",
        "float32",
        (10_000, 1_000),
        Target(ratio=1.8),
        cold=True,
        quick=True,
    ),
    Workload("softmax_cross_entropy", "float32", (1_024, 32_000), Target(ratio=1.6), cold=True),
    Workload("softmax_cross_entropy", "float32", (256, 128_256), Target(ratio=1.6), cold=True),
]
