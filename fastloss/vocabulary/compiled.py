"""The vocabulary for Numba: scalars of one dtype, branch-free, so that loops vectorise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from . import rebind, special
from ._numba_math import FLOAT32, FLOAT64, FUSES, OPTIONS, multiply_add

__all__ = ["words"]

_PRIVATE = (
    "atanh_reduced",
    "digamma_far_divided",
    "digamma_far_reduced",
    "digamma_reduced",
    "exp_cubic",
    "exp_split",
    "lgamma_reduced",
    "log_excess_reduced",
    "log_limits",
    "log_split",
    "mills_reduced",
    "mills_slope_reduced",
    "normal_interval_reduced",
    "stirling_divided",
    "stirling_reduced",
    "trigamma_far_divided",
    "trigamma_far_reduced",
    "trigamma_reduced",
)
"""What the special words need beside the vocabulary."""
_compiled = njit(**OPTIONS, forceinline=True)


@intrinsic
def _select(typing_context, condition, yes, no):
    if yes != no:
        return None

    def code(context, builder, signature, arguments):
        flag = context.cast(builder, arguments[0], condition, types.boolean)
        return builder.select(flag, *arguments[1:])

    return yes(condition, yes, no), code


@functools.cache
def words(dtype: Any) -> dict[Any, Callable[..., Any]]:
    """The meaning of every word for one dtype.

    Parameters
    ----------
    dtype : dtype
        float32 or float64; every function takes and returns it.

    Returns
    -------
    dict
        For :func:`fastloss.vocabulary.rebind`: words by name, parts of special words by function.
    """
    scalar = np.dtype(dtype).type
    single_precision = scalar is np.float32
    math = FLOAT32 if single_precision else FLOAT64
    zero = scalar(0)
    one = scalar(1)
    splitter = scalar(2.0 ** ((np.finfo(scalar).nmant + 2) // 2) + 1)
    infinity = scalar(np.inf)
    absolute = math["abs"]

    def two_worded(short: Callable[..., Any], long: Callable[..., Any]) -> Callable[..., Any]:
        @_compiled
        def function(high, low=None):
            if low is None:
                return short(high)
            return long(high, low)

        return function

    def one_worded(long: Callable[..., Any]) -> Callable[..., Any]:
        @_compiled
        def function(high):
            return long(high, zero)

        return function

    @_compiled
    def const(x):
        return scalar(x)

    @_compiled
    def constant(single, twice):
        return scalar(single if single_precision else twice)

    @_compiled
    def where(condition, yes, no):
        return _select(condition, yes, no)

    @_compiled
    def flat(x):
        return _select(x == x, zero, x)

    @_compiled
    def two_sum(a, b):
        high = a + b
        b_part = high - a
        return high, (a - (high - b_part)) + (b - b_part)

    @_compiled
    def two_difference(a, b):
        high = a - b
        b_part = a - high
        low = (a - (high + b_part)) + (b_part - b)
        return high, _select(absolute(high) < infinity, low, zero)

    @_compiled
    def upper_half(x):
        wide = splitter * x
        return wide - (wide - x)

    @_compiled
    def fused(a, b, c):
        return multiply_add(a, b, c)

    @_compiled
    def two_words(a, b, c):
        product = a * b
        a_high = upper_half(a)
        b_high = upper_half(b)
        a_low = a - a_high
        b_low = b - b_high
        lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
        high, low = two_sum(product, c)
        low = low + lost
        return _select(low - low == zero, high + low, high)

    fma = fused if FUSES else two_words

    @_compiled
    def two_product(a, b):
        high = a * b
        return high, _select(absolute(high) < infinity, fma(a, b, -high), zero)

    @_compiled
    def two_inverse(high, low):
        inverse = one / high
        rest = multiply_add(-low, inverse, fma(-high, inverse, one))
        return inverse, rest * inverse

    meanings = {
        "abs": absolute,
        "const": const,
        "constant": constant,
        "exp": two_worded(math["exp"], math["exp2w"]),
        "expm1": two_worded(math["expm1"], math["expm1_2w"]),
        "flat": flat,
        "fma": fma,
        "inf": np.inf,
        "log": math["log"],
        "log1p": two_worded(math["log1p"], math["log1p_plus"]),
        "log1p_unit": math["log1p_unit"],
        "log_cosh_reduced": math["log_cosh_reduced"],
        "lowered": math["lowered"],
        "maximum": math["maximum"],
        "minimum": math["minimum"],
        "nan": np.nan,
        "sign": math["sign"],
        "sqrt": math["sqrt"],
        "tanh_reduced": math["tanh_reduced"],
        "two_difference": two_difference,
        "two_exp": two_worded(math["two_exp"], math["two_exp2w"]),
        "two_exp_negative": two_worded(math["two_exp_negative"], math["two_exp_negative2w"]),
        "two_exp_product": math["two_exp_product"],
        "two_exp_raised": math["two_exp_raised"],
        "two_inverse": two_inverse,
        "two_log": two_worded(math["two_log"], math["two_log2w"]),
        "two_log1p": two_worded(math["two_log1p"], math["two_log1p_plus"]),
        "two_product": two_product,
        "two_sum": two_sum,
        "where": where,
    }
    private = {"multiply_add": multiply_add} | {name: math[name] for name in _PRIVATE}
    parts = {}
    texts = [
        (name, text, name in module.__all__)
        for module in special.MODULES
        for name, text in vars(module).items()
        if getattr(text, "__module__", None) == module.__name__
    ]
    for name, text, is_word in texts:
        function = rebind(text, {**meanings, **private}, _compiled)
        if text.__defaults__:  # the low word may be left out
            function = two_worded(one_worded(function), function)
        if is_word:
            meanings[name] = function
        else:
            private[name] = parts[text] = function
    return meanings | parts
