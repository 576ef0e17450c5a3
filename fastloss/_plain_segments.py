"""The records of a batch's segments, on NumPy."""

from __future__ import annotations

import numpy as np

from ._exact import products
from ._records import (
    FIRST_INFINITE,
    FIRST_NAN,
    GREATEST,
    INFINITE,
    LEAST,
    LIMB_BITS,
    LIMB_MASK,
    NAN,
    SKIPPED,
    USED,
    Records,
    limb,
    special,
)

__all__ = ["MOST_ROWS", "records_of"]

# Each adds at most two words to a sum, of less than 2**32 to a limb: together 2**57.
MOST_ROWS = 1 << 24


def records_of(
    losses: np.ndarray, weights: np.ndarray | None, codes: np.ndarray, segments: int
) -> Records:
    """Of at most MOST_ROWS rows, as the core's tally_segments adds them to none."""
    to = Records()
    to.grow(segments)
    rows = np.arange(losses.size)
    x = losses.astype(np.float64)
    if weights is not None:
        used = weights != 0
        if not used.all():
            to.need([SKIPPED])
            to[SKIPPED][:] = np.bincount(codes[~used], minlength=segments)
        rows, x, w, codes = rows[used], x[used], weights[used], codes[used]
    to[USED][:] = np.bincount(codes, minlength=segments)
    real = ~np.isnan(x)
    np.minimum.at(to[LEAST], codes[real], x[real])
    np.maximum.at(to[GREATEST], codes[real], x[real])
    _add_special(to, NAN, FIRST_NAN, rows, codes, np.isnan(x))
    _add_special(to, INFINITE, FIRST_INFINITE, rows, codes, np.isinf(x))
    if weights is not None:
        with np.errstate(all="ignore"):
            x = w * x
        _add(to, "weight", codes, w)
        _add(to, "weight_times_loss", codes, *products(w, x))
        _add(to, "weight_squared", codes, *products(w, w))
    _add(to, "loss", codes, x)
    _add(to, "loss_squared", codes, *products(x, x))
    return to


def _add_special(
    to: Records, count: int, first: int, rows: np.ndarray, codes: np.ndarray, which: np.ndarray
) -> None:
    if which.any():
        to.need([count, first])
        to[count][:] = np.bincount(codes[which], minlength=len(to))
        to[first][codes[which][::-1]] = rows[which][::-1]  # of several the last stays


def _add(to: Records, name: str, codes: np.ndarray, *words: np.ndarray) -> None:
    for word in words:
        finite = np.isfinite(word)
        if not finite.all():
            to.need([special(name)])
            others = word[~finite]
            bits = np.select([np.isnan(others), others > 0], [1, 2], 4)
            np.bitwise_or.at(to[special(name)], codes[~finite], bits)
        _add_finite(to, name, codes[finite], word[finite])


def _add_finite(to: Records, name: str, codes: np.ndarray, x: np.ndarray) -> None:
    bits = x.view(np.int64)
    exponents = bits >> 52 & 2047
    mantissas = (bits & (1 << 52) - 1) + (np.minimum(exponents, 1) << 52)
    positions = exponents - np.minimum(exponents, 1)
    limbs, shifts = positions // LIMB_BITS, positions % LIMB_BITS
    upper = mantissas >> LIMB_BITS - shifts
    lower = (mantissas & (1 << LIMB_BITS - shifts) - 1) << shifts
    for i, digits in enumerate((lower, upper & LIMB_MASK, upper >> LIMB_BITS)):
        some = np.where(bits < 0, -digits, digits)
        for first in np.unique(limbs[some != 0]):
            which = (limbs == first) & (some != 0)
            to.need([limb(name, int(first) + i)])
            np.add.at(to[limb(name, int(first) + i)], codes[which], some[which])
