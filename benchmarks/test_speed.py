"""Every loss × dtype × size × outputs × weights: ``pytest -c benchmarks/pytest.ini benchmarks``.

One thread; each case is compared with the NumPy backend before it is timed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import fastloss as fl

from .inputs import draw, draw_weights, fitting, unit_losses
from .work import results

SHAPES = {
    "map": [(1_000,), (1_000_000,)],
    "row": [(100, 10), (100_000, 10), (1_000, 1_000)],
}
OUTPUTS = {
    "value": (),
    "value_and_grad": ("grad_out",),
    "value_grad_hess": ("grad_out", "hess_out"),
}
DTYPES = (np.float32, np.float64)
TOLERANCE = 64  # machine epsilons, relative to the largest: whether it is right, not how exact

CASES = [
    (name, dtype, shape, weighted)
    for name in unit_losses()
    for dtype in DTYPES
    for shape in SHAPES[fl.get(name).schema]
    for weighted in (False, True)
]


def label(case) -> str:
    name, dtype, shape, weighted = case
    size = "x".join(map(str, shape))
    return f"{name}-{np.dtype(dtype).name}-{size}-{'weighted' if weighted else 'plain'}"


@lru_cache(maxsize=1)  # the outputs of a case follow each other
def arguments(name, dtype, shape, weighted):
    loss = fitting(name, shape)
    inputs = draw(loss, dtype, shape)
    if weighted:
        inputs["weight"] = draw_weights(dtype, shape if loss.schema == "map" else shape[:-1])
    return inputs


@lru_cache(maxsize=1)
def reference(*case):
    with fl.use_backend("numpy"):
        return fitting(case[0], case[2]).value_grad_hess(**arguments(*case))


def assert_same(found, expected, dtype):
    tolerance = TOLERANCE * np.finfo(dtype).eps
    for one, other in zip(found, expected, strict=True):
        assert np.isfinite(other).all()
        assert np.abs(one - other).max() <= tolerance * max(np.abs(other).max(), 1e-300)


@pytest.fixture(autouse=True)
def one_thread():
    fl.set_threads(1)
    yield
    fl.set_threads(0)


@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("case", CASES, ids=label)
def test_speed(benchmark, case, outputs):
    name, dtype, shape, _ = case
    loss, inputs = fitting(name, shape), arguments(*case)
    method = getattr(loss, outputs)
    gradients = [np.empty_like(inputs[source]) for source in loss.differentiated]
    buffers = {
        out: np.empty_like(gradients[0])
        if len(gradients) == 1
        else tuple(np.empty_like(g) for g in gradients)
        for out in OUTPUTS[outputs]
    }
    found = results(method(**inputs, **buffers))
    assert_same(found, results(reference(*case))[: len(found)], dtype)

    benchmark.group = label(case)
    benchmark.extra_info |= {"loss": name, "dtype": np.dtype(dtype).name, "shape": list(shape)}
    benchmark(method, **inputs, **buffers)

    if benchmark.stats:  # absent with --benchmark-disable
        moved = sum(x.nbytes for x in inputs.values())
        moved += sum(x.nbytes for out in buffers.values() for x in results(out))
        seconds = benchmark.stats.stats.median
        benchmark.extra_info["nanoseconds_per_element"] = seconds / np.prod(shape) * 1e9
        benchmark.extra_info["gigabytes_per_second"] = moved / seconds * 1e-9
