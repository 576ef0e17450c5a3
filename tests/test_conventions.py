"""What docs/conventions.md says in its tables is true of the definitions of the losses.

The tables are read from the page, so the library has no part in most of these tests. The truth is
a loss's ``definition`` in mpmath: at large arguments and next to the ends of domains for limits,
one-sided differences for kinks. That the library gives what the tables say, on every backend, is
in test_docs.py; that it obeys the rules for all inputs, in test_rules.py. What the tables do not
reach is at the end.
"""

import itertools
import math
import re
from pathlib import Path

import cases
import mpmath
import numpy as np
import pytest
from mpmath import mpf

import fastloss as fl
from fastloss.vocabulary import rebind
from fastloss.vocabulary.exact import WORDS

PAGE = (Path(__file__).parents[1] / "docs/conventions.md").read_text()
DIGITS = 450
SIZES = [mpf(10) ** digits for digits in (30, 60, 120)]
"""Of large numbers, and of one over small distances."""
STEP = mpf(10) ** -60
"""Of differences, relative to the distance from a finite end."""
CLOSE = 5.1e-4
"""The tables have four digits."""
SHOWN = cases.plain_variants()


# ---- the page


def lines(table):
    """The lines of a table: cells without the quotes of code."""
    (text,) = re.findall(rf"<!-- {table}: begin -->(.*)<!-- {table}: end -->", PAGE, re.DOTALL)
    return [line.strip("| ").replace("`", "").split(" | ") for line in text.splitlines()
            if line.startswith("| `")]  # fmt: skip


def numbers(cell):
    return [float(x) for x in cell.strip("[]").split(",")]


LIMITS, EMPTIES = lines("limits"), lines("empties")
KINKS = [line for line in lines("kinks") if line[1] != "none"]


def same(claimed, true):
    """Whether a table's number stands for an exact one."""
    if math.isnan(claimed) or mpmath.isnan(true):
        return math.isnan(claimed) and bool(mpmath.isnan(true))
    return math.isclose(claimed, true, rel_tol=CLOSE, abs_tol=1e-12)


@pytest.mark.parametrize("table", ["statements", "limits", "kinks", "empties"])
def test_every_loss_has_a_line(table):
    names = cases.unit_losses() if table != "statements" else fl.losses()
    assert list(dict.fromkeys(fl.get(line[0]).name for line in lines(table))) == list(names)


# ---- the truth


class Exact:
    """A loss's definition with exact numbers, and its derivatives by differences."""

    def __init__(self, loss, dtype=np.float64):
        self.loss = loss
        self.definition = rebind(loss.scalars.definition, WORDS)
        self.parameters = [mpf(float(dtype(p))) for p in loss.kernel_parameters()]
        curvature = getattr(loss.scalars, "curvature", None)
        self.curvature = curvature and rebind(curvature, WORDS)
        columns = getattr(loss, "columns", None)
        self.constants = [] if columns is None else [[mpf(float(dtype(c))) for c in columns]]

    def value(self, prediction, target):
        """Of a list of predictions, and a number or a list of masses."""
        found = self.definition(*self.arguments(prediction, target))
        return sum(found) if isinstance(found, tuple) else found

    def arguments(self, prediction, target):
        first = [prediction] if self.loss.schema == "row" else prediction
        left_out = [target] * len(self.loss.ordered[1:])
        return (*first, target, *left_out, *self.constants, *self.parameters)

    def domains(self, prediction):
        """The domain of each prediction."""
        known = dict(zip(self.loss.inputs, self.loss.domains(), strict=True))
        found = [known[name] for name in self.loss.differentiated]
        return found * len(prediction) if self.loss.schema == "row" else found

    def masses(self, target, classes):
        """A class index as a distribution, smoothed as the loss smooths."""
        if self.loss.schema != "row" or self.loss.takes_numbers:
            return mpf(target)
        s = mpf(self.loss.label_smoothing)
        if not isinstance(target, list):
            of_class = {
                "steps": lambda i: (i == target - 1) - (i == target),
                "levels": lambda i: i < target,
            }.get(self.loss.encoding, lambda i: i == target)
            return self.masses(list(map(of_class, range(classes))), classes)
        return [(1 - s) * mpf(q) + s / classes for q in target]

    def outputs(self, prediction, target, steps):
        """Value, gradient and Hessian by central differences, in one list."""
        there = self.value(prediction, target)
        slopes, curves = [], []
        for i, h in enumerate(steps):
            below, above = (self.value(moved(prediction, i, s), target) for s in (-h, h))
            noise = abs(there) * mpf(10) ** (20 - DIGITS)
            changes = above - below, above - 2 * there + below
            slope, curve = (x if abs(x) > noise else mpf(0) for x in changes)
            slopes.append(slope / (2 * h))
            curves.append(curve / h**2)
        if self.curvature:
            given = self.curvature(*self.arguments(prediction, target))
            curves = given if isinstance(given, tuple) else (given,)
        return [there, *slopes, *curves]

    def one_sided(self, prediction, target, h, along=0):
        """Slope and curvature along one prediction, on the side where h points."""
        at, near, far = (self.value(moved(prediction, along, k * h), target) for k in (0, 1, 2))
        return (near - at) / h, (far - 2 * near + at) / h**2


