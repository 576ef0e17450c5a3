"""The words that formulas are written in.

A formula is straight-line text over scalars: no loop, no index, no ``if``. The same text runs on
NumPy arrays (this module, the reference), under Numba (``vocabulary.numba``) and on mpmath numbers
(``vocabulary.exact``, the oracle): :func:`rebind` gives a formula other meanings of these words.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = [
    "abs",
    "const",
    "exp",
    "exp_negative",
    "expm1",
    "flat",
    "fma",
    "inf",
    "log",
    "log1p",
    "log1p_unit",
    "maximum",
    "minimum",
    "nan",
    "rebind",
    "sign",
    "sqrt",
    "two_difference",
    "where",
]

inf = np.inf
nan = np.nan
abs = np.abs
sign = np.sign
where = np.where
log = np.log
log1p = np.log1p
minimum = np.minimum
maximum = np.maximum
sqrt = np.sqrt


def const(x: float) -> Any:
    """A literal in the compute dtype."""
    return np.float64(x)


def flat(x: Any) -> Any:
    """0, or NaN where x is NaN: the flat part of a derivative."""
    return np.where(np.isnan(x), x, 0.0)


def fma(a: Any, b: Any, c: Any) -> Any:
    """The product a * b plus c, rounded once where the backend can."""
    return a * b + c


def two_difference(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded difference and what the rounding lost (0 where it is infinite)."""
    high = a - b
    b_part = a - high
    low = (a - (high + b_part)) + (b_part - b)
    return high, np.where(np.isfinite(high), low, 0.0)


def exp(high: Any, low: Any = 0.0) -> Any:
    """exp(high + low), where low is the rounding error of high."""
    e = np.exp(high)
    return np.where(np.isfinite(e), e + e * low, e)


def expm1(high: Any, low: Any = 0.0) -> Any:
    """exp(high + low) - 1, where low is the rounding error of high."""
    return np.expm1(high) + np.exp(high) * low


exp_negative = exp  # arguments <= 0
log1p_unit = log1p  # arguments in [0, 1]


def _names(code: types.CodeType) -> set[str]:
    """The names that a function's text and its inner generators look up."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def rebind(function: Callable[..., Any], words: Mapping[str, Any]) -> Callable[..., Any]:
    """The same formula with other meanings of its words.

    Parameters
    ----------
    function : callable
        A plain function whose globals are words of the vocabulary and helper functions that are
        themselves written in it.
    words : mapping
        A meaning for each word.

    Returns
    -------
    callable
        A function of the same code; helper functions are rebound along.
    """
    bound: dict[str, Any] = {"__builtins__": builtins}
    for name in _names(function.__code__):
        if name in words:
            bound[name] = words[name]
        elif isinstance(helper := function.__globals__.get(name), types.FunctionType):
            bound[name] = rebind(helper, words)
    return types.FunctionType(function.__code__, bound, function.__name__)
