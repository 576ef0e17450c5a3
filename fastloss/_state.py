"""The state of an evaluation in parts: it grows batch by batch, and states add up."""

from __future__ import annotations

import json
from typing import Any

from . import _config
from ._failures import failure
from ._loss import Loss
from ._native import core
from ._plan import VALUE, make_plan
from ._registry import get
from ._result import LossResult, result_of
from ._tally import Tally, tally
from ._unit_losses import pieces, unit_losses
from ._version import __version__

__all__ = ["LossState"]

SCHEMA = 1


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
        for piece in pieces(plan):
            losses = unit_losses(piece)
            if losses is None:
                raise failure(plan)
            found = found.followed_by(tally(*losses, most))
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
        return result_of(self._kept)

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
        return {
            "schema": SCHEMA,
            "fastloss": __version__,
            "backend": _config.backend(),
            "isa": None if core is None else core.isa(),
            "loss": repr(self.loss),
            **self._kept.to_dict(),
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
        state._kept = Tally.from_dict(data)
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
