"""Functions over the classes of a row, for formulas of :func:`fastloss.custom` and for arrays.

In a formula they are traced; of NumPy arrays they take the last axis, so that a formula also runs
on the numbers of a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_label", "log_softmax", "logsumexp", "softmax"]


def logsumexp(x: Any) -> Any:
    """The logarithm of the sum of exponentials.

    Parameters
    ----------
    x : array_like
        Classes on the last axis.

    Returns
    -------
    ndarray or number
        Without that axis.
    """
    if _is_traced(x):
        return x.row_word("logsumexp")
    x = np.asarray(x)
    most = np.max(x, axis=-1, keepdims=True)
    return most[..., 0] + np.log(np.sum(np.exp(x - most), axis=-1))


def log_softmax(x: Any) -> Any:
    """The logarithm of the softmax.

    Parameters
    ----------
    x : array_like
        Classes on the last axis.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    if _is_traced(x):
        return x.row_word("log_softmax")
    x = np.asarray(x)
    below = x - np.max(x, axis=-1, keepdims=True)
    return below - np.log(np.sum(np.exp(below), axis=-1, keepdims=True))


def softmax(x: Any) -> Any:
    """The exponentials, divided by their sum.

    Parameters
    ----------
    x : array_like
        Classes on the last axis.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    if _is_traced(x):
        return x.row_word("softmax")
    x = np.asarray(x)
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def is_label(x: Any, target: Any) -> Any:
    """Which classes the labels are.

    Parameters
    ----------
    x : array_like
        Classes on the last axis.
    target : array_like of int
        A class index for each row.

    Returns
    -------
    ndarray of bool
        Of the shape of ``x``: true at the label, false at the other classes.
    """
    if _is_traced(x):
        return x.row_word("is_label", target)
    return np.arange(np.shape(x)[-1]) == np.asarray(target)[..., np.newaxis]


def _is_traced(x: Any) -> bool:
    return hasattr(type(x), "row_word")
