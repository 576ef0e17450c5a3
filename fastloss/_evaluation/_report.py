"""Tables of what an evaluation found."""

from __future__ import annotations

import math
from typing import Any

from .._result import LossResult
from ._request import Request
from ._skill import skill
from ._table import Table

__all__ = ["Cell", "Results", "compared", "measured"]

Cell = tuple[str | None, ...]
"""A loss with a model, or with two that are compared; alone it is that of a constant prediction,
with None that of predicting the targets, and nothing is the target itself."""

Results = dict[tuple[Any, ...], dict[Cell, LossResult]]
"""What each cell's losses amount to, by segment."""


def measured(request: Request, by: tuple[str, ...], results: Results) -> Table:
    """The means of each loss and model."""
    roots = any(loss.known_by_root for loss in request.losses.values())
    of_means = ["mean", "standard_error", "low", "high"]
    of_means += ["root"] if roots else []
    of_means += ["skill"] if request.skill else []
    of_rows = ["weight", "count", "skipped", "nan", "infinite", "minimum", "maximum"]
    columns = [*by, "loss", "model", *of_means, *of_rows]
    rows = []
    for key, of_cells in results.items():
        for loss, rooted in request.losses.items():
            for model in request.models:
                found = of_cells[loss, model]
                low, high = found.interval
                row = {**dict(zip(by, key, strict=True)), "loss": loss, "model": model}
                row |= {"low": low, "high": high}
                row |= {"root": math.sqrt(found.mean) if rooted.known_by_root else None}
                row |= {"skill": _skill(request, of_cells, loss, found.mean)}
                rows.append({x: row[x] if x in row else getattr(found, x) for x in columns})
    return Table(rows, columns, _note(request))


def compared(request: Request, by: tuple[str, ...], results: Results) -> Table:
    """How each other model differs from the first."""
    columns = [*by, "loss", "model", "than"]
    columns += ["difference", "standard_error", "low", "high", "better"]
    rows = []
    for key, of_cells in results.items():
        for loss in request.losses:
            for first, other in request.pairs:
                found = of_cells[loss, first, other]
                low, high = found.interval
                better = first if low > 0 else other if high < 0 else None
                error = found.standard_error
                values = (*key, loss, other, first, found.mean, error, low, high, better)
                rows.append(dict(zip(columns, values, strict=True)))
    return Table(rows, columns, _note(request))


def _skill(
    request: Request, of_cells: dict[Cell, LossResult], loss: str, mean: float
) -> float | None:
    if loss not in request.skilled:
        return None
    others = [of_cells[cell].mean for cell in ((loss,), (loss, None), ())]
    return skill(request.losses[loss], mean, *others)


def _note(request: Request) -> str:
    if request.cluster is None:
        return "95 % intervals assume independent rows"
    return f"95 % intervals assume independent clusters of {request.cluster}"
