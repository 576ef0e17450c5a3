"""Value and gradient: fastloss against NumPy, SciPy, scikit-learn and a hand-written Numba loop.

Every rival is checked first, then all are timed in turns. ``make bench`` measures more of it.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import special
from tqdm import tqdm

import fastloss as fl

sys.path.append(str(Path(__file__).parents[1]))  # for benchmarks, which is not installed

from benchmarks.inputs import draw
from benchmarks.measure import interleave
from benchmarks.rivals import LOSSES, RIVALS, Call, Rival

SIZES = 1_000, 100_000, 2_000_000
CLASSES = 100
ROUNDS = 11


def scipy_sigmoid(prediction: np.ndarray, target: np.ndarray, grad: np.ndarray) -> Call:
    def call() -> tuple[float, np.ndarray]:
        positive = target * special.log_expit(prediction)
        value = -np.mean(positive + (1 - target) * special.log_expit(-prediction))
        np.subtract(special.expit(prediction, out=grad), target, out=grad)
        return value, np.divide(grad, grad.size, out=grad)

    return call


def scipy_softmax(prediction: np.ndarray, target: np.ndarray, grad: np.ndarray) -> Call:
    rows = np.arange(len(target))

    def call() -> tuple[float, np.ndarray]:
        logarithms = special.log_softmax(prediction, axis=1)
        np.exp(logarithms, out=grad)
        grad[rows, target] -= 1
        return -logarithms[rows, target].mean(), np.divide(grad, len(target), out=grad)

    return call


SCIPY = Rival(
    "SciPy",
    {"sigmoid_cross_entropy": scipy_sigmoid, "softmax_cross_entropy": scipy_softmax},
)
LIGHT = [
    rival
    for rival in RIVALS
    if rival.kind != "yardstick" and (rival.output, rival.threads) == ("out=", 1)
    if not rival.heavy
]
COLUMNS = [*LIGHT, SCIPY]


def data(name: str, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random predictions and targets, and an array for the gradient."""
    loss = fl.get(name)
    shape = (size // CLASSES, CLASSES) if loss.schema == "row" else (size,)
    inputs = draw(loss, np.float32, shape)
    return inputs["prediction"], inputs["target"], np.empty(shape, np.float32)


def check(name: str, rival: str, call: Call, prediction: np.ndarray, target: np.ndarray) -> None:
    """Compares a call with the formula in float64."""
    value, grad = call()
    wide_value, wide_grad = fl.get(name).value_and_grad(prediction.astype(np.float64), target)
    message = f"{rival} computes another {name}"
    np.testing.assert_allclose(value, wide_value, rtol=1e-4, err_msg=message)
    tolerance = 1e-5 * abs(wide_grad).max()
    np.testing.assert_allclose(grad, wide_grad, rtol=0, atol=tolerance, err_msg=message)


def medians(name: str, size: int) -> dict[str, float]:
    """Median time of an element in ns, by rival."""
    prediction, target, grad = data(name, size)
    calls = {}
    for rival in COLUMNS:
        if name in rival.losses:
            call = rival.losses[name](prediction, target, grad)
            check(name, rival.name, call, prediction, target)
            calls[rival.name] = call
    samples = interleave(calls, ROUNDS, None)
    return {rival: float(np.median(times)) / size * 1e9 for rival, times in samples.items()}


def cell(rival: Rival, content: str | float | None) -> str:
    """A cell of a rival's column."""
    if isinstance(content, float):
        content = f"{content:.2f}"
    return f"{content or '-':>{max(len(rival.name), 6) + 2}}"


def main() -> None:
    print("ns per element, float32, one thread, gradient into an array that exists; medians")
    print(f"rows of {CLASSES} classes; lead: time of the fastest rival over that of fastloss\n")
    header = "".join(cell(rival, rival.name) for rival in COLUMNS)
    print(f"{'loss':<22}{'elements':>10}{header}{'lead':>8}", flush=True)
    fl.set_threads(1)
    with tqdm(total=len(LOSSES) * len(SIZES), desc="timing", leave=False) as bar:
        for name in LOSSES:
            for size in SIZES:
                found = medians(name, size)
                bar.update()
                cells = "".join(cell(rival, found.get(rival.name)) for rival in COLUMNS)
                rest = min(time for rival, time in found.items() if rival != "fastloss")
                line = f"{name:<22}{size:>10,}{cells}{rest / found['fastloss']:>7.1f}x"
                bar.write(line, file=sys.stdout)
    fl.set_threads(0)


if __name__ == "__main__":
    main()
