"""The general path of a call: any input, any backend. The compiled fast path ends here too when
something about its arguments is unusual.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _config, _plain
from ._exact_sum import exact_sum
from ._failures import failure
from ._native import core
from ._plan import GRAD, HESS, VALUE, Plan, make_plan

__all__ = ["call"]


def call(
    loss: Any,
    outputs: int,
    prediction: Any,
    target: Any,
    weight: Any,
    reduction: Any,
    normalizer: Any,
    value_out: Any,
    grad_out: Any,
    hess_out: Any,
    threads: Any,
    inputs: dict[str, Any],
) -> Any:
    """Checks the arguments, runs the loss on the backend in use and returns what was asked for."""
    if hasattr(type(prediction), "of_loss"):  # in a formula of fl.custom
        default = (weight, reduction, normalizer, value_out, threads) == (None, "mean", *[None] * 3)
        return prediction.of_loss(loss, default and outputs == VALUE, target, inputs)
    plan = make_plan(
        loss, outputs, prediction, target, weight, reduction, normalizer,
        value_out, grad_out, hess_out, threads, inputs,
    )  # fmt: skip
    value = run(plan)
    if value is None:
        raise failure(plan)
    return results(plan, value)


def run(plan: Plan) -> float | None:
    """The reduced value, or None where values of the inputs are refused."""
    backend = _config.backend()
    if plan.groups is not None:
        from . import _run_groups

        if plan.threads is None:
            plan.threads = _config.thread_limit()
        return _run_groups.run(plan, backend)
    if backend == "numpy":
        return _plain.run(plan)
    if plan.threads is None:
        plan.threads = _config.thread_limit()
    block = None
    if backend == "numba" or plan.loss.jit:
        from . import _numba

        block = _numba.block(plan.loss, plan.dtype, plan.outputs)
    result: float | None = core.run(plan, block)
    return result


def results(plan: Plan, value: float) -> Any:
    """What the caller asked for, alone or as a tuple in the order value, gradient, Hessian."""
    found: list[Any] = []
    if plan.outputs & VALUE:
        found.append(value if plan.value_out is None else plan.value_out)
    grads = [
        exact_sum(np.asarray(plan.grad_sums[i])) if array is None else array
        for i, array in enumerate(plan.grad_out)
    ]
    for bit, arrays in ((GRAD, grads), (HESS, plan.hess_out)):
        if plan.outputs & bit:
            found.append(arrays[0] if len(arrays) == 1 else tuple(arrays))
    return found[0] if len(found) == 1 else tuple(found)
