"""The names of all losses, shown as a table of what each says of itself."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterator

from ._loss import Loss
from ._registry import get

__all__ = ["HEADER", "Catalogue", "statements"]

HEADER = ("name", "elicits", "link", "convex", "smooth", "Hessian", "proper")


def statements(loss: Loss) -> tuple[str, ...]:
    """What a loss says of itself, in the order of the header after the name."""
    yes = {True: "yes", False: "no"}
    return (
        loss.elicits or "-",
        loss.link,
        yes[loss.convex],
        yes[loss.smooth],
        loss.hessian_sign,
        yes[loss.proper],
    )


class Catalogue(tuple[str, ...]):
    """The names; printed, a line for each loss with its defaults."""

    __slots__ = ()

    def _lines(self) -> Iterator[tuple[str, ...]]:
        yield *HEADER, "loss"
        for loss in map(get, self):
            text = inspect.getdoc(type(loss)) or ""
            yield loss.name, *statements(loss), text.partition("\n")[0]

    def __repr__(self) -> str:
        lines = list(self._lines())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines)

    def _repr_html_(self) -> str:
        rows: list[str] = []
        for cells in self._lines():
            kind = "td" if rows else "th"
            inner = "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells)
            rows.append(f"<tr>{inner}</tr>")
        return f"<table>{''.join(rows)}</table>"
