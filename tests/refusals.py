"""What tests of errors share: losses, their methods, valid arguments, the check of a message."""

import functools

import cases
import numpy as np
import pytest
import test_extra_inputs

import fastloss as fl

DEFAULTS = [fl.get(name) for name in cases.unit_losses()]
OWN = (test_extra_inputs.COST, test_extra_inputs.SCALE)
"""Losses that a user defines, with inputs of their own; no kernel is compiled for them."""
LOSSES = [*DEFAULTS, *OWN]
ONE_OF_A_KIND = [
    *{
        (loss.inputs, cases.target_kinds(loss), getattr(loss, "encoding", None)): loss
        for loss in reversed(LOSSES)
    }.values()
]
BACKENDS = tuple(backend for backend in cases.BACKENDS if backend != "numba")
"""Numba shares the compiled core's checks."""

CALLS = (*cases.METHODS, "__call__", "explain")
RUNS = tuple(method for method in CALLS if method != "explain")
"""The methods that look at values."""
METHODS = (*CALLS, "init_score", "inverse_link")
OUTS = {method: tuple(f"{part}_out" for part in parts) for method, parts in cases.METHODS.items()}
OUTS |= {"explain": ("value_out", "grad_out", "hess_out"), "inverse_link": ("out",)}
"""The outputs that a method takes."""

each_losses = pytest.mark.parametrize(
    "losses",
    [ONE_OF_A_KIND, pytest.param(LOSSES, marks=pytest.mark.full)],
    ids=["one of a kind", "all"],
)


@functools.cache
def _inputs(loss, shape):
    if loss in OWN:
        return test_extra_inputs.inputs_of(loss, shape)
    return cases.sample(loss, shape, np.float64, cases.generator(), extremes=False)


def valid(loss, method, shape=(3,)):
    """Arguments that a method of a loss takes: an array each, of units of a shape."""
    arrays = {**_inputs(loss, shape), "weight": np.ones(shape)}
    wanted = {"init_score": ("target", "weight"), "inverse_link": ("prediction",)}
    return {name: arrays[name] for name in wanted.get(method, arrays)}


def calls(losses, methods):
    """Each loss and method, with valid arguments."""
    for loss in losses:
        for method in methods:
            if method != "init_score" or (len(loss.inputs) == 2 and loss.optimum != "none"):
                yield loss, method, valid(loss, method)


def check(loss, method, arguments, kind, message, backends=BACKENDS[:1]):
    """The call raises an error of just this text."""
    for backend in BACKENDS[-1:] if loss in OWN else backends:
        with fl.use_backend(backend), pytest.raises(Exception) as raised:  # noqa: PT011
            getattr(loss, method)(**arguments)
        found = (type(raised.value), str(raised.value))
        assert found == (kind, message), (loss, method, backend)
