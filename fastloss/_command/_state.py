"""Evaluations in files, which add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._evaluation import Evaluation
from ._document import read_json, written
from ._errors import CommandError

__all__ = ["load", "save"]


def save(found: Any, path: Path) -> None:
    """Writes an evaluation."""
    path.write_text(written(found.to_dict()) + "\n", "utf-8")


def load(path: Path) -> Evaluation:
    """Reads what :func:`save` wrote."""
    data = read_json(path)
    kind: Any = Evaluation
    try:
        found: Evaluation = kind.from_dict(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{path} is no state that can be read: {error}") from None
    return found
