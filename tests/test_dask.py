"""Evaluation on Dask: the bits of one machine, though workers are lost."""

import os
import signal
import threading
import time

import dask
import numpy as np
import pandas
import pytest
from dask import array, dataframe
from distributed import Client, LocalCluster

import fastloss as fl
import fastloss.dask

OPTIONS = {"prediction": ["p", "q"], "target": "y", "weight": "w", "by": "country"}
LOSSES = ["binary_cross_entropy", "brier"]
PARTS, ROWS = 20, 500


def part(i):
    """The rows of a partition."""
    rng = np.random.default_rng(i)
    p = rng.uniform(0.01, 0.99, ROWS)
    return pandas.DataFrame(
        {
            "p": p,
            "q": rng.uniform(0.01, 0.99, ROWS),
            "y": (rng.random(ROWS) < p).astype(float),
            "w": rng.random(ROWS),
            "country": np.array(["de", "fr", "it"])[rng.integers(0, 3, ROWS)],
        }
    )


def slow_part(i):
    time.sleep(0.1)
    return part(i)


def frame(make=part):
    return dataframe.from_map(make, range(PARTS), meta=part(0).iloc[:0])


def whole():
    return fl.evaluate(pandas.concat(map(part, range(PARTS))), LOSSES, **OPTIONS)


def same(found, expected):
    return (
        found.table == expected.table
        and found.differences == expected.differences
        and (found.rows, found.dropped) == (expected.rows, expected.dropped)
    )


@pytest.mark.parametrize("split_every", [2, 3, 50])
def test_partitions_change_no_bit(split_every):
    found = fastloss.dask.evaluate(
        frame(), LOSSES, **OPTIONS, split_every=split_every, scheduler="threads"
    )
    assert same(found, whole())


def test_arrays():
    data = {name: np.asarray(x) for name, x in pandas.concat(map(part, range(PARTS))).items()}
    chunked = {name: array.from_array(x, chunks=777) for name, x in data.items()}
    found = fastloss.dask.evaluate(chunked, LOSSES, **OPTIONS, scheduler="sync")
    assert same(found, whole())
    z, c = np.random.default_rng(0).normal(size=(100, 3)), np.arange(100) % 3
    kw = {"prediction": "z", "target": "c"}
    scores = {"z": array.from_array(z, chunks=(30, 3)), "c": array.from_array(c, chunks=30)}
    rows = fastloss.dask.evaluate(scores, "softmax_cross_entropy", **kw, scheduler="sync")
    assert same(rows, fl.evaluate({"z": z, "c": c}, "softmax_cross_entropy", **kw))
    scores["z"] = array.from_array(z, chunks=(30, 2))
    with pytest.raises(ValueError, match="z has several chunks along its last axis"):
        fastloss.dask.evaluate(scores, "softmax_cross_entropy", **kw)
    scores["z"] = array.from_array(z, chunks=(50, 3))
    with pytest.raises(ValueError, match="chunks differ: z has 2 along its rows, c has 4"):
        fastloss.dask.evaluate(scores, "softmax_cross_entropy", **kw)


def test_only_needed_columns_are_computed():
    seen = []

    def make(i, columns=None):
        seen.append(columns)
        return part(i)[columns or list(part(0))]

    source = dataframe.from_map(make, range(2), meta=part(0).iloc[:0])
    fastloss.dask.evaluate(source, "brier", prediction="p", target="y", scheduler="sync")
    assert seen == [["p", "y"]] * 2


def test_mistakes():
    kw = {"prediction": "p", "target": "y"}
    with pytest.raises(TypeError, match="source must be a Dask DataFrame"):
        fastloss.dask.evaluate(part(0), "brier", **kw)
    with pytest.raises(ValueError, match="no column 'pp'; did you mean 'p'"):
        fastloss.dask.evaluate(frame(), "brier", prediction="pp", target="y")
    with pytest.raises(ValueError, match="split_every must be at least 2"):
        fastloss.dask.evaluate(frame(), "brier", **kw, split_every=1)
    source = dataframe.from_pandas(pandas.DataFrame({"p": [0.5, 2.0], "y": [0.0, 1.0]}), 1)
    with pytest.raises(ValueError, match="row 1: brier of p: prediction is 2"):
        fastloss.dask.evaluate(source, "brier", **kw, scheduler="sync")


@pytest.mark.alone
def test_a_worker_is_killed():
    """Its partitions are computed again by others; no bit changes."""
    expected = whole()
    quiet = {"distributed.admin.log-format": "", "distributed.logging.distributed": "critical"}
    with (
        dask.config.set(quiet),
        LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        workers = client.run(os.getpid)
        killer = threading.Timer(0.7, os.kill, (min(workers.values()), signal.SIGKILL))
        killer.start()
        found = fastloss.dask.evaluate(frame(slow_part), LOSSES, **OPTIONS, split_every=3)
        killer.join()
        client.wait_for_workers(2)
        survivors = client.run(os.getpid)
    assert same(found, expected)
    assert set(survivors.values()) != set(workers.values())
