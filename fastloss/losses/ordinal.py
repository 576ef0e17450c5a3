"""Losses of ordered classes."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, CLASS_INDEX, Domain
from ..vocabulary import const
from ._labels import LabelLoss
from ._over_classes import OverClasses
from .binary import SigmoidCrossEntropy

__all__ = ["OrdinalCrossEntropy"]

_of_level = SigmoidCrossEntropy.formula
_defined = SigmoidCrossEntropy.definition


class OrdinalCrossEntropy(LabelLoss, OverClasses):
    """Cross-entropy of ordered classes, Σ_k log(1 + exp(z_k)) - z_k over k < label.

    The k-th of K - 1 predictions is the logit of the label being above k; labels are 0 to K - 1 and
    have the shape prediction.shape[:-1]. CORAL's loss (Cao, Mirjalili and Raschka, 2020), whose
    model gives all levels of a row one score and each its own bias.

    Use it for classes with an order, such as grades and stages: a prediction that is off by more
    classes costs more.

    Avoid it where classes have no order; and with a free logit for each level, unless it does not
    matter that a higher level may come out as more probable than a lower one.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a label; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.

    See Also
    --------
    SoftmaxCrossEntropy : of classes without an order.
    SigmoidCrossEntropy : of one level.
    """

    name = "ordinal_cross_entropy"
    link = "logit"
    optimum = "mean"
    convex = True
    smooth = True
    hessian_sign = "positive"
    takes_distributions = False
    encoding = "levels"
    ulps = SigmoidCrossEntropy().ulps

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def proper(self) -> bool:  # type: ignore[override]
        return self.class_weight is None

    def kernel_parameters(self) -> tuple[float, ...]:
        return SigmoidCrossEntropy().kernel_parameters()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def definition(predictions: Any, targets: Any, pos_weight: Any) -> Any:
        pairs = zip(predictions, targets, strict=True)
        return sum(_defined(z, q, pos_weight) for z, q in pairs)

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, pos_weight: Any) -> Any:
        return ((_of_level(prediction, target, pos_weight)[0], const(0.0)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, pos_weight: Any) -> Any:
        _, grad, hess = _of_level(kept, target, pos_weight)
        return grad, hess
