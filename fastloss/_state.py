"""The state of an evaluation in parts: it grows batch by batch, and states add up."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from . import _config
from ._call import run
from ._exact import Exact, rounded
from ._failures import failure
from ._loss import Loss
from ._native import core
from ._plan import VALUE, Plan, make_plan
from ._registry import get
from ._tally import SUMS, Special, Tally, tally
from ._units import parts
from ._version import __version__

__all__ = ["LossResult", "LossState"]

SCHEMA = 1
# Units evaluated together: what their losses take is all the memory that an update needs.
_UNITS = 1 << 19
_NORMAL_975 = 1.959963984540054


@dataclass(frozen=True)
class LossResult:
    """What an evaluation found.

    Attributes
    ----------
    mean : float
        Σwℓ / Σw, rounded once from exact sums; NaN of no rows.
    standard_error : float
        Of the mean, where rows are independent of one another: that of a ratio of sums, with
        n / (n - 1); for weights 1 the sample deviation over √n. NaN of fewer than two rows.
    total, weight : float
        Σwℓ and Σw, rounded once.
    count, skipped : int
        Rows that count; rows that were ignored or weigh 0.
    nan, infinite : int
        Losses that are NaN or infinite, among those that count.
    first_nan, first_infinite : int or None
        Which row was the first such, in the order of updates; states that are added follow one
        another.
    minimum, maximum : float
        Of the losses that count and are not NaN, before they are weighted; NaN of none.
    """

    mean: float
    standard_error: float
    total: float
    weight: float
    count: int
    skipped: int
    nan: int
    first_nan: int | None
    infinite: int
    first_infinite: int | None
    minimum: float
    maximum: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the mean, where rows are independent."""
        half = _NORMAL_975 * self.standard_error
        return self.mean - half, self.mean + half


class LossState:
    """The mean of a loss with its standard error, over data that come in parts.

    Sums are exact: any partition and order of the rows, any number of threads, processes and
    machines give the same result to the last bit.

    Parameters
    ----------
    loss : Loss or str
        A loss of elements or rows, or its name in the registry.

    Raises
    ------
    TypeError
        Where the loss is not a sum over elements or rows, so that parts do not add up.

    Examples
    --------
    >>> import fastloss as fl
    >>> state = fl.LossState("squared_error")
    >>> state.update([1.0, 2.0], [1.0, 4.0]).update([0.5], [0.0]).result().mean
    1.4166666666666667

    Notes
    -----
    What is summed exactly are the losses as :meth:`Loss.value` gives them for each row, in the
    prediction's compute dtype, times their weights, rounded to float64. Weights state how much a
    row counts; the standard error is not that of so many copies.
    """

    __slots__ = ("_kept", "loss")

    def __init__(self, loss: Loss | str) -> None:
        if isinstance(loss, str):
            loss = get(loss)
        if not isinstance(loss, Loss):
            raise TypeError(f"loss must be one such as fastloss.Huber(), or a name; got {loss!r}")
        if not loss.additive:
            raise TypeError(
                f"{loss.name} has no state: it is no sum over elements but depends on whole "
                "groups, so that parts do not add up"
            )
        self.loss = loss
        self._kept = Tally()

    def update(
        self,
        prediction: Any,
        target: Any,
        weight: Any = None,
        *,
        threads: int | None = None,
        **inputs: Any,
    ) -> LossState:
        """Adds rows; nothing is added where an argument is refused.

        Parameters
        ----------
        prediction, target, weight, threads, **inputs
            As for :meth:`Loss.value`.

        Returns
        -------
        LossState
            Itself.

        Raises
        ------
        TypeError, ValueError
            As :meth:`Loss.value` does.
        """
        plan = make_plan(
            self.loss, VALUE, prediction, target, weight, "sum", None,
            None, None, None, threads, inputs,
        )  # fmt: skip
        most = _config.thread_limit() if plan.threads is None else plan.threads
        found = Tally()
        for piece in _pieces(plan):
            losses, weights = _losses(piece)
            if losses is None:
                raise failure(plan)
            found = found.followed_by(tally(losses, weights, most))
        self._kept = self._kept.followed_by(found)
        return self

    def merge(self, *others: LossState) -> LossState:
        """Adds the rows of other states of the same loss; returns itself."""
        for other in others:
            self._kept = (self + other)._kept
        return self

    def __add__(self, other: Any) -> LossState:
        if not isinstance(other, LossState):
            return NotImplemented
        if self.loss != other.loss:
            raise ValueError(f"states of different losses do not add up: {self.loss}, {other.loss}")
        both = LossState(self.loss)
        both._kept = self._kept.followed_by(other._kept)
        return both

    def __radd__(self, other: Any) -> LossState:
        return self if other == 0 else NotImplemented  # where sum() begins

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LossState):
            return NotImplemented
        return self.loss == other.loss and self._kept == other._kept

    __hash__ = None  # type: ignore[assignment]

    def result(self) -> LossResult:
        """What was found so far."""
        kept = self._kept
        mean, error = _mean(kept), _standard_error(kept)
        counted = kept.least <= kept.greatest
        return LossResult(
            mean=mean,
            standard_error=error,
            total=float(kept.sums["loss"]),
            weight=float(kept.sums["weight"]),
            count=kept.used,
            skipped=kept.rows - kept.used,
            nan=kept.nan.count,
            first_nan=None if kept.nan.first < 0 else kept.nan.first,
            infinite=kept.infinite.count,
            first_infinite=None if kept.infinite.first < 0 else kept.infinite.first,
            minimum=kept.least if counted else math.nan,
            maximum=kept.greatest if counted else math.nan,
        )

    def __repr__(self) -> str:
        found = self.result()
        return f"LossState({self.loss!r}: mean {found.mean:.6g}, {found.count} rows)"

    # ---- to other processes, files and tables

    def to_dict(self) -> dict[str, Any]:
        """Everything, as strings and integers: ``json.dumps`` takes it.

        Returns
        -------
        dict
            ``"schema"`` is the version of this layout; what else was in use is named beside it.
        """
        kept = self._kept
        return {
            "schema": SCHEMA,
            "fastloss": __version__,
            "backend": _config.backend(),
            "isa": None if core is None else core.isa(),
            "loss": repr(self.loss),
            "rows": kept.rows,
            "count": kept.used,
            "nan": [kept.nan.count, kept.nan.first],
            "infinite": [kept.infinite.count, kept.infinite.first],
            "minimum": kept.least.hex(),
            "maximum": kept.greatest.hex(),
            "sums": {name: total.to_bytes().hex() for name, total in kept.sums.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], loss: Loss | None = None) -> LossState:
        """The state that :meth:`to_dict` wrote.

        Parameters
        ----------
        data : dict
        loss : Loss, optional
            Its loss, where it is none of the registry: one of :func:`fastloss.custom`, or a sum.

        Raises
        ------
        ValueError
            Where the schema is of a later version, or the loss is another or unknown.
        """
        if data.get("schema") != SCHEMA:
            raise ValueError(
                f"data must be a state of schema {SCHEMA}; got {data.get('schema')!r}, written by "
                f"fastloss {data.get('fastloss')!r}"
            )
        if loss is None:
            loss = get(data["loss"])
        elif repr(loss) != data["loss"]:
            raise ValueError(f"the state is of {data['loss']}, loss is {loss!r}")
        state = cls(loss)
        state._kept = Tally(
            rows=data["rows"],
            used=data["count"],
            nan=Special(*data["nan"]),
            infinite=Special(*data["infinite"]),
            least=float.fromhex(data["minimum"]),
            greatest=float.fromhex(data["maximum"]),
            sums={name: Exact.from_bytes(bytes.fromhex(data["sums"][name])) for name in SUMS},
        )
        return state

    def to_arrow(self) -> Any:
        """A ``pyarrow.RecordBatch`` of one row: what it found, and the state itself as text.

        Tables of such rows go through any engine; :meth:`from_arrow` adds them up.
        """
        try:
            import pyarrow
        except ImportError as error:
            raise ImportError(
                "LossState.to_arrow needs PyArrow: pip install fastloss[arrow]"
            ) from error
        found = self.result()
        row = {
            "loss": repr(self.loss),
            "mean": found.mean,
            "standard_error": found.standard_error,
            "weight": found.weight,
            "count": found.count,
            "state": json.dumps(self.to_dict()),
        }
        return pyarrow.RecordBatch.from_pylist([row])

    @classmethod
    def from_arrow(cls, data: Any, loss: Loss | None = None) -> LossState:
        """The sum of the states of an Arrow table or batch, in the order of its rows."""
        states = [cls.from_dict(json.loads(x), loss) for x in data.column("state").to_pylist()]
        if not states:
            raise ValueError("data has no state: it has no rows")
        return cls(states[0].loss).merge(*states)

    def __getstate__(self) -> tuple[Loss, Tally]:
        return self.loss, self._kept

    def __setstate__(self, state: tuple[Loss, Tally]) -> None:
        self.loss, self._kept = state


