"""What every test module shares: settings of hypothesis, a restored library after each test."""

import os

import cases
import hypothesis
import pytest

hypothesis.settings.register_profile("quick", max_examples=30, deadline=None, derandomize=True)
hypothesis.settings.register_profile("full", max_examples=500, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture
def rng():
    """Random numbers, the same in every run and every test."""
    return cases.generator()


@pytest.fixture(autouse=True)
def _restored():
    """A test may change the instruction set; the next one starts from the machine's best."""
    yield
    cases.restore()
