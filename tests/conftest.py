"""What every test module shares: settings of hypothesis, a restored library after each test."""

import os
from pathlib import Path

import cases
import hypothesis
import pytest

import fastloss as fl

# Kernels that Numba compiles are kept from run to run, apart from the developer's own.
os.environ.setdefault("FASTLOSS_CACHE_DIR", str(Path(__file__).parents[1] / "build" / "kernels"))

hypothesis.settings.register_profile("quick", max_examples=30, deadline=None, derandomize=True)
hypothesis.settings.register_profile("full", max_examples=500, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


BUILDERS = ("test_mutants.py", "test_packaging.py")


def _loss_of(item):
    """The registry name of the loss that a test is about, or None."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    for value in parameters.values():
        first = value[0] if isinstance(value, tuple) and value else value
        if isinstance(first, fl.Loss):
            return first.name
        if isinstance(first, str) and first in fl.losses():
            return first
    return None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    """Tests of a loss share a process, and with it what Numba compiled.

    What builds the core for minutes comes first, so that no process waits for it at the end.
    """
    for item in items:
        if not item.get_closest_marker("xdist_group") and (name := _loss_of(item)):
            item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: item.path.name not in BUILDERS)


@pytest.fixture
def rng():
    """Random numbers, the same in every run and every test."""
    return cases.generator()


@pytest.fixture(autouse=True)
def _restored():
    """A test may change the instruction set; the next one starts from the machine's best."""
    yield
    cases.restore()
