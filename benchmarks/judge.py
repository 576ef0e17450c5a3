"""Compares measured rows with a workload's targets."""

from __future__ import annotations

from typing import Any

from .workloads import Target


def judge(target: Target, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each goal with what was measured: ``{"goal", "measured", "met"}``."""

    def fastloss(output: str, threads: int) -> dict[str, Any]:
        return next(
            row
            for row in rows
            if (row["kind"], row["output"], row["threads"]) == ("fastloss", output, threads)
        )

    one, two = fastloss("out=", 1), fastloss("out=", 2)
    found = []

    def at_most(goal: float, measured: float | None, text: str) -> None:
        if measured is not None:
            found.append({"goal": text, "measured": measured, "met": measured <= goal})

    if target.ratio:
        at_most(target.ratio, one.get("ratio"), f"≤ {target.ratio:g} × yardstick")
    if target.two_threads:
        text = f"two threads ≤ {target.two_threads:g} × yardstick"
        at_most(target.two_threads, two.get("ratio"), text)
    for name, times in target.faster.items():
        peers = [
            row["slower_than_fastloss"]
            for row in rows
            if row["kind"] == "peer"
            and name in (row["name"], "every peer")
            and "slower_than_fastloss" in row
        ]
        if peers:
            found.append(
                {
                    "goal": f"≥ {times:g} × faster than {name}",
                    "measured": min(peers),
                    "met": min(peers) >= times,
                }
            )
    return found
