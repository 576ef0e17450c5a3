"""Each output of each method of each loss, given each wrong thing, says the same of it."""

import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import test_extra_inputs
import torch
from refusals import LOSSES, OUTS, calls, check, each_losses, valid

# ---- no array to write to


def read_only(array):
    array.flags.writeable = False
    return array


def rows_shared(shape):
    """Elements that begin within one another's neighbours."""
    return np.lib.stride_tricks.as_strided(np.ones(9), shape, (8,) * len(shape))


OUT_KIND = "{name} must be a NumPy array without a mask; got "
OUT_FLOAT = "{name} must be floating-point; got "
OUT_SHAPE = "{name} has shape {found}; it must have shape {shape}"
OUT_ITSELF = "{name} overlaps itself, several of its elements share memory: give each its own"

# An output made for a shape, the error and its message.
WRONG_OUTPUTS = {
    "a list": (lambda s: [0.0] * 3, TypeError, OUT_KIND + "list"),
    "a number": (lambda s: 0.0, TypeError, OUT_KIND + "float"),
    "False": (lambda s: False, TypeError, OUT_KIND + "bool"),
    "text": (lambda s: "grad", TypeError, OUT_KIND + "str"),
    "a NumPy scalar": (lambda s: np.float64(0), TypeError, OUT_KIND + "numpy float64"),
    "a tuple": (lambda s: (np.ones(s),), TypeError, OUT_KIND + "tuple"),
    "a frame": (lambda s: pd.DataFrame([[0.0]]), TypeError, OUT_KIND + "pandas DataFrame"),
    "a series": (lambda s: pd.Series(np.ones(3)), TypeError, OUT_KIND + "pandas Series"),
    "polars": (lambda s: pl.Series([0.0]), TypeError, OUT_KIND + "polars Series"),
    "arrow": (lambda s: pa.array([0.0]), TypeError, OUT_KIND + "pyarrow DoubleArray"),
    "a tensor": (lambda s: torch.ones(s), TypeError, OUT_KIND + "torch Tensor"),
    "a buffer": (lambda s: bytearray(24), TypeError, OUT_KIND + "bytearray"),
    "masked": (np.ma.ones, TypeError, OUT_KIND + "numpy MaskedArray"),
    "integers": (lambda s: np.ones(s, int), TypeError, OUT_FLOAT + "int64"),
    "booleans": (lambda s: np.ones(s, bool), TypeError, OUT_FLOAT + "bool"),
    "complex": (lambda s: np.ones(s, complex), TypeError, OUT_FLOAT + "complex128"),
    "objects": (lambda s: np.ones(s, object), TypeError, OUT_FLOAT + "object"),
    "strings": (lambda s: np.full(s, "a"), TypeError, OUT_FLOAT + "<U1"),
    "any strings": (lambda s: np.full(s, "a", "T"), TypeError, OUT_FLOAT + "StringDType()"),
    "datetimes": (lambda s: np.zeros(s, "M8[s]"), TypeError, OUT_FLOAT + "datetime64[s]"),
    "structured": (lambda s: np.ones(s, "f8,f8"), TypeError,
                   OUT_FLOAT + "[('f0', '<f8'), ('f1', '<f8')]"),
    "void": (lambda s: np.zeros(s, "V8"), TypeError, OUT_FLOAT + "|V8"),
    "longdouble": (lambda s: np.ones(s, "g"), TypeError, OUT_FLOAT + np.dtype("g").name),
    "float8": (lambda s: np.ones(s, ml_dtypes.float8_e5m2), TypeError, OUT_FLOAT + "float8_e5m2"),
    "another byte order": (lambda s: np.ones(s, ">f4"), TypeError,
                           "{name} must have the machine's byte order; got >f4"),
    "read-only": (lambda s: read_only(np.ones(s)), ValueError,
                  "{name} is read-only: give an array that can be written to"),
    "not aligned": (lambda s: np.zeros(8 * np.prod(s) + 1, "u1")[1:].view("f8").reshape(s),
                    ValueError, "{name} is not aligned: give an array of its own memory"),
    "another length": (lambda s: np.ones((4, *s[1:])), ValueError, OUT_SHAPE),
    "another axis": (lambda s: np.ones((*s, 1)), ValueError, OUT_SHAPE),
    "an axis less": (lambda s: np.ones(s[1:]), ValueError, OUT_SHAPE),
    "nothing": (lambda s: np.ones(0), ValueError, OUT_SHAPE),
    "one number many times": (lambda s: np.lib.stride_tricks.as_strided(
        np.ones(1), s, (0,) * len(s)), ValueError, OUT_ITSELF),
    "rows that overlap": (rows_shared, ValueError, OUT_ITSELF),
}  # fmt: skip


