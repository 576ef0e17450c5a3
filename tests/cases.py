"""What tests share: losses, inputs and ways to run, of fastloss.accuracy, and places in memory."""

import numpy as np

import fastloss as fl
from fastloss.accuracy.runners import (
    BACKENDS,
    COMPILED,
    ISAS,
    RUNNERS,
    arguments,
    outputs,
    restore,
    running,
    stacked,
)
from fastloss.accuracy.samples import (
    CLASSES,
    descending,
    fixed_classes,
    generator,
    in_order,
    sample,
    sample_groups,
    with_classes,
)
from fastloss.accuracy.variants import (
    all_variants,
    each_kernel,
    extreme_variants,
    group_losses,
    name_of,
    plain_variants,
    target_kinds,
    unit_losses,
    variants,
    with_kinds,
)

__all__ = [
    "BACKENDS",
    "CLASSES",
    "COMPILED",
    "DTYPES",
    "ISAS",
    "LAYOUTS",
    "METHODS",
    "RUNNERS",
    "all_variants",
    "alone",
    "arguments",
    "as_one_hot",
    "as_outs",
    "descending",
    "each_kernel",
    "extreme_variants",
    "fixed_classes",
    "generator",
    "group_losses",
    "in_order",
    "laid_out",
    "name_of",
    "new_outs",
    "one_of_each_kind",
    "outputs",
    "plain_variants",
    "quick_dtypes",
    "restore",
    "running",
    "sample",
    "sample_groups",
    "stacked",
    "target_kinds",
    "unit_losses",
    "variants",
    "with_classes",
    "with_kinds",
]

LAYOUTS = ("C", "Fortran", "strided", "reversed", "unaligned")
DTYPES = ("float32", "float64")
METHODS = {
    "value": ("value",),
    "grad": ("grad",),
    "hess": ("hess",),
    "value_and_grad": ("value", "grad"),
    "grad_and_hess": ("grad", "hess"),
    "value_grad_hess": ("value", "grad", "hess"),
}
"""What each method of a loss gives."""


def quick_dtypes(loss, runner):
    """The dtypes to test without ``full``: Numba compiles a second per loss and dtype."""
    position = (*unit_losses(), *fl.losses(gradient=False)).index(loss.name)
    return DTYPES if runner[0] != "numba" else (DTYPES[position % 2],)


def one_of_each_kind(pairs):
    """Of losses with kinds of targets those to test where each must be compiled for seconds."""
    return list(
        {(v.schema, kind, len(v.inputs)): (v, kind) for v, kind in reversed(pairs)}.values()
    )


def laid_out(array, layout):
    """A copy with another place in memory."""
    if layout == "C" or array.ndim == 0:
        return array.copy()
    if layout == "Fortran":
        return array.copy(order="F") if array.ndim > 1 else array.copy()
    if layout == "strided":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
        wide[..., 1::2] = array
        return wide[..., 1::2]
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    assert layout == "unaligned", layout
    raw = np.zeros(array.nbytes + 1, np.uint8)
    copy = raw[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def new_outs(loss, inputs, dtype=None):
    """Memory for gradients or Hessians, laid out as the predictions: a tuple for several."""
    outs = tuple(np.full_like(inputs[name], np.nan, dtype) for name in loss.differentiated)
    return outs if len(outs) > 1 else outs[0]


def alone(results):
    """Each array and number of a result, those of several predictions in turn."""
    if not isinstance(results, tuple):
        return [results]
    return [x for part in results for x in alone(part)]


def as_outs(loss, arrays):
    """Arguments for outputs: of arrays for the value, each gradient and each Hessian in turn."""
    value, *others = arrays
    n = len(loss.differentiated)
    grads, hesses = (tuple(part) if n > 1 else part[0] for part in (others[:n], others[n:]))
    return {"value_out": value, "grad_out": grads, "hess_out": hesses}


def as_one_hot(loss, inputs):
    """The same inputs with class indices as a distribution."""
    prediction, target = inputs["prediction"], inputs["target"]
    return {**inputs, "target": np.eye(prediction.shape[-1], dtype=prediction.dtype)[target]}
