"""Errors of classification: constant almost everywhere, so that they give their value alone."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, CLASS_INDEX, Domain
from .._parameters import positive_integer
from ..vocabulary import const, flat, maximum, minimum, sign, where
from ._labels import LabelLoss
from .binary import SignedLoss

__all__ = ["TopK", "ZeroOne"]


class ZeroOne(SignedLoss):
    """Zero-one loss of a score: 1 where its sign is not the label's, ½ where it is 0.

    Its mean is the share of errors. It has no gradient.

    Use it to evaluate classifiers whose scores decide by their sign.

    Avoid it for training; and to compare classifiers where one class is rare, as naming the other
    one always costs little.

    Parameters
    ----------
    labels : {"pm1", "01"}
        How targets write the labels: -1 and +1, or 0 and 1.

    See Also
    --------
    Hinge : its convex bound, for training.
    TopK : of several classes.
    """

    name = "zero_one"
    has_gradient = False
    optimum = "none"
    convex = False
    smooth = False
    hessian_sign = "zero"
    elicits = "mode"
    proper = False
    kinks = "prediction = 0: value ½"
    ulps = {"float32": (0, 0, 0), "float64": (0, 0, 0)}

    @staticmethod
    def definition(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        agreement = (slope * target + shift) * prediction
        return where(agreement > 0, const(0.0), where(agreement < 0, const(1.0), const(0.5)))

    @staticmethod
    def formula(prediction: Any, target: Any, slope: Any, shift: Any) -> Any:
        label = slope * target + shift
        return const(0.5) - const(0.5) * label * sign(prediction)


class TopK(LabelLoss):
    """Top-k error: 0 where the label is among the k classes of the largest scores, else 1.

    Targets are class indices of shape prediction.shape[:-1]. Classes that tie for the last places
    share them: the value is how probably a random order of them leaves the label out. It has no
    gradient.

    Use it to evaluate classifiers of many classes that may name several; with k = 1 its mean is the
    share of errors.

    Avoid it for training; and where it matters how probable the named classes are.

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class; a row weighs as much as its label.
    ignore_index : int, optional
        Rows with this label are absent.
    k : int
        How many classes a row may name.

    See Also
    --------
    SoftmaxCrossEntropy : for training.
    ZeroOne : of two classes, from one score.
    """

    name = "top_k"
    has_gradient = False
    takes_distributions = False
    optimum = "none"
    convex = False
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    kinks = "ties with the label: places shared"
    ulps = {"float32": (0.5, 0, 0), "float64": (0.5, 0, 0)}
    reference = "label"
    term_sums = 1
    fit_sums = 0
    k: int = positive_integer(5)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (float(self.k),)

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, CLASS_INDEX

    @staticmethod
    def definition(predictions: Any, targets: Any, k: Any) -> Any:
        label = sum(z for z, q in zip(predictions, targets, strict=True) if q)
        above = sum(z > label for z in predictions)
        ties = len(predictions) - above - sum(z < label for z in predictions)
        return 1 - minimum(maximum((k - above) / const(ties), const(0.0)), const(1.0))

    @staticmethod
    def term(prediction: Any, label: Any, k: Any) -> Any:
        above = where(prediction > label, const(1.0), flat(prediction))
        return prediction, ((above, const(0.0)),)

    @staticmethod
    def fit(prediction: Any, target: Any, label: Any, k: Any) -> Any:
        return ()

    @staticmethod
    def finish(label: Any, ties: Any, terms: Any, fits: Any, classes: Any, k: Any) -> Any:
        left_out = minimum(maximum(terms[0][0] + ties - k, const(0.0)), ties)
        return left_out / ties, ()
