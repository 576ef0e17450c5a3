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

from ._polynomials import LOG_COSH, TANH

__all__ = [
    "abs",
    "const",
    "exp",
    "expm1",
    "flat",
    "fma",
    "inf",
    "log",
    "log1p",
    "log1p_unit",
    "log_cosh_reduced",
    "lowered",
    "maximum",
    "minimum",
    "nan",
    "rebind",
    "sign",
    "sqrt",
    "tanh_reduced",
    "two_difference",
    "two_exp_negative",
    "two_exp_product",
    "two_exp_raised",
    "two_inverse",
    "two_log",
    "two_log1p",
    "two_product",
    "two_sum",
    "where",
]

inf = np.inf
nan = np.nan
abs = np.abs
sign = np.sign
where = np.where
log = np.log
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
    """The product a * b plus c, rounded nearly once: the product in two words (Dekker), a sum."""
    product = a * b
    a_high = _upper_half(a)
    b_high = _upper_half(b)
    a_low = a - a_high
    b_low = b - b_high
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    high, low = two_sum(product, c)
    low = low + lost
    return np.where(np.isfinite(low), high + low, high)  # where a word overflows


def _upper_half(x: Any) -> Any:
    wide = (2.0**27 + 1) * x
    return wide - (wide - x)


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded sum and what the rounding lost."""
    high = a + b
    b_part = high - a
    return high, (a - (high - b_part)) + (b - b_part)


def two_difference(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded difference and what the rounding lost (0 where it is infinite)."""
    high = a - b
    b_part = a - high
    low = (a - (high + b_part)) + (b_part - b)
    return high, np.where(np.isfinite(high), low, 0.0)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded product and what the rounding lost (0 where it is infinite)."""
    high = a * b
    return high, np.where(np.isfinite(high), fma(a, b, -high), 0.0)


def two_inverse(high: Any, low: Any) -> tuple[Any, Any]:
    """1 / (high + low) in two words, of a finite number that is not 0."""
    inverse = 1.0 / high
    return inverse, (fma(-high, inverse, 1.0) - low * inverse) * inverse


def exp(high: Any, low: Any = 0.0) -> Any:
    """exp(high + low), where low is the rounding error of high."""
    e = np.exp(high)
    return np.where(np.isfinite(e), e + e * low, e)


def two_exp_negative(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """exp(high + low) in two words, for high <= 0 and low its rounding error."""
    e = np.exp(np.asarray(high, np.longdouble) + low)
    rounded = np.asarray(e, np.float64)
    return rounded, np.asarray(e - rounded, np.float64)


two_exp_raised = two_exp_negative  # compiled words raise it by a power of two, for sums


def two_exp_product(factor: Any, factor_low: Any, x: Any) -> tuple[Any, Any]:
    """(factor + factor_low) exp(x) in two words, even where exp(x) overflows; 0 exp(x) = 0."""
    wide = np.asarray(factor, np.longdouble) + factor_low
    product = np.where((wide == 0) & (x == x), wide, wide * np.exp(np.asarray(x, np.longdouble)))
    high = np.asarray(product, np.float64)
    low = np.where(np.isfinite(high), product - high, 0.0)
    return high, np.asarray(low, np.float64)


def lowered(x: Any) -> Any:
    """Takes off the power of two by which two_exp_raised is too large."""
    return x


def expm1(high: Any, low: Any = 0.0) -> Any:
    """exp(high + low) - 1, where low is the rounding error of high."""
    return np.expm1(high) + np.exp(high) * low


def log1p(x: Any, addend: Any = 0.0) -> Any:
    """log(1 + x) plus a small number."""
    return np.log1p(x) + addend


def two_log(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """log(high + low) in two words, where low is the rounding error of high."""
    return np.log(high), np.where(high > 0.0, low / high, 0.0)


def two_log1p(x: Any, addend: Any = 0.0) -> tuple[Any, Any]:
    """log(1 + x) plus a small number, in two words."""
    return np.log1p(x), addend


log1p_unit = log1p  # arguments in [0, 1]


def log_cosh_reduced(square: Any) -> Any:
    """(log cosh a - a² / 2) / a⁴ of a² <= 0.64."""
    return _polynomial(square, LOG_COSH["float64"])


def tanh_reduced(square: Any) -> Any:
    """(tanh a - a) / a³ of a² <= 0.64."""
    return _polynomial(square, TANH["float64"])


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    value: Any = 0.0
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


def _names(code: types.CodeType) -> set[str]:
    """The names that a function's text and its inner generators look up."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def rebind(
    function: Callable[..., Any],
    words: Mapping[str, Any],
    compiler: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
) -> Callable[..., Any]:
    """The same formula with other meanings of its words.

    Parameters
    ----------
    function : callable
        A plain function whose globals are words of the vocabulary and helper functions that are
        themselves written in it.
    words : mapping
        A meaning for each word.
    compiler : callable, optional
        What the formula and its helper functions go through.

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
            bound[name] = rebind(helper, words, compiler)
    return compiler(types.FunctionType(function.__code__, bound, function.__name__))
