"""``fastloss merge``: evaluations of parts of the data add up."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ._output import show
from ._parser import add_command, add_format
from ._state import load, save

__all__ = ["add"]

EXAMPLES = """\
  fastloss evaluate monday.parquet ... --state monday.json
  fastloss evaluate tuesday.parquet ... --state tuesday.json
  fastloss merge monday.json tuesday.json --format markdown"""


def add(commands: Any) -> None:
    """The command's arguments."""
    parser = add_command(
        commands, "merge", run, "Adds up what evaluations of parts have saved.", EXAMPLES
    )
    parser.add_argument("states", nargs="+", type=Path, metavar="STATE", help="a file of --state")
    add_format(parser)
    parser.add_argument("--state", type=Path, metavar="FILE", help="where the sum is saved")


def run(options: argparse.Namespace) -> int:
    """Prints the sum."""
    first, *others = map(load, options.states)
    found = sum(others, first)
    if options.state is not None:
        save(found, options.state)
    show(found, options.format, complete=True)
    return 0
