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


WORDS = {
    "abs": abs,
    "const": mpmath.mpf,
    "exp": mpmath.exp,
    "inf": mpmath.inf,
    "log": mpmath.log,
    "maximum": max,
    "minimum": min,
    "power": _power,
    "sign": mpmath.sign,
    "sqrt": mpmath.sqrt,
    "where": _where,
}
