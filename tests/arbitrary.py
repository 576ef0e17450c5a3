"""Arbitrary calls of the API: mostly valid, in which things are unusual and a few are wrong."""

import contextlib
import dataclasses
import decimal
import warnings

import cases
import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse
import test_extra_inputs
import torch
from guards import Watched
from hypothesis import assume
from hypothesis import strategies as st

import fastloss as fl

OWN = [(loss, "values") for loss in (test_extra_inputs.COST, test_extra_inputs.SCALE)]
"""Losses that a user defines; no kernel is compiled for them."""
CASES = [*cases.with_kinds(cases.all_variants()), *OWN]
SHAPES = ((3,), (), (0,), (1,), (2, 3), (17,), (3, 0), (1, 1), (2, 1, 4), (70,), (600,), (1,) * 40)
CLASSES = (None, 1, 2, 3, 7, 40)
FLOATS = tuple(map(np.dtype, ("f4", "f8", "f2", ml_dtypes.bfloat16)))
DTYPES = (*FLOATS, *map(np.dtype, ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")))
LAYOUTS = ("C", "Fortran", "gaps", "reversed", "repeated", "windows", "overlapping", "unaligned")
SPECIALS = (np.nan, np.inf, -np.inf, -1, 0, 0.5, 2, 1e-30, 1e30, -(2**31), 2**53, 2**63 - 1, -100)
WEIGHTS = (0, 0, 0.5, 1, 3)

# ---- arrays


def strides_of(layout, shape, item):
    """Bytes from element to element along each axis."""
    steps, step = [], item
    for n in shape if layout == "Fortran" else reversed(shape):
        steps.append(step)
        step *= max(n, 1)
    steps = steps if layout == "Fortran" else steps[::-1]
    if layout == "repeated":
        return [0, *steps[1:]] if steps else []
    if layout == "windows":  # each element belongs to several rows
        return [item] * len(steps)
    factor = {"gaps": 3, "reversed": -1, "overlapping": 0.5}.get(layout, 1)
    return [int(s * factor) for s in steps]


def nested(array):
    whole = array.dtype.type is not ml_dtypes.bfloat16  # whose tolist ignores the byte order
    return array.tolist() if whole else list(array)


def series(array):
    """With an index that nothing else has."""
    return pd.Series(array, range(1, array.size + 1), copy=False) if array.ndim == 1 else array


def table(array):
    columns = {str(j): array[:, j] for j in range(array.shape[1])} if array.ndim == 2 else {}
    return pa.table(columns) if columns else pa.array(array)


CONTAINERS = {
    "array": lambda a: a,
    "list": nested,
    "tuple of arrays": tuple,
    "pandas": lambda a: pd.Series(a) if a.ndim == 1 else pd.DataFrame(a, copy=False),
    "pandas, other index": series,
    "polars": lambda a: pl.Series(a) if a.ndim == 1 else pl.DataFrame(a),
    "arrow": table,
    "torch": torch.from_numpy,
    "memoryview": memoryview,
    "matrix": lambda a: a.view(np.matrix) if a.ndim == 2 else a,
    "masked": np.ma.masked_invalid,
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@dataclasses.dataclass
class Array:
    """An argument: what it holds and how."""

    values: np.ndarray
    layout: str = "C"
    swapped: bool = False
    container: str = "array"

    def __repr__(self):
        values = self.values.tolist() if self.values.size < 10 else "..."
        swapped = " swapped" if self.swapped else ""
        return (
            f"<{self.container} of {self.values.dtype}{swapped} {self.values.shape} "
            f"{self.layout}: {values}>"
        )

    def watched(self):
        dtype = self.values.dtype.newbyteorder(">" if self.swapped else "=")
        strides = strides_of(self.layout, self.values.shape, dtype.itemsize)
        odd = self.layout == "unaligned"
        memory = Watched(self.values.shape, dtype, strides, dtype.itemsize // 2 if odd else 0)
        memory.array[...] = self.values
        memory.keep()
        return memory

    def contained(self, array):
        """The argument; what a library does not take stays an array."""
        if array.ndim == 0 or (array.ndim > 1 and not array.size):  # whose shape others lose
            return array[()] if self.container != "array" else array
        with contextlib.suppress(Exception):
            return CONTAINERS[self.container](array)
        return array


class OnGpu:
    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **kwargs):
        raise AssertionError("nobody may read it")


def view_of(size, dtype="f8"):
    return np.lib.stride_tricks.as_strided(np.ones(1, dtype), (size,), (0,))


JUNK = {
    "None": lambda: None,
    "text": lambda: "abc",
    "bytes": lambda: b"1",
    "object": object,
    "dict": lambda: {"a": 1},
    "set": lambda: {1.0},
    "generator": lambda: (x for x in (1.0, 2.0, 3.0)),
    "range": lambda: range(3),
    "complex": lambda: 1j,
    "nan": lambda: np.nan,
    "0": lambda: 0,
    "-1": lambda: -1,
    "1.5": lambda: 1.5,
    "True": lambda: True,
    "2**70": lambda: 2**70,
    "10**5000": lambda: 10**5000,
    "decimal": lambda: decimal.Decimal(1),
    "empty list": list,
    "list of lists": lambda: [[]],
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "list of None": lambda: [None, 1.0, 2.0],
    "list of text": lambda: ["a", "b", "c"],
    "list of all sorts": lambda: [ml_dtypes.bfloat16(1), 2, np.float16(3)],
    "list of times": lambda: [np.timedelta64(1, "s"), 1.5],
    "itself": lambda: (lambda a: a.append(a) or a)([]),
    "text array": lambda: np.array(["a"] * 3),
    "objects": lambda: np.array([1.0, None, 2.0]),
    "times": lambda: np.zeros(3, "M8[s]"),
    "structured": lambda: np.zeros(3, "f4,i4"),
    "void": lambda: np.zeros(3, "V8"),
    "longdouble": lambda: np.ones(3, "g"),
    "complex array": lambda: np.ones(3, "c8"),
    "float8": lambda: np.ones(3, ml_dtypes.float8_e5m2),
    "masked": lambda: np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
    "pandas NA": lambda: pd.NA,
    "pandas nulls": lambda: pd.Series([1, None, 2], dtype="Int64"),
    "pandas text": lambda: pd.Series(["a", "b", "c"]),
    "polars nulls": lambda: pl.Series([1.0, None, 2.0]),
    "polars lists": lambda: pl.Series([[1.0], [2.0], [3.0]]),
    "arrow nulls": lambda: pa.array([1.0, None, 2.0]),
    "sparse": lambda: scipy.sparse.eye(3, format="csr"),
    "requires grad": lambda: torch.ones(3, requires_grad=True),
    "gpu": OnGpu,
    "function": lambda: len,
    "type": lambda: np.float64,
    "huge": lambda: view_of(2**45),
    "too huge": lambda: view_of(2**62, "i1"),
}
OPTIONS = {
    "reduction": ("mean", "sum", "none", "mean"),
    "normalizer": (None, None, None, 2, 0.5, np.float32(3), np.int8(7)),
    "threads": (None, None, 1, 2, np.int64(3), 2**40),
}

# ---- outputs


@dataclasses.dataclass
class Out:
    """An output: memory of its own, or some of an argument's."""

    dtype: np.dtype
    layout: str = "C"
    lies_in: str | None = None
    shift: int = 0
    """Items from where the argument starts."""
    change: str | None = None

    def watched(self, shape):
        if self.change == "shape":
            shape = (*shape, 1)
        dtype = self.dtype.newbyteorder(">") if self.change == "swapped" else self.dtype
        strides = strides_of(self.layout, shape, dtype.itemsize)
        return Watched(shape, dtype, strides, dtype.itemsize // 2 * (self.layout == "unaligned"))

    def inside(self, memory):
        """The argument's own memory, as it is or shifted."""
        array = memory.array
        try:
            view = memory.view(array.shape, array.dtype, array.strides, self.shift * array.itemsize)
        except (ValueError, TypeError):  # beyond its bytes
            view = array
        return self.changed(view)

    def changed(self, array):
        """The array as it is passed."""
        if self.change == "read-only":
            array.flags.writeable = False
        kinds = {"matrix": np.matrix, "masked": np.ma.MaskedArray}
        if self.change == "list":
            return [array]
        if self.change in kinds and (self.change == "masked" or array.ndim == 2):
            return array.view(kinds[self.change])
        return array


# ---- calls


@dataclasses.dataclass
class Made:
    """The arguments of a call with the memory of its inputs, its outputs and all memory."""

    arguments: dict
    inputs: dict
    outs: dict
    memories: list


@dataclasses.dataclass
class Call:
    """A call of a method, to be made again for each backend."""

    loss: fl.Loss
    kind: str
    method: str
    arguments: dict
    outs: dict
    options: dict

    def make(self):
        """The arguments, and the memory that they lie in."""
        inputs, memories, given, outs = {}, [], {}, {}
        for name, argument in self.arguments.items():
            if isinstance(argument, str):
                given[name] = JUNK[argument]()
            else:
                inputs[name] = argument.watched()
                given[name] = argument.contained(inputs[name].array)
        memories = [*inputs.values()]
        for name, out in self.outs.items():
            if isinstance(out, str):
                given[name] = JUNK[out]()
                continue
            found = []
            for _ in range(self.count_of(name)):
                if out.lies_in in inputs and not found:
                    found.append(out.inside(inputs[out.lies_in]))
                else:
                    memories.append(out.watched(self.shape_of(name)))
                    found.append(out.changed(memories[-1].array))
            outs |= {(name, i): array for i, array in enumerate(found)}
            given[name] = tuple(found) if len(found) > 1 else found[0]
        options = {n: JUNK[o]() if o in JUNK else o for n, o in self.options.items()}
        arrays = {name: out for name, out in outs.items() if isinstance(out, np.ndarray)}
        return Made({**given, **options}, inputs, arrays, memories)

    def count_of(self, out):
        """How many arrays an output is."""
        return len(self.loss.differentiated) if out in ("grad_out", "hess_out") else 1

    def shape_of(self, out):
        prediction = self.arguments.get("prediction")
        shape = prediction.values.shape if isinstance(prediction, Array) else (3,)
        return shape[:-1] if out == "value_out" and self.loss.schema == "row" else shape


@st.composite
def calls(draw):
    """Mostly a valid call, in which something may be unusual and a few things wrong."""

    def choose(options, often=0):
        """One of some options, of which the first comes more often than the others."""
        i = draw(st.integers(0, often + len(options) - 1))
        return options[max(0, i - often)]

    loss, kind = choose(CASES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape, classes = choose(SHAPES), choose(CLASSES)
    if not getattr(loss, "class_weight", None):
        loss = cases.with_classes(loss, classes)
    values = valid(loss, kind, shape, classes, choose(FLOATS), rng, choose((0, 1)))
    if choose((True, False)):
        values["weight"] = weight(values, loss, choose(("units", "scalar", "axis")), rng)
    for _ in range(choose((0, 1, 2), often=2)):
        name = choose(tuple(values))
        values[name] = changed(values[name], choose(CHANGES), rng)
    arguments = {
        name: Array(
            array, choose(LAYOUTS, 8), choose((False, True), 8), choose(tuple(CONTAINERS), 20)
        )
        for name, array in values.items()
    }
    for name in arguments:
        arguments[name] = choose((arguments[name], *JUNK), often=1000)
    options = {name: choose((choose(o), *JUNK), often=1000) for name, o in OPTIONS.items()}
    if options["reduction"] != "mean" and choose((True, False), often=8):
        options["normalizer"] = None
    method = choose((*cases.METHODS, "explain", "init_score", "inverse_link"))
    # valid where the rest is, and hours of work
    endless = isinstance(arguments["prediction"], str) and method == "value"
    assume(not endless or options["reduction"] == "none")
    outs = {}
    if method in ("init_score", "inverse_link"):
        wanted = ("target", "weight") if method == "init_score" else ("prediction",)
        arguments = {name: a for name, a in arguments.items() if name in wanted}
        options = {}
    for name in out_names(method):
        if choose((False, True), often=1):
            outs[name] = choose((draw_out(choose, values["prediction"].dtype), *JUNK), often=500)
    if "value_out" in outs and choose((True, False), often=8):
        options |= {"reduction": "none", "normalizer": None}
    return Call(loss, kind, method, arguments, outs, options)


def out_names(method):
    if method in ("init_score", "inverse_link"):
        return ("out",) if method == "inverse_link" else ()
    parts = cases.METHODS.get(method, ("value", "grad", "hess"))
    return tuple(f"{part}_out" for part in parts)


def draw_out(choose, dtype):
    return Out(
        choose((dtype, *FLOATS, *DTYPES), often=40),
        choose(("C", "Fortran", "gaps", "reversed", *LAYOUTS), often=10),
        choose((None, "prediction", "target", "weight"), often=8),
        choose((0, 0, 1, -1, 3)),
        choose((None, "shape", "swapped", "read-only", "list", "matrix", "masked"), often=50),
    )


def valid(loss, kind, shape, classes, dtype, rng, extremes):
    """Inputs that a loss takes, by name."""
    sampled = dtype if dtype in ("f4", "f8") else np.dtype("f4")
    if getattr(loss, "class_weight", None):
        classes = None
    if loss.name in (own.name for own, _ in OWN):
        inputs = test_extra_inputs.inputs_of(loss, shape, sampled)
    else:
        if getattr(loss, "ignore_index", None) is not None and classes == 1:
            classes = 2
        inputs = cases.sample(loss, shape, sampled, rng, kind, bool(extremes), classes)
    with np.errstate(all="ignore"):
        return {
            name: array.astype(dtype) if name in loss.differentiated else array
            for name, array in inputs.items()
        }


def weight(values, loss, how, rng):
    shape = values["prediction"].shape
    shape = shape[:-1] if loss.schema == "row" else shape
    if how == "scalar":
        shape = ()
    elif how == "axis":
        shape = tuple(n if rng.random() < 0.5 else 1 for n in shape)
    return rng.choice(WEIGHTS, shape).astype(rng.choice(["f4", "f8", "u1"]))


def changed(array, change, rng):
    """An argument with something about it that may be wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that a dtype does not hold
        return np.asarray(change(np.atleast_1d(array), rng))


def with_special(array, rng):
    """A value somewhere that may be outside, or no number."""
    flat = array.ravel().copy()
    if flat.size:
        special = np.array(SPECIALS[rng.integers(len(SPECIALS))], "f8")
        flat[rng.integers(flat.size)] = special.astype(array.dtype)
    return flat.reshape(array.shape)


def with_any_bits(array, rng):
    raw = rng.integers(0, 256, array.nbytes, dtype=np.uint8)
    return raw.view(array.dtype).reshape(array.shape) if array.nbytes else array


def with_any_dtype(array, rng):
    return array.astype(DTYPES[rng.integers(len(DTYPES))])


CHANGES = (
    with_special,
    with_special,
    with_any_bits,
    with_any_dtype,
    with_any_dtype,
    lambda a, rng: a.T,
    lambda a, rng: a[..., np.newaxis],
    lambda a, rng: a[:1],
    lambda a, rng: a.ravel(),
    lambda a, rng: np.concatenate([np.ravel(a), np.ravel(a)]),
    lambda a, rng: np.ravel(a)[0] if a.size else a,
    lambda a, rng: a[..., :1] if a.ndim else a,
)
