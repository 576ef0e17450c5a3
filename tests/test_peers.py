"""Other libraries' own functions give the same, once conventions are converted.

Each entry says how: factors of ½, who averages over what, which sign labels have.
"""

import cases
import numpy as np
import pytest
import scipy.spatial.distance
import scipy.special
import scipy.stats
import sklearn.metrics
from sklearn._loss import loss as peer_losses
from statsmodels.miscmodels.ordinal_model import OrderedModel

import fastloss as fl

N = 500
CLOSE = 1e-12


def data(loss, kind=None):
    """Predictions and targets in float64, and weights."""
    rng = cases.generator()
    inputs = cases.sample(loss, (N,), np.float64, rng, kind, extremes=False)
    return inputs["prediction"], inputs["target"], rng.uniform(0.5, 2, N)


def close(a, b):
    np.testing.assert_allclose(a, b, CLOSE, CLOSE)


# ---- scikit-learn's private losses: value, gradient and Hessian

SKLEARN = {
    # ours: (theirs, its options, ours / theirs)
    "squared_error": (peer_losses.HalfSquaredError, {}, 2.0),
    "squared_error(half=True)": (peer_losses.HalfSquaredError, {}, 1.0),
    "absolute_error": (peer_losses.AbsoluteError, {}, 1.0),
    "quantile(quantile=0.1)": (peer_losses.PinballLoss, {"quantile": 0.1}, 1.0),
    "huber(delta=0.3)": (peer_losses.HuberLoss, {"delta": 0.3}, 1.0),
    "poisson": (peer_losses.HalfPoissonLoss, {}, 1.0),
    "sigmoid_cross_entropy": (peer_losses.HalfBinomialLoss, {}, 1.0),
}
FLAT = ("absolute_error", "quantile")
"""Losses whose Hessian is 0 here and 1 in scikit-learn, which wants it so for boosting."""


@pytest.mark.parametrize("name", SKLEARN)
def test_sklearn_losses(name):
    loss = fl.get(name)
    peer, options, factor = SKLEARN[name]
    peer = peer(**options)
    raw, y, weight = data(loss)
    value, grad, hess = loss.value_grad_hess(raw, y, weight, reduction="none")
    close(value, factor * peer.loss(y, raw, weight))
    peer_grad, peer_hess = peer.gradient_hessian(y, raw, weight)
    close(grad, factor * peer_grad)
    # their Huber loss has Hessian 1 everywhere
    if loss.name in FLAT:
        close(hess, 0 * peer_hess)
    elif loss.name != "huber":
        close(hess, factor * peer_hess)


def test_sklearn_multinomial():
    loss = fl.SoftmaxCrossEntropy()
    raw, y, weight = data(loss)
    peer = peer_losses.HalfMultinomialLoss(n_classes=raw.shape[1])
    value, grad, hess = loss.value_grad_hess(raw, y, weight, reduction="none")
    close(value, peer.loss(y.astype(np.float64), raw, weight))
    peer_grad, peer_hess = peer.gradient_hessian(y.astype(np.float64), raw, weight)
    close(grad, peer_grad)
    close(hess, peer_hess)  # the diagonal


# ---- sklearn.metrics: weighted means of (target, prediction)


def pinball(target, prediction, sample_weight):
    return sklearn.metrics.mean_pinball_loss(
        target, prediction, alpha=0.1, sample_weight=sample_weight
    )


def log_loss(target, prediction, sample_weight):
    labels = range(prediction.shape[1]) if prediction.ndim > 1 else (0, 1)
    return sklearn.metrics.log_loss(target, prediction, sample_weight=sample_weight, labels=labels)


METRICS = {
    "squared_error": sklearn.metrics.mean_squared_error,
    "absolute_error": sklearn.metrics.mean_absolute_error,
    "quantile(quantile=0.1)": pinball,
    "hinge": sklearn.metrics.hinge_loss,
    "binary_cross_entropy": log_loss,
    "categorical_cross_entropy": log_loss,
}


@pytest.mark.parametrize("name", METRICS)
def test_sklearn_metrics(name):
    loss = fl.get(name)
    prediction, target, weight = data(loss)
    if METRICS[name] is log_loss:  # it takes labels alone
        target = np.round(target).astype(np.int64)
    theirs = METRICS[name](target, prediction, sample_weight=weight)
    close(loss.value(prediction, target, weight), theirs)


def test_sklearn_poisson_deviance():
    """Theirs is twice ours, less its least value, of means instead of logarithms."""
    loss = fl.Poisson()
    z, y, weight = data(loss)
    y = y + 0.1
    least = y - scipy.special.xlogy(y, y)
    ours = 2 * (loss.value(z, y, reduction="none") - least)
    theirs = sklearn.metrics.mean_poisson_deviance(y, np.exp(z), sample_weight=weight)
    close(np.average(ours, weights=weight), theirs)


# ---- scipy.special: elementwise


