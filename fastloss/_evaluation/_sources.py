"""Where rows come from: arrays, tables, streams, files and folders, batch by batch."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .._inputs import as_array
from .._messages import kind_of
from ._arrow import load_pyarrow, usual
from ._batch import Batch

__all__ = ["batches", "check_columns", "open_dataset"]

FORMATS = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".feather": "feather",
    ".arrow": "feather",
    ".ipc": "feather",
    ".orc": "orc",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")


def batches(
    source: Any, columns: Sequence[str], filter: Any, filesystem: Any, batch_size: int
) -> Iterator[Batch]:
    """The rows of a source with the columns that are needed, in their order."""
    if isinstance(source, Mapping):
        if filter is not None:
            raise TypeError("filter is for tables and files; index arrays by a mask instead")
        found = _of_arrays(source, columns)
    elif hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        found = _of_stream(source, columns, filter, batch_size)
    else:
        found = _of_dataset(source, columns, filter, filesystem, batch_size)
    for batch in found:
        yield from batch.slices(batch_size)


def check_columns(columns: Iterable[str], known: Sequence[str]) -> None:
    """Raises where a column is not among those of a source."""
    for name in columns:
        if name in known:
            if known.count(name) > 1:
                raise ValueError(f"the source has {known.count(name)} columns {name!r}")
            continue
        near = difflib.get_close_matches(name, known, n=2)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(f"the source has no column {name!r}; {hint}it has {', '.join(known)}")


# ---- in memory


def _of_arrays(source: Mapping[str, Any], columns: Sequence[str]) -> Iterator[Batch]:
    check_columns(columns, list(source))
    arrays = {name: _array(source[name], name) for name in columns}
    first, *others = columns
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            raise ValueError(
                f"columns differ in length: {first!r} has {len(arrays[first])} rows, "
                f"{name!r} has {len(arrays[name])}"
            )
    yield Batch(arrays, len(arrays[first]))


def _array(value: Any, name: str) -> Any:
    """NumPy's array, or Arrow's of text, dates, categories or what has nulls."""
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    if not (isinstance(value, np.ndarray) and value.dtype.kind not in "biuf"):
        try:
            value = as_array(value, name)
        except (TypeError, ValueError):
            if not hasattr(value, "__arrow_c_stream__") and not hasattr(value, "__arrow_c_array__"):
                raise
            pa = load_pyarrow()
            stream = hasattr(value, "__arrow_c_stream__")
            return usual(pa.chunked_array(value) if stream else pa.array(value))
    if value.ndim == 0:
        raise TypeError(f"{name} must be an array with a row for each of the source's")
    return np.asarray(value)


def _of_stream(
    source: Any, columns: Sequence[str], filter: Any, batch_size: int
) -> Iterator[Batch]:
    pa = load_pyarrow()
    import pyarrow.dataset as ds

    if kind_of(source) == "pandas DataFrame":
        known = [str(name) for name in source.columns]
        check_columns(columns, known)
        if filter is None:
            source = source.iloc[:, [known.index(name) for name in columns]]
        source = pa.Table.from_pandas(source, preserve_index=False)
    if not hasattr(source, "__arrow_c_stream__"):
        source = pa.Table.from_batches([pa.record_batch(source)])
    reader = pa.RecordBatchReader.from_stream(source)
    check_columns(columns, reader.schema.names)
    if filter is None:
        read: Iterable[Any] = reader
    else:
        scanner = ds.Scanner.from_batches(
            reader, columns=list(columns), filter=_expression(filter), batch_size=batch_size
        )
        read = scanner.to_batches()
    first = 0
    for batch in read:
        yield _of_arrow(batch, columns, first, None, filter is not None)
        first += batch.num_rows


def _of_arrow(batch: Any, columns: Sequence[str], first: int, file: Any, filtered: bool) -> Batch:
    arrays = {name: usual(batch.column(name)) for name in columns}
    return Batch(arrays, batch.num_rows, first, file, filtered)


# ---- files


def _of_dataset(
    source: Any, columns: Sequence[str], filter: Any, filesystem: Any, batch_size: int
) -> Iterator[Batch]:
    dataset = open_dataset(source, filesystem)
    check_columns(columns, dataset.schema.names)
    scanner = dataset.scanner(
        columns=list(columns),
        filter=None if filter is None else _expression(filter),
        batch_size=batch_size,
    )
    file, first = None, 0
    for tagged in scanner.scan_batches():
        path = getattr(tagged.fragment, "path", None)
        if path != file:
            file, first = path, 0
        batch = tagged.record_batch
        yield _of_arrow(batch, columns, first, file, filter is not None)
        first += batch.num_rows


def open_dataset(source: Any, filesystem: Any) -> Any:
    """Files and folders as a dataset of PyArrow."""
    load_pyarrow()
    import pyarrow.dataset as ds

    if isinstance(source, ds.Dataset):
        return source
    if isinstance(source, (str, os.PathLike)):
        paths: Any = os.fspath(source)
        several = filesystem is None and "://" not in paths and not os.path.exists(paths)
        if several and glob.has_magic(paths):
            paths = sorted(glob.glob(paths, recursive=True))
            if not paths:
                raise FileNotFoundError(f"no file matches {os.fspath(source)}")
    elif isinstance(source, Sequence) and source:
        paths = [os.fspath(path) for path in source]
    else:
        raise TypeError(
            "source must be a mapping of arrays, a table or stream of Arrow, pandas or polars, "
            f"a path, a list of paths or a pyarrow Dataset; got {kind_of(source)}"
        )
    if filesystem is None:
        for path in [paths] if isinstance(paths, str) else paths:
            if "://" not in path and not os.path.exists(path):
                raise FileNotFoundError(f"no file or folder {path}")
    if isinstance(paths, list) and len(paths) == 1:
        paths = paths[0]
    if isinstance(paths, list) and any("://" in path or os.path.isdir(path) for path in paths):
        return ds.dataset([open_dataset(path, filesystem) for path in paths])
    return ds.dataset(
        paths, format=_format(paths, filesystem), filesystem=filesystem, partitioning="hive"
    )


def _format(paths: Any, filesystem: Any) -> str:
    """The format that all names say."""
    if isinstance(paths, str):
        paths = _files(paths, filesystem)
    found = {path: _format_of(path) for path in paths}
    first = next(iter(found), None)
    for path, kind in found.items():
        if kind != found[first]:
            raise ValueError(f"files of several formats: {first} and {path}")
    return found[first] if first is not None else "parquet"


def _files(path: str, filesystem: Any) -> list[str]:
    """Itself, or the files of a folder and its folders."""
    from pyarrow import fs

    if filesystem is None:
        filesystem, path = fs.FileSystem.from_uri(path if "://" in path else os.path.abspath(path))
    if filesystem.get_file_info(path).type != fs.FileType.Directory:
        return [path]
    inside = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    files = [x.path for x in inside if x.is_file]
    below = [tuple(x[len(path) :].strip("/").split("/")) for x in files]
    return [x for x, parts in zip(files, below, strict=True) if not _hidden(parts)]


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith((".", "_")) for part in parts)


def _format_of(path: str) -> str:
    name, extension = os.path.splitext(path)
    if extension in _COMPRESSED:
        extension = os.path.splitext(name)[1]
    if extension.lower() not in FORMATS:
        raise ValueError(
            f"{path} is no file of a known format: names end in {', '.join(FORMATS)}; pass a "
            "pyarrow Dataset for others"
        )
    return FORMATS[extension.lower()]


def _expression(filter: Any) -> Any:
    """A PyArrow expression, or a list of (column, operator, value)."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    return filter if isinstance(filter, pc.Expression) else pq.filters_to_expression(filter)
