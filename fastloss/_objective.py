"""Losses as objectives of gradient boosting. Asks a loss for properties, never for its name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._parameters import choice, small
from ._plan import VALUE, make_plan
from ._units import parts

__all__ = ["Objective", "as_objective"]

_HESSIAN = choice("exact", "ones")
_HESS_FLOOR = small(1e-16, below=math.inf)
_WEIGHING = ("class_weight", "ignore_index")


def as_objective(loss: Any, hessian: str | None, hess_floor: float) -> Objective:
    """An objective of gradient boosting; see :meth:`fastloss.Loss.as_objective`."""
    if len(loss.inputs) != 2 or len(loss.differentiated) != 1:
        raise TypeError(
            f"{loss.name} cannot be an objective: boosting libraries give predictions and "
            f"targets, and it needs {', '.join(loss.inputs)}"
        )
    flat = getattr(loss, "hessian_sign", "any") == "zero"
    if hessian is None:
        hessian = "ones" if flat else "exact"
    hessian = _HESSIAN.check("hessian", hessian)
    if flat and hessian == "exact":
        raise ValueError(
            f"{loss.name} has no curvature: a leaf is divided by the sum of its Hessians, and "
            "the exact ones are 0; use hessian='ones'"
        )
    return Objective(loss, hessian, _HESS_FLOOR.check("hess_floor", hess_floor))


# A class of plain Python: LightGBM counts the parameters of a call, XGBoost looks for one that is
# called sample_weight, and neither finds any in a compiled class.
@dataclass(frozen=True)
class Objective:
    """A loss as gradient boosting wants it; see :meth:`fastloss.Loss.as_objective`."""

    loss: Any
    hessian: str
    hess_floor: float

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Gradient and Hessian, as the scikit-learn interfaces of both libraries ask for them.

        Parameters
        ----------
        y_true : array_like
            Targets of shape (n,).
        y_pred : array_like
            Raw predictions of shape (n,), or (n, classes) in any layout; only read.
        sample_weight : array_like, optional
            Weights of shape (n,).

        Returns
        -------
        grad, hess : ndarray
            In the shape and layout of the predictions and in float32: neither library copies it.
        """
        prediction, target = np.asarray(y_pred), np.asarray(y_true)
        if self.loss.unit == "element" and target.size == prediction.size:
            target = target.reshape(prediction.shape)  # XGBoost before 3.2 flattens several outputs
        weight = None
        if sample_weight is not None:  # one for all outputs of a row
            outputs = prediction.ndim - 1 - (self.loss.unit == "row")
            weight = np.asarray(sample_weight).reshape(-1, *(1,) * outputs)
        grad = np.empty_like(prediction, dtype=np.float32, subok=False)
        hess = np.empty_like(grad)
        inputs = prediction, target, weight, "sum"
        if self.hessian == "exact":
            self.loss.grad_and_hess(*inputs, grad_out=grad, hess_out=hess)
            np.maximum(hess, self.hess_floor * self._counts(*inputs), out=hess)
        else:
            self.loss.grad(*inputs, grad_out=grad)
            hess[...] = self._counts(*inputs)
        return grad, hess

    def native(self, y_pred: Any, data: Any) -> Any:
        """Gradient and Hessian, as ``train`` of both libraries asks for them.

        Parameters
        ----------
        y_pred : array_like
            Raw predictions.
        data : xgboost.DMatrix or lightgbm.Dataset
            What knows targets and weights.

        Returns
        -------
        grad, hess : ndarray
        """
        weight = data.get_weight()  # where there are none, XGBoost's are empty
        none = weight is None or len(weight) == 0
        return self(data.get_label(), y_pred, None if none else weight)

    def _counts(self, prediction: Any, target: Any, weight: Any, reduction: str) -> np.ndarray:
        """What each unit counts, in a shape that fits the prediction's."""
        counts = np.ones(()) if weight is None else weight
        if any(getattr(self.loss, name, None) is not None for name in _WEIGHING):
            plan = make_plan(
                self.loss, VALUE, prediction, target, weight, reduction,
                None, None, None, None, None, {},
            )  # fmt: skip
            units = [np.empty(0), *(units.weight for units in parts(plan))]
            counts = np.concatenate(units).reshape(plan.shape)
        if self.loss.unit == "row" and counts.ndim:
            counts = counts[..., np.newaxis]
        return counts.astype(np.float32, copy=False)

    def __deepcopy__(self, memo: Any) -> Objective:
        return self  # LightGBM copies its parameters in each fit