def moved(prediction, i, step):
    return [x + step if j == i else x for j, x in enumerate(prediction)]


def least(a, b, between):
    """Of two one-sided derivatives, or of all between them, that of least magnitude."""
    return mpf(0) if between and a * b <= 0 else min(a, b, key=abs)


def at_kink(below, above):
    """Gradient and Hessian where they differ from one side to the other."""
    return least(below[0], above[0], True), least(below[1], above[1], False)


def target_values(loss):
    """Targets, for the word "any"."""
    if loss.schema == "row" and not loss.takes_numbers:
        return list(range(loss.label_count(3))) if loss.takes_labels else distributions(loss)
    domain = loss.domains()[1]
    if domain.discrete:
        return [domain.low, domain.high]
    low = np.nextafter(0, 1) if loss.ordered else domain.low  # 0 is a limit of its own
    return [x for x in (-7.5, 0.0, 0.25, 1.0, 3.0) if low <= x <= domain.high]


def distributions(loss):
    """Single outcomes, or what leans to them where they cost infinity for any prediction."""
    outcomes = np.eye(3)
    inside = [
        mpf("0.4") if domain.high == 1 else mpf(-1) for domain in Exact(loss).domains([0] * 3)
    ]
    if mpmath.isinf(Exact(loss).value(inside, outcomes[0].tolist())):
        outcomes = (outcomes + 1) / 4
    return outcomes.tolist()


def targets_of(loss, cell):
    if cell == "any":
        return target_values(loss)
    read = [numbers(part) for part in cell.split(" or ")]
    return read if "[" in cell else [x for (x,) in read]


# ---- limits


def approach(end, domain, size):
    """Something near an end of a domain, and the step of differences there."""
    if math.isinf(end):
        return mpmath.sign(end) * size, STEP
    gap = 1 / size
    return (end + gap if end == domain.low else end - gap), gap * STEP


def tends_to(near, far, farther):
    """The limit of three values at sizes whose logarithms double."""
    before, after = far - near, farther - far
    if abs(after) <= mpf(10) ** -20 * max(1, abs(farther)):
        return farther
    assert after / before > 1.5, "neither settles nor grows"
    return mpmath.sign(after) * mpmath.inf


def limit(loss, prediction, target):
    """Value, gradient and Hessian that a unit tends to, NaN where that depends on the way."""
    exact = Exact(loss)
    domains = exact.domains(prediction)
    masses = exact.masses(target, len(prediction))
    at_end = [i for i, x in enumerate(prediction) if x in (domains[i].low, domains[i].high)]
    found = []
    for rate in ([1] * len(at_end), range(1, len(at_end) + 1)):  # all alike, each its own
        sizes = []
        for size in SIZES:
            x, steps = [mpf(p) for p in prediction], [STEP] * len(prediction)
            for i, factor in zip(at_end, rate, strict=True):
                x[i], steps[i] = approach(prediction[i], domains[i], factor * size)
            sizes.append(exact.outputs(x, masses, steps))
        found.append([tends_to(*values) for values in zip(*sizes, strict=True)])
    agree = all(len({mpmath.nstr(x, 8) for x in part}) == 1 for part in zip(*found, strict=True))
    return found[0] if agree else [mpmath.nan] * len(found[0])


