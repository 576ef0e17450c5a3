"""``fastloss evaluate``: losses of models in files."""

from __future__ import annotations

import argparse
import glob
import os
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._evaluation import Evaluation
from .._evaluation._call import steps
from .._evaluation._request import Request, make_request
from .._evaluation._sources import batches, open_dataset
from ._document import Means, means, read_means
from ._errors import CommandError
from ._filters import expression
from ._gates import Gate, read_gate
from ._losses_asked import losses_asked
from ._output import show
from ._parser import Parser, add_command, add_format, at_least_one
from ._progress import known_rows, progress, watched
from ._reading import Reading
from ._state import save

__all__ = ["add"]

FAILED = 1
INTERRUPTED = 130

EXAMPLES = """\
  fastloss evaluate preds.parquet --loss brier --prediction p --target y
  fastloss evaluate 'preds/*.parquet' --loss binary_cross_entropy \\
      --loss 'quantile(quantile=0.9)' --prediction p_a --prediction p_b --target y \\
      --weight w --by country --by device --filter 'country in de,fr'
  fastloss evaluate preds.csv --loss categorical_cross_entropy --model a=a_no,a_yes \\
      --model b=b_no,b_yes --target answer --labels no,yes
  fastloss evaluate new.parquet --loss brier --prediction p --target y \\
      --baseline old.json --fail-if 'worse > 1%' --fail-if 'brier > 0.2'

exit codes: 0; 1 a gate of --fail-if failed; 2 wrong arguments or data; 130 Ctrl-C, after the
results of the rows so far. Write --labels=-1,1 where a value begins with a dash."""


def add(commands: Any) -> None:
    """The command's arguments."""
    parser = add_command(
        commands,
        "evaluate",
        run,
        "Means of losses of models in files, by segment, in one pass.",
        EXAMPLES,
    )
    _add_columns(parser)
    _add_reading(parser)
    add_format(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="where a report is written")
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="where what `fastloss merge` adds up is saved"
    )
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="an output of --format json of before"
    )
    parser.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="GATE",
        help="exit with 1 if, of all rows, 'LOSS > 0.35' of any model (or <, >=, <=), or "
        "'worse > 1%%', 'worse > 0.01' than the baseline; may be repeated",
    )


def _add_columns(parser: Parser) -> None:
    several: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files, folders, globs or URIs of files"
    )
    parser.add_argument("--loss", **several, help="such as brier; may be repeated")
    parser.add_argument(
        "--loss-from", **several, metavar="MODULE:NAME", help="a loss of your own, by import"
    )
    parser.add_argument(
        "--prediction", **several, metavar="COLUMN", help="of a model; may be repeated"
    )
    parser.add_argument(
        "--model",
        **several,
        metavar="NAME=COLUMN,...",
        help="a model by name, with the columns of its class scores; may be repeated",
    )
    parser.add_argument("--target", required=True, metavar="COLUMN[,...]")
    parser.add_argument("--weight", metavar="COLUMN")
    parser.add_argument(
        "--input",
        **several,
        metavar="NAME=COLUMN",
        help="an extra input of the losses: a column or a number; may be repeated",
    )
    parser.add_argument("--labels", metavar="A,B,...", help="what the target holds for class 0, 1,")
    parser.add_argument("--by", **several, metavar="COLUMN", help="of segments; may be repeated")
    parser.add_argument("--cluster", metavar="COLUMN", help="whose equal rows resemble one another")
    parser.add_argument(
        "--skill",
        action="store_true",
        help="show 1 - loss / loss of the best constant prediction: R² and the like",
    )


