"""Losses of groups agree with what other libraries have, under the conventions that are stated."""

import group_cases
import lightgbm
import numpy as np
import optax
import pytest
import torch
import xgboost
from sklearn import metrics
from statsmodels.duration import hazard_regression

import fastloss as fl


def logsumexp(x):
    top = x.max()
    return top + np.log(np.exp(x - top).sum())


# ---- proportional hazards: statsmodels


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("times", [5, 10_000], ids=["tied", "untied"])
@pytest.mark.parametrize("strata", [1, 4])
def test_cox_is_that_of_statsmodels(ties, times, strata, rng):
    n = 300
    x = rng.standard_normal((n, 3))
    time = rng.choice(np.arange(1, max(times, n) + 1), n, replace=times <= n) % (times + 1) + 1.0
    event = rng.integers(0, 2, n)
    stratum = np.sort(rng.integers(0, strata, n))
    model = hazard_regression.PHReg(time, x, status=event, strata=stratum, ties=ties)
    beta = rng.standard_normal(3)
    value, grad = fl.CoxPh(ties=ties).value_and_grad(
        x @ beta, time, event=event, group=stratum, reduction="sum"
    )
    assert value == pytest.approx(-model.loglike(beta), rel=1e-12)
    np.testing.assert_allclose(x.T @ grad, -model.score(beta), rtol=1e-9, atol=1e-10)


# ---- lists: optax


def test_listwise_softmax_is_that_of_optax(rng):
    loss = fl.ListwiseSoftmax(normalize=False)
    z = rng.standard_normal((6, 10)).astype("f4")
    y = rng.integers(0, 4, (6, 10)).astype("f4")
    here = rng.random((6, 10)) < 0.7
    theirs = optax.losses.ranking_softmax_loss(z, y, where=here, reduce_fn=None)
    group = np.repeat(np.arange(6), 10)
    ours = loss.value(z.ravel(), y.ravel(), here.ravel(), "none", group=group)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_listmle_by_its_formula(rng):
    z, y = rng.standard_normal(30), rng.permutation(30).astype(float)
    ordered = z[np.argsort(-y)]
    wanted = sum(logsumexp(ordered[i:]) - ordered[i] for i in range(30))
    assert fl.Listmle()(z, y) == pytest.approx(wanted, rel=1e-14)


# ---- pairs: torch


