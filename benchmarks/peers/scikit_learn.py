"""scikit-learn's private Cython losses, which gradient boosting and linear models use.

They give values and derivatives of each sample; the mean is made of them in place.
"""

from __future__ import annotations

import numpy as np

import fastloss as fl

from ..work import Call, Work

LOSSES = {
    # ours: (theirs, ours / theirs, the parameters they share)
    "squared_error": ("HalfSquaredError", 2.0, ()),
    "absolute_error": ("AbsoluteError", 1.0, ()),
    "huber": ("HuberLoss", 1.0, ("delta",)),
    "quantile": ("PinballLoss", 1.0, ("quantile",)),
    "poisson": ("HalfPoissonLoss", 1.0, ()),
    "sigmoid_cross_entropy": ("HalfBinomialLoss", 1.0, ()),
    "softmax_cross_entropy": ("HalfMultinomialLoss", 1.0, ()),
}
NO_HESSIAN = ("absolute_error", "huber", "quantile")
"""Theirs is 1 everywhere, which boosting wants."""


def prepare(work: Work) -> Call | None:
    if work.loss not in LOSSES:
        return None
    if work.outputs == "gradient and Hessian" and work.loss in NO_HESSIAN:
        return None
    from sklearn._loss import loss as losses

    class_name, factor, parameters = LOSSES[work.loss]
    options = {name: fl.get(work.loss).params[name] for name in parameters}
    if work.rows:
        options["n_classes"] = work.prediction.shape[1]
    loss = getattr(losses, class_name)(**options)
    prediction, weight = work.prediction, work.weight
    given = {
        "y_true": work.target.astype(prediction.dtype, copy=False),
        "raw_prediction": prediction,
        "sample_weight": weight,
        "n_threads": work.threads,
    }
    values = np.empty(len(prediction), prediction.dtype)
    grad, hess = work.arrays.grad, work.arrays.hess

    def scale():
        return factor / (len(prediction) if weight is None else float(weight.sum()))

    def value():
        loss.loss(loss_out=values, **given)
        return (scale() * values.sum(),)

    def gradient():
        loss.gradient(gradient_out=grad, **given)
        return (np.multiply(grad, scale(), out=grad),)

    def value_and_gradient():
        loss.loss_gradient(loss_out=values, gradient_out=grad, **given)
        each = scale()
        np.multiply(grad, each, out=grad)
        return each * values.sum(), grad

    def gradient_and_hessian():
        loss.gradient_hessian(gradient_out=grad, hessian_out=hess, **given)
        each = scale()
        return np.multiply(grad, each, out=grad), np.multiply(hess, each, out=hess)

    return {
        "value": value,
        "gradient": gradient,
        "value and gradient": value_and_gradient,
        "gradient and Hessian": gradient_and_hessian,
    }[work.outputs]
