"""Formulas that call losses: of the registry, of other formulas, sums of both."""

import pickle

import numpy as np
import pytest

import fastloss as fl
from fastloss import jit

POSITIVE = {"prediction": (0.0, np.inf), "target": (0.0, np.inf)}


@fl.custom(domains=POSITIVE)
def of_logs(prediction, target, share=0.25):
    near = fl.LogCosh()(prediction, target)
    return share * fl.Huber(delta=0.5)(np.log(prediction), np.log(target)) + (1 - share) * near


@fl.custom(domains=POSITIVE)
def nested(prediction, target):
    both = 0.5 * fl.SquaredError(half=True) + 2 * fl.Cauchy(c=2.0)
    return np.exp(-of_logs(share=0.75)(prediction, target)) + both(prediction, target)


def numbers():
    rng = np.random.default_rng(4)
    return rng.gamma(2.0, size=400), rng.gamma(2.0, size=400)


def by_hand(p, t, share):
    """Value, gradient and Hessian of ``of_logs``, by the chain rule on NumPy."""
    r, a = np.log(p) - np.log(t), p - t
    inside = abs(r) <= 0.5
    huber = np.where(inside, r**2 / 2, 0.5 * (abs(r) - 0.25))
    slope, curve = np.clip(r, -0.5, 0.5), np.where(inside, 1.0, 0.0)
    tanh = np.tanh(a)
    return (
        share * huber + (1 - share) * np.log(np.cosh(a)),
        share * slope / p + (1 - share) * tanh,
        share * (curve - slope) / p**2 + (1 - share) * (1 - tanh**2),
    )


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_the_chain_rule_goes_through_them(backend):
    p, t = numbers()
    with fl.use_backend(backend):
        found = of_logs().value_grad_hess(p, t, reduction="none")
    for got, want in zip(found, by_hand(p, t, 0.25), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


def test_formulas_and_sums_are_taken_apart():
    p, t = numbers()
    value, grad, hess = by_hand(p, t, 0.75)
    r = p - t
    e, square = np.exp(-value), r**2 + 4
    found = nested().value_grad_hess(p, t, reduction="none")
    want = (
        e + r**2 / 4 + 4 * np.log1p(r**2 / 4),
        -grad * e + r / 2 + 8 * r / square,
        (grad**2 - hess) * e + 0.5 + 8 * (4 - r**2) / square**2,
    )
    for got, exact in zip(found, want, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-10, atol=1e-12)


def test_its_parts_keep_their_digits():
    """A naive difference of these logits would be 0."""

    @fl.custom
    def scaled(prediction, target):
        return 3 * fl.SigmoidCrossEntropy()(2 * prediction, target)

    loss = fl.SigmoidCrossEntropy()
    z = np.array([30.0, -30.0, 350.0])
    value, grad = scaled().value_and_grad(z, np.ones(3), reduction="none")
    want, slope = loss.value_and_grad(2 * z, np.ones(3), reduction="none")
    np.testing.assert_allclose(value, 3 * want, rtol=4e-16)
    np.testing.assert_allclose(grad, 6 * slope, rtol=4e-16)


@pytest.mark.full
def test_what_else_a_loss_can_do():
    p, t = numbers()
    loss = of_logs(share=0.5)
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert "loss_huber(" in loss.source()
    assert loss.check().ok
    value, (by_share,) = loss.value_and_grads(p, t, wrt=("share",))
    h = 1e-3
    difference = of_logs(share=0.5 + h).value(p, t) - of_logs(share=0.5 - h).value(p, t)
    assert by_share == pytest.approx(difference / (2 * h), rel=1e-9)
    assert value == loss.value(p, t)
    assert jit.function(loss)(p[0], t[0])[0] == loss.value(p[:1], t[:1])


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda p, t: fl.Huber()(t, p), "derivatives by its prediction alone"),
        (lambda p, t: fl.Huber().grad(p, t), "takes the value of huber"),
        (lambda p, t: fl.Huber()(p, t, reduction="sum"), "neither derivatives nor weight"),
        (lambda p, t: fl.Huber()(p, t, 2.0), "neither derivatives nor weight"),
        (lambda p, t: fl.SoftmaxCrossEntropy()(p, t), "no loss of one prediction"),
        (lambda p, t: fl.GaussianNll()(p, t, log_variance=p), "no loss of one prediction"),
        (lambda p, t: fl.ZeroOne()(p, t), "no loss of one prediction"),
    ],
)
def test_what_a_formula_cannot_call(formula, message):
    with pytest.raises(TypeError, match=message):
        fl.custom(lambda prediction, target: formula(prediction, target))().grad(*numbers())
