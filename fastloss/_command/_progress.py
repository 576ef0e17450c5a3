"""How far it is, on the standard error, where that is a terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._evaluation._batch import Batch

__all__ = ["known_rows", "progress", "watched"]


def known_rows(dataset: Any) -> int | None:
    """The rows of a dataset, where its files say them without being read."""
    import pyarrow.dataset as ds

    parquet = all(isinstance(x.format, ds.ParquetFileFormat) for x in dataset.get_fragments())
    return int(dataset.count_rows()) if parquet else None


def watched(batches: Iterable[Batch], advance: Callable[[Batch], None]) -> Iterator[Batch]:
    """Batches; each is told once the next one is asked for."""
    for batch in batches:
        yield batch
        advance(batch)


@contextlib.contextmanager
def progress(count: Callable[[], int | None], quiet: bool) -> Iterator[Callable[[Batch], None]]:
    """A bar that moves by batches, of as many rows as are counted where it is seen."""
    bar = None if quiet else _bar()
    if bar is None:
        yield lambda batch: None
        return
    task = bar.add_task("", total=count(), rate="")
    start, done = time.perf_counter(), [0, 0]

    def advance(batch: Batch) -> None:
        done[0] += batch.rows
        done[1] += sum(x.nbytes for x in batch.columns.values())
        seconds = max(time.perf_counter() - start, 1e-9)
        rate = f"{done[0] / seconds:,.0f} rows/s, {done[1] / seconds / 1e9:.2f} GB/s"
        bar.update(task, completed=done[0], rate=rate)

    with bar:
        yield advance


def _bar() -> Any:
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    return Progress(
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
