"""Losses of rows that take any count of sweeps over the classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ._loss import RowLoss

__all__ = ["Sweep", "SweepLoss", "Sweeps"]


@dataclass(frozen=True)
class Sweep:
    """One pass over the classes of a row and what is made of it.

    Its functions take the numbers of the row so far, as a tuple, and then the kernel's parameters.
    What they give is appended to the numbers in the order of these fields.

    Attributes
    ----------
    largest : tuple of function
        Of ``(prediction, target, row)``, whose largest over the classes is a number of the row.
    sums : tuple of function
        The same of a number in two words, whose sum is two numbers of the row.
    settled : tuple
        Pairs of a function of ``(row)`` and how many numbers it gives.
    """

    largest: tuple[Callable[..., Any], ...] = ()
    sums: tuple[Callable[..., Any], ...] = ()
    settled: tuple[tuple[Callable[..., Any], int], ...] = ()

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """All scalar functions."""
        return (*self.largest, *self.sums, *(function for function, _ in self.settled))


@dataclass(frozen=True)
class Sweeps:
    """The scalar functions of a :class:`SweepLoss`, for what is asked for.

    Attributes
    ----------
    sweeps : tuple of Sweep
    finish : function
        The value, of ``(row)``.
    emit : function or None
        Gradient and Hessian of a class, or the gradient alone as a tuple, of
        ``(prediction, target, row)``.
    """

    sweeps: tuple[Sweep, ...]
    finish: Callable[..., Any]
    emit: Callable[..., Any] | None

    @property
    def functions(self) -> list[Callable[..., Any]]:
        """All scalar functions."""
        found = [function for sweep in self.sweeps for function in sweep.functions]
        return [*found, self.finish, *([self.emit] if self.emit else [])]


class SweepLoss(RowLoss):
    """A loss of rows whose numbers come of any count of sweeps over the classes.

    A subclass gives :meth:`sweeps`, and ``definition`` like any loss of rows. The numbers of a row
    begin with how many classes it has and, where targets are class indices, the label's prediction.
    The target is 1 at the label and 0 elsewhere, or each class's mass.
    """

    @classmethod
    def sweeps(cls, derivatives: int) -> Sweeps:
        """The scalar functions for the value and so many derivatives."""
        raise NotImplementedError
