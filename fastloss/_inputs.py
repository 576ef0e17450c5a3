"""Turn what a caller passes as an argument into a NumPy array, off the fast path.

`as_array` knows one small function per kind of source: NumPy arrays, numbers, nested sequences,
pandas, polars, Arrow, torch, DLPack, and whatever exports a buffer or ``__array__``. Memory is
shared wherever the source allows it, so a result may be read-only. No library is imported for an
input that does not come from it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SUPPORTED", "as_array", "check_index_agreement", "is_bfloat16"]

Array = NDArray[Any]
Position = tuple[object, ...]

SUPPORTED = "bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32 or float64"

_INTEGERS = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
_DTYPES = tuple(map(np.dtype, (np.bool_, *_INTEGERS, np.float16, np.float32, np.float64)))

# One data type for each kind and width; float8, of kind f too, has none.
_CANONICAL = {(dtype.kind, dtype.itemsize): dtype for dtype in _DTYPES}

# What pyarrow and polars (in lower case) call these data types.
_COLUMN_DTYPES = {dtype.name for dtype in _DTYPES} | {"boolean", "halffloat", "float", "double"}
_NUMBERS = (int, float, complex, np.bool_, np.number)
_SEQUENCES = (list, tuple, range)
_MAX_DIMENSIONS = 64  # NumPy's own limit
_CPU_DEVICES = frozenset((1, 3, 11, 13))  # DLPack: CPU, CUDA host, ROCm host, CUDA managed
_DEVICE_NAMES = {2: "cuda", 4: "opencl", 7: "vulkan", 8: "mps", 10: "rocm", 14: "xpu", 15: "webgpu"}
_MAX_PADDING = 64  # bytes that Arrow may leave between the columns of one allocation


def as_array(value: Any, name: str) -> Array:
    """
    Return `value` as an array of a supported data type.

    Parameters
    ----------
    value : object
        An array, a number, a (nested) list or tuple, a pandas, polars or Arrow column or frame,
        a CPU tensor, or anything that exports DLPack, a buffer or ``__array__``.
    name : str
        The argument's name, for messages.

    Returns
    -------
    numpy.ndarray
        Exactly an ndarray, aligned, in native byte order and of a data type in `SUPPORTED`. It
        shares the memory of `value` where it can and may then be read-only. A frame gives
        (rows, columns), a number zero dimensions.

    Raises
    ------
    TypeError
        For a kind of object or a data type that is not accepted, a tensor that requires grad or
        that is not on the CPU.
    ValueError
        For a null or a masked element, a ragged list, or integers that no 64-bit type holds.
    """
    return _checked(_converted(value, name), name)


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


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """
    Tell whether a data type is the bfloat16 of ml_dtypes, without importing ml_dtypes.

    Parameters
    ----------
    dtype : numpy.dtype
        Any data type.

    Returns
    -------
    bool
        True for bfloat16.
    """
    return dtype.name == "bfloat16"


def _converted(value: Any, name: str) -> Array:
    """Any source to an array whose data type is still to be checked."""
    if isinstance(value, np.ndarray):
        return _from_ndarray(value, name)
    if isinstance(value, (*_NUMBERS, np.generic)):
        return _from_numbers(value, name)
    if isinstance(value, _SEQUENCES):
        return _from_sequence(value, name)
    if isinstance(value, (str, bytes, type)):
        raise _refusal(value, name)
    for base in type(value).__mro__:
        convert = _LIBRARIES.get(base.__module__.partition(".")[0])
        if convert is not None:
            return convert(value, name)
    if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
        return _from_arrow_capsule(value, name)
    if hasattr(value, "__cuda_array_interface__"):
        raise _wrong_device(name, "cuda", ".cpu()")
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _from_dlpack(value, name)
    return _from_buffer(value, name)


def _checked(array: Array, name: str) -> Array:
    """The array in an accepted data type: native, aligned, with NumPy's canonical type number."""
    dtype = array.dtype
    if not is_bfloat16(dtype):
        canonical = _CANONICAL.get((dtype.kind, dtype.itemsize))
        if canonical is None:
            raise _wrong_dtype(name, dtype)
        if not dtype.isnative:
            array = array.astype(canonical)
        elif dtype.num != canonical.num:  # long and long long are two types of one width
            array = array.view(canonical)
    return array if array.flags.aligned else np.array(array, order="K")


# NumPy and plain Python ---------------------------------------------------------------------


def _from_ndarray(value: Array, name: str) -> Array:
    array = np.asarray(value)
    if isinstance(value, np.ma.MaskedArray) and array.dtype.names is None:
        mask = np.ma.getmaskarray(value)
        if mask.any():
            position = np.unravel_index(int(mask.argmax()), mask.shape)
            raise ValueError(
                f"{name} is masked at {_place(tuple(map(int, position)))}; "
                "drop or fill masked elements first"
            )
    return array


