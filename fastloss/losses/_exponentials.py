"""Products with exponentials that alone may overflow or lose digits to underflow."""

from __future__ import annotations

from typing import Any

from ..vocabulary import const, flat, fma, inf, two_exp, two_product, where

__all__ = ["times_exp"]


def times_exp(factor: Any, half: Any, half_low: Any) -> Any:
    """factor * exp(2 (half + half_low)) of a factor >= 0, where 0 * inf = 0."""
    one = const(1.0)
    root, root_low = two_exp(half, half_low)
    # a factor that may be subnormal is raised for a large root, which is lowered the second time
    tiny = (factor < const(2.0**-60)) & (half > const(0.0))
    part, part_low = two_product(factor * where(tiny, const(2.0**60), one), root)
    down = where(tiny, const(2.0**-60), one)
    last, last_low = root * down, root_low * down
    product = part * last
    exact = fma(part, last, fma(part, last_low, part_low * last))
    return where(factor == const(0.0), flat(half), where(product < const(inf), exact, product))
