"""A chart of models by segment, as an SVG element."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

from .._evaluation import Table

__all__ = ["COLOURS", "MOST_SEGMENTS", "chart", "segments"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5b5b5b")
"""Of models, in their order; seven that people with any colour vision tell apart."""

MOST_SEGMENTS = 40
"""More rows in a chart nobody reads."""

_ROW, _REST = 0.17, 0.85  # inches


def segments(table: Table, by: Sequence[str]) -> list[tuple[Any, ...]]:
    """The segments of a table that weigh most, in its order."""
    weights: dict[tuple[Any, ...], float] = {}
    for row in table:
        key = tuple(row[name] for name in by)
        weights[key] = max(weights.get(key, 0.0), row["weight"])
    heaviest = sorted(weights, key=lambda key: -weights[key])[:MOST_SEGMENTS]
    return [key for key in weights if key in set(heaviest)]


def chart(table: Table, by: Sequence[str], loss: str, models: Sequence[str]) -> str:
    """Means of a loss with their intervals: a line for each segment, a colour for each model."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    shown = segments(table, by)
    places = {key: i for i, key in enumerate(shown)}
    height = _REST + _ROW * len(shown) * (len(models) + 1)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": loss, "font.size": 9}):
        figure = Figure(figsize=(7.5, height), layout="constrained")
        axes = figure.add_subplot()
        for row in table:
            key = tuple(row[name] for name in by)
            if row["loss"] == loss and key in places:
                _draw(axes, row, places[key], models)
        axes.set_yticks(range(len(shown)), [_text(key) for key in shown], parse_math=False)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlabel(f"mean {loss}, with its 95 % interval", parse_math=False)
        axes.grid(axis="x", color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return _inline(written.getvalue())


def _draw(axes: Any, row: dict[str, Any], place: int, models: Sequence[str]) -> None:
    number = models.index(row["model"])
    y = place + (number + 1) / (len(models) + 1) - 0.5
    colour = COLOURS[number % len(COLOURS)]
    if math.isfinite(row["mean"]):
        axes.plot(row["mean"], y, "o", color=colour, markersize=4)
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        axes.plot((row["low"], row["high"]), (y, y), color=colour, linewidth=1.5)


def _text(key: tuple[Any, ...]) -> str:
    """A segment, in a line that leaves room for the chart."""
    text = ", ".join("null" if x is None else str(x) for x in key) or "all rows"
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _inline(svg: str) -> str:
    """The element alone: what a file needs around it are addresses, which a page does without."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(?::\w+)?="[^"]*"', "", svg)
    # the style would be that of the whole page, and names of elements are of this chart alone
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    return svg.replace("xlink:href", "href")
