"""Weighted sums of losses are losses."""

import itertools
import math
import pickle

import cases
import numpy as np
import pytest

import fastloss as fl


@fl.custom(convex=True, smooth=True)
def fourth_power(prediction, target):
    return (prediction - target) ** 4


SUMS = [
    0.7 * fl.Huber(delta=0.5) + 0.3 * fl.Quantile(quantile=0.9),
    fl.SquaredError() + fl.LogCosh() * 2 + fl.AbsoluteError(),
    2.5 * fl.SigmoidCrossEntropy() + fl.SigmoidFocal(gamma=1.0),
    fl.Poisson() + 0.5 * fl.Tweedie(power=1.5),
    3 * fl.BinaryCrossEntropy(eps=0.01) + fl.Brier(),
    fl.Huber() + 0.1 * fourth_power(),
]
each_sum = pytest.mark.parametrize("loss", SUMS, ids=repr)


def sample(loss, dtype, n=700):
    return cases.sample(loss, (n,), dtype, cases.generator(), extremes=False)


@each_sum
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=pytest.mark.full)])
def test_it_is_the_sum(loss, dtype, backend):
    inputs, weight = sample(loss, dtype), cases.generator().random(700)
    tolerance = 40 * np.finfo(dtype).eps
    for reduction in ("none", "mean"):
        options = {"weight": weight, "reduction": reduction}
        with fl.use_backend(backend):
            found = cases.outputs(loss, inputs, **options)
        parts = [[f * x for x in cases.outputs(p, inputs, **options)] for f, p in loss.parts]
        for got, *terms in zip(found, *parts, strict=True):
            size = sum(abs(np.asarray(term, np.float64)) for term in terms)
            assert (abs(got - sum(terms)) <= tolerance * size + 1e-300).all()


def test_what_it_states_follows_from_its_parts():
    first = SUMS[0]
    assert (first.convex, first.smooth, first.hessian_sign) == (True, False, "nonnegative")
    assert (fl.SquaredError() + fl.AbsoluteError()).hessian_sign == "positive"
    assert (2 * fl.AbsoluteError() + fl.Quantile()).hessian_sign == "zero"
    assert not (fl.SquaredError() + -1 * fl.LogCosh()).convex
    assert (fl.SquaredError() + -1 * fl.LogCosh()).hessian_sign == "any"
    assert SUMS[2].link == "logit"
    assert SUMS[4].domains()[0].high == 1.0
    assert "prediction" in first.kinks


def test_it_is_a_loss():
    loss = SUMS[0]
    assert repr(loss) == "0.7 * huber(delta=0.5) + 0.3 * quantile(quantile=0.9)"
    assert loss == 0.7 * fl.Huber(delta=0.5) + 0.3 * fl.Quantile(quantile=0.9)
    assert loss != 0.7 * fl.Huber(delta=0.5) + 0.4 * fl.Quantile(quantile=0.9)
    assert len({loss, pickle.loads(pickle.dumps(loss))}) == 1
    assert (
        2 * (loss + fl.SquaredError())
        == fl.Huber(delta=0.5) * 1.4 + 0.6 * fl.Quantile(quantile=0.9) + 2 * fl.SquaredError()
    )
    with pytest.raises(TypeError, match="replace those of its parts"):
        loss.replace(delta=2.0)


@pytest.mark.full
def test_the_best_constant_lies_between():
    y = np.array([0.0, 1.0, 2.0, 10.0])
    low, high = fl.AbsoluteError().init_score(y), fl.SquaredError().init_score(y)
    assert low < (fl.AbsoluteError() + 0.1 * fl.SquaredError()).init_score(y) < high


@pytest.mark.full
def test_factors_share_a_kernel():
    from fastloss import _numba

    loss = fl.SquaredError() + fl.LogCosh()
    inputs = sample(loss, "float64")
    loss.value(**inputs)
    count = len(_numba._blocks)
    assert (3 * fl.SquaredError() + 5 * fl.LogCosh()).value(**inputs) > 0
    assert len(_numba._blocks) == count


REFUSED = [
    (lambda: fl.Huber() + fl.SigmoidCrossEntropy(), ValueError, "their link differ"),
    (lambda: fl.GaussianNll() + fl.GaussianNll(), TypeError, "has not one gradient"),
    (lambda: fl.ZeroOne() + fl.Huber(), TypeError, "has not one gradient"),
    (lambda: fl.Huber() * math.nan, ValueError, "finite number; got nan"),
    (lambda: math.inf * fl.Huber(), ValueError, "finite number; got inf"),
    (lambda: True * fl.Huber(), ValueError, "finite number; got True"),
    (lambda: "2" * fl.Huber(), TypeError, "can't multiply|unsupported"),
    (lambda: fl.Huber() + 1, TypeError, "unsupported operand"),
    (lambda: fl.Huber() + fl.SoftmaxCrossEntropy(), TypeError, "unsupported operand"),
    (lambda: sum([fl.Huber() * 1.0] * 9), TypeError, "unsupported operand"),
]


@pytest.mark.parametrize(("make", "kind", "message"), REFUSED)
def test_what_cannot_be_added(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_more_parameters_than_the_core_takes():
    with pytest.raises(ValueError, match="combined has more parameters than the core takes"):
        list(itertools.accumulate([fl.Huber()] * 9))
