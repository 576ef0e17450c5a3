"""The logistic function of a gap, in two words."""

from __future__ import annotations

from typing import Any

from ..vocabulary import const, fma, two_exp_negative, two_inverse

__all__ = ["logistic", "root_share"]


def logistic(half: Any, half_low: Any) -> tuple[Any, ...]:
    """For half >= 0 the square root of exp(-2 half), exp, 1 / (1 + exp), each in two words.

    A product with one factor root and then another is exact to rounding where exp is subnormal.
    """
    root, root_low = two_exp_negative(-half, -half_low)
    e = root * root
    e_low = fma(root, root, -e) + const(2.0) * root * root_low
    total = const(1.0) + e
    inverse, inverse_low = two_inverse(total, ((const(1.0) - total) + e) + e_low)
    return root, root_low, e, e_low, inverse, inverse_low


def root_share(root: Any, root_low: Any, inverse: Any, inverse_low: Any) -> tuple[Any, Any]:
    """The root times 1 / (1 + exp); the root times that is sigmoid(-2 half)."""
    share = root * inverse
    return share, fma(root, inverse, -share) + fma(root, inverse_low, root_low * inverse)
