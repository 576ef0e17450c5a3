"""``fastloss losses`` and ``fastloss show``: what is known of the losses."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from .._loss import GroupLoss, Loss
from ._output import console
from ._parser import add_command

__all__ = ["add"]

LOSSES = """\
  fastloss losses
  fastloss losses | grep quantile"""
SHOW = """\
  fastloss show huber
  fastloss show 'huber(delta=2.0)'"""


def add(commands: Any) -> None:
    """The commands' arguments."""
    add_command(commands, "losses", run_losses, "A table of all losses.", LOSSES)
    parser = add_command(
        commands, "show", run_show, "What a loss is: text, formula, parameters, properties.", SHOW
    )
    parser.add_argument("loss", help="a name, alone or with parameters")


def run_losses(options: argparse.Namespace) -> int:
    """Prints the table."""
    from .._catalogue import HEADER, Catalogue, statements
    from .._registry import get, losses

    names = Catalogue((*losses(), *losses(gradient=False)))
    terminal = console()
    if terminal is None:
        print(names)
        return 0
    from rich.table import Table

    table = Table(*HEADER)
    for loss in map(get, names):
        table.add_row(loss.name, *statements(loss))
    terminal.print(table)
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Prints the text of a loss."""
    from .._registry import get

    print("\n".join(_described(get(options.loss))))
    return 0


def _described(loss: Loss) -> Iterator[str]:
    from .._catalogue import HEADER, statements

    yield f"{loss!r}\n\n{inspect.getdoc(type(loss)) or ''}"
    yield from _headed("Formula", _definition(loss))
    if loss.params:
        values = "\n".join(f"{name} = {value!r}" for name, value in loss.params.items())
        yield from _headed("Values of parameters", values)
    said = dict(zip(HEADER[1:], statements(loss), strict=True))
    said["adds up by rows"] = "yes" if loss.additive else "no: `fastloss evaluate` does not take it"
    width = max(map(len, said))
    lines = "\n".join(f"{name:<{width}}  {text}" for name, text in said.items())
    yield from _headed("Properties", lines)


def _headed(title: str, text: str) -> tuple[str, ...]:
    return "", title, "-" * len(title), text


def _definition(loss: Loss) -> str:
    """The textbook value, as Python writes it."""
    found: Any = loss.definition if isinstance(loss, GroupLoss) else loss.scalars.definition
    text = textwrap.dedent(inspect.getsource(found))
    return text.replace("@staticmethod\n", "").replace(": Any", "").replace(" -> Any", "").strip()
