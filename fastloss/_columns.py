"""Columns and frames of pandas, polars and Arrow as arrays, and whether their indexes agree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from ._dtypes import CANONICAL, Array, checked, common_dtype, wrong_dtype
from ._messages import needs_pyarrow, null, refusal, unreadable

__all__ = [
    "check_index_agreement",
    "from_arrow_capsule",
    "from_pandas",
    "from_polars",
    "from_pyarrow",
]

# What a column converts to: an array, or the row of its first null.
Column = Array | int

# What pyarrow and polars (in lower case) call the data types.
_NAMES = {dtype.name for dtype in CANONICAL.values()} | {"boolean", "halffloat", "float", "double"}
_MAX_PADDING = 64  # bytes that Arrow may leave between the columns of one allocation


def check_index_agreement(arrays: dict[str, object]) -> None:
    """
    Raise when two pandas objects among the arguments have different indexes.

    Parameters
    ----------
    arrays : dict of str to object
        The arguments as the caller passed them, by name. All but pandas Series and DataFrames
        are ignored.

    Raises
    ------
    ValueError
        Naming two arguments and the first position at which their indexes differ.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return
    kinds = (pandas.Series, pandas.DataFrame)
    indexes = [(name, value.index) for name, value in arrays.items() if isinstance(value, kinds)]
    for name, index in indexes[1:]:
        first_name, first = indexes[0]
        if not first.equals(index):
            k = _first_difference(first, index)
            raise ValueError(
                f"{first_name} and {name} have different pandas indexes: at position {k} "
                f"{first_name} has {_label(first, k)} and {name} has {_label(index, k)}"
            )


def _first_difference(first: Any, second: Any) -> int:
    """Where two indexes first differ: bisection, as only equals knows NaN and several levels."""
    low, high = 0, min(len(first), len(second))
    if first[:high].equals(second[:high]):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if first[:middle].equals(second[:middle]):
            low = middle
        else:
            high = middle
    return low


def _label(index: Any, k: int) -> str:
    return repr(index[k : k + 1].tolist()[0]) if k < len(index) else "no row"


def from_pandas(value: Any, name: str) -> Array:
    """A DataFrame, a Series, an Index or an extension array."""
    pandas = sys.modules["pandas"]
    if isinstance(value, pandas.DataFrame):
        dtypes = set(value.dtypes)
        if len(dtypes) == 1 and isinstance(dtypes.pop(), np.dtype):
            return np.asarray(value.to_numpy())
        return _from_frame(value.items(), len(value), _pandas_column, name)
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        value = pandas.Series(value, copy=False)
    if isinstance(value, (pandas.Series, pandas.Index)):
        return _from_column(_pandas_column(value, name), name)
    raise refusal(value, name)


def _pandas_column(column: Any, name: str) -> Column:
    """A Series or an Index, backed by NumPy, by a mask and values, by Arrow, or sparse."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) or type(dtype).__name__ == "SparseDtype":
        return np.asarray(column)
    if hasattr(dtype, "pyarrow_dtype"):
        return _arrow_column(column.array.__arrow_array__(), name)
    if not hasattr(dtype, "numpy_dtype"):
        raise wrong_dtype(name, dtype)
    missing = np.asarray(column.isna())
    if missing.any():
        return int(missing.argmax())
    return np.asarray(column.to_numpy(dtype=dtype.numpy_dtype))


def from_polars(value: Any, name: str) -> Array:
    """A DataFrame or a Series."""
    polars = sys.modules["polars"]
    if isinstance(value, polars.DataFrame):
        columns = zip(value.columns, value.get_columns(), strict=True)
        return _from_frame(columns, value.height, _polars_column, name)
    if isinstance(value, polars.Series):
        return _from_column(_polars_column(value, name), name)
    if isinstance(value, polars.LazyFrame):
        raise TypeError(f"{name} is a polars LazyFrame: call .collect() first")
    raise refusal(value, name)


def _polars_column(column: Any, name: str) -> Column:
    """A Series of numbers, or of fixed-size Arrays of numbers."""
    polars = sys.modules["polars"]
    shape, leaf = [len(column)], column.dtype
    while isinstance(leaf, polars.Array):
        shape, leaf = [*shape, leaf.shape[0]], leaf.inner
    if str(leaf).lower() not in _NAMES and not (leaf == polars.Null and len(column)):
        raise wrong_dtype(name, column.dtype)
    flat = column
    while isinstance(flat.dtype, polars.Array) and not flat.null_count():
        flat = flat.explode()
    if flat.null_count():
        return int(flat.is_null().to_numpy().argmax()) * len(column) // len(flat)
    return np.asarray(flat.to_numpy()).reshape(shape)


def from_pyarrow(value: Any, name: str) -> Array:
    """A Table, a RecordBatch, a RecordBatchReader, an Array or a ChunkedArray."""
    pyarrow = sys.modules["pyarrow"]
    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return _from_column(_arrow_column(value, name), name)
    if isinstance(value, (pyarrow.Table, pyarrow.RecordBatch)):
        columns = zip(value.column_names, value.columns, strict=True)
        return _from_frame(columns, value.num_rows, _arrow_column, name)
    if hasattr(value, "__arrow_c_stream__"):
        return from_arrow_capsule(value, name)
    raise refusal(value, name)


def from_arrow_capsule(value: Any, name: str) -> Array:
    """Any other library's Arrow data, a column or (as a struct) a frame, read by pyarrow."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        raise needs_pyarrow(value, name)
    read = pyarrow.chunked_array if hasattr(value, "__arrow_c_stream__") else pyarrow.array
    try:
        data = read(value)
    except Exception as error:
        raise unreadable(value, name, error) from error
    if pyarrow.types.is_struct(data.type) and not data.null_count:
        data = pyarrow.Table.from_struct_array(data)
    return from_pyarrow(data, name)


