"""The words that formulas are written in.

A formula is straight-line text over scalars: no loop, no index, no ``if``. The same text runs on
NumPy arrays (these, the reference), under Numba (``vocabulary.compiled``) and on mpmath numbers
(``vocabulary.exact``, the oracle): :func:`rebind` gives a formula other meanings of these words.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Mapping
from typing import Any

from ._words import (
    abs,
    const,
    constant,
    exp,
    expm1,
    flat,
    fma,
    inf,
    log,
    log1p,
    log1p_unit,
    log_cosh_reduced,
    lowered,
    maximum,
    minimum,
    nan,
    sign,
    sqrt,
    tanh_reduced,
    two_difference,
    two_exp,
    two_exp_negative,
    two_exp_product,
    two_exp_raised,
    two_inverse,
    two_log,
    two_log1p,
    two_product,
    two_sum,
    where,
)
from .special.exponential import (
    log1mexp,
    power,
    scaled_softplus,
    sech_squared,
    tanh,
    two_exp_fine,
    two_log1pexp,
    two_log_excess,
    two_log_fine,
    two_one_plus_exp,
    two_tanh,
)
from .special.gamma import (
    digamma,
    lgamma,
    log_rising,
    log_rising_curve,
    log_rising_parts,
    log_rising_slope,
    trigamma,
    two_log_factorial,
)
from .special.normal import (
    inverse_mills,
    inverse_mills_slope,
    log_normal_cdf,
    normal_cdf,
    normal_density,
    normal_interval,
    two_normal_raised,
)
from .special.two_word import two_sqrt

__all__ = [
    "abs",
    "const",
    "constant",
    "digamma",
    "exp",
    "expm1",
    "flat",
    "fma",
    "inf",
    "inverse_mills",
    "inverse_mills_slope",
    "lgamma",
    "log",
    "log1mexp",
    "log1p",
    "log1p_unit",
    "log_cosh_reduced",
    "log_normal_cdf",
    "log_rising",
    "log_rising_curve",
    "log_rising_parts",
    "log_rising_slope",
    "lowered",
    "maximum",
    "minimum",
    "nan",
    "normal_cdf",
    "normal_density",
    "normal_interval",
    "power",
    "rebind",
    "scaled_softplus",
    "sech_squared",
    "sign",
    "sqrt",
    "tanh",
    "tanh_reduced",
    "trigamma",
    "two_difference",
    "two_exp",
    "two_exp_fine",
    "two_exp_negative",
    "two_exp_product",
    "two_exp_raised",
    "two_inverse",
    "two_log",
    "two_log1p",
    "two_log1pexp",
    "two_log_excess",
    "two_log_factorial",
    "two_log_fine",
    "two_normal_raised",
    "two_one_plus_exp",
    "two_product",
    "two_sqrt",
    "two_sum",
    "two_tanh",
    "where",
]


def _names(code: types.CodeType) -> set[str]:
    """The names that a function's text and its inner generators look up."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def rebind(
    function: Callable[..., Any],
    words: Mapping[Any, Any],
    compiler: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
) -> Callable[..., Any]:
    """The same formula with other meanings of its words.

    Parameters
    ----------
    function : callable
        A plain function whose globals are words of the vocabulary and helper functions that are
        themselves written in it.
    words : mapping
        A meaning for each word, by name; or for a helper function, by itself.
    compiler : callable, optional
        What the formula and its helper functions go through.

    Returns
    -------
    callable
        A function of the same code; helper functions are rebound along.
    """
    bound: dict[str, Any] = {"__builtins__": builtins, "__name__": __name__}
    for name in _names(function.__code__):
        helper = function.__globals__.get(name)
        if name in words:
            bound[name] = words[name]
        elif isinstance(helper, types.FunctionType):
            bound[name] = words.get(helper) or rebind(helper, words, compiler)
    return compiler(types.FunctionType(function.__code__, bound, function.__name__))
