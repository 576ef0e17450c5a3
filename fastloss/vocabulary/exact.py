"""The vocabulary on mpmath numbers: definitions at any precision, for the oracle."""

from __future__ import annotations

from typing import Any

import mpmath

__all__ = ["WORDS"]


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


WORDS = {
    "abs": abs,
    "const": mpmath.mpf,
    "exp": mpmath.exp,
    "inf": mpmath.inf,
    "log": mpmath.log,
    "maximum": lambda *xs: max(xs),
    "minimum": min,
    "sign": mpmath.sign,
    "where": _where,
}
