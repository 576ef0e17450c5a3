"""Links: from means or probabilities to raw predictions and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._inputs import as_array
from ._plan import check_classes, check_floating, check_out
from ._threshold import above_threshold

__all__ = ["LINKS", "Link", "inverse_link"]


@dataclass(frozen=True)
class Link:
    """A link and its inverse, on arrays."""

    link: Callable[[Any], Any]
    inverse: Callable[[np.ndarray], np.ndarray]


def _sigmoid(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))  # one side needs no subtraction from 1
    return np.where(z > 0, 1.0, e) / (1.0 + e)


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return np.asarray(e / np.sum(e, axis=-1, keepdims=True))


def _sparsemax(z: np.ndarray) -> np.ndarray:
    rows = z.reshape(-1, z.shape[-1])
    return np.maximum(above_threshold(rows), 0.0).reshape(z.shape)


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


LINKS = {
    "identity": Link(lambda m: m, lambda z: z),
    "log": Link(np.log, np.exp),
    "logit": Link(_logit, _sigmoid),
    "multilogit": Link(np.log, _softmax),
    "sparsemax": Link(lambda p: p, _sparsemax),
}


def inverse_link(loss: Any, prediction: Any, out: np.ndarray | None = None) -> np.ndarray:
    """Means or probabilities of raw predictions; see :meth:`fastloss.Loss.inverse_link`."""
    z = as_array(prediction, "prediction")
    check_floating("prediction", z)
    if loss.schema == "row":
        check_classes("prediction", z)
    if out is None:
        out = np.empty_like(z)
    else:
        check_out("out", out, z.shape)
    with np.errstate(all="ignore"):
        out[...] = LINKS[loss.link].inverse(loss.link_slope * z.astype(np.float64))
    return out
