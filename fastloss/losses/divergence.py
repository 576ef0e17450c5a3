"""Divergences of a predicted distribution from a target distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from .._domains import ANYTHING, LOG_PROBABILITY, MASS, PROBABILITY, Domain
from .._loss import RowLoss
from .._parameters import CLIP_KINKS, choice, clip_at, fraction, small
from ..vocabulary import abs, const
from ._clip import unclipped
from ._jensen_shannon import (
    JensenShannonOfLogits,
    JensenShannonOfLogitsFisher,
    JensenShannonOfLogProbs,
    JensenShannonOfProbs,
)
from ._over_classes import OverClasses
from ._relative_entropy import (
    ForwardOfLogits,
    ForwardOfLogProbs,
    ForwardOfProbs,
    ReverseOfLogits,
    ReverseOfLogitsFisher,
    ReverseOfLogProbs,
    ReverseOfProbs,
    SymmetricOfLogits,
    SymmetricOfLogitsFisher,
    SymmetricOfLogProbs,
    SymmetricOfProbs,
)
from .regression import Quantile

__all__ = [
    "JsDivergence",
    "KlDivergence",
    "ReverseKlDivergence",
    "SymmetricKlDivergence",
    "TotalVariation",
]

_of_class = Quantile.formula

_LINKS = {"logits": "multilogit", "log_probs": "log", "probs": "identity"}
_PREDICTIONS = {"logits": ANYTHING, "log_probs": LOG_PROBABILITY, "probs": PROBABILITY}


class KlDivergence(RowLoss):
    """Kullback-Leibler divergence, Σ target log(target / p): the target relative to the prediction.

    Targets are class probabilities of prediction's shape.

    Use it to bring one distribution close to another, as in distillation and variational methods:
    it is 0 where they are equal, so its value can be read.

    Avoid it for class indices, where the cross-entropy is the same and quicker; and where the
    prediction may miss what the target holds, which costs infinity.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    eps : float
        For probabilities: 0 is exact and may be infinite; above 0, p is clipped to
        [eps, 1 - eps], and the gradient is 0 outside.

    See Also
    --------
    SoftmaxCrossEntropy : more by the entropy of the target, with the same gradient.
    CategoricalCrossEntropy : the same of probabilities.
    """

    name = "kl_divergence"
    optimum = "mean"
    convex = unclipped
    smooth = unclipped
    proper = unclipped  # mass below eps is better given to the other classes
    takes_labels = False
    ulps = {"float32": (2, 2, 2.5), "float64": (2, 2, 2.5)}
    prediction_is: str = choice("logits", "log_probs", "probs")
    eps: float = small(0.0, below=0.5)

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        signs = {"logits": "positive", "log_probs": "zero", "probs": "nonnegative"}
        return signs[self.prediction_is]

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "probabilities" if self.proper else ""

    @property
    def kinks(self) -> str:  # type: ignore[override]
        return CLIP_KINKS if self.eps else ""

    @property
    def scalars(self) -> Any:
        return _SCALARS[self.prediction_is]

    @property
    def link(self) -> str:  # type: ignore[override]
        return _LINKS[self.prediction_is]

    def _check(self) -> None:
        if self.eps and self.prediction_is != "probs":
            raise ValueError(
                f"eps belongs to prediction_is='probs'; got eps={self.eps!r} with "
                f"prediction_is={self.prediction_is!r}"
            )

    def kernel_parameters(self) -> tuple[float, ...]:
        return clip_at(self.eps) if self.prediction_is == "probs" else ()

    def domains(self) -> tuple[Domain, ...]:
        return _PREDICTIONS[self.prediction_is], MASS


_SCALARS = {"logits": ForwardOfLogits, "log_probs": ForwardOfLogProbs, "probs": ForwardOfProbs}


class _Divergence(RowLoss):
    """A divergence with a kernel for each thing that predictions may be."""

    optimum = "none"
    smooth = True
    proper = False
    elicits = ""
    takes_labels = False
    prediction_is: str = choice("logits", "log_probs", "probs")
    hessian: str = choice("exact", "fisher")
    kernels: ClassVar[dict[str, Any]]

    def _check(self) -> None:
        if self.hessian == "fisher" and self.prediction_is != "logits":
            raise ValueError(
                "hessian='fisher' belongs to prediction_is='logits'; got "
                f"prediction_is={self.prediction_is!r}"
            )

    @property
    def scalars(self) -> Any:
        return self.kernels["fisher" if self.hessian == "fisher" else self.prediction_is]

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        if self.hessian == "fisher":
            return "positive"
        return "nonnegative" if self.prediction_is == "probs" else "any"

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.prediction_is == "probs"

    @property
    def link(self) -> str:  # type: ignore[override]
        return _LINKS[self.prediction_is]

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return _PREDICTIONS[self.prediction_is], MASS


class ReverseKlDivergence(_Divergence):
    """Reverse Kullback-Leibler divergence, Σ p log(p / target): the prediction relative to it.

    Targets are class probabilities of prediction's shape. A class without target mass costs
    infinity unless it is impossible; of logits such a row has gradient 0, as none changes that.

    Use it to match a distribution by one that cannot be as wide: it seeks a peak of the target and
    puts no mass where the target has none, as in distillation of language models.

    Avoid it where targets have zeros, single outcomes among them: any mass there costs infinity;
    and where all of the target must be covered.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    hessian : {"exact", "fisher"}
        Of logits the exact one, which can be negative, or p (1 - p), which it is at the target.

    See Also
    --------
    KlDivergence : the target relative to the prediction, which covers all of it.
    SymmetricKlDivergence : the sum of both.
    """

    name = "reverse_kl_divergence"
    ulps = {"float32": (1.5, 1.5, 1.5), "float64": (1.5, 1.5, 1.5)}
    kernels = {
        "logits": ReverseOfLogits,
        "log_probs": ReverseOfLogProbs,
        "probs": ReverseOfProbs,
        "fisher": ReverseOfLogitsFisher,
    }


class SymmetricKlDivergence(_Divergence):
    """Jeffreys divergence, Σ (p - target) log(p / target): Kullback and Leibler's, both ways.

    Targets are class probabilities of prediction's shape. A class without target mass costs
    infinity unless it is impossible; of logits such a row has gradient 0, as none changes that.

    Use it where neither distribution is the true one, as between two views of the same example
    or two models of the same task.

    Avoid it where targets have zeros, single outcomes among them: any mass there costs infinity.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    hessian : {"exact", "fisher"}
        Of logits the exact one, which can be negative, or (1 + Σ target) p (1 - p), which it is at
        the target.

    See Also
    --------
    KlDivergence : one way.
    ReverseKlDivergence : the other.
    """

    name = "symmetric_kl_divergence"
    ulps = {"float32": (1.5, 2, 2), "float64": (1.5, 2, 2)}
    kernels = {
        "logits": SymmetricOfLogits,
        "log_probs": SymmetricOfLogProbs,
        "probs": SymmetricOfProbs,
        "fisher": SymmetricOfLogitsFisher,
    }


class JsDivergence(_Divergence):
    """Jensen-Shannon divergence: β KL(target ‖ m) + (1 - β) KL(p ‖ m), m = β target + (1 - β) p.

    Lin (1991), with weights; as a loss, the generalized one of Englesson and Azizpour (2021)
    without their factor. Natural logarithms: at β = 0.5 it is at most log 2, and its root is a
    distance. Targets are class probabilities of prediction's shape.

    Use it where targets have zeros, single outcomes among them, and no class may cost infinity: it
    is bounded, so wrong labels weigh little. A small β is near β times the forward divergence, a
    large one near (1 - β) times the reverse one.

    Avoid it with predictions far from their targets, where its gradient vanishes; and where
    predicted probabilities are read.

    Parameters
    ----------
    prediction_is : {"logits", "log_probs", "probs"}
        What predictions are. Log-probabilities and probabilities are taken as they are.
    hessian : {"exact", "fisher"}
        Of logits the exact one, which can be negative, or β (1 - β) p (1 - p), which it is at the
        target.
    beta : float
        The share of the target in the mixture, between 0 and 1, where the divergence tends to 0.

    See Also
    --------
    KlDivergence : the limit over β; unbounded, and convex.
    ReverseKlDivergence : the limit over 1 - β.
    SymmetricKlDivergence : both, unbounded.
    """

    name = "js_divergence"
    ulps = {"float32": (1, 1.5, 2), "float64": (1, 1.5, 2)}
    beta: float = fraction(0.5)
    kernels = {
        "logits": JensenShannonOfLogits,
        "log_probs": JensenShannonOfLogProbs,
        "probs": JensenShannonOfProbs,
        "fisher": JensenShannonOfLogitsFisher,
    }

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.beta,)


class TotalVariation(OverClasses):
    """Total variation distance of two distributions, ½ Σ |p - target|.

    Targets are class probabilities of prediction's shape.

    Use it to say how far two distributions lie apart: it is the largest difference between the
    probabilities that they give to any event, from 0 to 1, and finite where a divergence is not.

    Avoid it to learn probabilities from single outcomes, where the best prediction may be the most
    frequent class alone; and with Newton steps and boosting, as its Hessian is 0.

    See Also
    --------
    KlDivergence : of likelihoods; infinite where the prediction misses what the target holds.
    MulticlassBrier : the squares, and proper.
    """

    name = "total_variation"
    optimum = "none"
    kinks = "p = target: gradient 0"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    takes_labels = False
    sample = (0.001, 0.999)
    ulps = {"float32": (1.5, 0, 0), "float64": (1.5, 0, 0)}

    def kernel_parameters(self) -> tuple[float, ...]:
        return (0.5,)  # half the absolute error is a quantile loss at the median

    def domains(self) -> tuple[Domain, ...]:
        return PROBABILITY, MASS

    @staticmethod
    def definition(predictions: Any, targets: Any, half: Any) -> Any:
        return half * sum(abs(p - q) for p, q in zip(predictions, targets, strict=True))

    @staticmethod
    def fit(prediction: Any, target: Any, reference: Any, half: Any) -> Any:
        return ((_of_class(prediction, target, half)[0], const(0.0)),)

    @staticmethod
    def emit(kept: Any, target: Any, row: Any, half: Any) -> Any:
        _, grad, hess = _of_class(kept, target, half)
        return grad, hess
