"""Losses in torch's graph: the recipe of docs/torch.md, which explains it."""

import torch

import fastloss as fl


class LossFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, loss, inputs, *tensors):
        named = {n: x.detach().numpy() for n, x in zip(loss.differentiated, tensors, strict=True)}
        value, grads = loss.value_and_grad(**named, **inputs)
        if isinstance(loss, fl.GroupLoss) and not isinstance(value, float):
            raise ValueError("a loss of groups needs the reduction mean or sum")
        ctx.save_for_backward(*map(torch.from_numpy, grads if len(named) > 1 else (grads,)))
        return torch.as_tensor(value, dtype=tensors[0].dtype)

    @staticmethod
    def backward(ctx, up):
        if torch.is_grad_enabled():
            raise RuntimeError("a loss of fastloss cannot be differentiated twice")
        return None, None, *(up[..., *[None] * (g.ndim - up.ndim)] * g for g in ctx.saved_tensors)
