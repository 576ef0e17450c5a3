"""The number above which predictions of a row add up to 1: that of their sparse maximum."""

from __future__ import annotations

from typing import Any

import numpy as np

from .vocabulary import two_difference, two_product, two_sum

__all__ = ["above_threshold", "surplus"]


def above_threshold(z: np.ndarray) -> np.ndarray:
    """Each prediction less its row's threshold; the positive ones add up to 1.

    NaN for a row that holds one or several infinite largest predictions, which have no limit.
    """
    top = np.max(z, axis=1, keepdims=True)
    below, below_low = two_difference(z, top)
    below = np.where(z == top, 0.0, below)
    undefined = np.isnan(top) | (np.isinf(top) & (np.sum(z == top, axis=1, keepdims=True) > 1))
    order = np.argsort(-z, axis=1, kind="stable")
    high = np.take_along_axis(below, order, axis=1)
    low = np.take_along_axis(below_low, order, axis=1)
    # the k largest lie above while the k-th exceeds (their sum - 1) / k
    count = np.ones((len(z), 1))
    total, total_low = np.full((len(z), 1), -1.0), np.zeros((len(z), 1))
    for j in range(1, z.shape[1]):
        x, x_low = high[:, j : j + 1], low[:, j : j + 1]
        more = (count == j) & (surplus(x, x_low, count, total, total_low) > 0.0)
        if not more.any():
            break
        added, lost = two_sum(total, x)
        added, lost = two_sum(added, lost + (total_low + x_low))
        total, total_low = np.where(more, added, total), np.where(more, lost, total_low)
        count = count + more
    inside = surplus(below, below_low, count, total, total_low)
    threshold = total / count
    rest, product_low = two_product(threshold, count)
    threshold_low = ((total - rest) - product_low + total_low) / count
    outside, lost = two_difference(below, threshold)
    outside = outside + (lost + below_low - threshold_low)
    outside = np.where(np.isinf(below), below, outside)
    least = np.finfo(np.float64).smallest_subnormal  # what lies above stays above
    found = np.where(inside > 0.0, np.maximum(inside / count, least), np.minimum(outside, 0.0))
    return np.where(undefined, np.nan, found)


def surplus(x: Any, x_low: Any, count: Any, total: Any, total_low: Any) -> Any:
    """By how much so many times a number exceeds a total."""
    product, low = two_product(count, x)
    high, lost = two_difference(product, total)
    return high + (lost + (low + count * x_low - total_low))
