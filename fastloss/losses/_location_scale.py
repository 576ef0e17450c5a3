"""What is predicted is a location and a scale, its logarithm or its square."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, POSITIVE, Domain
from .._loss import MapLoss
from ..vocabulary import (
    abs,
    const,
    inf,
    two_difference,
    two_exp_product,
    where,
)
from ._two_words import inverse_of, scaled

__all__ = [
    "LocationScale",
    "inverse_square",
    "lift",
    "raised_inverse",
    "residual",
    "standardize",
]


class LocationScale(MapLoss):
    """A score of which the location and the scale, or what stands for it, are predicted."""

    convex = False
    proper = True
    sample = (-1.0, 3.0)
    scale_is: str
    hessian: str

    @property
    def inputs(self) -> tuple[str, ...]:  # type: ignore[override]
        return "prediction", "target", self.scale_is

    @property
    def differentiated(self) -> tuple[str, ...]:  # type: ignore[override]
        return "prediction", self.scale_is

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, ANYTHING, ANYTHING if self.scale_is.startswith("log_") else POSITIVE


# ---- what is predicted is a scale's logarithm, or the scale itself


def residual(prediction: Any, target: Any) -> Any:
    """Prediction less target, in two words, divided by a unit of 2 where it would overflow."""
    large = abs(prediction - target) == const(inf)
    share = where(large, const(0.5), const(1.0))
    r, r_low = two_difference(prediction * share, target * share)
    return r, r_low, where(large, const(2.0), const(1.0))


def lift(r: Any, r_low: Any, unit: Any) -> Any:
    """A residual that is raised if it is small, and what takes that back.

    So no subnormal number is multiplied by a large one.
    """
    small = abs(r) < const(2.0**-60)
    up = where(small, const(2.0**60), const(1.0))
    return r * up, r_low * up, where(small, const(2.0**-60), unit)


def standardize(r: Any, r_low: Any, unit: Any, log_scale: Any) -> Any:
    """A residual over the scale, and over the scale once more, in two words each."""
    r, r_low, down = lift(r, r_low, unit)
    once, once_low = two_exp_product(-log_scale, r, r_low)
    z, z_low = scaled(once, once_low, down)
    stays = abs(once) < const(1.0)
    kept, kept_low = where(stays, once, z), where(stays, once_low, z_low)
    slope, slope_low = two_exp_product(-log_scale, kept, kept_low)
    slope, slope_low = scaled(slope, slope_low, where(stays, down, const(1.0)))
    return z, z_low, slope, slope_low


def inverse_square(log_scale: Any) -> Any:
    """One over the scale's square, in two words."""
    inverse, inverse_low = two_exp_product(-log_scale, const(1.0))
    return two_exp_product(-log_scale, inverse, inverse_low)


def raised_inverse(scale: Any) -> Any:
    """A power of two and one over its product with a scale, which is a normal number."""
    up = where(scale > const(2.0**64), const(2.0**-64), const(1.0))
    up = where(scale < const(2.0**-64), const(2.0**64), up)
    inverse, inverse_low = inverse_of(scale * up, const(0.0))
    return up, inverse, inverse_low
