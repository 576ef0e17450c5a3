"""The vocabulary on mpmath numbers: definitions at any precision, for the oracle."""

from __future__ import annotations

from typing import Any

import mpmath

__all__ = ["WORDS"]


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


def _power(base: Any, exponent: Any) -> Any:
    if base or not exponent:
        return base**exponent
    return mpmath.mpf(0) if exponent > 0 else mpmath.inf


def _log1mexp(x: Any) -> Any:
    return mpmath.log1p(-mpmath.exp(-x)) if x > 1 else _log(-mpmath.expm1(-x))


def _log(x: Any) -> Any:
    return mpmath.log(x) if x else -mpmath.inf


WORDS = {
    "abs": abs,
    "const": mpmath.mpf,
    "exp": mpmath.exp,
    "inf": mpmath.inf,
    "log": mpmath.log,
    "log1mexp": _log1mexp,
    "maximum": max,
    "minimum": min,
    "power": _power,
    "sech_squared": lambda x: mpmath.sech(x) ** 2,
    "sign": mpmath.sign,
    "sqrt": mpmath.sqrt,
    "tanh": mpmath.tanh,
    "where": _where,
}
