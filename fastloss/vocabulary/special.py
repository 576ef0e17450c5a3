"""Words made of simpler words: one text for NumPy and for Numba, and that of ``csrc/special.hpp``.

Methods and errors are stated there.
"""

from __future__ import annotations

from typing import Any

from ._words import const, constant, fma, sqrt, where

__all__ = ["two_sqrt"]


def two_sqrt(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """The square root of high + low in two words, for low the rounding error of high."""
    root = sqrt(high)
    rest = (fma(-root, root, high) + low) / (const(2.0) * root)
    exact = (high > constant(2.0**-78, 2.0**-916)) & (rest - rest == const(0.0))
    return root, where(exact, rest, const(0.0))
