"""Tallies of many segments, as compact as their numbers allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._exact import Exact
from ._native import core
from ._plain_segments import MOST_ROWS, records_of
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
    with_records,
)
from ._tally import SUMS, Special, Tally

__all__ = ["SegmentTallies"]

_ROWS_PER_THREAD = 1 << 14
# Blocks of a segment's rows are tallied at once where most are full, and all lie in the cache.
_FEW, _ROWS_PER_SEGMENT = 256, 256
# 1 in a fixed-point number of units of 2**-1074
_LIMB_OF_ONE, _SHIFT_OF_ONE = divmod(1074, LIMB_BITS)
_HALF = 1 << LIMB_BITS - 1
_OF_WEIGHTS = ("weight", "weight_times_loss", "weight_squared")


class SegmentTallies:
    """Tallies of many segments: the same bits for any order, partition and number of threads.

    A segment takes 8 bytes for each column that some segment needs, in multiples of 64: three
    columns, those of the digits of its sums, and others where rows weigh 0 or are not finite. Sums
    of weights take none until weights come.

    Examples
    --------
    >>> import numpy as np
    >>> kept = SegmentTallies()
    >>> kept.update(np.array([1.0, 2.0, 4.0]), None, np.array([0, 1, 0]), 2, 0, 1)
    >>> float(kept.tally(0).sums["loss"])
    5.0
    """

    def __init__(self) -> None:
        self._kept = Records()
        self._blocks: np.ndarray | None = None  # records of all columns, to be added
        self._weighted = False

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> SegmentTallies:
        """Segments whose tallies are known."""
        made = cls()
        made._weighted = True
        made._records.grow(len(tallies))
        for i, found in enumerate(tallies):
            made._set(i, found)
        return made

    @property
    def _records(self) -> Records:
        """Those of all rows."""
        if self._blocks is not None:
            blocks, self._blocks = Records.of(self._blocks), None
            self._add(blocks, slice(len(blocks)), 0)
        return self._kept

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Memory taken, that for segments to come among it."""
        return self._records.cells.nbytes + self._records.place.nbytes

    @property
    def bytes_each(self) -> int:
        """Memory that a segment takes, with its share of that for segments to come."""
        return self._kept.cells.shape[1] * 10  # 8 and a quarter of it

    def update(
        self,
        losses: np.ndarray,
        weights: np.ndarray | None,
        codes: np.ndarray,
        segments: int,
        first: int,
        threads: int | None,
    ) -> None:
        """Adds rows.

        Parameters
        ----------
        losses : ndarray
            Contiguous, of float32 or float64.
        weights : ndarray or None
            Float64, finite and >= 0; 0 is absent, None is 1 for all.
        codes : ndarray
            The segment of each row, contiguous, of int32 or int64.
        segments : int
            How many there are now, at least as many as before.
        first : int
            Which row of the source losses[0] is.
        threads : int or None

        Raises
        ------
        IndexError
            Where a code is of no segment; nothing is added then.
        """
        if codes.size and not 0 <= codes.min() <= codes.max() < segments:
            raise IndexError(f"codes must be in [0, {segments}); got {codes.min()}..{codes.max()}")
        self._kept.grow(segments)
        if weights is not None:
            self._weigh()
        elif self._weighted:
            weights = np.ones(losses.size)
        if core is not None:
            self._update(losses, weights, codes, first, threads)
            return
        for begin in range(0, losses.size, MOST_ROWS):
            part = slice(begin, begin + MOST_ROWS)
            some, local = np.unique(codes[part], return_inverse=True)
            weight = None if weights is None else weights[part]
            found = records_of(losses[part], weight, local, some.size)
            self._add(found, some, first + begin)

    def merge(self, other: SegmentTallies, codes: np.ndarray, segments: int, offset: int) -> None:
        """Adds the rows of others.

        Parameters
        ----------
        other : SegmentTallies
        codes : ndarray
            Which segment here each of the other's is; no two are the same.
        segments : int
            How many there are now, at least as many as before.
        offset : int
            Which row of the source here the other's row 0 is.
        """
        self._records.grow(segments)
        other = other._copy()
        if self._weighted or other._weighted:
            self._weigh()
            other._weigh()
        self._add(other._records, codes, offset)

    def tally(self, i: int) -> Tally:
        """That of a segment."""
        kept = self._records
        cells = kept.cells[i].tolist()

        def of(column: int) -> int:
            return cells[kept.place[column]] if column in kept else 0

        used = of(USED)
        found = Tally(
            rows=used + of(SKIPPED),
            used=used,
            nan=Special(of(NAN), of(FIRST_NAN)) if of(NAN) else Special(),
            infinite=Special(of(INFINITE), of(FIRST_INFINITE)) if of(INFINITE) else Special(),
            least=float(kept[LEAST][i]),
            greatest=float(kept[GREATEST][i]),
        )
        for name in SUMS[: 5 if self._weighted else 2]:
            units = sum(int(column[i]) << LIMB_BITS * k for k, column in kept.limbs(name))
            found.sums[name] = Exact(units, -1074, _SPECIAL[of(special(name))])
        if not self._weighted:
            sums = (Exact(used), found.sums["loss"], Exact(used))
            found.sums.update(zip(_OF_WEIGHTS, sums, strict=True))
        return found

    def _set(self, i: int, found: Tally) -> None:
        cells = {USED: found.used, SKIPPED: found.rows - found.used}
        for kind, count, first in (
            (found.nan, NAN, FIRST_NAN),
            (found.infinite, INFINITE, FIRST_INFINITE),
        ):
            if kind.count:
                cells |= {count: kind.count, first: kind.first}
        for name, total in found.sums.items():
            cells[special(name)] = _special_bits(total.special)
            digits, k = total.units << total.place + 1074, 0
            while digits:
                last = -_HALF <= digits < _HALF  # which keeps the sign
                cells[limb(name, k)] = digits if last else digits & LIMB_MASK
                digits, k = 0 if last else digits >> LIMB_BITS, k + 1
        kept = self._records
        kept.need([column for column, value in cells.items() if value])
        for column, value in cells.items():
            if column in kept:
                kept[column][i] = value
        kept[LEAST][i], kept[GREATEST][i] = found.least, found.greatest

    def _copy(self) -> SegmentTallies:
        other = SegmentTallies()
        other._kept, other._weighted = self._records.copy(), self._weighted
        return other

    def _weigh(self) -> None:
        """Fills in the sums of weights, all of which were 1."""
        if self._weighted:
            return
        self._weighted = True
        kept = self._records
        lower_bits = LIMB_BITS - _SHIFT_OF_ONE
        lower = (kept[USED] & (1 << lower_bits) - 1) << _SHIFT_OF_ONE
        for name in ("weight", "weight_squared"):
            for i, digits in enumerate((lower, kept[USED] >> lower_bits)):
                if digits.any():
                    kept.need([limb(name, _LIMB_OF_ONE + i)])
                    kept[limb(name, _LIMB_OF_ONE + i)][:] = digits
        pairs = [(special("loss"), special("weight_times_loss"))]
        pairs += [(limb("loss", i), limb("weight_times_loss", i)) for i, _ in kept.limbs("loss")]
        for source, to in pairs:
            if source in kept:
                kept.need([to])
                kept[to][:] = kept[source]

    def _update(
        self,
        losses: np.ndarray,
        weights: np.ndarray | None,
        codes: np.ndarray,
        first: int,
        threads: int | None,
    ) -> None:
        if len(self) <= min(_FEW, losses.size // _ROWS_PER_SEGMENT):
            self._blocks = with_records(self._blocks, len(self))
            core.tally_few_segments(losses, weights, codes, first, threads, self._blocks)
            return
        most = core.get_threads() if threads is None else threads
        done = np.zeros(max(1, min(most, losses.size // _ROWS_PER_THREAD)), np.int64)
        kept = self._records
        while True:
            missing = np.zeros(kept.place.size, np.uint8)
            batch = losses, weights, codes, first
            if not core.tally_segments(*batch, kept.cells, kept.place, done, missing):
                return
            kept.need(np.flatnonzero(missing).tolist())

    def _add(self, other: Records, which: Any, offset: int) -> None:
        """Adds records that need not stay as they are to some of one's own."""
        kept = self._kept
        other.carry()
        kept.need(np.flatnonzero(other.place).tolist())
        kept[LEAST][which] = np.minimum(kept[LEAST][which], other[LEAST])
        kept[GREATEST][which] = np.maximum(kept[GREATEST][which], other[GREATEST])
        for count, first in ((NAN, FIRST_NAN), (INFINITE, FIRST_INFINITE)):
            if count in other:
                mine, theirs = kept[first][which], other[first] + offset
                earlier = (kept[count][which] == 0) | (theirs < mine)
                kept[first][which] = np.where((other[count] > 0) & earlier, theirs, mine)
        for name in SUMS:
            if special(name) in other:
                kept[special(name)][which] |= other[special(name)]
            for i, digits in other.limbs(name):
                kept[limb(name, i)][which] += digits
        for count in (USED, SKIPPED, NAN, INFINITE):
            if count in other:
                kept[count][which] += other[count]
        kept.carry(which)  # the core counts on it


def _special_bits(x: float) -> int:
    return 0 if x == 0 else 1 if x != x else 2 if x > 0 else 4


_SPECIAL = [0.0, math.nan, math.inf, math.nan, -math.inf, math.nan, math.nan, math.nan]
