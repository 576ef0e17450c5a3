"""The programs of benchmarks/ run, all peers agree with fastloss, and the speed page is written."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("benchmarks")  # what it builds is built once

ROOT = Path(__file__).parents[1]
LOSSES = ("huber", "softmax_cross_entropy")
PEERS = {"scikit-learn", "torch", "jax.jit"}

PROGRAMS = """
import sys
from benchmarks import curve, registry, speed_page

folder = sys.argv[1]
registry.main(
    f"--losses {' '.join(sys.argv[2:])} --sizes 20 --repetitions 1 --without-compiled "
    f"--output {folder}/registry.json".split()
)
curve.main(f"--largest 0 --repetitions 1 --output {folder}/curve.json".split())
speed_page.main(f"--results {folder} --docs {folder} --write".split())
"""

GOAL = {"goal": "≤ 1.15 × yardstick", "measured": 1.1, "met": True}
COMPARED = {"workloads": [{"title": "squared_error float32, 10 000 000", "targets": [GOAL]}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the programs wrote, in a process of their own: they set threads for good."""
    found = tmp_path_factory.mktemp("results")
    (found / "compare.json").write_text(json.dumps(COMPARED))
    subprocess.run(
        [sys.executable, "-c", PROGRAMS, found, *LOSSES], cwd=ROOT, check=True, capture_output=True
    )
    return found


@pytest.fixture(scope="module")
def cases(folder):
    return json.loads((folder / "registry.json").read_text())["cases"]


def test_every_case_is_there(cases):
    found = {(c["loss"], c["dtype"], c["outputs"], c["weighted"]) for c in cases}
    assert len(found) == len(cases) == len(LOSSES) * 2 * 4 * 2


def test_results_of_peers_are_right(cases):
    rows = [row for case in cases for row in case["rows"]]
    assert {row["name"] for row in rows if row["kind"] == "peer"} == PEERS
    assert [row for row in rows if "absent" in row] == []
    assert all(row["nanoseconds"] > 0 for row in rows)


def test_ratios_are_like_with_like(cases):
    for case in cases:
        own = [row for row in case["rows"] if row["kind"] == "fastloss"]
        assert [row["output"] for row in own] == (
            ["none"] if case["outputs"] == "value" else ["out=", "fresh"]
        )
        for row in case["rows"]:
            assert row["slower_than_fastloss"] == 1 or row["kind"] != "fastloss"
            assert row["ratio"] == 1 or row["kind"] != "yardstick"


def test_the_page_has_every_loss_and_picture(folder):
    text = (folder / "speed.md").read_text()
    for loss in LOSSES:
        assert f"\n### {loss}\n" in text
    assert GOAL["goal"] in text
    for name in ("speed-sizes.png", "speed-peers.png"):
        assert f"]({name})" in text
        if importlib.util.find_spec("matplotlib"):
            assert (folder / name).stat().st_size > 0


def test_files_are_evaluated(tmp_path):
    """And all peers agree."""
    command = [sys.executable, "-m", "benchmarks.evaluation", "--quick", "--folder", str(tmp_path)]
    command += ["--rows", "5000", "--repetitions", "1"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "5 000 rows in ten Parquet files" in done.stdout
    assert all(peer in done.stdout for peer in ("DuckDB", "Polars", "torchmetrics", "log_loss"))
