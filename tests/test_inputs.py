"""Whatever a caller passes becomes a NumPy array, or an error that names the argument."""

import array
import ctypes
import datetime
import decimal
import gc
import re
import subprocess
import sys

import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from fastloss import _inputs

SUPPORTED_DTYPES = [
    *(np.dtype(f"{kind}{bits}") for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    *map(np.dtype, (bool, np.float16, ml_dtypes.bfloat16, np.float32, np.float64)),
]
NAN = float("nan")


def exporting(source, *protocols):
    """An object of no known library that passes on some protocols of another object."""
    members = {name: getattr(source, name) for name in protocols}
    methods = {name: staticmethod(m) if callable(m) else m for name, m in members.items()}
    return type("Foreign", (), methods)()


class OnDevice:
    """A tensor that says where it is, and that cannot be read."""

    def __init__(self, kind, index):
        self.device = (kind, index)

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **kwargs):
        raise AssertionError("a tensor on another device must not be exported")


class WithArray:
    def __init__(self, result):
        self.result = result

    def __array__(self, dtype=None, copy=None):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class DLPackOfBfloat16(WithArray):
    """As jax: DLPack exports bfloat16, which only ``__array__`` can hand to NumPy."""

    def __init__(self):
        super().__init__(np.array([1], ml_dtypes.bfloat16))
        self.tensor = torch.ones(1, dtype=torch.bfloat16)

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, **kwargs):
        return self.tensor.__dlpack__()


def released():
    view = memoryview(b"a")
    view.release()
    return view


def tensors():
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(8.0).reshape(2, 2, 2))


def pairs(*rows):
    return pa.array(rows, pa.list_(pa.float32(), 2))


def polars_pairs(*rows):
    return pl.Series(rows, dtype=pl.Array(pl.Float32, 2))


def table(**columns):
    return pa.table(columns)


def f8(*values):
    return np.array(values, np.float64)


def f4(*values):
    return np.array(values, np.float32)


def i8(*values):
    return np.array(values, np.int64)


ROWS = np.array([[1.0, 3.0], [2.0, 4.0]])
BFLOATS = np.array([1, 2.5], ml_dtypes.bfloat16)
CHUNKS = pl.concat([pl.Series([1.0, 2.0]), pl.Series([3.0])], rechunk=False)

