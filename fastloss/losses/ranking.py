"""Losses of the order of a group's elements: learning to rank."""

from __future__ import annotations

from typing import Any

from .._domains import ANYTHING, GROUP, MASS, RELEVANCE, Domain
from .._loss import ListLoss, PairLoss, ScanLoss
from .._parameters import choice, finite_positive, flag, nonnegative, optional_count
from ..vocabulary import (
    abs,
    const,
    exp,
    expm1,
    flat,
    inf,
    log,
    log1p,
    lowered,
    maximum,
    two_difference,
    two_exp_raised,
    two_inverse,
    two_product,
    two_sum,
    where,
)
from ._partial_likelihood import PartialLikelihood
from ._softplus import share_of, softplus_of
from .categorical import SoftmaxCrossEntropy

__all__ = ["LambdarankNdcg", "Listmle", "ListwiseSoftmax", "PairwiseHinge", "PairwiseLogistic"]


_softmax_cross_entropy = SoftmaxCrossEntropy.definition


def _pairs(predictions: Any, targets: Any, weights: Any) -> Any:
    """The better and the worse prediction of each pair, and its weight."""
    group = list(zip(predictions, targets, weights, strict=True))
    return [(z, x, w * v) for z, t, w in group for x, s, v in group if t > s]


def _logistic(better: Any, worse: Any, sigmoid: Any) -> Any:
    gap, gap_low = two_difference(worse, better)
    high, low = two_product(sigmoid, gap)
    low = low + sigmoid * gap_low
    wrong = high > const(0.0)
    # raised, as products of what would be subnormal lose digits
    e, e_low = two_exp_raised(-abs(high), where(wrong, -low, low))
    softplus, _, inverse, inverse_low = softplus_of(lowered(e), lowered(e_low))
    steep = sigmoid * share_of(e, e_low, inverse, inverse_low)
    value = where(wrong, high + (low + softplus), softplus)
    grad = where(wrong, -sigmoid * inverse, -lowered(steep))
    return value, grad, lowered(sigmoid * steep * inverse)


class PairwiseLogistic(PairLoss):
    """Logistic loss of the pairs of a group, Σ log(1 + exp(-s (z_i - z_j))) where y_i > y_j.

    Use it to rank where all pairs of a query or a user count alike: for the share of pairs in the
    right order, as preferences and clicks tell them.

    Avoid it where the first places matter most, and for long groups: its time grows with the square
    of their length.

    This is RankNet (Burges et al., 2005), and with targets of 0 and 1 the Bayesian personalised
    ranking (Rendle et al., 2009). ``group`` tells which elements compare with each other; pairs of
    equal targets do not count.

    A mean is over pairs. Values of ``reduction="none"`` are sums over the pairs of a group. Weights
    are those of groups, one each, or those of elements: then a pair weighs as the product of both.

    Parameters
    ----------
    sigmoid : float
        The slope s.

    See Also
    --------
    LambdarankNdcg : weighs pairs by what they matter to the first places.
    ListwiseSoftmax : in time linear in the length of a group.
    PairwiseHinge : pairs far enough apart no longer count.
    """

    name = "pairwise_logistic"
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = ""
    proper = False
    ulps = {"float32": (1.5, 2, 3), "float64": (1.5, 2, 3)}
    sigmoid: float = finite_positive(1.0)

    @staticmethod
    def definition(predictions: Any, targets: Any, weights: Any, sigmoid: Any) -> Any:
        pairs = _pairs(predictions, targets, weights)
        return sum(w * log(1 + exp(sigmoid * (x - z))) for z, x, w in pairs)

    @staticmethod
    def formula(better: Any, worse: Any, sigmoid: Any) -> Any:
        return _logistic(better, worse, sigmoid)


class PairwiseHinge(PairLoss):
    """Hinge loss of the pairs of a group, Σ max(0, margin - (z_i - z_j)) where y_i > y_j.

    Use it to rank where pairs that are far enough apart should no longer pull, as by support vector
    machines.

    Avoid it for boosting and Newton's method, as it has no curvature, and where the first places
    matter most.

    This is margin ranking (Herbrich et al., 2000). Groups, weights and reductions are those of
    :class:`PairwiseLogistic`.

    Parameters
    ----------
    margin : float
        The distance that a pair must keep; 0 counts wrong orders alone.

    See Also
    --------
    PairwiseLogistic : smooth, with curvature.
    Hinge : of one score and a label.
    """

    name = "pairwise_hinge"
    kinks = "z_i - z_j = margin: gradient 0"
    convex = True
    smooth = False
    hessian_sign = "zero"
    elicits = ""
    proper = False
    ulps = {"float32": (1.5, 1, 1), "float64": (1.5, 1, 1)}
    margin: float = nonnegative(1.0)

    @staticmethod
    def definition(predictions: Any, targets: Any, weights: Any, margin: Any) -> Any:
        pairs = _pairs(predictions, targets, weights)
        return sum(w * maximum(margin - (z - x), 0) for z, x, w in pairs)

    @staticmethod
    def formula(better: Any, worse: Any, margin: Any) -> Any:
        gap, gap_low = two_difference(worse, better)
        high, low = two_sum(margin, gap)
        violation = where(abs(gap) < const(inf), high + (low + gap_low), gap)
        grad = where(violation > const(0.0), const(-1.0), flat(violation))
        return maximum(violation, const(0.0)), grad, flat(violation)


