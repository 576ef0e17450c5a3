"""Files of predictions scored, against reading them alone: ``python -m benchmarks.evaluation``.

Writes a data set of 100 million rows into --folder where none is, and evaluation.json and
evaluation.md into benchmarks/results; ``--quick`` takes two million rows and only prints.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds

import fastloss as fl

from .evaluation_data import write
from .machine import Run
from .measure import interleave, median_ratio
from .report import goal, goal_cells, publish, verdict
from .tables import count, markdown, number, session_line

ROWS, QUICK_ROWS = 100_000_000, 2_000_000
IN_MEMORY = 10_000_000
REPETITIONS = 5
LOSS = "binary_cross_entropy"
LOSSES = [LOSS, "brier", "absolute_error"]
MEAN = "avg(-ln(CASE WHEN y = 1 THEN p_a ELSE 1 - p_a END))"

PEAK = """
import re, sys
from pathlib import Path
from benchmarks.evaluation import evaluations
def most():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = most()
evaluations(sys.argv[1])[sys.argv[2]]()
print(most() - before)
"""


def scan(folder: str, columns: list[str]) -> int:
    """Reads columns and drops them."""
    scanner = ds.dataset(folder).scanner(columns=columns)
    return sum(batch.num_rows for batch in scanner.to_batches())


def evaluations(folder: str) -> dict[str, Callable[[], Any]]:
    """What is timed, by what it does: scans, and evaluations of the same columns."""

    def one(losses: Any = LOSS, prediction: Any = "p_a", **options: Any) -> Callable[[], Any]:
        return lambda: fl.evaluate(folder, losses, prediction=prediction, target="y", **options)

    return {
        "scan": lambda: scan(folder, ["p_a", "y"]),
        "one loss": one(),
        "one loss, weighted": one(weight="w"),
        "three losses": one(LOSSES),
        "two models": one(prediction=["p_a", "p_b"]),
        "20 segments": one(by="country"),
        "scan of all": lambda: scan(folder, ["p_a", "p_b", "y", "w", "country"]),
        "three losses, two models, 20 segments, weighted": one(
            LOSSES, ["p_a", "p_b"], weight="w", by="country"
        ),
    }


def timed(folder: str, rows: int, repetitions: int) -> Iterator[dict[str, Any]]:
    """Evaluations against scans of the same columns."""
    size = {
        "scan": bytes_of(folder, ["p_a", "y"]),
        "scan of all": bytes_of(folder, ["p_a", "p_b", "y", "w", "country"]),
    }
    calls = evaluations(folder)
    samples = interleave(calls, repetitions, lambda: None)
    for name in calls:
        base = "scan of all" if "three losses, two" in name or name == "scan of all" else "scan"
        seconds = float(np.median(samples[name]))
        limit = 1.15 if name == "one loss" else None
        yield {
            "what": name,
            "rows_per_second": rows / seconds,
            "gigabytes_per_second": size[base] / seconds / 1e9,
            "nanoseconds": 1e9 * seconds / rows,
            "spread": float(np.ptp(samples[name]) / seconds),
            "peak_megabytes": peak(folder, name),
            **goal(median_ratio(samples, name, base), limit),
        }


def same_bits(folder: str) -> list[str]:
    """Ways to evaluate that gave the same bits as the plain one; an error where one did not."""
    import dask.dataframe

    import fastloss.dask

    arguments = {"prediction": ["p_a", "p_b"], "target": "y", "weight": "w", "by": "country"}
    files = [str(path) for path in Path(folder).glob("*.parquet")]
    random.Random(0).shuffle(files)
    columns = ["p_a", "p_b", "y", "w", "country"]
    frame = dask.dataframe.read_parquet(folder, columns=columns)
    ways = {
        "batches of 99 991 rows": lambda: fl.evaluate(folder, LOSS, batch_size=99_991, **arguments),
        "one thread": lambda: fl.evaluate(folder, LOSS, threads=1, **arguments),
        "files in another order": lambda: fl.evaluate(files, LOSS, **arguments),
        "Dask": lambda: fastloss.dask.evaluate(frame, LOSS, **arguments),
    }
    expected = fl.evaluate(folder, LOSS, **arguments)
    for name, call in ways.items():
        found = call()
        if (found.table, found.differences) != (expected.table, expected.differences):
            raise AssertionError(f"{name}: other bits")
    return list(ways)


def bytes_of(folder: str, columns: list[str]) -> int:
    """What columns take in the files."""
    total = 0
    for fragment in ds.dataset(folder).get_fragments():
        for group in fragment.row_groups:
            chunks = map(group.metadata.column, range(group.metadata.num_columns))
            total += sum(c.total_compressed_size for c in chunks if c.path_in_schema in columns)
    return total


def peak(folder: str, name: str) -> float:
    """Megabytes that a process of its own takes for it beyond what imports take."""
    command = [sys.executable, "-c", PEAK, folder, name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return round(int(done.stdout) / 1024, 1)


def peers(folder: str, repetitions: int) -> Iterator[dict[str, Any]]:
    """The same mean by others: of files, and of arrays in memory."""
    import duckdb
    import polars
    import torch
    from sklearn import metrics
    from torchmetrics import MeanSquaredError

    files = f"{folder}/*.parquet"
    p = polars.col("p_a")
    chosen = polars.when(polars.col("y") == 1).then(p).otherwise(1 - p)
    query = polars.scan_parquet(files).select(-chosen.log().mean())
    of_files = {
        "fastloss": lambda: fl.evaluate(folder, LOSS, prediction="p_a", target="y").table[0][
            "mean"
        ],
        "DuckDB": lambda: duckdb.sql(f"SELECT {MEAN} FROM '{files}'").fetchall()[0][0],
        "Polars": lambda: query.collect(engine="streaming").item(),
    }
    table = ds.dataset(folder).head(IN_MEMORY, columns=["p_a", "y"])
    data = {name: table[name].to_numpy() for name in ("p_a", "y")}
    tensors = {name: torch.from_numpy(x.copy()) for name, x in data.items()}

    def evaluated(loss: str) -> Callable[[], float]:
        of = {"prediction": "p_a", "target": "y"}
        return lambda: float(fl.evaluate(data, loss, **of).table[0]["mean"])

    log_loss = {
        "fastloss": evaluated(LOSS),
        "scikit-learn log_loss": lambda: metrics.log_loss(data["y"], data["p_a"]),
    }
    squared = {
        "fastloss": evaluated("squared_error"),
        "scikit-learn mean_squared_error": lambda: metrics.mean_squared_error(
            data["y"], data["p_a"]
        ),
        "torchmetrics MeanSquaredError": lambda: MeanSquaredError()(
            tensors["p_a"], tensors["y"].float()
        ).item(),
    }
    rows = ds.dataset(folder).count_rows()
    for what, calls, n in (
        ("binary cross-entropy of files", of_files, rows),
        (
            f"binary cross-entropy of {count(len(data['y']))} rows in memory",
            log_loss,
            len(data["y"]),
        ),
        (f"squared error of {count(len(data['y']))} rows in memory", squared, len(data["y"])),
    ):
        expected = calls["fastloss"]()
        for name, call in calls.items():
            np.testing.assert_allclose(call(), expected, rtol=1e-3, err_msg=name)
        samples = interleave(calls, repetitions, lambda: None)
        for name in calls:
            yield {
                "what": f"{what}: {name}",
                "nanoseconds": 1e9 * float(np.median(samples[name])) / n,
                "measured": round(median_ratio(samples, name, "fastloss"), 2),
            }


def report(results: dict[str, Any]) -> str:
    """All of evaluation.md."""
    head = ["", "million rows/s", "GB/s", "ns a row", "peak MB", "× scan", "goal", ""]
    lines = [
        [
            row["what"],
            number(row["rows_per_second"] / 1e6),
            number(row["gigabytes_per_second"]),
            number(row["nanoseconds"]),
            number(row["peak_megabytes"]),
            number(row["measured"]),
            *goal_cells(row),
        ]
        for row in results["timed"]
    ]
    others = [
        [row["what"], number(row["nanoseconds"]), number(row["measured"])]
        for row in results["peers"]
    ]
    return (
        f"# Evaluation of files\n\n{session_line(results)} {count(results['rows'])} rows in ten "
        f"Parquet files. {verdict(results['timed'])}\n\n"
        f"{markdown(head, lines)}\n"
        "GB/s are those of the columns as they lie in the files; the peak is what a process takes "
        "beyond its imports. Two models with weights by 20 segments gave the same bits in each of "
        f"these ways: {', '.join(results['same_bits'])}.\n\n"
        f"{markdown(['', 'ns a row', '× fastloss'], others)}"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="of the data set; a temporary one by default")
    parser.add_argument("--rows", type=int, help="of a new data set")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(arguments)
    rows = given.rows or (QUICK_ROWS if given.quick else ROWS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.folder or scratch)
        if not list(folder.glob("*.parquet")):
            write(folder, rows)
        run, rows = Run(), ds.dataset(str(folder)).count_rows()
        results = {
            "rows": rows,
            "same_bits": same_bits(str(folder)),
            "timed": list(timed(str(folder), rows, given.repetitions)),
            "peers": list(peers(str(folder), given.repetitions)),
        }
    results = {**run.describe(), **results}
    publish("evaluation", results, report(results), keep=not given.quick)


if __name__ == "__main__":
    main()
