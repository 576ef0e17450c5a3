"""What an evaluation was asked for: which losses of which columns."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._loss import Loss
from .._messages import shown
from .._registry import get
from ._skill import constant_of

__all__ = ["RESERVED", "Columns", "Request", "make_request"]

# What tables of results have beside the columns of ``by``.
RESERVED = (
    "loss", "model", "than", "mean", "difference", "standard_error", "low", "high", "root", "skill",
    "weight", "count", "skipped", "nan", "infinite", "minimum", "maximum", "better",
)  # fmt: skip

# A column, or several that are the numbers of a row.
Columns = str | tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """Names of columns, and the losses that are computed of them."""

    losses: dict[str, Loss]
    models: dict[str, Columns]
    target: Columns
    weight: str | None
    by: tuple[str, ...]
    cluster: str | None
    inputs: dict[str, Columns | float]
    labels: tuple[Any, ...] | None
    skill: bool

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Models that are compared: each with the first."""
        first, *others = self.models
        return [(first, other) for other in others]

    @property
    def skilled(self) -> list[str]:
        """The losses that are compared with the best constant prediction."""
        if not self.skill:
            return []
        return [name for name, loss in self.losses.items() if constant_of(loss) is not None]

    @property
    def keys(self) -> tuple[str, ...]:
        """What rows are told apart by."""
        return self.told_by(self.by)

    def told_by(self, by: tuple[str, ...]) -> tuple[str, ...]:
        """Some columns, and that of clusters, which are independent of one another."""
        return by if self.cluster is None else (*by, self.cluster)

    @property
    def numbers(self) -> list[str]:
        """The columns that losses are computed of, each once."""
        several = [*self.models.values(), self.target, self.weight, *self.inputs.values()]
        names: dict[str, None] = {}
        for some in several:
            if isinstance(some, str):
                names[some] = None
            elif isinstance(some, tuple):
                names |= dict.fromkeys(some)
        return list(names)

    @property
    def columns(self) -> list[str]:
        """All columns, each once."""
        return list(dict.fromkeys([*self.numbers, *self.keys]))


def make_request(
    losses: Any,
    prediction: Any,
    target: Any,
    weight: Any,
    by: Any,
    cluster: Any,
    inputs: Any,
    labels: Any,
    skill: bool,
) -> Request:
    """Checks the arguments of an evaluation."""
    by = tuple(_name(name, "by") for name in _several(() if by is None else by, str, "by"))
    for name in by:
        if name in RESERVED:
            raise ValueError(f"by names {name!r}, which tables have already; rename the column")
    if weight is not None:
        _name(weight, "weight")
    if cluster is not None:
        _name(cluster, "cluster")
    request = Request(
        losses=_losses(losses),
        models=_models(prediction),
        target=_columns(target, "target"),
        weight=weight,
        by=tuple(dict.fromkeys(by)),
        cluster=cluster,
        inputs={name: _input(given, name) for name, given in (inputs or {}).items()},
        labels=None if labels is None else _labels(labels),
        skill=bool(skill),
    )
    if request.labels is not None and not isinstance(request.target, str):
        raise TypeError("labels name the values of one column; target has several")
    _check_inputs(request)
    return request


def _labels(given: Any) -> tuple[Any, ...]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"labels must be a list, of class 0, 1, and so on; got {shown(given)}")
    found: dict[Any, None] = {}
    for one in given:
        label = one.item() if isinstance(one, np.generic) else one
        if label is None or label in found:
            raise ValueError(f"labels has {label} {'' if label is None else 'twice'}".rstrip())
        found[label] = None
    if not found:
        raise ValueError("labels is empty")
    return tuple(found)


def _losses(given: Any) -> dict[str, Loss]:
    if isinstance(given, Mapping):
        named = {name: _loss(one) for name, one in _by_name(given, "losses")}
    else:
        named = {}
        for one in _several(given, (str, Loss), "losses"):
            loss = _loss(one)
            name = one.strip() if isinstance(one, str) else repr(loss)
            if name in named:
                raise ValueError(f"losses has {name} twice")
            named[name] = loss
    if not named:
        raise ValueError("losses is empty")
    return named


def _several(given: Any, single: Any, argument: str) -> Iterable[Any]:
    """One or several of a kind."""
    if isinstance(given, single):
        return (given,)
    if isinstance(given, Iterable):
        return given
    raise TypeError(f"{argument} must be one or a list; got {shown(given)}")


def _loss(given: Any) -> Loss:
    loss = get(given) if isinstance(given, str) else given
    if not isinstance(loss, Loss):
        raise TypeError(f"losses must be names or losses such as fl.Huber(); got {shown(given)}")
    if not loss.additive:
        raise TypeError(
            f"{loss.name} cannot be evaluated in parts: it is no sum over elements but depends "
            "on whole groups"
        )
    return loss


def _models(given: Any) -> dict[str, Columns]:
    if not isinstance(given, Mapping):
        several = _several(given, str, "prediction")
        given = {_name(name, "prediction"): name for name in several}
    models = {model: _columns(some, "prediction") for model, some in _by_name(given, "prediction")}
    if not models:
        raise ValueError("prediction names no column")
    return models


def _by_name(given: Mapping[Any, Any], argument: str) -> list[tuple[str, Any]]:
    """With names that are text, each once."""
    names = [str(name) for name in given]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{argument} has {name} twice")
    return list(zip(names, given.values(), strict=True))


def _input(given: Any, name: str) -> Columns | float:
    if isinstance(given, numbers.Real):
        return float(given)
    return _columns(given, f"inputs[{name!r}]")


def _columns(given: Any, argument: str) -> Columns:
    if isinstance(given, str):
        return given
    if isinstance(given, Sequence) and given:
        return tuple(_name(name, argument) for name in given)
    raise TypeError(
        f"{argument} must be the name of a column or a list of such; got {shown(given)}"
    )


def _name(given: Any, argument: str) -> str:
    if isinstance(given, str):
        return given
    raise TypeError(f"{argument} must name columns; got {shown(given)}")


def _check_inputs(request: Request) -> None:
    """Each loss has its inputs, and each input its loss."""
    known: set[str] = set()
    for name, loss in request.losses.items():
        extra = [x for x in loss.inputs if x not in ("prediction", "target")]
        missing = [x for x in extra if x not in (*loss.optional, *request.inputs)]
        if missing:
            raise ValueError(f"{name} needs inputs={{{missing[0]!r}: column}}")
        known.update(extra)
    for name in request.inputs:
        if name in known:
            continue
        raise ValueError(f"inputs names {name!r}, which none of the losses takes")
