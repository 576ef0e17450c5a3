"""Evaluation on Dask: each partition by a worker, sums added up in a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._evaluation import Evaluation
from ._evaluation import evaluate as _evaluate
from ._evaluation._request import make_request
from ._evaluation._sources import check_columns
from ._messages import kind_of

__all__ = ["evaluate"]

_NAMES = ("prediction", "target", "weight", "by", "cluster", "inputs", "labels", "skill")


def evaluate(
    source: Any, losses: Any, *, split_every: int = 8, scheduler: Any = None, **options: Any
) -> Evaluation:
    """What :func:`fastloss.evaluate` finds, of a Dask collection.

    Sums are exact: the result has the same bits as on one machine, whatever the partitions, and
    whichever workers had to start again.

    Parameters
    ----------
    source : dask.dataframe.DataFrame, or mapping of str to dask.array.Array
        Partitions are evaluated where they are; only columns that are needed are read. Arrays have
        the same chunks along their first axis, and one along others.
    losses
        As for :func:`fastloss.evaluate`.
    split_every : int
        How many results are added up together.
    scheduler : optional
        As for ``dask.compute``; the client's by default.
    **options
        As for :func:`fastloss.evaluate`, but for ``filter`` and ``filesystem``, which are Dask's.
        Rows in errors are counted in their partition.

    Returns
    -------
    Evaluation

    Raises
    ------
    TypeError, ValueError
        As :func:`fastloss.evaluate` does.
    """
    try:
        import dask
    except ImportError as error:
        raise ImportError("fastloss.dask needs Dask: pip install fastloss[dask]") from error
    if split_every < 2:
        raise ValueError(f"split_every must be at least 2; got {split_every}")
    named: dict[str, Any] = {name: options.get(name) for name in _NAMES}
    columns = make_request(losses, **named).columns
    part, add = dask.delayed(_evaluate, pure=False), dask.delayed(_sum, pure=False)
    found = [part(partition, losses, **options) for partition in _partitions(source, columns)]
    while len(found) > 1:
        found = [add(found[i : i + split_every]) for i in range(0, len(found), split_every)]
    result: Evaluation = dask.compute(found[0], scheduler=scheduler)[0]
    return result


def _sum(parts: Sequence[Evaluation]) -> Evaluation:
    first, *others = parts
    return sum(others, first)


def _partitions(source: Any, columns: Sequence[str]) -> list[Any]:
    """Of each partition what :func:`fastloss.evaluate` takes, still to be computed."""
    if hasattr(source, "to_delayed") and hasattr(source, "columns"):
        check_columns(columns, list(source.columns))
        return list(source[list(columns)].to_delayed())
    if not isinstance(source, Mapping):
        raise TypeError(
            "source must be a Dask DataFrame or a mapping of names to Dask arrays; got "
            f"{kind_of(source)}"
        )
    check_columns(columns, list(source))
    blocks = {name: source[name].to_delayed() for name in columns}
    first = columns[0]
    for name in columns:
        if source[name].numblocks[1:] != (1,) * (source[name].ndim - 1):
            raise ValueError(f"{name} has several chunks along its last axis: rechunk it to one")
        if len(blocks[name]) != len(blocks[first]):
            raise ValueError(
                f"chunks differ: {first} has {len(blocks[first])} along its rows, {name} has "
                f"{len(blocks[name])}"
            )
    return [
        dict(zip(columns, parts, strict=True))
        for parts in zip(*(block.ravel() for block in blocks.values()), strict=True)
    ]
