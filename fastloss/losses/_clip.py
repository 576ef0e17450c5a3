"""Probabilities clipped to [eps, 1 - eps], where 1 - eps may round to 1.

A negative eps clips none.
"""

from __future__ import annotations

from typing import Any

from ..vocabulary import const, two_difference, two_log, where

__all__ = ["clip", "is_clipped", "log_clipped", "unclipped"]

unclipped: Any = property(lambda loss: loss.eps == 0)
"""Whether a loss clips nothing: what is convex and smooth then is neither where it clips."""


def clip(p: Any, eps: Any) -> Any:
    """For definitions: the clipped probability itself."""
    return where(p < eps, eps, where(p > 1 - eps, 1 - eps, p))


def is_clipped(p: Any, eps: Any) -> Any:
    """Whether p is at or beyond an end."""
    return (p <= eps) | (const(1.0) - p <= eps)


def log_clipped(p: Any, eps: Any) -> Any:
    """The logarithm of the clipped probability, in two words."""
    high, high_low = two_difference(const(1.0), eps)
    above = const(1.0) - p <= eps
    inside = where(above, high, p)
    return two_log(where(p <= eps, eps, inside), where(above, high_low, const(0.0)))
