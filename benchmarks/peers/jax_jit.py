"""jax.jit of optax's losses, and of formulas by jax.numpy where optax has none or a slower one."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

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
    """Each takes (prediction, target) and gives the value of every unit."""
    jax = start(threads)
    import optax

    jnp = jax.numpy

    def label(x, y):
        return jnp.take_along_axis(x, y[:, None], axis=1)[:, 0]

    return {
        "squared_error": optax.squared_error,
        "absolute_error": lambda z, y: jnp.abs(z - y),
        "huber": optax.huber_loss,
        "log_cosh": optax.log_cosh,
        "quantile": lambda z, y: 0.5 * jnp.abs(z - y),
        "poisson": lambda z, y: jnp.exp(z) - y * z,
        "binary_cross_entropy": lambda p, y: -y * jnp.log(p) - (1 - y) * jnp.log1p(-p),
        "sigmoid_cross_entropy": lambda z, y: jax.nn.softplus(z) - z * y,
        "hinge": optax.hinge_loss,
        "squared_hinge": lambda z, y: jnp.maximum(1 - z * y, 0) ** 2,
        "softmax_cross_entropy": lambda z, y: jax.nn.logsumexp(z, axis=1) - label(z, y),
        "categorical_cross_entropy": lambda p, y: -jnp.log(label(p, y)),
        "kl_divergence": lambda z, q: optax.kl_divergence(jax.nn.log_softmax(z), q),
    }


def prepare(work: Work) -> Call | None:
    jax = start(work.threads)
    each = functions(work.threads).get(work.loss)
    if each is None or (work.rows and work.outputs == "gradient and Hessian"):
        return None

    def mean(*inputs):
        if not work.weighted:
            return each(*inputs).mean()
        *inputs, weight = inputs
        return (weight * each(*inputs)).sum() / weight.sum()

    def gradient(*inputs):
        return (jax.grad(mean)(*inputs),)

    def gradient_and_hessian(z, *rest):
        # of pointwise losses, whose Hessian is its diagonal: the sums of its rows
        grad, back = jax.vjp(lambda x: jax.grad(mean)(x, *rest), z)
        return grad, *back(jax.numpy.ones_like(grad))

    call = jax.jit(
        {
            "value": lambda *inputs: (mean(*inputs),),
            "gradient": gradient,
            "value and gradient": jax.value_and_grad(mean),
            "gradient and Hessian": gradient_and_hessian,
        }[work.outputs]
    )
    given = [*work.arrays.inputs.values(), *([work.weight] if work.weighted else [])]
    arrays = [jax.numpy.asarray(x) for x in given]
    return lambda: jax.block_until_ready(call(*arrays))
