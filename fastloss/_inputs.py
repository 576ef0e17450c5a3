"""Turn what a caller passes as an argument into a NumPy array, off the fast path.

`as_array` knows one small function per kind of source: here NumPy arrays, numbers, nested
sequences, torch, DLPack, and whatever exports a buffer or ``__array__``. Memory is shared wherever
the source allows it, so a result may be read-only. No library is imported for an input that does
not come from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from ._columns import (
    check_index_agreement,
    from_arrow_capsule,
    from_pandas,
    from_polars,
    from_pyarrow,
)
from ._dtypes import SUPPORTED, Array, checked, common_dtype, is_bfloat16, wrong_dtype
from ._messages import (
    element,
    masked,
    null,
    ragged,
    refusal,
    shown,
    unravel,
    unreadable,
    wrong_device,
)

__all__ = ["SUPPORTED", "as_array", "check_index_agreement", "is_bfloat16"]

_INTEGERS = (int, np.bool_, np.integer)
_NUMBERS = (int, float, complex, np.bool_, np.number)
_SEQUENCES = (list, tuple, range)
_MAX_DIMENSIONS = 64  # NumPy's own limit
_MAX_SIZE = 2**60 - 1  # elements: their bytes as float64 are numbers of 64 bits
_CPU_DEVICES = frozenset((1, 3, 11, 13))  # DLPack: CPU, CUDA host, ROCm host, CUDA managed
_DEVICE_NAMES = {2: "cuda", 4: "opencl", 7: "vulkan", 8: "mps", 10: "rocm", 14: "xpu", 15: "webgpu"}


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
    array = checked(_converted(value, name), name)
    if array.size > _MAX_SIZE:
        raise ValueError(f"{name} has shape {array.shape}: no more than {_MAX_SIZE} elements fit")
    return array


def _converted(value: Any, name: str) -> Array:
    """Any source to an array whose data type is still to be checked."""
    if isinstance(value, np.ndarray):
        return _from_ndarray(value, name)
    if isinstance(value, (*_NUMBERS, np.generic)):
        return _from_numbers([value], [], name)
    if isinstance(value, _SEQUENCES):
        return _from_sequence(value, name)
    if isinstance(value, (str, bytes, type)):
        raise refusal(value, name)
    for base in type(value).__mro__:
        convert = _LIBRARIES.get(base.__module__.partition(".")[0])
        if convert is not None:
            return convert(value, name)
    if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
        return from_arrow_capsule(value, name)
    if hasattr(value, "__cuda_array_interface__"):
        raise wrong_device(name, "cuda", ".cpu()")
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _from_dlpack(value, name)
    return _from_buffer(value, name)


def _from_ndarray(value: Array, name: str) -> Array:
    array = np.asarray(value)
    if isinstance(value, np.ma.MaskedArray) and array.dtype.names is None:
        mask = np.ma.getmaskarray(value)
        if mask.any():
            raise masked(name, unravel(int(mask.argmax()), mask.shape))
    return array


def _from_numbers(numbers: list[Any], shape: list[int], name: str) -> Array:
    array = np.asarray(numbers)
    rounded = array.dtype.kind == "f" and numbers and _are_all(numbers, _INTEGERS)
    if array.dtype == object or rounded:
        for i, number in enumerate(numbers):
            if isinstance(number, np.timedelta64):  # which NumPy takes for an integer
                raise wrong_dtype(element(name, i, shape), number.dtype)
            if isinstance(number, int) and not -(2**63) <= number < 2**64:
                where, value = element(name, i, shape), shown(number)
                raise ValueError(f"{where} is {value}, which fits neither int64 nor uint64")
        raise ValueError(f"{name} mixes integers below 0 and above 2**63 - 1: no dtype holds both")
    return array.reshape(shape)


def _from_sequence(value: Any, name: str) -> Array:
    """A nested sequence: flatten it level by level, then convert what is left at once."""
    level = list(value)
    shape = [len(level)]
    while level and _are_all(level, _SEQUENCES):
        if len(shape) == _MAX_DIMENSIONS:
            raise ValueError(f"{name} is nested deeper than {_MAX_DIMENSIONS} levels")
        length = len(level[0])
        if set(map(len, level)) != {length}:
            odd = next(i for i, item in enumerate(level) if len(item) != length)
            raise ragged(name, shape, odd, (len(level[odd]),), (length,))
        level = list(chain.from_iterable(level))
        shape.append(length)
    if _are_all(level, _NUMBERS):
        return _from_numbers(level, shape, name)
    return _from_items(level, shape, name)


def _are_all(items: list[Any], kinds: tuple[type, ...]) -> bool:
    """As isinstance of every item, but by the few types of many items."""
    return all(issubclass(kind, kinds) for kind in set(map(type, items)))


def _from_items(level: list[Any], shape: list[int], name: str) -> Array:
    """Items that are not all numbers: arrays, tensors, columns, nulls, things to refuse."""
    items = []
    for i, item in enumerate(level):
        if item is None or type(item).__name__ in ("NAType", "NaTType"):
            raise null(name, unravel(i, shape))
        items.append(as_array(item, element(name, i, shape)))
        if items[i].shape != items[0].shape:
            raise ragged(name, shape, i, items[i].shape, items[0].shape)
    stacked = np.stack(items, dtype=common_dtype(items, name))
    return stacked.reshape(*shape, *items[0].shape)


def _from_torch(value: Any, name: str) -> Array:
    """A torch tensor; not by DLPack, which drops the negative bit of a view."""
    torch = sys.modules["torch"]
    if not isinstance(value, torch.Tensor):
        raise refusal(value, name)
    if value.requires_grad:
        raise TypeError(f"{name} is a tensor that requires grad: call .detach() first")
    if value.device.type != "cpu":
        raise wrong_device(name, str(value.device), ".cpu()")
    try:
        value = value.resolve_neg()
        if value.dtype != torch.bfloat16:
            return np.asarray(value.numpy())
        try:
            from ml_dtypes import bfloat16
        except ImportError:
            return np.asarray(value.float().numpy())
        return np.asarray(value.view(torch.uint16).numpy().view(bfloat16))
    except Exception as error:
        if "ScalarType" in str(error):
            raise wrong_dtype(name, value.dtype) from error
        raise unreadable(value, name, error) from error


def _from_dlpack(value: Any, name: str) -> Array:
    try:
        kind, index = value.__dlpack_device__()
    except Exception as error:
        raise unreadable(value, name, error) from error
    if kind not in _CPU_DEVICES:
        library = type(value).__module__.partition(".")[0]
        call = {"cupy": ".get()", "jaxlib": "jax.device_get"}.get(library, ".cpu()")
        device = _DEVICE_NAMES.get(int(kind), f"DLPack device {int(kind)}")
        raise wrong_device(name, f"{device}:{index}", call)
    try:
        return np.from_dlpack(value)
    except Exception as error:
        if hasattr(value, "__array__"):  # DLPack has types that np.from_dlpack does not know
            return _from_buffer(value, name)
        raise unreadable(value, name, error) from error


def _from_buffer(value: Any, name: str) -> Array:
    """The buffer protocol, then ``__array__`` and its kin."""
    try:
        source: Any = memoryview(value)
    except Exception as error:  # jax has a buffer, but raises BufferError for bfloat16
        if not hasattr(value, "__array__") and not hasattr(value, "__array_interface__"):
            if isinstance(error, TypeError):  # not a buffer at all
                raise refusal(value, name) from None
            raise unreadable(value, name, error) from error
        source = value
    try:
        array = np.asanyarray(source)
    except Exception as error:
        raise unreadable(value, name, error) from error
    return _from_ndarray(array, name)


_LIBRARIES: dict[str, Callable[[Any, str], Array]] = {
    "pandas": from_pandas,
    "polars": from_polars,
    "pyarrow": from_pyarrow,
    "torch": _from_torch,
}