class LambdarankNdcg(PairLoss):
    """LambdaRank: the logistic loss of each pair times the NDCG that its swap would change.

    Use it to rank queries with graded documents where the first places count: its gradients are
    those by which boosted trees rank.

    Avoid it where the value itself is watched or minimised by line search, as the weights change
    with the order; and where few documents are graded, as groups of one grade have no pairs.

    |ΔNDCG| = |gain_i - gain_j| |1/log2(1 + rank_i) - 1/log2(1 + rank_j)| / DCG of the best order,
    with ranks from 1 on by the predictions, equal ones in the order given (Burges et al., 2006).
    Gradients and Hessians hold these weights fixed, and so does the value, which is that of the
    weighted pairs: LambdaRank is defined by its gradient, of which it is no integral.

    A mean is over groups, so every group counts alike. Weights are those of groups: one each, or
    one an element, equal within a group or 0 for elements that are not there.

    Parameters
    ----------
    truncation_level : int, optional
        One element of each pair is among so many first ones; also where the DCG of the best order
        ends. None has no end.
    sigmoid : float
        The slope of the logistic loss.
    gains : {"exponential", "linear"}
        2^target - 1, or the target.
    norm : bool
        Divide each pair's weight by 0.01 + |z_i - z_j|, unless all predictions are equal, and
        multiply each group by log2(1 + 2 Σ|gradient|) / 2 Σ|gradient| over its pairs, as boosters
        do.

    See Also
    --------
    PairwiseLogistic : all pairs count alike, and the gradient is that of the value.
    ListwiseSoftmax : convex, and quicker for long groups.
    """

    name = "lambdarank_ndcg"
    unit = "group"
    order = "prediction down"
    convex = False
    smooth = False
    hessian_sign = "nonnegative"
    elicits = ""
    proper = False
    ulps = {"float32": (3, 4, 4), "float64": (7, 7, 7.5)}
    truncation_level: int | None = optional_count(30)
    sigmoid: float = finite_positive(1.0)
    gains: str = choice("exponential", "linear")
    norm: bool = flag(False)

    def kernel_parameters(self) -> tuple[float, ...]:
        return self.sigmoid, float(self.norm), float(self.gains == "linear")

    @property
    def most_ranks(self) -> int | None:  # type: ignore[override]
        return self.truncation_level

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, RELEVANCE, GROUP

    @staticmethod
    def definition(
        predictions: Any,
        targets: Any,
        weights: Any,
        truncation_level: Any,
        sigmoid: Any,
        gains: str,
        norm: bool,
    ) -> Any:
        scores = [getattr(z, "value", z) for z in predictions]  # held fixed
        n = len(scores)
        level = n if truncation_level is None else truncation_level
        rank = {i: r for r, i in enumerate(sorted(range(n), key=lambda i: -scores[i]))}
        gain = [t if gains == "linear" else exp(t * log(2)) - 1 for t in targets]
        discount = [log(2) / log(2 + rank[i]) for i in range(n)]
        order = sorted(gain, reverse=True)
        best = sum(g * log(2) / log(2 + r) for r, g in enumerate(order[:level]))
        value = total = 0
        for i in range(n):
            for j in range(n):
                if targets[i] > targets[j] and min(rank[i], rank[j]) < level:
                    weight = (gain[i] - gain[j]) * abs(discount[i] - discount[j]) / best
                    if norm and max(scores) != min(scores):
                        weight = weight / (0.01 + abs(scores[i] - scores[j]))
                    value = value + weight * log(
                        1 + exp(sigmoid * (predictions[j] - predictions[i]))
                    )
                    total = total + weight * sigmoid / (1 + exp(sigmoid * (scores[i] - scores[j])))
        if norm and total > 0:
            value = value * (log(1 + 2 * total) / log(2) / (2 * total))
        return value

    @staticmethod
    def formula(better: Any, worse: Any, sigmoid: Any, norm: Any, linear: Any) -> Any:
        return _logistic(better, worse, sigmoid)

    @staticmethod
    def gain(target: Any, sigmoid: Any, norm: Any, linear: Any) -> Any:
        return where(linear != const(0.0), target, expm1(target * const(0.6931471805599453)))

    @staticmethod
    def step(rank: Any, sigmoid: Any, norm: Any, linear: Any) -> Any:
        return log1p(const(1.0) / (const(2.0) + rank)) * const(1.4426950408889634)

    @staticmethod
    def discount(logarithm: Any, low: Any, sigmoid: Any, norm: Any, linear: Any) -> Any:
        return two_inverse(logarithm, low)

    @staticmethod
    def weigh(
        gain: Any, discount: Any, gap: Any, apart: Any, sigmoid: Any, norm: Any, linear: Any
    ) -> Any:
        weight = abs(gain) * abs(discount)
        regular = norm * apart != const(0.0)
        return where(regular, weight / (const(0.01) + abs(gap)), weight)

    @staticmethod
    def rescale(total: Any, sigmoid: Any, norm: Any, linear: Any) -> Any:
        both = const(2.0) * total
        scales = (norm != const(0.0)) & (both > const(0.0))
        return where(scales, log1p(both) * const(1.4426950408889634) / both, const(1.0))


