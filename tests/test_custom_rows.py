"""Losses of users' formulas of rows: tracing, derivatives through all classes, digits, limits."""

import inspect
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import cases
import mpmath
import numpy as np
import pytest
import scipy.special
import sympy
from bits import all_same_bits

import fastloss as fl
from fastloss import rowwise
from fastloss._custom.rows import (
    PREDICTION,
    AtLabel,
    LogShare,
    LogTotal,
    OtherShare,
    Share,
    Total,
)
from fastloss._custom.stable import EARLY_OF_ROWS, rewritten
from fastloss._custom.trace_rows import REDUCTIONS
from fastloss.accuracy import measure, points
from fastloss.rowwise import is_label, log_softmax, logsumexp, softmax
from fastloss.vocabulary import rebind
from fastloss.vocabulary.exact import WORDS

FULL = pytest.mark.full
BACKENDS = ["numpy", pytest.param("native", marks=FULL)]
RNG = cases.generator
PROBABILITIES = {"prediction": (0.0, 1.0)}


# ---- formulas of the registry, written as anybody would


@fl.custom(rows="labels", convex=True, smooth=True, link="multilogit")
def softmax_cross_entropy(prediction, target):
    return logsumexp(prediction) - prediction[target]


@fl.custom(rows="masses", convex=True, smooth=True)
def soft_cross_entropy(prediction, target):
    return -np.sum(target * log_softmax(prediction))


@fl.custom(rows="labels")
def generalized_cross_entropy(prediction, target, q=0.7):
    p = softmax(prediction)
    return (1 - p[target] ** q) / q


@fl.custom(rows="labels")
def softmax_focal(prediction, target, gamma=2.0):
    p = softmax(prediction)[target]
    return -((1 - p) ** gamma) * np.log(p)


@fl.custom(rows="labels")
def poly1(prediction, target, epsilon=2.0):
    p = softmax(prediction)[target]
    return epsilon * (1 - p) - np.log(p)


@fl.custom(rows="masses", convex=True, domains=PROBABILITIES)
def kl_divergence(prediction, target):
    return np.sum(target * np.log(target / prediction))


@fl.custom(rows="masses")
def kl_of_logits(prediction, target):
    return np.sum(target * (np.log(target) - log_softmax(prediction)))


@fl.custom(rows="masses", convex=True, domains=PROBABILITIES)
def multiclass_brier(prediction, target):
    return np.sum((prediction - target) ** 2)


@fl.custom(rows="labels", convex=True)
def multi_margin(prediction, target, margin=1.0):
    violation = np.maximum(0, margin + prediction - prediction[target])
    return np.sum(np.where(is_label(prediction, target), 0, violation)) / prediction.size


@fl.custom(rows="labels", convex=True)
def multiclass_hinge(prediction, target, margin=1.0):
    rival = np.max(np.where(is_label(prediction, target), -np.inf, prediction))
    return np.maximum(0, margin + rival - prediction[target])


BUILT_IN = {
    softmax_cross_entropy: (fl.SoftmaxCrossEntropy(), "labels", "all", (1.5, 2, 2.5)),
    soft_cross_entropy: (fl.SoftmaxCrossEntropy(), "distribution", "all", (1.5, 3, 2.5)),
    generalized_cross_entropy: (fl.GeneralizedCrossEntropy(), "labels", "all", (4, 5, 6)),
    softmax_focal: (fl.SoftmaxFocal(), "labels", "ordinary", (4, 5, 6)),
    poly1: (fl.Poly1(), "labels", "all", (2, 4, 7.5)),
    kl_divergence: (fl.KlDivergence(prediction_is="probs"), "distribution", "all", (2, 2, 2.5)),
    kl_of_logits: (fl.KlDivergence(), "distribution", "all", (2, 3, 2.5)),
    multiclass_brier: (fl.MulticlassBrier(), "distribution", "all", (2, 1, 0)),
    multi_margin: (fl.MultiMargin(), "labels", "all", (2, 2, 1)),
    multiclass_hinge: (fl.MulticlassHinge(), "labels", "all", (1, 1, 0)),
}
"""The registry's loss, its targets, where both are compared with its truth, to how many ulps.

Most are what the registry states of its own.
"""
COMPILED = (softmax_cross_entropy, kl_divergence, multiclass_hinge)
RUNS = [
    *((custom, dtype, "numpy") for custom in BUILT_IN for dtype in cases.DTYPES),
    *(
        pytest.param(custom, dtype, "native", marks=FULL)
        for custom in COMPILED
        for dtype in cases.DTYPES
    ),
]


