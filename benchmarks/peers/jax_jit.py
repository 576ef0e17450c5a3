"""jax.jit of optax's losses, and of formulas by jax.numpy where optax has none or a slower one.

Losses of elements that have no entry here are jitted from the definition that they give.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import fastloss as fl
from fastloss import vocabulary

from ..work import Call, Work


@cache
def start(threads: int) -> Any:
    """Imports jax, which reads its number of threads then and never again."""
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}"
    os.environ["NPROC"] = str(threads)
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax


@cache
def functions(threads: int) -> dict[str, Callable[..., Any]]:
    """Each takes a loss's inputs and gives the value of every unit."""
    jax = start(threads)
    import optax

    jnp, softmax, log_softmax = jax.numpy, jax.nn.softmax, jax.nn.log_softmax

    def label(x, y):
        return jnp.take_along_axis(x, y[:, None], axis=1)[:, 0]

    def others(z, y):
        """What scores lie above the label's; nothing of its own."""
        return jnp.where(jnp.arange(z.shape[1]) == y[:, None], -jnp.inf, z) - label(z, y)[:, None]

    def one_hot(y, z):
        return jax.nn.one_hot(y, z.shape[1], dtype=z.dtype)

    def poly1(z, y):
        log_p = label(log_softmax(z), y)
        return 2.0 * (1 - jnp.exp(log_p)) - log_p

    def softmax_focal(z, y):
        log_p = label(log_softmax(z), y)
        return -((1 - jnp.exp(log_p)) ** 2) * log_p

    def sigmoid_focal(z, y):
        p, q = jax.nn.sigmoid(z), jax.nn.sigmoid(-z)
        return jnp.where(y > 0, q * q * jax.nn.softplus(-z), p * p * jax.nn.softplus(z))

    def ordinal_cross_entropy(z, y):
        above = jnp.arange(z.shape[1]) < y[:, None]
        return (jax.nn.softplus(z) - jnp.where(above, z, 0)).sum(1)

    def js_divergence(z, q):
        p = softmax(z)
        log_m = jnp.log((p + q) / 2)
        return (optax.kl_divergence(log_m, q) + optax.kl_divergence(log_m, p)) / 2

    def crps_ensemble(z, y):
        members = z.shape[1]
        ranks = 2 * jnp.arange(members) - (members - 1)
        spread = (ranks * jnp.sort(z, axis=1)).sum(1) / members**2
        return jnp.abs(z - y[:, None]).mean(1) - spread

    def aft(z, y, upper):
        log_cdf = jax.scipy.stats.norm.logcdf
        a, b = jnp.log(y) - z, jnp.log(upper) - z
        near, far = jnp.where(a + b > 0, -a, b), jnp.where(a + b > 0, -b, a)
        gap = jnp.where(upper > y, log_cdf(near) - log_cdf(far), 1.0)
        censored = -log_cdf(near) - jnp.log(-jnp.expm1(-gap))
        seen = jnp.log(y) + 0.5 * a**2 + 0.5 * np.log(2 * np.pi)
        return jnp.where(upper > y, censored, seen)

    def multi_quantile(z, y):
        levels = jnp.asarray(np.resize(fl.get("multi_quantile").quantiles, z.shape[1]), z.dtype)
        residual = y[:, None] - z
        return jnp.maximum(levels * residual, (levels - 1) * residual).sum(1)

    return {
        "squared_error": optax.squared_error,
        "absolute_error": lambda z, y: jnp.abs(z - y),
        "huber": optax.huber_loss,
        "smooth_l1": optax.huber_loss,
        "log_cosh": optax.log_cosh,
        "quantile": lambda z, y: 0.5 * jnp.abs(z - y),
        "poisson": lambda z, y: jnp.exp(z) - y * z,
        "negative_binomial": lambda z, y: (y + 1) * jax.nn.softplus(z) - y * z,
        "squared_log_error": lambda z, y: (jnp.log1p(z) - jnp.log1p(y)) ** 2,
        "binary_cross_entropy": lambda p, y: -y * jnp.log(p) - (1 - y) * jnp.log1p(-p),
        "sigmoid_cross_entropy": lambda z, y: jax.nn.softplus(z) - z * y,
        "sigmoid_focal": sigmoid_focal,
        "hinge": optax.hinge_loss,
        "squared_hinge": lambda z, y: jnp.maximum(1 - z * y, 0) ** 2,
        "softmax_cross_entropy": lambda z, y: jax.nn.logsumexp(z, axis=1) - label(z, y),
        "categorical_cross_entropy": lambda p, y: -jnp.log(label(p, y)),
        "nll": lambda z, y: -label(z, y),
        "multiclass_brier": lambda p, y: ((p - one_hot(y, p)) ** 2).sum(1),
        "poly1": poly1,
        "softmax_focal": softmax_focal,
        "generalized_cross_entropy": lambda z, y: (1 - label(softmax(z), y) ** 0.7) / 0.7,
        "multi_margin": lambda z, y: jax.nn.relu(1 + others(z, y)).mean(1),
        "multiclass_hinge": lambda z, y: jax.nn.relu(1 + others(z, y).max(1)),
        "ordinal_cross_entropy": ordinal_cross_entropy,
        "kl_divergence": lambda z, q: optax.kl_divergence(log_softmax(z), q),
        "js_divergence": js_divergence,
        "total_variation": lambda p, q: 0.5 * jnp.abs(p - q).sum(1),
        "crps_ensemble": crps_ensemble,
        "multi_quantile": multi_quantile,
        "aft": aft,
    }