ACCEPTED = {
    "int": (lambda: 3, np.array(3)),
    "bool": (lambda: True, np.array(True)),
    "float": (lambda: 1.5, np.array(1.5)),
    "int above int64": (lambda: 2**63, np.array(2**63, np.uint64)),
    "float32 scalar": (lambda: np.float32(2), np.array(2, np.float32)),
    "bfloat16 scalar": (lambda: ml_dtypes.bfloat16(2), np.array(2, ml_dtypes.bfloat16)),
    "list": (lambda: [1, 2.5], f8(1, 2.5)),
    "list with NaN": (lambda: [1, NAN], f8(1, NAN)),
    "list of ints and bools": (lambda: [True, 2], i8(1, 2)),
    "list of float32": (lambda: [np.float32(1), np.float32(2)], f4(1, 2)),
    "list of bfloat16": (lambda: [ml_dtypes.bfloat16(1)], np.array([1], ml_dtypes.bfloat16)),
    "tuple": (lambda: (1, 2), i8(1, 2)),
    "range": (lambda: range(3), i8(0, 1, 2)),
    "empty list": (lambda: [], f8()),
    "empty rows": (lambda: [[], []], np.empty((2, 0))),
    "nested": (lambda: [[1.0, 3.0], (2.0, 4.0)], ROWS),
    "deep": (lambda: [[[1], [2]], [[3], [4]]], np.arange(1, 5).reshape(2, 2, 1)),
    "bfloat16 and int": (lambda: [ml_dtypes.bfloat16(1.5), 2], f8(1.5, 2)),
    "bfloat16 and int8": (lambda: [BFLOATS, np.ones(2, np.int8)], np.float32([[1, 2.5], [1, 1]])),
    "bfloat16 and float16": (lambda: [ml_dtypes.bfloat16(1.5), np.float16(2)], f4(1.5, 2)),
    "bfloat16 and bool": (lambda: [ml_dtypes.bfloat16(1.5), True], f4(1.5, 1)),
    "list of arrays": (lambda: [f4(1, 3), f4(2, 4)], ROWS.astype(np.float32)),
    "list and array": (lambda: [[1.0, 3.0], f8(2, 4)], ROWS),
    "list of tensors": (lambda: [torch.tensor(1.0), torch.tensor(2.0)], f4(1, 2)),
    "list of series": (lambda: [pl.Series([1.0, 3.0]), pd.Series([2.0, 4.0])], ROWS),
    "memmap": (
        lambda: np.memmap(__file__, np.uint8, "r", shape=(2,)),
        np.array([ord('"')] * 2, np.uint8),
    ),
    "matrix": (lambda: ROWS.view(np.matrix), ROWS),
    "masked array, no mask": (lambda: np.ma.array([1.0, 2.0]), f8(1, 2)),
    "masked array, nothing masked": (lambda: np.ma.array([1.0], mask=[False]), f8(1)),
    "big endian": (lambda: np.array([1, 2], ">f4"), f4(1, 2)),
    "big endian 2-D": (lambda: ROWS.astype(">f8"), ROWS),
    "big endian bfloat16": (
        lambda: BFLOATS.astype(BFLOATS.dtype.newbyteorder(">")),
        BFLOATS,
    ),
    "long long": (lambda: np.array([1], np.longlong), i8(1)),
    "unaligned": (lambda: np.frombuffer(b"x" + f8(1, 2).tobytes(), offset=1), f8(1, 2)),
    "array.array": (lambda: array.array("f", [1, 2]), f4(1, 2)),
    "memoryview": (lambda: memoryview(ROWS), ROWS),
    "bytearray": (lambda: bytearray(b"\1\2"), np.array([1, 2], np.uint8)),
    "ctypes": (lambda: (ctypes.c_float * 2)(1, 2), f4(1, 2)),
    "__array__": (lambda: WithArray(f4(1, 2)), f4(1, 2)),
    "__array_interface__": (lambda: exporting(ROWS, "__array_interface__"), ROWS),
    # pandas
    "pandas float": (lambda: pd.Series([1.0, NAN]), f8(1, NAN)),
    "pandas None in float": (lambda: pd.Series([1.0, None]), f8(1, NAN)),
    "pandas bool": (lambda: pd.Series([True, False]), np.array([True, False])),
    "pandas Int8": (lambda: pd.Series([1, 2], dtype="Int8"), np.array([1, 2], np.int8)),
    "pandas Float32": (lambda: pd.Series([1, 2], dtype="Float32"), f4(1, 2)),
    "pandas boolean": (lambda: pd.Series([True], dtype="boolean"), np.array([True])),
    "pandas arrow": (lambda: pd.Series([1, 2], dtype="float[pyarrow]"), f4(1, 2)),
    "pandas sparse": (lambda: pd.Series(pd.arrays.SparseArray([0.0, 1.0])), f8(0, 1)),
    "pandas Index": (lambda: pd.Index([1.0, 2.0]), f8(1, 2)),
    "pandas RangeIndex": (lambda: pd.RangeIndex(3), i8(0, 1, 2)),
    "pandas array": (lambda: pd.array([1, 2]), i8(1, 2)),
    "pandas NumPy array": (lambda: pd.arrays.NumpyExtensionArray(f8(1, NAN)), f8(1, NAN)),
    "pandas subclass": (lambda: type("Mine", (pd.Series,), {})([1.0]), f8(1)),
    "pandas frame": (lambda: pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), ROWS),
    "pandas mixed frame": (lambda: pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]}), ROWS),
    "pandas bool and float": (lambda: pd.DataFrame({"a": [True], "b": [2.5]}), f8([1, 2.5])),
    "pandas nullable frame": (lambda: pd.DataFrame(ROWS).astype("Float64"), ROWS),
    "pandas same names": (lambda: pd.DataFrame(ROWS, columns=["a", "a"]).astype("Float64"), ROWS),
    "pandas empty frame": (lambda: pd.DataFrame(index=range(3)), np.empty((3, 0))),
    # polars
    "polars": (lambda: pl.Series([1.0, NAN]), f8(1, NAN)),
    "polars bool": (lambda: pl.Series([True, False]), np.array([True, False])),
    "polars chunks": (lambda: CHUNKS, f8(1, 2, 3)),
    "polars Array": (lambda: polars_pairs([1, 2], [3, 4]), np.array([[1, 2], [3, 4]], np.float32)),
    "polars empty Array": (lambda: polars_pairs(), np.empty((0, 2), np.float32)),
    "polars frame": (lambda: pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), ROWS),
    "polars mixed frame": (lambda: pl.DataFrame({"a": [1, 2], "b": [3.0, 4.0]}), ROWS),
    "polars chunked frame": (
        lambda: pl.concat(
            [pl.DataFrame({"a": [i], "b": [i + 2.0]}) for i in (1, 2)], rechunk=False
        ),
        ROWS,
    ),
    # Arrow
    "arrow": (lambda: pa.array([1.0, NAN]), f8(1, NAN)),
    "arrow slice past a null": (lambda: pa.array([None, 1.0, 2.0])[1:], f8(1, 2)),
    "arrow bool": (lambda: pa.array([False, True, True])[1:], np.array([True, True])),
    "arrow chunks": (lambda: pa.chunked_array([[1, 2], [3]]), i8(1, 2, 3)),
    "arrow no chunk": (lambda: pa.chunked_array([], pa.int8()), np.empty(0, np.int8)),
    "arrow pairs": (lambda: pairs([1, 2], [3, 4])[1:], np.array([[3, 4]], np.float32)),
    "arrow chunked pairs": (
        lambda: pa.chunked_array([pairs([0, 0], [1, 2])[1:], pairs([3, 4])]),
        np.array([[1, 2], [3, 4]], np.float32),
    ),
    "arrow tensors": (lambda: tensors()[1:], np.arange(4.0, 8.0).reshape(1, 2, 2)),
    "arrow table": (lambda: table(a=[1, 2], b=[3.0, 4.0]), ROWS),
    "arrow batch": (lambda: table(a=[1.0, 2.0], b=[3.0, 4.0]).to_batches()[0], ROWS),
    "arrow reader": (lambda: table(a=[1.0, 2.0], b=[3.0, 4.0]).to_reader(), ROWS),
    "arrow same names": (lambda: pa.table([[1.0, 2.0], [3.0, 4.0]], ["a", "a"]), ROWS),
    "foreign stream, column": (
        lambda: exporting(pa.chunked_array([[1], [2]]), "__arrow_c_stream__"),
        i8(1, 2),
    ),
    "foreign stream, frame": (
        lambda: exporting(pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), "__arrow_c_stream__"),
        ROWS,
    ),
    "foreign array": (lambda: exporting(pa.array([1, 2]), "__arrow_c_array__"), i8(1, 2)),
    # Tensors
    "torch": (lambda: torch.tensor([1.0, 2.0]), f4(1, 2)),
    "torch scalar": (lambda: torch.tensor(1.5), np.array(1.5, np.float32)),
    "torch bool": (lambda: torch.tensor([True]), np.array([True])),
    "torch transposed": (lambda: torch.from_numpy(ROWS.T.copy()).T, ROWS),
    "torch bfloat16": (
        lambda: torch.tensor([[1.0, 2.5]], dtype=torch.bfloat16),
        np.array([[1, 2.5]], ml_dtypes.bfloat16),
    ),
    "torch negative bit": (lambda: torch.tensor([1 + 2j]).conj().imag, f4(-2)),
    "torch detached": (lambda: torch.ones(2, requires_grad=True).detach(), f4(1, 1)),
    "DLPack": (lambda: exporting(ROWS, "__dlpack__", "__dlpack_device__"), ROWS),
    "DLPack that NumPy does not know": (
        lambda: DLPackOfBfloat16(),
        np.array([1], ml_dtypes.bfloat16),
    ),
}