@pytest.mark.parametrize(
    ("custom", "dtype", "backend"), RUNS, ids=lambda x: getattr(x, "__name__", x)
)
def test_formulas_of_the_registry(custom, dtype, backend):
    own, kind, where, bounds = BUILT_IN[custom]
    case = points.case(own, kind, dtype, 120)
    mine = points.Case(custom(), kind, dtype, case.inputs, case.ordinary, case.truth)
    found = measure.own(mine, [(backend, None)])
    worst = found.all if where == "all" else found.ordinary
    for output, bound in zip(worst, bounds, strict=True):
        assert worst[output].error <= bound, str(worst[output])


@pytest.mark.parametrize("backend", BACKENDS)
def test_confident_rows_keep_their_digits(backend):
    with fl.use_backend(backend):
        z = np.array([[20, 0, 0]], np.float32)
        value, grad = softmax_cross_entropy().value_and_grad(z, np.zeros(1, int))
        rest = 2 * math.exp(-20)
        np.testing.assert_allclose(value, math.log1p(rest), 1e-7)
        true = np.array([-rest, rest / 2, rest / 2]) / (1 + rest)
        np.testing.assert_allclose(grad[0], true, 1e-6)
        assert softmax_cross_entropy().value(np.full((1, 2), 1e8), np.zeros(1, int)) == math.log(2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_limits(backend):
    inf = np.inf
    z = np.array([[inf, 0, 1], [-inf, 0, 0], [0, -inf, 0], [inf, inf, 0], [np.nan, 0, 1]])
    with fl.use_backend(backend):
        value, grad = softmax_cross_entropy().value_and_grad(
            z, np.zeros(5, int), reduction="none", value_out=np.empty(5)
        )
        assert value[0] == 0
        assert grad[0].tolist() == [0, 0, 0]
        assert value[1] == inf
        assert grad[1].tolist() == [-1, 0.5, 0.5]
        assert grad[2].tolist() == [-0.5, 0, 0.5]
        assert np.isnan(value[3:]).all()
        assert np.isnan(grad[3:]).all()
        value = multiclass_hinge().value(z, np.array([1, 0, 0, 0, 2]), reduction="none")
        assert value[:3].tolist() == [inf, inf, 1]
        assert np.isnan(value[4])  # hidden from a maximum


@pytest.mark.parametrize("backend", BACKENDS)
def test_margins_keep_what_predictions_differ_by(backend):
    with fl.use_backend(backend):
        z = np.array([[-1.0, -1e-30], [1e17, 1e17]])
        value, grad = multiclass_hinge().value_and_grad(
            z, np.ones(2, int), reduction="none", value_out=np.empty(2)
        )
        assert value.tolist() == [1e-30, 1.0]
        assert grad.tolist() == [[1, -1], [1, -1]]


# ---- derivatives, against the formula itself on rows of NumPy


def entropy_penalty(prediction, target, w=0.1):
    log_p = log_softmax(prediction / 2)
    return -log_p[target] + w * np.sum(softmax(prediction / 2) * log_p)


def of_a_scaled_row(prediction, target):
    size = np.sqrt(1 + np.sum(prediction**2))
    return np.sum((softmax(prediction / size) - target) ** 2)


def cosine(prediction, target):
    return 1 - prediction @ target / np.sqrt(np.sum(prediction**2) * np.sum(target**2))


def softmax_of_a_softmax(prediction, target):
    p = softmax(softmax(3 * prediction))
    return -np.log(p[target]) + p.max() * logsumexp(prediction) + np.mean(p**2)


def less_its_mean(prediction, target):
    apart = prediction - prediction.mean()
    away = np.abs(apart[target]) ** 1.5 + np.min(prediction) * np.sum(apart**3) / apart.size
    return away + logsumexp(np.where(is_label(prediction, target), 2 * apart, apart))


def by_hand(prediction, target):
    e = np.exp(prediction - prediction.max())
    return -np.log(e[target] / e.sum()) + np.dot(e, e)


FORMULAS = {
    entropy_penalty: "labels",
    of_a_scaled_row: "masses",
    cosine: "masses",
    softmax_of_a_softmax: "labels",
    less_its_mean: "labels",
    by_hand: "labels",
    **{
        formula: "labels" if kind == "labels" else "masses"
        for formula, kind in (
            (lambda prediction, target: logsumexp(prediction) - prediction[target], "labels"),
            (lambda prediction, target: -np.sum(target * log_softmax(prediction)), "masses"),
            (lambda prediction, target: softmax(prediction)[target] ** 0.3, "labels"),
            (lambda prediction, target: np.log(np.sum(np.exp(prediction) * target)), "masses"),
            (lambda prediction, target: np.sum(prediction) * np.max(prediction), "labels"),
        )
    },
}


def rows_of(kind, n=12, classes=4):
    rng = RNG()
    z = rng.normal(size=(n, classes)) * 2
    t = rng.integers(0, classes, n) if kind == "labels" else rng.dirichlet(np.ones(classes), n)
    return z, t


def differences(formula, z, t):
    """Gradient and diagonal Hessian by fourth-order differences in long double."""
    h = np.longdouble(1e-3)
    steps = h * np.arange(-2, 3)
    first, second = np.zeros(z.size), np.zeros(z.size)
    for j in range(z.size):
        unit = np.arange(z.size) == j
        y = [formula(z.astype(np.longdouble) + step * unit, t) for step in steps]
        first[j] = (y[0] - 8 * y[1] + 8 * y[3] - y[4]) / (12 * h)
        second[j] = (-y[0] + 16 * y[1] - 30 * y[2] + 16 * y[3] - y[4]) / (12 * h * h)
    return first, second


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__name__.strip("<>"))
def test_derivatives_are_those_of_the_formula(formula):
    kind = FORMULAS[formula]
    z, t = rows_of(kind)
    with fl.use_backend("numpy"):
        value, grad, hess = fl.custom(formula, rows=kind)().value_grad_hess(
            z, t, reduction="none", value_out=np.empty(len(z))
        )
    for i in range(len(z)):
        first, second = differences(formula, z[i], t[i])
        np.testing.assert_allclose(value[i], formula(z[i], t[i]), 1e-13)
        np.testing.assert_allclose(grad[i], first, 1e-7, 1e-9)
        np.testing.assert_allclose(hess[i], second, 1e-6, 1e-8)


