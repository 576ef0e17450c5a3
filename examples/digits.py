"""Softmax regression on handwritten digits with SciPy, by fastloss and by NumPy formulas."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits
from tqdm import trange

import fastloss as fl

CLASSES = 10
ITERATIONS = 100
PENALTY = 1e-3
REPEATS = 9

ValueAndGrad = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def numpy_value_and_grad(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean softmax cross-entropy and its gradient as one writes them with NumPy."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    value = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])
    grad = exponentials / sums
    grad[rows, labels] -= 1.0
    grad /= len(labels)
    return value, grad


def train(value_and_grad: ValueAndGrad, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The weights after a fixed number of L-BFGS iterations."""
    shape = images.shape[1], CLASSES

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        value, grad = value_and_grad(images @ weights, labels)
        total_grad = images.T @ grad + PENALTY * weights
        return value + 0.5 * PENALTY * float(flat @ flat), total_grad.ravel()

    options = {"maxiter": ITERATIONS, "ftol": 0.0, "gtol": 0.0}
    start = np.zeros(shape[0] * shape[1])
    result = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return result.x.reshape(shape)


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def report_times(images: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
    """Times both ways in turns, so that a busy moment hits both."""
    ways = {
        "fastloss": fl.SoftmaxCrossEntropy().value_and_grad,
        "NumPy formulas": numpy_value_and_grad,
    }
    logits = images @ weights
    training: dict[str, list[float]] = {name: [] for name in ways}
    loss_alone: dict[str, list[float]] = {name: [] for name in ways}
    for _ in trange(REPEATS, desc="training in turns", leave=False):
        for name, way in ways.items():
            training[name].append(seconds(lambda way=way: train(way, images, labels)))
            for _ in range(ITERATIONS):
                loss_alone[name].append(seconds(lambda way=way: way(logits, labels)))

    print(f"\n{'medians, one thread':<24}{'training':>14}{'loss alone':>16}")
    whole = {name: median(times) for name, times in training.items()}
    part = {name: median(times) for name, times in loss_alone.items()}
    for name in ways:
        print(f"{name:<24}{whole[name] * 1e3:>11.1f} ms{part[name] * 1e6:>13.1f} µs")
    whole_ratio = whole["NumPy formulas"] / whole["fastloss"]
    part_ratio = part["NumPy formulas"] / part["fastloss"]
    print(f"{'faster by':<24}{whole_ratio:>13.1f}x{part_ratio:>15.1f}x")


def main() -> None:
    images, labels = load_digits(return_X_y=True)
    images = np.hstack([images / 16.0, np.ones((len(images), 1))])  # the last weight is the bias
    split = train_test_split(images, labels, test_size=0.25, random_state=0, stratify=labels)
    train_images, test_images, train_labels, test_labels = split

    weights = train(fl.SoftmaxCrossEntropy().value_and_grad, train_images, train_labels)
    predicted = (test_images @ weights).argmax(axis=1)
    accuracy = np.mean(predicted == test_labels)
    print(f"{len(train_labels)} digits to train on, {len(test_labels)} held out, "
          f"{ITERATIONS} iterations of L-BFGS")  # fmt: skip
    print(f"accuracy on the held-out digits: {accuracy:.4f}")
    assert accuracy >= 0.95

    with threadpool_limits(1):  # products this small are no work for several threads
        report_times(train_images, train_labels, weights)


if __name__ == "__main__":
    main()
