"""Formulas of rows as scalar functions of sweeps over the classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy.core.parameters import distribute

from .._sweeps import Sweep, Sweeps
from . import functions as f
from .rows import (
    CLASSES,
    PREDICTION,
    TARGET,
    AtLabel,
    Gap,
    Largest,
    LogShare,
    LogTotal,
    OfClass,
    OtherShare,
    Rest,
    Row,
    Share,
    Total,
    is_of_class,
    nodes,
    split,
)
from .stable import AT_ZERO, rewritten
from .write import Writer, assembled, executed

__all__ = ["definition", "program", "source"]

_OF_CLASS = ("prediction", "target", "row")


@dataclass
class _Stage:
    """What one sweep looks for; each is an expression of one class."""

    largest: list[Any] = field(default_factory=list)
    sums: list[Any] = field(default_factory=list)
    exponentials: list[Any] = field(default_factory=list)


class _Stages:
    """Which sweeps expressions need, each as early as what it is made of is known."""

    def __init__(self, expressions: Iterable[Any]) -> None:
        self.all: list[_Stage] = []
        for e in expressions:
            self._known_after(e)

    def _known_after(self, e: Any) -> int:
        return max((self._found_after(node) for node in nodes(e)), default=0)

    def _found_after(self, node: Any) -> int:
        (e,) = node.args
        if isinstance(node, AtLabel):
            if e == PREDICTION:
                return 0
            return max(self._found_after(e), self._known_after(AtLabel(e.args[0])))
        first = self._known_after(e)
        if isinstance(node, (Total, Rest)):
            return self._add(first, "sums", e)
        found = self._add(first, "largest", e)
        return found if isinstance(node, Largest) else self._add(found, "exponentials", e)

    def _add(self, sweep: int, what: str, e: Any) -> int:
        self.all += [_Stage() for _ in range(len(self.all), sweep + 1)]
        known = getattr(self.all[sweep], what)
        if e not in known:
            known.append(e)
        return sweep + 1


def _like(e: Any, name: str) -> Any:
    """A symbol that is positive where an expression is."""
    if e.is_positive:
        return sympy.Symbol(name, positive=True)
    return sympy.Symbol(name, real=True, nonnegative=e.is_nonnegative or None)


def _is_log_of_input(e: Any) -> bool:
    return e.func is sympy.log and e.args[0] in (PREDICTION, TARGET)


class _RowWriter(Writer):
    """Lines in which numbers of the row have places."""

    def __init__(self, places: dict[Any, int], careful: bool = True) -> None:
        super().__init__(careful)
        self._places = places
        self._symbols: dict[Any, Any] = {}
        self._pairs: dict[str, tuple[str, str]] = {}
        self._scores = {PREDICTION}
        self.know(CLASSES, "row[0]")

    def plain(self, e: Any) -> Any:
        """An expression whose nodes are symbols that are known."""
        return e.xreplace({node: self._symbol(node) for node in nodes(e)})

    def place(self, what: str, e: Any, offset: int = 0) -> str:
        """A number of the row."""
        return f"row[{self._places[what, e] + offset}]"

    def pair(self, text: str) -> tuple[str, str]:
        if text not in self._pairs:
            self._pairs[text] = super().pair(text)
        return self._pairs[text]

    def has_two_words(self, e: Any) -> bool:
        return _is_log_of_input(self._meanings.get(e, e)) or super().has_two_words(e)

    def two_words(self, e: Any) -> tuple[str, str]:
        e = self._meanings.get(e, e)
        if _is_log_of_input(e):
            return self.pair(f"two_log({self.name(e.args[0])})")
        return super().two_words(e)

    def _sum(self, e: Any) -> str:
        """Predictions less each other first, as both may be large."""
        apart = ((a, b) for a in e.args for b in e.args if {a, -b} <= self._scores)
        a, b = next(apart, (None, None))
        if not self._careful or b is None or len(e.args) == 2:
            return super()._sum(e)
        high, low = self.pair(f"two_difference({self.name(a)}, {self.name(-b)})")
        rest = self.name(sympy.Add(*(t for t in e.args if t not in (a, b))))
        return f"{high} + {rest} + {low}"

    def term(self, e: Any) -> str:
        """An expression in two words, as sums take it."""
        e = self.plain(e)
        if isinstance(e, f.Product):
            mass, other = e.args
            none = self.line(f"{self.name(mass)} == const(0.0)")
            words = self._multiplied(self.name(mass), self.two_words(other))
            return ", ".join(f"where({none}, const(0.0), {word})" for word in words)
        return ", ".join(self.two_words(e))

    def _symbol(self, node: Any) -> Any:
        if node not in self._symbols:
            symbol = _like(node, f"_n{len(self._symbols)}")
            self._symbols[node] = symbol
            if isinstance(node, (AtLabel, Largest)) and not isinstance(node.args[0], OfClass):
                self._scores.add(symbol)
            self.know(symbol, *self._words(node))
        return self._symbols[node]

    def _words(self, node: Any) -> tuple[str, ...]:
        (e,) = node.args
        if isinstance(node, AtLabel):
            if e == PREDICTION:
                return ("row[1]",)
            return self._of_softmax(e, AtLabel(e.args[0]))
        if isinstance(node, Total):
            low = (self.place("sums", e, 1),) if self._careful else ()
            return self.place("sums", e), *low
        if isinstance(node, Largest):
            return (self.place("largest", e),)
        if isinstance(node, LogTotal):
            softplus = ", ".join(self.place("softmax", e, i) for i in (4, 5))
            return self.pair(f"log_total({self.place('largest', e)}, {softplus})")
        if isinstance(node, Rest):
            total = ", ".join(self.place("sums", e, i) for i in (0, 1))
            return (self.line(f"rest_of({total}, {self.name(self.plain(e))})"),)
        return self._of_softmax(node, e)

    def _of_softmax(self, node: Any, u: Any) -> tuple[str, ...]:
        (e,) = node.args
        start = f"{self.name(self.plain(u))}, {self.place('largest', e)}"
        numbers = [self.place("softmax", e, i) for i in range(6)]
        if isinstance(node, LogShare):
            return self.pair(f"log_share({start}, {', '.join(numbers[4:])})")
        own, others = self.pair(f"shares({start}, {', '.join(numbers[:4])})")
        if isinstance(node, Gap):
            return (self.line(f"where(target == const(1.0), {others}, -{own})"),)
        return (others if isinstance(node, OtherShare) else own,)


def _hoisted(e: Any, found: dict[Any, Any]) -> Any:
    """An expression of a class whose parts of the row are symbols, which are computed once."""
    if not is_of_class(e):
        if not isinstance(e, sympy.Expr) or e.is_number or _is_known(e):
            return e
        if e not in found:
            found[e] = _like(e, f"_h{len(found)}")
        return found[e]
    if isinstance(e, OfClass) or not e.args:
        return e
    if e.is_Mul:
        same, rest = split(e)
        args = rest.args if rest.func is e.func else (rest,)
        return e.func(_hoisted(same, found), *(_hoisted(x, found) for x in args))
    return e.func(*(_hoisted(x, found) for x in e.args))


def _is_known(e: Any) -> bool:
    """Whether nothing needs to be computed of an expression of the row, but a multiple."""
    _, rest = e.as_coeff_Mul()
    made = isinstance(rest, LogTotal) or (isinstance(rest, AtLabel) and rest.args[0] != PREDICTION)
    return rest.is_Symbol or (isinstance(rest, Row) and not made)


class _Builder:
    """Writes the functions and gives numbers of the row their places."""

    def __init__(self, parameters: tuple[str, ...]) -> None:
        self.texts: list[str] = []
        self.places: dict[Any, int] = {}
        self._free = 2  # after the count of classes and the label's prediction
        self._parameters = parameters

    def look(self, e: Any, word: str = "") -> Any:
        """What a sum adds: an expression, or a word of it and of its largest, in two words."""
        writer = _RowWriter(self.places)
        if not word:
            return self.function("term", _OF_CLASS, writer, writer.term(e))
        result = f"{word}({writer.name(writer.plain(e))}, {writer.place('largest', e)})"
        return self.function(word, _OF_CLASS, writer, result)

    def largest(self, e: Any) -> Any:
        """What has a largest."""
        writer = _RowWriter(self.places)
        return self.function("candidate", _OF_CLASS, writer, writer.name(writer.plain(e)))

    def function(self, name: str, first: tuple[str, ...], writer: Writer, result: str) -> Any:
        """A function of lines; the text is kept."""
        name = f"{name}_{len(self.texts)}"
        self.texts.append(assembled(name, (*first, *self._parameters), writer, result))
        return executed(name, self.texts[-1])

    def take(self, what: str, e: Any, count: int) -> None:
        """The next numbers of the row are these."""
        self.places[what, e] = self._free
        self._free += count

    def sweep(self, stage: _Stage) -> Sweep:
        """The functions of one sweep."""
        largest = tuple(map(self.largest, stage.largest))
        words = [(u, word) for u in stage.exponentials for word in ("exponential", "tie")]
        sums = (*map(self.look, stage.sums), *(self.look(u, word) for u, word in words))
        for e in stage.largest:
            self.take("largest", e, 1)
        for e in stage.sums:
            self.take("sums", e, 2)
        for e, word in words:
            self.take(word, e, 2)
        settled = tuple((self.settle(u), 6) for u in stage.exponentials)
        for u in stage.exponentials:
            self.take("softmax", u, 6)
        return Sweep(largest, sums, settled)

    def settle(self, u: Any) -> Any:
        """What shares need of the sum of exponentials."""
        writer = _RowWriter(self.places)
        places = [("largest", 0), ("exponential", 0), ("exponential", 1), ("tie", 0)]
        numbers = ", ".join(writer.place(what, u, i) for what, i in places)
        return self.function("settle", ("row",), writer, f"softmax_numbers({numbers})")


def _built(outputs: tuple[Any, ...], parameters: tuple[str, ...]) -> tuple[Sweeps, list[str]]:
    value, *slopes = outputs
    builder = _Builder(parameters)
    sweeps = [builder.sweep(stage) for stage in _Stages(outputs).all]
    writer = _RowWriter(builder.places)
    (name,) = writer.names([writer.plain(value)])
    finish = builder.function("value", ("row",), writer, name)
    if not slopes:
        return Sweeps(tuple(sweeps), finish, None), builder.texts
    found: dict[Any, Any] = {}
    slopes = [_hoisted(e, found) for e in slopes]
    if found:
        writer = _RowWriter(builder.places)
        names = writer.names([writer.plain(e) for e in found])
        settle = builder.function("settle", ("row",), writer, "".join(f"{n}, " for n in names))
        sweeps.append(Sweep(settled=((settle, len(found)),)))
    writer = _RowWriter(builder.places)
    for e, symbol in found.items():
        builder.take("hoisted", e, 1)
        writer.know(symbol, writer.place("hoisted", e))
    names = writer.names([writer.plain(e) for e in slopes])
    emit = builder.function("slopes", _OF_CLASS, writer, "".join(f"{n}, " for n in names))
    return Sweeps(tuple(sweeps), finish, emit), builder.texts


def program(outputs: tuple[Any, ...], parameters: tuple[str, ...]) -> Sweeps:
    """The functions of a value, or of it, the gradient and the Hessian."""
    with distribute(False):
        return _built(outputs, parameters)[0]


def source(name: str, outputs: tuple[Any, ...], parameters: tuple[str, ...]) -> str:
    """Their texts."""
    with distribute(False):
        return f"# {name}\n" + "\n".join(_built(outputs, parameters)[1])


# ---- the definition


def _textbook(e: Any) -> Any:
    """An expression by sums and largest numbers alone."""
    if isinstance(e, AtLabel) and e.args[0] != PREDICTION:
        return AtLabel(_textbook(e.args[0]))
    if isinstance(e, LogTotal):
        return sympy.log(Total(sympy.exp(_textbook(e.args[0]))))
    if isinstance(e, (LogShare, Share)):
        (u,) = e.args
        log = _textbook(u) - _textbook(LogTotal(u))
        return log if isinstance(e, LogShare) else sympy.exp(log)
    return e.func(*map(_textbook, e.args)) if e.args else e


def definition(value: Any, parameters: tuple[str, ...], labels: bool) -> Callable[..., Any]:
    """The textbook value of lists of predictions and target masses."""
    with distribute(False):
        value = _textbook(rewritten(value, AT_ZERO))
        places: dict[Any, int] = {}
        helpers: dict[str, Any] = {}
        arguments = ", ".join(parameters)
        label = "sum([z for z, mass in pairs if mass])" if labels else "const(0.0)"
        lines = [
            "pairs = [*zip(predictions, targets, strict=True)]",
            f"row = const(len(pairs)), {label}",
        ]

        def helper(first: tuple[str, ...], e: Any) -> str:
            writer = _RowWriter(places, careful=False)
            (result,) = writer.names([writer.plain(e)])
            name = f"part{len(helpers)}"
            text = assembled(name, (*first, *parameters), writer, result)
            helpers[name] = executed(name, text)
            return name

        for stage in _Stages([value]).all:
            found = [("largest", e, "maximum(*[{}])") for e in stage.largest]
            found += [("sums", e, "sum([{}])") for e in stage.sums]
            for _, e, reduced in found:
                each = f"{helper(_OF_CLASS, e)}(z, mass, row, {arguments}) for z, mass in pairs"
                lines.append(f"row = *row, {reduced.format(each)}")
            for what, e, _ in found:
                places[what, e] = 2 + len(places)
        lines.append(f"return {helper(('row',), value)}(row, {arguments})")
    text = "\n    ".join([f"def definition(predictions, targets, {arguments}):", *lines])
    return executed("definition", text, **helpers)