def _from_numbers(value: Any, name: str) -> Array:
    """One number, or a flat list of numbers."""
    array = np.asarray(value)
    if array.dtype == object or (array.dtype.kind == "f" and array.size and _are_integers(value)):
        raise ValueError(f"{name} holds integers that fit neither int64 nor uint64")
    return array


def _are_integers(value: Any) -> bool:
    kinds = set(map(type, value)) if isinstance(value, list) else {type(value)}
    return all(issubclass(kind, (int, np.bool_, np.integer)) for kind in kinds)


def _from_sequence(value: Any, name: str) -> Array:
    """A nested sequence: flatten it level by level, then convert what is left at once."""
    level = list(value)
    shape = [len(level)]
    while level and all(issubclass(kind, _SEQUENCES) for kind in set(map(type, level))):
        if len(shape) == _MAX_DIMENSIONS:
            raise ValueError(f"{name} is nested deeper than {_MAX_DIMENSIONS} levels")
        length = len(level[0])
        if set(map(len, level)) != {length}:
            odd = next(i for i, item in enumerate(level) if len(item) != length)
            raise _ragged(name, shape, odd, (len(level[odd]),), (length,))
        level = list(chain.from_iterable(level))
        shape.append(length)
    if all(issubclass(kind, _NUMBERS) for kind in set(map(type, level))):
        return _from_numbers(level, name).reshape(shape)
    return _from_items(level, shape, name)


def _from_items(level: list[Any], shape: list[int], name: str) -> Array:
    """Items that are not all numbers: arrays, tensors, columns, nulls, things to refuse."""
    items = []
    for i, item in enumerate(level):
        if item is None or type(item).__name__ in ("NAType", "NaTType"):
            raise _null(name, tuple(map(int, np.unravel_index(i, shape))))
        items.append(as_array(item, _element(name, i, shape)))
        if items[i].shape != items[0].shape:
            raise _ragged(name, shape, i, items[i].shape, items[0].shape)
    dtype = _common_dtype(items, name)
    return np.stack(items).astype(dtype, copy=False).reshape(*shape, *items[0].shape)


def _from_buffer(value: Any, name: str) -> Array:
    """The buffer protocol, then ``__array__`` and its kin."""
    try:
        source: Any = memoryview(value)
    except Exception as error:  # jax has a buffer, but raises BufferError for bfloat16
        if not hasattr(value, "__array__") and not hasattr(value, "__array_interface__"):
            if isinstance(error, TypeError):  # not a buffer at all
                raise _refusal(value, name) from None
            raise _unreadable(value, name, error) from error
        source = value
    try:
        array = np.asanyarray(source)
    except Exception as error:
        raise _unreadable(value, name, error) from error
    return _from_ndarray(array, name)


# Columns and frames -------------------------------------------------------------------------

# What a column converts to: an array, or the row of its first null.
Column = Array | int


def _from_column(column: Column, name: str) -> Array:
    if isinstance(column, int):
        raise _null(name, (column,))
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
        column = convert(source, f"column {label!r} of {name}")
        if isinstance(column, int):
            nulls.append((column, label))
        elif column.ndim != 1:
            raise TypeError(f"column {label!r} of {name} must hold one number a row")
        else:
            arrays.append(_checked(column, f"column {label!r} of {name}"))
    if nulls:
        row = min(row for row, _ in nulls)
        raise _null(name, next(null for null in nulls if null[0] == row))
    view = _adjacent(arrays)
    if view is not None:
        return view
    frame = np.empty((rows, len(arrays)), _common_dtype(arrays, name), order="F")
    for j, array in enumerate(arrays):
        frame[:, j] = array
    return frame


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


def _adjacent(columns: list[Array]) -> Array | None:
    """A read-only view of columns that lie one behind the other in memory, else None."""
    if not columns or columns[0].size == 0 or columns[0].dtype.kind not in "biuf":
        return None
    first = columns[0]
    if any(c.dtype != first.dtype or not c.flags.c_contiguous for c in columns):
        return None
    addresses = [c.__array_interface__["data"][0] for c in columns]
    stride = addresses[1] - addresses[0] if len(columns) > 1 else first.nbytes
    if not 0 <= stride - first.nbytes < _MAX_PADDING or stride % first.itemsize:
        return None
    if any(a != addresses[0] + j * stride for j, a in enumerate(addresses)):
        return None
    return np.asarray(_Columns(columns, stride))


