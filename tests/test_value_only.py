"""Losses that have no gradient: all that the tests of the others hold, of their values."""

import math

import cases
import ml_dtypes
import mpmath
import numpy as np
import pandas as pd
import pytest
from bits import same_bits
from mpmath import mpf

import fastloss as fl
from fastloss.accuracy.ulps import ulp_error
from fastloss.accuracy.variants import weighs
from fastloss.vocabulary import rebind
from fastloss.vocabulary.exact import WORDS

NAMES = fl.losses(gradient=False)
LOSSES = [loss for name in NAMES for loss in cases.variants(name)]
PLAIN = [loss for loss in LOSSES if not weighs(loss)]
WIDTHS = (1, 2, 3, 5, 17, 72, 73, 128, 129, 1030)
"""Classes: tiles, lanes, across rows and along them."""
BLOCKS = 3000
"""Units that fill several blocks and leave a part of one."""

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=cases.name_of)
each_plain = pytest.mark.parametrize("loss", PLAIN, ids=cases.name_of)
each_dtype = pytest.mark.parametrize("dtype", cases.DTYPES)
each_runner = pytest.mark.parametrize("runner", cases.RUNNERS, ids=cases.name_of)


def runs(losses):
    """Losses, ways to run and dtypes; Numba compiles for each dtype, so it gets one."""
    return [
        (loss, runner, dtype)
        for loss in losses
        for runner in cases.RUNNERS
        for dtype in cases.quick_dtypes(loss, runner)
    ]


def widths(loss):
    """Classes to look at; None for pointwise losses and where the loss says it."""
    fixed = loss.schema == "map" or cases.fixed_classes(loss)
    return (None,) if fixed else WIDTHS


def sample(loss, n, dtype, rng, classes=None):
    """Inputs with ties: scores on a grid, some zero, infinite or subnormal."""
    inputs = cases.sample(loss, (n,), dtype, rng, classes=classes)
    prediction = np.where(
        rng.random(inputs["prediction"].shape) < 0.5,
        np.round(inputs["prediction"]),
        inputs["prediction"],
    )
    special = rng.choice([0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 3e38], prediction.shape)
    chosen = rng.random(prediction.shape) < 0.1
    return {**inputs, "prediction": np.where(chosen, special, prediction).astype(dtype)}


def values(loss, inputs, **options):
    return loss.value(**inputs, **{"reduction": "none", **options})


def masses(loss, target, classes):
    """A class index as a distribution; that of an ignored row is any."""
    label = 0 if target == loss.ignore_index else target
    return [mpf(int(j == label)) for j in range(classes)]


def truth(loss, inputs):
    """The definition of every unit."""
    definition = rebind(loss.scalars.definition, WORDS)
    parameters = [mpf(p) for p in loss.kernel_parameters()]
    for prediction, target in zip(inputs["prediction"], inputs["target"], strict=True):
        if loss.schema == "row":
            row = [mpf(float(z)) for z in prediction]
            yield definition(row, masses(loss, target, len(row)), *parameters)
        else:
            yield definition(mpf(float(prediction)), mpf(float(target)), *parameters)


def unit_weights(loss, target):
    """What the loss itself weighs units with."""
    weight = np.ones(target.shape)
    if loss.schema == "row" and loss.class_weight is not None:
        weight = np.asarray(loss.class_weight)[target]
    if loss.schema == "row" and loss.ignore_index is not None:
        weight = np.where(target == loss.ignore_index, 0.0, weight)
    return weight


# ---- values


@pytest.mark.parametrize(("loss", "runner", "dtype"), runs(PLAIN), ids=cases.name_of)
def test_bounds_hold(loss, runner, dtype, rng):
    for classes in widths(loss):
        inputs = sample(loss, 200 if classes is None else 40, dtype, rng, classes)
        with cases.running(runner):
            found = values(loss, inputs)
        with mpmath.workprec(200):
            for got, exact in zip(found, truth(loss, inputs), strict=True):
                assert ulp_error(got, exact, dtype) <= loss.ulps[dtype][0], (classes, got, exact)


@each_runner
def test_classes_that_are_infinitely_low_tie(runner):
    for classes in (2, 200):
        lowest = np.full((1, classes), -np.inf)
        with cases.running(runner):
            assert fl.TopK(k=1).value(lowest, [0]) == 1 - 1 / classes