# Sources over the memory of an array, which the result shares.
SHARED = {
    "ndarray": lambda a: a,
    "matrix": lambda a: a.view(np.matrix),
    "masked array": lambda a: np.ma.array(a, copy=False),
    "long long": lambda a: a.view(np.int64).view(np.longlong),
    "memoryview": memoryview,
    "pandas column": lambda a: pd.Series(a[:, 0], copy=False),
    "pandas frame": lambda a: pd.DataFrame(a, copy=False),
    "pandas frame of rows": lambda a: pd.DataFrame(a.T, copy=False),
    "polars column": lambda a: pl.Series(a[:, 0]),
    "polars frame": lambda a: pl.from_arrow(pa.Table.from_arrays(list(map(pa.array, a.T)), "ab")),
    "arrow column": lambda a: pa.array(a[:, 0]),
    "arrow chunk": lambda a: pa.chunked_array([pa.array(a[:, 0])]),
    "arrow frame": lambda a: pa.Table.from_arrays(list(map(pa.array, a.T)), ["a", "b"]),
    "pandas frame of arrow": lambda a: pd.DataFrame(
        {j: pd.Series(pa.array(a[:, j]), dtype=pd.ArrowDtype(pa.float64())) for j in (0, 1)}
    ),
    "arrow pairs": lambda a: pa.FixedSizeListArray.from_arrays(pa.array(a.ravel("K")), 2),
    "torch": torch.from_numpy,
    "torch bfloat16": lambda a: torch.from_numpy(a.T).view(torch.bfloat16),
    "DLPack": lambda a: exporting(a, "__dlpack__", "__dlpack_device__"),
}

