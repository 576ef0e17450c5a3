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
    z = torch.from_numpy(work.prediction).requires_grad_()
    _, *rest = map(torch.from_numpy, work.arrays.inputs.values())
    weight = {"w": torch.from_numpy(work.weight)} if work.weighted else {}

    @torch.no_grad()
    def value():
        return (loss(z, *rest, **weight),)

    def gradient():
        return torch.autograd.grad(loss(z, *rest, **weight), z)

    def value_and_gradient():
        found = loss(z, *rest, **weight)
        return found.detach(), torch.autograd.grad(found, z)[0]

    return {"value": value, "gradient": gradient, "value and gradient": value_and_gradient}[
        work.outputs
    ]
