"""Gradients of custom losses by parameters, targets and inputs, in the pass of the value."""

import mpmath
import numpy as np
import pytest

import fastloss as fl

N = 3000  # several blocks


@fl.custom(inputs=["scale"], domains={"scale": (0.0, np.inf)})
def gaussian(prediction, target, scale, temperature=1.0, offset=0.0):
    r = (prediction / temperature - target - offset) / scale
    return r**2 / 2 + np.log(scale)


@fl.custom
def barron(prediction, target, alpha=1.5, c=0.7):
    u = ((prediction - target) / c) ** 2
    size = abs(alpha - 2)
    return size / alpha * ((u / size + 1) ** (alpha / 2) - 1)


def inputs(dtype=np.float64):
    rng = np.random.default_rng(7)
    prediction, target, scale = (rng.normal(size=N).astype(dtype) for _ in range(3))
    return {"prediction": prediction, "target": target, "scale": np.exp(scale)}


def textbook(prediction, target, scale, temperature, offset):
    """Value and gradients of each element."""
    r = (prediction / temperature - target - offset) / scale
    return {
        "value": r**2 / 2 + np.log(scale),
        "prediction": r / scale / temperature,
        "target": -r / scale,
        "scale": (1 - r**2) / scale,
        "temperature": -r / scale * prediction / temperature**2,
        "offset": -r / scale,
    }


WRT = [
    ("prediction",),
    ("prediction", "temperature"),
    ("temperature",),
    ("offset", "scale", "prediction"),
    ("scale", "target", "temperature", "prediction"),
]


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("wrt", WRT)
def test_they_are_the_textbook_s(wrt, reduction, backend):
    given = inputs()
    weight = np.random.default_rng(8).integers(0, 3, N).astype(float)
    parameters = {"temperature": 1.25, "offset": -0.5}
    want = textbook(**given, **parameters)
    if reduction != "none":
        divisor = weight.sum() if reduction == "mean" else 1.0
    with fl.use_backend(backend):
        value, grads = gaussian(**parameters).value_and_grads(
            **given, weight=weight, reduction=reduction, wrt=wrt
        )
    assert len(grads) == len(wrt)
    for name, got in zip(("value", *wrt), (value, *grads), strict=True):
        each = want[name] * weight
        if reduction != "none":
            number = name in ("value", *parameters)
            each = (each.sum() if number else each) / divisor
            assert not number or isinstance(got, float)
        np.testing.assert_allclose(got, each, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_threads_gives_the_same_bits(dtype):
    rng = np.random.default_rng(3)
    prediction, target = (rng.normal(size=300_001).astype(dtype) for _ in range(2))
    found = [
        barron().value_and_grads(prediction, target, wrt=("alpha", "c"), threads=n)
        for n in (1, 2, 2)
    ]
    assert found[0] == found[1] == found[2]


def test_they_are_differences_of_the_value():
    """By Barron's shape and scale, at fourth order in 40 digits."""
    rng = np.random.default_rng(5)
    prediction, target = rng.normal(size=9), rng.normal(size=9)
    parameters = {"alpha": 0.75, "c": 0.5}
    _, grads = barron(**parameters).value_and_grads(
        prediction, target, reduction="sum", wrt=("alpha", "c")
    )

    def total(**moved):
        alpha, c = ({**parameters, **moved}[name] for name in ("alpha", "c"))
        size = abs(alpha - 2)
        return mpmath.fsum(
            size / alpha * ((((p - t) / c) ** 2 / size + 1) ** (alpha / 2) - 1)
            for p, t in zip(map(mpmath.mpf, prediction), map(mpmath.mpf, target), strict=True)
        )

    with mpmath.workdps(40):
        h = mpmath.mpf(10) ** -8
        for name, got in zip(("alpha", "c"), grads, strict=True):
            at = {i: total(**{name: parameters[name] + i * h}) for i in (-2, -1, 1, 2)}
            slope = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)
            assert got == pytest.approx(float(slope), rel=1e-13)


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_value_and_gradient_are_those_of_the_loss(backend):
    """To the last bit, tails included: the formula is naive, what is computed is not."""

    @fl.custom
    def naive(prediction, target, temperature=1.0):
        z = prediction / temperature
        return np.log(1 + np.exp(z)) - target * z

    z = np.array([-800.0, -40.0, -1.0, 0.0, 1e-9, 2.0, 40.0, 800.0])
    t = np.array([0.0, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0])
    with fl.use_backend(backend):
        want = naive().value_and_grad(z, t, reduction="none")
        value, (grad, _) = naive().value_and_grads(
            z, t, reduction="none", wrt=("prediction", "temperature")
        )
    assert (value == want[0]).all()
    assert (grad == want[1]).all()
    assert (grad[z == 40] < 0).all()


def test_formulas_of_rows_have_none():
    @fl.custom(rows="labels")
    def own(prediction, target, alpha=1.0):
        return alpha * np.max(prediction) - prediction[target]

    with pytest.raises(AttributeError, match="value_and_grads"):
        own().value_and_grads(np.ones((2, 3)), np.array([0, 1]), wrt=("alpha",))


def test_a_scale_is_learned():
    """Gradient descent finds the standard deviation of a sample."""
    rng = np.random.default_rng(11)
    target = 3.0 + 2.5 * rng.normal(size=2000)

    @fl.custom
    def likelihood(prediction, target, log_scale=0.0):
        return ((target - prediction) * np.exp(-log_scale)) ** 2 / 2 + log_scale

    log_scale, mean = 0.0, 0.0
    for _ in range(300):
        prediction = np.full(target.shape, mean)
        _, (by_scale, by_mean) = likelihood(log_scale=log_scale).value_and_grads(
            prediction, target, wrt=("log_scale", "prediction")
        )
        log_scale, mean = log_scale - 0.1 * by_scale, mean - 1.0 * by_mean.sum()
    assert np.exp(log_scale) == pytest.approx(target.std(), rel=1e-6)
    assert mean == pytest.approx(target.mean(), rel=1e-6)


def test_nothing_counts():
    value, (grad, by_alpha) = barron().value_and_grads(
        np.ones(4), np.zeros(4), weight=np.zeros(4), wrt=("prediction", "alpha")
    )
    assert np.isnan(value)
    assert by_alpha == 0
    assert (grad == 0).all()


def test_absent_elements_count_for_nothing():
    prediction, weight = np.array([1.0, np.nan, 2.0]), np.array([1.0, 0.0, 1.0])
    _, with_absent = barron().value_and_grads(
        prediction, np.zeros(3), weight=weight, wrt=("alpha",)
    )
    _, without = barron().value_and_grads(prediction[::2], np.zeros(2), wrt=("alpha",))
    assert with_absent == without


@pytest.mark.parametrize(
    ("wrt", "message"),
    [
        (("beta",), "wrt names some of prediction, target, alpha, c; got 'beta'"),
        (("alpha", "alpha"), "each once"),
        ((), "one at least"),
    ],
)
def test_names_that_are_none(wrt, message):
    with pytest.raises(ValueError, match=message):
        barron().value_and_grads(np.ones(2), np.zeros(2), wrt=wrt)


def test_more_than_the_core_takes():
    names = ("target", "scale", "temperature", "offset")
    with pytest.raises(ValueError, match="wrt takes 3 beside the prediction"):
        gaussian().value_and_grads(**inputs(), wrt=names)


def test_a_target_that_is_differentiated_is_an_array():
    with pytest.raises(ValueError, match="target is a scalar, but it is differentiated"):
        barron().value_and_grads(np.ones(2), 0.0, wrt=("target",))
