"""``--loss`` and ``--loss-from``: the losses of an evaluation by the names of its results."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from .._loss import Loss
from .._registry import get
from ._errors import CommandError, one_line

__all__ = ["losses_asked"]


def losses_asked(names: Sequence[str], places: Sequence[str]) -> dict[str, Loss]:
    """Losses of the registry, and those of users' modules."""
    found: dict[str, Loss] = {}
    for name, loss in [*((x.strip(), get(x)) for x in names), *map(_imported, places)]:
        if name in found:
            raise CommandError(f"the loss {name} is asked for twice")
        found[name] = loss
    if not found:
        raise CommandError("no loss is asked for: --loss names one, --loss-from a loss of your own")
    return found


def _imported(place: str) -> tuple[str, Loss]:
    module, _, name = place.partition(":")
    if not module or not name:
        raise CommandError(f"--loss-from: write module:name; got {place!r}")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # whatever the user's code does
        kind = type(error).__name__
        raise CommandError(f"--loss-from: {module}: {kind}: {one_line(error)}") from error
    finally:
        sys.path.remove(os.getcwd())
    if isinstance(found, type) and issubclass(found, Loss):
        found = found()
    if not isinstance(found, Loss):
        what = "has no" if found is None else "has another thing than a loss as"
        raise CommandError(f"--loss-from: {module} {what} {name}")
    return name, found
