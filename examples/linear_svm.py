"""A linear support vector machine: hinge loss, L2 penalty, averaged subgradient steps.

With step 1 / (PENALTY * t) this is Pegasos (Shalev-Shwartz et al., 2007) on full batches.
scikit-learn's LinearSVC minimises the same function with C = 1 / (PENALTY * samples).
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from tqdm import trange

import fastloss as fl

PENALTY = 1e-2
STEPS = 4000

hinge = fl.Hinge(labels="01")


def train(samples: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The weights, averaged over the second half of the steps."""
    weights = np.zeros(samples.shape[1])
    average = np.zeros_like(weights)
    for step in trange(1, STEPS + 1, desc="subgradient steps", leave=False):
        subgradient = samples.T @ hinge.grad(samples @ weights, labels) + PENALTY * weights
        weights -= subgradient / (PENALTY * step)
        if step > STEPS // 2:
            average += weights
    return average / (STEPS - STEPS // 2)


def objective(weights: np.ndarray, samples: np.ndarray, labels: np.ndarray) -> float:
    return hinge(samples @ weights, labels) + 0.5 * PENALTY * float(weights @ weights)


def main() -> None:
    samples, labels = load_breast_cancer(return_X_y=True)
    split = train_test_split(samples, labels, test_size=0.25, random_state=0, stratify=labels)
    train_samples, test_samples, train_labels, test_labels = split
    scaler = StandardScaler().fit(train_samples)

    def with_bias(samples: np.ndarray) -> np.ndarray:
        return np.hstack([scaler.transform(samples), np.ones((len(samples), 1))])

    train_samples, test_samples = with_bias(train_samples), with_bias(test_samples)
    rival = LinearSVC(
        loss="hinge", C=1 / (PENALTY * len(train_labels)), fit_intercept=False,
        max_iter=1_000_000, tol=1e-6, random_state=0,
    ).fit(train_samples, train_labels)  # fmt: skip

    print(f"{len(train_labels)} tumours to train on, {len(test_labels)} held out\n")
    print(f"{'':<32}{'objective':>12}{'held-out accuracy':>20}")
    found = {
        f"fastloss, {STEPS} steps": train(train_samples, train_labels),
        "scikit-learn's LinearSVC": rival.coef_[0],
    }
    for name, weights in found.items():
        value = objective(weights, train_samples, train_labels)
        accuracy = np.mean((test_samples @ weights > 0) == test_labels)
        print(f"{name:<32}{value:>12.5f}{accuracy:>20.4f}")
        assert accuracy >= 0.95


if __name__ == "__main__":
    main()
