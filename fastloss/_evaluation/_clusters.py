"""Standard errors where rows of one cluster resemble one another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .._result import LossResult
from .._tally import Tally

__all__ = ["clustered_errors"]


def clustered_errors(
    clusters: Sequence[Tally], codes: np.ndarray, results: Sequence[LossResult]
) -> list[float]:
    """Of each segment's mean, by linearization over the totals of its clusters.

    √(G / (G - 1) · Σ(Σwℓ - mean Σw)²) / Σw, the inner sums over a cluster and the outer one over
    the G clusters that weigh something: the estimator of a ratio under sampling of clusters (see
    Cochran, Sampling Techniques, 3rd ed., section 11.8).
    """
    squares: list[list[float]] = [[] for _ in results]
    for cluster, segment in zip(clusters, codes.tolist(), strict=True):
        total, weight = float(cluster.sums["loss"]), float(cluster.sums["weight"])
        if weight:
            squares[segment].append((total - results[segment].mean * weight) ** 2)
    return [_error(some, found.weight) for some, found in zip(squares, results, strict=True)]


def _error(squares: list[float], weight: float) -> float:
    clusters = len(squares)
    if clusters < 2 or not all(map(math.isfinite, squares)):
        return math.nan
    return math.sqrt(clusters / (clusters - 1) * math.fsum(squares)) / weight