@cache
def defined(name: str, threads: int) -> Callable[..., Any]:
    """A loss of elements by its own definition."""
    jnp = start(threads).numpy
    words = {word: getattr(jnp, word) for word in vocabulary.__all__ if hasattr(jnp, word)}
    loss = fl.get(name)
    definition = vocabulary.rebind(loss.scalars.definition, words | {"const": float})
    order = [*loss.differentiated, *(x for x in loss.inputs if x not in loss.differentiated)]

    def each(*inputs):
        given = dict(zip(loss.inputs, inputs, strict=True))
        terms = definition(*(given[name] for name in order), *loss.kernel_parameters())
        return sum(terms) if isinstance(terms, tuple) else terms

    return each


def prepare(work: Work) -> Call | None:
    jax, places = start(work.threads), work.places
    each = functions(work.threads).get(work.loss)
    if each is None and not work.rows:
        each = defined(work.loss, work.threads)
    if each is None or (work.rows and work.outputs == "gradient and Hessian"):
        return None

    def mean(*inputs):
        if not work.weighted:
            return each(*inputs).mean()
        *inputs, weight = inputs
        return (weight * each(*inputs)).sum() / weight.sum()

    def gradient(*inputs):
        return jax.grad(mean, places)(*inputs)

    def gradient_and_hessian(*inputs):
        # of pointwise losses, whose Hessian in an input is its diagonal: the sums of its rows
        pairs = []
        for i in places:
            slope = lambda x, i=i: jax.grad(mean, i)(*inputs[:i], x, *inputs[i + 1 :])  # noqa: E731
            grad, back = jax.vjp(slope, inputs[i])
            pairs.append((grad, *back(jax.numpy.ones_like(grad))))
        return tuple(zip(*pairs, strict=True))

    call = jax.jit(
        {
            "value": lambda *inputs: (mean(*inputs),),
            "gradient": gradient,
            "value and gradient": jax.value_and_grad(mean, places),
            "gradient and Hessian": gradient_and_hessian,
        }[work.outputs]
    )
    given = [*work.arrays.inputs.values(), *([work.weight] if work.weighted else [])]
    arrays = [jax.numpy.asarray(x) for x in given]
    return lambda: jax.block_until_ready(call(*arrays))
