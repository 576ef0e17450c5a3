"""Losses with inputs of their own, as a user defines them: the drivers carry any number of them."""

import cases
import numpy as np
import pytest

import fastloss as fl
from fastloss._domains import ANYTHING, Domain
from fastloss._parameters import positive
from fastloss.vocabulary import const, log, where

# No kernel is compiled for these.
BACKENDS = [backend for backend in cases.BACKENDS if backend != "native"]
SHAPES = [(), (1,), (17,), (512,), (1025,), (3, 5), (2, 3, 700)]


class CostSensitive(fl.MapLoss):
    """Squared error times a cost that comes with each element."""

    name = "cost_sensitive"
    inputs = ("prediction", "target", "cost")
    power: float = positive(2.0)

    def domains(self):
        return ANYTHING, ANYTHING, Domain("a number >= 0", 0.0)

    @staticmethod
    def formula(prediction, target, cost, power):
        r = prediction - target
        return cost * power * r * r, const(2.0) * cost * power * r, const(2.0) * cost * power


class GaussianScale(fl.MapLoss):
    """Half the squared error in units of a predicted scale, and the logarithm of the scale."""

    name = "gaussian_scale"
    inputs = ("prediction", "target", "scale")
    differentiated = ("prediction", "scale")

    def domains(self):
        return ANYTHING, ANYTHING, Domain("a number > 0", np.finfo(np.float32).tiny)

    # differentiated inputs come first
    @staticmethod
    def formula(prediction, scale, target):
        r = (prediction - target) / scale
        value = const(0.5) * r * r + log(scale)
        grad = (r / scale, (const(1.0) - r * r) / scale)
        hess = (
            const(1.0) / (scale * scale),
            (const(3.0) * r * r - const(1.0)) / (scale * scale),
        )
        return value, grad, hess


class Outside(fl.MapLoss):
    """The distance from an interval whose upper end may be left out."""

    name = "outside"
    inputs = ("prediction", "target", "upper")
    optional = ("upper",)
    ordered = ("target", "upper")

    @staticmethod
    def formula(prediction, target, upper):
        low, high, zero, one = target - prediction, prediction - upper, const(0.0), const(1.0)
        value = where(low > zero, low, where(high > zero, high, zero))
        return value, where(low > zero, -one, where(high > zero, one, zero)), zero * prediction


COST = CostSensitive(power=1.5)
OUTSIDE = Outside()
SCALE = GaussianScale()


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request):
    with fl.use_backend(request.param):
        yield request.param


def inputs_of(loss, shape, dtype=np.float64):
    rng = cases.generator()
    third = loss.inputs[2]
    return {
        "prediction": rng.normal(size=shape).astype(dtype),
        "target": rng.normal(size=shape).astype(dtype),
        third: rng.uniform(0.5, 2.0, shape).astype(dtype),
    }


def cost_by_hand(prediction, target, cost):
    r = prediction - target
    return cost * 1.5 * r * r, 3.0 * cost * r, 3.0 * cost


