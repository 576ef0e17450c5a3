"""A call after its arguments were checked: what every backend runs."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ._config import checked_threads
from ._dtypes import CANONICAL
from ._groups import Groups, make_groups
from ._inputs import as_array, check_index_agreement, is_bfloat16
from ._messages import kind_of, shown

if TYPE_CHECKING:
    from ._loss import Loss

__all__ = [
    "GRAD",
    "HESS",
    "REDUCTIONS",
    "VALUE",
    "Plan",
    "check_classes",
    "check_floating",
    "check_out",
    "make_plan",
]

VALUE, GRAD, HESS = 1, 2, 4
REDUCTIONS = ("none", "sum", "mean")

_OUTS = {VALUE: "value_out", GRAD: "grad_out", HESS: "hess_out"}

Shape = tuple[int, ...]


@dataclass
class Plan:
    """One call. Arrays over units are broadcast to the units' shape."""

    loss: Loss
    outputs: int
    dtype: np.dtype[Any]
    """The compute dtype."""
    shape: Shape
    """The units'."""
    classes: int
    arrays: dict[str, np.ndarray]
    """The inputs by name, differentiated ones first: the order of the scalar functions."""
    given: dict[str, np.ndarray]
    """The inputs as the caller shaped them, for messages."""
    target: str
    """What the target holds: ``"elements"``, or of rows ``"masses"``, ``"labels"`` or
    ``"numbers"``."""
    weight: np.ndarray | None
    reduction: str
    normalizer: float | None
    threads: int | None
    value_out: np.ndarray | None = None
    grad_out: list[np.ndarray | None] = field(default_factory=list)
    """One for each differentiated input; None where gradients are summed."""
    grad_sums: dict[int, Any] = field(default_factory=dict)
    """Of those the numbers that add up to the sum."""
    hess_out: list[np.ndarray] = field(default_factory=list)
    in_place: bool = False
    wrote_to: tuple[str, ...] = ()
    """The output arguments that the caller gave."""
    groups: Groups | None = None
    """Of a loss of groups."""

    @property
    def rows(self) -> bool:
        """Whether units are rows of classes."""
        return self.loss.schema == "row"

    @property
    def labels(self) -> bool:
        """Whether the target holds class indices."""
        return self.target == "labels"

    @property
    def value_shape(self) -> Shape:
        """That of the values of ``reduction="none"``."""
        if self.groups is None or self.loss.unit == "event":
            return self.shape
        return (self.groups.count,)

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
    if outputs & ~VALUE and not loss.has_gradient:
        raise TypeError(f"{loss.name} has no gradient: it is constant almost everywhere")
    given: dict[str, Any] = {"prediction": prediction, "target": target, **inputs}
    _check_names(loss, outputs, inputs)
    check_index_agreement({**given, "weight": weight})
    left_out = {name for name in loss.optional if given.get(name) is None}
    arrays = {n: as_array(given[n], n) for n in loss.inputs if n not in left_out}
    if weight is not None:
        arrays["weight"] = as_array(weight, "weight")
    for name in loss.differentiated:
        check_floating(name, arrays[name], arrays["target"])
    first = arrays[loss.differentiated[0]]
    rows = loss.schema == "row"
    if rows:
        check_classes("prediction", first)
    shape = first.shape[:-1] if rows else first.shape
    groups = make_groups(loss, arrays) if "group" in loss.inputs else None
    if weight is not None:
        weight = arrays["weight"] if groups is None else groups.take_weight(arrays["weight"])
    plan = Plan(
        loss=loss,
        outputs=outputs,
        dtype=np.dtype(np.float64 if first.dtype == np.float64 else np.float32),
        shape=shape,
        classes=first.shape[-1] if rows else 1,
        arrays={},
        given=arrays,
        target=_target(loss, arrays["target"], first.shape),
        weight=None if weight is None else _weight(weight, shape),
        reduction=_reduction(reduction, value_out),
        normalizer=_normalizer(normalizer, reduction),
        threads=None if threads is None else checked_threads(threads, 1),
        groups=groups,
    )
    if rows:
        _check_rows(plan, arrays["target"])
    order = [*loss.differentiated, *(n for n in loss.inputs if n not in loss.differentiated)]
    for name in order:
        if name == "group":
            continue
        whole = rows and not (name == "target" and plan.target != "masses")
        wanted = first.shape if whole else shape
        given_as = loss.ordered[0] if name in left_out else name
        plan.arrays[name] = _broadcast(given_as, arrays[given_as], wanted, first, loss)
    _lay_out_outputs(plan, value_out, grad_out, hess_out)
    return plan


