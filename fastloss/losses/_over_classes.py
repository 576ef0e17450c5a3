"""Sums over the classes of a row."""

from __future__ import annotations

from typing import Any

from .._loss import RowLoss

__all__ = ["OverClasses", "SumOverClasses"]


class SumOverClasses(RowLoss):
    """One sum, of predictions taken as they are; ``fit`` and ``emit`` say of what."""

    @staticmethod
    def term(prediction: Any, reference: Any) -> Any:
        return prediction, ()

    @staticmethod
    def finish(reference: Any, ties: Any, terms: Any, fits: Any, classes: Any) -> Any:
        return fits[0][0] + fits[0][1], ()


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