@pytest.mark.full
def test_compiled_and_on_numpy_they_are_the_same():
    z, t = rows_of("labels", 1500, 7)
    loss = fl.custom(less_its_mean, rows="labels")()
    with fl.use_backend("numpy"):
        plain = loss.value_and_grad(z, t, weight=t + 1.0)
    found, transposed = (
        loss.value_and_grad(np.asarray(z, order=order), t, weight=t + 1.0) for order in "CF"
    )
    assert all_same_bits(found, transposed)
    for mine, its in zip(found, plain, strict=True):
        np.testing.assert_allclose(mine, its, 1e-11, 1e-15)


def test_ties_share_the_gradient():
    losses = {
        lambda prediction, target: np.max(prediction) - prediction[target]: [0.5, -1, 0.5],
        lambda prediction, target: np.min(-prediction) + 0 * prediction[target]: [-0.5, 0, -0.5],
        lambda prediction, target: np.max(prediction**2) ** 2 + 0 * prediction[target]: [2, 0, 2],
    }
    z = np.array([[1.0, 0.0, 1.0]])
    with fl.use_backend("numpy"):
        for formula, slopes in losses.items():
            grad = fl.custom(formula, rows="labels")().grad(z, np.ones(1, int), reduction="sum")
            assert grad.tolist() == [slopes]
        hinge = multiclass_hinge()
        z = np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
        grad = hinge.grad(z, np.zeros(2, int), reduction="sum")
        assert grad.tolist() == [[-1, 0.5, 0.5], [0, 0, 0]]


# ---- tracing


