"""Plots of value, gradient and Hessian, for every loss of the registry.

Their colours stand out from a white and from a dark page; the background is left transparent.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import fastloss as fl
from fastloss.accuracy.samples import fixed_classes
from fastloss.accuracy.variants import variants, weighs

__all__ = ["draw", "draw_small", "outputs"]

COLOURS = ("#3b82f6", "#d97706", "#16a34a", "#c44fd8")
GREY = "#808791"
POINTS = 500  # even, so that none is at the kink in the middle
CURVES = 3
CLASSES, MANY = 3, 7
MUCH = 1e6
OUTPUTS = ("value", "gradient", "Hessian")
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fastloss",
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.titlesize": 9,
    "axes.titlecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
}

Curves = tuple[Any, ...]


def outputs(loss: fl.Loss) -> tuple[str, ...]:
    """What a loss gives."""
    return OUTPUTS if loss.has_gradient else OUTPUTS[:1]


# ---- numbers


def span(domain: Any, sample: tuple[float, float]) -> Any:
    """Where to look: the whole domain where it has two ends, else a little more than a sample."""
    if np.isfinite([domain.low, domain.high]).all():
        return np.linspace(domain.low, domain.high, POINTS)
    low, high = sample
    margin = (high - low) / 6
    return np.linspace(max(low - margin, domain.low), min(high + margin, domain.high), POINTS)


def typical(domain: Any) -> float:
    """A number inside a domain, for what stays as it is."""
    if np.isfinite([domain.low, domain.high]).all():
        return float(domain.high if domain.discrete else (domain.low + domain.high) / 2)
    return 1.0 if domain.low >= 0 else min(0.0, domain.high - 1.0)


def others(loss: fl.RowLoss) -> Any:
    """The predictions of a row but the first: alike, but apart where only their order counts."""
    if not loss.has_gradient:
        return np.linspace(-1.0, 1.0, MANY - 1)
    if loss.takes_numbers:
        return np.linspace(-1.0, 1.0, (fixed_classes(loss) or CLASSES) - 1)
    return np.full(CLASSES - 1, typical(loss.domains()[0]))


def evaluated(loss: fl.Loss, varied: str, x: Any, target: Any) -> Curves:
    """What a loss gives along one input, or along the first one of a row or a group."""
    inputs: dict[str, Any]
    if isinstance(loss, fl.GroupLoss):
        return of_groups(loss, x, target)
    if isinstance(loss, fl.RowLoss):
        rows = np.broadcast_to(others(loss), (x.size, others(loss).size))
        inputs = {"prediction": np.column_stack([x, rows])}
        inputs["target"] = np.array([target] * x.size)
    else:
        known = zip(loss.inputs, loss.domains(), strict=True)
        inputs = {name: np.full(x.size, typical(domain)) for name, domain in known}
        inputs["target"] = np.full(x.size, target)
        if not loss.domains()[0].outside(np.array(target - 1.0)):
            inputs["prediction"] = inputs["target"] - 1.0  # one that stays as it is misses
        inputs[varied] = x
    if not loss.has_gradient:
        return (loss.value(**inputs, reduction="none"),)
    value, grad, hess = loss.value_grad_hess(**inputs, reduction="none")
    if isinstance(grad, tuple):
        at = loss.differentiated.index(varied)
        grad, hess = grad[at], hess[at]
    return (value, *(y[:, 0] if y.ndim > 1 else y for y in (grad, hess)))


def of_groups(loss: fl.Loss, x: Any, target: Any) -> Curves:
    """The same along the first prediction of a group."""
    prediction = np.zeros((x.size, CLASSES))
    prediction[:, 0] = x
    inputs = {"target": np.tile(np.array(target, float), x.size)}
    inputs["group"] = np.repeat(np.arange(x.size), CLASSES)
    if "event" in loss.inputs:
        inputs["event"] = np.ones(prediction.size)
    found = loss.value_grad_hess(prediction.ravel(), **inputs, reduction="none")
    value, grad, hess = (y.reshape(x.size, -1) for y in found)
    return value.sum(axis=1), grad[:, 0], hess[:, 0]


def varied(name: str) -> list[str]:
    """The inputs along which to look."""
    return list(fl.get(name).differentiated)


def shown_targets(loss: fl.Loss, along: str, x: Any) -> list[Any]:
    """Both ends where targets have ends, else the first at which the loss varies a little."""
    if isinstance(loss, fl.GroupLoss):
        return [list(range(CLASSES))[::-1], list(range(CLASSES))]
    if isinstance(loss, fl.RowLoss) and not loss.takes_numbers:
        if not loss.has_gradient:
            return [0]
        return [0, 1] if loss.takes_labels else np.eye(CLASSES, dtype=int)[:2].tolist()
    domain = loss.domains()[loss.inputs.index("target")]
    if np.isfinite(domain.high):
        return [domain.low, domain.high]
    for target in (typical(domain), 1.0):
        value = evaluated(loss, along, x, target)[0]
        if np.isfinite(value).any() and 0 < np.ptp(value[np.isfinite(value)]) < MUCH:
            break
    return [target]


def lines(name: str, along: str) -> Iterator[tuple[fl.Loss, Any, Any, Curves]]:
    """A loss, target, predictions and curves: with the defaults, then with other parameters."""
    default, *changed = (loss for loss in variants(name) if not weighs(loss))
    x = span(default.domains()[default.inputs.index(along)], default.sample)
    found: list[Any] = []
    with np.errstate(all="ignore"):
        targets = shown_targets(default, along, x)
        for loss in (default, *changed):
            if loss.inputs != default.inputs or loss.domains() != default.domains():
                continue
            curves = [(loss, t, x, evaluated(loss, along, x, t)) for t in targets]
            if not any(alike(curves, known) for known in found):
                found.append(curves)
    yield from itertools.chain.from_iterable(found[:CURVES])


def alike(some: list[Any], others: list[Any]) -> bool:
    """Whether curves could not be told apart in a picture."""
    for output in range(len(some[0][-1])):
        both = [[curves[output] for *_, curves in group] for group in (some, others)]
        low, high = common_limits(*both[::-1])
        gap = np.abs(np.subtract(*(np.clip(y, low, high) for y in both)))
        if np.mean(gap > 0.02 * (high - low)) > 0.02:
            return False
    return True


def broken(loss: fl.Loss, y: Any) -> Any:
    """The curve without lines across jumps, but for what is nothing else than steps."""
    if not loss.has_gradient:
        return y
    y = np.where(np.isfinite(y), y, np.nan)
    step = np.abs(np.diff(y))
    beside = np.fmax(np.append(step[1:], 0), np.append(0, step[:-1]))
    y[1:][step > 10 * beside + 1e-3 * np.nanmax(np.abs(y), initial=0)] = np.nan
    return y


def limits(curves: list[Any]) -> tuple[float, float]:
    """The range that holds what is not close to a pole, and 0."""
    low, high = 0.0, 0.0
    for y in curves:
        y = y[np.isfinite(y)]
        if y.size:
            ends = np.quantile(y, [0.0, 0.06, 0.94, 1.0])
            width = 1.5 * (ends[2] - ends[1]) + 1e-9
            low = min(low, max(ends[0], ends[1] - width))
            high = max(high, min(ends[3], ends[2] + width))
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def common_limits(default: list[Any], others: list[Any]) -> tuple[float, float]:
    """The range for the default, and for others as far as those leave the default visible."""
    low, high = limits(default)
    all_low, all_high = limits([*default, *others])
    return max(all_low, 2 * low - high), min(all_high, 2 * high - low)


# ---- pictures


def difference(loss: fl.Loss, default: fl.Loss) -> str:
    """The parameters that are not as by default."""
    if loss == default:
        return "default"
    return repr(loss).partition("(")[2][:-1]


def shown(x: Any) -> str:
    """A number or a list in few digits."""
    return f"{x:g}" if np.ndim(x) == 0 else str(x)


def label(loss: fl.Loss, target: Any, several: bool, options: bool) -> str:
    """What a curve shows."""
    index = isinstance(loss, fl.RowLoss) and not loss.takes_numbers and np.ndim(target) == 0
    target = f"label {target}" if index else f"target {shown(target)}"
    words = [difference(loss, fl.get(loss.name))] if options else []
    return ", ".join(words + ([target] if several else []))


def axis_name(loss: fl.Loss, along: str) -> str:
    """What varies, and what stays as it is."""
    if isinstance(loss, fl.GroupLoss):
        return f"{along} of the first of a group, others 0"
    if not isinstance(loss, fl.RowLoss):
        return along
    low, *_, high = rest = others(loss)
    apart = (
        f"from {shown(low)} to {shown(high)}"
        if len(rest) > 2
        else f"{shown(low)} and {shown(high)}"
    )
    place = "column" if loss.takes_numbers else "class"
    return f"{along} of {place} 0, others {shown(low) if low == high else apart}"


def panel(axes: Any, x: Any) -> None:
    """An empty panel."""
    axes.axhline(0, color=GREY, linewidth=0.6, alpha=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0)
    axes.set_xlim(x[0] - 0.02 * np.ptp(x), x[-1] + 0.02 * np.ptp(x))


def saved(draw: Callable[[], Figure], path: Path) -> None:
    """The picture as SVG with text for text."""
    with mpl.rc_context(STYLE):
        draw().savefig(path, transparent=True, metadata={"Date": None})


def draw(name: str, path: Path) -> None:
    """Value, gradient and Hessian side by side, a row of panels for each varied input."""

    def figure() -> Figure:
        rows, titles = varied(name), outputs(fl.get(name))
        width = 7.6 if len(titles) > 1 else 3.8
        picture = Figure(figsize=(width, 2.35 * len(rows) + 0.25), layout="constrained")
        all_panels = picture.subplots(len(rows), len(titles), squeeze=False)
        for panels, along in zip(all_panels, rows, strict=True):
            found = list(lines(name, along))
            losses = list(dict.fromkeys(loss for loss, *_ in found))
            targets = [t for loss, t, *_ in found if loss == losses[0]]
            for output, axes in enumerate(panels):
                panel(axes, found[0][2])
                for loss, target, x, curves in found:
                    second = targets.index(target) > 0
                    axes.plot(
                        x,
                        broken(loss, curves[output]),
                        color=COLOURS[losses.index(loss)],
                        linestyle="--" if second else "-",
                        linewidth=1.6,
                        label=label(loss, target, len(targets) > 1, len(losses) > 1),
                    )
                default, changed = (
                    [curves[output] for loss, *_, curves in found if (loss == losses[0]) == own]
                    for own in (True, False)
                )
                axes.set_ylim(common_limits(default, changed))
                axes.set_title(titles[output])
                axes.set_xlabel(axis_name(found[0][0], along))
            if len(found) > 1 and along == rows[-1]:
                handles, labels = panels[0].get_legend_handles_labels()
                picture.legend(handles, labels, loc="outside lower center", ncols=len(losses))
        return picture

    saved(figure, path)


def draw_small(name: str, path: Path) -> None:
    """Value, gradient and Hessian in one panel, for the gallery."""

    def figure() -> Figure:
        picture = Figure(figsize=(2.5, 1.75), layout="constrained")
        axes = picture.subplots()
        loss, _, x, curves = next(lines(name, varied(name)[0]))
        panel(axes, x)
        for y, colour in zip(curves, COLOURS, strict=False):
            axes.plot(x, broken(loss, y), color=colour, linewidth=1.8)
        low, high = limits([curves[0]])  # a pole of a derivative is cut off
        whole = limits(list(curves))
        axes.set_ylim(max(whole[0], low - (high - low)), max(high, min(1.1, whole[1])))
        axes.tick_params(labelsize=7)
        return picture

    saved(figure, path)
