"""torch.compile: value and gradient as one graph, for one shape."""

from __future__ import annotations

from ..work import Call, Work
from .torch_losses import mean


def prepare(work: Work) -> Call | None:
    """Value and gradient without weights alone: a compilation takes seconds."""
    if work.outputs != "value and gradient" or work.weighted:
        return None
    import torch

    loss = mean(work)
    if loss is None:
        return None
    torch.set_num_threads(work.threads)
    torch._dynamo.reset()  # else a second shape is compiled for any shape, which is slower
    both = torch.compile(torch.func.grad_and_value(loss, work.places), dynamic=False)
    inputs = [torch.from_numpy(x) for x in work.arrays.inputs.values()]

    def call():
        gradient, value = both(*inputs)
        return value, gradient

    return call