def _mean(kept: Tally) -> float:
    total, weight = kept.sums["loss"], kept.sums["weight"]
    if total.special or weight.special:
        return float(total) / float(weight)
    return rounded(total.fraction() / weight.fraction()) if weight.units else math.nan


def _standard_error(kept: Tally) -> float:
    n, sums = kept.used, kept.sums
    if n < 2 or any(x.special for x in sums.values()):
        return math.nan
    exact = {name: x.fraction() for name, x in sums.items()}
    mean = exact["loss"] / exact["weight"]
    squares = (
        exact["loss_squared"]
        - 2 * mean * exact["weight_times_loss"]
        + mean**2 * exact["weight_squared"]
    )
    variance = Fraction(n, n - 1) * squares / exact["weight"] ** 2
    return math.sqrt(rounded(max(variance, Fraction(0))))


# ---- an update


def _pieces(plan: Plan) -> Iterator[Plan]:
    """The call in parts, whose losses are written to memory of their own."""
    length = plan.shape[0] if plan.shape else 1
    step = max(1, _UNITS // max(1, plan.units // max(1, length)))
    if length <= step:
        yield plan
        return
    for begin in range(0, length, step):
        part = slice(begin, begin + step)
        yield replace(
            plan,
            shape=(min(step, length - begin), *plan.shape[1:]),
            arrays={name: x[part] for name, x in plan.arrays.items()},
            weight=None if plan.weight is None else plan.weight[part],
        )


def _losses(plan: Plan) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The losses of the units, 0 for absent ones, and their weights; None where one is refused."""
    given = plan.weight
    if given is not None and not ((given >= 0) & (given < np.inf)).all():
        return None, None
    losses = np.empty(plan.shape, plan.dtype)
    # times the weights of classes they would no longer be losses
    weighs_classes = getattr(plan.loss, "class_weight", None) is not None
    unweighted = replace(
        plan,
        loss=plan.loss.replace(class_weight=None) if weighs_classes else plan.loss,
        reduction="none",
        value_out=losses,
        weight=None if given is None else given != 0,
    )
    if run(unweighted) is None:
        return None, None
    ignores = getattr(plan.loss, "ignore_index", None) is not None
    if not (weighs_classes or ignores):
        weights = None if given is None else np.ascontiguousarray(given, np.float64).ravel()
    else:
        weights = np.concatenate([units.weight for units in parts(plan)] or [np.empty(0)])
    return losses.ravel(), weights
