"""The losses of single units and what they weigh: what states of an evaluation add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ._call import run
from ._plan import Plan
from ._units import parts

__all__ = ["pieces", "unit_losses"]

# Units evaluated together: what their losses take is all the memory that an update needs.
_UNITS = 1 << 19


def pieces(plan: Plan) -> Iterator[Plan]:
    """The call in parts, whose losses are written to memory of their own."""
    length = plan.shape[0] if plan.shape else 1
    step = max(1, _UNITS // max(1, plan.units // max(1, length)))
    if length <= step:
        yield plan
        return
    for begin in range(0, length, step):
        part = slice(begin, begin + step)
        yield replace(
            plan,
            shape=(min(step, length - begin), *plan.shape[1:]),
            arrays={name: x[part] for name, x in plan.arrays.items()},
            weight=None if plan.weight is None else plan.weight[part],
        )


def unit_losses(plan: Plan) -> tuple[np.ndarray, np.ndarray | None] | None:
    """The losses, 0 for absent units, and what they weigh; None where a value is refused."""
    given = plan.weight
    present = None  # all
    if given is not None and given.size and not 0 < given.min() <= given.max() < np.inf:
        if not ((given >= 0) & (given < np.inf)).all():
            return None
        present = given != 0
    losses = np.empty(plan.shape, plan.dtype)
    # times the weights of classes they would no longer be losses
    weighs_classes = getattr(plan.loss, "class_weight", None) is not None
    unweighted = replace(
        plan,
        loss=plan.loss.replace(class_weight=None) if weighs_classes else plan.loss,
        reduction="none",
        value_out=losses,
        weight=present,
    )
    if run(unweighted) is None:
        return None
    ignores = getattr(plan.loss, "ignore_index", None) is not None
    if not (weighs_classes or ignores):
        weights = None if given is None else np.ascontiguousarray(given, np.float64).ravel()
    else:
        weights = np.concatenate([units.weight for units in parts(plan)] or [np.empty(0)])
    return losses.ravel(), weights
