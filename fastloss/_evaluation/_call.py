"""The evaluation of a source: one pass over its rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .. import _config
from ._batch import Batch
from ._evaluation import Evaluation
from ._losses import batch_losses
from ._request import Request, make_request
from ._sources import batches

__all__ = ["evaluate", "steps"]

_POLICIES = ("raise", "drop")


def evaluate(
    source: Any,
    losses: Any,
    *,
    prediction: Any,
    target: Any,
    weight: str | None = None,
    by: Any = None,
    filter: Any = None,
    inputs: Any = None,
    labels: Any = None,
    cluster: str | None = None,
    skill: bool = False,
    nulls: str = "raise",
    invalid: str = "raise",
    filesystem: Any = None,
    batch_size: int = 524_288,
    memory_limit: int | None = None,
    threads: int | None = None,
    progress: Callable[[int], Any] | None = None,
) -> Evaluation:
    """Means of losses with their standard errors, of data of any size, in one pass.

    Sums are exact: no order of the rows, no size of batches and no number of threads changes a bit
    of any result.

    Parameters
    ----------
    source : mapping, table, stream, path, list of paths or Dataset
        Arrays by name; a pandas, polars or Arrow table, or any stream of Arrow batches, read batch
        by batch; a Parquet, CSV, Feather, ORC or JSON-lines file, a URI, a glob, or a folder, whose
        ``key=value`` folders are columns; or a ``pyarrow.dataset.Dataset``. Only columns that are
        needed are read. All but arrays need PyArrow.
    losses : Loss, str, or a list or dict of them
        Losses that are sums over elements or rows. A dict gives them names of your choice.
    prediction : str, list of str, or dict
        A column; a list of them, each a model; or for each model's name its column, or the list of
        columns that hold its class scores. A column of lists holds class scores too.
    target : str or list of str
        A column, or several that are the numbers of a row.
    weight : str, optional
        The column of weights.
    by : str or list of str, optional
        Columns whose values tell segments apart: numbers, text, dates or times. Times are told
        apart to the microsecond, those of a zone as moments, which are given in UTC.
    filter : pyarrow.compute.Expression or list of tuples, optional
        Rows to read, such as ``[("country", "==", "de"), ("day", ">=", 3)]``.
    inputs : dict, optional
        For extra inputs of the losses, such as ``lower``, their columns.
    labels : sequence, optional
        What the target holds, text say, for class 0, 1, and so on.
    cluster : str, optional
        A column: rows with the same value are one cluster, and standard errors are those of
        independent clusters. Clusters are kept as segments are: each takes memory.
    skill : bool
        Whether the table says how much better than the best constant prediction a model is: 1 -
        (loss - least) / (constant's - least), where the least is the loss of predicting the targets
        themselves. It is R² of squared errors and D² of deviances, known of losses whose best
        constant is the mean of the targets, and takes about as long as two models more. NaN where
        targets differ by no more than about 10⁻⁶ of their size.
    nulls : {"raise", "drop"}
        Whether a null in a column of numbers is an error, or its row is left out and counted. A
        null in ``by`` is a segment of its own.
    invalid : {"raise", "drop"}
        Likewise for values that a loss refuses: outside its domain, or no label. A row that is left
        out is left out of all losses and models.
    filesystem : pyarrow.fs.FileSystem, optional
        Where paths are.
    batch_size : int
        Rows that are read together.
    memory_limit : int, optional
        Bytes that what is kept of segments and clusters may take; half of the machine's memory by
        default. A million take about 0.3 GB, and 0.1 to 0.2 GB more for each loss and model.
    threads : int, optional
        The most threads that losses use; those that read files are PyArrow's.
    progress : callable, optional
        Called with the number of rows of each batch, once it is done.

    Returns
    -------
    Evaluation
        Its ``table`` has a row for each segment, loss and model; ``differences`` compares models.

    Raises
    ------
    FileNotFoundError
        Where no such file is.
    MemoryError
        Before a batch whose segments exceed ``memory_limit`` is added.
    TypeError, ValueError
        Naming the file and the row of a null or of a value that a loss refuses; a column that is
        not there; a loss that is no sum over elements or rows.

    Examples
    --------
    >>> import fastloss as fl
    >>> data = {"p": [0.9, 0.2, 0.4], "y": [1, 0, 0], "country": ["de", "fr", "de"]}
    >>> found = fl.evaluate(data, "brier", prediction="p", target="y", by="country")
    >>> [round(row["mean"], 4) for row in found.table]
    [0.085, 0.04]
    """
    request = make_request(losses, prediction, target, weight, by, cluster, inputs, labels, skill)
    for name, policy in (("nulls", nulls), ("invalid", invalid)):
        if policy not in _POLICIES:
            raise ValueError(f"{name} must be 'raise' or 'drop'; got {policy!r}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}")
    read = batches(source, request.columns, filter, filesystem, batch_size)
    done = 0
    for found in steps(request, read, nulls, invalid, threads, memory_limit):
        if progress is not None and found.rows > done:
            progress(found.rows - done)
        done = found.rows
    return found


def steps(
    request: Request,
    read: Iterable[Batch],
    nulls: str,
    invalid: str,
    threads: int | None,
    memory_limit: int | None = None,
) -> Iterator[Evaluation]:
    """The evaluation before any batch and after each: one object, which grows."""
    if memory_limit is None:
        memory_limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    most = _config.thread_limit() if threads is None else _config.checked_threads(threads, 1)
    found = Evaluation(request)
    yield found
    for batch in read:
        kept, losses = batch_losses(batch, request, nulls == "drop", invalid == "drop", most)
        found._add(batch.rows, kept, losses, most, memory_limit)
        yield found
