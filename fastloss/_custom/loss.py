"""Losses made of formulas: classes like those of the registry, known by their expressions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy

from .._domains import Domain
from .._loss import Loss, MapLoss
from .._parameters import Parameter, finite_number
from .._sweeps import SweepLoss, Sweeps
from ..losses._labels import LabelLoss
from . import program
from .learned import value_and_grads
from .rows import PREDICTION, derivative
from .stable import EARLY_OF_ROWS, derived
from .write import function, text

__all__ = ["CustomLoss", "CustomRowLoss", "Formula", "class_of"]


@dataclass(frozen=True)
class Formula:
    """What makes a custom loss: two of equal formulas are of the same class.

    Attributes
    ----------
    name, text : str
        Its name and docstring.
    parameters : tuple
        Each parameter's name and default.
    value : sympy.Expr
        In real symbols ``prediction``, ``target`` and those of inputs and parameters.
    grad, hess : sympy.Expr or None
        What the user gave instead of the derivatives.
    inputs : tuple
        Named extra inputs.
    domains : tuple
        One for each input.
    statements : tuple
        What the loss says of itself, as pairs of an attribute's name and value.
    rows : {"", "labels", "masses"}
        What the targets of rows are; empty for a formula of elements.
    """

    name: str
    text: str
    parameters: tuple[tuple[str, float], ...]
    value: Any
    grad: Any
    hess: Any
    inputs: tuple[str, ...]
    domains: tuple[Domain, ...]
    statements: tuple[tuple[str, Any], ...]
    rows: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the formula is called with: inputs, then parameters."""
        return ("prediction", "target", *self.inputs, *(name for name, _ in self.parameters))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Those of the parameters alone."""
        return tuple(name for name, _ in self.parameters)

    def outputs(self) -> tuple[Any, Any, Any]:
        """Value, gradient and Hessian in the forms that are computed."""
        given = self.value, self.grad, self.hess
        if self.rows:
            return derived(*given, derivative, EARLY_OF_ROWS)
        return derived(*given, lambda e: e.diff(PREDICTION))


class _Custom(Loss):
    """What losses of elements and of rows have in common."""

    jit = True
    convex = False
    smooth = False
    hessian_sign = "any"
    elicits = ""
    proper = False
    given: ClassVar[Formula]

    @property
    def kernel(self) -> str:
        return f"{self.name}, a custom loss"  # no name of a built-in kernel

    def domains(self) -> tuple[Domain, ...]:
        return self.given.domains

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.given, dict(self.params))

    @classmethod
    def source(cls, latex: bool = False) -> str:
        """The formulas that are computed, of value, gradient and Hessian.

        Parameters
        ----------
        latex : bool
            In LaTeX, as they are written on paper, instead of as a function in the words that
            kernels are made of.

        Returns
        -------
        str
        """
        outputs = cls.given.outputs()
        if not latex:
            return cls._source(outputs)
        names = ("value", "grad", "hess")
        lines = (f"{n} = {sympy.latex(e)}" for n, e in zip(names, outputs, strict=True))
        return "\n".join(lines)

    @classmethod
    def _source(cls, outputs: tuple[Any, Any, Any]) -> str:
        raise NotImplementedError

    @classmethod
    def check(cls, **parameters: Any) -> Any:
        """Looks for what may be wrong with the formula.

        Gradient and Hessian are compared with finite differences of the formula at high precision;
        all results of both dtypes with the truth, at ordinary inputs and at hard ones: tails,
        neighbours of special numbers, subnormal and huge ones.

        Parameters
        ----------
        **parameters
            Those of the loss that is looked at.

        Returns
        -------
        Report
            Prints as text; ``ok`` says whether derivatives agree and digits hold.
        """
        from .check import check

        return check(cls(**parameters))


class CustomLoss(_Custom, MapLoss):
    """A loss of a user's formula; see :func:`fastloss.custom`."""

    def value_and_grads(
        self,
        prediction: Any,
        target: Any,
        weight: Any = None,
        reduction: str = "mean",
        normalizer: float | None = None,
        *,
        wrt: Iterable[str] = ("prediction",),
        threads: int | None = None,
        **inputs: Any,
    ) -> Any:
        """The reduced loss and its gradients by what is learned, in one pass.

        Parameters
        ----------
        prediction, target, weight, reduction, normalizer, threads, **inputs
            As for :meth:`value_and_grad`; inputs that are differentiated are arrays of the
            prediction's shape.
        wrt : sequence of str
            Names of inputs and parameters: ``"prediction"``, ``"target"``, extra inputs, and at
            most 3 beside the prediction.

        Returns
        -------
        value : float or ndarray
            As of :meth:`value`.
        grads : tuple
            One for each name, in this order: arrays of the prediction's shape by inputs; by
            parameters numbers, the sum over all elements, but arrays with ``reduction="none"``.

        Raises
        ------
        ValueError
            Where ``wrt`` names something else, something twice, or too much.
        """
        return value_and_grads(
            self, wrt, prediction, target, weight, reduction, normalizer, threads=threads, **inputs
        )

    @classmethod
    def _source(cls, outputs: tuple[Any, Any, Any]) -> str:
        return text(cls.name, cls.given.arguments, outputs)


class CustomRowLoss(LabelLoss, SweepLoss, _Custom):
    """A loss of a user's formula of rows; see :func:`fastloss.custom`."""

    optimum = "none"

    def kernel_parameters(self) -> tuple[float, ...]:
        return tuple(float(getattr(self, name)) for name, _ in self.given.parameters)

    @classmethod
    def _source(cls, outputs: tuple[Any, Any, Any]) -> str:
        return program.source(cls.name, outputs, cls.given.parameter_names)

    @classmethod
    def sweeps(cls, derivatives: int) -> Sweeps:
        return _sweeps(cls.given, derivatives)


@functools.cache
def _sweeps(given: Formula, derivatives: int) -> Sweeps:
    return program.program(given.outputs()[: 1 + derivatives], given.parameter_names)


def _make(given: Formula, parameters: dict[str, Any]) -> _Custom:
    return class_of(given)(**parameters)


@functools.cache
def class_of(given: Formula) -> type[_Custom]:
    """The class of a formula, made once."""
    parameters = {name: Parameter(default, finite_number) for name, default in given.parameters}
    members: dict[str, Any] = {
        "__doc__": given.text,
        "__module__": __name__,
        "name": given.name,
        "given": given,
        "inputs": ("prediction", "target", *given.inputs),
        **parameters,
        **dict(given.statements),
    }
    if given.rows:
        labels = given.rows == "labels"
        members |= {
            "takes_distributions": not labels,
            "encoding": "class" if labels else "one_hot",
            "definition": staticmethod(
                program.definition(given.value, given.parameter_names, labels)
            ),
        }
        return type(given.name, (CustomRowLoss,), members)
    members |= {
        "definition": staticmethod(function(given.arguments, given.value)),
        "formula": staticmethod(_formula(given)),
    }
    return type(given.name, (CustomLoss,), members)


def _formula(given: Formula) -> Callable[..., Any]:
    """Value, gradient and Hessian, each NaN where an input is."""
    inputs = ("prediction", "target", *given.inputs)
    return function(given.arguments, given.outputs(), flat=inputs)
