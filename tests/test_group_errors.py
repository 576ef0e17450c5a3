"""Losses of groups say what is wrong with their arguments."""

import re

import cases
import group_cases
import numpy as np
import pytest

import fastloss as fl

PAIRS, COX, LIST = fl.PairwiseLogistic(), fl.CoxPh(), fl.ListwiseSoftmax()
Z = np.zeros(4)
BELOW = -np.ones(4)  # no target
Y = np.arange(4.0)
ONE = np.ones(4)

ERRORS = {
    "an id comes back": (
        lambda: PAIRS(Z, Y, group=[1, 2, 1, 2]),
        ValueError,
        "group[2] is 1, whose elements ended at group[0]: elements of a group must lie side by "
        "side; sort by group first",
    ),
    "sizes of groups": (
        lambda: PAIRS(Z, Y, group=[3, 1]),
        ValueError,
        "group has shape (2,), but prediction has shape (4,): it holds one id an element; of "
        "sizes of groups numpy.repeat(numpy.arange(len(group)), group) makes them",
    ),
    "ids are floats": (
        lambda: PAIRS(Z, Y, group=ONE),
        TypeError,
        "group must hold integers, one id an element; got float64",
    ),
    "too few ids": (
        lambda: PAIRS(Z, Y, group=[7]),
        ValueError,
        "group has shape (1,), but prediction has shape (4,)",
    ),
    "two axes": (
        lambda: PAIRS(np.zeros((4, 1)), Y),
        ValueError,
        "prediction has shape (4, 1), but pairwise_logistic needs one axis; use "
        "prediction.reshape(-1)",
    ),
    "a matrix": (
        lambda: PAIRS(np.zeros((2, 2)), Y),
        ValueError,
        "prediction has shape (2, 2), but pairwise_logistic needs one axis",
    ),
    "no events": (lambda: COX(Z, Y), TypeError, "cox_ph needs the input 'event': pass event=..."),
    "an unknown input": (
        lambda: PAIRS(Z, Y, event=ONE),
        TypeError,
        "this method of pairwise_logistic has no argument 'event'; it has prediction, target, "
        "group, weight, reduction, normalizer, value_out, threads",
    ),
    "half an event": (
        lambda: COX(BELOW, Y, event=[0, 1, 0.5, 2]),
        ValueError,
        "event[2] is 0.5, outside its domain: event must be 0 (censored) or 1 (event)",
    ),
    "a negative time": (
        lambda: COX(BELOW, [1.0, -2.0, 3.0, -1.0], event=ONE),
        ValueError,
        "target[1] is -2.0, outside its domain: target must be a time >= 0",
    ),
    "a negative mass": (
        lambda: LIST(BELOW, [1.0, 0.0, -1.0, 1.0]),
        ValueError,
        "target[2] is -1.0, outside its domain: target must be a number >= 0",
    ),
    "a huge relevance": (
        lambda: fl.LambdarankNdcg()(BELOW, [1, 0, 3, 1000]),
        ValueError,
        "target[3] is 1000, outside its domain: target must be a number in [0, 100]",
    ),
    "weights of other shapes": (
        lambda: PAIRS(Z, Y, [1.0, 2.0, 3.0], group=[0, 0, 1, 1]),
        ValueError,
        "weight has shape (3,): it must be a scalar, have one number a group, shape (2,), or one "
        "an element, shape (4,)",
    ),
    "weights of events": (
        lambda: COX(Z, Y, [1.0, 2.0], event=ONE, group=[0, 0, 1, 1]),
        ValueError,
        "weight has shape (2,), but the units have shape (4,): it must be a scalar or have 1 "
        "axis, each of the units' length or 1",
    ),
    "a negative weight": (
        lambda: PAIRS(Z, Y, [1.0, 2.0, -3.0, -4.0]),
        ValueError,
        "weight[2] is -3.0; weights must be finite and >= 0",
    ),
    "a weight of a group": (
        lambda: LIST(Z, Y, [1.0, np.nan], group=[0, 0, 1, 1]),
        ValueError,
        "weight[1] is nan; weights must be finite and >= 0",
    ),
    "a scalar weight": (
        lambda: LIST(Z, Y, -1.0),
        ValueError,
        "weight is -1.0; weights must be finite and >= 0",
    ),
    "uneven weights": (
        lambda: LIST(Z, Y, [1.0, 0.0, 2.0, 3.0], group=[0, 0, 1, 1]),
        ValueError,
        "weight[2] is 2.0, but weight[3] of the same group is 3.0: elements of a group of "
        "listwise_softmax weigh the same, or 0 to be absent",
    ),
    "a value for each element": (
        lambda: LIST(Z, Y, reduction="none", value_out=np.zeros(4), group=[0, 0, 1, 1]),
        ValueError,
        "value_out has shape (4,); it must have shape (2,)",
    ),
    "an output in the target": (
        lambda: LIST.grad(Z, Y, grad_out=Y),
        ValueError,
        "grad_out overlaps target in memory; only grad_out may be an input, and only the very "
        "array that prediction is",
    ),
    "integers": (
        lambda: PAIRS(np.arange(4), Y),
        TypeError,
        "prediction must be floating-point, got int64; are prediction and target swapped?",
    ),
    "the best constant": (
        lambda: PAIRS.init_score(Y),
        TypeError,
        "pairwise_logistic has extra inputs, which no constant prediction fits",
    ),
    "no truncation": (
        lambda: fl.LambdarankNdcg(truncation_level=0),
        ValueError,
        "truncation_level must be at least 1, or None for no end; got 0",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("runner", group_cases.RUNNERS[-2:], ids=cases.name_of)
def test_messages(name, runner):
    call, kind, message = ERRORS[name]
    with cases.running(runner), pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("loss", group_cases.DEFAULTS, ids=cases.name_of)
def test_numba_has_no_groups(loss):
    inputs = {name: np.ones(3, int if name == "group" else float) for name in loss.inputs}
    message = (
        f"the backend 'numba' has no driver for {loss.name}, a loss of groups; the backends "
        "'native' and 'numpy' have"
    )
    with fl.use_backend("numba"), pytest.raises(NotImplementedError, match=f"^{message}$"):
        loss(**inputs)


@pytest.mark.parametrize("loss", group_cases.DEFAULTS, ids=cases.name_of)
@pytest.mark.parametrize("runner", group_cases.RUNNERS, ids=cases.name_of)
def test_nothing_is_written_before_an_error(loss, runner):
    """Values are checked first, so a gradient in the prediction's place leaves it as it was."""
    inputs = {name: np.ones(3, int if name == "group" else float) for name in loss.inputs}
    before = inputs["prediction"].copy()
    with cases.running(runner), pytest.raises(ValueError, match=r"^weight\[1\] is -1.0"):
        loss.grad(**inputs, weight=[1.0, -1.0, 1.0], grad_out=inputs["prediction"])
    np.testing.assert_array_equal(inputs["prediction"], before)
