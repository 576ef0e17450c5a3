"""``fastloss info``: what is installed."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ._parser import add_command

__all__ = ["add"]

EXAMPLES = """\
  fastloss info
  fastloss info --json"""


def add(commands: Any) -> None:
    """The command's arguments."""
    parser = add_command(
        commands, "info", run, "Version, backend, instruction sets, threads.", EXAMPLES
    )
    parser.add_argument("--json", action="store_true", help="as a JSON object")


def run(options: argparse.Namespace) -> int:
    """Prints it."""
    from .._config import show_config

    found = show_config()
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    width = max(map(len, found))
    for name, value in found.items():
        text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
        print(f"{name:<{width}}  {text}")
    return 0