def _common_dtype(arrays: list[Array], name: str) -> np.dtype[Any]:
    """What arrays promote to, unless that would turn integers into floats."""
    dtypes = list(dict.fromkeys(array.dtype for array in arrays))
    common = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    if common.kind == "f" and dtypes and all(dtype.kind in "biu" for dtype in dtypes):
        raise TypeError(
            f"{name} mixes {' and '.join(map(str, dtypes))}, which no integer dtype holds"
        )
    return common


def _from_pandas(value: Any, name: str) -> Array:
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
    raise _refusal(value, name)


def _pandas_column(column: Any, name: str) -> Column:
    """A Series or an Index, backed by NumPy, by a mask and values, by Arrow, or sparse."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) or type(dtype).__name__ == "SparseDtype":
        return np.asarray(column)
    if hasattr(dtype, "pyarrow_dtype"):
        return _arrow_column(column.array.__arrow_array__(), name)
    if not hasattr(dtype, "numpy_dtype"):
        raise _wrong_dtype(name, dtype)
    missing = np.asarray(column.isna())
    if missing.any():
        return int(missing.argmax())
    return np.asarray(column.to_numpy(dtype=dtype.numpy_dtype))


def _from_polars(value: Any, name: str) -> Array:
    polars = sys.modules["polars"]
    if isinstance(value, polars.DataFrame):
        columns = zip(value.columns, value.get_columns(), strict=True)
        return _from_frame(columns, value.height, _polars_column, name)
    if isinstance(value, polars.Series):
        return _from_column(_polars_column(value, name), name)
    if isinstance(value, polars.LazyFrame):
        raise TypeError(f"{name} is a polars LazyFrame: call .collect() first")
    raise _refusal(value, name)


def _polars_column(column: Any, name: str) -> Column:
    """A Series of numbers, or of fixed-size Arrays of numbers."""
    polars = sys.modules["polars"]
    shape, leaf = [len(column)], column.dtype
    while isinstance(leaf, polars.Array):
        shape, leaf = [*shape, leaf.shape[0]], leaf.inner
    if str(leaf).lower() not in _COLUMN_DTYPES and not (leaf == polars.Null and len(column)):
        raise _wrong_dtype(name, column.dtype)
    flat = column
    while isinstance(flat.dtype, polars.Array) and not flat.null_count():
        flat = flat.explode()
    if flat.null_count():
        return int(flat.is_null().to_numpy().argmax()) * len(column) // len(flat)
    return np.asarray(flat.to_numpy()).reshape(shape)


def _from_pyarrow(value: Any, name: str) -> Array:
    pyarrow = sys.modules["pyarrow"]
    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return _from_column(_arrow_column(value, name), name)
    if isinstance(value, (pyarrow.Table, pyarrow.RecordBatch)):
        columns = zip(value.column_names, value.columns, strict=True)
        return _from_frame(columns, value.num_rows, _arrow_column, name)
    if hasattr(value, "__arrow_c_stream__"):  # a RecordBatchReader
        return _from_arrow_capsule(value, name)
    raise _refusal(value, name)


def _from_arrow_capsule(value: Any, name: str) -> Array:
    """Any other library's Arrow data, a column or (as a struct) a frame, read by pyarrow."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        raise TypeError(f"{name} is a {_kind(value)}, read through pyarrow: import pyarrow first")
    read = pyarrow.chunked_array if hasattr(value, "__arrow_c_stream__") else pyarrow.array
    try:
        data = read(value)
    except Exception as error:
        raise _unreadable(value, name, error) from error
    if pyarrow.types.is_struct(data.type) and not data.null_count:
        data = pyarrow.Table.from_struct_array(data)
    return _from_pyarrow(data, name)


def _arrow_column(column: Any, name: str) -> Column:
    """An Array or a ChunkedArray of numbers, of fixed-size lists of numbers, or of tensors."""
    pyarrow = sys.modules["pyarrow"]
    if isinstance(column, pyarrow.ChunkedArray):
        one = column.num_chunks == 1
        column = column.chunk(0) if one else column.combine_chunks()
    if isinstance(column.type, pyarrow.FixedShapeTensorType):
        storage = _arrow_column(column.storage, name)
        return storage if isinstance(storage, int) else np.asarray(column.to_numpy_ndarray())
    is_list = pyarrow.types.is_fixed_size_list
    shape, leaf = [len(column)], column.type
    while is_list(leaf):
        shape, leaf = [*shape, leaf.list_size], leaf.value_type
    if str(leaf) not in _COLUMN_DTYPES and not (pyarrow.types.is_null(leaf) and len(column)):
        raise _wrong_dtype(name, column.type)
    flat = column
    while is_list(flat.type) and not flat.null_count:
        flat = flat.flatten()  # unlike .values, it respects a slice's offset
    if flat.null_count:
        nulls = flat.is_null().to_numpy(zero_copy_only=False)
        return int(nulls.argmax()) * len(column) // len(flat)
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(shape)