def shape_of(loss, arguments, out):
    shape = arguments["prediction"].shape
    return shape[:-1] if out == "value_out" and loss.schema == "row" else shape


def given(loss, name, out):
    """An output as the loss takes it, and how messages call it."""
    if len(loss.differentiated) == 1 or name in ("value_out", "out"):
        return {name: out}, name
    others = [None] * (len(loss.differentiated) - 1)
    return {name: (out, *others)}, f"{name}['{loss.differentiated[0]}']"


def outputs(losses, methods=OUTS):
    """Each output of each method of each loss, with arguments with which it may be given."""
    for loss, method, arguments in calls(losses, methods):
        for name in OUTS[method]:
            reduction = {"reduction": "none"} if name == "value_out" else {}
            yield loss, method, {**arguments, **reduction}, name


@pytest.mark.parametrize("wrong", WRONG_OUTPUTS)
@each_losses
def test_wrong_outputs(wrong, losses):
    make, kind, message = WRONG_OUTPUTS[wrong]
    for loss, method, arguments, name in outputs(losses):
        shape = shape_of(loss, arguments, name)
        if message is OUT_ITSELF and len(shape) == 1 and wrong != "one number many times":
            continue
        out = make(shape)
        passed, called = given(loss, name, out)
        text = message.format(name=called, shape=shape, found=np.shape(out))
        check(loss, method, {**arguments, **passed}, kind, text)


def test_outputs_of_several_gradients():
    loss = test_extra_inputs.SCALE
    for _, method, arguments, name in outputs([loss]):
        for wrong in (np.ones(3), (np.ones(3),), [np.ones(3)] * 2, (None,) * 3):
            if name in ("grad_out", "hess_out"):
                message = f"{name} must be a tuple of 2 arrays, for prediction, scale"
                check(loss, method, {**arguments, name: wrong}, TypeError, message)


# ---- other memory

OVER_INPUT = (
    "{out} overlaps {other} in memory; only grad_out may be an input, and only the very array that "
    "prediction is"
)
OVER_OUTPUT = "{out} overlaps {other} in memory: give each output memory of its own"


def overlapping(shape, other_shape, shift):
    """Two arrays in the same memory, the second some elements further."""
    memory = np.full(64, 0.5)
    ends = int(np.prod(shape)), shift + int(np.prod(other_shape))
    return memory[: ends[0]].reshape(shape), memory[shift : ends[1]].reshape(other_shape)


@pytest.mark.parametrize("shift", [0, 1, 2])
@each_losses
def test_outputs_over_inputs(shift, losses):
    methods = [method for method in OUTS if method != "inverse_link"]  # which reads all first
    for loss, method, arguments, name in outputs(losses, methods):
        for other in (*loss.inputs, "weight"):
            in_place = (name, other, shift) == ("grad_out", "prediction", 0)
            if in_place and len(loss.differentiated) == 1:
                continue
            shapes = shape_of(loss, arguments, name), arguments[other].shape
            out, array = overlapping(*shapes, shift)
            passed, called = given(loss, name, out)
            message = OVER_INPUT.format(out=called, other=other)
            check(loss, method, {**arguments, other: array, **passed}, ValueError, message)


@pytest.mark.parametrize("shift", [0, 1, 2])
@each_losses
def test_outputs_over_outputs(shift, losses):
    for loss, method, arguments, name in outputs(losses):
        for other in OUTS[method][: OUTS[method].index(name)]:
            shapes = (shape_of(loss, arguments, out) for out in (name, other))
            arrays = overlapping(*shapes, shift)
            (passed, called), (before, over) = map(given, [loss] * 2, (name, other), arrays)
            reduction = {"reduction": "none"} if other == "value_out" else {}
            changed = {**arguments, **passed, **before, **reduction}
            message = OVER_OUTPUT.format(out=called, other=over)
            check(loss, method, changed, ValueError, message)


VIEWS = {
    "reversed": lambda a: a[::-1],
    "float32 of first halves": lambda a: a.view("f4").reshape(*a.shape, 2)[..., 0],
    "float32 of second halves": lambda a: a.view("f4").reshape(*a.shape, 2)[..., 1],
    "float16 of last quarters": lambda a: a.view("f2").reshape(*a.shape, 4)[..., 3],
}


@pytest.mark.parametrize("view", VIEWS)
def test_the_predictions_memory_in_another_way(view):
    for loss in LOSSES:
        if len(loss.differentiated) == 1:
            arguments = valid(loss, "grad")
            prediction = arguments["prediction"].copy()
            changed = {"prediction": prediction, "grad_out": VIEWS[view](prediction)}
            message = OVER_INPUT.format(out="grad_out", other="prediction")
            check(loss, "grad", {**arguments, **changed}, ValueError, message)
