"""How arguments are read."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

__all__ = ["Parser", "add_command", "add_format", "at_least_one"]


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Ends with exit code 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def add_command(commands: Any, name: str, run: Any, summary: str, examples: str) -> Parser:
    """A command with its examples; what it runs takes the options and returns the exit code."""
    parser: Parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"examples:\n{examples}"
    )
    parser.set_defaults(run=run)
    return parser


def add_format(parser: Parser) -> None:
    """``--format``."""
    parser.add_argument(
        "--format",
        choices=("table", "json", "csv", "markdown"),
        default="table",
        help="of the results (default: %(default)s)",
    )


def at_least_one(text: str) -> int:
    """A number of threads or rows."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1; got {text!r}")
    return number
