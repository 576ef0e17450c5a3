"""Means of losses by torch.nn.functional."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ..work import Work


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """Each takes a loss's inputs and torch's ``reduction``."""
    import torch
    from torch.nn import functional

    def poisson(z, y, reduction="mean"):
        return functional.poisson_nll_loss(z, y, log_input=True, full=False, reduction=reduction)

    def categorical_cross_entropy(p, y, reduction="mean"):
        values = -torch.log(p.gather(1, y[:, None])[:, 0])
        return values.mean() if reduction == "mean" else values

    def kl_divergence(z, q, reduction="mean"):
        log_p = torch.log_softmax(z, 1)
        if reduction == "mean":
            return functional.kl_div(log_p, q, reduction="batchmean")
        return functional.kl_div(log_p, q, reduction="none").sum(1)

    def js_divergence(z, q, reduction="mean"):
        p = torch.softmax(z, 1)
        log_m = torch.log((p + q) / 2)
        both = [functional.kl_div(log_m, x, reduction="none").sum(1) for x in (q, p)]
        values = (both[0] + both[1]) / 2
        return values.mean() if reduction == "mean" else values

    def gaussian_nll(mean, y, log_variance, reduction="mean"):
        variance = log_variance.exp()
        return functional.gaussian_nll_loss(mean, y, variance, eps=0.0, reduction=reduction)

    return {
        "squared_error": functional.mse_loss,
        "absolute_error": functional.l1_loss,
        "huber": functional.huber_loss,
        "smooth_l1": functional.smooth_l1_loss,
        "poisson": poisson,
        "gaussian_nll": gaussian_nll,
        "brier": functional.mse_loss,
        "sigmoid_cross_entropy": functional.binary_cross_entropy_with_logits,
        "binary_cross_entropy": functional.binary_cross_entropy,
        "softmax_cross_entropy": functional.cross_entropy,
        "categorical_cross_entropy": categorical_cross_entropy,
        "nll": functional.nll_loss,
        "multi_margin": functional.multi_margin_loss,
        "kl_divergence": kl_divergence,
        "js_divergence": js_divergence,
    }


def mean(work: Work) -> Callable[..., Any] | None:
    """A function of the loss's inputs and, where there are weights, ``w``."""
    function = functions().get(work.loss)
    if function is None or not work.weighted:
        return function
    return lambda *inputs, w: (w * function(*inputs, reduction="none")).sum() / w.sum()
