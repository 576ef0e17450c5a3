"""Results of one program: what they were measured on, their goals, and the two files of them."""

from __future__ import annotations

import json
import sys
from typing import Any

from .compare import RESULTS


def goal(measured: float, limit: float | None, least: bool = False) -> dict[str, Any]:
    """A measured ratio with its goal: at most the limit, or at least. Two decimals count."""
    measured = round(measured, 2)
    found: dict[str, Any] = {"measured": measured}
    if limit is not None:
        found["goal"] = f"{'≥' if least else '≤'} {limit:g}"
        found["met"] = measured >= limit if least else measured <= limit
    return found


def goal_cells(row: dict[str, Any]) -> list[str]:
    """The last columns of a table: the goal, and whether it is met."""
    if "goal" not in row:
        return ["", ""]
    return [row["goal"], "met" if row["met"] else "**not met**"]


def verdict(rows: list[dict[str, Any]]) -> str:
    """How many goals are met."""
    judged = [row["met"] for row in rows if "goal" in row]
    return f"{sum(judged)} of {len(judged)} goals met."


def publish(name: str, results: dict[str, Any], text: str, keep: bool) -> None:
    """Prints the text; kept, it becomes ``name.md`` beside ``name.json`` among the results."""
    print(text)
    if not keep:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / f"{name}.md").write_text(text)
    print(f"wrote {RESULTS / name}.json and .md", file=sys.stderr)
