"""Options of class indices, which the driver carries out."""

from __future__ import annotations

from .._loss import RowLoss
from .._parameters import optional_integer, optional_weights

__all__ = ["LabelLoss", "LabelProbabilities"]


class LabelLoss(RowLoss):
    """A loss of rows with class weights and labels that can be ignored."""

    class_weight: tuple[float, ...] | None = optional_weights()
    ignore_index: int | None = optional_integer()


class LabelProbabilities(LabelLoss):
    """One that is least at the probabilities of the labels, unless weights distort them."""

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.class_weight is None
