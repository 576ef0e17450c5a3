"""Losses of groups are as near to the truth as they say: definitions at hundreds of digits."""

import cases
import group_cases
import numpy as np
import pytest

EVERY = [*group_cases.VARIANTS, *group_cases.EXTREMES]
SPREADS = (0.1, 3.0, 40.0)


def outputs(loss, inputs, weight=None):
    """Value of each group, gradient and Hessian."""
    value, grad, hess = loss.value_grad_hess(**inputs, weight=weight, reduction="none")
    if loss.unit == "event":
        sums = [loss.value(**part(inputs, at), weight=None if weight is None else weight[at],
                           reduction="sum") for at in group_cases.members(inputs)]  # fmt: skip
        value = np.array(sums).astype(value.dtype)
    return value, grad, hess


def part(inputs, at):
    return {name: x[at] for name, x in inputs.items()}


def check(loss, runner, inputs, weight=None, extra=0.0):
    dtype = inputs["prediction"].dtype.name
    truth = group_cases.Truth(loss, inputs, weight)
    scales = group_cases.scales(loss, inputs, weight)
    with cases.running(runner):
        results = outputs(loss, inputs, weight)
    for output, got, bound in zip(group_cases.OUTPUTS, results, loss.ulps[dtype], strict=True):
        error = truth.worst(output, got, scales[output])
        assert error <= bound + extra, (output, error)


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("runner", group_cases.RUNNERS, ids=cases.name_of)
@pytest.mark.parametrize("loss", EVERY, ids=cases.name_of)
def test_ordinary_groups(loss, runner, dtype, rng):
    if loss in group_cases.EXTREMES and runner[0] == "numpy":
        pytest.skip("NumPy's exponential has no digits below the normal numbers")
    for spread in SPREADS:
        sizes = group_cases.sizes(rng, 12, 24)
        inputs = group_cases.sample(loss, sizes, dtype, rng, spread)
        check(loss, runner, inputs)


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("runner", group_cases.RUNNERS, ids=cases.name_of)
@pytest.mark.parametrize("loss", group_cases.VARIANTS, ids=cases.name_of)
def test_weighted_groups(loss, runner, dtype, rng):
    inputs = group_cases.sample(loss, group_cases.sizes(rng, 12, 24), dtype, rng)
    check(loss, runner, inputs, group_cases.weights(loss, inputs, rng), extra=1.0)
