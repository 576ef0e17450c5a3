"""Inputs that some library gets wrong, or could, with the right answers.

The tables of ``hard_cases`` have a file for each family of losses and a row for each case: what is
hard about it, prediction (a list of classes, or of several predictions), target, value and, where
there are, gradient and Hessian; where terms cancel, also how large they are. Answers are real
numbers: limits, or textbook formulas at 900 digits, rounded to double. Where a dtype cannot hold an
answer, its nearest number is right, or infinity.

A row runs in every dtype that holds its inputs, and in every way to compute. That of a loss of
groups is one group. What a loss needs besides a target stands with that in a dictionary.
"""

import functools
import importlib
import math

import cases
import group_cases
import numpy as np
import pytest

import fastloss as fl
from fastloss.accuracy.oracle import OUTPUTS, Truth
from fastloss.accuracy.ulps import ulp_error
from fastloss.losses import FAMILIES

INF, NAN = np.inf, np.nan
LITERAL = {"float32": 0.0, "float64": 0.5}
"""How far off a literal itself may be, in ulps."""
IMPOSSIBLE = 40
"""Classes that rows get more: so many that they are summed in another loop."""


def tables():
    for family in FAMILIES:
        name = family.__name__.rpartition(".")[2]
        yield importlib.import_module(f"hard_cases.{name}").CASES


EVERY = [(loss, case) for table in tables() for loss, rows in table.items() for case in rows]
GROUPS = [one for one in EVERY if isinstance(one[0], fl.GroupLoss)]
CASES = [one for one in EVERY if not isinstance(one[0], fl.GroupLoss)]


def given(case):
    """The inputs besides the prediction, by name."""
    return case[2] if isinstance(case[2], dict) else {"target": case[2]}


def arrays(loss, case, dtype):
    """One unit: prediction, target and others by name; an integer is the class index of a row."""
    inputs = {"prediction": case[1], **given(case)}
    label = loss.schema == "row" and isinstance(inputs["target"], int)
    with np.errstate(over="ignore"):
        unit = {
            name: np.array([x], None if label and name == "target" else dtype)
            for name, x in inputs.items()
        }
    return unit.pop("prediction"), unit.pop("target"), unit


def holds(dtype, loss, case):
    """Whether the inputs of a case are numbers of a dtype."""
    prediction, target, others = arrays(loss, case, dtype)
    found = {"prediction": prediction, "target": target, **others}
    wanted = {"prediction": case[1], **given(case)}
    return all((np.float64(found[n][0]) == np.float64(x)).all() for n, x in wanted.items())


RUNS = [
    pytest.param(
        loss, case, dtype, runner, id=f"{loss!r}-{case[0]}-{dtype}-{cases.name_of(runner)}"
    )
    for loss, case in CASES
    for dtype in cases.DTYPES
    if holds(dtype, loss, case)
    for runner in cases.RUNNERS
    if dtype in cases.quick_dtypes(loss, runner)
]


def widened(loss, prediction, target):
    """The same row with further classes that are impossible and carry no mass."""
    none = np.zeros((1, IMPOSSIBLE), prediction.dtype)
    if target.ndim == 2:
        target = np.hstack([target, none])
    return np.hstack([prediction, none + loss.domains()[0].low]), target


@functools.cache
def ignores_impossible_classes(loss):
    """Whether the definition does; a mean over classes counts them, a square bends there too."""
    domain = loss.domains()[0]
    prediction = np.clip([[0.25, 0.5]], domain.low, domain.high)
    rows = (prediction, target := np.array([[1.0, 0.0]])), widened(loss, prediction, target)
    (here,), (there,) = (
        Truth(loss, {"prediction": z, "target": q}, "float64").units for z, q in rows
    )
    bends = any(abs(x) > 1e-30 for x in (*there.grad[2:], *there.hess[2:]))
    return abs(here.value - there.value) < 1e-30 and not bends


def check(got, exact, bound, dtype, largest=0.0):
    """Compares numbers with the first exact ones; any further ones must be 0, or NaN like those."""
    got, exact = np.ravel(got), np.ravel(exact)
    further = np.full(len(got) - len(exact), NAN if np.isnan(exact).any() else 0.0)
    columns = got, np.append(exact, further), np.broadcast_to(largest, len(got))
    for x, truth, term in zip(*(c.astype(np.float64).tolist() for c in columns), strict=True):
        if math.isnan(truth):
            assert math.isnan(x)
        elif x != truth:
            error = ulp_error(x, truth, dtype, term)
            assert error <= bound + LITERAL[dtype], f"{x!r}, not {truth!r}: {error:.3g} ulp"


def check_unit(loss, prediction, target, others, answers, dtype, largest=0.0):
    found = cases.outputs(loss, {**cases.arguments(loss, prediction, target), **others})
    terms = {name: largest for name in OUTPUTS}
    if target.ndim == 2 and np.count_nonzero(target) > 1:
        terms["grad"] = np.maximum(largest, target[0])  # a class's own mass is taken away
    bounds = loss.ulps[dtype][: len(answers)]
    for name, got, exact, bound in zip(
        OUTPUTS[: len(answers)], found, answers, bounds, strict=True
    ):
        check(got, exact, bound, dtype, terms[name])


