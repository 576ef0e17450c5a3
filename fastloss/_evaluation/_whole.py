"""The tally of all rows, where nothing tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._tally import Tally, tally

__all__ = ["WholeTally"]


class WholeTally:
    """One segment that has all rows; see :class:`SegmentTallies`."""

    def __init__(self) -> None:
        self._kept = Tally()

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> WholeTally:
        """All rows, whose tally is the only one."""
        made = cls()
        (made._kept,) = tallies
        return made

    def update(
        self,
        losses: np.ndarray,
        weights: np.ndarray | None,
        codes: np.ndarray,
        segments: int,
        first: int,
        threads: int | None,
    ) -> None:
        """Adds units, which follow those before."""
        self._kept = self._kept.followed_by(tally(losses, weights, threads))

    def merge(self, other: WholeTally, codes: np.ndarray, segments: int, offset: int) -> None:
        """Adds the units of another, which follow its own."""
        self._kept = self._kept.followed_by(other._kept)

    def tally(self, segment: int) -> Tally:
        """Of the units so far."""
        return self._kept
