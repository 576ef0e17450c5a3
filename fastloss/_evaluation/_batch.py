"""Some rows of a source, and what arrays losses take of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._columns import from_pyarrow
from .._inputs import as_array
from .._messages import shown
from ._arrow import as_arrow
from ._request import Columns

__all__ = ["Batch"]


@dataclass(frozen=True)
class Batch:
    """Columns by name: NumPy's arrays or Arrow's.

    ``first`` counts the rows before in the same file, of those that a filter leaves; ``numbers``
    are those that the rows had before some were left out. ``widths``, which the batches of a source
    share, are the lengths of lists that columns were found to have.
    """

    columns: Mapping[str, Any]
    rows: int
    first: int = 0
    file: str | None = None
    filtered: bool = False
    numbers: np.ndarray | None = None
    widths: dict[str, int] = field(default_factory=dict)

    def where(self, row: int) -> str:
        """A row, as one would look for it."""
        number = row if self.numbers is None else int(self.numbers[row])
        place = f"row {self.first + number}"
        if self.filtered:
            place += " of those that the filter leaves"
        return place if self.file is None else f"{self.file}, {place}"

    def keep(self, rows: np.ndarray) -> Batch:
        """The rows of a mask."""
        kept = {
            name: x[rows] if isinstance(x, np.ndarray) else x.filter(_arrow_mask(rows))
            for name, x in self.columns.items()
        }
        numbers = np.flatnonzero(rows) if self.numbers is None else self.numbers[rows]
        return replace(self, columns=kept, rows=len(numbers), numbers=numbers)

    def slices(self, rows: int) -> list[Batch]:
        """Parts of so many rows."""
        if self.rows <= rows:
            return [self]
        return [
            replace(
                self,
                columns={name: x[begin : begin + rows] for name, x in self.columns.items()},
                rows=min(rows, self.rows - begin),
                first=self.first + begin,
            )
            for begin in range(0, self.rows, rows)
        ]

    def nulls(self, names: Sequence[str]) -> tuple[np.ndarray | None, str]:
        """Which rows have a null in some column, and the column of the first; None without any."""
        found: np.ndarray | None = None
        column = ""
        for name in names:
            missing = _missing(self.columns[name])
            if missing is None:
                continue
            if found is None or not found[: missing.argmax() + 1].any():
                column = name
            found = missing if found is None else found | missing
        return found, column

    def array(self, columns: Columns, argument: str) -> np.ndarray:
        """One number a row of a column, as many as a list column has, or one of each column."""
        if not isinstance(columns, str):
            return np.stack([self.array(name, argument) for name in columns], axis=1)
        x, name = self.columns[columns], f"column {columns!r} ({argument})"
        if isinstance(x, np.ndarray) and x.dtype != object:
            return as_array(x, name)
        x = _decoded(as_arrow(x))
        lengths = _lengths(x)
        if lengths is not None and len(x):
            width = self.widths.setdefault(columns, int(lengths[0]))
            different = lengths != width
            if different.any():
                row = int(different.argmax())
                raise ValueError(
                    f"{self.where(row)}: column {columns!r} has {lengths[row]} numbers, rows "
                    f"before have {width}"
                )
            if not width:
                raise ValueError(f"{self.where(0)}: column {columns!r} has a list without numbers")
            x = _of_length(x, width)
        return np.asarray(from_pyarrow(x, name))

    def classes(self, column: str, labels: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Places in a list of labels, and which rows have another value."""
        import pyarrow as pa
        import pyarrow.compute as pc

        x = _decoded(as_arrow(self.columns[column]))
        try:
            known = pa.array(labels).cast(x.type)
        except (NotImplementedError, TypeError, ValueError):  # PyArrow's are such
            raise TypeError(
                f"labels are {shown(list(labels))}; column {column!r} is {x.type}"
            ) from None
        places = pc.index_in(x, value_set=known)
        unknown = np.asarray(places.is_null())
        return np.asarray(places.fill_null(0)), unknown

    def value(self, column: str, row: int) -> Any:
        """What a column holds, as Python's."""
        x = self.columns[column][row]
        return x.item() if isinstance(x, np.generic) else x.as_py() if hasattr(x, "as_py") else x


def _arrow_mask(rows: np.ndarray) -> Any:
    import pyarrow

    return pyarrow.array(rows)


def _missing(x: Any) -> np.ndarray | None:
    """Where a column is null, or has a list with a null in it; None without any."""
    if isinstance(x, np.ndarray):
        missing = np.array([value is None for value in x]) if x.dtype == object else None
        return missing if missing is not None and missing.any() else None
    import pyarrow.compute as pc

    x = _decoded(x)
    missing = np.asarray(x.is_null()) if x.null_count else None
    flat = x.flatten() if hasattr(x.type, "value_type") else x
    if flat is not x and flat.null_count:
        inside = np.zeros(len(x), bool)
        inside[np.asarray(pc.list_parent_indices(x))[np.asarray(flat.is_null())]] = True
        missing = inside if missing is None else missing | inside
    return missing


def _decoded(x: Any) -> Any:
    import pyarrow as pa

    return x.dictionary_decode() if pa.types.is_dictionary(x.type) else x


def _lengths(x: Any) -> np.ndarray | None:
    """Of the lists of a column, where they may differ."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(x.type) or pa.types.is_large_list(x.type):
        return np.asarray(pc.list_value_length(x))
    return None


def _of_length(x: Any, length: int) -> Any:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(x.flatten(), length)
