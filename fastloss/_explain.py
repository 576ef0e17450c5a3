"""What a call would do, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _config, _run_groups
from ._native import core
from ._plan import GRAD, HESS, VALUE, Plan, make_plan

__all__ = ["Explanation", "explain"]

_WHY_ONE = " (no more are allowed, or the work is too little to share)"


@dataclass(frozen=True)
class Explanation:
    """What a call would do; prints as text.

    Attributes
    ----------
    loss : str
        The loss, with its parameters.
    backend, isa, kernel : str
        What computes it; the instruction set is empty on the NumPy backend.
    jit : bool
        Whether Numba compiled the kernel.
    dtype : str
        The dtype that it computes in.
    units, classes : int
        The size of the work.
    blocks, block_units : int
        How it is cut: sums have the shape that this gives them.
    threads : int
        How many threads would take part.
    streams : bool
        Whether large outputs bypass the cache.
    conversions : tuple of str
        The arrays that are converted block by block, and why.
    path : str
        How the call gets there.
    groups : int
        How many groups the units are in; 0 for a loss without groups.
    """

    loss: str
    backend: str
    isa: str
    kernel: str
    jit: bool
    dtype: str
    units: int
    classes: int
    blocks: int
    block_units: int
    threads: int
    streams: bool
    conversions: tuple[str, ...]
    path: str
    groups: int = 0

    def __str__(self) -> str:
        size = f"{self.units} units" + (f" of {self.classes} classes" if self.classes > 1 else "")
        parts = f"in {self.blocks} blocks of {self.block_units}"
        if self.groups:
            parts = f"in {self.groups} groups"
        made = ", compiled by Numba" if self.jit else ""
        lines = {
            "loss": self.loss,
            "backend": f"{self.backend} ({self.isa})" if self.isa else self.backend,
            "kernel": f"{self.kernel}{made}, computing in {self.dtype}",
            "path": self.path,
            "work": f"{size} {parts}",
            "threads": f"{self.threads}{_WHY_ONE if self.threads == 1 else ''}",
            "stores": "bypass the cache" if self.streams else "through the cache",
            "conversions": "; ".join(self.conversions) or "none",
        }
        return "\n".join(f"{name + ':':<13}{text}" for name, text in lines.items())


def explain(loss: Any, prediction: Any, target: Any, weight: Any = None, **options: Any) -> Any:
    """See :meth:`fastloss.Loss.explain`."""
    names = ("reduction", "normalizer", "value_out", "grad_out", "hess_out", "threads")
    given = {name: options.pop(name, "mean" if name == "reduction" else None) for name in names}
    outputs = VALUE
    if loss.has_gradient or given["grad_out"] is not None:
        outputs |= GRAD
    if given["hess_out"] is not None:
        outputs |= HESS
    plan = make_plan(loss, outputs, prediction, target, weight, **given, inputs=options)
    backend = _config.backend()
    outlook: dict[str, Any] = {
        "threads": 1,
        "streams": False,
        "block_units": max(plan.units, 1),
    }
    isa, jit = "", False
    groups = 0 if plan.groups is None else plan.groups.count
    if groups:
        _run_groups.check_backend(plan, backend)
    if groups and backend != "numpy":
        outlook["threads"] = core.threads_for_groups(plan)
        isa = core.isa()
    elif backend != "numpy":
        if plan.threads is None:
            plan.threads = _config.thread_limit()
        block = None
        if backend == "numba" or loss.jit:
            from . import _numba

            block = _numba.block(loss, plan.dtype, plan.outputs)
            jit = True
        outlook = core.outlook(plan, block)
        isa = core.isa()
    originals = {"prediction": prediction, "target": target, "weight": weight, **options}
    return Explanation(
        loss=repr(loss),
        backend=backend,
        isa=isa,
        kernel=loss.kernel,
        jit=jit,
        dtype=plan.dtype.name,
        units=plan.units,
        classes=plan.classes,
        blocks=-(-plan.units // outlook["block_units"]),
        conversions=tuple(_conversions(plan)),
        path=_path(plan, originals),
        groups=groups,
        **outlook,
    )


def _conversions(plan: Plan) -> list[str]:
    arrays: dict[str, np.ndarray] = dict(plan.arrays)
    if plan.labels:
        arrays.pop("target")  # class indices are read as they are
    outs: dict[str, Any] = {"grad_out": plan.grad_out, "hess_out": plan.hess_out}
    arrays |= {name: out[0] for name, out in outs.items() if out}
    found = []
    for name, array in arrays.items():
        reasons = []
        if array.dtype != plan.dtype:
            reasons.append(f"{array.dtype} against {plan.dtype}")
        if not array.flags.c_contiguous:
            reasons.append("not contiguous")
        if reasons:
            found.append(f"{name} ({', '.join(reasons)})")
    return found


def _path(plan: Plan, originals: dict[str, Any]) -> str:
    copied = [
        f"{name} was a {type(value).__name__}"
        for name, value in originals.items()
        if value is not None and type(value) is not np.ndarray
    ]
    return "general: " + "; ".join(copied) if copied else "arrays as given"
