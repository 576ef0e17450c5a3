"""torch, operation by operation, with autograd."""

from __future__ import annotations

import fastloss as fl

from ..work import Call, Work
from .torch_losses import mean


def prepare(work: Work) -> Call | None:
    if work.outputs == "gradient and Hessian":
        return None
    import torch

    loss = mean(work)
    if loss is None:
        return None
    torch.set_num_threads(work.threads)
    inputs = {name: torch.from_numpy(x) for name, x in work.arrays.inputs.items()}
    leaves = [inputs[name].requires_grad_() for name in fl.get(work.loss).differentiated]
    given = list(inputs.values())
    weight = {"w": torch.from_numpy(work.weight)} if work.weighted else {}

    @torch.no_grad()
    def value():
        return (loss(*given, **weight),)

    def gradient():
        return torch.autograd.grad(loss(*given, **weight), leaves)

    def value_and_gradient():
        found = loss(*given, **weight)
        return found.detach(), torch.autograd.grad(found, leaves)

    return {"value": value, "gradient": gradient, "value and gradient": value_and_gradient}[
        work.outputs
    ]
