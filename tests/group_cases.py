"""Losses of groups: their variants, random inputs, and the truth by their definitions."""

import cases
import mpmath
import numpy as np
from mpmath import mpf

import fastloss as fl
from fastloss.accuracy.jets import Jet, on_jets
from fastloss.accuracy.ulps import ulp_error

VARIANTS = [loss for name in cases.group_losses() for loss in cases.variants(name)]
EXTREMES = [loss for name in cases.group_losses() for loss in cases.extreme_variants(name)]
DEFAULTS = [fl.get(name) for name in cases.group_losses()]
RUNNERS = [runner for runner in cases.RUNNERS if runner[0] != "numba"]
BITS = {"float32": 500, "float64": 1400}  # exponentials below are 0 to a dtype
OUTPUTS = ("value", "grad", "hess")


def sizes(rng, groups, most):
    """How many elements each group has: often one, sometimes many."""
    return np.minimum(1 + rng.geometric(2 / most, groups), most)


def weights(loss, inputs, rng):
    """Weights that the loss takes: of elements where it can, some 0."""
    n = inputs["prediction"].size
    here = rng.random(n) < 0.8
    if loss.unit == "group":
        return here * (0.5 + inputs["group"] % 3)
    return here * rng.integers(1, 5, n) / 4


def units(loss, inputs, weight=None):
    """What each group's units weigh, exactly."""
    total = []
    weight = np.ones(inputs["prediction"].size) if weight is None else weight
    for at in members(inputs):
        w, t = weight[at], inputs["target"][at].astype(float)
        if loss.unit == "group":
            total.append(w.max(initial=0))
        elif loss.unit == "event":
            total.append((w * inputs["event"][at]).sum())
        else:
            total.append((np.multiply.outer(w, w) * (t[:, None] > t)).sum())
    return np.array(total)


def members(inputs):
    """The elements of each group."""
    ids = inputs.get("group", np.zeros(inputs["prediction"].size, int))
    starts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 1))
    return np.split(np.arange(ids.size), starts[1:]) if ids.size else []


def part(inputs, at):
    return {name: x[at] for name, x in inputs.items()}


def outputs(loss, inputs, weight=None):
    """Value of each group, gradient and Hessian."""
    value, grad, hess = loss.value_grad_hess(**inputs, weight=weight, reduction="none")
    if loss.unit == "event":
        sums = [loss.value(**part(inputs, at), weight=None if weight is None else weight[at],
                           reduction="sum") for at in members(inputs)]  # fmt: skip
        value = np.array(sums).astype(value.dtype)
    return value, grad, hess


class Truth:
    """Value, gradient and Hessian of each group by the loss's definition on jets.

    ``sizes`` has the largest term of each number: each part of the value that the definition adds
    up counts, as the predictions of an event or a pair do beside what they are compared with.
    """

    def __init__(self, loss, inputs, weight=None):
        self.loss = loss
        dtype = inputs["prediction"].dtype
        n = inputs["prediction"].size
        weight = np.ones(n) if weight is None else weight
        definition = on_jets(type(loss).definition)
        round_to = dtype.type
        parameters = {
            name: mpf(float(round_to(x))) if isinstance(x, float) else x
            for name, x in loss.params.items()
        }
        self.value, self.grad, self.hess = [], [mpf(0)] * n, [mpf(0)] * n
        with mpmath.workprec(BITS[dtype.name]):
            Jet.epsilon = mpf(0)
            for at in members(inputs):
                here = [int(i) for i in at if weight[i]]
                of_group = mpf(float(weight[here].max())) if here else mpf(0)
                own = loss.unit == "group"
                Jet.sides = [1] * len(here)
                jets = [Jet(mpf(float(inputs["prediction"][i])), {k: mpf(1)}, {})
                        for k, i in enumerate(here)]  # fmt: skip
                columns = {"targets": [mpf(float(inputs["target"][i])) for i in here]}
                if "event" in inputs:
                    columns["events"] = [bool(inputs["event"][i]) for i in here]
                columns["weights"] = [mpf(1) if own else mpf(float(weight[i])) for i in here]
                result = definition(jets, **columns, **parameters)
                if not isinstance(result, Jet):
                    result = Jet(mpf(result), {}, {})
                factor = of_group if own else mpf(1)
                self.value.append(factor * result.value)
                for k, i in enumerate(here):
                    self.grad[i] = factor * result.slopes.get(k, mpf(0))
                    self.hess[i] = factor * result.curves.get(k, mpf(0))

    def worst(self, output, got, scale):
        """The largest error of an output in ulps of the larger of the truth and a scale."""
        exact = getattr(self, output)
        dtype = np.asarray(got).dtype.name
        errors = [ulp_error(g, x, dtype, s) for g, x, s in zip(got, exact, scale, strict=True)]
        return max(errors, default=0.0)


def scales(loss, inputs, weight=None):
    """The largest term of each number, where the data can make terms cancel.

    An element's gradient is what pulls it up less what pulls it down. The value of weighted or tied
    events has terms of both signs; all others are sums of positive numbers.
    """
    n = inputs["prediction"].size
    weight = np.ones(n) if weight is None else weight
    values, hesses = np.zeros(len(members(inputs))), np.zeros(n)
    wide = {name: x if name == "group" else x.astype("f8") for name, x in inputs.items()}
    if loss.schema == "scan":
        grads = weight * inputs.get("event", np.ones(n))
        if loss.unit == "event":
            with fl.use_backend("numpy"):
                each = np.abs(loss.value(**wide, weight=weight, reduction="none"))
            values = np.array([each[at].sum() for at in members(inputs)])
    elif loss.schema == "list":
        grads = weight * wide["target"]
        least = np.finfo(inputs["prediction"].dtype).tiny
        for at in members(inputs):
            total = wide["target"][at][weight[at] > 0].sum()
            if loss.params["normalize"]:
                grads[at] /= total or 1
            else:  # a subnormal probability is rounded before the masses multiply it
                hesses[at] = weight[at] * total * least
                grads[at] = np.maximum(grads[at], hesses[at])
    else:
        with fl.use_backend("numpy"):
            grads = pulling(loss).hess(**wide, weight=weight, reduction="sum")
    if loss.schema == "scan":
        # p (1 - p) of two words each: what is far below 1 has lost some of them
        with fl.use_backend("numpy"):
            hesses = np.abs(loss.grad(**wide, weight=weight, reduction="sum")) + grads
        hesses = np.ldexp(hesses, -45)
    return {"value": values, "grad": grads, "hess": hesses}


def pulling(loss):
    """The loss with the magnitudes of its pairs' gradients as Hessians."""
    formula = loss.scalars.formula

    def pulls(*arguments):
        value, grad, _ = formula(*arguments)
        return value, grad, abs(grad)

    kind = type(loss)
    return type(kind.__name__, (kind,), {"formula": staticmethod(pulls)})(**loss.params)
