"""Other dtypes and layouts against plain contiguous arrays: ``python -m benchmarks.mixed``.

Writes mixed.json and mixed.md into benchmarks/results; ``--quick`` only prints.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

import fastloss as fl

from .machine import Run
from .measure import Eviction, interleave
from .mixed_cases import WORKS, Case, Work, groups
from .progress import progress
from .report import goal, goal_cells, publish, verdict
from .tables import count, markdown, number, session_line

ELEMENTS, CACHED_ELEMENTS = 10_000_000, 100_000
REPETITIONS, QUICK_REPETITIONS = 15, 5


def traffic(case: Case) -> int:
    """Bytes between the first and the last element of each array."""
    arrays = map(np.asarray, case.arguments.values())
    return sum(high - low for low, high in map(byte_bounds, arrays))


def verify(loss: Any, case: Case) -> str | None:
    """What is wrong with a result, next to that for contiguous arrays of the compute dtype."""
    given = dict(case.arguments)
    out = given.pop("grad_out")
    wide = given["prediction"].dtype == np.float64
    given["prediction"] = np.array(
        given["prediction"], np.float64 if wide else np.float32, order="C"
    )
    given["target"] = np.array(given["target"], order="C")
    value, gradient = loss.value_and_grad(**given, reduction="sum")
    found, _ = loss.value_and_grad(**case.arguments, reduction="sum")
    if found != value:
        return f"wrong: the value is {found!r} instead of {value!r}"
    if not np.array_equal(out, gradient.astype(out.dtype)):
        return "wrong: the gradient differs"
    return None


def measure(
    work: Work, elements: int, repetitions: int, eviction: Eviction | None
) -> list[dict[str, Any]]:
    """A row for each case, with its ratio to the first of its group."""
    loss, rows = fl.get(work.loss), []
    place = {"work": work.title, "elements": elements, "caches": "cold" if eviction else "warm"}
    for group in groups(work, elements):
        reasons = {case.name: verify(loss, case) for case in group}
        calls = {
            case.name: partial(loss.value_and_grad, **case.arguments, reduction="sum")
            for case in group
            if not reasons[case.name]
        }
        samples = interleave(calls, repetitions, eviction)
        first = group[0]
        for case in group:
            row = {**place, "case": case.name, "against": first.name}
            if reasons[case.name] or reasons[first.name]:
                row["absent"] = reasons[case.name] or "nothing to compare with"
            else:
                mine = np.array(samples[case.name])
                row["nanoseconds"] = float(f"{np.median(mine) / elements * 1e9:.4g}")
                row["traffic"] = round(traffic(case) / traffic(first), 3)
                limit = case.cold_limit if eviction and case.cold_limit else case.limit
                row |= goal(float(np.median(mine / np.array(samples[first.name]))), limit)
            rows.append(row)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        cells = [row["case"], "" if row["case"] == row["against"] else row["against"]]
        if "absent" in row:
            lines.append([*cells, row["absent"], *[""] * 4])
            continue
        cells += [number(row["nanoseconds"]), f"{row['traffic']:.2f}", f"{row['measured']:.2f}"]
        lines.append([*cells, *goal_cells(row)])
    return markdown(["case", "against", "ns per element", "bytes", "time", "goal", ""], lines, 2)


def report(results: dict[str, Any]) -> str:
    """All of mixed.md."""
    rows = results["rows"]
    parts = [
        "# Other dtypes and layouts",
        f"{session_line(results)} {results['repetitions']} repetitions.",
        "Value and gradient of the sum, one thread, against the first case of each group: medians "
        "of the ratio within each repetition, and the ratio of the bytes between the first and the "
        "last element of each array. Half precision has gradients of its own dtype.",
        verdict(rows),
    ]
    for place in dict.fromkeys((r["work"], r["elements"], r["caches"]) for r in rows):
        work, elements, caches = place
        parts.append(f"## {work}, {count(elements)} elements, caches {caches}")
        parts.append(table([r for r in rows if (r["work"], r["elements"], r["caches"]) == place]))
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the elements; prints only")
    parser.add_argument("--elements", type=int, help="of the cold cases; ten million by default")
    options = parser.parse_args(arguments)
    repetitions = QUICK_REPETITIONS if options.quick else REPETITIONS
    cold = options.elements or (ELEMENTS // 10 if options.quick else ELEMENTS)
    session = Run()
    results: dict[str, Any] = {"repetitions": repetitions, "rows": []}
    eviction = Eviction()
    fl.set_threads(1)
    with progress(2 * len(WORKS)) as bar:
        for work in WORKS:
            for elements, evict in ((cold, eviction), (CACHED_ELEMENTS, None)):
                bar.set_description(f"{work.title}, {count(elements)} elements")
                rows = measure(work, elements, repetitions, evict)
                results["rows"] += rows
                bar.update()
    fl.set_threads(0)
    results |= session.describe()
    publish("mixed", results, report(results), keep=not options.quick)


if __name__ == "__main__":
    main()
