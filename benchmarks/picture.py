"""Results as a picture: one panel a workload, one line a rival, time on a logarithmic axis."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .tables import number

COLUMNS = 3
OURS, PEER, LIMIT, TEXT = "#c2410c", "#64748b", "#0f766e", "#334155"


def draw_picture(results: dict[str, Any], path: Path) -> None:
    workloads = results["workloads"]
    lines = _lines(workloads)
    rows = -(-len(workloads) // COLUMNS)
    width, height = 4.6 * COLUMNS, (0.24 * len(lines) + 0.95) * rows + 0.9
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).ravel()
    for panel, workload in zip(panels, workloads, strict=False):
        _draw_panel(panel, workload, lines)
    for panel in panels[len(workloads) :]:
        panel.set_visible(False)
    machine = results["machine"]
    figure.suptitle(
        "Value and gradient of the mean: time per element on one thread unless two are stated\n"
        f"{machine['cpu']}, {machine['isa']} kernels; median and quartiles of "
        f"{results['repetitions']} interleaved repetitions; "
        "dashed: the memory traffic alone (np.subtract, np.copyto); fresh: allocates the gradient",
        fontsize=10,
        color=TEXT,
    )
    figure.savefig(path, dpi=110, facecolor="white")


def _lines(workloads: list[dict[str, Any]]) -> list[str]:
    """The names of the lines, fastloss first."""
    rows = (row for workload in workloads for row in workload["rows"])
    return list(dict.fromkeys(_line(row) for row in rows if row["kind"] != "yardstick"))


def _line(row: dict[str, Any]) -> str:
    threads = f", {row['threads']} threads" if row["threads"] > 1 else ""
    return row["name"] + threads + (", fresh" if row["output"] == "fresh" else "")


def _draw_panel(panel: Any, workload: dict[str, Any], lines: list[str]) -> None:
    limit = next(row for row in workload["rows"] if row["kind"] == "yardstick")["nanoseconds"]
    panel.axvline(limit, color=LIMIT, linestyle="--", linewidth=1.2, zorder=1)
    times = [limit]
    rows = {_line(row): row for row in workload["rows"] if row["kind"] != "yardstick"}
    for position, line in enumerate(lines):
        row = rows.get(line)
        if row is None or row.get("absent"):
            text = "not measured" if row is None else row["absent"].partition(":")[0]
            panel.text(
                0.98,
                position,
                text,
                transform=panel.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=7.5,
                style="italic",
                color=PEER,
            )
            continue
        time, (low, high) = row["nanoseconds"], row["quartiles"]
        times.append(time)
        color = OURS if row["kind"] == "fastloss" else PEER
        panel.plot([low, high], [position, position], color=color, linewidth=2.5, alpha=0.5)
        panel.plot(time, position, "o", color=color, markersize=6, zorder=3)
        panel.annotate(
            number(time),
            (max(time, high), position),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=color,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            zorder=2,
        )
    panel.set_xscale("log")
    low, high = min(times) / 1.6, max(times) * 3.2  # room for the last number
    panel.set_xlim(low, high)
    steps = (1,) if math.log10(high / low) > 1.7 else (1, 2, 5)
    panel.xaxis.set_major_locator(LogLocator(subs=steps))
    panel.xaxis.set_major_formatter(lambda x, _: f"{x:,g}".replace(",", " "))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_ylim(len(lines) - 0.4, -0.6)
    panel.set_yticks(range(len(lines)), lines, fontsize=8.5)
    panel.tick_params(axis="x", labelsize=8)
    panel.tick_params(axis="y", length=0)
    panel.set_title(f"{workload['title']} ({workload['caches']})", fontsize=9.5, color=TEXT)
    panel.set_xlabel(f"ns per element; dashed: {number(limit)}", fontsize=8, color=TEXT)
    panel.grid(axis="x", which="major", color="#e2e8f0", linewidth=0.8)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
