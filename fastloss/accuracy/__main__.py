"""How far from the truth losses are, here and in other libraries, as Markdown tables."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import fastloss as fl

from .report import Report, renewed
from .runners import RUNNERS
from .variants import name_of, unit_losses, weighs

PAGE = Path("docs/accuracy.md")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m fastloss.accuracy", description=__doc__)
    parser.add_argument(
        "losses",
        nargs="*",
        type=_loss,
        metavar="LOSS",
        help="a name such as huber, for all its variants, or huber(delta=2.0); all by default",
    )
    parser.add_argument("--units", type=int, default=2000, help="points of each variant")
    parser.add_argument(
        "--runner",
        action="append",
        choices=[name_of(runner) for runner in RUNNERS],
        help="a way to run, may be repeated; all by default",
    )
    parser.add_argument(
        "--write",
        nargs="?",
        type=Path,
        const=PAGE,
        metavar="PAGE",
        help=f"renew the tables of a page too, {PAGE} by default",
    )
    options = parser.parse_args()
    if options.write and (options.losses or options.runner):
        parser.error("a page holds all losses and ways to run: --write goes without them")
    runners = [r for r in RUNNERS if not options.runner or name_of(r) in options.runner]
    report = Report(options.losses or unit_losses(), options.units, runners)
    lines = _printed(report.page())
    if options.write:
        options.write.write_text(renewed(options.write.read_text(), lines))
    else:
        list(lines)


def _loss(text: str) -> str:
    try:
        loss = fl.get(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if isinstance(loss, fl.GroupLoss):
        raise argparse.ArgumentTypeError(f"{text} is a loss of groups, which have no units")
    if weighs(loss):
        raise argparse.ArgumentTypeError(f"{text} weighs its units; bounds are of unweighted ones")
    return text


def _printed(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        print(line, flush=True)
        yield line


if __name__ == "__main__":
    main()
