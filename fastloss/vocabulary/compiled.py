"""The vocabulary for Numba: scalars of one dtype, branch-free, so that loops vectorise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from ._numba_math import FLOAT32, FLOAT64, fma

__all__ = ["words"]


@intrinsic
def _select(typing_context, condition, yes, no):
    if yes != no:
        return None

    def code(context, builder, signature, arguments):
        flag = context.cast(builder, arguments[0], condition, types.boolean)
        return builder.select(flag, *arguments[1:])

    return yes(condition, yes, no), code


def words(dtype: Any) -> dict[str, Callable[..., Any]]:
    """The meaning of every word for one dtype.

    Parameters
    ----------
    dtype : dtype
        float32 or float64; every function takes and returns it.

    Returns
    -------
    dict
        For :func:`fastloss.vocabulary.rebind`.
    """
    scalar = np.dtype(dtype).type
    math = FLOAT32 if scalar is np.float32 else FLOAT64
    zero = scalar(0)
    infinity = scalar(np.inf)
    absolute = math["abs"]

    def two_worded(one: Callable[..., Any], two: Callable[..., Any]) -> Callable[..., Any]:
        @njit
        def function(high, low=None):
            if low is None:
                return one(high)
            return two(high, low)

        return function

    @njit
    def const(x):
        return scalar(x)

    @njit
    def where(condition, yes, no):
        return _select(condition, yes, no)

    @njit
    def flat(x):
        return _select(x == x, zero, x)

    @njit
    def two_difference(a, b):
        high = a - b
        b_part = a - high
        low = (a - (high + b_part)) + (b_part - b)
        return high, _select(absolute(high) < infinity, low, zero)

    @njit
    def multiply_add(a, b, c):
        return fma(a, b, c)

    return {
        "abs": absolute,
        "const": const,
        "exp": two_worded(math["exp"], math["exp2w"]),
        "exp_negative": two_worded(math["exp_negative"], math["exp_negative2w"]),
        "expm1": two_worded(math["expm1"], math["expm1_2w"]),
        "flat": flat,
        "fma": multiply_add,
        "inf": np.inf,
        "log": math["log"],
        "log1p": math["log1p"],
        "log1p_unit": math["log1p_unit"],
        "maximum": math["maximum"],
        "minimum": math["minimum"],
        "nan": np.nan,
        "sign": math["sign"],
        "sqrt": math["sqrt"],
        "two_difference": two_difference,
        "where": where,
    }