KINDS = "must be a number, a list, an array, a column, a frame or a CPU tensor of dtype bool, "
NULL = "; drop or fill nulls first"

REFUSED = {
    # No array at all
    "str": (lambda: "abc", TypeError, "x " + KINDS),
    "bytes": (lambda: b"abc", TypeError, "x " + KINDS),
    "None": (lambda: None, TypeError, "not None"),
    "dict": (lambda: {"a": 1}, TypeError, "not dict"),
    "set": (lambda: {1}, TypeError, "not set"),
    "generator": (lambda: (i for i in "a"), TypeError, "not generator"),
    "class": (lambda: pd.Series, TypeError, "not type"),
    "decimal": (lambda: decimal.Decimal(1), TypeError, "not decimal Decimal"),
    "pandas NA": (lambda: pd.NA, TypeError, "not pandas NAType"),
    "lazy frame": (lambda: pl.LazyFrame(), TypeError, "x is a polars LazyFrame: call .collect()"),
    "polars expression": (lambda: pl.col("a"), TypeError, "not polars Expr"),
    "arrow schema": (lambda: pa.schema([]), TypeError, "not pyarrow Schema"),
    "torch module": (lambda: torch.nn.ReLU(), TypeError, "not torch ReLU"),
    "released memoryview": (released, TypeError, "x is a memoryview that NumPy cannot read: "),
    "__array__ fails": (
        lambda: WithArray(RuntimeError("no way")),
        TypeError,
        "WithArray that NumPy cannot read: no way",
    ),
    "__array__ is masked": (
        lambda: WithArray(np.ma.array([1, 2], mask=[0, 1])),
        ValueError,
        "x is masked at row 1",
    ),
    # Data types
    "complex": (lambda: 1j, TypeError, "x has dtype complex128, but must have bool, "),
    "complex list": (lambda: [1, 1j], TypeError, "x has dtype complex128"),
    "longdouble": (lambda: np.ones(2, "g"), TypeError, f"x has dtype {np.dtype('g')}"),
    "object": (lambda: np.array([1, None]), TypeError, "x has dtype object"),
    "strings": (lambda: np.array(["a"]), TypeError, "x has dtype <U1"),
    "datetime": (lambda: np.zeros(2, "M8[s]"), TypeError, "x has dtype datetime64[s]"),
    "timedelta": (lambda: np.timedelta64(1, "s"), TypeError, "x has dtype timedelta64[s]"),
    "timedelta in a list": (
        lambda: [1.5, np.timedelta64(1, "s")],
        TypeError,
        "x[1] has dtype timedelta64[s]",
    ),
    "structured": (lambda: np.zeros(2, "i4,i4"), TypeError, "x has dtype [('f0', '<i4'), "),
    "float8": (lambda: np.ones(1, ml_dtypes.float8_e5m2), TypeError, "x has dtype float8_e5m2"),
    "pandas strings": (lambda: pd.Series(["a", None]), TypeError, "x has dtype str"),
    "pandas categories": (
        lambda: pd.Series([1], dtype="category"),
        TypeError,
        "x has dtype category",
    ),
    "pandas datetimes": (
        lambda: pd.to_datetime(pd.Series(["2020"]), utc=True),
        TypeError,
        "x has dtype datetime64[us, UTC]",
    ),
    "pandas objects": (lambda: pd.Series([1, None], dtype=object), TypeError, "x has dtype object"),
    "pandas arrow strings": (
        lambda: pd.Series(["a"], dtype=pd.ArrowDtype(pa.string())),
        TypeError,
        "x has dtype string",
    ),
    "pandas frame of strings": (
        lambda: pd.DataFrame({"a": [1], "b": ["x"]}),
        TypeError,
        "column 'b' of x has dtype str",
    ),
    "polars strings": (lambda: pl.Series(["a", None]), TypeError, "x has dtype String"),
    "polars categories": (
        lambda: pl.Series(["a"], dtype=pl.Categorical),
        TypeError,
        "x has dtype Categorical",
    ),
    "polars decimals": (
        lambda: pl.Series([decimal.Decimal("1.5")]),
        TypeError,
        "x has dtype Decimal(",
    ),
    "polars dates": (
        lambda: pl.Series([datetime.date(2020, 1, 1)]),
        TypeError,
        "x has dtype Date",
    ),
    "polars Int128": (lambda: pl.Series([1], dtype=pl.Int128), TypeError, "x has dtype Int128"),
    "polars lists": (lambda: pl.Series([[1]]), TypeError, "x has dtype List(Int64)"),
    "polars objects": (lambda: pl.Series([object()]), TypeError, "x has dtype Object"),
    "polars nothing": (lambda: pl.Series([]), TypeError, "x has dtype Null"),
    "polars frame of strings": (
        lambda: pl.DataFrame({"a": [1], "b": ["x"]}),
        TypeError,
        "column 'b' of x has dtype String",
    ),
    "polars frame of Arrays": (
        lambda: pl.DataFrame({"a": polars_pairs([1, 2])}),
        TypeError,
        "column 'a' of x must hold one number a row",
    ),
    "arrow strings": (lambda: pa.array(["a", None]), TypeError, "x has dtype string"),
    "arrow dictionary": (
        lambda: pa.array([1, 2]).dictionary_encode(),
        TypeError,
        "x has dtype dictionary<values=int64",
    ),
    "arrow decimals": (
        lambda: pa.array([decimal.Decimal("1.5")]),
        TypeError,
        "x has dtype decimal128(2, 1)",
    ),
    "arrow timestamps": (
        lambda: pa.array([1], pa.timestamp("s")),
        TypeError,
        "x has dtype timestamp[s]",
    ),
    "arrow lists": (lambda: pa.array([[1]]), TypeError, "x has dtype list<"),
    "arrow structs": (lambda: pa.array([{"a": 1}]), TypeError, "x has dtype struct<a: int64>"),
    "arrow table of strings": (
        lambda: table(a=[1], b=["x"]),
        TypeError,
        "column 'b' of x has dtype string",
    ),
    "foreign stream of strings": (
        lambda: exporting(pa.chunked_array([["a"]]), "__arrow_c_stream__"),
        TypeError,
        "x has dtype string",
    ),
    "torch complex": (lambda: torch.tensor([1j]), TypeError, "x has dtype complex64"),
    "torch float8": (
        lambda: torch.ones(1).to(torch.float8_e5m2),
        TypeError,
        "x has dtype torch.float8_e5m2, but must have bool, ",
    ),
    # Nulls
    "None in a list": (lambda: [1, None], ValueError, "x has a null at row 1" + NULL),
    "None in a row": (
        lambda: [[1, 2], [None, 3]],
        ValueError,
        "x has a null at row 1, column 0" + NULL,
    ),
    "None, deep": (lambda: [[[1], [None]]], ValueError, "x has a null at index (0, 1, 0)" + NULL),
    "pandas NA in a list": (lambda: [1, pd.NA], ValueError, "x has a null at row 1" + NULL),
    "masked in a list": (lambda: [1, np.ma.masked], ValueError, "x[1] is masked at its only"),
    "null in a listed column": (
        lambda: [pl.Series([1.0, 2.0]), pl.Series([1.0, None])],
        ValueError,
        "x[1] has a null at row 1" + NULL,
    ),
    "masked": (
        lambda: np.ma.array([1, 2, 3], mask=[0, 0, 1]),
        ValueError,
        "x is masked at row 2; drop or fill masked elements first",
    ),
    "masked 2-D": (
        lambda: np.ma.array(ROWS.T, mask=[[0, 1], [1, 0]]),
        ValueError,
        "x is masked at row 0, column 1",
    ),
    "pandas null": (
        lambda: pd.Series([1, None, None], dtype="Int64", index=[7, 8, 9]),
        ValueError,
        "x has a null at row 1" + NULL,
    ),
    "pandas arrow null": (
        lambda: pd.Series([1, 2, None], dtype="int8[pyarrow]"),
        ValueError,
        "x has a null at row 2" + NULL,
    ),
    "pandas frame null": (
        lambda: pd.DataFrame({"a": [1, 2, 3], "b": pd.array([1, 2, None])}),
        ValueError,
        "x has a null at row 2, column 'b'" + NULL,
    ),
    "polars null": (lambda: pl.Series([1.0, None]), ValueError, "x has a null at row 1" + NULL),
    "polars null only": (lambda: pl.Series([None]), ValueError, "x has a null at row 0" + NULL),
    "polars null in a second chunk": (
        lambda: pl.concat([CHUNKS, pl.Series([None, 1.0])], rechunk=False),
        ValueError,
        "x has a null at row 3" + NULL,
    ),
    "polars null Array": (
        lambda: polars_pairs([1, 2], None),
        ValueError,
        "x has a null at row 1" + NULL,
    ),
    "polars null in an Array": (
        lambda: polars_pairs([1, 2], [3, 4], [5, None]),
        ValueError,
        "x has a null at row 2" + NULL,
    ),
    "polars frame null, lowest row": (
        lambda: pl.DataFrame({"a": [1, 2, None], "b": [1, None, 3]}),
        ValueError,
        "x has a null at row 1, column 'b'" + NULL,
    ),
    "arrow null": (lambda: pa.array([1.0, None, NAN]), ValueError, "x has a null at row 1" + NULL),
    "arrow null only": (lambda: pa.nulls(2), ValueError, "x has a null at row 0" + NULL),
    "arrow null in a slice": (
        lambda: pa.array([None, 1, 2, None])[1:],
        ValueError,
        "x has a null at row 2" + NULL,
    ),
    "arrow null in a second chunk": (
        lambda: pa.chunked_array([[1, 2], [3, None]]),
        ValueError,
        "x has a null at row 3" + NULL,
    ),
    "arrow null pair": (lambda: pairs([1, 2], None), ValueError, "x has a null at row 1" + NULL),
    "arrow null in a pair": (
        lambda: pairs([1, 2], [3, 4], [5, None]),
        ValueError,
        "x has a null at row 2" + NULL,
    ),
    "arrow table null": (
        lambda: table(a=[1, 2], b=[1, None]),
        ValueError,
        "x has a null at row 1, column 'b'" + NULL,
    ),
    # Shapes and values of lists
    "ragged": (
        lambda: [[1, 2], [3]],
        ValueError,
        "x is ragged: x[1] has length 1, but x[0] has length 2",
    ),
    "ragged, deep": (
        lambda: [[[1], [2]], [[3], [4, 5]]],
        ValueError,
        "x is ragged: x[1][1] has length 2, but x[0][0] has length 1",
    ),
    "number among rows": (
        lambda: [[1, 2], 3],
        ValueError,
        "x is ragged: x[1] is a number, but x[0] has length 2",
    ),
    "ragged arrays": (
        lambda: [f8(1), f8(1, 2, 3)],
        ValueError,
        "x is ragged: x[1] has length 3, but x[0] has length 1",
    ),
    "string in a list": (lambda: [1, "a"], TypeError, "x[1] " + KINDS),
    "decimal in a list": (lambda: [[decimal.Decimal(1)]], TypeError, "x[0][0] " + KINDS),
    "huge integer": (lambda: 2**70, ValueError, f"x is {2**70}, which fits neither int64 nor"),
    "huge integer in a list": (lambda: [[1.5], [-(2**64)]], ValueError, f"x[1][0] is {-(2**64)}, "),
    "integers of two ranges": (lambda: [-1, 2**63], ValueError, "x mixes integers below 0 and abo"),
    "columns of two ranges": (
        lambda: table(a=pa.array([1], pa.uint64()), b=[-1]),
        TypeError,
        "x mixes uint64 and int64",
    ),
    # Tensors
    "requires grad": (
        lambda: torch.ones(2, requires_grad=True),
        TypeError,
        "x is a tensor that requires grad: call .detach() first",
    ),
    "requires grad in a list": (
        lambda: [torch.ones(2), torch.ones(2, requires_grad=True)],
        TypeError,
        "x[1] is a tensor that requires grad: call .detach() first",
    ),
    "torch meta": (lambda: torch.ones(2, device="meta"), TypeError, "x is on meta: call .cpu()"),
    "torch sparse": (lambda: torch.ones(2, 2).to_sparse(), TypeError, "x is a torch Tensor that N"),
    "cuda": (
        lambda: OnDevice(2, 0),
        TypeError,
        "fastloss runs on the CPU; x is on cuda:0: call .cpu() first",
    ),
    "rocm": (lambda: OnDevice(10, 1), TypeError, "x is on rocm:1: call .cpu() first"),
    "unknown device": (lambda: OnDevice(99, 0), TypeError, "x is on DLPack device 99:0"),
}


