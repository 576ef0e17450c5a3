"""Every example runs to its end; what it must reach, it asserts itself."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
TIMING = {"comparison.py", "demo.py"}  # of times, and of all the others
EXAMPLES = sorted(
    path.name
    for path in FOLDER.glob("*.py")
    if "def main" in path.read_text() and path.name not in TIMING
)


def test_there_are_examples():
    assert {"curves.py", "digits.py", "image_classification.py"} <= set(EXAMPLES)


@pytest.mark.full
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name):
    done = subprocess.run(
        [sys.executable, FOLDER / name], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
