"""What an evaluation has found so far: sums for each loss, model and segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from .._loss import Loss
from .._result import LossResult, result_of
from .._segments import SegmentTallies
from .._tally import Tally
from .._version import __version__
from ._batch import Batch
from ._clusters import clustered_errors
from ._keys import Keys
from ._losses import Losses
from ._report import Cell, Results, compared, measured
from ._request import Request
from ._table import Table
from ._whole import WholeTally
from ._written import request_from_dict, request_to_dict, value_from_json, value_to_json

__all__ = ["Evaluation"]

SCHEMA = 1

# Of a key: a tuple of one text, and its place in a dictionary.
_KEY_BYTES = 300


class Evaluation:
    """What :func:`fastloss.evaluate` found; evaluations of parts of the data add up.

    Attributes
    ----------
    rows, dropped : int
        Rows that were read, and those of them left out for a null or a value that is refused.
    """

    def __init__(self, request: Request) -> None:
        self.rows = 0
        self.dropped = 0
        self._request = request
        self._keys = Keys()
        if not request.keys:
            self._keys.number(())
        store = SegmentTallies if request.keys else WholeTally
        self._kept: dict[Cell, Any] = {cell: store() for cell in _cells(request)}
        self._units = dict.fromkeys(self._kept, 0)

    @property
    def table(self) -> Table:
        """For each segment, loss and model the mean and what else is known of the losses.

        Columns are those of ``by``, ``loss``, ``model``, then ``mean``, ``standard_error``, ``low``
        and ``high`` (the 95 % interval), ``root`` where a loss is known by its square root,
        ``skill`` where asked for, ``weight``, ``count``, ``skipped``, ``nan``, ``infinite``,
        ``minimum`` and ``maximum``.
        """
        return self._measured(self._request.by)

    @property
    def differences(self) -> Table:
        """For each segment and loss, what a model loses more than the first one, row by row.

        Columns are those of ``by``, ``loss``, ``model``, ``than``, then ``difference``,
        ``standard_error``, ``low``, ``high``, and ``better``: the model that the interval speaks
        for, or nothing where it has 0 inside.
        """
        return self._compared(self._request.by)

    @property
    def overall(self) -> Table:
        """The table of all rows together."""
        return self._measured(())

    @property
    def overall_differences(self) -> Table:
        """The differences of all rows together."""
        return self._compared(())

    def __add__(self, other: Any) -> Evaluation:
        if not isinstance(other, Evaluation):
            return NotImplemented
        if self._request != other._request:
            raise ValueError("evaluations of different losses or columns do not add up")
        both = Evaluation(self._request)
        both._take(self)
        both._take(other)
        return both

    def __radd__(self, other: Any) -> Evaluation:
        return self if other == 0 else NotImplemented  # where sum() begins

    def __repr__(self) -> str:
        tables = [self.table, self.differences] if self._request.pairs else [self.table]
        return "\n\n".join(map(repr, tables))

    def _repr_html_(self) -> str:
        tables = [self.table, self.differences] if self._request.pairs else [self.table]
        return "".join(table._repr_html_() for table in tables)

    def to_dict(self) -> dict[str, Any]:
        """All that was summed, as ``json.dumps`` takes it.

        Returns
        -------
        dict
            ``"schema"`` is the version of this layout.

        Raises
        ------
        TypeError
            Where a key is neither text, bytes nor a number, a date, a time or a null.
        """
        return {
            "schema": SCHEMA,
            "fastloss": __version__,
            "request": request_to_dict(self._request),
            "rows": self.rows,
            "dropped": self.dropped,
            "segments": [[value_to_json(x) for x in key] for key in self._keys],
            "sums": [
                {
                    "cell": cell,
                    "units": self._units[cell],
                    "tallies": [kept.tally(i).to_dict() for i in range(len(self._keys))],
                }
                for cell, kept in self._kept.items()
            ],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], losses: dict[str, Loss] | None = None) -> Evaluation:
        """The evaluation that :meth:`to_dict` wrote.

        Parameters
        ----------
        data : dict
        losses : dict of str to Loss, optional
            By their names in the tables, losses that are none of the registry.

        Raises
        ------
        ValueError
            Where the schema is another, or a loss is unknown.
        """
        if data.get("schema") != SCHEMA:
            raise ValueError(
                f"data must be an evaluation of schema {SCHEMA}; got {data.get('schema')!r}, "
                f"written by fastloss {data.get('fastloss')!r}"
            )
        found = cls(request_from_dict(data["request"], losses or {}))
        for key in data["segments"]:
            found._keys.number(tuple(value_from_json(x) for x in key))
        store = SegmentTallies if found._request.keys else WholeTally
        for sums in data["sums"]:
            cell = tuple(sums["cell"])
            found._kept[cell] = store.of([Tally.from_dict(x) for x in sums["tallies"]])
            found._units[cell] = sums["units"]
        found.rows, found.dropped = data["rows"], data["dropped"]
        return found

    def _add(
        self,
        rows: int,
        kept: Batch,
        losses: Losses,
        threads: int | None,
        memory_limit: int,
    ) -> None:
        """Rows that were read, and the losses of those that were kept."""
        keys = self._request.keys
        codes = self._keys.codes(kept, keys) if keys else np.empty(0, np.int64)
        if keys:
            self._check_memory(memory_limit)
        for cell, (some, weights) in losses.items():
            several = keys and some.size > codes.size
            of_units = np.repeat(codes, some.size // codes.size) if several else codes
            self._kept[cell].update(
                some, weights, of_units, len(self._keys), self._units[cell], threads
            )
            self._units[cell] += some.size
        self.rows += rows
        self.dropped += rows - kept.rows

    def _check_memory(self, limit: int) -> None:
        segments = len(self._keys)
        each = _KEY_BYTES + sum(kept.bytes_each for kept in self._kept.values())
        if segments * each > limit:
            raise MemoryError(
                f"{segments} segments of {', '.join(self._request.keys)} so far take "
                f"{segments * each / 1e6:.0f} MB; memory_limit allows {limit / 1e6:.0f} MB"
            )

    def _take(self, other: Evaluation) -> None:
        codes = np.array([self._keys.number(key) for key in other._keys], np.int64)
        for cell, kept in other._kept.items():
            self._kept[cell].merge(kept, codes, len(self._keys), self._units[cell])
            self._units[cell] += other._units[cell]
        self.rows += other.rows
        self.dropped += other.dropped

    def _measured(self, by: tuple[str, ...]) -> Table:
        return measured(self._request, by, self._results(by))

    def _compared(self, by: tuple[str, ...]) -> Table:
        return compared(self._request, by, self._results(by))

    def _results(self, by: tuple[str, ...]) -> Results:
        """By segment, in the order of their keys, what each cell's losses amount to."""
        request = self._request
        parts, own = self._keys.by([request.keys.index(name) for name in request.told_by(by)])
        segments, codes = parts.by(range(len(by)))
        found: dict[tuple[Any, ...], dict[Cell, LossResult]] = {key: {} for key in segments}
        for cell, kept in self._kept.items():
            every = [kept.tally(i) for i in range(len(self._keys))]
            tallies = _joined(every, own, len(parts))
            results = [result_of(tally) for tally in _joined(tallies, codes, len(segments))]
            if request.cluster is not None:
                errors = clustered_errors(tallies, codes, results)
                results = [
                    replace(result, standard_error=error)
                    for result, error in zip(results, errors, strict=True)
                ]
            for key, result in zip(segments, results, strict=True):
                found[key][cell] = result
        return dict(sorted(found.items(), key=lambda item: [_place(value) for value in item[0]]))


def _joined(tallies: Sequence[Tally], codes: np.ndarray, segments: int) -> list[Tally]:
    if segments == len(tallies):
        return list(tallies)
    found = [Tally() for _ in range(segments)]
    for tally, segment in zip(tallies, codes.tolist(), strict=True):
        found[segment] = found[segment].beside(tally)
    return found


def _place(value: Any) -> tuple[Any, ...]:
    """For an order of values, of one kind each after the other, with NaN and nulls last."""
    if value is None or value != value:
        return (1 if value is not None else 2,)
    number = isinstance(value, (int, float, Decimal))
    zoned = getattr(value, "tzinfo", None) is not None  # such times are never before others
    return 0, "" if number else type(value).__name__, zoned, value


def _cells(request: Request) -> Iterator[Cell]:
    for loss in request.losses:
        for model in request.models:
            yield loss, model
        for pair in request.pairs:
            yield loss, *pair
    for loss in request.skilled:
        yield (loss,)
        yield loss, None
    if request.skilled:
        yield ()