@pytest.mark.parametrize("dtype", SUPPORTED_DTYPES, ids=str)
def test_every_supported_dtype_is_kept(dtype):
    source = np.array([[0, 1], [1, 0]], dtype)
    result = _inputs.as_array(source, "x")
    assert result is source
    if not _inputs.is_bfloat16(dtype):
        for library in (pd.DataFrame, pl.DataFrame, torch.from_numpy):
            converted = _inputs.as_array(library(source), "x")
            assert converted.dtype == dtype, library
            np.testing.assert_array_equal(converted, source)
        column = _inputs.as_array(pa.array(source[0]), "x")
        assert column.dtype == dtype
        np.testing.assert_array_equal(column, source[0])


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case):
    source, expected = ACCEPTED[case]
    result = _inputs.as_array(source(), "x")
    assert type(result) is np.ndarray
    assert result.dtype == expected.dtype
    assert result.dtype.num == expected.dtype.num
    assert result.dtype.isnative
    assert result.flags.aligned
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("case", SHARED)
def test_memory_is_shared(case):
    owner = np.asfortranarray(np.arange(128.0).reshape(64, 2))
    result = _inputs.as_array(SHARED[case](owner), "x")
    assert np.shares_memory(result, owner)
    address = result.__array_interface__["data"][0]
    assert address == owner.__array_interface__["data"][0]
    if result.shape == owner.shape and "pairs" not in case:
        assert result.strides == owner.strides
        np.testing.assert_array_equal(result.view(np.float64), owner)


