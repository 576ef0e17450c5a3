"""Tables of what an evaluation found."""

from __future__ import annotations

import math
from typing import Any

from .._result import LossResult
from ._request import Request
from ._skill import skill
from ._table import Table

__all__ = ["Cell", "Results", "compared", "measured"]

Cell = tuple[str, ...]
"""A loss with a model, or with two that are compared; alone it is that of a constant prediction,
and nothing is the target itself."""

Results = dict[tuple[Any, ...], dict[Cell, LossResult]]
"""What each cell's losses amount to, by segment."""


def measured(request: Request, results: Results) -> Table:
    """The means of each loss and model."""
    rows = []
    roots = any(loss.known_by_root for loss in request.losses.values())
    for key, of_cells in results.items():
        for loss, rooted in request.losses.items():
            for model in request.models:
                found = of_cells[loss, model]
                low, high = found.interval
                row = {**_names(request, key), "loss": loss, "model": model, "mean": found.mean}
                row |= {"standard_error": found.standard_error, "low": low, "high": high}
                if roots:
                    row["root"] = math.sqrt(found.mean) if rooted.known_by_root else None
                if request.skill:
                    row["skill"] = _skill(request, of_cells, loss, found.mean)
                row |= {"weight": found.weight, "count": found.count, "skipped": found.skipped}
                row |= {"nan": found.nan, "infinite": found.infinite}
                rows.append({**row, "minimum": found.minimum, "maximum": found.maximum})
    return Table(rows, _note(request))


def compared(request: Request, results: Results) -> Table:
    """How each other model differs from the first."""
    rows = []
    for key, of_cells in results.items():
        for loss in request.losses:
            for first, other in request.pairs:
                found = of_cells[loss, first, other]
                low, high = found.interval
                better = first if low > 0 else other if high < 0 else None
                row = {**_names(request, key), "loss": loss, "model": other, "than": first}
                row |= {"difference": found.mean, "standard_error": found.standard_error}
                rows.append({**row, "low": low, "high": high, "better": better})
    return Table(rows, _note(request))


def _skill(
    request: Request, of_cells: dict[Cell, LossResult], loss: str, mean: float
) -> float | None:
    if loss not in request.skilled:
        return None
    return skill(request.losses[loss], mean, of_cells[loss,].mean, of_cells[()].mean)


def _names(request: Request, key: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(request.by, key, strict=False))  # nothing of all rows together


def _note(request: Request) -> str:
    if request.cluster is None:
        return "95 % intervals assume independent rows"
    return f"95 % intervals assume independent clusters of {request.cluster}"
