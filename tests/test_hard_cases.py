"""Inputs that some library gets wrong, with the right answers.

Each row names what is hard about it; the values come from limits and from 60-digit arithmetic.
"""

import cases
import numpy as np
import pytest

import fastloss as fl

INF, NAN = np.inf, np.nan
LN2 = 0.6931471805599453
F32, F64 = "float32", "float64"

CASES = [
    # softmax cross-entropy
    ("a masked class", "softmax_cross_entropy", [-INF, 0, 0], 1, F32, LN2, [0, -0.5, 0.5]),
    ("the label is masked", "softmax_cross_entropy", [-INF, 0, 0], 0, F32, INF, [-1, 0.5, 0.5]),
    ("an infinite label", "softmax_cross_entropy", [INF, 0, 0], 0, F32, 0, [0, 0, 0]),
    ("an infinite other class", "softmax_cross_entropy", [INF, 0, 0], 1, F32, INF, [1, -1, 0]),
    ("a common offset", "softmax_cross_entropy", [1e8, 1e8], 0, F32, LN2, [-0.5, 0.5]),
    ("a common offset, no tie", "softmax_cross_entropy", [10001, 10000], 0, F32,
     0.3132616875182228, [-0.2689414213699951, 0.2689414213699951]),
    ("a difference that overflows", "softmax_cross_entropy", [3e38, -3e38], 1, F32, INF, [1, -1]),
    ("confident, two classes", "softmax_cross_entropy", [0, -20], 0, F32, 2.0611536181902037e-09,
     [-2.0611536181902037e-09, 2.0611536181902037e-09]),
    ("confident", "softmax_cross_entropy", [20, 0, 0], 0, F32, 4.122307236380407e-09,
     [-4.122307219e-09, 2.06115361e-09, 2.06115361e-09]),
    ("all far below zero", "softmax_cross_entropy", [-200, -200, -200], 0, F32,
     1.0986122886681098, [-2 / 3, 1 / 3, 1 / 3]),
    ("a distribution and a masked class", "softmax_cross_entropy", [-INF, 0, 0], [0, 0.5, 0.5],
     F32, LN2, [0, 0, 0]),
    ("no target mass", "softmax_cross_entropy", [1, 2, 3], [0, 0, 0], F32, 0, [0, 0, 0]),
    ("one class", "softmax_cross_entropy", [5], 0, F32, 0, [0]),
    # sigmoid cross-entropy
    ("+inf, positive", "sigmoid_cross_entropy", INF, 1, F32, 0, 0),
    ("-inf, negative", "sigmoid_cross_entropy", -INF, 0, F32, 0, 0),
    ("+inf, negative", "sigmoid_cross_entropy", INF, 0, F32, INF, 1),
    ("subnormal", "sigmoid_cross_entropy", 100, 1, F32, 3.783506e-44, -3.783506e-44),
    ("sigma rounds to 1", "sigmoid_cross_entropy", 17, 1, F32, 4.139937633089748e-08,
     -4.1399375473943306e-08),
    ("far", "sigmoid_cross_entropy", 50, 1, F32, 1.928749847963918e-22, -1.928749847963918e-22),
    ("far below", "sigmoid_cross_entropy", -50, 0, F32, 1.928749847963918e-22,
     1.928749847963918e-22),
    ("wrong and far", "sigmoid_cross_entropy", -120, 1, F32, 120, -1),
    ("soft, far", "sigmoid_cross_entropy", 40, 0.3, F64, 28, 0.7),
    ("softplus of 20.5", "sigmoid_cross_entropy", 20.5, 0, F64, 20.500000001250153,
     0.9999999987498471),
    ("softplus of -30", "sigmoid_cross_entropy", -30, 0, F64, 9.357622968839861e-14,
     9.357622968839299e-14),
    ("softplus of 1000", "sigmoid_cross_entropy", 1000, 0, F64, 1000, 1),
    # binary cross-entropy
    ("a tiny probability", "binary_cross_entropy", 1e-30, 1, F64, 69.07755278982137, -1e30),
    ("certain and right", "binary_cross_entropy", 0, 0, F32, 0, 1),
    ("next to 1", "binary_cross_entropy", 1 - 2.0**-24, 0, F32, 16.635532333438686, 16777216),
    ("certain and wrong", "binary_cross_entropy", 0, 1, F32, INF, -INF),
    # divergences
    ("no mass", "kl_divergence(prediction_is='log_probs')", [-1, 0], [0, 0], F32, 0, [0, 0]),
    ("no mass, impossible", "kl_divergence(prediction_is='log_probs')", [-INF, 0], [0, 1], F32, 0,
     [0, -1]),
    ("mass, impossible", "kl_divergence(prediction_is='probs')", [0, 1], [0.5, 0.5], F32, INF,
     [-INF, -0.5]),
    # regression
    ("cosh near zero", "log_cosh", 1e-3, 0, F32, 4.99999917e-07, 9.99999667e-04),
    ("cosh rather near zero", "log_cosh", 1e-2, 0, F32, 4.9999167e-05, 0.0099996667),
    ("cosh far", "log_cosh", 100, 0, F32, 99.30685281944005, 1),
    ("cosh overflows", "log_cosh", 1e20, 0, F32, 1e20, 1),
    ("an infinite delta", "huber(delta=inf)", 2, 0, F32, 2, 2),
    ("at delta", "huber", 1, 0, F32, 0.5, 1),
    ("below delta, its square overflows", "huber(delta=1e30)", 3e19, 0, F32, INF, 3e19),
    ("an infinite residual", "huber", INF, 0, F32, INF, 1),
    ("a tie", "absolute_error", 2, 2, F32, 0, 0),
    ("a square that overflows", "squared_error", 2e19, 0, F32, INF, 4e19),
    # margins
    ("at the margin", "hinge", 1, 1, F32, 0, 0),
    ("at the margin, 0/1 labels", "hinge(labels='01')", -1, 0, F32, 0, 0),
    # counts
    ("exp overflows", "poisson", 800, 3, F64, INF, INF),
    ("exp underflows", "poisson", -800, 0, F64, 0, 0),
]  # fmt: skip


