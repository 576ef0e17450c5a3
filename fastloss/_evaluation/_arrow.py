"""Columns as arrays of Arrow, of the types that PyArrow's functions take."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_arrow", "load_pyarrow", "usual"]

# The nearest units that Arrow has.
_UNITS = {
    "M": {"Y": "D", "M": "D", "W": "D", "h": "s", "m": "s"},
    "m": {"W": "s", "D": "s", "h": "s", "m": "s"},
}


def as_arrow(x: Any) -> Any:
    """A column: NumPy's array, or one of Arrow."""
    if not isinstance(x, np.ndarray):
        return x
    if x.dtype.kind in _UNITS:
        unit = np.datetime_data(x.dtype)[0]
        x = x.astype(f"{x.dtype.kind}8[{_UNITS[x.dtype.kind].get(unit, unit)}]")
    return load_pyarrow().array(x)


def usual(x: Any) -> Any:
    """The same values without views and runs, of which few functions know."""
    pa = load_pyarrow()
    if isinstance(x, pa.ChunkedArray):
        x = x.combine_chunks()
    if pa.types.is_run_end_encoded(x.type):
        import pyarrow.compute as pc

        x = pc.run_end_decode(x)
    if pa.types.is_dictionary(x.type):
        known = usual(x.dictionary)
        return x if known is x.dictionary else pa.DictionaryArray.from_arrays(x.indices, known)
    if x.type == pa.string_view():
        return x.cast(pa.large_string())
    return x.cast(pa.large_binary()) if x.type == pa.binary_view() else x


def load_pyarrow() -> Any:
    """PyArrow, or an error that says how to install it."""
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            "evaluate reads tables and files by PyArrow: pip install fastloss[arrow]"
        ) from error
    return pyarrow
