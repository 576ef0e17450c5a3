"""Losses of the registry as users would write them, and loops of Numba that compute the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

import fastloss as fl
from fastloss.rowwise import log_softmax, logsumexp

__all__ = ["LOOPS", "OWN"]

FRACTION = {"target": (0.0, 1.0)}
COUNT = {"target": (0.0, math.inf)}


@fl.custom(convex=True, smooth=True)
def huber(prediction, target, delta=1.0):
    r = prediction - target
    return np.where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))


@fl.custom(convex=True)
def quantile(prediction, target, quantile=0.5):
    r = target - prediction
    return np.maximum(quantile * r, (quantile - 1) * r)


@fl.custom(convex=True, smooth=True)
def log_cosh(prediction, target):
    return np.log(np.cosh(prediction - target))


@fl.custom(convex=True, smooth=True, link="logit", domains=FRACTION)
def sigmoid_cross_entropy(prediction, target):
    return np.log(1 + np.exp(prediction)) - target * prediction


@fl.custom(convex=True, smooth=True, link="log", domains=COUNT)
def poisson(prediction, target):
    return np.exp(prediction) - target * prediction


@fl.custom(convex=True, smooth=True, link="log", domains=COUNT)
def tweedie(prediction, target, power=1.5):
    mean, rest = np.exp((2 - power) * prediction), np.exp((1 - power) * prediction)
    return mean / (2 - power) - target * rest / (1 - power)


@fl.custom(link="logit", domains=FRACTION)
def sigmoid_focal(prediction, target, gamma=2.0):
    p = 1 / (1 + np.exp(-prediction))
    of_one = -target * (1 - p) ** gamma * np.log(p)
    return of_one - (1 - target) * p**gamma * np.log(1 - p)


@fl.custom(smooth=True)
def cauchy(prediction, target, scale=1.0):
    return scale**2 / 2 * np.log(1 + ((prediction - target) / scale) ** 2)


@fl.custom(convex=True, smooth=True)
def pseudo_huber(prediction, target, delta=1.0):
    return delta**2 * (np.sqrt(1 + ((prediction - target) / delta) ** 2) - 1)


@fl.custom(convex=True, domains={"prediction": (0.0, 1.0), **FRACTION})
def binary_cross_entropy(prediction, target):
    return -(target * np.log(prediction) + (1 - target) * np.log(1 - prediction))


@fl.custom(rows="labels", convex=True, smooth=True)
def softmax_cross_entropy(prediction, target):
    return logsumexp(prediction) - prediction[target]


@fl.custom(rows="masses", convex=True, smooth=True)
def kl_divergence(prediction, target):
    return np.sum(target * (np.log(target) - log_softmax(prediction)))


OWN = {
    custom.name: custom
    for custom in (
        huber, quantile, log_cosh, sigmoid_cross_entropy, poisson, tweedie, sigmoid_focal, cauchy,
        pseudo_huber, binary_cross_entropy, softmax_cross_entropy, kl_divergence,
    )
}  # fmt: skip
"""By the name of the registry's loss, whose defaults are theirs."""


# ---- value and gradient of an element by the functions of Python's math, derived by hand


def log_cosh_by_hand(z: float, y: float) -> tuple[float, float]:
    r = z - y
    return math.log(math.cosh(r)), math.tanh(r)


def sigmoid_cross_entropy_by_hand(z: float, y: float) -> tuple[float, float]:
    return math.log(1 + math.exp(z)) - y * z, 1 / (1 + math.exp(-z)) - y


def poisson_by_hand(z: float, y: float) -> tuple[float, float]:
    mean = math.exp(z)
    return mean - y * z, mean - y


def tweedie_by_hand(z: float, y: float) -> tuple[float, float]:
    mean, rest = math.exp(0.5 * z), math.exp(-0.5 * z)
    return 2 * mean + 2 * y * rest, mean - y * rest


def sigmoid_focal_by_hand(z: float, y: float) -> tuple[float, float]:
    p = 1 / (1 + math.exp(-z))
    q, log_p, log_q = 1 - p, math.log(p), math.log(1 - p)
    value = -y * q**2 * log_p - (1 - y) * p**2 * log_q
    by_p = y * (2 * q * log_p - q**2 / p) - (1 - y) * (2 * p * log_q - p**2 / q)
    return value, by_p * p * q


def cauchy_by_hand(z: float, y: float) -> tuple[float, float]:
    r = z - y
    return 0.5 * math.log(1 + r * r), r / (1 + r * r)


def binary_cross_entropy_by_hand(z: float, y: float) -> tuple[float, float]:
    return -(y * math.log(z) + (1 - y) * math.log(1 - z)), (1 - y) / (1 - z) - y / z


@njit(fastmath=True)
def softmax_cross_entropy_by_hand(prediction: Any, target: Any, grad: Any) -> float:
    total, (n, k) = 0.0, prediction.shape
    for i in range(n):
        row, label, most, rest = prediction[i], target[i], prediction[i, 0], 0.0
        for j in range(k):
            most = max(most, row[j])
        for j in range(k):
            grad[i, j] = math.exp(row[j] - most)
            rest += grad[i, j]
        total += most + math.log(rest) - row[label]
        for j in range(k):
            grad[i, j] *= 1 / (rest * n)
        grad[i, label] -= 1 / n
    return total / n


@njit(fastmath=True)
def kl_divergence_by_hand(prediction: Any, target: Any, grad: Any) -> float:
    total, (n, k) = 0.0, prediction.shape
    for i in range(n):
        row, most, rest, mass = prediction[i], prediction[i, 0], 0.0, 0.0
        for j in range(k):
            most = max(most, row[j])
        for j in range(k):
            grad[i, j] = math.exp(row[j] - most)
            rest += grad[i, j]
        logarithm = most + math.log(rest)
        for j in range(k):
            q = target[i, j]
            mass += q
            if q > 0:
                total += q * (math.log(q) - row[j] + logarithm)
        for j in range(k):
            grad[i, j] = (mass * grad[i, j] / rest - target[i, j]) / n
    return total / n


def _loop(element: Any) -> Any:
    element = njit(fastmath=True)(element)

    @njit(fastmath=True)
    def loop(prediction: Any, target: Any, grad: Any) -> float:
        total, n = 0.0, prediction.size
        for i in range(n):
            value, slope = element(prediction[i], target[i])
            total += value
            grad[i] = slope / n
        return total / n

    return loop


LOOPS = {
    "softmax_cross_entropy": softmax_cross_entropy_by_hand,
    "kl_divergence": kl_divergence_by_hand,
}
LOOPS |= {
    function.__name__.removesuffix("_by_hand"): _loop(function)
    for function in (
        log_cosh_by_hand, sigmoid_cross_entropy_by_hand, poisson_by_hand, tweedie_by_hand,
        sigmoid_focal_by_hand, cauchy_by_hand, binary_cross_entropy_by_hand,
    )
}  # fmt: skip
"""``loop(prediction, target, grad)`` gives the mean; of losses that need exp or log."""