RUNS = [
    pytest.param(*case[1:], runner, id=f"{case[1]}-{case[0]}-{cases.name_of(runner)}")
    for case in CASES
    for runner in cases.RUNNERS
    if case[4] in cases.quick_dtypes(fl.get(case[1]), runner)
]


@pytest.mark.parametrize(("loss", "prediction", "target", "dtype", "value", "grad", "runner"), RUNS)
def test_the_right_answer(loss, prediction, target, dtype, value, grad, runner):
    loss = fl.get(loss)
    x = np.array([prediction], dtype)
    t = np.array([target]) if isinstance(target, int) else np.array([target], dtype)
    with cases.running(runner):
        got_value, got_grad, _ = loss.value_grad_hess(x, t, reduction="none")
    tolerance = 4e-7 if dtype == F32 else 1e-8
    np.testing.assert_allclose(got_value, [value], tolerance, 1.5e-45)
    np.testing.assert_allclose(got_grad, [grad], tolerance, 1.5e-45)


def test_an_ignored_row_leaves_the_mean_alone():
    loss = fl.SoftmaxCrossEntropy(ignore_index=-100)
    for bad in (-INF, NAN, INF):
        rows = np.array([[bad] * 3, [0, 0, 0]], np.float32)
        value, grad = loss.value_and_grad(rows, np.array([-100, 1]))
        assert value == pytest.approx(np.log(3), rel=1e-7)
        assert (grad[0] == 0).all()


def test_an_ignored_row_has_no_uniform_part():
    loss = fl.SoftmaxCrossEntropy(ignore_index=-100, label_smoothing=0.2)
    rows = np.array([[0.0, 1, 2], [1, 2, 3]])
    assert loss.value(rows, np.array([-100, 1])) == pytest.approx(1.4076059644443804, rel=1e-12)


def test_a_class_without_weight_drops_its_row():
    loss = fl.SoftmaxCrossEntropy(class_weight=[0, 1])
    rows = np.array([[-INF, 0], [1, 0]])
    target = np.array([0, 1])
    assert loss.value(rows, target) == pytest.approx(np.log1p(np.exp(1)), rel=1e-12)


@pytest.mark.parametrize("ignored", [2, 255, -1])
def test_the_ignored_index_may_be_any(ignored):
    loss = fl.SoftmaxCrossEntropy(ignore_index=ignored)
    rows = np.zeros((2, 3), np.float32)
    assert loss.value(rows, np.array([ignored, 0])) == pytest.approx(np.log(3), rel=1e-7)


def test_many_classes_in_half_precision():
    rows = np.zeros((1, 70_000), np.float16)
    value = fl.SoftmaxCrossEntropy().value(rows, np.array([3]), reduction="none")
    assert value.dtype == np.float16
    assert value[0] == np.float16(np.log(70_000))


def test_ones_add_up():
    ones, zeros = np.ones(17_000_000, np.float32), np.zeros(17_000_000, np.uint8)
    assert fl.AbsoluteError().value(ones, zeros, reduction="sum") == 17_000_000


def test_a_divergence_from_itself_is_nothing():
    p = np.exp([1.0, 2, 3]) / np.exp([1.0, 2, 3]).sum()
    value = fl.KlDivergence(prediction_is="probs").value(p[np.newaxis], p[np.newaxis])
    assert abs(value) <= 2.0**-53
