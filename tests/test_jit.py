"""Losses as functions in code that users compile: right, in loops that fill vectors, and refused
where they are no functions of numbers or rows.
"""

import re

import cases
import mpmath
import numpy as np
import pytest
from mpmath import mpf
from numba import njit
from numba.core.errors import TypingError

import fastloss as fl
from fastloss import jit
from fastloss.accuracy.oracle import OUTPUTS, Truth
from fastloss.accuracy.points import sweep
from fastloss.accuracy.ulps import Column

UNITS = 24
WORDS = {
    # exact function, its bound in ulps, where it is looked at
    "digamma": (mpmath.digamma, 1.7, (0.5, 100.0)),
    "erf": (mpmath.erf, 2.2, (-6.0, 6.0)),
    "erfc": (mpmath.erfc, 1.7, (-6.0, 9.0)),
    "exp": (mpmath.exp, 1.2, (-80.0, 80.0)),
    "expm1": (mpmath.expm1, 1.3, (-80.0, 80.0)),
    "lgamma": (mpmath.loggamma, 1.5, (0.1, 100.0)),
    "log": (mpmath.log, 0.95, (0.0, 100.0)),
    "log1mexp": (lambda x: mpmath.log(-mpmath.expm1(-x)), 1.6, (0.0, 80.0)),
    "log1p": (mpmath.log1p, 1.1, (-0.99, 100.0)),
    "log_normal_cdf": (lambda x: mpmath.log(mpmath.ncdf(x)), 1.6, (-15.0, 9.0)),
    "normal_cdf": (mpmath.ncdf, 1.1, (-12.0, 12.0)),
    "normal_density": (mpmath.npdf, 0.8, (-12.0, 12.0)),
    "power": (lambda x: x ** mpf(2.5), 1.3, (0.0, 1e6)),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), 2.5, (-80.0, 80.0)),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), 2.5, (-80.0, 80.0)),
    "tanh": (mpmath.tanh, 0.55, (-20.0, 20.0)),
    "trigamma": (lambda x: mpmath.psi(1, x), 1.4, (0.5, 100.0)),
}
QUICK = {"absolute_error", "crps_gaussian", "zero_one"}


def way(loss, kind):
    """What decides how a function goes about its loss, whatever the formula."""
    if loss.schema == "map":
        return len(loss.inputs), len(loss.differentiated), loss.has_gradient
    scalars = loss.scalars
    sums = scalars.term_sums > 0, scalars.settled > 0
    return kind, loss.encoding, loss.above_threshold, scalars.reference, sums, loss.has_gradient


def functions():
    """A loss and a kind of target for each way; compiling them all takes minutes."""
    losses = [fl.get(name) for name in dir(jit) if name not in (*WORDS, "function")]
    ways = {way(loss, kind): (loss, kind) for loss, kind in reversed(cases.with_kinds(losses))}
    for i, (loss, kind) in enumerate(ways.values()):
        dtype = cases.DTYPES[i % 2]
        marks = () if loss.name in QUICK else (pytest.mark.full,)
        yield pytest.param(loss, kind, dtype, id=f"{loss.name}-{kind}-{dtype}", marks=marks)


def each(function, loss, inputs):
    """What a function gives for each unit; of several predictions on a last axis."""
    found = [function(*unit) for unit in zip(*(inputs[n] for n in loss.inputs), strict=True)]
    return [np.array(x) for x in zip(*found, strict=True)] if loss.has_gradient else [found]


@pytest.mark.parametrize(("loss", "kind", "dtype"), [*functions()])
def test_it_keeps_the_bounds_of_its_loss(loss, kind, dtype):
    inputs = cases.sample(loss, (UNITS,), dtype, cases.generator(), kind)
    found = each(getattr(jit, loss.name), loss, inputs)
    if not loss.has_gradient:  # the core's are exact
        np.testing.assert_array_equal(found[0], loss.value(**inputs, reduction="none"))
        return
    truth = Truth(loss, inputs, dtype)
    for output, got, bound in zip(OUTPUTS, found, loss.ulps[dtype], strict=True):
        rounded = np.asarray(got, dtype)  # Python's numbers are float64
        np.testing.assert_array_equal(rounded, got)
        assert truth.worst(output, rounded, bound=bound)[0] <= bound


def test_every_loss_of_elements_and_rows_has_one():
    units = {n for n in cases.unit_losses() if not isinstance(fl.get(n), fl.GroupLoss)}
    assert {*dir(jit)} == {*units, *fl.losses(gradient=False), *WORDS, "function"}


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("name", WORDS)
def test_words(name, dtype):
    function, (exact, bound, ends) = getattr(jit, name), WORDS[name]
    x = np.concatenate([sweep(*ends, 40, dtype), np.linspace(*ends, 61)]).astype(dtype)
    if name in ("log", "power", "log1mexp"):
        x = x[x > np.finfo(dtype).tiny]
    more = (np.dtype(dtype).type(2.5),) if name == "power" else ()
    got = [function(one, *more) for one in x]
    np.testing.assert_array_equal(np.array(got, dtype), got)
    with mpmath.workprec(300):
        truth = Column([exact(mpf(float(one))) for one in x], dtype)
    assert truth.errors(np.array(got, dtype)).max() <= bound


# ---- in users' loops


def stores(prediction, target, value, grad, hess):
    for i in range(prediction.size):
        value[i], grad[i], hess[i] = jit.sigmoid_cross_entropy(prediction[i], target[i])


