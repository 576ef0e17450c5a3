"""Results on the standard output."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import Any

from .._evaluation import Evaluation, Table
from ._document import document, written

__all__ = ["console", "sections", "show"]

# Left out of tables where they say nothing, by the column that then says the same.
_SILENT = {"skipped": None, "nan": None, "infinite": None, "weight": "count"}
# Left out, one after another, where a terminal is too narrow.
_SPARED = ("maximum", "minimum", "weight", "standard_error", "count", "than")


def show(found: Evaluation, format: str, complete: bool) -> None:
    """Prints an evaluation, which may be of a part of the rows."""
    if format == "json":
        print(written(document(found, complete)))
    elif format == "csv":
        _show_csv(found)
    elif format == "markdown":
        print("\n\n".join(f"{title}:\n\n{table.to_markdown()}" for title, table in sections(found)))
    else:
        _show_tables(found)


def sections(found: Evaluation) -> Iterator[tuple[str, Table]]:
    """Titles and tables, without columns that say nothing."""
    request = found._request
    if request.by:
        by = ", ".join(request.by)
        yield f"Losses by {by}", _telling(found.table)
        if request.pairs:
            yield f"Differences by {by}", found.differences
    yield "Losses of all rows", _telling(found.overall)
    if request.pairs:
        yield "Differences of all rows", found.overall_differences


def console() -> Any:
    """Rich's, where the standard output is a terminal and Rich is installed; else None."""
    if not sys.stdout.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console()


def _telling(table: Table) -> Table:
    columns = table.to_dict()
    silent = {
        name
        for name, other in _SILENT.items()
        if name in columns and columns[name] == (columns[other] if other else [0] * len(table))
    }
    return _without(table, silent)


def _without(table: Table, names: set[str]) -> Table:
    columns = [name for name in table.columns if name not in names]
    return Table([{name: row[name] for name in columns} for row in table], columns, table.note)


def _show_tables(found: Evaluation) -> None:
    terminal = console()
    if terminal is None:
        print("\n\n".join(f"{title}\n{table!r}" for title, table in sections(found)))
        return
    from rich.text import Text

    for title, table in sections(found):
        terminal.print(Text(f"\n{title}", style="bold"), _fitted(table, terminal))


def _fitted(table: Table, terminal: Any) -> Any:
    """The table, less what a narrow terminal has no room for."""
    left: set[str] = set()
    shown: Any = table.__rich__()
    unbounded = terminal.options.update(width=10_000)
    for name in _SPARED:
        if terminal.measure(shown, options=unbounded).maximum <= terminal.width:
            break
        if name in table.columns:
            left.add(name)
            shown = _without(table, left).__rich__()
    for column in shown.columns:
        column.no_wrap = column.justify == "right"  # names may break, figures may not
        column.overflow = "fold"
    return shown


def _show_csv(found: Evaluation) -> None:
    tables = [found.table, found.differences] if found._request.pairs else [found.table]
    for i, table in enumerate(tables):
        if i:
            print()
        writer = csv.DictWriter(sys.stdout, table.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