def _add_reading(parser: Parser) -> None:
    policy: dict[str, Any] = {"choices": ("raise", "drop"), "default": "raise"}
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="CONDITION",
        help="'COLUMN OPERATOR VALUE' of rows to read, with == != < <= > >= or in (values with "
        "commas); may be repeated, all hold",
    )
    parser.add_argument("--nulls", **policy, help="what to do with nulls (default: %(default)s)")
    parser.add_argument(
        "--invalid", **policy, help="and with values that a loss refuses (default: %(default)s)"
    )
    parser.add_argument("--threads", type=at_least_one, metavar="N", help="that losses use")
    parser.add_argument(
        "--batch-size",
        type=at_least_one,
        default=524_288,
        metavar="ROWS",
        help="that are read together (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Evaluates, and prints and writes what was asked for."""
    request = _request(options)
    gates = [read_gate(text, request.losses) for text in options.fail_if]
    baseline = _baseline(options, gates, request)
    _check_outputs(options)
    found, complete = _evaluation(options, request)
    show(found, options.format, complete)
    if not complete:
        print(f"fastloss evaluate: interrupted after {found.rows} rows", file=sys.stderr)
        return INTERRUPTED
    if options.state is not None:
        save(found, options.state)
    if options.html is not None:
        from ._html import page  # with Matplotlib

        options.html.write_text(page(found, options.paths), "utf-8")
    sys.stdout.flush()  # before what is said of gates
    return _passed(gates, means(found), baseline)


# ---- what is asked for


def _request(options: argparse.Namespace) -> Request:
    models: dict[str, Any] = {}
    for name, columns in [
        *((name, name) for name in options.prediction),
        *(_named(text, "--model") for text in options.model),
    ]:
        if name in models:
            raise CommandError(f"the model {name} is there twice")
        models[name] = columns
    if not models:
        raise CommandError("no model is asked for: --prediction or --model names one")
    return make_request(
        losses=losses_asked(options.loss, options.loss_from),
        prediction=models,
        target=_columns(options.target),
        weight=options.weight,
        by=options.by,
        cluster=options.cluster,
        inputs={name: _number(x) for name, x in (_named(t, "--input") for t in options.input)},
        labels=None if options.labels is None else options.labels.split(","),
        skill=options.skill,
    )


def _named(text: str, option: str) -> tuple[str, str | list[str]]:
    name, _, columns = text.partition("=")
    if not name or not columns:
        raise CommandError(f"{option}: write a name, = and columns; got {text!r}")
    return name, _columns(columns)


def _columns(text: str) -> str | list[str]:
    names = text.split(",")
    return names if len(names) > 1 else text


def _number(columns: str | list[str]) -> str | list[str] | float:
    try:
        return float(columns) if isinstance(columns, str) else columns
    except ValueError:
        return columns


def _baseline(options: argparse.Namespace, gates: Sequence[Gate], request: Request) -> Means:
    if options.baseline is None:
        for gate in gates:
            if gate.compares:
                raise CommandError(f"--fail-if: {gate.text!r} needs --baseline")
        return {}
    found = read_means(options.baseline)
    if not any((loss, model) in found for loss in request.losses for model in request.models):
        raise CommandError(f"{options.baseline} has none of these losses and models")
    return found


def _check_outputs(options: argparse.Namespace) -> None:
    """Before hours of reading."""
    for path in (options.html, options.state):
        if path is not None and not os.access(path.parent, os.W_OK):
            raise CommandError(f"{path} cannot be written: no folder {path.parent} to write to")


# ---- what is done


def _evaluation(options: argparse.Namespace, request: Request) -> tuple[Evaluation, bool]:
    """Of all rows, or of those before Ctrl-C."""
    dataset = open_dataset(_expanded(options.paths), None)
    filter = expression(options.filter, dataset.schema)
    reading = Reading(batches(dataset, request.columns, filter, None, options.batch_size))

    def count() -> int | None:
        return known_rows(dataset) if filter is None else None

    with progress(count, options.quiet) as advance:
        read = watched(reading, advance)
        grown = steps(request, read, options.nulls, options.invalid, options.threads)
        (found,) = deque(grown, maxlen=1)
    return found, not reading.interrupted


def _expanded(paths: Sequence[str]) -> list[str]:
    """Globs that the shell left, which may name files that are there."""
    found: list[str] = []
    for path in paths:
        if "://" in path or os.path.exists(path) or not glob.has_magic(path):
            found.append(path)
            continue
        some = sorted(glob.glob(path, recursive=True))
        if not some:
            raise CommandError(f"no file matches {path}")
        found += some
    return found


def _passed(gates: Sequence[Gate], now: Means, baseline: Means) -> int:
    code = 0
    for gate in gates:
        failures = gate.failures(now, baseline)
        if failures:
            print(f"gate failed: {gate.text}: {'; '.join(failures)}", file=sys.stderr)
            code = FAILED
    return code
