"""Products with exponentials that alone may overflow or lose digits to underflow."""

from __future__ import annotations

from typing import Any

from ..vocabulary import abs, const, flat, fma, inf, two_product, where

__all__ = ["times_square"]


def times_square(factor: Any, root: Any, root_low: Any) -> Any:
    """A factor times (root + root_low)², where 0 * inf = 0."""
    one = const(1.0)
    # a factor that may be subnormal is raised, and the root lowered the second time
    tiny = abs(factor) < const(2.0**-60)
    raised = factor * where(tiny, const(2.0**60), one)
    part, part_low = two_product(raised, root)
    part_low = part_low + raised * root_low
    down = where(tiny, const(2.0**-60), one)
    last, last_low = root * down, root_low * down
    product = part * last
    exact = fma(part, last, fma(part, last_low, part_low * last))
    product = where(abs(product) < const(inf), exact, product)
    return where(factor == const(0.0), flat(root), product)
