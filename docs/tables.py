"""The tables of conventions.md, from what the library gives: ``python docs/tables.py [--write]``.

A line for a loss with parameters is there only where no line above it says the same.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._catalogue import HEADER, statements
from fastloss._domains import POSITIVE, Domain
from fastloss.accuracy.runners import arguments, outputs
from fastloss.accuracy.samples import fixed_classes
from fastloss.accuracy.variants import plain_variants, unit_losses, variants

PAGE = Path(__file__).with_name("conventions.md")
CLASSES = 3
UNITS = 2

Line = tuple[str, ...]


# ---- inputs


def shown(name: str) -> list[fl.Loss]:
    """A loss with its defaults, then with other parameters; what only weighs units is left out."""
    return [loss for loss in plain_variants() if loss.name == name]


def targets(loss: fl.Loss) -> list[Any]:
    """Targets between which derivatives may differ."""
    if isinstance(loss, fl.RowLoss) and not loss.takes_numbers:
        if loss.between_labels:
            return list(range(loss.label_count(CLASSES)))
        return [0, 1] if loss.takes_labels else distributions(loss)
    domain = loss.domains()[1]
    if domain.discrete:
        return [domain.low, domain.high]
    if not domain.checked:
        return [0.0, 3.0]
    if loss.ordered:  # at the end of the domain it is a limit itself
        return [0.5, 2.0]
    return [0.0, 0.5, 1.0] if domain.high == 1.0 else [0.0, 2.0]


def distributions(loss: fl.Loss) -> list[Any]:
    """Two single outcomes, or where these cost infinity for any prediction, what leans to them."""
    outcomes = np.eye(CLASSES)[:2]
    prediction = np.array([[beside(domain) for domain in domains(loss)]])
    if np.isinf(loss.value(prediction, outcomes[:1], reduction="sum")):
        outcomes = (outcomes + 1) / (CLASSES + 1)
    return outcomes.tolist()


def domains(loss: fl.Loss) -> list[Domain]:
    """Those of the classes of a row, or of all predictions of an element."""
    known = dict(zip(loss.inputs, loss.domains(), strict=True))
    found = [known[name] for name in loss.differentiated]
    return found * (fixed_classes(loss) or CLASSES) if isinstance(loss, fl.RowLoss) else found


def beside(domain: Domain) -> float:
    """A prediction inside the domain, for all but the one that is looked at."""
    if not domain.checked:
        return 0.0
    if np.isfinite([domain.low, domain.high]).all():
        return (domain.low + domain.high) / 2
    return domain.low + 1.0 if np.isfinite(domain.low) else domain.high - 1.0


def moved(loss: fl.Loss, i: int, x: float) -> Any:
    """Predictions of which one is x: a list, of classes or where there are several.

    The others are away from what kinks are at: numbers and rivals.
    """
    found = [beside(domain) for domain in domains(loss)]
    if isinstance(loss, fl.RowLoss):
        step = 0.25 if loss.takes_numbers else -0.25 if loss.descending else 0.0
        if loss.reference == "rival":
            found, step = [y + 2.5 for y in found], -2.5
        found = [y + step * j for j, y in enumerate(found)]
    else:
        found = [0.5 if y == 0.0 else y for y in found]
    found[i] = x
    return found if isinstance(loss, fl.RowLoss) or len(found) > 1 else x


def ends(loss: fl.Loss) -> Iterator[Any]:
    """Predictions of which one, or all logits of a row, are at an end of the domain or NaN."""
    rows = isinstance(loss, fl.RowLoss)
    descending = isinstance(loss, fl.RowLoss) and loss.descending
    for i, domain in enumerate(domains(loss)[: 1 if rows else None]):
        for x in (domain.low, domain.high, np.nan):
            # the domain of positive numbers lacks its end; the first of a row is the largest
            if x != POSITIVE.low and not (descending and x == domain.low):
                yield moved(loss, i, x)
    if descending:
        return  # equal ones are not in order
    if isinstance(loss, fl.RowLoss) and not domain.checked and not loss.takes_numbers:
        yield from ([x] * CLASSES for x in (domain.low, domain.high))


def results(loss: fl.Loss, prediction: Any, target: Any) -> tuple[Any, Any, Any]:
    """Value, gradient and Hessian of one unit."""
    value, grad, hess = outputs(loss, arguments(loss, np.array([prediction]), np.array([target])))
    return value[0], grad[0], hess[0]


# ---- Markdown


def number(x: float) -> str:
    """Four digits, and no sign of zero."""
    return f"{x + 0.0:.4g}"


def numbers(x: Any) -> str:
    """One number, or those of all classes."""
    return f"[{', '.join(map(number, x))}]" if np.ndim(x) else number(x)


def table(header: Sequence[str], lines: Iterable[Line]) -> str:
    """A Markdown table."""
    rule = ["---"] * len(header)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *lines))


# ---- what losses say of themselves


def said() -> str:
    """A line a loss, and one for parameters that change what it says."""
    lines: list[Line] = []
    for name in fl.losses():
        known: dict[Line, str] = {}
        for loss in variants(name):
            known.setdefault(statements(loss), f"`{loss}`")
        lines += [(label, *cells) for cells, label in known.items()]
    return table(("loss", *HEADER[1:]), lines)


# ---- limits


def limits() -> str:
    """A table a loss: what it gives at the ends of its domain and at NaN."""
    header = ("loss", "prediction", "target", "value", "gradient", "Hessian")
    sections = []
    for name in unit_losses():
        known: set[Line] = set()
        lines: list[Line] = []
        for loss in shown(name):
            found = [line for line in limit_lines(loss) if line not in known]
            lines += [(f"`{loss}`", *line) for line in merged(found, len(targets(loss)))]
            known |= set(found)
        sections.append(f"### {name}\n\n{table(header, lines)}")
    return "\n\n".join(sections)


def limit_lines(loss: fl.Loss) -> Iterator[Line]:
    """Prediction, target, value, gradient, Hessian."""
    for prediction in ends(loss):
        for target in targets(loss):
            if not loss.smooth and isinstance(target, list) and prediction[0] == target[0]:
                continue  # a kink
            found = results(loss, prediction, target)
            yield numbers(prediction), numbers(target), *map(numbers, found)


def merged(lines: Iterable[Line], all_targets: int) -> Iterator[Line]:
    """The same lines; targets that change nothing share one."""
    groups: dict[tuple[str, Line], list[str]] = {}
    for prediction, target, *cells in lines:
        groups.setdefault((prediction, tuple(cells)), []).append(target)
    for (prediction, cells), group in groups.items():
        together = "any" if len(group) == all_targets else " or ".join(group)
        yield prediction, together, *cells


# ---- kinks


def kinks() -> str:
    """Where derivatives jump, with those below, at and above the place."""
    header = ("loss", "prediction", "target", "gradient", "Hessian")
    lines: list[Line] = []
    for name in unit_losses():
        found = [(f"`{loss}`", *line) for loss in shown(name) for line in kink_lines(loss)]
        if not found or found[0][0] != f"`{name}`":
            found.insert(0, (f"`{name}`", "none", "", "", ""))
        lines += found
    return table(header, lines)


def kink_lines(loss: fl.Loss) -> Iterator[Line]:
    """Prediction, target, gradient and Hessian."""
    rows = isinstance(loss, fl.RowLoss)
    # of a row the first class stands for all
    along = list(enumerate(domains(loss)))[: 1 if rows else None]
    # differences from an unbounded target, one of which makes a prediction 0
    real = (not rows or loss.takes_numbers) and not loss.domains()[1].checked
    known: set[tuple[int, float, Line]] = set()
    some = itertools.product(targets(loss), along, [*places(loss), -3.0])
    for target, (i, domain), x in some:
        place = x + target if real else x
        around = [np.nextafter(place, -np.inf), place, np.nextafter(place, np.inf)]
        if domain.outside(np.array(around)).any() or (real and place - target != x):
            continue
        predictions = [moved(loss, i, y) for y in around]
        found = np.array([results(loss, p, target)[1:] for p in predictions])
        slopes = found[:, :, i] if found.ndim > 2 else found
        if not np.allclose(slopes[0], slopes[2], 1e-6, 1e-6):
            below, at, above = (map(number, row) for row in slopes.round(12))
            cells = tuple(f"{a}, **{b}**, {c}" for a, b, c in zip(below, at, above, strict=True))
            if not real or (i, x, cells) not in known:  # most losses are of the difference
                yield numbers(predictions[1]), numbers(target), *cells
            known.add((i, x, cells))


def places(loss: fl.Loss) -> list[float]:
    """Predictions at which a formula may change branch."""
    parameters = [p for p in loss.kernel_parameters() if np.isfinite(p)]
    return sorted({0.0, -1.0, 1.0, *parameters, *(-p for p in parameters)})


# ---- nothing


def empties() -> str:
    """What reductions over nothing give."""
    header = ("loss", "nothing", "`sum`", "its gradient, Hessian", "`mean`",
              "its gradient, Hessian", "`mean` with a `normalizer`")  # fmt: skip
    lines: list[Line] = []
    for name in unit_losses():
        groups: dict[Line, list[str]] = {}
        for label, cells in nothing(fl.get(name)):
            groups.setdefault(cells, []).append(label)
        lines += [(f"`{name}`", "; ".join(group), *cells) for cells, group in groups.items()]
    return table(header, lines)


def nothing(loss: fl.Loss) -> Iterator[tuple[str, Line]]:
    """Each way to have no unit that counts, and what comes of it."""
    prediction = np.array([moved(loss, 0, beside(domains(loss)[0]))] * UNITS)
    target = np.array([targets(loss)[0]] * UNITS)
    yield "no units", reductions(loss, prediction[:0], target[:0])
    yield "weights 0", reductions(loss, prediction, target, 0.0)
    if "ignore_index" in loss.params:
        ignoring = loss.replace(ignore_index=targets(loss)[0])
        yield "labels ignored", reductions(ignoring, prediction, target)


def reductions(loss: fl.Loss, prediction: Any, target: Any, weight: Any = None) -> Line:
    """Sum and mean, with the derivatives; a mean with a normalizer."""
    cells: list[str] = []
    for reduction in ("sum", "mean"):
        options = {"weight": weight, "reduction": reduction}
        value, *slopes = outputs(loss, arguments(loss, prediction, target), **options)
        cells += number(value), ", ".join(number(np.abs(x).max(initial=0.0)) for x in slopes)
    value = loss.value(**arguments(loss, prediction, target), weight=weight, normalizer=1.0)
    return *cells, number(value)


# ---- the page

TABLES: dict[str, Callable[[], str]] = {
    "statements": said,
    "limits": limits,
    "kinks": kinks,
    "empties": empties,
}


def written(page: str) -> str:
    """A page with new tables between their marks."""
    for name, make in TABLES.items():
        begin, end = (f"<!-- {name}: {word} -->" for word in ("begin", "end"))
        between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(between.findall(page)) != 1:
            raise ValueError(f"the page must hold {begin} and {end} once each, in this order")
        new = f"{begin}\n{make()}\n{end}"
        page = between.sub(lambda _, new=new: new, page)  # type: ignore[misc]
    return page


def main() -> None:
    """Prints the tables, or renews them in the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace the tables in {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(written(PAGE.read_text()))
    else:
        print(*(make() for make in TABLES.values()), sep="\n\n")


if __name__ == "__main__":
    main()
