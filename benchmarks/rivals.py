"""fastloss, its rivals and the yardsticks: one small function for each rival and loss.

Each takes ``(prediction, target, grad)`` and returns a call without arguments that gives the value
and the gradient of the mean, both in prediction's dtype or better. Whatever can be done once
(conversions, compilation, scratch arrays) is done before the call. A rival with ``out=`` writes its
gradient to ``grad``; the others allocate one in each call.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

import fastloss as fl

from .peers import jax_jit, scikit_learn, torch_compile, torch_eager
from .traffic import copy_fresh, copyto, subtract, subtract_fresh
from .work import Arrays, Call, Work

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


# ---- those of the whole registry


def peer(prepare_work):
    def of(name):
        def prepare(prediction, target, grad):
            inputs = {"prediction": prediction, "target": target}
            arrays = Arrays(name, inputs, weight=None, grad=grad, hess=None)
            return prepare_work(Work(arrays, "value and gradient"))

        return prepare

    return {name: of(name) for name in LOSSES}


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
    Rival("scikit-learn", peer(scikit_learn.prepare), module="sklearn"),
    Rival("Numba loop", {name: numba_loop(name) for name in LOSSES}, module="numba"),
    Rival("torch", peer(torch_eager.prepare), output="fresh", module="torch", heavy=True),
    Rival("torch.compile", peer(torch_compile.prepare), output="fresh", module="torch", heavy=True),
    Rival("jax.jit", peer(jax_jit.prepare), output="fresh", module="optax", heavy=True),
]
