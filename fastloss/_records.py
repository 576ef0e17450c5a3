"""Records of many segments: columns come as they are needed, segments as they are met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ._tally import SUMS

__all__ = [
    "FIRST_INFINITE",
    "FIRST_NAN",
    "GREATEST",
    "INFINITE",
    "LEAST",
    "LIMBS",
    "LIMB_BITS",
    "LIMB_MASK",
    "NAN",
    "SKIPPED",
    "USED",
    "Records",
    "limb",
    "special",
    "with_records",
]

# The columns, as in fastloss.h; every record has the first three.
USED, LEAST, GREATEST, SKIPPED, NAN, FIRST_NAN, INFINITE, FIRST_INFINITE = range(8)
_SPECIAL = 8
_LIMB = _SPECIAL + len(SUMS)
LIMBS, LIMB_BITS = 67, 32
LIMB_MASK = (1 << LIMB_BITS) - 1
_COLUMNS = _LIMB + len(SUMS) * LIMBS
_CARRIED = 1 << 61  # more than a limb without a next one has after a carry
_LINE = 8  # numbers in a cache line


def special(name: str) -> int:
    """The column of what was not finite: 1 a NaN, 2 an infinity, 4 a negative one."""
    return _SPECIAL + SUMS.index(name)


def limb(name: str, i: int) -> int:
    """The column of what a sum has in units of 2**(32 i - 1074)."""
    return _LIMB + SUMS.index(name) * LIMBS + i


class Records:
    """A record of numbers for each segment.

    Attributes
    ----------
    cells : ndarray
        A row for each segment, of whole cache lines: threads that share out the segments write to
        no line of each other, and columns to come have some room.
    place : ndarray
        Which number of a record each column is; 0 where no segment has needed it yet.
    """

    def __init__(self) -> None:
        self.place = np.zeros(_COLUMNS, np.int16)
        self.place[[USED, LEAST, GREATEST]] = USED, LEAST, GREATEST
        self._width = GREATEST + 1
        self._size = 0
        self.cells = _zeros(0, _LINE)

    @classmethod
    def of(cls, cells: np.ndarray) -> Records:
        """Of all columns, those left out that are 0 everywhere."""
        made = cls()
        made.cells, made._size, made._width = cells, len(cells), _COLUMNS
        used = np.logical_or.reduce(cells, axis=0)
        used[[FIRST_NAN, FIRST_INFINITE]] = used[[NAN, INFINITE]]
        made.place[used] = np.flatnonzero(used)
        return made

    def __len__(self) -> int:
        return self._size

    def __contains__(self, column: int) -> bool:
        return bool(self.place[column]) or column == USED

    def __getitem__(self, column: int) -> np.ndarray:
        cells = self.cells[: self._size, self.place[column]]
        return cells.view(np.float64) if column in (LEAST, GREATEST) else cells

    def limbs(self, name: str) -> Iterator[tuple[int, np.ndarray]]:
        """The numbers and columns of a sum's limbs."""
        for i in range(LIMBS):
            if limb(name, i) in self:
                yield i, self[limb(name, i)]

    def grow(self, size: int) -> None:
        """Adds empty records."""
        old = self._size
        if size > len(self.cells):
            # a quarter more, so that segments that come one by one are not copied each time
            self._move(max(size, old + old // 4), self.cells.shape[1])
        self._size = size
        self[LEAST][old:] = np.inf
        self[GREATEST][old:] = -np.inf

    def need(self, columns: Iterable[int]) -> None:
        """Adds the columns that are absent, of zeros."""
        absent = [column for column in columns if column not in self]
        self.place[absent] = np.arange(self._width, self._width + len(absent))
        self._width += len(absent)
        if self._width > self.cells.shape[1]:
            self._move(len(self.cells), -(-self._width // _LINE) * _LINE)

    def copy(self) -> Records:
        """The same in memory of its own."""
        other = Records()
        other.place, other._width, other._size = self.place.copy(), self._width, self._size
        other._move(self._size, self.cells.shape[1], self.cells)
        return other

    def carry(self, which: Any = slice(None)) -> None:
        """Leaves limbs in [0, 2**32), but for one below 2**61 in size without a next one."""
        for name in SUMS:
            for i, column in self.limbs(name):
                some = column[which]
                if i == LIMBS - 1 or not some.size:
                    continue
                if limb(name, i + 1) not in self:
                    if max(-some.min(), some.max()) < _CARRIED:
                        continue
                    self.need([limb(name, i + 1)])
                self[limb(name, i + 1)][which] += some >> LIMB_BITS
                self[limb(name, i)][which] = some & LIMB_MASK

    def _move(self, capacity: int, stride: int, cells: np.ndarray | None = None) -> None:
        old = self.cells if cells is None else cells
        self.cells = _zeros(capacity, stride)
        self.cells[: self._size, : old.shape[1]] = old[: self._size]


def with_records(cells: np.ndarray | None, size: int) -> np.ndarray:
    """Records of all columns, with empty ones at their end."""
    old = 0 if cells is None else len(cells)
    if cells is not None and old == size:
        return cells
    grown = np.zeros((size, _COLUMNS), np.int64)
    grown[:, LEAST].view(np.float64)[:] = np.inf
    grown[:, GREATEST].view(np.float64)[:] = -np.inf
    if cells is not None:
        grown[:old] = cells
    return grown


def _zeros(records: int, stride: int) -> np.ndarray:
    """Records from the beginning of a cache line on."""
    cells = np.zeros(records * stride + _LINE - 1, np.int64)
    skipped = -(cells.ctypes.data // cells.itemsize) % _LINE
    return cells[skipped : skipped + records * stride].reshape(records, stride)
