"""Best constants of the registry's losses: no other constant is better."""

import cases
import numpy as np
import pandas as pd
import pytest

import fastloss as fl

each_variant = pytest.mark.parametrize("loss", cases.all_variants(), ids=cases.name_of)


@each_variant
def test_init_score_minimises(loss, rng):
    if len(loss.inputs) > 2:  # which it does not take
        return
    if loss.optimum == "none":
        with pytest.raises(TypeError, match="best constant"):
            loss.init_score([0, 1])
        return
    for kind in cases.target_kinds(loss):
        inputs = cases.sample(loss, (301,), "float64", rng, kind, extremes=False)
        target, weight = inputs["target"], rng.choice([0.0, 0.5, 2.0], 301)
        for w in (None, weight):
            best = loss.init_score(target, w)
            rows = loss.schema == "row"
            assert isinstance(best, np.ndarray if rows else float)
            shape = inputs["prediction"].shape

            def total(score, shape=shape, target=target, w=w):
                prediction = np.broadcast_to(score, shape).astype(np.float64)
                return loss.value(prediction, target, w)

            lowest = total(best)
            domain = loss.domains()[0]
            for step in (1e-4, -1e-4, 0.02, -0.02, 0.7):
                moves = step * np.eye(shape[-1]) if rows else [step]
                for move in moves:
                    other = np.clip(best + move, domain.low, domain.high)
                    if rows and domain.checked:  # stay a distribution
                        p = np.exp(other) if domain.low == -np.inf else other
                        p = p / p.sum()
                        with np.errstate(divide="ignore"):
                            other = np.minimum(np.log(p), 0.0) if domain.low == -np.inf else p
                    other = cases.descending(loss, other) if rows else other
                    assert total(other) >= lowest - 1e-12 * abs(lowest)


def test_known_optima():
    y = np.array([1.0, 2.0, 2.0, 7.0, 10.0])
    labels = np.array([0, 1, 1, 1])
    close = {"rel": 1e-14}
    assert fl.SquaredError().init_score(y) == pytest.approx(4.4, **close)
    assert fl.AbsoluteError().init_score(y) == 2.0
    assert fl.AbsoluteError().init_score([1.0, 3.0]) == 2.0
    assert fl.Quantile(quantile=0.9).init_score(y) == 10.0
    assert fl.Poisson().init_score(y) == pytest.approx(np.log(4.4), **close)
    assert fl.SigmoidCrossEntropy().init_score(labels) == pytest.approx(np.log(3), **close)
    weighted = fl.SigmoidCrossEntropy(pos_weight=2.0).init_score(labels)
    assert weighted == pytest.approx(np.log(6), **close)
    assert fl.BinaryCrossEntropy().init_score(labels) == 0.75
    np.testing.assert_allclose(
        fl.SoftmaxCrossEntropy().init_score(labels), np.log([0.25, 0.75]), rtol=1e-14
    )
    np.testing.assert_allclose(
        fl.CategoricalCrossEntropy(class_weight=(3, 1)).init_score(labels), [0.5, 0.5], rtol=1e-14
    )
    assert fl.Huber(delta=np.inf).init_score(y) == pytest.approx(4.4, rel=1e-12)
    smoothed = fl.SigmoidCrossEntropy(label_smoothing=0.2, slope=2.0)
    assert smoothed.init_score(labels) == pytest.approx(np.log(0.7 / 0.3) / 2, **close)
    assert fl.Exponential().init_score(labels) == pytest.approx(np.log(3) / 2, **close)
    for loss in (fl.Exponential(), smoothed):
        np.testing.assert_allclose(loss.inverse_link(np.array([1.0])), 1 / (1 + np.exp(-2.0)))
    assert fl.Brier().init_score(labels) == 0.75
    assert fl.ModifiedHuber(labels="01").init_score(labels) == pytest.approx(0.5, rel=1e-12)
    for loss in (fl.Gamma(), fl.InverseGaussian(), fl.NegativeBinomial(), fl.Tweedie(power=-1)):
        assert loss.init_score(y) == pytest.approx(np.log(4.4), **close)
    for kind in (fl.Poisson, fl.Gamma, fl.InverseGaussian, fl.Tweedie):
        assert kind(prediction_is="mean").init_score(y) == pytest.approx(4.4, **close)


def test_optima_of_extreme_targets():
    median, large = fl.AbsoluteError(), 1e308
    assert median.init_score([-large, large]) == 0.0
    for loss in (median, fl.LogCosh()):
        assert loss.init_score([large]) == large
        assert np.isnan(loss.init_score([1.0, np.nan, 2.0]))
    assert median.init_score([np.inf, np.inf, 1.0]) == np.inf
    assert median.init_score([5e-324]) == 5e-324
    target = pd.Series([1.0, 3.0], index=[4, 5])
    assert fl.SquaredError().init_score(target, pd.Series([1.0, 3.0], index=[4, 5])) == 2.5


def test_init_scores_without_absent_labels():
    """Not even how many classes there are depends on them."""
    loss = fl.SoftmaxCrossEntropy()
    found = loss.init_score(np.array([0, 10**12, 1, 1]), [1, 0, 2, 1])
    np.testing.assert_allclose(found, np.log([0.25, 0.75]), rtol=1e-14)


def test_init_scores_of_many_classes():
    """Memory is for the classes, not for each row's."""
    labels = np.arange(100_000)
    found = fl.SoftmaxCrossEntropy().init_score(labels)
    np.testing.assert_allclose(found, np.log(1e-5), rtol=1e-12)


def test_init_scores_of_scikit_learn():
    """Its losses fit an intercept only, for the same purpose."""
    from sklearn import _loss

    y = cases.generator().gamma(2.0, size=200)
    weight = cases.generator().uniform(0.5, 2, 200)
    pairs = [
        (fl.SquaredError(), _loss.HalfSquaredError(), y),
        (fl.AbsoluteError(), _loss.AbsoluteError(), y),
        (fl.Poisson(), _loss.HalfPoissonLoss(), y),
        (fl.SigmoidCrossEntropy(), _loss.HalfBinomialLoss(), (y > 1).astype(float)),
    ]
    for ours, theirs, target in pairs:
        for w in (None, weight):
            theirs_raw = theirs.fit_intercept_only(target, sample_weight=w)
            assert ours.init_score(target, w) == pytest.approx(theirs_raw, rel=1e-6), ours


@each_variant
def test_the_link_inverts(loss):
    """The best constant of targets that have a mean is the link of that mean."""
    if loss.optimum != "mean" or loss.schema == "row":
        return
    target = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    score = loss.init_score(target)
    if getattr(loss, "pos_weight", 1.0) == 1.0:
        mean = 0.6 + (0.5 - 0.6) * getattr(loss, "label_smoothing", 0.0)
        assert loss.inverse_link(np.array(score)) == pytest.approx(mean, rel=1e-14)
