"""The data types of arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CANONICAL",
    "SUPPORTED",
    "Array",
    "checked",
    "common_dtype",
    "is_bfloat16",
    "wrong_dtype",
]

Array = NDArray[Any]

SUPPORTED = "bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32 or float64"

# By type number, of which long and long long are two of one width. bfloat16 has no fixed one.
CANONICAL = {np.dtype(code).num: np.dtype(np.dtype(code).str) for code in "?bBhHiIlLqQefd"}


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
    return dtype.type.__name__ == "bfloat16"


def checked(array: Array, name: str) -> Array:
    """The array in an accepted data type: native, aligned, with NumPy's canonical type number."""
    dtype = array.dtype
    canonical = CANONICAL.get(dtype.num)
    if canonical is None and not is_bfloat16(dtype):
        raise wrong_dtype(name, dtype)
    if not dtype.isnative:
        array = array.astype(dtype.newbyteorder("="))
    elif canonical is not None and dtype.num != canonical.num:
        array = array.view(canonical)
    return array if array.flags.aligned else np.array(array, order="K")


def common_dtype(arrays: list[Array], name: str) -> np.dtype[Any]:
    """What checked arrays promote to, unless that would turn integers into floats."""
    dtypes = list(dict.fromkeys(array.dtype for array in arrays)) or [np.dtype(np.float64)]
    if len(dtypes) > 1:  # NumPy does not know what bfloat16 promotes to; float32 holds it
        dtypes = [np.dtype(np.float32) if is_bfloat16(d) else d for d in dtypes]
    common = np.result_type(*dtypes)
    if common.kind == "f" and all(dtype.kind in "biu" for dtype in dtypes):
        raise TypeError(
            f"{name} mixes {' and '.join(map(str, dtypes))}, which no integer dtype holds"
        )
    return common


def wrong_dtype(name: str, dtype: object) -> TypeError:
    """The error for an argument of a data type that is not supported."""
    return TypeError(f"{name} has dtype {dtype}, but must have {SUPPORTED}: convert it first")
