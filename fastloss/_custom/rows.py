"""Numbers of a row and of its classes in formulas, and derivatives through them.

Formulas of rows are written for one class: ``prediction`` is its prediction, ``target`` its target
mass, which of class indices is 1 at the label and 0 elsewhere. A node that looks at all classes is
a number of the row (:class:`Row`), or of this class among the others (:class:`OfClass`).

The derivative of such a number by the prediction of this class goes through all of them, so that
gradients, and diagonals of Hessians, are expressions of one class again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import S

from . import functions as f

__all__ = [
    "CLASSES",
    "IS_LABEL",
    "PREDICTION",
    "TARGET",
    "AtLabel",
    "Gap",
    "Largest",
    "LogShare",
    "LogTotal",
    "OfClass",
    "OtherShare",
    "Rest",
    "Row",
    "Share",
    "Total",
    "derivative",
    "is_of_class",
    "log_share",
    "nodes",
    "other_share",
    "split",
]

PREDICTION = sympy.Symbol("prediction", real=True)
TARGET = sympy.Symbol("target", real=True)
CLASSES = sympy.Symbol("_classes", positive=True)
IS_LABEL = sympy.Eq(TARGET, 1)


def other_share(e: Any) -> Any:
    """What a share lacks of 1, or None where the expression is none."""
    place, e = (AtLabel, e.args[0]) if isinstance(e, AtLabel) else (_here, e)
    return place(OtherShare(e.args[0])) if isinstance(e, Share) else None


def log_share(e: Any) -> Any:
    """The logarithm of a share, or None where the expression is none."""
    place, e = (AtLabel, e.args[0]) if isinstance(e, AtLabel) else (_here, e)
    return place(LogShare(e.args[0])) if isinstance(e, Share) else None


class _Node(f.Real):
    """What looks at all classes."""

    tex: str
    """How it is written on paper, of @."""

    def _latex(self, printer: Any, exp: str = "") -> str:
        text = self.tex.replace("@", printer._print(self.args[0]))
        return rf"\left({text}\right)^{{{exp}}}" if exp else text


class Row(_Node):
    """A number of the row."""


class OfClass(_Node):
    """A number of this class that depends on the others."""


def is_of_class(e: Any) -> bool:
    """Whether classes differ in an expression."""
    if isinstance(e, (Row, OfClass)):
        return isinstance(e, OfClass)
    return e in (PREDICTION, TARGET) or any(map(is_of_class, e.args))


def nodes(e: Any) -> list[Any]:
    """The outermost numbers of rows and of classes among others in an expression."""
    if isinstance(e, (Row, OfClass)):
        return [e]
    return list(dict.fromkeys(node for part in e.args for node in nodes(part)))


def split(e: Any) -> tuple[Any, Any]:
    """What does not differ between classes, and the rest: terms of a sum, factors of a product."""
    if e.is_Add or e.is_Mul:
        same = [t for t in e.args if not is_of_class(t)]
        return e.func(*same), e.func(*(t for t in e.args if t not in same))
    return (S.One if e.is_Mul else S.Zero), e


def _scaled(kind: Any, e: Any) -> Any:
    """A node that is linear, where its expression has a factor of the row."""
    factor, rest = split(e) if e.is_Mul else (S.One, e)
    return factor * kind(rest) if factor != 1 else None


def _shifted(kind: Any, e: Any) -> Any:
    """A node that moves along with its expression, where that has a term of the row."""
    level, rest = split(e) if e.is_Add else (S.Zero, e)
    return level + kind(rest) if level != 0 else None


class Total(Row):
    """The sum over all classes."""

    tex = r"\sum \left(@\right)"

    @classmethod
    def eval(cls, e: Any) -> Any:
        if not is_of_class(e):
            return CLASSES * e
        if isinstance(e, Share):
            return S.One
        return _scaled(cls, e)


class Rest(OfClass):
    """The sum over all other classes."""

    tex = r"\sum_{\mathrm{others}} \left(@\right)"

    @classmethod
    def eval(cls, e: Any) -> Any:
        if not is_of_class(e):
            return (CLASSES - 1) * e
        if isinstance(e, Share):
            return OtherShare(e.args[0])
        return _scaled(cls, e)


class Largest(Row):
    """The largest of all classes."""

    tex = r"\max \left(@\right)"

    @classmethod
    def eval(cls, e: Any) -> Any:
        if not is_of_class(e):
            return e
        return _shifted(cls, e)


class LogTotal(Row):
    """The logarithm of the sum of exponentials."""

    tex = r"\log \sum \exp \left(@\right)"

    @classmethod
    def eval(cls, e: Any) -> Any:
        if not is_of_class(e):
            return e + sympy.log(CLASSES)
        if isinstance(e, LogShare):
            return S.Zero
        return _shifted(cls, e)


class _OfSoftmax(OfClass):
    """Of an exponential among those of all classes."""

    @classmethod
    def eval(cls, e: Any) -> Any:
        if isinstance(e, LogShare):
            return cls(e.args[0])
        if e.is_Add and split(e)[0] != 0:
            return cls(split(e)[1])
        return None if is_of_class(e) else cls._even()

    @classmethod
    def _even(cls) -> Any:
        raise NotImplementedError


class Share(_OfSoftmax):
    """Its share of their sum: the softmax."""

    is_positive = True
    tex = r"\operatorname{softmax} \left(@\right)"

    @classmethod
    def _even(cls) -> Any:
        return 1 / CLASSES


class OtherShare(_OfSoftmax):
    """The share of all others."""

    is_nonnegative = True  # far away it is 0
    tex = r"\left(1 - \operatorname{softmax} \left(@\right)\right)"

    @classmethod
    def _even(cls) -> Any:
        return 1 - 1 / CLASSES


class LogShare(_OfSoftmax):
    """The logarithm of its share."""

    tex = r"\log \operatorname{softmax} \left(@\right)"

    @classmethod
    def _even(cls) -> Any:
        return -sympy.log(CLASSES)


class Gap(_OfSoftmax):
    """What its share lacks of 1 at the label, of 0 elsewhere."""

    tex = r"\left(y - \operatorname{softmax} \left(@\right)\right)"

    @classmethod
    def _even(cls) -> Any:
        return f.Pick(IS_LABEL, 1, 0) - 1 / CLASSES


class AtLabel(Row):
    """What the label has: its prediction, its share or the logarithm; nothing else stays one."""

    tex = r"{@}_{\mathrm{label}}"

    @classmethod
    def eval(cls, e: Any) -> Any:
        if e == PREDICTION or isinstance(e, _OfSoftmax):
            return None
        if e == TARGET:
            return S.One
        return e.func(*map(cls, e.args)) if is_of_class(e) else e

    def _eval_is_positive(self) -> Any:
        return self.args[0].is_positive

    def _eval_is_nonnegative(self) -> Any:
        return self.args[0].is_nonnegative


# ---- derivatives


def _slopes(e: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    """The slope by the prediction alone, and those by each node."""
    names = {node: sympy.Dummy(real=True) for node in nodes(e)}
    nodes_of = {name: node for node, name in names.items()}
    plain = e.xreplace(names)

    def slope(x: Any) -> Any:
        return f.Pick.of(plain.diff(x)).xreplace(nodes_of)

    slopes = ((node, slope(name)) for node, name in names.items())
    direct = slope(PREDICTION)
    return direct, [(node, slope) for node, slope in slopes if slope != 0]


def derivative(e: Any) -> Any:
    """Of an expression of this class or of the row, by the prediction of this class."""
    direct, slopes = _slopes(e)
    return sympy.Add(direct, *(slope * _of_node(node) for node, slope in slopes))


def _of_node(node: Any) -> Any:
    (e,) = node.args
    if isinstance(node, Total):
        return _through(S.One, e)
    if isinstance(node, LogTotal):
        return _through(Share(e), e)
    if isinstance(node, Largest):
        equal = sympy.Eq(e, node)
        ties = Total(f.Pick(equal, 1, 0))
        return _through(f.Pick(equal, 1 / ties, 0), e)
    if isinstance(node, Rest):
        return _of_rest(e)
    if isinstance(node, AtLabel):
        return f.Pick(IS_LABEL, 1, 0) if e == PREDICTION else _of_share(e, AtLabel)
    return _of_share(node, _here)


def _here(e: Any) -> Any:
    return e


def _of_share(node: Any, place: Callable[[Any], Any]) -> Any:
    """Of a share, of this class or at the label."""
    (u,) = node.args
    p, gap = Share(u), Gap(u) if place is AtLabel else OtherShare(u)
    direct, slopes = _slopes(u)
    terms = [gap * direct]
    for inner, slope in slopes:
        if isinstance(inner, Row):
            terms.append((place(slope) - Total(p * slope)) * _of_node(inner))
        else:
            terms.append(place(slope) * _of_node(place(inner)) - _through_share(p * slope, inner))
    slope = sympy.Add(*terms)
    if isinstance(node, LogShare):
        return slope
    return place(p) * slope if isinstance(node, Share) else -place(p) * slope


def _through(v: Any, x: Any) -> Any:
    """The sum over classes of v times the derivative of x, by the prediction of this class."""
    direct, slopes = _slopes(x)
    terms = [v * direct]
    for node, slope in slopes:
        if isinstance(node, Row):
            terms.append(Total(v * slope) * _of_node(node))
        else:
            terms.append(_through_share(v * slope, node))
    return sympy.Add(*terms)


def _through_share(v: Any, node: Any) -> Any:
    """The same of a share or its logarithm; what cancels is left out of each class's part."""
    (u,) = node.args
    p = Share(u)
    if not isinstance(node, LogShare):
        v = v * p if isinstance(node, Share) else -v * p
    direct, slopes = _slopes(u)
    terms = [(v * OtherShare(u) - p * Rest(v)) * direct]
    for inner, slope in slopes:
        spread = (v - p * Total(v)) * slope
        if isinstance(inner, Row):
            terms.append(Total(spread) * _of_node(inner))
        else:
            terms.append(_through_share(spread, inner))
    return sympy.Add(*terms)


def _of_rest(w: Any) -> Any:
    """The others change through the row alone."""
    _, slopes = _slopes(w)
    terms = []
    for node, slope in slopes:
        if isinstance(node, Row):
            terms.append(Rest(slope) * _of_node(node))
            continue
        (u,) = node.args
        if nodes(u):
            return _of_node(Total(w)) - derivative(w)
        if not isinstance(node, LogShare):
            slope = slope * Share(u) if isinstance(node, Share) else -slope * Share(u)
        terms.append(-Rest(slope) * Share(u) * derivative(u))
    return sympy.Add(*terms)