@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_pairwise_hinge_is_the_margin_ranking_of_torch(margin, rng):
    z, y = rng.standard_normal(20), rng.integers(0, 3, 20)
    better, worse = np.nonzero(y[:, None] > y)
    prediction = torch.tensor(z, requires_grad=True)
    wanted = torch.nn.functional.margin_ranking_loss(
        prediction[better], prediction[worse], torch.ones(better.size), margin=margin
    )
    wanted.backward()
    value, grad = fl.PairwiseHinge(margin=margin).value_and_grad(z, y)
    assert value == pytest.approx(wanted.item(), rel=1e-14)
    np.testing.assert_allclose(grad, prediction.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_pairwise_logistic_is_the_cross_entropy_of_differences(rng):
    z, y = rng.standard_normal(20), rng.integers(0, 3, 20)
    better, worse = np.nonzero(y[:, None] > y)
    pairs = fl.SigmoidCrossEntropy()
    value, grad = pairs.value_and_grad(z[better] - z[worse], np.ones(better.size))
    wanted = np.bincount(better, grad, 20) - np.bincount(worse, grad, 20)
    found = fl.PairwiseLogistic().value_and_grad(z, y)
    assert found[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(found[1], wanted, rtol=1e-12, atol=1e-16)


# ---- boosters


def queries(rng):
    """Queries of distinct scores, with some that have nothing to rank."""
    sizes = rng.integers(5, 12, 8)
    n = int(sizes.sum())
    score = rng.permutation(n) / n * 4 - 2
    label = rng.integers(0, 4, n)
    label[: sizes[0]] = 1
    return sizes, score, label, np.repeat(np.arange(sizes.size), sizes)


def check_steps(steps, leaves, grad, hess, penalty):
    """Each leaf's step is minus its gradients over its Hessians and a penalty."""
    G, H = (np.bincount(leaves, x) for x in (grad, hess))
    found = H[leaves] > 1e-9
    assert np.unique(leaves[found]).size > 5
    wanted = -G[leaves[found]] / (H[leaves[found]] + penalty)
    np.testing.assert_allclose(steps[found], wanted, rtol=1e-3, atol=1e-4)


def rows(n):
    return np.arange(n, dtype=float)[:, np.newaxis]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("level", [3, 30])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_lambdarank_is_that_of_lightgbm(norm, level, penalty, rng):
    sizes, score, label, group = queries(rng)
    n = score.size
    options = {"objective": "lambdarank", "num_leaves": 20, "min_data_in_leaf": 2,
               "min_sum_hessian_in_leaf": 1e-2, "lambda_l2": penalty, "learning_rate": 1.0,
               "min_data_in_bin": 1, "max_bin": 2 * n, "verbosity": -1, "num_threads": 1,
               "lambdarank_norm": norm, "lambdarank_truncation_level": level,
               "sigmoid": 2.0}  # fmt: skip
    data = lightgbm.Dataset(rows(n), label, group=sizes, init_score=score, params=options)
    booster = lightgbm.train(options, data, num_boost_round=1)
    loss = fl.LambdarankNdcg(norm=norm, truncation_level=level, sigmoid=2.0)
    grad, hess = loss.grad_and_hess(score, label, group=group, reduction="sum")
    steps = booster.predict(rows(n), raw_score=True)
    leaves = booster.predict(rows(n), pred_leaf=True).astype(int).ravel()
    check_steps(steps, leaves, grad, hess, penalty)


@pytest.mark.parametrize(
    ("objective", "loss"),
    [
        ("rank:pairwise", fl.PairwiseLogistic()),
        ("rank:ndcg", fl.LambdarankNdcg(truncation_level=None)),
    ],
)
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_pairs_are_those_of_xgboost(objective, loss, penalty, rng):
    """Whose Hessians are twice ours."""
    sizes, score, label, group = queries(rng)
    data = xgboost.DMatrix(rows(score.size), label, base_margin=score)
    data.set_group(sizes)
    options = {"objective": objective, "max_depth": 40, "tree_method": "exact",
               "min_child_weight": 0, "lambda": penalty, "eta": 1.0, "nthread": 1,
               "lambdarank_pair_method": "topk", "lambdarank_num_pair_per_sample": 1000,
               "lambdarank_normalization": False,
               "lambdarank_score_normalization": False}  # fmt: skip
    booster = xgboost.train(options, data, num_boost_round=1)
    fresh = xgboost.DMatrix(rows(score.size), base_margin=np.zeros(score.size))
    grad, hess = loss.grad_and_hess(score, label, group=group, reduction="sum")
    steps = booster.predict(fresh, output_margin=True)
    leaves = booster.predict(fresh, pred_leaf=True).astype(int).ravel()
    check_steps(steps, leaves, grad, 2 * hess, penalty)


# ---- ranking measures


def test_lambdarank_weighs_by_what_a_swap_changes(rng):
    """The weight of a pair is the difference of scikit-learn's NDCG."""
    z, y = rng.standard_normal(2), np.array([0.0, 3.0])
    loss = fl.LambdarankNdcg(gains="linear")
    value = loss(z, y)
    gain = abs(metrics.ndcg_score([y], [z]) - metrics.ndcg_score([y], [z[::-1]]))
    assert value == pytest.approx(gain * np.log1p(np.exp(z[0] - z[1])), rel=1e-12)


def test_group_cases_cover_every_loss():
    assert {loss.schema for loss in group_cases.DEFAULTS} == {"pair", "list", "scan"}