def _check_names(loss: Loss, outputs: int, inputs: dict[str, Any]) -> None:
    extras = loss.inputs[2:]
    for name in inputs:
        if name not in extras:
            outs = [out for bit, out in _OUTS.items() if outputs & bit]
            known = [*loss.inputs, "weight", "reduction", "normalizer", *outs, "threads"]
            raise TypeError(
                f"this method of {loss.name} has no argument {name!r}; it has {', '.join(known)}"
            )
    for name in extras:
        if name not in inputs and name not in loss.optional:
            raise TypeError(f"{loss.name} needs the input {name!r}: pass {name}=...")


def check_floating(name: str, array: np.ndarray, target: np.ndarray | None = None) -> None:
    """Raises where a prediction is no array of floats."""
    if array.dtype.kind not in "biu":
        return
    convert = f"convert it: {name}.astype(numpy.float32)"
    if target is None:
        hint = convert
    elif target.dtype.kind in "biu":
        hint = f"are prediction and target swapped? If not, {convert}"
    else:
        hint = "are prediction and target swapped?"
    raise TypeError(f"{name} must be floating-point, got {array.dtype}; {hint}")


def check_classes(name: str, array: np.ndarray) -> None:
    """Raises where an array of rows has no classes."""
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"{name} needs classes on its last axis; got the shape {array.shape}")


def _weight(weight: np.ndarray, shape: Shape) -> np.ndarray:
    fits = weight.ndim == 0 or (
        weight.ndim == len(shape)
        and all(w in (1, s) for w, s in zip(weight.shape, shape, strict=True))
    )
    if not fits:
        axes = "axis" if len(shape) == 1 else "axes"
        raise ValueError(
            f"weight has shape {weight.shape}, but the units have shape {shape}: it must be a "
            f"scalar or have {len(shape)} {axes}, each of the units' length or 1"
        )
    return np.broadcast_to(weight, shape)


def _reduction(reduction: Any, value_out: Any) -> str:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none'; got {shown(reduction)}")
    if value_out is not None and reduction != "none":
        raise ValueError(f"value_out needs reduction='none'; with {reduction!r} a float comes back")
    return REDUCTIONS[REDUCTIONS.index(reduction)]  # an enumeration's str is not its value


def _normalizer(normalizer: Any, reduction: Any) -> float | None:
    if normalizer is None:
        return None
    if isinstance(normalizer, bool) or not isinstance(normalizer, numbers.Real):
        raise TypeError(f"normalizer must be a number; got {kind_of(normalizer)}")
    if reduction != "mean":
        raise ValueError(f"normalizer divides a mean; it has no use with reduction={reduction!r}")
    try:
        divisor = float(normalizer)
    except OverflowError:
        divisor = math.inf
    if not 0 < divisor < math.inf:
        raise ValueError(f"normalizer must be above 0 and finite; got {shown(normalizer)}")
    return divisor


def _target(loss: Any, target: np.ndarray, shape: Shape) -> str:
    """What the target holds, by its shape."""
    if loss.schema != "row":
        return "elements"
    if loss.takes_numbers:
        return "numbers"
    return "masses" if target.shape == shape else "labels"


def _check_rows(plan: Plan, target: np.ndarray) -> None:
    loss: Any = plan.loss
    if plan.classes < loss.least_classes:
        raise ValueError(
            f"prediction has {plan.classes} columns, but {loss!r} needs {loss.least_classes}"
        )
    if plan.labels and not loss.takes_labels:
        shape = (*plan.shape, plan.classes)
        raise ValueError(
            f"target has shape {target.shape}, but {loss.name} needs probabilities of "
            f"prediction's shape {shape}"
        )
    if plan.target == "masses" and not loss.takes_distributions:
        raise ValueError(
            f"target has prediction's shape {target.shape}, but {loss.name} needs class indices of "
            f"shape {plan.shape}"
        )
    if not plan.labels and loss.ignore_index is not None:
        raise ValueError(
            "ignore_index belongs to class indices; this target holds class probabilities: "
            "give absent rows the weight 0"
        )
    count = loss.label_count(plan.classes)
    if loss.class_weight is not None and len(loss.class_weight) != count:
        raise ValueError(
            f"class_weight has {len(loss.class_weight)} entries, but there are {count} classes"
        )
    if loss.columns is not None and len(loss.columns) != plan.classes:
        raise ValueError(
            f"prediction has {plan.classes} columns, but {loss!r} needs {len(loss.columns)}"
        )


