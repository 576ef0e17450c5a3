"""Losses within formulas: those of the registry are called, others are taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import S
from sympy.core.symbol import Str

from .._combined import CombinedLoss
from .._loss import Loss
from .._registry import get
from .functions import Real

__all__ = ["OfLoss", "expression", "meanings", "prefix", "total"]

prefix = "loss_"


class OfLoss(Real):
    """Value (0), gradient (1) or Hessian (2) of a loss of the registry.

    Its arguments are the loss as text, which of the three, the prediction and the other inputs.
    """

    def _eval_derivative(self, x: Any) -> Any:
        text, part, prediction, *others = self.args
        if any(x in other.free_symbols for other in others):
            raise TypeError(
                f"{text} has derivatives by its prediction alone, but {x} is in its other inputs: "
                "give the formula grad= and hess="
            )
        slope = prediction.diff(x)
        if slope.is_zero:
            return S.Zero
        if part == 2:
            raise TypeError(f"{text} has no third derivative: give the formula hess=")
        return slope * OfLoss(text, part + 1, prediction, *others)

    @property
    def loss(self) -> Any:
        """The loss that it is of."""
        return get(self.args[0].name)


def expression(loss: Loss, prediction: Any, target: Any, inputs: dict[str, Any]) -> Any:
    """A loss of elements at expressions."""
    if isinstance(loss, CombinedLoss):
        return sympy.Add(
            *(_number(factor) * expression(part, prediction, target, inputs)
              for factor, part in loss.parts)
        )  # fmt: skip
    named = {"prediction": prediction, "target": target, **inputs}
    given = getattr(loss, "given", None)
    if given is not None and given.grad is given.hess is None and not given.rows:
        values = named | {name: _number(x) for name, x in loss.params.items()}
        symbols = {sympy.Symbol(name, real=True): x for name, x in values.items()}
        return given.value.xreplace(symbols)
    if loss.schema != "map" or len(loss.differentiated) != 1 or not loss.has_gradient or given:
        raise TypeError(f"a formula cannot call {loss!r}: it is no loss of one prediction each")
    others = [named[name] for name in loss.inputs[1:]]
    return OfLoss(Str(repr(loss)), S.Zero, prediction, *others)


def _number(x: float) -> Any:
    return sympy.Rational(repr(float(x)))


def total(value: Any) -> Any:
    """A definition's value, which may be given by its terms."""
    return sum(value) if isinstance(value, tuple) else value


def meanings(expressions: Any, definition: bool) -> dict[str, Callable[..., Any]]:
    """What the calls of losses in some expressions mean: formulas, or definitions."""
    found = {"total": total} if definition else {}
    for e in expressions:
        for node in e.atoms(OfLoss):
            loss = node.loss
            text = loss.definition if definition else loss.scalars.formula
            found[prefix + loss.kernel] = text
    return found
