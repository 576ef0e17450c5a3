"""fastloss against its rivals: ``python -m benchmarks.compare``.

Writes compare.json, compare.md and compare.png into benchmarks/results; ``--quick`` only prints.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import fastloss as fl

from . import machine, tables
from .inputs import draw
from .judge import judge
from .measure import Eviction, Sample, interleave
from .progress import progress
from .rivals import RIVALS, Rival
from .workloads import WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results"
REPETITIONS, QUICK_REPETITIONS = 15, 5
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}  # of the value; of the largest gradient


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    names = options.rivals or list(dict.fromkeys(r.name for r in RIVALS if r.kind == "peer"))
    chosen = [
        rival
        for rival in RIVALS
        if rival.kind != "peer"
        or (rival.name in names and (options.rivals or not (options.quick and rival.heavy)))
    ]
    missing = sorted({rival.name for rival in chosen if not rival.installed})
    if missing:
        print(f"not installed, so not measured: {', '.join(missing)}", file=sys.stderr)
    results = run(
        [rival for rival in chosen if rival.installed],
        [w for w in WORKLOADS if w.quick or not options.quick],
        options.repetitions or (QUICK_REPETITIONS if options.quick else REPETITIONS),
    )
    results["missing"] = missing
    print(tables.summary(results))
    output = options.output or (None if options.quick else RESULTS)
    if output:
        write(results, output)


def run(rivals: list[Rival], workloads: list[Workload], repetitions: int) -> dict[str, Any]:
    """The results, as compare.json holds them."""
    load = machine.load_average()
    began = time.time()
    eviction = Eviction()
    measured = []
    with progress(len(workloads) * repetitions) as bar:
        for workload in workloads:
            bar.set_description(workload.title)
            measured.append(measure(workload, rivals, repetitions, eviction, bar.update))
    fl.set_threads(0)
    return {
        "machine": machine.describe(),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
        "seconds": round(time.time() - began, 1),
        "load_average": {"before": load, "after": machine.load_average()},
        "repetitions": repetitions,
        "workloads": measured,
    }


def measure(
    workload: Workload, rivals: list[Rival], repetitions: int, eviction: Eviction, update: Any
) -> dict[str, Any]:
    """One workload: verifies every rival, then times those that are right."""
    dtype = getattr(np, workload.dtype)
    inputs = draw(fl.get(workload.loss), dtype, workload.shape)
    prediction, target = inputs["prediction"], _as_target(workload, inputs["target"])
    grad = np.zeros_like(prediction)
    reference = fl.get(workload.loss).value_and_grad(prediction, target)
    rows, calls = [], {}
    for rival in rivals:
        if workload.loss not in rival.losses:
            continue
        row = {k: getattr(rival, k) for k in ("key", "name", "kind", "output", "threads")}
        rows.append(row)
        prepare = rival.losses[workload.loss]
        if prepare is None:
            row["absent"] = "cannot express it"
            continue
        fl.set_threads(rival.threads)
        try:
            call = prepare(prediction, target, grad)
            found = call()
        except Exception as error:  # a rival that fails is reported; the others go on
            row["absent"] = f"failed: {type(error).__name__}: {error}".splitlines()[0]
            continue
        if rival.kind != "yardstick":
            row["errors"], row["absent"] = verify(found, reference)
        if not row.get("absent"):
            calls[rival.key] = call
    found = None
    samples = interleave(
        calls,
        {rival.key: partial(fl.set_threads, rival.threads) for rival in rivals},
        repetitions,
        eviction if workload.cold else None,
        update,
    )
    moved = prediction.nbytes + grad.nbytes + target.nbytes * (not workload.rows)
    for row in rows:
        if row["key"] in samples:
            row |= statistics(samples, row, rows, workload.elements, moved)
    described = workload.describe() | {"bytes": moved, "rows": rows}
    return described | {"targets": judge(workload.target, rows)}


def verify(found: Any, reference: Any) -> tuple[list[float], str | None]:
    """Relative distances of value and gradient from fastloss's, and what is wrong, if anything."""
    value, gradient = float(found[0]), np.asarray(found[1])
    expected_value, expected = reference
    if gradient.dtype != expected.dtype or gradient.shape != expected.shape:
        return [], f"wrong: a gradient of {gradient.dtype} and shape {gradient.shape}"
    distances = [
        abs(value - expected_value) / abs(expected_value),
        float(np.abs(gradient - expected).max() / np.abs(expected).max()),
    ]
    for name, distance in zip(("value", "gradient"), distances, strict=True):
        if not distance <= TOLERANCE[expected.dtype.name]:
            return _rounded(distances), f"wrong: its {name} is off by {distance:.2g}"
    return _rounded(distances), None


def statistics(
    samples: dict[str, Sample], row: dict, rows: list[dict], elements: int, moved: int
) -> dict[str, Any]:
    """Median and quartiles of a row, and its ratios to yardstick and fastloss."""
    mine = np.array(samples[row["key"]])
    quartiles = np.quantile(mine / elements * 1e9, (0.25, 0.5, 0.75))
    found = {
        "nanoseconds": quartiles[1],
        "quartiles": [quartiles[0], quartiles[2]],
        "gigabytes_per_second": moved / elements / quartiles[1],
        "cores": samples[row["key"]].cores,
    }
    for kind, name in (("yardstick", "ratio"), ("fastloss", "slower_than_fastloss")):
        base = next(
            r["key"]
            for r in rows
            if (r["kind"], r["output"], r["threads"]) == (kind, row["output"], 1)
        )
        if base in samples:  # repetition by repetition: both saw the same neighbours
            found[name] = float(np.median(mine / np.array(samples[base])))
    return {key: _rounded(value) for key, value in found.items()}


def _rounded(value: Any) -> Any:
    return [_rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.4g}")


def _as_target(workload: Workload, target: np.ndarray) -> np.ndarray:
    """Hard labels where targets are probabilities: every rival takes them."""
    if workload.loss == "sigmoid_cross_entropy":
        return (target > 0.6).astype(target.dtype)
    return target


def write(results: dict[str, Any], folder: Path) -> None:
    """compare.json, compare.md and, with Matplotlib, compare.png."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / "compare.md").write_text(tables.report(results))
    try:
        from .picture import draw_picture
    except ImportError as error:
        print(f"no compare.png: {error}", file=sys.stderr)
    else:
        draw_picture(results, folder / "compare.png")
    print(f"wrote {folder}", file=sys.stderr)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    peers = list(dict.fromkeys(rival.name for rival in RIVALS if rival.kind == "peer"))
    parser.add_argument(
        "--quick", action="store_true", help="fewer workloads, repetitions and rivals; prints only"
    )
    parser.add_argument(
        "--rivals", nargs="+", choices=peers, metavar="NAME", help=f"of {', '.join(peers)}"
    )
    parser.add_argument("--repetitions", type=int, help="samples of each rival")
    parser.add_argument(
        "--output", type=Path, help="a folder; without it benchmarks/results, or none with --quick"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # torch's and jax's own; the output is a table
    main()