# Tensors ------------------------------------------------------------------------------------


def _from_torch(value: Any, name: str) -> Array:
    """A torch tensor; not by DLPack, which drops the negative bit of a view."""
    torch = sys.modules["torch"]
    if not isinstance(value, torch.Tensor):
        raise _refusal(value, name)
    if value.requires_grad:
        raise TypeError(f"{name} is a tensor that requires grad: call .detach() first")
    if value.device.type != "cpu":
        raise _wrong_device(name, str(value.device), ".cpu()")
    try:
        value = value.resolve_neg()
        if value.dtype != torch.bfloat16:
            return np.asarray(value.numpy())
        try:
            bfloat16 = importlib.import_module("ml_dtypes").bfloat16
        except ImportError:
            return np.asarray(value.float().numpy())
        return np.asarray(value.view(torch.uint16).numpy().view(bfloat16))
    except TypeError as error:
        if "ScalarType" in str(error):
            raise _wrong_dtype(name, value.dtype) from error
        raise _unreadable(value, name, error) from error
    except Exception as error:
        raise _unreadable(value, name, error) from error


def _from_dlpack(value: Any, name: str) -> Array:
    try:
        kind, index = value.__dlpack_device__()
    except Exception as error:
        raise _unreadable(value, name, error) from error
    if kind not in _CPU_DEVICES:
        library = type(value).__module__.partition(".")[0]
        call = {"cupy": ".get()", "jaxlib": "jax.device_get"}.get(library, ".cpu()")
        device = _DEVICE_NAMES.get(int(kind), f"DLPack device {int(kind)}")
        raise _wrong_device(name, f"{device}:{index}", call)
    try:
        return np.from_dlpack(value)
    except Exception as error:
        if hasattr(value, "__array__"):  # DLPack has types that np.from_dlpack does not know
            return _from_buffer(value, name)
        raise _unreadable(value, name, error) from error


_LIBRARIES: dict[str, Callable[[Any, str], Array]] = {
    "pandas": _from_pandas,
    "polars": _from_polars,
    "pyarrow": _from_pyarrow,
    "torch": _from_torch,
}


# Messages -----------------------------------------------------------------------------------


def _kind(value: object) -> str:
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__.partition('.')[0]} {kind.__qualname__}"


def _refusal(value: object, name: str) -> TypeError:
    return TypeError(
        f"{name} must be a number, a list, an array, a column, a frame or a CPU tensor "
        f"of dtype {SUPPORTED}, not {'None' if value is None else _kind(value)}"
    )


def _wrong_dtype(name: str, dtype: object) -> TypeError:
    return TypeError(f"{name} has dtype {dtype}, but must have {SUPPORTED}")


def _wrong_device(name: str, device: str, call: str) -> TypeError:
    return TypeError(f"fastloss runs on the CPU; {name} is on {device}: call {call} first")


def _unreadable(value: object, name: str, error: Exception) -> TypeError:
    reason = str(error).partition("\n")[0]
    return TypeError(f"{name} is a {_kind(value)} that NumPy cannot read: {reason}")


def _null(name: str, position: Position) -> ValueError:
    return ValueError(f"{name} has a null at {_place(position)}; drop or fill nulls first")


def _ragged(
    name: str, shape: list[int], i: int, found: tuple[int, ...], first: tuple[int, ...]
) -> ValueError:
    return ValueError(
        f"{name} is ragged: {_element(name, i, shape)} {_extent(found)}, "
        f"but {_element(name, 0, shape)} {_extent(first)}"
    )


def _extent(shape: tuple[int, ...]) -> str:
    if not shape:
        return "is a number"
    return f"has length {shape[0]}" if len(shape) == 1 else f"has shape {shape}"


def _element(name: str, i: int, shape: list[int]) -> str:
    return name + "".join(f"[{k}]" for k in np.unravel_index(i, shape))


def _place(position: Position) -> str:
    if not position:
        return "its only element"
    if len(position) == 1:
        return f"row {position[0]}"
    if len(position) == 2:
        return f"row {position[0]}, column {position[1]!r}"
    return f"index {position}"


def _label(index: Any, k: int) -> str:
    return repr(index[k : k + 1].tolist()[0]) if k < len(index) else "no row"


def _first_difference(first: Any, second: Any) -> int:
    """Where two pandas indexes first differ: bisection over their common prefixes."""
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
