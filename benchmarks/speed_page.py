"""docs/speed.md and its pictures, from the results: ``python -m benchmarks.speed_page [--write]``.

Reads compare.json, registry.json and curve.json, and registry-2-threads.json where it is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby, product
from pathlib import Path
from typing import Any

from .compare import RESULTS
from .registry import file_name
from .registry_summary import best_peer, closest, furthest, means, own, peers, wrong
from .tables import extent, goals, markdown, number, session_line
from .work import OUTPUTS

DOCS = Path(__file__).parents[1] / "docs"
SIZES, SPEEDUPS = "speed-sizes.png", "speed-peers.png"
MAIN = "value and gradient"
LOST = 1.0

INTRODUCTION = """\
# Speed

How long each loss takes, how close that is to what the memory allows, and how long other libraries
take for the same. `make bench` measures it all and writes this page;
[Benchmarks](../benchmarks/README.md) says how, and [Accuracy](accuracy.md) that no digit is paid
for it.

## How to read it

- The work is the mean of a loss over random inputs, in the dtype of the predictions. An element is
  one prediction; losses of rows have rows × classes of them.
- Everybody runs on one thread unless a table says two. Every result was compared with fastloss's
  before it was timed. Times are medians of repetitions in which all take turns.
- From 10 million elements on caches are cold; below they are warm, and the call itself counts: at
  1 000 elements a microsecond a call is a nanosecond an element.
- **Memory traffic** is what NumPy needs to read and write as much and compute nothing:
  `np.subtract` or `np.copyto` into an array that exists, `np.dot` for what is only read; weights
  are read twice where there are derivatives, for their sum comes first. Its time over that of
  fastloss is the part **of the limit**: at 100 % a loss costs nothing beside the traffic.
- Of other libraries the tables give their time, and in brackets how many times faster fastloss is.
  scikit-learn writes to arrays that exist, torch and jax allocate theirs in each call; each is
  compared with fastloss doing the same: **fresh** is its time when it allocates the gradient.
- Where another library is faster its cell is **bold**. An empty cell: it has no such loss.
- torch.compile runs value and gradient in float32 without weights. Hessians that scikit-learn sets
  to 1 on purpose, of losses with kinks, are left out.
"""


def page(
    compared: dict[str, Any],
    registry: dict[str, Any],
    two_threads: dict[str, Any] | None,
) -> str:
    """The text of the page."""
    parts = [
        INTRODUCTION,
        _measured(registry),
        "## Goals",
        "Of value and gradient; with [all rivals](../benchmarks/results/compare.md).",
        goals(compared),
        "## Against the best peer",
        "Time of the fastest other library over that of fastloss, of every loss, output set "
        f"({', '.join(OUTPUTS)}), dtype, shape, with weights and without. One thread:",
        means(registry),
    ]
    if two_threads:
        parts += ["Two threads, for everybody:", means(two_threads)]
    parts += [
        f"![Times faster than the best peer, by loss]({SPEEDUPS})",
        "## From 1 to 10⁸ elements",
        f"![Time per element against the number of elements]({SIZES})",
        f"## {MAIN.capitalize()}",
        "Without weights.",
        *_main_tables(registry),
        "## Other outputs and weights",
        "Times faster than the best peer; – where there is none.",
        compact(registry),
        "## Where it is worst",
        "The five cases in which another library comes closest, or is faster:",
        closest(registry, 5),
        "The five cases furthest from the memory traffic alone:",
        furthest(registry, 5),
    ]
    absent = wrong(registry)
    if absent:
        parts += ["Not measured:", "\n".join(f"- {line}" for line in absent)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _measured(results: dict[str, Any]) -> str:
    text = session_line(results)
    if results["missing"]:
        text += f" Not installed: {', '.join(results['missing'])}."
    return text


def _main_tables(results: dict[str, Any]) -> list[str]:
    """A table for each loss: a line for each shape and dtype."""
    chosen = [c for c in results["cases"] if c["outputs"] == MAIN and not c["weighted"]]
    names = list(dict.fromkeys(row["name"] for case in chosen for row in peers(case)))
    header = ["elements", "dtype", "ns per element", "fresh", "GB/s", "of the limit", *names]
    parts = []
    for loss, cases in groupby(chosen, key=lambda case: case["loss"]):
        lines = [_main_line(case, names) for case in cases]
        used = [any(line[i] for line in lines) or i < 6 for i in range(len(header))]
        keep = [i for i, one in enumerate(used) if one]
        table = markdown([header[i] for i in keep], [[line[i] for i in keep] for line in lines], 2)
        parts += [f"### {loss}", table]
    return parts


def _main_line(case: dict[str, Any], names: list[str]) -> list[str]:
    row, found = own(case), {peer["name"]: peer for peer in peers(case)}
    return [
        extent(case["shape"]),
        case["dtype"],
        number(row["nanoseconds"]),
        number(own(case, "fresh")["nanoseconds"]),
        number(row["gigabytes_per_second"]),
        f"{100 / row['ratio']:.0f} %",
        *(_peer_cell(found.get(name)) for name in names),
    ]


def _peer_cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if "absent" in row:
        return row["absent"].partition(":")[0]
    times = row["slower_than_fastloss"]
    text = f"{number(row['nanoseconds'])} ({number(times)} ×)"
    return f"**{text}**" if times < LOST else text


def compact(results: dict[str, Any]) -> str:
    """Table: every other output set, by loss, shape and dtype."""
    columns = [pair for pair in product(OUTPUTS, (False, True)) if pair != (MAIN, False)]
    columns.sort(key=lambda pair: pair[1])
    lines: dict[tuple[str, ...], dict[tuple[str, bool], str]] = {}
    for case in results["cases"]:
        key = case["loss"], extent(case["shape"]), case["dtype"]
        lines.setdefault(key, {})[case["outputs"], case["weighted"]] = _times(case)
    header = ["loss", "elements", "dtype"]
    header += [f"{outputs}, weighted" if weighted else outputs for outputs, weighted in columns]
    return markdown(
        header, [[*key, *(cells.get(c, "–") for c in columns)] for key, cells in lines.items()], 3
    )


def _times(case: dict[str, Any]) -> str:
    peer = best_peer(case)
    if peer is None:
        return "–"
    text = number(peer["slower_than_fastloss"])
    return f"**{text}**" if peer["slower_than_fastloss"] < LOST else text


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    folder = options.results

    def read(name: str) -> dict[str, Any]:
        return json.loads((folder / name).read_text())

    two = file_name(2)
    registry, curve = read(file_name(1)), read("curve.json")
    text = page(read("compare.json"), registry, read(two) if (folder / two).exists() else None)
    if not options.write:
        print(text, end="")
        return
    (options.docs / "speed.md").write_text(text)
    try:
        from .speed_pictures import draw_sizes, draw_speedups
    except ImportError as error:
        print(f"no pictures: {error}", file=sys.stderr)
    else:
        draw_sizes(curve, options.docs / SIZES)
        draw_speedups(registry, options.docs / SPEEDUPS)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed_page", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page, not print it")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder that is read")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder that is written to")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