def scale_by_hand(prediction, target, scale):
    r = (prediction - target) / scale
    value = r * r / 2 + np.log(scale)
    grads = (r / scale, (1 - r * r) / scale)
    return value, grads, (1 / scale**2, (3 * r * r - 1) / scale**2)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_extra_input(shape):
    inputs = inputs_of(COST, shape)
    value, grad, hess = cost_by_hand(**inputs)
    found = COST.value_grad_hess(**inputs, reduction="none")
    for result, wanted in zip(found, (value, grad, hess), strict=True):
        assert result.shape == shape
        np.testing.assert_allclose(result, wanted, rtol=1e-14)
    n = max(value.size, 1)
    mean = COST.value_grad_hess(**inputs)
    np.testing.assert_allclose(mean[0], value.mean(), rtol=1e-14)
    np.testing.assert_allclose(mean[1], grad / n, rtol=1e-14)
    np.testing.assert_allclose(mean[2], hess / n, rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_differentiated_inputs(shape, dtype):
    inputs = inputs_of(SCALE, shape, dtype)
    wanted = scale_by_hand(**{n: a.astype(np.float64) for n, a in inputs.items()})
    value, grads, hesses = SCALE.value_grad_hess(**inputs, reduction="none")
    tolerance = {"rtol": 20 * np.finfo(dtype).eps, "atol": 20 * np.finfo(dtype).eps}
    np.testing.assert_allclose(value, wanted[0], **tolerance)
    for found, expected in ((grads, wanted[1]), (hesses, wanted[2])):
        assert isinstance(found, tuple)
        assert len(found) == 2
        for array, by_hand in zip(found, expected, strict=True):
            assert array.shape == shape
            assert array.dtype == dtype
            np.testing.assert_allclose(array, by_hand, **tolerance)


@pytest.mark.full
def test_output_sets_agree():
    for loss in (COST, SCALE):
        inputs = inputs_of(loss, (600,))
        value, grad, hess = loss.value_grad_hess(**inputs)
        np.testing.assert_array_equal(loss(**inputs), value)
        np.testing.assert_array_equal(loss.grad(**inputs), grad)
        np.testing.assert_array_equal(loss.hess(**inputs), hess)
        np.testing.assert_array_equal(loss.value_and_grad(**inputs)[1], grad)
        np.testing.assert_array_equal(loss.grad_and_hess(**inputs)[1], hess)


def test_weights_and_reductions():
    inputs = inputs_of(SCALE, (900,))
    weight = cases.generator(1).choice([0.0, 0.5, 2.0], 900)
    inputs["scale"][weight == 0] = np.nan  # absent
    value, grads, _ = scale_by_hand(**inputs)
    used = weight > 0
    total = np.sum(weight[used] * value[used])
    found = SCALE.value_and_grad(**inputs, weight=weight, reduction="sum")
    np.testing.assert_allclose(found[0], total, rtol=1e-13)
    for array, by_hand in zip(found[1], grads, strict=True):
        np.testing.assert_allclose(array, np.where(used, weight * by_hand, 0), rtol=1e-13)
    mean, mean_grads = SCALE.value_and_grad(**inputs, weight=weight)
    np.testing.assert_allclose(mean, total / weight.sum(), rtol=1e-13)
    np.testing.assert_allclose(mean_grads[1], found[1][1] / weight.sum(), rtol=1e-13)
    divided = SCALE.value(**inputs, weight=weight, normalizer=10)
    np.testing.assert_allclose(divided, total / 10, rtol=1e-13)


@pytest.mark.parametrize("layout", cases.LAYOUTS)
def test_layouts(layout):
    for loss in (COST, SCALE):
        inputs = inputs_of(loss, (40, 30))
        expected = loss.value_grad_hess(**inputs, reduction="none")
        moved = {name: cases.laid_out(array, layout) for name, array in inputs.items()}
        found = loss.value_grad_hess(**moved, reduction="none")
        for result, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(result, wanted)


def test_scalars_and_other_dtypes():
    inputs = inputs_of(COST, (700,))
    full = COST.value_and_grad(**{**inputs, "cost": np.full(700, 2.0)})
    for cost in (2, 2.0, np.float32(2), np.array(2), np.full(700, 2, np.uint8), [2] * 700):
        found = COST.value_and_grad(**{**inputs, "cost": cost})
        np.testing.assert_array_equal(found[0], full[0])
        np.testing.assert_array_equal(found[1], full[1])
    single = COST.value(inputs["prediction"], inputs["target"], cost=True)
    ones = COST.value(inputs["prediction"], inputs["target"], cost=np.ones(700))
    assert single == ones


def test_outputs():
    inputs = inputs_of(SCALE, (33,))
    outs = (np.empty(33), np.empty(33, np.float32))
    _, grads = SCALE.value_and_grad(**inputs, grad_out=outs)
    assert all(a is b for a, b in zip(grads, outs, strict=True))
    expected = SCALE.grad(**inputs)
    np.testing.assert_array_equal(outs[0], expected[0])
    np.testing.assert_array_equal(outs[1], expected[1].astype(np.float32))
    with pytest.raises(TypeError, match="grad_out must be a tuple of 2 arrays, for prediction, sc"):
        SCALE.grad(**inputs, grad_out=np.empty(33))
    with pytest.raises(TypeError, match="grad_out must be a tuple of 2 arrays"):
        SCALE.grad(**inputs, grad_out=(np.empty(33),))
    with pytest.raises(ValueError, match=r"grad_out\['scale'\] has shape \(2,\)"):
        SCALE.grad(**inputs, grad_out=(np.empty(33), np.empty(2)))
    with pytest.raises(ValueError, match=r"grad_out\['scale'\] overlaps grad_out\['prediction'\]"):
        SCALE.grad(**inputs, grad_out=(outs[0], outs[0]))


def test_one_gradient_of_two_is_never_in_place():
    """Each gradient needs both inputs."""
    inputs = inputs_of(SCALE, (700,))
    for position, name in enumerate(SCALE.differentiated):
        outs = [np.empty(700), np.empty(700)]
        outs[position] = inputs[name]
        with pytest.raises(ValueError, match=rf"grad_out\['{name}'\] overlaps {name} in memory"):
            SCALE.grad(**inputs, grad_out=tuple(outs))


@pytest.mark.parametrize(
    ("loss", "changes", "kind", "message"),
    [
        (COST, {"cost": None}, TypeError, r"cost must be a number, a list, .* not None"),
        (COST, {"price": 1.0}, TypeError,
         "this method of cost_sensitive has no argument 'price'; it has prediction, target, cost, "
         "weight, reduction, normalizer, value_out, grad_out, threads"),
        (COST, {"cost": np.ones(2)}, ValueError,
         r"cost has shape \(2,\), but prediction has shape \(3,\): cost must be a scalar or have "
         r"shape \(3,\)"),
        (COST, {"cost": np.array([1.0, -1.0, -2.0])}, ValueError,
         r"cost\[1\] is -1.0, outside its domain: cost must be a number >= 0"),
        (COST, {"cost": -1.0}, ValueError, "cost is -1.0, outside its domain"),
        (SCALE, {"scale": np.array([1, 2, 3])}, TypeError,
         "scale must be floating-point, got int64"),
        (SCALE, {"scale": np.array([1.0, 0.0, 3.0])}, ValueError,
         r"scale\[1\] is 0.0, outside its domain: scale must be a number > 0"),
        (SCALE, {"scale": np.ones((3, 1))}, ValueError,
         r"scale has shape \(3, 1\), but prediction has shape \(3,\): use scale.reshape\(3\)"),
    ],
)  # fmt: skip
def test_errors(loss, changes, kind, message):
    inputs = {**inputs_of(loss, (3,)), **changes}
    with pytest.raises(kind, match=message):
        loss.value_and_grad(**inputs)


def test_a_missing_input():
    with pytest.raises(TypeError, match=r"cost_sensitive needs the input 'cost': pass cost=\.\.\."):
        COST.value(np.ones(3), np.ones(3))


def test_an_input_that_is_left_out_equals_another():
    prediction, target = np.array([0.0, 1.0, 5.0]), np.array([2.0, 1.0, 2.0])
    expected = OUTSIDE.value_and_grad(prediction, target, upper=target)
    for upper in ({}, {"upper": None}):
        found = OUTSIDE.value_and_grad(prediction, target, **upper)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    assert OUTSIDE.value(prediction, 2.0) == OUTSIDE.value(prediction, 2.0, upper=2.0)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("layout", cases.LAYOUTS)
def test_inputs_out_of_order(layout, threads):
    """The lowest place is named; absent units and NaN are in order."""
    n = 70_000
    arrays = {"prediction": np.zeros(n), "target": np.zeros(n), "upper": np.ones(n)}
    arrays["target"][[5, 700, n - 2, 9]] = 2.0, 2.0, 3.0, np.nan
    weight = np.ones(n)
    weight[5] = 0.0
    arrays = {name: cases.laid_out(x, layout) for name, x in arrays.items()}
    message = r"^upper\[700\] is 1.0, below target\[700\], which is 2.0"
    for reduction in ("sum", "mean", "none"):
        options = {"weight": weight, "reduction": reduction, "threads": threads}
        with pytest.raises(ValueError, match=message + "$"):
            OUTSIDE.value_grad_hess(**arrays, **options)
        kept = arrays["prediction"].copy()
        if arrays["prediction"].flags.aligned:
            with pytest.raises(ValueError, match=message):
                OUTSIDE.value_grad_hess(**arrays, **options, grad_out=arrays["prediction"])
        np.testing.assert_array_equal(arrays["prediction"], kept)
        with pytest.raises(ValueError, match=message + "; value_out may have been written in"):
            OUTSIDE.value(**arrays, weight=weight, reduction="none", value_out=np.empty(n))


def test_one_number_out_of_order():
    with pytest.raises(ValueError, match=r"^upper is 1.0, below target\[1\], which is 2.0$"):
        OUTSIDE.value(np.zeros(3), np.array([0.0, 2.0, 1.0]), upper=1.0)
    with pytest.raises(ValueError, match=r"^upper\[2\] is 1.0, below target, which is 2$"):
        OUTSIDE.value(np.zeros(3), 2, upper=np.array([2.0, 3.0, 1.0]))


def test_order_is_that_of_the_compute_dtype():
    z = np.zeros(3, np.float32)
    assert OUTSIDE.value(z, np.full(3, 1 + 2.0**-40), upper=np.ones(3)) == 1.0


def test_no_compiled_kernel():
    if not cases.COMPILED:
        return
    inputs = inputs_of(COST, (3,))
    with (
        fl.use_backend("native"),
        pytest.raises(RuntimeError, match=r"cost_sensitive has no compiled kernel; use_backend"),
    ):
        COST.value(**inputs)


def test_no_constant_prediction():
    with pytest.raises(TypeError, match="cost_sensitive has extra inputs, which no constant"):
        COST.init_score([1.0, 2.0])


def test_identity():
    assert CostSensitive(power=1.5) == COST
    assert hash(COST) == hash(CostSensitive(power=1.5))
    assert CostSensitive() != COST
    assert repr(COST) == "cost_sensitive(power=1.5)"


def test_a_differentiated_scalar():
    """A scale that all elements share has no gradient of its own shape: it must be spelled out."""
    inputs = {**inputs_of(SCALE, (5,)), "scale": 2.0}
    with pytest.raises(ValueError, match="scale"):
        SCALE.grad(**inputs)
