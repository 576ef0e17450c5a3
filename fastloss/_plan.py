"""A call after its arguments were checked: what every backend runs."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ._inputs import as_array, check_index_agreement, is_bfloat16

if TYPE_CHECKING:
    from ._loss import Loss

__all__ = ["GRAD", "HESS", "REDUCTIONS", "VALUE", "Plan", "make_plan"]

VALUE, GRAD, HESS = 1, 2, 4
REDUCTIONS = ("none", "sum", "mean")


@dataclass
class Plan:
    """One call. Arrays over units are broadcast to the units' shape."""

    loss: Loss
    outputs: int
    dtype: np.dtype[Any]
    """The compute dtype."""
    shape: tuple[int, ...]
    """The units'."""
    classes: int
    arrays: dict[str, np.ndarray]
    """The inputs by name, differentiated ones first: the order of the scalar functions."""
    given: dict[str, np.ndarray]
    """The inputs as the caller shaped them, for messages."""
    labels: bool
    """Whether the target holds class indices."""
    weight: np.ndarray | None
    reduction: str
    normalizer: float | None
    threads: int | None
    value_out: np.ndarray | None = None
    grad_out: list[np.ndarray] = field(default_factory=list)
    hess_out: list[np.ndarray] = field(default_factory=list)
    in_place: bool = False
    wrote_to: tuple[str, ...] = ()
    """The output arguments that the caller gave."""

    @property
    def rows(self) -> bool:
        """Whether units are rows of classes."""
        return self.loss.schema == "row"

    @property
    def units(self) -> int:
        """How many units there are."""
        return math.prod(self.shape)

    def domain_of(self, name: str) -> Any:
        """The domain of one input; class indices have none."""
        domain = self.loss.domains()[self.loss.inputs.index(name)]
        return None if (name == "target" and self.labels) or not domain.checked else domain


def make_plan(
    loss: Loss,
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
) -> Plan:
    """Checks every argument and lays the call out; nothing is written."""
    given: dict[str, Any] = {"prediction": prediction, "target": target, **inputs}
    _check_names(loss, inputs)
    check_index_agreement({**given, "weight": weight})
    arrays = {name: as_array(given[name], name) for name in loss.inputs}
    if weight is not None:
        arrays["weight"] = as_array(weight, "weight")
    for name in loss.differentiated:
        _check_prediction(name, arrays[name], arrays)
    first = arrays[loss.differentiated[0]]
    rows = loss.schema == "row"
    if rows and (first.ndim == 0 or first.shape[-1] == 0):
        raise ValueError(f"prediction needs classes on its last axis; got the shape {first.shape}")
    shape = first.shape[:-1] if rows else first.shape
    plan = Plan(
        loss=loss,
        outputs=outputs,
        dtype=np.dtype(np.float64 if first.dtype == np.float64 else np.float32),
        shape=shape,
        classes=first.shape[-1] if rows else 1,
        arrays={},
        given=arrays,
        labels=rows and arrays["target"].shape != first.shape,
        weight=None if weight is None else _weight(arrays["weight"], shape),
        reduction=_reduction(reduction, value_out),
        normalizer=_normalizer(normalizer, reduction),
        threads=_threads(threads),
    )
    if rows:
        _check_rows(plan, arrays["target"])
    order = [*loss.differentiated, *(n for n in loss.inputs if n not in loss.differentiated)]
    for name in order:
        whole = rows and not (name == "target" and plan.labels)
        wanted = first.shape if whole else shape
        differentiated = name in loss.differentiated
        plan.arrays[name] = _broadcast(name, arrays[name], wanted, first, rows, differentiated)
    _lay_out_outputs(plan, value_out, grad_out, hess_out)
    return plan


def _check_names(loss: Loss, inputs: dict[str, Any]) -> None:
    extras = loss.inputs[2:]
    for name in inputs:
        if name not in extras:
            takes = f"its extra inputs are {', '.join(extras)}" if extras else "it has none"
            raise TypeError(f"{loss.name} has no input {name!r}; {takes}")
    for name in extras:
        if name not in inputs:
            raise TypeError(f"{loss.name} needs the input {name!r}: pass {name}=...")


def _check_prediction(name: str, array: np.ndarray, arrays: dict[str, np.ndarray]) -> None:
    if array.dtype.kind in "biu":
        swapped = arrays["target"].dtype.kind == "f" or is_bfloat16(arrays["target"].dtype)
        hint = (
            "are prediction and target swapped?"
            if swapped
            else (
                "are prediction and target swapped? If not, convert it: "
                f"{name}.astype(numpy.float32)"
            )
        )
        raise TypeError(f"{name} must be floating-point, got {array.dtype}; {hint}")


