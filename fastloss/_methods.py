"""The methods of a loss, one text for both builds.

``_core.pyx`` includes it, and there ``call`` is a C function; without the core this is a module
of plain Python, and ``_native`` gives it the general ``call``.
"""

from typing import Any

# Outputs asked for, a bit each, as the core numbers them.
VALUE = 1
GRAD = 2
HESS = 4


def value(
    self: Any,
    prediction: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    normalizer: float | None = None,
    *,
    value_out: Any = None,
    threads: int | None = None,
    **inputs: Any,
) -> Any:
    """The value of the loss.

    Parameters
    ----------
    prediction : array_like
        Floating-point predictions; for losses of rows the classes are the last axis.
    target : array_like
        Of the prediction's shape, or a scalar. For losses of rows class indices of shape
        ``prediction.shape[:-1]`` or a distribution of the prediction's shape.
    weight : array_like, optional
        Weights >= 0: a scalar, one a unit, or the units' shape with some axes of length 1.
        A unit of weight 0 is absent.
    reduction : {"mean", "sum", "none"}
        Σwℓ / Σw, Σwℓ, or wℓ of each unit.
    normalizer : float, optional
        Divides a mean instead of Σw.
    value_out : ndarray, optional
        Where the values of ``reduction="none"`` are written.
    threads : int, optional
        The most threads this call may use.
    **inputs
        The loss's extra inputs, by name.

    Returns
    -------
    float or ndarray
        A float; with ``reduction="none"`` an array over the units.

    Raises
    ------
    TypeError, ValueError
        Where an argument has a wrong type, shape or value; the message names the argument, the
        lowest index and the value.
    """
    return call(
        self, VALUE, prediction, target, weight, reduction, normalizer,
        value_out, None, None, threads, inputs,
    )  # fmt: skip


def grad(
    self: Any,
    prediction: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    normalizer: float | None = None,
    *,
    grad_out: Any = None,
    threads: int | None = None,
    **inputs: Any,
) -> Any:
    """The gradient of the reduced loss with respect to the prediction.

    Parameters
    ----------
    prediction, target, weight, reduction, normalizer, threads, **inputs
        As for :meth:`value`; with ``"sum"`` and ``"none"`` the gradient is that of each wℓ.
    grad_out : ndarray, optional
        Where it is written: floating-point, of the prediction's shape; may be the prediction.

    Returns
    -------
    ndarray
        ``grad_out``, or a new array of the prediction's shape, dtype and layout.
    """
    return call(
        self, GRAD, prediction, target, weight, reduction, normalizer,
        None, grad_out, None, threads, inputs,
    )  # fmt: skip


def hess(
    self: Any,
    prediction: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    normalizer: float | None = None,
    *,
    hess_out: Any = None,
    threads: int | None = None,
    **inputs: Any,
) -> Any:
    """The diagonal Hessian of the reduced loss with respect to the prediction.

    Parameters
    ----------
    prediction, target, weight, reduction, normalizer, threads, **inputs
        As for :meth:`grad`.
    hess_out : ndarray, optional
        As ``grad_out`` of :meth:`grad`.

    Returns
    -------
    ndarray
        ``hess_out``, or a new array of the prediction's shape, dtype and layout.
    """
    return call(
        self, HESS, prediction, target, weight, reduction, normalizer,
        None, None, hess_out, threads, inputs,
    )  # fmt: skip


def value_and_grad(
    self: Any,
    prediction: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    normalizer: float | None = None,
    value_out: Any = None,
    grad_out: Any = None,
    threads: int | None = None,
    **inputs: Any,
) -> Any:
    """Value and gradient in one pass over the data.

    Parameters
    ----------
    prediction, target, weight, reduction, normalizer, value_out, threads, **inputs
        As for :meth:`value`.
    grad_out : ndarray, optional
        As for :meth:`grad`.

    Returns
    -------
    value : float or ndarray
    grad : ndarray
    """
    return call(
        self, VALUE | GRAD, prediction, target, weight, reduction, normalizer,
        value_out, grad_out, None, threads, inputs,
    )  # fmt: skip


def grad_and_hess(
    self: Any,
    prediction: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    normalizer: float | None = None,
    grad_out: Any = None,
    hess_out: Any = None,
    threads: int | None = None,
    **inputs: Any,
) -> Any:
    """Gradient and diagonal Hessian in one pass over the data.

    Parameters
    ----------
    prediction, target, weight, reduction, normalizer, threads, **inputs
        As for :meth:`grad`; boosting libraries want ``reduction="sum"``.
    grad_out, hess_out : ndarray, optional
        As for :meth:`grad` and :meth:`hess`.

    Returns
    -------
    grad : ndarray
    hess : ndarray
    """
    return call(
        self, GRAD | HESS, prediction, target, weight, reduction, normalizer,
        None, grad_out, hess_out, threads, inputs,
    )  # fmt: skip


def value_grad_hess(
    self: Any,
    prediction: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    normalizer: float | None = None,
    value_out: Any = None,
    grad_out: Any = None,
    hess_out: Any = None,
    threads: int | None = None,
    **inputs: Any,
) -> Any:
    """Value, gradient and diagonal Hessian in one pass over the data.

    Parameters
    ----------
    prediction, target, weight, reduction, normalizer, value_out, threads, **inputs
        As for :meth:`value`.
    grad_out, hess_out : ndarray, optional
        As for :meth:`grad` and :meth:`hess`.

    Returns
    -------
    value : float or ndarray
    grad : ndarray
    hess : ndarray
    """
    return call(
        self, VALUE | GRAD | HESS, prediction, target, weight, reduction, normalizer,
        value_out, grad_out, hess_out, threads, inputs,
    )  # fmt: skip