def test_columns_stay_alive():
    columns = [pa.array(range(1000 * j, 1000 * j + 1000), pa.int64()) for j in range(2)]
    buffer = pa.py_buffer(np.concatenate(columns).tobytes())
    halves = [
        pa.Array.from_buffers(pa.int64(), 1000, [None, buffer.slice(8000 * j, 8000)])
        for j in range(2)
    ]
    address = buffer.address
    result = _inputs.as_array(pa.table(halves, ["a", "b"]), "x")
    del columns, buffer, halves
    gc.collect()
    assert result.__array_interface__["data"][0] == address
    assert not result.flags.writeable
    np.testing.assert_array_equal(result, np.arange(2000).reshape(2, 1000).T)


@pytest.mark.parametrize(("gap", "shared"), [(-8, False), (0, True), (7, True), (8, False)])
def test_columns_apart_by_more_than_padding_are_copied(gap, shared):
    memory = np.arange(1000.0)
    columns = [memory[j * (100 + gap) :][:100] for j in range(3)]
    result = _inputs.as_array(pa.table(list(map(pa.array, columns)), list("abc")), "x")
    assert np.shares_memory(result, memory) == shared
    np.testing.assert_array_equal(result, np.stack(columns, axis=1))


def test_columns_apart_unevenly_are_copied():
    memory = np.arange(64.0)
    starts = (0, 8, 32)
    table = pa.table([pa.array(memory[s : s + 8]) for s in starts], list("abc"))
    expected = np.stack([memory[s : s + 8] for s in starts], axis=1)
    np.testing.assert_array_equal(_inputs.as_array(table, "x"), expected)


