"""Sums over the classes of a row of a pointwise loss."""

from __future__ import annotations

from typing import Any

from .._loss import RowLoss

__all__ = ["OverClasses"]


class OverClasses(RowLoss):
    """A sum of a pointwise loss that has one parameter; ``fit`` and ``emit`` name its formula."""

    @staticmethod
    def term(prediction: Any, reference: Any, parameter: Any) -> Any:
        return prediction, ()

    @staticmethod
    def finish(
        reference: Any, ties: Any, terms: Any, fits: Any, classes: Any, parameter: Any
    ) -> Any:
        return fits[0][0] + fits[0][1], ()
