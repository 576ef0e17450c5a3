"""Parameters of losses: checked once, when the loss is made."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from ._messages import shown

__all__ = [
    "CLIP_KINKS",
    "Parameter",
    "at_most",
    "choice",
    "clip_at",
    "finite_positive",
    "flag",
    "fraction",
    "fractions",
    "nonnegative",
    "optional_count",
    "optional_fraction",
    "optional_integer",
    "optional_weights",
    "outside_fraction",
    "positive",
    "positive_integer",
    "scale",
    "small",
]


CLIP_KINKS = "prediction = eps and 1 - eps: gradient and Hessian 0"


def clip_at(eps: float) -> tuple[float]:
    """What a kernel is told: eps, or a number that clips no probability."""
    return (eps,) if eps > 0 else (-1.0,)


class Parameter:
    """One parameter of a loss: its default and what it may be.

    Parameters
    ----------
    default : object
        The value where the caller gives none.
    check : callable
        Called with the name and the value; returns the value to keep or raises.
    examples : tuple
        Values that are worth testing besides the default.
    extremes : tuple
        Values near the ends of the domain, at which formulas must keep their digits.
    """

    def __init__(
        self,
        default: Any,
        check: Callable[[str, Any], Any],
        examples: tuple[Any, ...] = (),
        extremes: tuple[Any, ...] = (),
    ) -> None:
        self.default = default
        self.check = check
        self.examples = examples
        self.extremes = extremes


def _float(value: Any) -> float:
    """A real number as float: NaN, which no domain holds, where it is beyond floats."""
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _number(name: str, value: Any, domain: str, inside: Callable[[float], bool]) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number {domain}; got {type(value).__name__}")
    number = _float(value)
    if not inside(number):
        raise ValueError(f"{name} must be a number {domain}; got {shown(value)}")
    return number


def _numbers(
    name: str,
    value: Any,
    domain: str,
    inside: Callable[[float], bool],
    each: str,
    other: str = "",
) -> tuple[float, ...]:
    """A sequence of numbers, one for each class or column."""
    unordered = isinstance(value, (str, bytes, Mapping, Set))
    if unordered or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        wanted = " ".join(filter(None, (f"must hold one {each}", other)))
        raise TypeError(f"{name} {wanted}; got {shown(value)}")
    # NumPy's and torch's numbers
    items = (x.item() if getattr(x, "ndim", None) == 0 else x for x in value)
    numbers = tuple(_number(f"{name}[{i}]", x, domain, inside) for i, x in enumerate(items))
    if not numbers:
        raise ValueError(f"{name} must hold one {each}; got none")
    return numbers


def finite_number(name: str, value: Any) -> float:
    """A finite number, also one of NumPy's without axes."""
    plain = value.item() if getattr(value, "shape", None) == () else value
    return _number(name, plain, "that is finite", math.isfinite)


def positive(
    default: float,
    examples: tuple[float, ...] = (0.3, math.inf),
    extremes: tuple[float, ...] = (1e-3, 1e3),
) -> Any:
    """A number above 0, infinity included."""

    def check(name: str, value: Any) -> float:
        return _number(name, value, "above 0", lambda v: v > 0)

    return Parameter(default, check, examples, extremes)


def finite_positive(default: float, examples: tuple[float, ...] = (3.0,)) -> Any:
    """A finite number above 0."""

    def check(name: str, value: Any) -> float:
        return _number(name, value, "above 0 and finite", lambda v: 0 < v < math.inf)

    return Parameter(default, check, examples, extremes=(1e3,))


def scale(default: float, examples: tuple[float, ...] = (3.0,)) -> Any:
    """A finite number above 0 that residuals are measured by."""
    parameter = finite_positive(default, examples)
    parameter.extremes = (1e-3, 1e3)
    return parameter


def at_most(end: float, default: float, examples: tuple[float, ...]) -> Any:
    """A number up to an end, -inf included."""

    def check(name: str, value: Any) -> float:
        return _number(name, value, f"<= {end:g}", lambda v: v <= end)

    return Parameter(default, check, examples, extremes=(-10.0, 1e-3, end - 1e-3))


def nonnegative(
    default: float,
    examples: tuple[float, ...] = (0.0, 0.3),
    extremes: tuple[float, ...] = (1e-3, 1e3),
) -> Any:
    """A finite number from 0."""

    def check(name: str, value: Any) -> float:
        return _number(name, value, ">= 0 and finite", lambda v: 0 <= v < math.inf)

    return Parameter(default, check, examples, extremes)


