"""fastloss against its rivals: ``python -m benchmarks.compare``.

Writes compare.json, compare.md and compare.png into benchmarks/results; ``--quick`` only prints.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import fastloss as fl

from . import machine, tables
from .figures import statistics, verify
from .inputs import draw
from .judge import judge
from .measure import Eviction, Sample, interleave
from .progress import progress
from .rivals import RIVALS, Rival
from .workloads import WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results"
REPETITIONS, QUICK_REPETITIONS = 15, 5


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
    session = machine.Run()
    eviction = Eviction()
    measured = []
    with progress(len(workloads)) as bar:
        for workload in workloads:
            bar.set_description(workload.title)
            gc.collect()  # what the workload before held
            measured.append(measure(workload, rivals, repetitions, eviction))
            bar.update(1)
    fl.set_threads(0)
    return session.describe() | {"repetitions": repetitions, "workloads": measured}


def measure(
    workload: Workload, rivals: list[Rival], repetitions: int, eviction: Eviction
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
            row["errors"], row["absent"] = verify(found, reference, ("value", "gradient"), dtype)
        if not row.get("absent"):
            calls[rival.key] = call
    found = None
    threads = {rival.key: rival.threads for rival in rivals}
    samples = interleave(
        calls,
        repetitions,
        eviction if workload.cold else None,
        before=lambda name: fl.set_threads(threads[name]),
    )
    moved = prediction.nbytes + grad.nbytes + target.nbytes * (not workload.rows)
    for row in rows:
        if row["key"] in samples:
            bases = [_base(kind, row, rows, samples) for kind in ("yardstick", "fastloss")]
            row |= statistics(samples[row["key"]], *bases, workload.elements, moved)
    described = workload.describe() | {"bytes": moved, "rows": rows}
    return described | {"targets": judge(workload.target, rows)}


def _base(kind: str, row: dict, rows: list[dict], samples: dict[str, Sample]) -> Sample | None:
    """What a row is compared with: the same kind of output, on one thread."""
    key = next(
        r["key"] for r in rows if (r["kind"], r["output"], r["threads"]) == (kind, row["output"], 1)
    )
    return samples.get(key)


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