class ListwiseSoftmax(ListLoss):
    """Cross-entropy of a softmax over a group, -Σ q_i log softmax(z)_i, with q = y / Σ y.

    Use it to rank queries with graded documents, quicker than by pairs; and to choose one of a
    group of any size, as discrete choice models do.

    Avoid it where the order of unchosen elements matters, or where grades are no shares of a whole:
    it leaves the predictions of a group at their logarithms.

    This is ListNet (Cao et al., 2007) with top-one probabilities of the caller's choice: ListNet's
    own are ``target = exp(relevance)``. A group whose targets are all 0 gives 0. What
    ``inverse_link`` gives are the probabilities of one group.

    A mean is over groups. Weights are those of groups: one each, or one an element, equal within a
    group or 0 for elements that are not there.

    Parameters
    ----------
    normalize : bool
        Whether targets are divided by their sum over the group.

    See Also
    --------
    SoftmaxCrossEntropy : of rows that are all of one length.
    Listmle : of a whole order.
    LambdarankNdcg : where the first places count.
    """

    name = "listwise_softmax"
    link = "multilogit"
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = "probabilities"
    proper = True
    ulps = {"float32": (1.5, 2.5, 3), "float64": (1.5, 2.5, 3)}
    scalars = SoftmaxCrossEntropy
    normalize: bool = flag(True)

    @property
    def normalized(self) -> bool:  # type: ignore[override]
        return self.normalize

    def kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, MASS, GROUP

    @staticmethod
    def definition(predictions: Any, targets: Any, weights: Any, normalize: bool) -> Any:
        total = sum(targets)
        share = (1 / total if normalize else 1) if total else 0
        return share * _softmax_cross_entropy(predictions, targets)


class Listmle(ScanLoss):
    """Likelihood of the order of a group, Σ_i log Σ_{j at or after i} exp(z_j) - z_i.

    Use it where the whole order of a group is known, as of races and ranked preferences: it is the
    likelihood of choosing one after another.

    Avoid it for a few grades: the order of equal targets is taken for true. And where the first
    places alone matter.

    The order is that of the targets, the largest first; equal ones in the order given (Xia et al.,
    2008: the Plackett-Luce model). A mean is over groups, and weights are those of groups: one
    each, or one an element, equal within a group or 0 for elements that are not there.

    See Also
    --------
    ListwiseSoftmax : the first choice alone.
    CoxPh : the same likelihood, of times that may be censored.
    """

    name = "listmle"
    unit = "group"
    order = "target down"
    convex = True
    smooth = True
    hessian_sign = "nonnegative"
    elicits = ""
    proper = False
    ulps = {"float32": (1, 1, 1), "float64": (1.5, 1.5, 2)}
    scalars = PartialLikelihood

    @staticmethod
    def definition(predictions: Any, targets: Any, weights: Any) -> Any:
        order = sorted(range(len(targets)), key=lambda i: -targets[i])
        ordered = [predictions[i] for i in order]
        risk = (sum(exp(z) for z in ordered[i:]) for i in range(len(ordered)))
        return sum(log(r) - z for r, z in zip(risk, ordered, strict=True))