def test_scikit_learn(rng):
    """Its errors, where nothing is tied."""
    from sklearn.metrics import top_k_accuracy_score, zero_one_loss

    score, weight = rng.normal(size=500), rng.random(500)
    label = rng.integers(0, 2, 500)
    expected = zero_one_loss(label, score > 0, sample_weight=weight)
    assert fl.ZeroOne(labels="01").value(score, label, weight) == pytest.approx(expected)
    signed = 2 * label - 1
    assert fl.ZeroOne().value(score, signed, weight) == pytest.approx(expected)
    scores, label = rng.normal(size=(500, 7)), rng.integers(0, 7, 500)
    for k in range(1, 7):
        right = top_k_accuracy_score(label, scores, k=k, labels=range(7), sample_weight=weight)
        assert fl.TopK(k=k).value(scores, label, weight) == pytest.approx(1 - right)


# ---- the same bits


@each_dtype
@each_loss
def test_every_way_to_run_gives_the_same_bits(loss, dtype, rng):
    """There is nothing to round but one division."""
    for classes in widths(loss):
        inputs = sample(loss, 300, dtype, rng, classes)
        with fl.use_backend("numpy"):
            expected = values(loss, inputs)
        for runner in cases.RUNNERS:
            if dtype in cases.quick_dtypes(loss, runner):
                with cases.running(runner):
                    assert same_bits(values(loss, inputs), expected), (runner, classes)


@each_dtype
@each_plain
def test_layouts(loss, dtype, rng):
    for classes in widths(loss):
        inputs = sample(loss, 67, dtype, rng, classes)
        expected = values(loss, inputs)
        for layout in cases.LAYOUTS:
            arrays = {name: cases.laid_out(array, layout) for name, array in inputs.items()}
            assert same_bits(values(loss, arrays), expected), (layout, classes)


@each_loss
def test_dimensions(loss, rng):
    inputs = cases.sample(loss, (3, 4, 50), "float32", rng)
    flat = {n: a.reshape(600, *a.shape[3:]) for n, a in inputs.items()}
    assert same_bits(values(loss, inputs), values(loss, flat).reshape(3, 4, 50))
    assert loss.value(**inputs) == loss.value(**flat)
    turned = {name: np.asfortranarray(array) for name, array in inputs.items()}
    assert same_bits(values(loss, turned), values(loss, inputs))
    empty = {name: array[:0] for name, array in flat.items()}
    assert values(loss, empty).shape == (0,)
    assert loss.value(**empty, reduction="sum") == 0.0
    assert math.isnan(loss.value(**empty))
    one = {name: array[0] for name, array in flat.items()}
    assert float(values(loss, one)) == values(loss, flat)[0]


@each_plain
@np.errstate(over="ignore")
def test_dtypes(loss, rng):
    inputs = sample(loss, 300, "float32", rng)
    half = {**inputs, "prediction": inputs["prediction"].astype(np.float16)}
    wide = {**half, "prediction": half["prediction"].astype(np.float32)}
    found = values(loss, half)
    assert found.dtype == np.float16
    assert same_bits(found, values(loss, wide).astype(np.float16))
    brain = inputs["prediction"].astype(ml_dtypes.bfloat16)
    wide["prediction"] = brain.astype(np.float32)
    expected = values(loss, wide).astype(ml_dtypes.bfloat16)
    assert same_bits(values(loss, {**inputs, "prediction": brain}), expected)
    for dtype in ("i1", "i8", "f2", "f8"):
        same = {**inputs, "target": inputs["target"].astype(dtype)}
        assert same_bits(values(loss, same), values(loss, inputs))
    if (inputs["target"] >= 0).all():
        same = {**inputs, "target": inputs["target"].astype(np.uint8)}
        assert same_bits(values(loss, same), values(loss, inputs))


@each_plain
def test_containers(loss, rng):
    inputs = cases.sample(loss, (20,), "float64", rng)
    expected = loss.value(**inputs)
    framed = pd.DataFrame if loss.schema == "row" else pd.Series
    assert loss.value(inputs["prediction"].tolist(), inputs["target"].tolist()) == expected
    assert loss(framed(inputs["prediction"]), pd.Series(inputs["target"])) == expected


@each_loss
def test_outputs(loss, rng):
    inputs = sample(loss, BLOCKS, "float32", rng)
    expected = values(loss, inputs)
    for dtype in ("float16", "float32", "float64"):
        out = np.full((BLOCKS, 2), np.nan, dtype)[:, 0]
        assert values(loss, inputs, value_out=out) is out
        assert same_bits(out, expected.astype(dtype))


