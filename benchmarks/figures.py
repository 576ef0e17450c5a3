"""What is said of a row: whether its results are right, and its times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .measure import Sample

TOLERANCE = {"float32": 1e-4, "float64": 1e-12}  # relative to the largest
BLOCK = 1 << 15


def verify(
    found: Iterable[Any], expected: Iterable[Any], names: Iterable[str], dtype: Any
) -> tuple[list[float], str | None]:
    """Relative distances of results from fastloss's, and what is wrong, if anything."""
    distances: list[float] = []
    for one, other, name in zip(found, expected, names, strict=True):
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape or (one.ndim and one.dtype != dtype):
            return distances, f"wrong: its {name} has dtype {one.dtype} and shape {one.shape}"
        distances.append(rounded(distance(one, other)))
        if not distances[-1] <= TOLERANCE[np.dtype(dtype).name]:
            return distances, f"wrong: its {name} is off by {distances[-1]:.2g}"
    return distances, None


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, relative to the largest magnitude of the other array."""
    one, other = one.reshape(-1), other.reshape(-1)
    # block by block: differences stay in a cache
    blocks = [slice(i, i + BLOCK) for i in range(0, other.size, BLOCK)]
    difference = np.max([np.abs(one[block] - other[block]).max() for block in blocks])
    scale = max(other.max(), -other.min())
    return float(difference / scale if scale else difference)


def statistics(
    mine: Sample, yardstick: Sample | None, fastloss: Sample | None, elements: int, moved: int
) -> dict[str, Any]:
    """Median and quartiles of a row, and its ratios to yardstick and fastloss."""
    seconds = np.array(mine)
    quartiles = np.quantile(seconds / elements * 1e9, (0.25, 0.5, 0.75))
    found = {
        "nanoseconds": quartiles[1],
        "quartiles": [quartiles[0], quartiles[2]],
        "gigabytes_per_second": moved / elements / quartiles[1],
        "cores": mine.cores,
    }
    for name, base in (("ratio", yardstick), ("slower_than_fastloss", fastloss)):
        if base is not None:  # repetition by repetition: both saw the same neighbours
            found[name] = float(np.median(seconds / np.array(base)))
    return {key: rounded(value) for key, value in found.items()}


def rounded(value: Any) -> Any:
    """To four digits; a list's numbers each."""
    return [rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.4g}")
