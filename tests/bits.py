"""Comparing results to the last bit."""

import numpy as np

__all__ = ["across", "all_same_bits", "same_bits"]


def same_bits(a, b):
    """Whether numbers or arrays hold the same bits; NaN equals NaN."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    signs = np.isnan(a) | (np.signbit(a) == np.signbit(b))
    return bool(np.array_equal(a, b, equal_nan=True) and signs.all())


def all_same_bits(results, expected):
    return all(same_bits(a, b) for a, b in zip(results, expected, strict=True))


def across(mask, array):
    """A mask of units for an array that may have classes."""
    return mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim))
