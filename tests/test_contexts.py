"""Backends as contexts: how they nest, and to which thread or task they belong."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import cases
import pytest

import fastloss as fl


def test_contexts_nest():
    default = fl.show_config()["backend"]
    with fl.use_backend("numpy"):
        assert fl.show_config()["backend"] == "numpy"
        with fl.use_backend(default), fl.threads(2):
            assert fl.show_config()["backend"] == default
        assert fl.show_config()["backend"] == "numpy"
        with pytest.raises(RuntimeError, match="inside"), fl.use_backend(default):
            raise RuntimeError("inside")
        assert fl.show_config()["backend"] == "numpy"
    assert fl.show_config()["backend"] == default


def test_contexts_as_decorators_and_twice():
    context = fl.use_backend("numpy")

    @context
    def backend():
        return fl.show_config()["backend"]

    assert backend() == backend() == "numpy"
    assert fl.show_config()["backend"] == cases.BACKENDS[0]


def test_contexts_of_threads():
    """A context belongs to the thread that entered it."""
    with fl.use_backend("numpy"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(fl.show_config).result()["backend"] == cases.BACKENDS[0]
        assert fl.show_config()["backend"] == "numpy"


def test_contexts_of_tasks():
    async def use(name, steps):
        with fl.use_backend(name):
            for _ in range(steps):
                await asyncio.sleep(0)
                assert fl.show_config()["backend"] == name
                assert fl.SquaredError()([1.0], 0) == 1.0

    async def main():
        await asyncio.gather(*(use(name, k + 2) for k, name in enumerate(cases.BACKENDS * 2)))
        assert fl.show_config()["backend"] == cases.BACKENDS[0]

    asyncio.run(main())


def test_the_backend_in_use_computes():
    for backend in set(cases.BACKENDS) - {"numba"}:  # which has to compile what explains itself
        with fl.use_backend(backend):
            assert fl.LogCosh().explain([1.0], 0.0).backend == backend
