"""Sums of doubles that are not rounded: no order, partition or machine changes a bit of them."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["Exact", "products", "rounded"]

_HEAD = struct.Struct("<qd")
_DIGITS = 53
_HALF = 26


class Exact:
    """The sum ``units * 2**place``, and what is not finite beside it.

    Parameters
    ----------
    units : int
    place : int
        The exponent of a unit.
    special : float
        The sum of the terms that are not finite; 0 without any.
    """

    __slots__ = ("place", "special", "units")

    def __init__(self, units: int = 0, place: int = 0, special: float = 0.0) -> None:
        zeros = (units & -units).bit_length() - 1 if units else 0
        self.units = units >> zeros
        self.place = place + zeros if units else 0
        self.special = special if special == special else math.nan  # of one pattern of bits

    @classmethod
    def of(cls, x: np.ndarray) -> Exact:
        """The sum of an array of float64."""
        finite = np.isfinite(x)
        with np.errstate(invalid="ignore"):
            special = float(np.sum(x[~finite]))
        mantissas, exponents = np.frexp(x[finite])
        whole = (mantissas * 2.0**_DIGITS).astype(np.int64)
        lowest = int(exponents.min(initial=0))
        units = 0
        for exponent in np.unique(exponents):
            some = whole[exponents == exponent]
            high, low = int(np.sum(some >> _HALF)), int(np.sum(some & ((1 << _HALF) - 1)))
            units += ((high << _HALF) + low) << (int(exponent) - lowest)
        return cls(units, lowest - _DIGITS, special)

    def __add__(self, other: Exact) -> Exact:
        special = self.special + other.special
        if not self.units or not other.units:
            some = self if self.units else other
            return Exact(some.units, some.place, special)
        place = min(self.place, other.place)
        units = (self.units << self.place - place) + (other.units << other.place - place)
        return Exact(units, place, special)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exact) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Exact({float(self)!r})"

    def fraction(self) -> Fraction:
        """The finite part."""
        return Fraction(self.units) * Fraction(2) ** self.place

    def __float__(self) -> float:
        if self.special:  # NaN counts as true
            return self.special
        return rounded(self.fraction())

    def to_bytes(self) -> bytes:
        """Place, special part and units, little-endian."""
        size = self.units.bit_length() // 8 + 1
        return _HEAD.pack(self.place, self.special) + self.units.to_bytes(
            size, "little", signed=True
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Exact:
        """What :meth:`to_bytes` made."""
        place, special = _HEAD.unpack_from(data)
        return cls(int.from_bytes(data[_HEAD.size :], "little", signed=True), place, special)


def rounded(x: Fraction) -> float:
    """The nearest double; an infinity beyond the largest."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def products(a: np.ndarray, b: np.ndarray) -> tuple[Any, Any]:
    """Products as two words (Dekker), of which the lower rounds where it underflows."""
    with np.errstate(all="ignore"):
        high = a * b
        (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
        low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low
    return high, np.where(np.isfinite(low), low, 0.0)


def _halves(x: np.ndarray) -> tuple[Any, Any]:
    scaled = x * (2.0 ** (_HALF + 1) + 1)
    high = scaled - (scaled - x)
    return high, x - high
