"""The ways to compute that this machine has."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import fastloss as fl
from fastloss._native import core

__all__ = ["BACKENDS", "COMPILED", "ISAS", "RUNNERS", "Runner", "outputs", "restore", "running"]

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


def outputs(loss: fl.Loss, inputs: dict[str, Any], **options: Any) -> tuple[Any, ...]:
    """Value, gradient and Hessian of every unit; the value alone where it has no gradient."""
    if not loss.has_gradient:
        return (loss.value(**inputs, **{"reduction": "none", **options}),)
    return loss.value_grad_hess(**inputs, **{"reduction": "none", **options})
