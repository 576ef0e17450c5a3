"""Best constants that no formula gives: of losses with several minima, with ends, or with none."""

import numpy as np
import pytest

import fastloss as fl
from fastloss._domains import ANYTHING, PROBABILITY, Domain
from fastloss._parameters import fraction, positive
from fastloss.vocabulary import abs, const, exp, log, sign, where

POSITIVE = Domain("a number > 0", 5e-324)


@pytest.fixture(autouse=True)
def _backend():
    """No kernel is compiled for these losses."""
    with fl.use_backend("numpy"):
        yield


class Redescending(fl.MapLoss):
    """Far residuals do not count: a minimum beside each cluster of targets."""

    name = "redescending"
    convex = False
    scale: float = positive(1.0)

    @staticmethod
    def formula(prediction, target, scale):
        r = (prediction - target) / scale
        near = exp(const(-0.5) * r * r)
        return const(1.0) - near, r * near / scale, (const(1.0) - r * r) * near / (scale * scale)


class Logarithmic(fl.MapLoss):
    """The same, and no place is flat."""

    name = "logarithmic"
    convex = False
    scale: float = positive(1.0)

    @staticmethod
    def formula(prediction, target, scale):
        r = (prediction - target) / scale
        total = const(1.0) + r * r
        grad = const(2.0) * r / (total * scale)
        return log(total), grad, const(2.0) * (const(1.0) - r * r) / (total * total)


class Expectile(fl.MapLoss):
    """An asymmetric square."""

    name = "expectile"
    convex = True
    level: float = fraction(0.8)

    @staticmethod
    def formula(prediction, target, level):
        r = prediction - target
        slope = where(r > const(0.0), const(1.0) - level, level)
        return slope * r * r, const(2.0) * slope * r, const(2.0) * slope


class Relative(fl.MapLoss):
    """Residuals in units of the target: a weighted median."""

    name = "relative"
    convex = True

    @staticmethod
    def formula(prediction, target):
        r = prediction - target
        return abs(r) / abs(target), sign(r) / abs(target), const(0.0) * r


class GammaMean(fl.MapLoss):
    """Not convex, but with one minimum; predictions have an end."""

    name = "gamma_mean"
    convex = False

    def domains(self):
        return POSITIVE, POSITIVE

    @staticmethod
    def formula(prediction, target):
        ratio, inverse = target / prediction, const(1.0) / prediction
        slope = (const(1.0) - ratio) * inverse
        return ratio + log(prediction), slope, (const(2.0) * ratio - const(1.0)) * inverse * inverse


class GammaLog(fl.MapLoss):
    """The same with log link, and without saying that it is convex."""

    name = "gamma_log"
    link = "log"

    def domains(self):
        return ANYTHING, POSITIVE

    @staticmethod
    def formula(prediction, target):
        ratio = target * exp(-prediction)
        return ratio + prediction, const(1.0) - ratio, ratio


class Exponential(fl.MapLoss):
    """No minimum where all labels agree."""

    name = "exponential"
    link = "logit"

    def domains(self):
        return ANYTHING, PROBABILITY

    @staticmethod
    def formula(prediction, target):
        label = const(2.0) * target - const(1.0)
        e = exp(-label * prediction)
        return e, -label * e, e


class Margin(fl.RowLoss):
    """Of rows, and without a formula for the best constant."""

    name = "margin"


def total(loss, score, y, w):
    return loss.value(np.full(y.shape, score), y, w)


@pytest.mark.parametrize("kind", [Redescending, Logarithmic])
@pytest.mark.parametrize("scale", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("count", [2, 30, 300])
def test_the_lowest_of_several_minima(kind, count, scale, rng):
    loss = kind(scale=scale)
    for _ in range(3):
        y = np.concatenate([rng.normal(m, 0.3, count) for m in rng.uniform(-50, 50, 3)])
        w = rng.gamma(1.0, size=y.size)
        best = loss.init_score(y, w)
        lowest = min(total(loss, z, y, w) for z in np.linspace(y.min(), y.max(), 301))
        assert total(loss, best, y, w) <= lowest + 1e-12
        slope = loss.grad(np.full(y.shape, best), y, w).sum()
        assert abs(slope) <= 1e-12 / scale


def test_minima_closer_than_places(rng):
    """A place beyond a hill may still be on a way down, to a higher minimum."""
    loss = Logarithmic(scale=0.05)
    for _ in range(50):
        y = np.append(rng.uniform(40, 43, 4), [0.0, 100.0])
        w = rng.uniform(1.0, 1.1, y.size)
        best = total(loss, loss.init_score(y, w), y, w)
        assert best <= min(total(loss, z, y, w) for z in y)


def test_expectiles(rng):
    y, w = rng.normal(size=100), rng.gamma(1.0, size=100)
    best = Expectile().init_score(y, w)
    side = w * np.where(y > best, 0.8, 0.2)
    assert best == pytest.approx(side @ y / side.sum(), rel=1e-14)
    assert Expectile(level=0.5).init_score(y, w) == pytest.approx(w @ y / w.sum(), rel=1e-13)


def test_relative_medians(rng):
    y, w = rng.gamma(1.0, size=101), rng.gamma(1.0, size=101)
    order = np.argsort(y)
    below = np.cumsum((w / y)[order])
    median = y[order][np.searchsorted(below, below[-1] / 2)]
    assert Relative().init_score(y, w) == pytest.approx(median, rel=1e-15)


@pytest.mark.parametrize("unit", [1e-200, 1e-3, 1.0, 1e6, 1e200])
def test_means_that_no_formula_gives(unit, rng):
    y = unit * rng.gamma(2.0, size=50)
    assert GammaMean().init_score(y) == pytest.approx(y.mean(), rel=1e-13)
    assert GammaLog().init_score(y) == pytest.approx(np.log(y.mean()), rel=1e-13, abs=1e-13)


def test_labels():
    y = np.array([0.0, 1.0, 1.0, 1.0])
    assert Exponential().init_score(y) == pytest.approx(np.log(3) / 2, rel=1e-13)
    # nothing is lost beyond
    assert Exponential().init_score(np.ones(3)) > 700
    assert Exponential().init_score(np.zeros(3)) < -700


@pytest.mark.parametrize("loss", [Redescending(), Expectile(), GammaMean(), GammaLog()], ids=str)
def test_few_targets(loss):
    expected = np.log(2.5) if loss.link == "log" else 2.5
    assert loss.init_score([2.5]) == pytest.approx(expected, rel=1e-14)
    assert loss.init_score([2.5, 9.0], [1.0, 0.0]) == pytest.approx(expected, rel=1e-14)
    assert np.isnan(loss.init_score([1.0, np.nan, 2.0]))


def test_far_targets():
    assert Redescending().init_score([-1e308, 1e308, 1e308]) == 1e308
    assert Expectile().init_score([1.0, np.inf]) == np.inf


def test_rows_without_a_formula():
    with pytest.raises(TypeError, match="margin has no formula for its best constant prediction"):
        Margin().init_score([0, 1, 2])


def test_a_cluster_outweighs_an_outlier():
    y = np.array([0.0, 0.1, 0.2, 100.0])
    assert Redescending().init_score(y) == pytest.approx(0.1, rel=1e-12)
    assert Redescending().init_score(y, [1, 1, 1, 4]) == pytest.approx(100, rel=1e-12)