def mixture_divergence(p, q, beta):
    mean = beta * q + (1 - beta) * p
    both = beta * scipy.special.rel_entr(q, mean) + (1 - beta) * scipy.special.rel_entr(p, mean)
    return both.sum(axis=1)


SCIPY = {
    "huber(delta=0.3)": lambda p, t: scipy.special.huber(0.3, p - t),
    "log_cosh": lambda p, t: np.log(np.cosh(p - t)),
    "poisson": lambda z, y: np.exp(z) - scipy.special.xlogy(y, np.exp(z)),
    "sigmoid_cross_entropy": lambda z, y: (
        -y * scipy.special.log_expit(z) - (1 - y) * scipy.special.log_expit(-z)
    ),
    "binary_cross_entropy": lambda p, y: (
        -scipy.special.xlogy(y, p) - scipy.special.xlog1py(1 - y, -p)
    ),
    "kl_divergence": lambda z, q: scipy.special.rel_entr(
        q, scipy.special.softmax(z, axis=1)
    ).sum(axis=1),
    "kl_divergence(prediction_is='log_probs')": lambda z, q: scipy.special.rel_entr(
        q, np.exp(z)
    ).sum(axis=1),
    # theirs adds p - q in each class
    "kl_divergence(prediction_is='probs')": lambda p, q: (
        scipy.special.kl_div(q, p).sum(axis=1) + (q - p).sum(axis=1)
    ),
    "reverse_kl_divergence": lambda z, q: scipy.special.rel_entr(
        scipy.special.softmax(z, axis=1), q
    ).sum(axis=1),
    "reverse_kl_divergence(prediction_is='log_probs')": lambda z, q: scipy.special.rel_entr(
        np.exp(z), q
    ).sum(axis=1),
    "reverse_kl_divergence(prediction_is='probs')": lambda p, q: scipy.special.rel_entr(
        p, q
    ).sum(axis=1),
    "js_divergence": lambda z, q: mixture_divergence(scipy.special.softmax(z, axis=1), q, 0.5),
    "js_divergence(beta=0.1)": lambda z, q: mixture_divergence(
        scipy.special.softmax(z, axis=1), q, 0.1
    ),
    "js_divergence(prediction_is='log_probs')": lambda z, q: mixture_divergence(np.exp(z), q, 0.5),
    "js_divergence(prediction_is='probs')": lambda p, q: mixture_divergence(p, q, 0.5),
    "symmetric_kl_divergence(prediction_is='probs')": lambda p, q: (
        scipy.special.rel_entr(p, q) + scipy.special.rel_entr(q, p)
    ).sum(axis=1),
}  # fmt: skip


@pytest.mark.parametrize("name", SCIPY)
def test_scipy(name):
    loss = fl.get(name)
    prediction, target, _ = data(loss)
    close(loss.value(prediction, target, reduction="none"), SCIPY[name](prediction, target))


def test_scipy_jensenshannon():
    """The root, of both normalised."""
    z, q, _ = data(loss := fl.JsDivergence())
    p = scipy.special.softmax(z, axis=1)
    theirs = scipy.spatial.distance.jensenshannon(p, q, axis=1) ** 2
    close(loss.value(z, q / q.sum(axis=1, keepdims=True), reduction="none"), theirs)


def test_scipy_logsumexp():
    loss = fl.SoftmaxCrossEntropy()
    z, y, _ = data(loss)
    expected = scipy.special.logsumexp(z, axis=1) - z[np.arange(N), y]
    close(loss.value(z, y, reduction="none"), expected)


# ---- torch: value and gradient of the reduced value

REDUCTIONS = ("mean", "sum", "none")


@pytest.fixture(scope="module")
def functional():
    import torch

    torch.set_num_threads(1)
    return torch.nn.functional


def torch_value_and_grad(function, prediction, *targets, **options):
    import torch

    x = torch.tensor(prediction, requires_grad=True)
    targets = [torch.tensor(t) for t in targets]
    value = function(x, *targets, **options)
    value.sum().backward()
    return value.detach().numpy(), x.grad.numpy()


TORCH = {
    "squared_error": ("mse_loss", {}),
    "absolute_error": ("l1_loss", {}),
    "huber(delta=0.3)": ("huber_loss", {"delta": 0.3}),
    "sigmoid_cross_entropy": ("binary_cross_entropy_with_logits", {}),
    "sigmoid_cross_entropy(pos_weight=3.0)": (
        "binary_cross_entropy_with_logits", {"pos_weight": 3.0},
    ),
    "binary_cross_entropy": ("binary_cross_entropy", {}),
    "poisson": ("poisson_nll_loss", {"log_input": True, "full": False}),
    "softmax_cross_entropy": ("cross_entropy", {}),
    "softmax_cross_entropy(label_smoothing=0.1)": ("cross_entropy", {"label_smoothing": 0.1}),
    "softmax_cross_entropy(ignore_index=2)": ("cross_entropy", {"ignore_index": 2}),
    "softmax_cross_entropy(class_weight=(0.5, 2.0, 1.0, 0.0, 3.0))": (
        "cross_entropy", {"weight": (0.5, 2.0, 1.0, 0.0, 3.0)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", TORCH)
def test_torch(name, reduction, functional):
    import torch

    loss = fl.get(name)
    function, options = TORCH[name]
    tensors = {
        k: torch.tensor(v, dtype=torch.float64) if k in ("weight", "pos_weight") else v
        for k, v in options.items()
    }
    prediction, target, _ = data(loss)
    value, grad = torch_value_and_grad(
        getattr(functional, function), prediction, target, reduction=reduction, **tensors
    )
    ours, our_grad = loss.value_and_grad(prediction, target, reduction=reduction)
    close(ours, value)
    close(our_grad, grad)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}], ids=str)
