"""The tables, as Markdown."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import fastloss as fl

from .measure import Figures, Worst, merged, own, theirs
from .oracle import OUTPUTS
from .peers import PEERS
from .points import RANGES, Range, case
from .runners import Runner
from .ulps import FORMATS
from .variants import extreme_variants, name_of, variants, weighs, with_kinds

__all__ = ["Report", "renewed"]

MARK = "<!-- What follows is written by python -m fastloss.accuracy --write -->\n"
WIDTHS = {1: 24, 2: 24, 17: 24, 40: 12}
"""Rows looked at with other numbers of classes, by that number."""
ROW = 5
"""A row counts as so many units."""
SHOWN = 5
"""Numbers of a row that are printed."""


class Report:
    """What is measured, and its tables.

    Parameters
    ----------
    names : list of str
        Losses: registry names, with all their variants, or with parameters.
    units : int
        Points of each variant.
    runners : list of (str, str or None)
        Ways to run.
    """

    def __init__(self, names: list[str], units: int, runners: list[Runner]) -> None:
        self.names = names
        self.units = units
        self.runners = runners
        self._comparison: list[tuple[str, str, dict[str, Figures]]] = []

    def page(self) -> Iterator[str]:
        """All lines that follow the mark."""
        yield from (self._provenance(), "", "## Where it looks", "")
        yield from (f"- {_title(make)}: {inspect.getdoc(make)}" for make in RANGES)
        yield from ("", "## Worst errors and stated bounds", "")
        yield from self._bounds()
        for title, which in (("ordinary numbers", "ordinary"), ("all ranges", "all")):
            yield from ("", f"## Beside other libraries: {title}", "")
            yield from self._compared(which)

    def _bounds(self) -> Iterator[str]:
        """Lines of the table of worst errors and stated bounds, each when it is measured."""
        header = ["loss", "dtype", "output", "worst", "stated", "by", "at", "result"]
        yield from _head(header, right=(3, 4))
        for group in (group for name in self.names for group in _groups(name)):
            for dtype in FORMATS:
                figures = merged(self._measured(group, dtype))
                for stated, output in zip(group[0].ulps[dtype], OUTPUTS, strict=True):
                    worst = figures.all[output]
                    where = ["", "", ""]
                    if worst.error:
                        where = [worst.by, _place(worst), f"{worst.got:.9g}"]
                    cells = [repr(group[0]), dtype, output, _number(worst.error), f"{stated:g}"]
                    yield _line([*cells, *where])

    def _compared(self, which: str) -> Iterator[str]:
        """Lines of the table of peers, after that of bounds: ``"ordinary"`` or ``"all"``."""
        yield from _head(["loss", "dtype", "fastloss", *(peer.name for peer in PEERS)], right=())
        for name, dtype, figures in self._comparison:
            found = {who: getattr(figures[who], which) for who in figures}
            cells = (_cell(found.get(who)) for who in ("fastloss", *(peer.name for peer in PEERS)))
            yield _line([name, dtype, *cells])

    def _provenance(self) -> str:
        """What was measured how, in a sentence."""
        ways = ", ".join(map(name_of, self.runners))
        peers = "; ".join(p.versions if p.installed else f"{p.name} is missing" for p in PEERS)
        return (
            f"fastloss {fl.__version__} by {ways}; {self.units} units of each variant "
            f"({self.units // ROW} rows), and fewer rows of {', '.join(map(str, WIDTHS))} classes. "
            f"Beside it: {peers}."
        )

    def _measured(self, losses: list[fl.Loss], dtype: str) -> Iterator[Figures]:
        """The figures of each case of some losses; peers' are put aside."""
        for loss, kind in with_kinds(losses):
            rows = loss.schema == "row"
            points = case(loss, kind, dtype, self.units // ROW if rows else self.units)
            figures = own(points, self.runners)
            yield figures
            if loss in extreme_variants(loss.name):
                continue
            found = {peer.name: theirs(points, peer) for peer in PEERS if peer.installed}
            known = {who: them for who, them in found.items() if them is not None}
            if known:
                called = repr(loss) if kind == "values" else f"{loss!r}, {kind}"
                self._comparison.append((called, dtype, {"fastloss": figures, **known}))
            for classes, n in WIDTHS.items() if rows else ():
                yield own(case(loss, kind, dtype, n, classes), self.runners)


def _groups(name: str) -> list[list[fl.Loss]]:
    """What a name stands for: losses with the same bounds are together, the default first."""
    if "(" in name:
        return [[fl.get(name)]]
    groups: dict[str, list[fl.Loss]] = {}
    for loss in (*variants(name), *extreme_variants(name)):
        if not weighs(loss):
            groups.setdefault(str(loss.ulps), []).append(loss)
    return list(groups.values())


def renewed(page: str, lines: Iterable[str]) -> str:
    """A page with other lines after the mark."""
    if page.count(MARK) != 1:
        raise ValueError(f"the page must hold this line once: {MARK}")
    return page.partition(MARK)[0] + MARK + "\n" + "".join(f"{line}\n" for line in lines)


# ---- cells


def _title(make: Range) -> str:
    return make.__name__.replace("_", " ")


def _place(worst: Worst) -> str:
    """The loss and the input."""
    values = ", ".join(f"{name}={_short(x)}" for name, x in worst.inputs.items())
    return f"{worst.case.loss!r}: {values}"


def _short(x: Any) -> str:
    if np.ndim(x) == 0:
        return f"{x:.6g}"
    rest = ["…"] if len(x) > SHOWN else []
    return f"[{', '.join([*(f'{y:.4g}' for y in x[:SHOWN]), *rest])}]"


def _cell(found: dict[str, Worst] | None) -> str:
    """The figures of value, gradient and Hessian."""
    if found is None:
        return "–"
    return " · ".join(_figure(found[output]) if output in found else "–" for output in OUTPUTS)


def _figure(worst: Worst) -> str:
    """An error; or a word, where nothing of the result is right."""
    digits = FORMATS[worst.case.dtype][0]
    if math.isnan(worst.got) and worst.error:
        return "NaN"
    if math.isinf(worst.got) and worst.error:
        return "inf"
    if math.isinf(worst.error):
        return "finite"
    if worst.error >= 2 ** (digits - 1):
        return "all" if worst.got else "zero"
    return _number(worst.error)


def _number(error: float) -> str:
    """An error in ulps, with two digits after the point or as a power."""
    if error < 100 or error == float("inf"):
        return f"{error:.2f}"
    mantissa, exponent = f"{error:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _head(names: list[str], right: Iterable[int]) -> Iterator[str]:
    yield _line(names)
    yield _line(["---:" if i in right else "---" for i in range(len(names))])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
