"""Other libraries' losses, with their conventions brought to ours.

Each function takes a loss and its inputs as the library's own arrays and gives the value of every
unit; derivatives are the library's own, by its automatic differentiation where it has one.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastloss as fl

from .samples import Inputs

__all__ = ["PEERS", "Peer"]

Results = tuple[Any, ...]
"""Value, gradient and Hessian of every unit, as arrays, those by several inputs on a last axis.
None for what cannot be compared."""


@dataclass(frozen=True)
class Entry:
    """A loss that a peer has.

    Attributes
    ----------
    call : callable
        What computes it.
    parameters : tuple of str
        Those of our parameters that it follows; the others must have their defaults.
    kinds : tuple of str
        What targets may be.
    """

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("values", "labels", "distribution")


@dataclass(frozen=True)
class Peer:
    """Another library.

    Attributes
    ----------
    name : str
    packages : tuple of str
        What must be installed.
    losses : callable
        Gives the entries, by the names of our losses.
    differentiate : callable
        Runs an entry: (call, loss, inputs) to results.
    """

    name: str
    packages: tuple[str, ...]
    losses: Callable[[], dict[str, Entry]]
    differentiate: Callable[[Callable[..., Any], fl.Loss, Inputs], Results]

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return all(map(_version, self.packages))

    @property
    def versions(self) -> str:
        """Its packages and their versions."""
        return ", ".join(f"{package} {_version(package)}" for package in self.packages)

    def results(self, loss: fl.Loss, kind: str, inputs: Inputs) -> Results | None:
        """Its value, gradient and Hessian of every unit, or None where it has no such loss."""
        entry = self.losses().get(loss.name)
        if entry is None or kind not in entry.kinds:
            return None
        default = fl.get(loss.name)
        if loss != default.replace(**{name: loss.params[name] for name in entry.parameters}):
            return None
        return self.differentiate(entry.call, loss, inputs)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _log_probabilities(loss: Any, x: Any, log_softmax: Any, log: Any) -> Any:
    """Of whatever predictions are."""
    if loss.prediction_is == "logits":
        return log_softmax(x, -1)
    return log(x) if loss.prediction_is == "probs" else x


# ---- torch


def _torch_losses() -> dict[str, Entry]:
    import torch
    from torch.nn import functional

    def each(function: Callable[..., Any], *parameters: str, **options: Any) -> Entry:
        def call(loss: Any, z: Any, y: Any) -> Any:
            ours = {name: getattr(loss, name) for name in parameters}
            return function(z, y, reduction="none", **ours, **options)

        return Entry(call, parameters)

    def sigmoid_cross_entropy(loss: Any, z: Any, y: Any) -> Any:
        weight = torch.tensor(loss.pos_weight, dtype=z.dtype)
        return functional.binary_cross_entropy_with_logits(
            z, y, reduction="none", pos_weight=weight
        )

    def gaussian_nll(loss: Any, z: Any, y: Any, scale: Any) -> Any:
        twice = 2 if loss.scale_is == "log_scale" else 1
        variance = scale if loss.scale_is == "variance" else (twice * scale).exp()
        return functional.gaussian_nll_loss(
            z, y, variance, full=loss.full, eps=0.0, reduction="none"
        )

    def negative_log_likelihood(loss: Any, p: Any, y: Any) -> Any:
        return functional.nll_loss(p.log(), y, reduction="none")

    def kl_divergence(loss: Any, x: Any, q: Any) -> Any:
        log_p = _log_probabilities(loss, x, torch.log_softmax, torch.log)
        return functional.kl_div(log_p, q, reduction="none").sum(-1)

    return {
        "squared_error": each(functional.mse_loss),
        "absolute_error": each(functional.l1_loss),
        "huber": each(functional.huber_loss, "delta"),
        "poisson": each(functional.poisson_nll_loss, log_input=True, full=False),
        "sigmoid_cross_entropy": Entry(sigmoid_cross_entropy, ("pos_weight",)),
        "binary_cross_entropy": each(functional.binary_cross_entropy),
        "gaussian_nll": Entry(gaussian_nll, ("scale_is", "full")),
        "softmax_cross_entropy": each(functional.cross_entropy, "label_smoothing"),
        "categorical_cross_entropy": Entry(negative_log_likelihood, kinds=("labels",)),
        "kl_divergence": Entry(kl_divergence, ("prediction_is",)),
    }


def _torch(call: Callable[..., Any], loss: fl.Loss, inputs: Inputs) -> Results:
    import torch

    def derivative(of: Any, z: Any) -> Any:
        if not of.requires_grad:
            return torch.zeros_like(z)
        found = torch.autograd.grad(of, z, None, True, True, allow_unused=True)[0]
        return torch.zeros_like(z) if found is None else found

    tensors = {
        name: torch.tensor(x, requires_grad=name in loss.differentiated)
        for name, x in inputs.items()
    }
    value = call(loss, *tensors.values())
    grads, hesses = [], []
    for z in (tensors[name] for name in loss.differentiated):
        grad = derivative(value.sum(), z)
        if loss.schema == "map":
            hess = derivative(grad.sum(), z)
        else:  # the diagonal, class by class
            classes = range(z.shape[-1])
            hess = torch.stack([derivative(grad[..., j].sum(), z)[..., j] for j in classes], -1)
        grads.append(grad.numpy(force=True))
        hesses.append(hess.numpy(force=True))
    if len(loss.differentiated) == 1:
        return value.numpy(force=True), grads[0], hesses[0]
    return value.numpy(force=True), np.stack(grads, -1), np.stack(hesses, -1)


# ---- JAX


def _optax_losses() -> dict[str, Entry]:
    import jax
    import optax

    def plain(function: Callable[..., Any], *parameters: str) -> Entry:
        def call(loss: Any, z: Any, y: Any) -> Any:
            return function(z, y, **{name: getattr(loss, name) for name in parameters})

        return Entry(call, parameters)

    def squared_error(loss: Any, z: Any, y: Any) -> Any:
        return optax.l2_loss(z, y) if loss.half else optax.squared_error(z, y)

    def hinge(loss: Any, z: Any, y: Any) -> Any:
        return optax.hinge_loss(z, y if loss.labels == "pm1" else 2 * y - 1)

    def softmax_cross_entropy(loss: Any, z: Any, y: Any) -> Any:
        labels = y.ndim < z.ndim
        if not loss.label_smoothing:
            if labels:
                return optax.softmax_cross_entropy_with_integer_labels(z, y)
            return optax.softmax_cross_entropy(z, y)
        mass = jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype) if labels else y
        return optax.softmax_cross_entropy(z, optax.smooth_labels(mass, loss.label_smoothing))

    def kl_divergence(loss: Any, x: Any, q: Any) -> Any:
        log_p = _log_probabilities(loss, x, jax.nn.log_softmax, jax.numpy.log)
        return optax.kl_divergence(log_p, q)

    return {
        "squared_error": Entry(squared_error, ("half",)),
        "huber": plain(optax.huber_loss, "delta"),
        "log_cosh": plain(optax.log_cosh),
        "sigmoid_cross_entropy": plain(optax.sigmoid_binary_cross_entropy),
        "hinge": Entry(hinge, ("labels",)),
        "softmax_cross_entropy": Entry(softmax_cross_entropy, ("label_smoothing",)),
        "kl_divergence": Entry(kl_divergence, ("prediction_is",)),
    }


def _optax(call: Callable[..., Any], loss: fl.Loss, inputs: Inputs) -> Results:
    import jax

    prediction, target = inputs["prediction"], inputs["target"]

    def unit(z: Any, y: Any) -> Any:
        return call(loss, z, y)

    def diagonal(z: Any, y: Any) -> Any:
        hessian = jax.hessian(unit)(z, y)
        return hessian if hessian.ndim == 0 else jax.numpy.diagonal(hessian)

    with _cpu_with_float64():
        functions = (unit, jax.grad(unit), diagonal)
        return tuple(np.asarray(jax.jit(jax.vmap(f))(prediction, target)) for f in functions)


@contextlib.contextmanager
def _cpu_with_float64() -> Iterator[None]:
    import jax

    with jax.default_device(jax.devices("cpu")[0]), jax.enable_x64(True):
        yield


# ---- scikit-learn


def _sklearn_losses() -> dict[str, Entry]:
    from sklearn._loss import loss as theirs

    # Entries give the peer's object, ours over theirs, and whether its Hessian is the true one.

    def squared_error(loss: Any, classes: int) -> tuple[Any, float, bool]:
        return theirs.HalfSquaredError(), 1.0 if loss.half else 2.0, True

    def each(kind: str, *parameters: str, hessian: bool = True) -> Entry:
        def call(loss: Any, classes: int) -> tuple[Any, float, bool]:
            ours = {name: getattr(loss, name) for name in parameters}
            return getattr(theirs, kind)(**ours), 1.0, hessian

        return Entry(call, parameters)

    def softmax_cross_entropy(loss: Any, classes: int) -> tuple[Any, float, bool]:
        return theirs.HalfMultinomialLoss(n_classes=classes), 1.0, True

    return {
        "squared_error": Entry(squared_error, ("half",)),
        # Hessians of 1 where the true one is 0: for boosting
        "absolute_error": each("AbsoluteError", hessian=False),
        "huber": each("HuberLoss", "delta", hessian=False),
        "quantile": each("PinballLoss", "quantile", hessian=False),
        "poisson": each("HalfPoissonLoss"),
        "sigmoid_cross_entropy": each("HalfBinomialLoss"),
        "softmax_cross_entropy": Entry(softmax_cross_entropy, kinds=("labels",)),
    }


def _sklearn(call: Callable[..., Any], loss: fl.Loss, inputs: Inputs) -> Results:
    prediction, target = inputs["prediction"], inputs["target"]
    theirs, factor, has_hessian = call(loss, prediction.shape[-1])
    target = target.astype(prediction.dtype)
    value = theirs.loss(target, prediction)
    grad, hess = theirs.gradient_hessian(target, prediction)
    with np.errstate(over="ignore"):
        value, grad, hess = (factor * x for x in (value, grad, hess))
    return value, grad, np.broadcast_to(hess, grad.shape) if has_hessian else None


PEERS = (
    Peer("torch", ("torch",), _torch_losses, _torch),
    Peer("optax", ("jax", "optax"), _optax_losses, _optax),
    Peer("scikit-learn", ("scikit-learn",), _sklearn_losses, _sklearn),
)
