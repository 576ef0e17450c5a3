"""Builds of fastloss, each in a process of its own that runs ``guard_worker``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from .builds import ROOT


class Process:
    """A worker with one build."""

    def __init__(self, package: Path) -> None:
        self.worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.guard_worker"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (package, ROOT)))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        imported = self.answer()
        if not Path(imported).is_relative_to(package):
            raise RuntimeError(f"imported {imported} instead of the build in {package}")

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: Any) -> None:
        self.worker.stdin.close()  # the worker's loop ends
        self.worker.wait()

    def send(self, question: str, **arguments: Any) -> None:
        self.worker.stdin.write(json.dumps([question, arguments]) + "\n")
        self.worker.stdin.flush()

    def answer(self) -> Any:
        line = self.worker.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended with status {self.worker.wait()}")
        return json.loads(line)

    def ask(self, question: str, **arguments: Any) -> Any:
        self.send(question, **arguments)
        return self.answer()


@contextmanager
def trio(base: Path, tree: Path) -> Iterator[list[Process]]:
    """Two processes of the base and one of the working tree."""
    with ExitStack() as stack:
        yield [stack.enter_context(Process(package)) for package in (base, base, tree)]