def test_functions_of_rows_are_those_of_scipy():
    x, t = RNG().normal(size=(3, 4, 5)) * 9, RNG().integers(0, 5, (3, 4))
    for name in ("softmax", "log_softmax", "logsumexp"):
        true = getattr(scipy.special, name)(x, axis=-1)
        np.testing.assert_allclose(getattr(rowwise, name)(x), true, 1e-13, 1e-14)
    assert (np.argmax(is_label(x, t), -1) == t).all()
    assert (is_label(x, t).sum(-1) == 1).all()


def test_shapes_are_numpys():
    def formula(prediction, target):
        of_one = np.sum(np.sum(prediction)) + np.max(prediction[target])
        return of_one + np.sum(np.ones_like(prediction)) + np.size(prediction[target])

    z, t = rows_of("labels")
    with fl.use_backend("numpy"):
        values = fl.custom(formula, rows="labels")().value(z, t, reduction="none")
    np.testing.assert_allclose(values, [formula(*row) for row in zip(z, t, strict=True)], 1e-14)


U = PREDICTION / 3
PATTERNS = {
    sympy.log(Total(sympy.exp(U))): LogTotal(U),
    sympy.exp(U) / Total(sympy.exp(U)): Share(U),
    AtLabel(sympy.exp(U)) / Total(sympy.exp(U)): AtLabel(Share(U)),
    sympy.log(Share(U)): LogShare(U),
    sympy.log(AtLabel(Share(U))): AtLabel(LogShare(U)),
    LogTotal(U) - AtLabel(U): -AtLabel(LogShare(U)),
    2 * U - 2 * LogTotal(U): 2 * LogShare(U),
    1 - Share(U): OtherShare(U),
    AtLabel(Share(U)) - 1: -AtLabel(OtherShare(U)),
    Total(Share(U)): sympy.S.One,
    Share(U - Total(U)): Share(U),
}


@pytest.mark.parametrize(("naive", "stable"), PATTERNS.items(), ids=str)
def test_naive_patterns_become_stable(naive, stable):
    assert rewritten(naive, EARLY_OF_ROWS) == stable


LABELS, MASSES = "labels", "masses"
REFUSED = {
    "SciPy's softmax": (lambda p, t: scipy.special.softmax(p)[t], LABELS, "fastloss.rowwise has"),
    "SciPy's logsumexp": (lambda p, t: scipy.special.logsumexp(p), LABELS, "fastloss.rowwise has"),
    "another index": (lambda p, t: p[0], LABELS, "has one index, the target"),
    "an index of masses": (lambda p, t: p[t], MASSES, "has one index, the target"),
    "an index of one number": (lambda p, t: np.sum(p)[t], LABELS, "no classes to take"),
    "arithmetic with a label": (lambda p, t: np.sum(p - t), LABELS, r"x\[target\] is what"),
    "a label first": (lambda p, t: t * np.sum(p), LABELS, r"x\[target\] is what"),
    "a function of a label": (lambda p, t: np.exp(t), LABELS, r"x\[target\] is what"),
    "a comparison with a label": (lambda p, t: np.sum(t == p), LABELS, r"x\[target\] is what"),
    "no label": (lambda p, t: np.sum(is_label(p, t)), MASSES, "rows='labels'"),
    "a softmax of one number": (lambda p, t: softmax(p[t]), LABELS, "a number for each class"),
    "a number for each class": (lambda p, t: p - p[t], LABELS, "must return one number"),
    "a constant": (lambda p, t: 3.0, LABELS, "must return what it computes"),
    "a condition": (lambda p, t: p[t] > 0, LABELS, "must return numbers"),
    "a loop": (lambda p, t: sum(p), LABELS, "cannot iterate"),
    "a branch": (lambda p, t: max(p[t], 0), LABELS, "cannot branch"),
    "sort": (lambda p, t: np.sort(p)[t], LABELS, "cannot use sort"),
    "argmax": (lambda p, t: p.argmax(), LABELS, r"cannot use \.argmax"),
    "an axis": (lambda p, t: np.sum(p, axis=1), LABELS, "cannot give sum axis="),
    "an option": (lambda p, t: p.sum(keepdims=True), LABELS, "cannot give sum keepdims="),
    "rows where there are none": (lambda p, t: softmax(p), None, r"fl\.custom\(rows=\.\.\.\)"),
    "a sum where there are none": (lambda p, t: np.sum(p), None, "cannot use sum"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_traced_is_named(what):
    formula, rows, message = REFUSED[what]
    with pytest.raises(TypeError, match=message):
        fl.custom(lambda prediction, target: formula(prediction, target), rows=rows)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"rows": "label"}, ValueError, "'labels' or 'masses'; got 'label'"),
        ({"rows": "labels", "inputs": ["cost"]}, TypeError, "no other inputs"),
        ({"rows": "labels", "domains": {"target": (0, 1)}}, ValueError, "are those of prediction;"),
    ],
)
def test_arguments_are_checked(options, kind, message):
    with pytest.raises(kind, match=message):
        fl.custom(lambda prediction, target: np.sum(prediction), **options)