@each_loss
def test_threads(loss, rng):
    inputs = sample(loss, 200_003 if loss.schema == "map" else 40_001, "float32", rng)
    inputs["weight"] = rng.random(len(inputs["target"]))
    for reduction in ("mean", "sum", "none"):
        one, several = (loss.value(**inputs, reduction=reduction, threads=t) for t in (1, 3))
        assert same_bits(several, one)


# ---- weights and reductions


@each_runner
@each_loss
def test_weights(loss, runner, rng):
    inputs = sample(loss, BLOCKS, cases.quick_dtypes(loss, runner)[0], rng)
    weight = rng.choice([0.0, 0.5, 1.0, 3.0], BLOCKS)
    own = unit_weights(loss, inputs["target"]) * weight
    with cases.running(runner):
        each = values(loss, inputs)
        weighted = values(loss, inputs, weight=weight)
        total = loss.value(**inputs, weight=weight, reduction="sum")
        mean = loss.value(**inputs, weight=weight)
        quarter = loss.value(**inputs, weight=weight, normalizer=4.0)
    np.testing.assert_allclose(weighted, each * weight, rtol=1e-6)
    assert total == pytest.approx(math.fsum(weighted), rel=1e-6)
    assert mean == pytest.approx(total / math.fsum(own), rel=1e-14)
    assert quarter == total / 4


@each_runner
@each_loss
def test_absent_units_change_no_bit(loss, runner, rng):
    dtype = cases.quick_dtypes(loss, runner)[0]
    clean = sample(loss, BLOCKS, dtype, rng)
    weight = rng.choice([0.0, 0.5, 2.0], BLOCKS)
    absent = weight == 0
    if loss.schema == "row" and loss.ignore_index is not None:
        absent |= clean["target"] == loss.ignore_index
    dirty = {name: array.copy() for name, array in clean.items()}
    dirty["prediction"][absent] = np.nan
    dirty["target"][weight == 0] = 77
    with cases.running(runner):
        for reduction in ("none", "sum", "mean"):
            expected = loss.value(**clean, weight=weight, reduction=reduction)
            found = loss.value(**dirty, weight=weight, reduction=reduction)
            assert same_bits(found, expected)
            assert not np.isnan(found).any()


# ---- what there is not

DERIVATIVES = tuple(method for method in cases.METHODS if method != "value")


@pytest.mark.parametrize("backend", cases.BACKENDS)
@each_loss
def test_derivatives_are_refused(loss, backend, rng):
    inputs = cases.sample(loss, (5,), "float64", rng)
    message = f"^{loss.name} has no gradient: it is constant almost everywhere$"
    with fl.use_backend(backend):
        for method in DERIVATIVES:
            with pytest.raises(TypeError, match=message):
                getattr(loss, method)(**inputs)
        for out in ("grad_out", "hess_out"):
            with pytest.raises(TypeError, match=message):
                loss.explain(**inputs, **{out: np.empty_like(inputs["prediction"])})
    with pytest.raises(TypeError, match=message):
        loss.as_objective()
    message = f"^{loss.name} has no formula for its best constant prediction$"
    with pytest.raises(TypeError, match=message):
        loss.init_score(inputs["target"])


@each_loss
def test_explain(loss, rng):
    inputs = cases.sample(loss, (BLOCKS,), "float64", rng)
    for runner in cases.RUNNERS:
        if runner[0] == "numba" and "float64" not in cases.quick_dtypes(loss, runner):
            continue
        with cases.running(runner):
            found = loss.explain(**inputs)
        assert (found.backend, found.kernel, found.units) == (runner[0], loss.kernel, BLOCKS)


@each_loss
def test_values_that_are_refused(loss, rng):
    inputs = cases.sample(loss, (6,), "float64", rng, extremes=False)
    wrong = inputs["target"].copy()
    wrong[3] = 50
    for backend in cases.BACKENDS:
        with fl.use_backend(backend):
            with pytest.raises(ValueError, match=r"^target\[3\] is 50"):
                loss.value(inputs["prediction"], wrong)
            with pytest.raises(ValueError, match=r"^weight\[1\] is -1"):
                loss.value(**inputs, weight=[1.0, -1.0, 1, 1, 1, 1])
            with pytest.raises(ValueError, match=r"^target has shape"):
                loss.value(inputs["prediction"], wrong[:4])
            with pytest.raises(TypeError, match=r"^prediction must be floating-point"):
                loss.value(inputs["prediction"].astype(int), inputs["target"])


def test_distributions_are_no_targets_of_a_top_k():
    with pytest.raises(ValueError, match="needs class indices"):
        fl.TopK().value(np.zeros((2, 3)), np.ones((2, 3)))
