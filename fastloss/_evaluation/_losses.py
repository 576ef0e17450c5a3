"""The losses of a batch, after rows that are no use are refused or left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._failures import failure, wrong_units
from .._loss import Loss
from .._messages import shown
from .._plan import VALUE, Plan, make_plan
from .._unit_losses import unit_losses
from ._batch import Batch
from ._report import Cell
from ._request import Request
from ._skill import constant_of, perfect

__all__ = ["Losses", "batch_losses"]

# Of each cell, the losses of all units and what they weigh; without weights each weighs 1.
Losses = dict[Cell, tuple[np.ndarray, np.ndarray | None]]


class RefusedError(Exception):
    """Rows that a loss refuses, and why the first of them."""

    def __init__(self, rows: np.ndarray, reason: str) -> None:
        self.rows, self.reason = rows, reason


def batch_losses(
    batch: Batch, request: Request, drop_nulls: bool, drop_invalid: bool, threads: int | None
) -> tuple[Batch, Losses]:
    """The rows that were kept, and their losses."""
    missing, column = batch.nulls(request.numbers)
    if missing is not None:
        if not drop_nulls:
            raise ValueError(
                f"{batch.where(int(missing.argmax()))}: column {column!r} is null; "
                "nulls='drop' leaves such rows out"
            )
        batch = batch.keep(~missing)
    while batch.rows:
        try:
            return batch, _losses(batch, request, threads)
        except RefusedError as refused:
            if not drop_invalid:
                where = batch.where(int(refused.rows.argmax()))
                raise ValueError(f"{where}: {refused.reason}") from None
            batch = batch.keep(~refused.rows)
    return batch, {}


def _losses(batch: Batch, request: Request, threads: int | None) -> Losses:
    target = _target(batch, request)
    weight = None
    if request.weight is not None:
        weight = batch.array(request.weight, "weight").astype(np.float64, copy=False)
    inputs = {
        name: some if isinstance(some, float) else batch.array(some, name)
        for name, some in request.inputs.items()
    }
    found: Losses = {}
    for name, loss in request.losses.items():
        own = {x: inputs[x] for x in loss.inputs if x in inputs}
        for model, columns in request.models.items():
            prediction = batch.array(columns, "prediction")
            of_units = weight
            if weight is not None and loss.schema == "map" and prediction.ndim > 1:
                of_units = weight[:, None]
            arrays = {"prediction": prediction, "target": target, "weight": of_units, **own}
            for x in loss.differentiated:
                arrays[x] = _floating(arrays[x])
            found[name, model] = _checked(f"{name} of {model}", loss, arrays, threads)
        for first, other in request.pairs:
            found[name, first, other] = _difference(found[name, other], found[name, first])
    if request.skilled:
        _add_constants(found, request, target, weight, threads)
    return found


def _add_constants(
    found: Losses, request: Request, target: np.ndarray, weight: Any, threads: int | None
) -> None:
    """What the skill of models is found from."""
    y = target.astype(np.float64)
    of_units = weight if weight is None or y.ndim == 1 else weight[:, None]
    for name in request.skilled:
        loss = request.losses[name]
        for cell, z in (
            ((name,), np.full(y.shape, constant_of(loss))),
            ((name, None), perfect(loss, y)),
        ):
            arrays = {"prediction": z, "target": y, "weight": of_units}
            found[cell] = _checked(name, loss, arrays, threads)
    found[()] = y.ravel(), found[request.skilled[0],][1]


def _target(batch: Batch, request: Request) -> np.ndarray:
    if request.labels is None:
        return batch.array(request.target, "target")
    assert isinstance(request.target, str)
    classes, unknown = batch.classes(request.target, request.labels)
    if unknown.any():
        value = batch.value(request.target, int(unknown.argmax()))
        raise RefusedError(
            unknown, f"{request.target} is {shown(value)}, none of labels {shown(request.labels)}"
        )
    return classes


def _checked(
    what: str, loss: Loss, arrays: dict[str, Any], threads: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    try:
        plan = _plan(loss, arrays, threads)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: {error}") from error
    found = unit_losses(plan)
    if found is not None:
        return found
    rows = len(arrays["prediction"])
    wrong = wrong_units(plan).reshape(rows, -1).any(axis=1)
    if not wrong.any():
        raise failure(plan)
    first = int(wrong.argmax())
    row = {name: x[first] if isinstance(x, np.ndarray) else x for name, x in arrays.items()}
    raise RefusedError(np.asarray(wrong), f"{what}: {failure(_plan(loss, row, threads))}")


def _floating(x: Any) -> Any:
    """Predictions that a file has as integers."""
    return x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype.kind in "biu" else x


def _plan(loss: Loss, arrays: dict[str, Any], threads: int | None) -> Plan:
    prediction, target, weight, *_ = arrays.values()
    inputs = {name: x for name, x in arrays.items() if name in loss.inputs[2:]}
    return make_plan(
        loss, VALUE, prediction, target, weight, "sum", None,
        None, None, None, threads, inputs,
    )  # fmt: skip


def _difference(
    found: tuple[np.ndarray, np.ndarray | None], less: tuple[np.ndarray, np.ndarray | None]
) -> tuple[np.ndarray, np.ndarray | None]:
    with np.errstate(all="ignore"):  # of two infinite losses it is NaN
        return np.subtract(found[0], less[0], dtype=np.float64), found[1]
