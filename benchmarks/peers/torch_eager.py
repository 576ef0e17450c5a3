"""torch, operation by operation, with autograd."""

from __future__ import annotations

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
    given = [torch.from_numpy(x) for x in work.arrays.inputs.values()]
    leaves = [given[i].requires_grad_() for i in work.places]
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