def sums(prediction, target, grad):
    total = np.float32(0)
    for i in range(prediction.size):
        value, grad[i], _ = jit.sigmoid_cross_entropy(prediction[i], target[i])
        total += value
    return total


def logits():
    rng = cases.generator()
    prediction = rng.normal(size=1000).astype(np.float32)
    return prediction, (rng.random(1000) < 0.5).astype(np.float32)


def fills_vectors(function):
    (text,) = function.inspect_asm().values()
    return len(re.findall(r"\bv?(?:mul|fn?madd\d+)ps\b", text)) > 10


def test_a_loop_fills_vectors():
    prediction, target = logits()
    outputs = [np.empty_like(prediction) for _ in OUTPUTS]
    compiled = njit(stores)
    compiled(prediction, target, *outputs)
    assert fills_vectors(compiled)
    loss = fl.SigmoidCrossEntropy()
    for got, want in zip(
        outputs, loss.value_grad_hess(prediction, target, reduction="none"), strict=True
    ):
        np.testing.assert_array_equal(got, want)


def test_a_sum_in_any_order_fills_vectors_and_changes_no_gradient():
    prediction, target = logits()
    grad = np.empty_like(prediction)
    compiled = njit(sums, fastmath=True)
    total = compiled(prediction, target, grad)
    assert fills_vectors(compiled)
    value, want = fl.SigmoidCrossEntropy().value_and_grad(prediction, target, reduction="sum")
    np.testing.assert_array_equal(grad, want)
    assert total == pytest.approx(value, rel=1e-5)


@njit(fastmath=True)
def fast_sigmoid(x, out):
    for i in range(x.size):
        out[i] = jit.sigmoid(x[i])


@njit(fastmath=True)
def fast_huber(x, out):
    for i in range(x.size):
        out[i] = jit.huber(x[i], out[i])[1]


@njit(fastmath=True)
def fast_softmax(x, out):
    jit.softmax_cross_entropy(x, 1, out, None)


@pytest.mark.parametrize("caller", [fast_sigmoid, fast_huber, fast_softmax])
@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_a_caller_in_a_hurry_changes_no_operation(caller, dtype):
    """Compensated sums would vanish; whether it shows depends on the processor."""
    caller(np.ones(9, dtype), np.ones(9, dtype))
    text = caller.inspect_llvm(caller.signatures[-1])
    assert not re.search(r"\b(?:fast|reassoc|contract|arcp|afn) <?\w", text)


def test_parameters_are_constants():
    huber = jit.function(fl.Huber(delta=2.0))
    assert huber(prediction=5.0, target=1.0) == (6.0, 2.0, 0.0)
    assert jit.huber(5.0, 1.0) == (3.5, 1.0, 0.0)
    assert jit.function(fl.Huber(delta=2.0)) is huber


def test_losses_of_ones_own():
    both = jit.function(0.5 * fl.SquaredError() + 2 * fl.AbsoluteError())

    @fl.custom
    def fourth(prediction, target):
        return (prediction - target) ** 4

    assert both(3.0, 1.0) == (6.0, 4.0, 1.0)
    assert jit.function(fourth())(3.0, 1.0) == (16.0, 32.0, 48.0)


# ---- rows


def test_a_row_writes_into_arrays_that_are_given():
    loss = fl.SoftmaxCrossEntropy(label_smoothing=0.1)
    function = jit.function(loss)
    row = np.array([1.0, -2.0, 0.5])
    want = loss.value_grad_hess(row[np.newaxis], np.array([2]), reduction="none")
    grad, hess = np.empty(3), np.empty(3)
    value, to_grad, to_hess = function(row, 2, grad, hess)
    assert value == want[0][0]
    for arrays in ((grad, hess), (to_grad, to_hess)):
        np.testing.assert_array_equal(arrays, (want[1][0], want[2][0]))
    function(row, 2, row)
    np.testing.assert_array_equal(row, grad)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class(label):
    with pytest.raises(ValueError, match="target is no class"):
        jit.softmax_cross_entropy(np.zeros(3), label)


def test_an_array_of_another_length():
    with pytest.raises(ValueError, match="grad has not as many classes as the row"):
        jit.softmax_cross_entropy(np.zeros(3), 0, np.zeros(2))


# ---- what is no function


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jit.huber(1, 2.0), "prediction of huber must be float32 or float64; got int64"),
        (lambda: jit.softmax_cross_entropy(1.0, 0), "must be a row; got float64"),
        (lambda: jit.softmax_cross_entropy(np.zeros(3), 1.0), "target of .* cannot be float64"),
        (lambda: jit.kl_divergence(np.zeros(3), 1), "target of kl_divergence cannot be int64"),
    ],
)
def test_arguments_of_other_types(call, message):
    with pytest.raises(TypingError, match=message):
        call()


def test_losses_without_a_function():
    with pytest.raises(TypeError, match="listmle is a loss of groups"):
        jit.function(fl.Listmle())
    with pytest.raises(ValueError, match="neither class_weight nor ignore_index"):
        jit.function(fl.SoftmaxCrossEntropy(ignore_index=-1))
    with pytest.raises(TypeError, match="takes a loss"):
        jit.function(fl.Huber)
    with pytest.raises(AttributeError, match="no attribute 'listmle'"):
        _ = jit.listmle
