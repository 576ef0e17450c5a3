"""The pictures of the speed page."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from .picture import LIMIT, OURS, PEER, TEXT
from .registry_summary import best_peer, own, peers
from .tables import count, number

GRID, LOST = "#e2e8f0", "#b91c1c"
MARKERS = "os^Dv"
JITTER = 0.28


def draw_sizes(results: dict[str, Any], path: Path) -> None:
    """Time per element against the number of elements, a panel for each curve."""

    def curve_of(case: dict[str, Any]) -> str:
        classes = case["shape"][1:]
        return case["loss"] + (f", {count(classes[0])} classes" if classes else "")

    curves = [(title, list(cases)) for title, cases in groupby(results["cases"], key=curve_of)]
    names = list(dict.fromkeys(row["name"] for c in results["cases"] for row in peers(c)))
    figure = Figure(figsize=(11, 4.1 * (-(-len(curves) // 2)) + 0.9), layout="constrained")
    panels = figure.subplots(-(-len(curves) // 2), 2, sharex=True, sharey=True, squeeze=False)
    for panel, (title, cases) in zip(panels.ravel(), curves, strict=False):
        sizes = [case["elements"] for case in cases]
        limits = [_limit(case)["nanoseconds"] for case in cases]
        times = [own(case)["nanoseconds"] for case in cases]
        for name, marker in zip(names, MARKERS, strict=False):
            found = [
                (case["elements"], row["nanoseconds"])
                for case in cases
                for row in peers(case)
                if row["name"] == name and "nanoseconds" in row
            ]
            if found:
                panel.plot(
                    *zip(*found, strict=True),
                    color=PEER,
                    marker=marker,
                    markersize=4.5,
                    linewidth=1,
                    alpha=0.75,
                    label=name,
                )
        panel.plot(sizes, limits, "--", color=LIMIT, linewidth=1.4, label="memory traffic alone")
        panel.plot(sizes, times, "-o", color=OURS, linewidth=2.2, markersize=5.5, label="fastloss")
        last = f"{number(times[-1])} ns"
        panel.annotate(
            last, (sizes[-1], times[-1]), (0, 9), textcoords="offset points", color=OURS,
            fontsize=8.5, ha="center",
        )  # fmt: skip
        panel.set(xscale="log", yscale="log")
        panel.yaxis.set_major_formatter(lambda x, _: f"{x:,g}".replace(",", " "))
        panel.set_title(title, fontsize=10, color=TEXT)
        _plain(panel, "both")
    for panel in panels[-1]:
        panel.set_xlabel("elements", fontsize=9, color=TEXT)
    for panel in panels[:, 0]:
        panel.set_ylabel("ns per element", fontsize=9, color=TEXT)
    for panel in panels.ravel()[len(curves) :]:
        panel.set_visible(False)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="outside lower center", ncols=len(labels), frameon=False,
        fontsize=9, labelcolor=TEXT,
    )  # fmt: skip
    figure.suptitle(
        "Value and gradient of the mean in float32, one thread: time per element against size\n"
        f"{_machine(results)}; caches cold from 10 million elements on",
        fontsize=10,
        color=TEXT,
    )
    figure.savefig(path, dpi=110, facecolor="white")


def draw_speedups(results: dict[str, Any], path: Path) -> None:
    """Times faster than the best peer: a line for each loss, a dot for each case."""
    found: dict[str, list[float]] = {}
    for case in results["cases"]:
        peer = best_peer(case)
        if peer:
            found.setdefault(case["loss"], []).append(peer["slower_than_fastloss"])
    losses = sorted(found, key=lambda loss: median(found[loss]), reverse=True)
    figure = Figure(figsize=(10, 0.42 * len(losses) + 1.7), layout="constrained")
    panel = figure.subplots()
    panel.axvline(1, color=LIMIT, linestyle="--", linewidth=1.2, zorder=1)
    for position, loss in enumerate(losses):
        times = found[loss]
        # spread evenly, in the order of the cases: the same picture for the same results
        heights = [
            position + JITTER * (2 * i / max(len(times) - 1, 1) - 1) for i in range(len(times))
        ]
        colors = [LOST if x < 1 else PEER for x in times]
        panel.scatter(times, heights, s=14, c=colors, alpha=0.55, linewidths=0, zorder=2)
        middle = median(times)
        panel.plot([middle] * 2, [position - 0.38, position + 0.38], color=OURS, linewidth=3)
        panel.annotate(
            f"{number(middle)} ×", (1, position), (4, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", color=OURS, fontsize=9, va="center",
        )  # fmt: skip
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter(lambda x, _: f"{x:,g} ×".replace(",", " "))
    panel.set_ylim(len(losses) - 0.4, -0.6)
    panel.set_yticks(range(len(losses)), losses, fontsize=9)
    panel.tick_params(axis="y", length=0)
    panel.set_xlabel("times faster than the best peer", fontsize=9, color=TEXT)
    _plain(panel, "x")
    figure.suptitle(
        "A dot for each output set, dtype, size, with weights and without; the bar is the median\n"
        f"one thread; {_machine(results)}",
        fontsize=10,
        color=TEXT,
    )
    figure.savefig(path, dpi=110, facecolor="white")


def _limit(case: dict[str, Any]) -> dict[str, Any]:
    return next(row for row in case["rows"] if row["kind"] == "yardstick")


def _machine(results: dict[str, Any]) -> str:
    return f"{results['machine']['cpu']}, {results['machine']['isa']} kernels"


def _plain(panel: Any, axis: str) -> None:
    """The style of all pictures: a light grid behind, no box."""
    panel.grid(axis=axis, which="major", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(labelsize=8)
    for side in ("top", "right") if axis == "both" else ("top", "right", "left"):
        panel.spines[side].set_visible(False)