def test_copied_frame_is_column_major():
    result = _inputs.as_array(pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}), "x")
    assert result.flags.f_contiguous
    assert not result.flags.c_contiguous


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    source, kind, message = REFUSED[case]
    value = source()
    with pytest.raises(kind, match=re.escape(message)) as caught:
        _inputs.as_array(value, "x")
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    if "but must have" in message or KINDS in message:
        assert _inputs.SUPPORTED in str(caught.value)


def test_endless_nesting_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="x is nested deeper than 64 levels"):
        _inputs.as_array(value, "x")


def test_bfloat16_without_ml_dtypes_becomes_float32(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    result = _inputs.as_array(torch.tensor([1.5], dtype=torch.bfloat16), "x")
    assert result.dtype == np.float32
    assert result.tolist() == [1.5]


def test_foreign_arrow_asks_for_pyarrow(monkeypatch):
    value = exporting(pa.chunked_array([[1.0]]), "__arrow_c_stream__")
    monkeypatch.delitem(sys.modules, "pyarrow")
    with pytest.raises(TypeError, match="read through pyarrow: import pyarrow first"):
        _inputs.as_array(value, "x")


def test_is_bfloat16():
    assert _inputs.is_bfloat16(np.dtype(ml_dtypes.bfloat16))
    assert not _inputs.is_bfloat16(np.dtype(np.float16))


def test_nothing_is_imported():
    code = (
        "import array, sys; from fastloss._inputs import as_array, check_index_agreement\n"
        "as_array([[1, 2.5]], 'x'); as_array(array.array('d', [1]), 'x')\n"
        "check_index_agreement({'x': [1], 'y': [2]})\n"
        "libraries = {'pandas', 'polars', 'pyarrow', 'torch', 'jax', 'ml_dtypes'}\n"
        "print(*(libraries & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("\n", "")


def series(*index):
    return pd.Series(np.zeros(len(index)), index=list(index))


AGREE = {
    "equal": {"x": series(3, 1), "y": series(3, 1)},
    "range and list": {"x": pd.Series([1.0, 2.0]), "y": series(0, 1)},
    "series and frame": {"x": series(3, 1), "y": pd.DataFrame(ROWS, index=[3, 1])},
    "others": {"x": series(3, 1), "y": np.zeros(2), "weight": [1, 2], "z": pd.Index([5, 6])},
    "repeated labels": {"x": series("a", "a"), "y": series("a", "a")},
    "NaN labels": {"x": series(NAN, 1), "y": series(NAN, 1)},
    "empty": {"x": pd.Series(dtype=float), "y": pd.Series(dtype=float)},
    "none": {},
}

DISAGREE = {
    "order": (
        {"x": series(1, 2, 3), "y": series(1, 3, 2)},
        "x and y have different pandas indexes: at position 1 x has 2 and y has 3",
    ),
    "last": ({"x": series(*range(9)), "y": series(*range(8), 9)}, "at position 8 x has 8 and y"),
    "first": ({"x": series("a", "b"), "y": series("c", "b")}, "at position 0 x has 'a' and y has"),
    "longer": ({"x": series(1, 2), "y": series(1, 2, 5)}, "position 2 x has no row and y has 5"),
    "third argument": (
        {"x": series(1, 2), "k": [1], "y": series(1, 2), "weight": series(1, 4)},
        "x and weight have different pandas indexes: at position 1 x has 2 and weight has 4",
    ),
    "frame": ({"x": pd.DataFrame(ROWS), "y": series(1, 0)}, "x and y have different pandas ind"),
    "levels": (
        {
            "x": pd.Series([1, 2], pd.MultiIndex.from_tuples([(1, "a"), (1, "b")])),
            "y": pd.Series([1, 2], pd.MultiIndex.from_tuples([(1, "a"), (2, "b")])),
        },
        "at position 1 x has (1, 'b') and y has (2, 'b')",
    ),
}


@pytest.mark.parametrize("case", AGREE)
def test_indexes_that_agree(case):
    _inputs.check_index_agreement(AGREE[case])


@pytest.mark.parametrize("case", DISAGREE)
def test_indexes_that_disagree(case):
    arguments, message = DISAGREE[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        _inputs.check_index_agreement(arguments)


def test_indexes_without_pandas(monkeypatch):
    arguments = DISAGREE["order"][0]
    monkeypatch.delitem(sys.modules, "pandas")
    _inputs.check_index_agreement(arguments)
