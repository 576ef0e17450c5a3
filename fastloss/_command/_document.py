"""An evaluation as a JSON document, and those of before as baselines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from .._evaluation import Evaluation
from .._version import __version__
from ._errors import CommandError

__all__ = ["Means", "document", "means", "read_json", "read_means", "written"]

SCHEMA = 1

Means = dict[tuple[str, str], float]
"""Of all rows, by loss and model."""


def document(found: Evaluation, complete: bool) -> dict[str, Any]:
    """Everything an evaluation found; ``complete`` says whether of all rows."""
    table = json.loads(found.table.to_json())
    return {
        "schema": SCHEMA,
        "fastloss": __version__,
        "complete": complete,
        "rows": found.rows,
        "dropped": found.dropped,
        "note": table["note"],
        "table": table["rows"],
        "differences": json.loads(found.differences.to_json())["rows"],
        "overall": json.loads(found.overall.to_json())["rows"],
        "overall_differences": json.loads(found.overall_differences.to_json())["rows"],
    }


def written(data: Any) -> str:
    """As text."""
    return json.dumps(data, indent=1, allow_nan=False)


def means(found: Evaluation) -> Means:
    """Of all rows."""
    return {(row["loss"], row["model"]): row["mean"] for row in found.overall}


def read_means(path: Path) -> Means:
    """Those that a document of before says; NaN where it has none."""
    data = read_json(path)
    if not isinstance(data, dict) or "overall" not in data:
        raise CommandError(f"{path} is no output of `fastloss evaluate --format json`")
    if data.get("schema") != SCHEMA:
        raise CommandError(
            f"{path} has schema {data.get('schema')!r}, this version of fastloss reads {SCHEMA}"
        )
    return {
        (row["loss"], row["model"]): math.nan if row["mean"] is None else float(row["mean"])
        for row in data["overall"]
    }


def read_json(path: Path) -> Any:
    """What a file says."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is no JSON: {error}") from None
