"""A picture of every pointwise loss with its gradient and Hessian, drawn from the registry."""

from math import ceil, inf
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fastloss as fl

PICTURE = Path(__file__).parent / "output" / "loss_curves.png"
POINTS = 1201
COLUMNS = 4


def a_target(loss: fl.Loss) -> float:
    """A target of the loss's domain: its upper end, else 2 above its lower end, else 0 or 2."""
    domain = dict(zip(loss.inputs, loss.domains(), strict=True))["target"]
    if domain.high < inf:
        return domain.high
    if domain.low > -inf:
        return domain.low + 2.0
    return 0.0 if loss.sample[0] < 0 else 2.0


def at_kinks(x: np.ndarray, grad: np.ndarray, hess: np.ndarray) -> np.ndarray:
    """Indices where the gradient jumps, that is changes by more than the Hessian explains.

    Of the sides of a jump and the kink itself the library gives the smallest gradient.
    """
    explained = np.maximum(abs(hess[:-1]), abs(hess[1:])) * np.diff(x)
    before = np.flatnonzero(abs(np.diff(grad)) > 1.5 * explained + 1e-3)
    smaller = abs(grad[before + 1]) < abs(grad[before])
    return np.unique(before + smaller)


def draw(axes: Axes, loss: fl.Loss) -> None:
    target = a_target(loss)
    x = np.linspace(*loss.sample, POINTS).round(9)  # rounded so that kinks lie on the grid
    needed = [name for name in loss.inputs[2:] if name not in loss.optional]
    others = {name: np.zeros_like(x) for name in needed}
    value, grad, hess = loss.value_grad_hess(x, target, **others, reduction="none")
    if len(loss.differentiated) > 1:  # those by the prediction come first
        grad, hess = grad[0], hess[0]
    axes.axhline(0.0, color="0.8", linewidth=0.8)
    axes.plot(x, value, color="C0", label="loss", linewidth=2)
    axes.plot(x, grad, color="C3", label="gradient", linewidth=1.6)
    axes.plot(x, hess, "--", color="C2", label="Hessian", linewidth=1.6)
    kinks = at_kinks(x, grad, hess)
    axes.plot(x[kinks], grad[kinks], "o", color="C3", label="gradient at a kink")

    # The loss in full; of derivatives without bound, what compares with it.
    span = np.ptp(value)
    curves = np.concatenate([value, grad, hess])
    low, high = max(curves.min(), -1.5 * span), min(curves.max(), 2.0 * span)
    axes.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    axes.set_title(str(loss))
    axes.set_xlabel(", ".join([f"prediction, for target {target:g}", *(f"{n} 0" for n in others)]))
    axes.set_ylabel("per element")


def main() -> None:
    shown = [loss for loss in map(fl.get, fl.losses()) if loss.schema == "map"]
    rows = ceil(len(shown) / COLUMNS)
    figure = Figure(figsize=(3.6 * COLUMNS, 3.2 * rows + 0.5), layout="constrained")
    for place, loss in enumerate(shown, start=1):
        draw(figure.add_subplot(rows, COLUMNS, place), loss)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    print(f"{len(shown)} pointwise losses in {PICTURE}")


if __name__ == "__main__":
    main()