def _broadcast(
    name: str,
    array: np.ndarray,
    shape: Shape,
    prediction: np.ndarray,
    loss: Any,
) -> np.ndarray:
    if array.shape == shape:
        return array
    rows, differentiated = loss.schema == "row", name in loss.differentiated
    if array.ndim == 0 and differentiated and name not in loss.summed:
        raise ValueError(
            f"{name} is a scalar, but it is differentiated: give it prediction's shape {shape}"
        )
    if array.ndim == 0 and not (rows and shape == prediction.shape):
        return np.broadcast_to(array, shape)
    message = f"{name} has shape {array.shape}, but prediction has shape {prediction.shape}: "
    if hint := _shape_hint(name, array.shape, shape, rows):
        raise ValueError(message + hint)
    if rows and name == "target":
        shapes = [f"{shape} (class indices)"] if shape and loss.takes_labels else []
        shapes += [f"{shape}"] if shape and loss.takes_numbers else []
        shapes += [f"{prediction.shape} (probabilities)"] if loss.takes_distributions else []
        allowed = "be a scalar" + f" or have shape {' or '.join(shapes)}" * bool(shapes)
    elif differentiated:
        allowed = f"have shape {shape}"
    else:
        allowed = f"be a scalar or have shape {shape}" if shape else "be a scalar"
    raise ValueError(f"{message}{name} must {allowed}")


def _shape_hint(name: str, found: Shape, wanted: Shape, rows: bool) -> str | None:
    """What makes a shape fit that has the same axes in another way."""
    here, there = (", ".join(map(str, shape)) or "()" for shape in (wanted, found))
    if [n for n in found if n != 1] == [n for n in wanted if n != 1]:
        mine, other = f"{name}.reshape({here})", f"prediction.reshape({there})"
    elif found == wanted[::-1]:
        mine, other = f"{name}.T", "prediction.T"
    else:
        return None
    return f"use {mine}" if rows else f"use {mine} or {other}"


# ---- outputs


def _lay_out_outputs(plan: Plan, value_out: Any, grad_out: Any, hess_out: Any) -> None:
    names = plan.loss.differentiated
    first = plan.given[names[0]]
    reduced = plan.loss.summed if plan.reduction != "none" else ()
    outs: list[tuple[str, np.ndarray]] = []
    if plan.outputs & VALUE and plan.reduction == "none":
        if value_out is None:
            value_out = np.empty(plan.value_shape, first.dtype)
        else:
            outs.append(("value_out", value_out))
            check_out("value_out", value_out, plan.value_shape)
        plan.value_out = value_out
    for bit, name, out, kept in (
        (GRAD, "grad_out", grad_out, plan.grad_out),
        (HESS, "hess_out", hess_out, plan.hess_out),
    ):
        if not plan.outputs & bit:
            continue
        given = _one_each(name, out, names)
        for source, array in zip(names, given, strict=True):
            if source in reduced:
                array = None
            elif array is None:
                like = first if source in plan.loss.summed else plan.given[source]
                array = np.empty_like(like, subok=False)
            else:
                label = name if len(names) == 1 else f"{name}[{source!r}]"
                check_out(label, array, plan.given[source].shape)
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


def check_out(name: str, out: Any, shape: Shape) -> None:
    """Raises where an output of a caller cannot be written to as it is."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a NumPy array without a mask; got {kind_of(out)}")
    canonical = CANONICAL.get(out.dtype.num)
    if not is_bfloat16(out.dtype) and (canonical is None or canonical.kind != "f"):
        raise TypeError(f"{name} must be floating-point; got {out.dtype}")
    if not out.dtype.isnative:
        raise TypeError(f"{name} must have the machine's byte order; got {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}; it must have shape {shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} is read-only: give an array that can be written to")
    if not out.flags.aligned:
        raise ValueError(f"{name} is not aligned: give an array of its own memory")
    reach = out.itemsize  # of the axes so far; undecided counts as overlap
    for stride, n in sorted((abs(s), n) for s, n in zip(out.strides, out.shape, strict=True)):
        if n > 1 and out.size and stride < reach:
            raise ValueError(
                f"{name} overlaps itself, several of its elements share memory: give each its own"
            )
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
                raise ValueError(
                    f"{name} overlaps {other} in memory: give each output memory of its own"
                )
