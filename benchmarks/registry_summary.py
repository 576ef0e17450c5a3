"""What the cases of a registry run come to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .tables import count, extent, markdown, number

WORST = 10


def best_peer(case: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the peer that comes closest to fastloss, or beats it; None if nobody has it."""
    rows = [row for row in peers(case) if "slower_than_fastloss" in row]
    return min(rows, key=lambda row: row["slower_than_fastloss"], default=None)


def peers(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in case["rows"] if row["kind"] == "peer"]


def own(case: dict[str, Any], output: str = "") -> dict[str, Any]:
    """fastloss's row with a kind of output; by default with arrays that exist, if it has any."""
    rows = (row for row in case["rows"] if row["kind"] == "fastloss")
    return next(row for row in rows if output in ("", row["output"]))


def speedups(cases: Iterable[dict[str, Any]]) -> list[float]:
    """Best peer over fastloss, of the cases that a peer has."""
    return [row["slower_than_fastloss"] for row in map(best_peer, cases) if row]


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def title(case: dict[str, Any]) -> str:
    weighted = ", weighted" if case["weighted"] else ""
    shape = extent(case["shape"])
    return f"{case['loss']} {case['dtype']}, {shape}, {case['outputs']}{weighted}"


def means(results: dict[str, Any]) -> str:
    """Table: geometric means of best peer over fastloss, and where it is slower, by size."""
    sizes = sorted({case["elements"] for case in results["cases"]})
    lines = []
    for name, elements in (*((count(n), (n,)) for n in sizes), ("all", tuple(sizes))):
        found = speedups(case for case in results["cases"] if case["elements"] in elements)
        slower = sum(x < 1 for x in found)
        mean = number(geometric_mean(found)) if found else "–"
        least = number(min(found)) if found else "–"
        lines.append([name, str(len(found)), f"{mean} ×", f"{least} ×", str(slower)])
    header = ["elements", "cases with a peer", "geometric mean", "least", "cases lost"]
    return markdown(header, lines, right=0)


def closest(results: dict[str, Any], most: int = WORST) -> str:
    """Table: the cases in which the best peer comes closest."""
    cases = [case for case in results["cases"] if best_peer(case)]
    cases.sort(key=lambda case: best_peer(case)["slower_than_fastloss"])
    lines = []
    for case in cases[:most]:
        peer = best_peer(case)
        fastloss = own(case, peer["output"])
        lines.append(
            [
                title(case),
                peer["output"],
                number(fastloss["nanoseconds"]),
                peer["name"],
                number(peer["nanoseconds"]),
                f"{number(peer['slower_than_fastloss'])} ×",
            ]
        )
    header = ["case", "arrays", "fastloss, ns", "best peer", "its ns", "times faster"]
    return markdown(header, lines, right=2)


def furthest(results: dict[str, Any], most: int = WORST) -> str:
    """Table: the cases in which fastloss is furthest from the memory traffic alone."""
    cases = sorted(results["cases"], key=lambda case: own(case)["ratio"], reverse=True)
    lines = [
        [
            title(case),
            case["caches"],
            number(own(case)["nanoseconds"]),
            f"{number(own(case)['ratio'])} ×",
        ]
        for case in cases[:most]
    ]
    return markdown(["case", "caches", "fastloss, ns", "× memory traffic"], lines, right=2)


def wrong(results: dict[str, Any]) -> list[str]:
    """Rows without a time, and why."""
    return [
        f"{row['name']}: {title(case)}: {row['absent']}"
        for case in results["cases"]
        for row in case["rows"]
        if "absent" in row
    ]


def summary(results: dict[str, Any]) -> str:
    """All of it, as the program prints it."""
    parts = [
        f"{len(results['cases'])} cases, {results['threads']} threads, {results['seconds']:g} s",
        means(results),
        "closest to the best peer",
        closest(results),
        "furthest from the memory traffic",
        furthest(results),
    ]
    absent = wrong(results)
    if absent:
        parts += ["not measured", "\n".join(absent)]
    return "\n\n".join(parts)