def positive_integer(default: int, examples: tuple[int, ...] = (1, 2)) -> Any:
    """An integer above 0."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be an integer; got {shown(value)}")
        if not 0 < int(value) < 2**63:
            raise ValueError(f"{name} must be an integer of 64 bits above 0; got {shown(value)}")
        return int(value)

    return Parameter(default, check, examples)


def fraction(default: float, examples: tuple[float, ...] = (0.1,)) -> Any:
    """A number strictly between 0 and 1."""

    def check(name: str, value: Any) -> float:
        return _number(name, value, "between 0 and 1", lambda v: 0 < v < 1)

    return Parameter(default, check, examples, extremes=(1e-6, 1 - 1e-6))


def fractions(
    default: tuple[float, ...], examples: tuple[tuple[float, ...], ...] = ((0.5,), (0.2, 0.2, 0.7))
) -> Any:
    """One number strictly between 0 and 1 a column."""

    def check(name: str, value: Any) -> tuple[float, ...]:
        return _numbers(name, value, "between 0 and 1", lambda v: 0 < v < 1, "number a column")

    return Parameter(default, check, examples, extremes=((1e-6, 1 - 1e-6),))


def outside_fraction(default: float) -> Any:
    """A finite number that is not strictly between 0 and 1."""

    def check(name: str, value: Any) -> float:
        domain = "<= 0 or >= 1 and finite"
        return _number(name, value, domain, lambda v: math.isfinite(v) and not 0 < v < 1)

    examples = (-1.0, 0.0, 1.0, 1.9, 2.0, 3.0)
    return Parameter(default, check, examples, extremes=(1 + 1e-7, 2 - 1e-7, -20.0, 20.0))


def optional_fraction(default: float | None = None, examples: tuple[float, ...] = (0.25,)) -> Any:
    """A number strictly between 0 and 1, or None."""

    def check(name: str, value: Any) -> float | None:
        if value is None:
            return None
        return _number(name, value, "between 0 and 1, or None", lambda v: 0 < v < 1)

    return Parameter(default, check, examples, extremes=(1e-6, 1 - 1e-6))


def small(default: float, below: float, examples: tuple[float, ...] = (1e-3,)) -> Any:
    """A number from 0 to below a limit."""

    def check(name: str, value: Any) -> float:
        return _number(name, value, f"from 0 to below {below:g}", lambda v: 0 <= v < below)

    return Parameter(default, check, examples, extremes=(1e-10, 0.999 * below))


def flag(default: bool) -> Any:
    """True or False."""

    def check(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False; got {shown(value)}")
        return value

    return Parameter(default, check, examples=(not default,))


def choice(default: str, *others: str) -> Any:
    """One of a few words."""
    words = (default, *others)

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            known = ", ".join(map(repr, words))
            raise ValueError(f"{name} must be one of {known}; got {shown(value)}")
        return words[words.index(value)]  # an enumeration's str is not its value

    return Parameter(default, check, examples=others)


def optional_integer(default: int | None = None, examples: tuple[int, ...] = (-100, 2)) -> Any:
    """An integer, or None."""

    def check(name: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be an integer or None; got {shown(value)}")
        if not -(2**63) <= int(value) < 2**63:
            raise ValueError(f"{name} must be an integer of 64 bits or None; got {shown(value)}")
        return int(value)

    return Parameter(default, check, examples)


def optional_count(default: int | None = None, examples: tuple[Any, ...] = (2, None)) -> Any:
    """An integer of at least 1, or None for no end."""

    def check(name: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be an integer or None; got {shown(value)}")
        if not 1 <= int(value) < 2**63:
            raise ValueError(f"{name} must be at least 1, or None for no end; got {shown(value)}")
        return int(value)

    return Parameter(default, check, examples)


def optional_weights(
    default: None = None, examples: tuple[Any, ...] = ((0.5, 2.0, 1.0, 0.0, 3.0),)
) -> Any:
    """One finite weight >= 0 a class, or None."""

    def check(name: str, value: Any) -> tuple[float, ...] | None:
        if value is None:
            return None
        return _numbers(
            name,
            value,
            ">= 0 and finite",
            lambda v: 0 <= v < math.inf,
            "weight a class",
            "or be None",
        )

    return Parameter(default, check, examples)