def with_nan(loss, prediction, target):
    """The same where one prediction is NaN: what depends on it is NaN, and so its own part."""
    exact = Exact(loss)
    masses = exact.masses(target, len(prediction))
    if len(prediction) == 1:
        return [mpmath.nan] * 3
    if getattr(loss, "descending", False):  # an order that is not known
        return [mpmath.nan] * (1 + 2 * len(prediction))
    (i,) = (i for i, x in enumerate(prediction) if math.isnan(x))
    domain = exact.domains(prediction)[i]
    inside = [x for x in (-1.5, -0.75, -0.25, 0.25, 0.75, 2.0) if domain.low <= x <= domain.high]
    tried = [
        exact.outputs([mpf(x if j == i else p) for j, p in enumerate(prediction)], masses,
                      [STEP] * len(prediction))
        for x in inside
    ]  # fmt: skip
    tried = [[mpmath.chop(x, mpf(10) ** -100) for x in part] for part in tried]
    depends = [len({mpmath.nstr(x, 8) for x in part}) > 1 for part in zip(*tried, strict=True)]
    if depends[0] and getattr(loss, "reference", None) == "rival":  # which it may be, or not
        return [mpmath.nan] * len(depends)
    if depends[0]:
        depends[1 + i] = depends[1 + len(prediction) + i] = True
    if loss.schema == "row":  # a slope that is not known has no known curvature
        for j in range(1, 1 + len(prediction)):
            depends[len(prediction) + j] |= depends[j]
    return [mpmath.nan if d else x for d, x in zip(depends, tried[0], strict=True)]


@pytest.mark.parametrize("line", LIMITS, ids=" ".join)
def test_limits(line):
    name, prediction, targets, *cells = line
    loss, prediction = fl.get(name), numbers(prediction)
    claimed = [x for cell in cells for x in numbers(cell)]
    for target in targets_of(loss, targets):
        with mpmath.workdps(DIGITS):
            find = with_nan if any(map(math.isnan, prediction)) else limit
            true = find(loss, prediction, target)
        assert len(claimed) == len(true)
        assert all(map(same, claimed, true)), (target, [mpmath.nstr(x, 5) for x in true])


# ---- kinks


@pytest.mark.parametrize("line", KINKS, ids=" ".join)
def test_kinks(line):
    name, prediction, target, *cells = line
    exact, prediction = Exact(fl.get(name)), [mpf(x) for x in numbers(prediction)]
    (target,) = targets_of(exact.loss, target)
    claimed = [numbers(cell.replace("*", "")) for cell in cells]
    with mpmath.workdps(DIGITS):
        masses = exact.masses(target, len(prediction))
        found = []
        for along in range(1 if exact.loss.schema == "row" else len(prediction)):
            below, above = (exact.one_sided(prediction, masses, h, along) for h in (-STEP, STEP))
            found.append(list(zip(below, at_kink(below, above), above, strict=True)))
    if exact.curvature:  # a Hessian of its own
        claimed, found = claimed[:1], [true[:1] for true in found]
    # a line does not say along which prediction
    assert any(
        all(all(map(same, cell, part)) for cell, part in zip(claimed, true, strict=True))
        for true in found
    ), found


@pytest.mark.parametrize("loss", SHOWN, ids=repr)
def test_there_are_no_other_kinks(loss):
    exact = Exact(loss)
    rows = loss.schema == "row"
    domains = exact.domains([0.0] * ((rows and cases.fixed_classes(loss)) or 3))
    along = range(1 if rows else len(domains))
    # of an unbounded target the difference matters, or the size of either or both
    real = cases.target_kinds(loss)[0] in ("values", "numbers") and not loss.domains()[1].checked
    own = [line[1:3] for line in KINKS if line[0] == str(loss) and line[1] != "none"]
    pairs = [(numbers(prediction), numbers(target)[0]) for prediction, target in own]
    known = [
        {x[i] - t if real else x[i] for x, t in pairs} | {x[i] for x, _ in pairs if real}
        for i in along
    ]
    parameters = [p for p in loss.kernel_parameters() if np.isfinite(p)]
    places = {x for p in (0.0, 0.25, 0.5, 1.0, 2.0, *parameters) for x in (p, -p, 1 - p)}
    for x, target, i in itertools.product(places, target_values(loss), along):
        place, domain = x + target if real else x, domains[i]
        if not domain.low < place < domain.high or (real and place == target and x):
            continue
        with mpmath.workdps(DIGITS):
            rest = mpf("-0.5") if domain.high == 0 else mpf("0.4")
            prediction = [mpf(place) if i == j else rest for j in range(len(domains))]
            masses = exact.masses(target, len(prediction))
            try:
                sides = [exact.one_sided(prediction, masses, h, i) for h in (-STEP, STEP)]
            except ZeroDivisionError:  # no value there
                continue
            jumps = any(abs(a - b) > 1e-6 for a, b in zip(*sides, strict=True))
        sizes = {x, place, abs(place) + abs(target)} if real else {x}
        assert not jumps or sizes & known[i], (place, target)


