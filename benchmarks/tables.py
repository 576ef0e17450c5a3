"""Results as text: Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def markdown(header: list[str], rows: list[list[str]], right: int = 1) -> str:
    """A table; columns from number ``right`` on are flushed right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = (
            cell.rjust(width) if i >= right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = (
        "-" * (width - 1) + ":" if i >= right else "-" * width for i, width in enumerate(widths)
    )
    return "\n".join([line(header), f"| {' | '.join(rule)} |", *map(line, rows)])


def number(x: float) -> str:
    """Three digits, without an exponent."""
    if x >= 1000:
        return count(round(x))
    if x < 0.1:
        return f"{x:.2g}"
    return f"{x:.{0 if x >= 100 else 1 if x >= 10 else 2}f}"


def count(n: int) -> str:
    """All digits, in groups of three."""
    return f"{n:,}".replace(",", " ")


def extent(shape: Iterable[int]) -> str:
    """A shape as text: 100 × 1 000."""
    return " × ".join(map(count, shape))


def summary(results: dict[str, Any]) -> str:
    """One line a workload, one column a rival: ns per element, one thread."""
    names = []
    for workload in results["workloads"]:
        for row in workload["rows"]:
            if row["kind"] == "peer" and row["name"] not in names:
                names.append(row["name"])
    header = ["ns per element", "memory limit", "fastloss", "2 threads", *names]
    lines = []
    for workload in results["workloads"]:
        cells = {
            (row["kind"], row["output"], row["threads"]): row
            for row in workload["rows"]
            if row["kind"] != "peer"
        }
        peers = {row["name"]: row for row in workload["rows"] if row["kind"] == "peer"}
        lines.append(
            [
                workload["title"],
                _time(cells.get(("yardstick", "out=", 1))),
                _time(cells.get(("fastloss", "out=", 1))),
                _time(cells.get(("fastloss", "out=", 2))),
                *(_time(peers.get(name)) for name in names),
            ]
        )
    return markdown(header, lines)


def report(results: dict[str, Any]) -> str:
    """All of compare.md."""
    return (
        "\n\n".join(
            [
                "# fastloss against its rivals",
                _preface(results),
                "## Summary",
                summary(results),
                "## Targets",
                goals(results),
                "## Every rival",
                *(_details(workload) for workload in results["workloads"]),
            ]
        ).rstrip()
        + "\n"
    )


def machine_line(results: dict[str, Any]) -> str:
    """Processor, caches, instruction set and versions in one sentence."""
    machine = results["machine"]
    sizes = ", ".join(f"{name} {_size(n)}" for name, n in machine["caches"].items())
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if v)
    return (
        f"{machine['cpu']}, {machine['cores']} cores ({sizes}); {machine['isa']} kernels, "
        f"compiler {machine['compiler']}; {versions}."
    )


def session_line(results: dict[str, Any]) -> str:
    """The machine, the moment and what else ran."""
    load = results["load_average"]
    return (
        f"{machine_line(results)} {results['when']}, load average {load['before']} before and "
        f"{load['after']} after."
    )


def _preface(results: dict[str, Any]) -> str:
    lines = [
        f"{session_line(results)} {results['repetitions']} repetitions.",
        "",
        "Value and gradient of the mean, in the prediction's dtype. One thread unless a row says "
        "two. Medians of interleaved repetitions; the spread is the quartiles. Ratios are medians "
        "of the ratio within each repetition, to the yardstick and to fastloss with the same kind "
        "of output: `out=` gradients go to an array that exists, `fresh` ones to a new array, "
        "whose pages cost time at large sizes (torch and jax have no `out=`).",
    ]
    if results["missing"]:
        lines += ["", f"Not installed: {', '.join(results['missing'])}."]
    return "\n".join(lines)


def goals(results: dict[str, Any]) -> str:
    """The goals of each workload, and whether they are met."""
    lines = [
        [
            workload["title"],
            goal["goal"],
            number(goal["measured"]),
            "yes" if goal["met"] else "**no**",
        ]
        for workload in results["workloads"]
        for goal in workload["targets"]
    ]
    return markdown(["workload", "goal", "measured", "met"], lines, right=2)


def _details(workload: dict[str, Any]) -> str:
    header = [
        "rival",
        "gradient",
        "threads",
        "ns per element",
        "quartiles",
        "GB/s",
        "× yardstick",
        "× fastloss",
    ]
    lines = []
    for row in workload["rows"]:
        cells = [row["name"], row["output"], str(row["threads"])]
        if row.get("absent"):
            lines.append([*cells, row["absent"], *[""] * 4])
            continue
        low, high = row["quartiles"]
        lines.append(
            [
                *cells,
                number(row["nanoseconds"]),
                f"{number(low)} – {number(high)}",
                number(row["gigabytes_per_second"]),
                number(row["ratio"]),
                number(row["slower_than_fastloss"]) if "slower_than_fastloss" in row else "",
            ]
        )
    text = f"### {workload['title']}\n\nCaches {workload['caches']}; "
    text += f"{_size(workload['bytes'])} read and written at least.\n\n"
    return text + markdown(header, lines, right=2)


def _time(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return "–" if row.get("absent") else number(row["nanoseconds"])


def _size(n: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if n < 1024 or unit == "MiB":
            return f"{n:.0f} {unit}"
        n /= 1024
    raise AssertionError
