"""Options of class indices, which the driver carries out."""

from __future__ import annotations

from .._loss import RowLoss
from .._parameters import optional_integer, optional_weights

__all__ = ["LabelLoss"]


class LabelLoss(RowLoss):
    """A loss of rows with class weights and labels that can be ignored."""

    class_weight: tuple[float, ...] | None = optional_weights()
    ignore_index: int | None = optional_integer()
