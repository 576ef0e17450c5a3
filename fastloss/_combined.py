"""Weighted sums of pointwise losses, computed in one pass."""

from __future__ import annotations

import functools
import math
from typing import Any, NoReturn

from ._domains import Domain
from ._loss import MapLoss
from ._messages import shown
from ._native import prepare

__all__ = ["CombinedLoss", "combined"]


class CombinedLoss(MapLoss):
    """A sum of pointwise losses, each times a number: ``0.7 * fl.Huber() + 0.3 * fl.LogCosh()``.

    Numba compiles the sum, on the native backend too.

    Attributes
    ----------
    parts : tuple
        Pairs of a number and a loss.
    """

    name = "combined"
    jit = True
    elicits = ""
    parts: tuple[tuple[float, MapLoss], ...]

    def __init__(self, parts: tuple[tuple[float, MapLoss], ...]) -> None:
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "_native", prepare(self))

    @property
    def scalars(self) -> Any:
        parts = tuple((part.scalars, len(part.kernel_parameters())) for _, part in self.parts)
        return _scalars(self.inputs, parts)

    @property
    def inputs(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.parts[0][1].inputs

    @property
    def kernel(self) -> str:
        return " + ".join(part.kernel for _, part in self.parts) + ", combined"

    def kernel_parameters(self) -> tuple[float, ...]:
        numbers = ((factor, *part.kernel_parameters()) for factor, part in self.parts)
        return tuple(x for each in numbers for x in each)

    def domains(self) -> tuple[Domain, ...]:
        return tuple(
            functools.reduce(_common, domains)
            for domains in zip(*(part.domains() for _, part in self.parts), strict=True)
        )

    # What it states follows from what its parts state.

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return all(factor >= 0 and part.convex for factor, part in self.parts)

    @property
    def smooth(self) -> bool:  # type: ignore[override]
        return all(part.smooth for _, part in self.parts)

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return all(factor > 0 and part.proper for factor, part in self.parts)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        signs = {part.hessian_sign for _, part in self.parts}
        if signs == {"zero"}:
            return "zero"
        if "any" in signs or any(factor < 0 for factor, _ in self.parts):
            return "any"
        certain = any(f > 0 and part.hessian_sign == "positive" for f, part in self.parts)
        return "positive" if certain else "nonnegative"

    @property
    def link(self) -> str:  # type: ignore[override]
        return self.parts[0][1].link

    @property
    def link_slope(self) -> float:  # type: ignore[override]
        return self.parts[0][1].link_slope

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return "; ".join(dict.fromkeys(part.kinks for _, part in self.parts if part.kinks))

    @property
    def sample(self) -> tuple[float, float]:  # type: ignore[override]
        lows, highs = zip(*(part.sample for _, part in self.parts), strict=True)
        return max(lows), min(highs)

    def replace(self, **parameters: Any) -> NoReturn:
        """Not for sums: their parts have the parameters."""
        raise TypeError(f"{self!r} has no parameters; replace those of its parts")

    def __repr__(self) -> str:
        return " + ".join(
            f"{part!r}" if factor == 1 else f"{factor!r} * {part!r}" for factor, part in self.parts
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CombinedLoss) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return CombinedLoss, (self.parts,)


def combined(*terms: tuple[Any, MapLoss]) -> CombinedLoss:
    """The sum of losses times numbers; sums among them are taken apart.

    Raises
    ------
    TypeError, ValueError
        Where a number is none or not finite, or the losses differ in inputs or link.
    """
    parts: list[tuple[float, MapLoss]] = []
    for factor, loss in terms:
        if isinstance(factor, bool) or not math.isfinite(factor):
            raise ValueError(f"a loss must be multiplied by a finite number; got {shown(factor)}")
        own = loss.parts if isinstance(loss, CombinedLoss) else ((1.0, loss),)
        parts += ((float(factor) * number, part) for number, part in own)
    first = parts[0][1]
    for _, part in parts:
        if not part.has_gradient or len(part.differentiated) > 1:
            raise TypeError(f"{part!r} cannot be part of a sum: it has not one gradient")
        for what in ("inputs", "link", "link_slope"):
            if getattr(part, what) != getattr(first, what):
                raise ValueError(
                    f"{first!r} and {part!r} cannot be added: their {what} differ, "
                    f"{getattr(first, what)!r} and {getattr(part, what)!r}"
                )
    return CombinedLoss(tuple(parts))


def _common(a: Domain, b: Domain) -> Domain:
    """What lies in both."""
    if b.discrete:
        a, b = b, a
    if a.discrete:
        return a
    low, high = max(a.low, b.low), min(a.high, b.high)
    return next((d for d in (a, b) if (d.low, d.high) == (low, high)),
                Domain(f"a number in [{low:g}, {high:g}]", low, high))  # fmt: skip


class _Scalars:
    """The scalar functions of a sum."""

    name = "combined"

    def __init__(self, formula: Any, definition: Any) -> None:
        self.formula, self.definition = formula, definition


@functools.cache
def _scalars(inputs: tuple[str, ...], parts: tuple[tuple[Any, int], ...]) -> _Scalars:
    """Of parts with so many parameters each, which come after their factors."""
    arguments, calls = list(inputs), []
    for i, (_, count) in enumerate(parts):
        own = [f"p{i}_{j}" for j in range(count)]
        arguments += [f"c{i}", *own]
        calls.append(f"{i}({', '.join([*inputs, *own])})")
    indices = range(len(parts))
    sums = (" + ".join(f"c{i} * {x}{i}" for i in indices) for x in "vgh")
    terms = " + ".join(f"c{i} * value(d{calls[i]})" for i in indices)
    lines = [
        f"def formula({', '.join(arguments)}):",
        *(f"    v{i}, g{i}, h{i} = f{calls[i]}" for i in indices),
        f"    return {', '.join(sums)}",
        f"def definition({', '.join(arguments)}):",
        f"    return {terms}",
    ]
    meanings: dict[str, Any] = {"value": _value}
    for i, (scalars, _) in enumerate(parts):
        meanings |= {f"f{i}": scalars.formula, f"d{i}": scalars.definition}
    exec(compile("\n".join(lines), "<combined>", "exec"), meanings)
    return _Scalars(meanings["formula"], meanings["definition"])


def _value(definition: Any) -> Any:
    """What a definition gives, which may be terms."""
    return sum(definition) if isinstance(definition, tuple) else definition