@pytest.mark.parametrize(("loss", "case", "dtype", "runner"), RUNS)
def test_the_right_answer(loss, case, dtype, runner):
    answers, largest = case[3:6], case[6:]
    unit = arrays(loss, case, dtype)
    with cases.running(runner):
        check_unit(loss, *unit, answers, dtype, *largest)
        masses = loss.schema == "row" and not loss.takes_numbers
        if masses and ignores_impossible_classes(loss):
            check_unit(loss, *widened(loss, *unit[:2]), {}, answers, dtype, *largest)


# ---- groups


def group(case, dtype):
    """The inputs of a group."""
    inputs = {"prediction": case[1], **given(case)}
    with np.errstate(over="ignore"):
        return {name: np.array(x, dtype) for name, x in inputs.items()}


def group_holds(dtype, case):
    wide = group(case, np.float64)
    return all((x == wide[name]).all() for name, x in group(case, dtype).items())


GROUP_RUNS = [
    pytest.param(
        loss, case, dtype, runner, id=f"{loss!r}-{case[0]}-{dtype}-{cases.name_of(runner)}"
    )
    for loss, case in GROUPS
    for dtype in cases.DTYPES
    if group_holds(dtype, case)
    for runner in group_cases.RUNNERS
]


@pytest.mark.parametrize(("loss", "case", "dtype", "runner"), GROUP_RUNS)
def test_the_right_answer_of_a_group(loss, case, dtype, runner):
    with cases.running(runner):
        found = group_cases.outputs(loss, group(case, dtype))
    for got, exact, bound in zip(found, case[3:6], loss.ulps[dtype], strict=True):
        check(got, exact, bound, dtype, *case[6:])


@pytest.mark.parametrize("name", [*fl.losses(), *fl.losses(gradient=False)])
def test_every_loss_has_hard_cases(name):
    assert sum(loss.name == name for loss, _ in EVERY) >= 8


# ---- rows that are absent, or weigh


def test_an_ignored_row_leaves_the_mean_alone():
    loss = fl.SoftmaxCrossEntropy(ignore_index=-100)
    for bad in (-INF, NAN, INF):
        rows = np.array([[bad] * 3, [0, 0, 0]], np.float32)
        value, grad = loss.value_and_grad(rows, np.array([-100, 1]))
        assert value == pytest.approx(1.0986122886681098, rel=1e-7)
        assert (grad[0] == 0).all()


def test_an_ignored_row_has_no_uniform_part():
    loss = fl.SoftmaxCrossEntropy(ignore_index=-100, label_smoothing=0.2)
    rows = np.array([[0.0, 1, 2], [1, 2, 3]])
    assert loss.value(rows, np.array([-100, 1])) == pytest.approx(1.4076059644443803, rel=1e-15)


@pytest.mark.parametrize("ignored", [2, 255, -1])
def test_the_ignored_index_may_be_any(ignored):
    loss = fl.SoftmaxCrossEntropy(ignore_index=ignored)
    rows = np.zeros((2, 3), np.float32)
    assert loss.value(rows, np.array([ignored, 0])) == pytest.approx(1.0986122886681098, rel=1e-7)


def test_a_class_without_weight_drops_its_row():
    loss = fl.SoftmaxCrossEntropy(class_weight=[0, 1])
    rows = np.array([[-INF, 0], [1, 0]])
    assert loss.value(rows, np.array([0, 1])) == pytest.approx(1.3132616875182228, rel=1e-15)


def test_the_uniform_part_weighs_as_the_label_does():
    loss = fl.SoftmaxCrossEntropy(class_weight=[1, 10, 100], label_smoothing=0.1)
    value, grad = loss.value_and_grad(np.array([[0.0, 1, 2]]), np.array([1]))
    assert value == pytest.approx(1.4076059644443803, rel=1e-15)
    expected = [[0.05669723983704712, -0.6886048622785357, 0.6319076224414886]]
    np.testing.assert_allclose(grad, expected, 1e-14)


# ---- sums, counts and weights at the ends of what floats hold

BUILT_IN = [runner for runner in cases.RUNNERS if runner[0] != "numba"]
"""What sums and weighs; Numba's functions run under the native driver."""
each_built_in = pytest.mark.parametrize("runner", BUILT_IN, ids=cases.name_of)
ABSOLUTE = fl.AbsoluteError()


@each_built_in
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(
    ("logit", "answers"),
    [
        (0, (13.815510557964274, (-0.999999, 1e-6), (9.99999e-7, 9.99999e-7))),
        (20, (0.002059030302729123, (-0.0020569119539995236, 2.0569140109135345e-9),
              (0.0020526810672130175, 2.0569140066826393e-9))),
    ],
)  # fmt: skip
def test_a_million_classes(logit, answers, dtype, runner):
    loss = fl.SoftmaxCrossEntropy()
    rows = np.zeros((1, 1_000_000), dtype)
    rows[0, 0] = logit
    with cases.running(runner):
        found = cases.outputs(loss, {"prediction": rows, "target": [0]})
    for got, exact, bound in zip(found, answers, loss.ulps[dtype], strict=True):
        got = got.ravel()
        check(got[:2], exact, bound, dtype)
        assert (got[2:] == got[1:2]).all()


