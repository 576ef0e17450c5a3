"""Sums of doubles that no order changes."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["exact_sum"]


def exact_sum(x: np.ndarray) -> float:
    """The correctly rounded sum; that of NumPy where it is not finite."""
    if not np.isfinite(x).all():
        return float(np.sum(x))
    try:
        return math.fsum(x.ravel().tolist())
    except OverflowError:  # in between, if not at the end
        return math.fsum((x * 2.0**-64).ravel().tolist()) * 2.0**64
