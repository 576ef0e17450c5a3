"""fastloss, its rivals and the yardsticks: one small function for each rival and loss.

Each takes ``(prediction, target, grad)`` and returns a call without arguments that gives the value
and the gradient of the mean, both in prediction's dtype or better. Whatever can be done once
(conversions, compilation, scratch arrays) is done before the call. A rival with ``out=`` writes its
gradient to ``grad``; the others allocate one in each call.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import fastloss as fl

Call = Callable[[], Any]
Prepare = Callable[[np.ndarray, np.ndarray, np.ndarray], Call]


@dataclass(frozen=True)
class Rival:
    """One row of every table."""

    name: str
    losses: dict[str, Prepare | None]
    kind: str = "peer"  # or "fastloss", "yardstick"
    output: str = "out="  # or "fresh": where the gradient goes
    threads: int = 1
    module: str = "numpy"
    heavy: bool = False  # left out by --quick

    @property
    def key(self) -> str:
        threads = f", {self.threads} threads" if self.threads > 1 else ""
        return f"{self.name} ({self.output}{threads})"

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


# ---- yardsticks: the memory traffic of the work


def subtract(prediction, target, grad):
    return lambda: np.subtract(prediction, target, out=grad)


def subtract_fresh(prediction, target, grad):
    return lambda: np.subtract(prediction, target)


def copyto(prediction, target, grad):
    return lambda: np.copyto(grad, prediction)


def copy_fresh(prediction, target, grad):
    return lambda: prediction.copy()


# ---- fastloss


def fastloss(name):
    def prepare(prediction, target, grad):
        loss = fl.get(name)
        return lambda: loss.value_and_grad(prediction, target, grad_out=grad)

    return prepare


def fastloss_fresh(name):
    def prepare(prediction, target, grad):
        loss = fl.get(name)
        return lambda: loss.value_and_grad(prediction, target)

    return prepare


# ---- NumPy: the formulas as one writes them with care: every pass in place


def numpy_squared_error(prediction, target, grad):
    scratch = np.empty_like(grad)

    def call():
        np.subtract(prediction, target, out=grad)
        value = np.square(grad, out=scratch).mean()
        np.multiply(grad, 2 / grad.size, out=grad)
        return value, grad

    return call


def numpy_sigmoid_cross_entropy(prediction, target, grad):
    e, scratch = np.empty_like(grad), np.empty_like(grad)

    def call():
        np.exp(np.negative(np.abs(prediction, out=e), out=e), out=e)
        np.multiply(prediction, target, out=scratch)
        np.subtract(np.maximum(prediction, 0, out=grad), scratch, out=scratch)
        value = np.add(scratch, np.log1p(e, out=grad), out=scratch).mean()
        np.divide(np.where(prediction > 0, 1, e), np.add(e, 1, out=scratch), out=grad)
        np.multiply(np.subtract(grad, target, out=grad), 1 / grad.size, out=grad)
        return value, grad

    return call


def numpy_softmax_cross_entropy(prediction, target, grad):
    rows = np.arange(len(target))

    def call():
        maximum = prediction.max(axis=1, keepdims=True)
        np.exp(np.subtract(prediction, maximum, out=grad), out=grad)
        total = grad.sum(axis=1, keepdims=True)
        value = (np.log(total[:, 0]) + maximum[:, 0] - prediction[rows, target]).mean()
        np.multiply(grad, 1 / (total * grad.dtype.type(len(rows))), out=grad)
        grad[rows, target] -= grad.dtype.type(1 / len(rows))
        return value, grad

    return call


# ---- numexpr: float64 sums, for its float32 ones lose three digits at 10 million elements


def numexpr_squared_error(prediction, target, grad):
    import numexpr

    numexpr.set_num_threads(1)
    names = {
        "z": prediction,
        "y": target,
        "wide": np.float64(1),
        "scale": grad.dtype.type(2 / grad.size),
    }

    def call():
        value = numexpr.evaluate("sum((z - y) * (z - y) * wide)", names) / grad.size
        numexpr.evaluate("(z - y) * scale", names, out=grad)
        return value, grad

    return call


def numexpr_sigmoid_cross_entropy(prediction, target, grad):
    import numexpr

    numexpr.set_num_threads(1)
    scalar = grad.dtype.type
    names = {
        "z": prediction,
        "y": target,
        "wide": np.float64(1),
        "zero": scalar(0),
        "one": scalar(1),
        "scale": scalar(1 / grad.size),
    }

    def call():
        value = numexpr.evaluate(
            "sum((where(z > zero, z, zero) - z * y + log1p(exp(-abs(z)))) * wide)", names
        )
        numexpr.evaluate("(one / (one + exp(-z)) - y) * scale", names, out=grad)
        return value / grad.size, grad

    return call


# ---- scikit-learn's private Cython losses, which gradient boosting and linear models use


def scikit_learn(class_name, factor=1):
    def prepare(prediction, target, grad):
        from sklearn._loss import loss as losses

        options = {"n_classes": grad.shape[1]} if grad.ndim > 1 else {}
        loss = getattr(losses, class_name)(**options)
        target = target.astype(grad.dtype)
        values = np.empty(len(grad), grad.dtype)

        def call():
            loss.loss_gradient(target, prediction, loss_out=values, gradient_out=grad, n_threads=1)
            np.multiply(grad, factor / len(grad), out=grad)
            return factor * values.mean(), grad

        return call

    return prepare


# ---- the loop that one writes by hand for Numba


@cache
def _numba_loops():
    import math

    from numba import njit

    @njit(fastmath=True)
    def squared_error(z, y, g):
        scale = g.dtype.type(2 / z.size)
        total = 0.0
        for i in range(z.size):
            r = z[i] - y[i]
            total += r * r
            g[i] = scale * r
        return total / z.size

    @njit(fastmath=True)
    def sigmoid_cross_entropy(z, y, g):
        one = g.dtype.type(1)
        scale = g.dtype.type(1 / z.size)
        total = 0.0
        for i in range(z.size):
            e = math.exp(-abs(z[i]))
            total += max(z[i], 0) - z[i] * y[i] + math.log1p(e)
            p = (one if z[i] > 0 else e) / (one + e)
            g[i] = scale * (p - y[i])
        return total / z.size

    @njit(fastmath=True)
    def softmax_cross_entropy(z, y, g):
        rows, classes = z.shape
        scale = g.dtype.type(1 / rows)
        value = 0.0
        for i in range(rows):
            maximum = z[i, 0]
            for k in range(1, classes):
                maximum = max(maximum, z[i, k])
            total = 0.0
            for k in range(classes):
                g[i, k] = math.exp(z[i, k] - maximum)
                total += g[i, k]
            value += math.log(total) + maximum - z[i, y[i]]
            factor = g.dtype.type(scale / total)
            for k in range(classes):
                g[i, k] *= factor
            g[i, y[i]] -= scale
        return value / rows

    return locals()


def numba_loop(name):
    def prepare(prediction, target, grad):
        loop = _numba_loops()[name]
        return lambda: (loop(prediction, target, grad), grad)

    return prepare


# ---- torch


@cache
def _torch_losses():
    import torch.nn.functional as functional

    return {
        "squared_error": functional.mse_loss,
        "sigmoid_cross_entropy": functional.binary_cross_entropy_with_logits,
        "softmax_cross_entropy": functional.cross_entropy,
    }


def torch_eager(name):
    def prepare(prediction, target, grad):
        import torch

        torch.set_num_threads(1)
        loss = _torch_losses()[name]
        z, y = torch.from_numpy(prediction).requires_grad_(), torch.from_numpy(target)

        def call():
            value = loss(z, y)
            return value.detach(), torch.autograd.grad(value, z)[0]

        return call

    return prepare


def torch_compile(name):
    def prepare(prediction, target, grad):
        import torch

        torch.set_num_threads(1)
        torch._dynamo.reset()  # else a second shape is compiled for any shape, which is slower
        both = torch.compile(torch.func.grad_and_value(_torch_losses()[name]), dynamic=False)
        z, y = torch.from_numpy(prediction), torch.from_numpy(target)

        def call():
            gradient, value = both(z, y)
            return value, gradient

        return call

    return prepare


# ---- jax


@cache
def _jax():
    # read once, when jax starts
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}"
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax


def jax_squared_error(z, y):
    return ((z - y) ** 2).mean()


def jax_sigmoid_cross_entropy(z, y):
    return (_jax().nn.softplus(z) - z * y).mean()


def jax_softmax_cross_entropy(z, y):
    jnp = _jax().numpy
    label = jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]
    return (_jax().nn.logsumexp(z, axis=1) - label).mean()


def jax_jit(loss):
    def prepare(prediction, target, grad):
        jax = _jax()
        both = jax.jit(jax.value_and_grad(loss))
        z, y = jax.numpy.asarray(prediction), jax.numpy.asarray(target)
        return lambda: jax.block_until_ready(both(z, y))

    return prepare


POINTWISE = ("squared_error", "sigmoid_cross_entropy")
LOSSES = (*POINTWISE, "softmax_cross_entropy")

FASTLOSS = {name: fastloss(name) for name in LOSSES}
FASTLOSS_FRESH = {name: fastloss_fresh(name) for name in LOSSES}

RIVALS = [
    Rival("np.subtract", dict.fromkeys(POINTWISE, subtract), kind="yardstick"),
    Rival(
        "np.subtract", dict.fromkeys(POINTWISE, subtract_fresh), kind="yardstick", output="fresh"
    ),
    Rival("np.copyto", {"softmax_cross_entropy": copyto}, kind="yardstick"),
    Rival("copy", {"softmax_cross_entropy": copy_fresh}, kind="yardstick", output="fresh"),
    Rival("fastloss", FASTLOSS, kind="fastloss"),
    Rival("fastloss", FASTLOSS, kind="fastloss", threads=2),
    Rival("fastloss", FASTLOSS_FRESH, kind="fastloss", output="fresh"),
    Rival(
        "NumPy",
        {
            "squared_error": numpy_squared_error,
            "sigmoid_cross_entropy": numpy_sigmoid_cross_entropy,
            "softmax_cross_entropy": numpy_softmax_cross_entropy,
        },
    ),
    Rival(
        "numexpr",
        {
            "squared_error": numexpr_squared_error,
            "sigmoid_cross_entropy": numexpr_sigmoid_cross_entropy,
            "softmax_cross_entropy": None,  # it reduces no rows of an expression
        },
        module="numexpr",
        heavy=True,
    ),
    Rival(
        "scikit-learn",
        {
            "squared_error": scikit_learn("HalfSquaredError", factor=2),
            "sigmoid_cross_entropy": scikit_learn("HalfBinomialLoss"),
            "softmax_cross_entropy": scikit_learn("HalfMultinomialLoss"),
        },
        module="sklearn",
    ),
    Rival("Numba loop", {name: numba_loop(name) for name in LOSSES}, module="numba"),
    Rival(
        "torch",
        {name: torch_eager(name) for name in LOSSES},
        output="fresh",
        module="torch",
        heavy=True,
    ),
    Rival(
        "torch.compile",
        {name: torch_compile(name) for name in LOSSES},
        output="fresh",
        module="torch",
        heavy=True,
    ),
    Rival(
        "jax.jit",
        {
            "squared_error": jax_jit(jax_squared_error),
            "sigmoid_cross_entropy": jax_jit(jax_sigmoid_cross_entropy),
            "softmax_cross_entropy": jax_jit(jax_softmax_cross_entropy),
        },
        output="fresh",
        module="jax",
        heavy=True,
    ),
]
