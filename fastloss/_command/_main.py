"""Which command runs, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .._version import __version__
from . import _evaluate, _info, _losses, _merge
from ._errors import CommandError, one_line
from ._parser import Parser

__all__ = ["main"]

WRONG = 2
INTERRUPTED = 130  # as shells say it of a process that SIGINT ended
BROKEN_PIPE = 141  # and of one that SIGPIPE ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the command's name; those of the process by default.

    Returns
    -------
    int
        The exit code: 0; 1 where a gate failed; 2 where arguments or data are wrong; 130 where
        Ctrl-C ended it.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes again at its end, to a pipe that nobody reads
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("fastloss: interrupted", file=sys.stderr)
        return INTERRUPTED
    except (
        CommandError,
        ImportError,
        LookupError,
        NotImplementedError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        print(f"fastloss {options.command}: {one_line(error)}", file=sys.stderr)
        return WRONG
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="fastloss",
        description="Exact, fast evaluation of predictions, and what is known of the losses.",
        epilog="`fastloss COMMAND --help` has examples.",
    )
    parser.add_argument("--version", action="version", version=f"fastloss {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in (_evaluate, _merge, _losses, _info):
        command.add(commands)
    return parser
