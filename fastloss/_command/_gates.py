"""``--fail-if``: what must not be, and whether it is."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .._loss import Loss
from .._registry import get
from ._document import Means
from ._errors import CommandError

__all__ = ["Gate", "read_gate"]

WORSE = "worse"
_GATE = re.compile(r"\s*(.+?)\s*(<=|>=|<|>)\s*([^<>=%\s]+)\s*(%?)\s*", re.DOTALL)
_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Gate:
    """A condition on the mean of a loss, or on how much worse means are than a baseline's."""

    text: str
    loss: str
    sign: str
    limit: float
    relative: bool

    @property
    def compares(self) -> bool:
        """Whether it needs a baseline."""
        return self.loss == WORSE

    def failures(self, means: Means, baseline: Means) -> list[str]:
        """What fails it, with figures; what is no number fails."""
        if not self.compares:
            return [
                f"{model} has {mean:.6g}"
                for (loss, model), mean in means.items()
                if loss == self.loss and self._fails(mean)
            ]
        return [
            f"{loss} of {model} went from {baseline[loss, model]:.6g} to {mean:.6g}{share}"
            for (loss, model), mean in means.items()
            if (loss, model) in baseline
            for more, share in [self._increase(baseline[loss, model], mean)]
            if self._fails(more)
        ]

    def _fails(self, x: float) -> bool:
        return math.isnan(x) or bool(_OPERATORS[self.sign](x, self.limit))

    def _increase(self, before: float, now: float) -> tuple[float, str]:
        more = now - before
        if not self.relative:
            return more, f" ({more:+.6g})"
        if more:
            more = more / abs(before) if before else math.copysign(math.inf, more)
        return more, f" ({more:+.3%})"


def read_gate(text: str, losses: Mapping[str, Loss]) -> Gate:
    """A gate of the losses that are evaluated."""
    found = _GATE.fullmatch(text)
    if found is None:
        raise CommandError(
            f"--fail-if: cannot read {text!r}; write a loss or 'worse', one of < <= > >=, and a "
            "number"
        )
    name, sign, number, percent = found.groups()
    try:
        limit = float(number)
    except ValueError:
        raise CommandError(f"--fail-if: {number!r} in {text!r} is no number") from None
    if math.isnan(limit):
        raise CommandError(f"--fail-if: {text!r} compares with NaN")
    if name == WORSE:
        if sign not in (">", ">="):
            raise CommandError(f"--fail-if: {text!r} would fail what is better; write > or >=")
        return Gate(text.strip(), WORSE, sign, limit / 100 if percent else limit, bool(percent))
    if percent:
        raise CommandError(f"--fail-if: only 'worse' goes with %; got {text!r}")
    return Gate(text.strip(), _evaluated(name, losses), sign, limit, relative=False)


def _evaluated(name: str, losses: Mapping[str, Loss]) -> str:
    """The name of a loss as it was asked for, whose parameters may be written another way."""
    if name in losses:
        return name
    try:
        wanted = get(name)
    except (TypeError, ValueError):
        wanted = None
    for known, loss in losses.items():
        if loss == wanted:
            return known
    raise CommandError(f"--fail-if: {name} is none of the losses: {', '.join(losses)}")
