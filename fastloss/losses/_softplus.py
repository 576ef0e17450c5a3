"""What exp(-gap) for a gap >= 0 leads to."""

from __future__ import annotations

from typing import Any

from ..vocabulary import const, fma, log1p_unit, two_inverse

__all__ = ["softplus_of"]


def softplus_of(e: Any, e_low: Any) -> tuple[Any, Any, Any]:
    """log(1 + e), sigmoid(-gap) and sigmoid(gap) = 1 - sigmoid(-gap), of e = exp(-gap)."""
    total = const(1.0) + e
    inverse, inverse_low = two_inverse(total, ((const(1.0) - total) + e) + e_low)
    softplus = log1p_unit(e, e_low * inverse)
    far = fma(e, inverse, fma(e, inverse_low, e_low * inverse))
    return softplus, far, inverse
