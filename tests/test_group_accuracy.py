"""Losses of groups are as near to the truth as they say: definitions at hundreds of digits."""

import functools

import cases
import group_cases
import pytest

EVERY = [
    (loss, runner)
    for runner in group_cases.RUNNERS
    # NumPy's exponential has no digits below the normal numbers
    for loss in (*group_cases.VARIANTS, *(group_cases.EXTREMES if runner[0] != "numpy" else ()))
]
SPREADS = (0.1, 3.0, 40.0)


@functools.cache
def case(loss, dtype, spread, weighted):
    """Inputs, weights, the truth and its scales; every runner asks for the same."""
    rng = cases.generator()
    sizes = group_cases.sizes(rng, 8, 20)
    inputs = cases.sample_groups(loss, sizes, dtype, rng, spread)
    weight = group_cases.weights(loss, inputs, rng) if weighted else None
    truth = group_cases.Truth(loss, inputs, weight)
    return inputs, weight, truth, group_cases.scales(loss, inputs, weight)


def check(loss, runner, dtype, spread, weighted=False, extra=0.0):
    inputs, weight, truth, scales = case(loss, dtype, spread, weighted)
    with cases.running(runner):
        results = group_cases.outputs(loss, inputs, weight)
    for output, got, bound in zip(group_cases.OUTPUTS, results, loss.ulps[dtype], strict=True):
        error = truth.worst(output, got, scales[output])
        assert error <= bound + extra, (output, error)


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(("loss", "runner"), EVERY, ids=cases.name_of)
def test_ordinary_groups(loss, runner, dtype, spread):
    check(loss, runner, dtype, spread)


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("loss", group_cases.VARIANTS, ids=cases.name_of)
@pytest.mark.parametrize("runner", group_cases.RUNNERS, ids=cases.name_of)
def test_weighted_groups(loss, runner, dtype):
    """Products with weights are rounded once more."""
    check(loss, runner, dtype, 3.0, weighted=True, extra=1.0)