# ---- nothing


@pytest.mark.parametrize("line", EMPTIES, ids=" ".join)
def test_nothing(line):
    name, ways, *cells = line
    assert cells == ["0", "0, 0", "nan", "0, 0", "0"]
    assert ("labels ignored" in ways) == ("ignore_index" in fl.get(name).params)


# ---- what the tables do not reach

each_backend = pytest.mark.parametrize(
    "runner",
    [
        # Numba compiles a second for each loss
        pytest.param(runner, marks=[pytest.mark.full] if runner[0] == "numba" else [])
        for runner in cases.RUNNERS
    ],
    ids=cases.name_of,
)


def dtypes(loss, runner):
    return [np.dtype(name).type for name in cases.quick_dtypes(loss, runner)]


@each_backend
@pytest.mark.parametrize("loss", [v for v in SHOWN if v.schema == "row" and v.kinks], ids=repr)
def test_kinks_of_rows_take_the_least_norm(loss, runner):
    for dtype in dtypes(loss, runner):
        exact = Exact(loss, dtype)
        places = [mpf(0), mpf(1)] if loss.takes_numbers else exact.parameters
        for x, target in itertools.product(places, target_values(loss)):
            prediction = [x, mpf("0.375"), mpf("0.25")][: cases.fixed_classes(loss) or 3]
            with mpmath.workdps(DIGITS):
                masses = exact.masses(target, len(prediction))
                true = at_kink(*(exact.one_sided(prediction, masses, h) for h in (-STEP, STEP)))
            inputs = {"prediction": np.array([prediction], dtype), "target": np.array([target])}
            with cases.running(runner):
                _, *found = cases.outputs(loss, inputs)
            for got, expected in zip(found, true, strict=True):
                assert math.isclose(got[0, 0], expected, rel_tol=1e-6), (x, target)


@each_backend
@pytest.mark.parametrize(
    "loss", [v for v in SHOWN if v.schema == "map" and not v.domains()[1].checked], ids=repr
)
def test_infinite_targets_give_the_limit(loss, runner):
    """The limit as the target grows; none where the prediction is the same infinity."""
    exact = Exact(loss)
    for dtype, sign in itertools.product(dtypes(loss, runner), (1, -1)):
        with mpmath.workdps(DIGITS):
            prediction = [
                mpf("0.375") if domain.low < 0 else mpf(1) for domain in exact.domains([0])
            ]
            steps = [STEP] * len(prediction)
            far = [exact.outputs(prediction, sign * size, steps) for size in SIZES]
            true = [tends_to(*values) for values in zip(*far, strict=True)]
        predictions = np.array([prediction, [sign * np.inf, *prediction[1:]]], dtype)
        inputs = cases.arguments(loss, predictions.squeeze(), np.full(2, sign * np.inf, dtype))
        with cases.running(runner):
            got = cases.outputs(loss, inputs)
        assert all(np.isnan(output[1]).any() for output in got)
        np.testing.assert_allclose(
            np.hstack([output[0] for output in got]), np.array(true, float), 1e-6, 1e-20
        )


@each_backend
@pytest.mark.parametrize("loss", SHOWN, ids=repr)
def test_a_normalizer_of_nothing_gives_zero(loss, runner, rng):
    for dtype in dtypes(loss, runner):
        inputs = cases.sample(loss, (20,), dtype, rng, extremes=False)
        with cases.running(runner):
            got = cases.outputs(loss, inputs, weight=0.0, reduction="mean", normalizer=5.0)
        assert got[0] == 0
        assert not any(x.any() for x in got[1:])


@each_backend
@pytest.mark.parametrize(
    "loss", [v for v in cases.all_variants() if v.schema == "row" and v.class_weight], ids=repr
)
def test_classes_without_weight_are_nothing(loss, runner, rng):
    free = loss.class_weight.index(0.0)
    for dtype in dtypes(loss, runner):
        inputs = cases.sample(loss, (20,), dtype, rng, "labels", extremes=False)
        inputs["target"][:] = free
        with cases.running(runner):
            for reduction, value in (("sum", 0.0), ("mean", math.nan)):
                got = cases.outputs(loss, inputs, reduction=reduction)
                np.testing.assert_equal(got[0], value)
                assert not any(x.any() for x in got[1:])