# ---- everything that a loss of rows can do


def test_it_is_a_loss_of_rows():
    loss = generalized_cross_entropy(q=0.5, ignore_index=-1)
    assert isinstance(loss, fl.RowLoss)
    assert repr(loss) == "generalized_cross_entropy(ignore_index=-1, q=0.5)"
    assert loss.replace(q=0.7, ignore_index=None) == generalized_cross_entropy()
    assert set(inspect.signature(generalized_cross_entropy).parameters) == {
        "class_weight", "ignore_index", "q",
    }  # fmt: skip
    assert loss.kernel_parameters() == (0.5,)
    z = RNG().normal(size=(3, 4))
    np.testing.assert_allclose(softmax_cross_entropy().inverse_link(z), softmax(z), 1e-14)
    with pytest.raises(ValueError, match="needs class indices"):
        loss.value(z, softmax(z))
    with fl.use_backend("numpy"), pytest.raises(ValueError, match="outside its domain"):
        kl_divergence().value(z, softmax(z))


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_labels_and_reductions(backend):
    z, t = rows_of("labels", 700, 5)
    t[::7] = -1
    weight, of_class = RNG().random(700), np.array([1.0, 2.0, 0.5, 0.0, 3.0])
    loss = softmax_cross_entropy(class_weight=of_class, ignore_index=-1)
    w = np.where(t < 0, 0, weight * of_class[t])
    p, hot = softmax(z), is_label(z, t)
    value = -log_softmax(z)[np.arange(700), np.maximum(t, 0)]
    with fl.use_backend(backend):
        for reduction, scale in (("none", 1.0), ("sum", 1.0), ("mean", w.sum())):
            found = loss.value_grad_hess(z, t, weight=weight, reduction=reduction)
            expected = w * value if reduction == "none" else (w * value).sum() / scale
            np.testing.assert_allclose(found[0], expected, 1e-13)
            row = w[:, np.newaxis] / scale
            np.testing.assert_allclose(found[1], row * (p - hot), 1e-12, 1e-17)
            np.testing.assert_allclose(found[2], row * p * (1 - p), 1e-12)
        assert all_same_bits(loss.value_and_grad(z, t), loss.value_grad_hess(z, t)[:2])
        assert all_same_bits((loss.value(z, t),), (loss.value_and_grad(z, t)[0],))
        assert all_same_bits((loss.hess(z, t),), (loss.value_grad_hess(z, t)[2],))


@pytest.mark.parametrize("backend", BACKENDS)
def test_absent_rows_change_no_bit_and_nan_stays_in_its_row(backend):
    z, t = rows_of("labels", 40)
    weight = np.where(np.arange(40) % 5 == 0, 0.0, 1.0)
    dirty, labels = z.copy(), t.copy()
    dirty[::5], labels[::5] = [np.nan, np.inf, -np.inf, 1e300], 99
    holed = np.where((np.arange(40) == 7)[:, np.newaxis] & (np.arange(4) == 2), np.nan, z)
    with fl.use_backend(backend):
        loss = softmax_cross_entropy()
        clean = loss.value_grad_hess(z, t, weight=weight)
        assert all_same_bits(loss.value_grad_hess(dirty, labels, weight=weight), clean)
        for array in loss.value_grad_hess(holed, t, reduction="none"):
            nan = np.isnan(array.reshape(40, -1))
            assert np.flatnonzero(nan.any(1)).tolist() == [7]
            assert nan[7].all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("custom", [softmax_cross_entropy, multiclass_hinge])
