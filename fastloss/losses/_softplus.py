"""What exp(-gap) for a gap >= 0 leads to."""

from __future__ import annotations

from typing import Any

from ..vocabulary import const, fma, log1p_unit, two_inverse

__all__ = ["share_of", "softplus_of"]


def softplus_of(e: Any, e_low: Any) -> tuple[Any, Any, Any, Any]:
    """log(1 + e), sigmoid(-gap), and in two words 1 / (1 + e), of e = exp(-gap)."""
    total = const(1.0) + e
    inverse, inverse_low = two_inverse(total, ((const(1.0) - total) + e) + e_low)
    softplus = log1p_unit(e, e_low * inverse)
    return softplus, share_of(e, e_low, inverse, inverse_low), inverse, inverse_low


def share_of(e: Any, e_low: Any, inverse: Any, inverse_low: Any) -> Any:
    """A product of two words each."""
    return fma(e, inverse, fma(e, inverse_low, e_low * inverse))