def _arrow_column(column: Any, name: str) -> Column:
    """An Array or a ChunkedArray of numbers, of fixed-size lists of numbers, or of tensors."""
    pyarrow = sys.modules["pyarrow"]
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(column.type, pyarrow.FixedShapeTensorType):
        storage = _arrow_column(column.storage, name)
        return storage if isinstance(storage, int) else np.asarray(column.to_numpy_ndarray())
    is_list = pyarrow.types.is_fixed_size_list
    shape, leaf = [len(column)], column.type
    while is_list(leaf):
        shape, leaf = [*shape, leaf.list_size], leaf.value_type
    if str(leaf) not in _NAMES and not (pyarrow.types.is_null(leaf) and len(column)):
        raise wrong_dtype(name, column.type)
    flat = column
    while is_list(flat.type) and not flat.null_count:
        flat = flat.flatten()  # unlike .values, it respects a slice's offset
    if flat.null_count:
        nulls = flat.is_null().to_numpy(zero_copy_only=False)
        return int(nulls.argmax()) * len(column) // len(flat)
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(shape)


def _from_column(column: Column, name: str) -> Array:
    if isinstance(column, int):
        raise null(name, (column,))
    return column


def _from_frame(
    columns: Iterable[tuple[object, Any]],
    rows: int,
    convert: Callable[[Any, str], Column],
    name: str,
) -> Array:
    """Named columns to (rows, columns), column-major."""
    arrays: list[Array] = []
    nulls: list[tuple[int, object]] = []
    for label, source in columns:
        column_name = f"column {label!r} of {name}"
        column = convert(source, column_name)
        if isinstance(column, int):
            nulls.append((column, label))
        elif column.ndim != 1:
            raise TypeError(f"{column_name} must hold one number a row")
        else:
            arrays.append(checked(column, column_name))
    if nulls:
        lowest = min(nulls, key=lambda position: position[0])
        raise null(name, lowest)
    view = _adjacent(arrays)
    if view is not None:
        return view
    frame = np.empty((rows, len(arrays)), common_dtype(arrays, name), order="F")
    for j, array in enumerate(arrays):
        frame[:, j] = array
    return frame


def _adjacent(columns: list[Array]) -> Array | None:
    """A read-only view of columns that lie one behind the other in memory, else None."""
    if not columns or columns[0].size == 0:
        return None
    first = columns[0]
    if first.dtype.kind == "V":  # bfloat16, which __array_interface__ cannot name
        return None
    if any(c.dtype != first.dtype or not c.flags.c_contiguous for c in columns):
        return None
    addresses = [c.__array_interface__["data"][0] for c in columns]
    stride, *others = {b - a for a, b in pairwise(addresses)} or {first.nbytes}
    if others or not 0 <= stride - first.nbytes < _MAX_PADDING or stride % first.itemsize:
        return None
    return np.asarray(_Columns(columns, stride))


class _Columns:
    """Keeps the columns of one allocation alive for the array that views them all."""

    def __init__(self, columns: list[Array], stride: int) -> None:
        first = columns[0]
        self.columns = columns
        self.__array_interface__ = {
            "version": 3,
            "data": (first.__array_interface__["data"][0], True),
            "typestr": first.dtype.str,
            "shape": (first.size, len(columns)),
            "strides": (first.itemsize, stride),
        }