def test_ones_add_up():
    ones, zeros = np.ones(17_000_000, np.float32), np.zeros(17_000_000, np.uint8)
    assert ABSOLUTE.value(ones, zeros, reduction="sum") == 17_000_000


@pytest.mark.parametrize("isa", cases.ISAS)
def test_more_units_than_float32_counts(isa):
    n = 2**24 + 1
    prediction = np.broadcast_to(np.float32(0.1), n)
    weight = np.broadcast_to(np.float32(1), n)
    with cases.running(("native", isa)):
        value, grad = ABSOLUTE.value_and_grad(prediction, 0, weight)
    assert value == pytest.approx(float(np.float32(0.1)), rel=1e-15)
    assert grad[0] == np.float32(1 / n)


@each_built_in
def test_a_sum_beyond_float32(runner):
    with cases.running(runner):
        value = ABSOLUTE.value(np.full(2, 2.0**127, np.float32), 0, reduction="sum")
    assert value == 2.0**128


@each_built_in
def test_a_sum_beyond_float64(runner):
    with cases.running(runner):
        assert ABSOLUTE.value(np.full(40, 2.0**1023), 0, reduction="sum") == INF


@each_built_in
@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_a_weight_beyond_float32(reduction, runner):
    prediction, weight = np.array([0, 1], np.float32), np.array([1e300, 1])
    with cases.running(runner):
        value, grad, hess = ABSOLUTE.value_grad_hess(prediction, 0, weight, reduction)
    np.testing.assert_array_equal(value, [0, 1] if reduction == "none" else 1)
    np.testing.assert_array_equal(grad, [0, 1])
    np.testing.assert_array_equal(hess, [0, 0])


# ---- dtypes


@each_built_in
@pytest.mark.parametrize(
    ("target", "dtype", "rounded"),
    [
        (np.uint64(2**64 - 1), "float64", 2.0**64),
        (np.uint64(2**53 + 1), "float64", 2.0**53),
        (np.int64(-(2**63)), "float64", -(2.0**63)),
        (np.int64(2**53 + 3), "float64", 2.0**53 + 4),
        (np.uint64(2**64 - 1), "float32", 2.0**64),
        # just above the middle of two float32, and the middle once rounded to float64
        (np.uint64(2**62 + 2**38 + 1), "float32", 2.0**62 + 2.0**39),
        (np.int64(-(2**62) - 2**38 - 1), "float32", -(2.0**62) - 2.0**39),
        (np.int32(2**24 + 1), "float32", 2.0**24),
        (np.float64(1 + 2.0**-24 + 2.0**-50), "float32", 1 + 2.0**-23),
        (np.float64(1e300), "float32", INF),
        (np.float64(1e-300), "float32", 0.0),
        (np.float16(2.0**-24), "float32", 2.0**-24),
    ],
    ids=repr,
)
def test_targets_are_rounded_once(target, dtype, rounded, runner):
    prediction, n = np.zeros(33, dtype), 33
    with cases.running(runner):
        value = ABSOLUTE.value(prediction, np.full(n, target), reduction="none")
    np.testing.assert_array_equal(value, np.full(n, abs(rounded), dtype))


@each_built_in
def test_a_square_that_overflows_float16(runner):
    loss, x = fl.SquaredError(), np.full(3, 300, np.float16)
    with cases.running(runner):
        assert loss.value(x, 0) == 90_000
        value, grad, hess = loss.value_grad_hess(x, 0, reduction="none")
    np.testing.assert_array_equal(value, np.full(3, INF, np.float16))
    np.testing.assert_array_equal(grad, np.full(3, 600, np.float16))
    np.testing.assert_array_equal(hess, np.full(3, 2, np.float16))


@each_built_in
def test_many_classes_in_float16(runner):
    rows = np.zeros((1, 70_000), np.float16)
    with cases.running(runner):
        value = fl.SoftmaxCrossEntropy().value(rows, [3], reduction="none")
    assert value.dtype == np.float16
    assert value[0] == np.float16(11.156250521031495)


# ---- divergences


@each_built_in
@pytest.mark.parametrize("prediction_is", ["logits", "log_probs", "probs"])
def test_a_divergence_from_itself_is_nothing(prediction_is, runner):
    logits = np.array([[1.0, 2, 3]])
    p = np.exp(logits) / np.exp(logits).sum()
    prediction = {"logits": logits, "log_probs": np.log(p), "probs": p}[prediction_is]
    with cases.running(runner):
        assert abs(fl.KlDivergence(prediction_is=prediction_is).value(prediction, p)) <= 2.0**-53
