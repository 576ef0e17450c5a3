"""What an evaluation was asked for: which losses of which columns."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._loss import Loss
from .._messages import shown
from .._registry import get
from ._skill import constant_of

__all__ = ["Columns", "Request", "make_request"]

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
        return self.by if self.cluster is None else (*self.by, self.cluster)

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
    if weight is not None:
        _name(weight, "weight")
    if cluster is not None:
        _name(cluster, "cluster")
    request = Request(
        losses=_losses(losses),
        models=_models(prediction),
        target=_columns(target, "target"),
        weight=weight,
        by=by,
        cluster=cluster,
        inputs={name: _input(given, name) for name, given in (inputs or {}).items()},
        labels=None if labels is None else tuple(_several(labels, (), "labels")),
        skill=bool(skill),
    )
    if request.labels is not None and not isinstance(request.target, str):
        raise TypeError("labels name the values of one column; target has several")
    _check_inputs(request)
    return request


def _losses(given: Any) -> dict[str, Loss]:
    if isinstance(given, Mapping):
        named = {str(name): _loss(one) for name, one in given.items()}
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
    models = {str(model): _columns(some, "prediction") for model, some in given.items()}
    if not models:
        raise ValueError("prediction names no column")
    return models


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