def test_torch_cross_entropy_of_distributions(options, functional):
    """Without class weights: with them, their mean divides by the rows and ours by the weights."""
    loss = fl.SoftmaxCrossEntropy(**options)
    z, q, _ = data(loss, "distribution")
    value, grad = torch_value_and_grad(functional.cross_entropy, z, q, **options)
    ours, our_grad = loss.value_and_grad(z, q)
    close(ours, value)
    close(our_grad, grad)


def test_torch_nll_of_probabilities(functional):
    """They take logarithms of probabilities."""
    loss = fl.CategoricalCrossEntropy(class_weight=(0.5, 2.0, 1.0, 0.0, 3.0))
    import torch

    p, y, _ = data(loss)
    weight = torch.tensor(loss.class_weight, dtype=torch.float64)
    value, grad = torch_value_and_grad(
        lambda x, t: functional.nll_loss(x.log(), t, weight=weight), p, y
    )
    ours, our_grad = loss.value_and_grad(p, y)
    close(ours, value)
    close(our_grad, grad)


def test_torch_kl_div(functional):
    """Their "batchmean" divides by rows, as our mean does."""
    loss = fl.KlDivergence(prediction_is="log_probs")
    z, q, _ = data(loss)
    value, grad = torch_value_and_grad(functional.kl_div, z, q, reduction="batchmean")
    ours, our_grad = loss.value_and_grad(z, q)
    close(ours, value)
    close(our_grad, grad)


@pytest.mark.parametrize("beta", [0.5, 0.1])
def test_torch_mixture_divergence(beta, functional):
    """Of logits, as it is written of two kl_div."""

    def of_two(z, q):
        p = functional.softmax(z, dim=1)
        log_m = (beta * q + (1 - beta) * p).log()
        first = functional.kl_div(log_m, q, reduction="batchmean")
        return beta * first + (1 - beta) * functional.kl_div(log_m, p, reduction="batchmean")

    loss = fl.JsDivergence(beta=beta)
    z, q, _ = data(loss)
    value, grad = torch_value_and_grad(of_two, z, q)
    ours, our_grad = loss.value_and_grad(z, q)
    close(ours, value)
    close(our_grad, grad)


# ---- SciPy: distributions of log t

DISTRIBUTIONS = {"normal": "norm", "logistic": "logistic", "extreme": "gumbel_l"}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_aft_is_that_of_scipys_distributions(distribution, rng):
    loss = fl.Aft(distribution=distribution, scale=1.5)
    z, low = rng.normal(0, 2, N), rng.gamma(1.0, size=N)
    high = low + rng.gamma(1.0, size=N)
    theirs = getattr(scipy.stats, DISTRIBUTIONS[distribution])(z, loss.scale)
    close(loss.value(z, low, reduction="none"), np.log(low) - theirs.logpdf(np.log(low)))
    late = loss.value(z, low, upper=np.inf, reduction="none")
    np.testing.assert_allclose(late, -theirs.logsf(np.log(low)), 1e-9, 1e-15)
    early = loss.value(z, 0.0, upper=low, reduction="none")
    np.testing.assert_allclose(early, -theirs.logcdf(np.log(low)), 1e-9, 1e-15)
    mass = theirs.cdf(np.log(high)) - theirs.cdf(np.log(low))
    between = loss.value(z, low, upper=high, reduction="none")[mass > 1e-3]
    np.testing.assert_allclose(between, -np.log(mass[mass > 1e-3]), 1e-10, 1e-12)


# ---- statsmodels: thresholds of one score


def test_proportional_odds_are_those_of_statsmodels(rng):
    x, y = rng.normal(size=(N, 2)), rng.integers(0, 4, N)
    slopes, thresholds = np.array([0.7, -1.2]), np.array([-0.8, 0.1, 1.5])
    model = OrderedModel(y, x, distr="logit")
    parameters = np.concatenate([slopes, thresholds[:1], np.log(np.diff(thresholds))])
    scores = (x @ slopes)[:, np.newaxis]
    value, grad = fl.ProportionalOdds().value_and_grad(scores - thresholds, y, reduction="none")
    close(value, -model.loglikeobs(parameters))
    # theirs is by differences
    np.testing.assert_allclose(grad.sum(axis=1) @ x, -model.score(parameters)[:2], 1e-6)
