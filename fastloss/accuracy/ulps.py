"""Errors of floats in units in the last place."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

__all__ = ["FORMATS", "Column", "ulp_error"]

FORMATS = {"float32": (24, -126, 127), "float64": (53, -1022, 1023)}
"""Bits of the significand, least and largest exponent of a normal number."""


def ulp_exponent(magnitude: Any, dtype: str) -> int:
    """The exponent of the ulp of a number's binade, never below the least subnormal's.

    Of a number beyond the format it is what a larger exponent would have had, up to its square.
    """
    digits, least, largest = FORMATS[dtype]
    exponent = mpmath.frexp(magnitude)[1] - 1 if magnitude else least
    return int(min(max(exponent, least), 2 * largest) - digits + 1)


def ulp_error(got: Any, exact: Any, dtype: str, scale: Any = None) -> float:
    """The error of a float, in ulps of the exact result or of a larger scale.

    An infinity counts as the number that a larger exponent would have held.
    """
    got = float(got)
    if mpmath.isnan(exact):
        return 0.0
    if math.isnan(got):
        return math.inf
    if mpmath.isinf(exact):
        return 0.0 if got == exact else math.inf
    largest = FORMATS[dtype][2]
    with mpmath.workprec(2600):
        end = mpf(2) ** (largest + 1)
        exact = mpf(exact)
        if math.isinf(got):
            if exact * got > 0 and abs(exact) >= end:
                return 0.0
            got = end if got > 0 else -end
        magnitude = abs(exact) if scale is None else max(abs(exact), mpf(scale))
        return float(abs(mpf(got) - exact) / mpf(2) ** ulp_exponent(magnitude, dtype))


class Column:
    """Exact numbers prepared for fast comparison: nearest double, what it lacks, and the ulp."""

    def __init__(self, exact: list[Any], dtype: str) -> None:
        self.nearest = np.array([float(x) for x in exact])
        self.exponent = np.array(
            [ulp_exponent(abs(x), dtype) if mpmath.isfinite(x) else 0 for x in exact]
        )
        self.rest = np.array(
            [float((mpf(n) - x) * mpf(2) ** -int(e)) if math.isfinite(n) else 0.0
             for n, x, e in zip(self.nearest, exact, self.exponent, strict=True)]
        )  # fmt: skip

    def errors(self, got: Any, low: Any = 0.0) -> np.ndarray:
        """In ulps of each result, got + low; infinite where only :func:`ulp_error` can tell."""
        got, low = (np.asarray(x, np.float64).ravel() for x in (got, low))
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.ldexp(got - self.nearest, -self.exponent)
            error = np.abs(gap + (self.rest + np.ldexp(low, -self.exponent)))
        return np.where(np.isfinite(error), error, np.inf)
