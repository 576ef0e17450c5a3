"""A table of results, for terminals, notebooks, data frames and files."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator
from typing import Any

__all__ = ["Table"]


class Table:
    """Rows of an evaluation.

    Parameters
    ----------
    rows : list of dict
        The values by the names of the columns.
    columns : list of str
        Their names.
    note : str
        What intervals assume.
    """

    def __init__(self, rows: list[dict[str, Any]], columns: list[str], note: str) -> None:
        self.rows = rows
        self.columns = columns
        self.note = note

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return self.rows[row]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    # ---- shown

    def _cells(self) -> list[list[str]]:
        return [self.columns, *([_shown(x) for x in row.values()] for row in self.rows)]

    def _numeric(self) -> list[bool]:
        """Which columns hold numbers: those align to the right."""
        return [
            all(isinstance(row[name], (int, float)) for row in self.rows if row[name] is not None)
            for name in self.columns
        ]

    def __repr__(self) -> str:
        cells, numeric = self._cells(), self._numeric()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, numeric, strict=True)
            ).rstrip()
            for line in cells
        ]
        return "\n".join([*lines, self.note])

    def _repr_html_(self) -> str:
        numeric = self._numeric()

        def line(tag: str, cells: list[str]) -> str:
            aligned = zip(cells, numeric, strict=True)
            return "".join(
                f'<{tag} style="text-align:{"right" if right else "left"}">{html.escape(cell)}'
                f"</{tag}>"
                for cell, right in aligned
            )

        head, *lines = self._cells()
        note = f"<caption>{html.escape(self.note)}</caption>"
        body = "".join(f"<tr>{line('td', cells)}</tr>" for cells in lines)
        return (
            f"<table>{note}<thead><tr>{line('th', head)}</tr></thead><tbody>{body}</tbody></table>"
        )

    def __rich__(self) -> Any:
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(caption=Text(self.note))  # text: what is in brackets is no markup
        head, *lines = self._cells()
        for name, right in zip(head, self._numeric(), strict=True):
            table.add_column(Text(name), justify="right" if right else "left")
        for line in lines:
            table.add_row(*map(Text, line))
        return table

    def to_markdown(self) -> str:
        """A table in GitHub's Markdown."""
        head, *lines = self._cells()
        rule = ["--:" if right else "---" for right in self._numeric()]
        escaped = [[cell.replace("|", "\\|") for cell in line] for line in (head, rule, *lines)]
        return "\n".join(f"| {' | '.join(line)} |" for line in escaped)

    # ---- given to others

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns."""
        return {name: [row[name] for row in self.rows] for name in self.columns}

    def to_json(self) -> str:
        """An object with the rows, and the note; numbers that are not finite are null."""
        rows = [{name: _plain(x) for name, x in row.items()} for row in self.rows]
        return json.dumps({"note": self.note, "rows": rows}, indent=1)

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``."""
        import pyarrow

        return pyarrow.table({name: _as_arrow(x) for name, x in self.to_dict().items()})

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``."""
        import pandas

        return pandas.DataFrame(self.to_dict())

    def to_polars(self) -> Any:
        """A ``polars.DataFrame``."""
        import polars

        return polars.DataFrame(self.to_dict(), strict=False)


def _as_arrow(values: list[Any]) -> Any:
    import pyarrow

    whole = [x for x in values if isinstance(x, int)]
    unsigned = max(whole, default=0) >= 2**63  # which is not found out
    return pyarrow.array(values, pyarrow.uint64() if unsigned else None)


def _shown(x: Any) -> str:
    if x is None:
        return ""
    return f"{x:.6g}" if isinstance(x, float) else str(x)


def _plain(x: Any) -> Any:
    if x is None or isinstance(x, (bool, int, str)):
        return x
    if isinstance(x, float):
        return x if math.isfinite(x) else None
    return str(x)  # dates and the like