def _weight(weight: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    fits = weight.ndim == 0 or (
        weight.ndim == len(shape)
        and all(w in (1, s) for w, s in zip(weight.shape, shape, strict=True))
    )
    if not fits:
        raise ValueError(
            f"weight has shape {weight.shape}, but the units have shape {shape}: it must be a "
            f"scalar or have {len(shape)} axes, each of the units' length or 1"
        )
    return np.broadcast_to(weight, shape)


def _reduction(reduction: Any, value_out: Any) -> str:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none'; got {reduction!r}")
    if value_out is not None and reduction != "none":
        raise ValueError(f"value_out needs reduction='none'; with {reduction!r} a float comes back")
    return str(reduction)


def _normalizer(normalizer: Any, reduction: Any) -> float | None:
    if normalizer is None:
        return None
    if isinstance(normalizer, bool) or not isinstance(normalizer, numbers.Real):
        raise TypeError(f"normalizer must be a number; got {type(normalizer).__name__}")
    if reduction != "mean":
        raise ValueError(f"normalizer divides a mean; it has no use with reduction={reduction!r}")
    if not 0 < float(normalizer) < math.inf:
        raise ValueError(f"normalizer must be above 0 and finite; got {normalizer!r}")
    return float(normalizer)


def _threads(threads: Any) -> int | None:
    if threads is None:
        return None
    if isinstance(threads, bool) or not isinstance(threads, numbers.Integral):
        raise TypeError(f"threads must be an integer; got {type(threads).__name__}")
    if threads < 1:
        raise ValueError(f"threads must be at least 1; got {threads}")
    return int(threads)


def _check_rows(plan: Plan, target: np.ndarray) -> None:
    loss: Any = plan.loss
    if plan.labels and not loss.takes_labels:
        shape = (*plan.shape, plan.classes)
        raise ValueError(
            f"target has shape {target.shape}, but {loss.name} needs probabilities of "
            f"prediction's shape {shape}"
        )
    if not plan.labels and loss.ignore_index is not None:
        raise ValueError(
            "ignore_index belongs to class indices; this target holds class probabilities: "
            "give absent rows the weight 0"
        )
    if loss.class_weight is not None and len(loss.class_weight) != plan.classes:
        raise ValueError(
            f"class_weight has {len(loss.class_weight)} entries, but prediction has "
            f"{plan.classes} classes"
        )


def _broadcast(
    name: str,
    array: np.ndarray,
    shape: tuple[int, ...],
    prediction: np.ndarray,
    rows: bool,
    differentiated: bool,
) -> np.ndarray:
    if array.shape == shape:
        return array
    if array.ndim == 0 and differentiated:
        raise ValueError(
            f"{name} is a scalar, but it is differentiated: give it prediction's shape {shape}"
        )
    if array.ndim == 0 and not (rows and shape == prediction.shape):
        return np.broadcast_to(array, shape)
    expected = f"{shape}"
    if rows and name == "target":
        expected = f"{prediction.shape[:-1]} (class indices) or {prediction.shape} (probabilities)"
    message = f"{name} has shape {array.shape}, but prediction has shape {prediction.shape}: "
    if array.size == math.prod(shape):
        size = ", ".join(map(str, shape))
        hint = f"use {name}.reshape({size})"
        if not rows:
            hint += f" or prediction.reshape({', '.join(map(str, array.shape))})"
    else:
        hint = f"{name} must be a scalar or have shape {expected}"
    raise ValueError(message + hint)


# ---- outputs


def _lay_out_outputs(plan: Plan, value_out: Any, grad_out: Any, hess_out: Any) -> None:
    names = plan.loss.differentiated
    first = plan.given[names[0]]
    outs: list[tuple[str, np.ndarray]] = []
    if plan.outputs & VALUE and plan.reduction == "none":
        if value_out is None:
            value_out = np.empty(plan.shape, first.dtype)
        else:
            outs.append(("value_out", value_out))
            _check_out("value_out", value_out, plan.shape)
        plan.value_out = value_out
    for bit, name, out, kept in (
        (GRAD, "grad_out", grad_out, plan.grad_out),
        (HESS, "hess_out", hess_out, plan.hess_out),
    ):
        if not plan.outputs & bit:
            continue
        given = _one_each(name, out, names)
        for source, array in zip(names, given, strict=True):
            if array is None:
                array = np.empty_like(plan.given[source], subok=False)
            else:
                label = name if len(names) == 1 else f"{name}[{source!r}]"
                _check_out(label, array, plan.given[source].shape)
                outs.append((label, array))
            kept.append(array)
    plan.wrote_to = tuple(name for name, _ in outs)
    _check_overlap(plan, outs)


def _one_each(name: str, out: Any, inputs: tuple[str, ...]) -> tuple[Any, ...]:
    if len(inputs) == 1:
        return (out,)
    if out is None:
        return (None,) * len(inputs)
    if not isinstance(out, tuple) or len(out) != len(inputs):
        raise TypeError(f"{name} must be a tuple of {len(inputs)} arrays, for {', '.join(inputs)}")
    return out


def _check_out(name: str, out: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array; got {type(out).__name__}")
    native = out.dtype.newbyteorder("=")
    if native not in (np.float16, np.float32, np.float64) and not is_bfloat16(native):
        raise TypeError(f"{name} must be floating-point; got {out.dtype}")
    if not out.dtype.isnative:
        raise TypeError(f"{name} must have the machine's byte order; got {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}; it must have shape {shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} is read-only")
    if not out.flags.aligned:
        raise ValueError(f"{name} is not aligned")
    reach = out.itemsize  # of the axes so far; undecided counts as overlap
    for stride, n in sorted((abs(s), n) for s, n in zip(out.strides, out.shape, strict=True)):
        if n > 1 and out.size and stride < reach:
            raise ValueError(f"{name} overlaps itself: several of its elements share memory")
        reach += stride * (n - 1)


def _same_array(a: np.ndarray, b: np.ndarray) -> bool:
    return (
        a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and a.shape == b.shape
        and a.strides == b.strides
        and a.dtype == b.dtype
    )


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:  # undecided counts as overlap
        return True


def _check_overlap(plan: Plan, outs: list[tuple[str, np.ndarray]]) -> None:
    others = list(plan.given.items())
    for position, (name, out) in enumerate(outs):
        for other, array in others:
            if not _overlap(out, array):
                continue
            if name == "grad_out" and other == "prediction" and _same_array(out, array):
                plan.in_place = True
                continue
            raise ValueError(
                f"{name} overlaps {other} in memory; only grad_out may be an input, and only the "
                "very array that prediction is"
            )
        for other, array in outs[:position]:
            if _overlap(out, array):
                raise ValueError(f"{name} overlaps {other} in memory")
