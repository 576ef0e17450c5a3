"""The README's table, from compare.json: ``python -m benchmarks.readme_table [--write]``."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from .compare import RESULTS
from .tables import machine_line, markdown, number

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- benchmark table: begin -->", "<!-- benchmark table: end -->"
RIVALS = ("NumPy", "scikit-learn", "Numba loop", "torch.compile", "jax.jit")


def table(results: dict[str, Any]) -> str:
    """The table and one sentence about how it came about."""
    header = ["value and gradient, ns per element", "memory traffic alone", "**fastloss**", *RIVALS]
    lines = []
    for workload in results["workloads"]:
        rows = {row["name"]: row for row in workload["rows"] if row["kind"] == "peer"}
        own = [
            next(r for r in workload["rows"] if (r["kind"], r["output"]) == (kind, "out="))
            for kind in ("yardstick", "fastloss")
        ]
        cells = [_time(row) for row in (*own, *map(rows.get, RIVALS))]
        cells[1] = f"**{cells[1]}**"
        lines.append([workload["title"], *cells])
    sentence = (
        f"One thread; medians of {results['repetitions']} interleaved repetitions; torch and jax "
        "allocate the gradient in each call, the others write to an array that exists. "
        f"{machine_line(results)}"
    )
    return f"{markdown(header, lines)}\n\n{sentence}"


def replace(text: str, new: str) -> str:
    """A README's text with a new table between the marks."""
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(between.findall(text)) != 1:
        raise ValueError(f"the README must hold {BEGIN} and {END} once each, in this order")
    return between.sub(lambda _: f"{BEGIN}\n{new}\n{END}", text)


def _time(row: dict[str, Any] | None) -> str:
    return number(row["nanoseconds"]) if row and "nanoseconds" in row else "–"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme_table", description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the table in README.md")
    parser.add_argument("--results", type=Path, default=RESULTS / "compare.json")
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args()
    new = table(json.loads(options.results.read_text()))
    if options.write:
        options.readme.write_text(replace(options.readme.read_text(), new))
    else:
        print(new)


if __name__ == "__main__":
    main()
