"""The ways to compute that this machine has."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._native import core

__all__ = [
    "BACKENDS",
    "COMPILED",
    "ISAS",
    "RUNNERS",
    "Runner",
    "arguments",
    "outputs",
    "restore",
    "running",
    "stacked",
]

Runner = tuple[str, str | None]
"""A backend and, for the native one, an instruction set."""

COMPILED = core is not None
ISAS: tuple[str, ...] = tuple(core.isas()) if COMPILED else ()
_NUMBA = ("numba",) if COMPILED and importlib.util.find_spec("numba") else ()
BACKENDS: tuple[str, ...] = (*(("native",) if COMPILED else ()), *_NUMBA, "numpy")
RUNNERS: tuple[Runner, ...] = (
    *(("native", isa) for isa in ISAS),
    *((backend, None) for backend in BACKENDS if backend != "native"),
)
_ISA = core.isa() if COMPILED else None


@contextlib.contextmanager
def running(runner: Runner) -> Iterator[None]:
    """Runs losses with a backend and an instruction set."""
    backend, isa = runner
    with fl.use_backend(backend):
        if isa is not None:
            core.set_isa(isa)
        try:
            yield
        finally:
            restore()


def restore() -> None:
    """Back to the machine's best instruction set."""
    if COMPILED:
        core.set_isa(_ISA)


def arguments(loss: fl.Loss, predictions: np.ndarray, target: Any) -> dict[str, Any]:
    """The inputs by name, where several predictions of an element lie on a last axis."""
    if len(loss.differentiated) == 1:
        return {"prediction": predictions, "target": target}
    columns = np.moveaxis(predictions, -1, 0)
    return {"target": target, **dict(zip(loss.differentiated, columns, strict=True))}


def outputs(loss: fl.Loss, inputs: dict[str, Any], **options: Any) -> tuple[Any, ...]:
    """Value, gradient and Hessian of every unit; those by several inputs on a last axis.

    The value alone where the loss has no gradient.
    """
    options = {"reduction": "none", **options}
    if not loss.has_gradient:
        return (loss.value(**inputs, **options),)
    return tuple(map(stacked, loss.value_grad_hess(**inputs, **options)))


def stacked(output: Any) -> Any:
    """An output whose parts by several inputs lie on a last axis."""
    return np.stack(output, -1) if isinstance(output, tuple) else output