def test_the_gradient_may_be_written_over_the_prediction(custom, backend):
    z, t = rows_of("labels", 600)
    with fl.use_backend(backend):
        loss = custom()
        apart = loss.value_and_grad(z, t)
        over = z.copy()
        assert all_same_bits(loss.value_and_grad(over, t, grad_out=over), apart)
        over = z.copy()
        three = loss.value_grad_hess(over, t, grad_out=over)
        assert all_same_bits(three, loss.value_grad_hess(z, t))


def test_masses_take_labels_too():
    z, t = rows_of("labels")
    with fl.use_backend("numpy"):
        indices = soft_cross_entropy().value_grad_hess(z, t)
        one_hot = soft_cross_entropy().value_grad_hess(z, 1.0 * is_label(z, t))
        assert all_same_bits(indices, one_hot)
        own = softmax_cross_entropy().value_grad_hess(z, t)
        for mine, its in zip(indices, own, strict=True):
            np.testing.assert_allclose(mine, its, 1e-14)


def test_given_derivatives_take_the_place_of_derived_ones():
    @fl.custom(
        rows="labels",
        grad=lambda prediction, target: 2 * (softmax(prediction) - is_label(prediction, target)),
        hess=lambda prediction, target: 1.0,
    )
    def given(prediction, target):
        return logsumexp(prediction) - prediction[target]

    z, t = rows_of("labels")
    with fl.use_backend("numpy"):
        grad, hess = given().grad_and_hess(z, t)
        np.testing.assert_allclose(grad, 2 * softmax_cross_entropy().grad(z, t), 1e-12, 1e-15)
        assert (hess == 1 / len(z)).all()


def test_formulas_that_are_equal_make_one_class():
    def twice():
        @fl.custom(rows="labels")
        def own(prediction, target):
            return np.max(np.where(is_label(prediction, target), 0, prediction)) ** 2

        return own

    assert twice() is twice()
    assert pickle.loads(pickle.dumps(twice()())) == twice()()


def test_it_pickles_into_a_process_that_does_not_know_it():
    inputs = rows_of("labels")
    code = (
        "import pickle, sys, fastloss as fl\n"
        "loss, inputs = pickle.load(sys.stdin.buffer)\n"
        "with fl.use_backend('numpy'): print(repr(loss), loss.value(*inputs))"
    )
    for loss in (generalized_cross_entropy(q=0.5), multiclass_hinge()):
        done = subprocess.run(
            [sys.executable, "-c", code], input=pickle.dumps((loss, inputs)), capture_output=True
        )
        with fl.use_backend("numpy"):
            expected = [repr(loss), str(loss.value(*inputs))]
        assert done.stdout.decode().split() == expected, done.stderr


def test_sources():
    text = generalized_cross_entropy.source()
    assert text.startswith("# generalized_cross_entropy\n")
    assert "expm1(" in text
    assert r"\operatorname{softmax}" in generalized_cross_entropy.source(latex=True)
    assert r"\max" in multiclass_hinge.source(latex=True)


def test_check_reports_what_is_wrong():
    @fl.custom(rows="labels", grad=lambda prediction, target: softmax(prediction))
    def wrong(prediction, target):
        return logsumexp(prediction) - prediction[target]

    with fl.use_backend("numpy"):
        report = wrong.check()
        assert not report.ok
        assert re.search(r"prediction = \[.*\], target = \d", str(report))
        for good in (generalized_cross_entropy, kl_divergence, multi_margin):
            report = good.check()
            assert report.ok, str(report)
            assert "loses digits" not in str(report)


def test_definitions_have_nothing_where_there_is_no_mass():
    half, one, zero = mpmath.mpf(0.5), mpmath.mpf(1), mpmath.mpf(0)
    for custom, true in ((kl_divergence, mpmath.log(2)), (kl_of_logits, mpmath.log(2))):
        definition = rebind(custom.definition, WORDS)
        assert mpmath.almosteq(definition([half, half], [zero, one]), true)


def test_the_page_lists_what_can_be_traced():
    page = (Path(__file__).parents[1] / "docs/custom.md").read_text()
    table = page[page.index("## Rows") : page.index("## What `check`")]
    for name in (*(function.__name__.replace("amax", "max") for function in REDUCTIONS),):
        assert f"`{name.replace('amin', 'min')}`" in table
    for name in rowwise.__all__:
        assert f"`{name}`" in table
