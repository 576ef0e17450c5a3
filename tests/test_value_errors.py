"""Each value that no loss takes is named with its place, for each method of each loss."""

import cases
import ml_dtypes
import numpy as np
import pytest
from refusals import (
    BACKENDS,
    CALLS,
    DEFAULTS,
    METHODS,
    OWN,
    RUNS,
    calls,
    check,
    each_losses,
    valid,
)

import fastloss as fl

NAN, INF = np.nan, np.inf

# ---- domains


def number(x, dtype="f8"):
    """A number as messages show it."""
    x = np.dtype(dtype).type(x)
    return str(x if x.dtype.kind in "iuf" else np.float32(x))


def outside(domain):
    """Values that lie outside a domain."""
    if domain.discrete:
        return [domain.low - 1, domain.high + 1, (domain.low + domain.high) / 2, INF, -INF, 1e300]
    found = [domain.low - 1, np.nextafter(domain.low, -INF), -INF, -1e300]
    found = found if domain.low > -INF else []
    if domain.high < INF:
        found += [domain.high + 1, np.nextafter(domain.high, INF), INF, 1e300]
    return found


def in_domains():
    return [
        (loss, name)
        for loss in (*cases.all_variants(), *OWN)
        for name, domain in zip(loss.inputs, loss.domains(), strict=True)
        if domain.checked and (name != "target" or takes_any_distribution(loss))
    ]


def takes_any_distribution(loss):
    """Whether a row of it never names a class alone."""
    return loss.schema != "row" or (loss.takes_distributions and loss.ignore_index is None)


def with_target_of(loss, name, arguments):
    """The arguments with a distribution for labels, or with labels of a class that counts."""
    if loss.schema == "row" and name == "target":
        arguments["target"] = np.full((5, cases.CLASSES), 1 / cases.CLASSES)
    elif getattr(loss, "takes_labels", False):
        arguments["target"] = np.zeros(5, int)
    return arguments


def spoiled(array, value):
    """A copy with a value in two places, and the first of them."""
    array, first = array.copy(), (2,) * array.ndim
    array[first] = array[(4,) * array.ndim] = value
    return array, ", ".join(map(str, first))


def right_when_swapped(loss, arguments):
    of_prediction, of_target = loss.domains()[:2]
    prediction, target = arguments["prediction"], arguments["target"]
    right = not of_prediction.outside(target).any() and not of_target.outside(prediction).any()
    return right and loss.schema != "row"


@pytest.mark.parametrize(("loss", "name"), in_domains(), ids=cases.name_of)
def test_values_outside_their_domain(loss, name):
    domain = loss.domains()[loss.inputs.index(name)]
    for method in RUNS:
        arguments = with_target_of(loss, name, valid(loss, method, (5,)))
        for value in outside(domain):
            array, place = spoiled(arguments[name], value)
            changed = {**arguments, name: array}
            message = (
                f"{name}[{place}] is {number(value)}, outside its domain: {name} must be "
                f"{domain.text}"
            )
            if right_when_swapped(loss, changed):
                message += "; are prediction and target swapped?"
            check(loss, method, changed, ValueError, message, BACKENDS)


def test_targets_outside_their_domain_of_init_score():
    """Without a hint at a prediction that nobody gave."""
    for loss, name in in_domains():
        if name != "target" or len(loss.inputs) > 2 or loss.optimum == "none":
            continue
        arguments = with_target_of(loss, name, valid(loss, "init_score", (5,)))
        domain = loss.domains()[1]
        for value in outside(domain):
            array, place = spoiled(arguments["target"], value)
            message = (
                f"target[{place}] is {number(value)}, outside its domain: target must be "
                f"{domain.text}"
            )
            check(loss, "init_score", {"target": array}, ValueError, message)


# ---- class indices

WRONG_LABELS = [
    *((dtype, label, number(label, dtype)) for dtype, label in (
        ("i1", -1), ("i2", -300), ("i8", -(2**63)), ("i4", 5), ("i8", 2**62), ("u1", 5),
        ("u8", 2**63), ("u8", 2**64 - 1), ("f2", 0.5), ("f4", NAN), ("f8", INF), ("f8", -INF),
        ("f8", -1.0), ("f4", -0.5), ("f8", 5.0), ("f8", 1e300), ("f8", np.nextafter(1, 2)),
        (ml_dtypes.bfloat16, -1.0), (ml_dtypes.bfloat16, NAN), (ml_dtypes.bfloat16, 6.0),
    )),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_LABELS, ids=lambda w: f"{np.dtype(w[0])}-{w[1]}")
def test_wrong_labels(wrong):
    dtype, label, shown = wrong
    target = np.array([0, 1, 3, label, 1, label], dtype)
    integral = float(label).is_integer()
    for loss in cases.all_variants():
        if loss.schema != "row" or not loss.takes_labels:
            continue
        message = f"target[3] is {shown}, not a class index from 0 to {{}}"
        if integral and label < 0:
            message += f"; to leave such rows out use ignore_index={int(label)}"
        classes = cases.fixed_classes(loss) or cases.CLASSES
        last = loss.label_count(classes) - 1
        if integral and 0 <= label <= last:
            continue
        arguments = {"prediction": np.full((6, classes), 0.2), "target": target}
        for method in RUNS:
            check(loss, method, arguments, ValueError, message.format(last), BACKENDS)
        if loss.optimum == "none":
            continue
        if loss.class_weight is not None:
            check(loss, "init_score", {"target": target}, ValueError, message.format(last))
        elif label < 0 or not integral:  # others tell how many classes there are
            check(loss, "init_score", {"target": target}, ValueError, message.format(3))


# ---- weights

WRONG_WEIGHTS = [
    *((dtype, weight, number(weight, dtype)) for dtype, weight in (
        ("f8", -1.0), ("f8", NAN), ("f8", INF), ("f8", -INF), ("f8", -5e-324), ("f4", -1e-45),
        ("f2", -1.0), ("f4", NAN), ("i1", -1), ("i8", -(2**63)), (ml_dtypes.bfloat16, NAN),
    )),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_WEIGHTS, ids=lambda w: f"{np.dtype(w[0])}-{w[1]}")
@each_losses
def test_wrong_weights(wrong, losses):
    dtype, weight, shown = wrong
    weights = np.array([1, weight, weight], dtype)
    for loss, method, arguments in calls(losses, (*RUNS, "init_score")):
        reductions = [{}] if method == "init_score" else [{"reduction": r} for r in ("mean", "sum")]
        for reduction in reductions:
            for where, array in (("weight[1]", weights), ("weight", weights[1])):
                message = f"{where} is {shown}; weights must be finite and >= 0"
                changed = {**arguments, **reduction, "weight": array}
                check(loss, method, changed, ValueError, message, BACKENDS)


# ---- sizes

HUGE = 2**45
"""Elements: their bytes are more than addresses of 48 bits reach."""


def view_of(*shape):
    return np.lib.stride_tricks.as_strided(np.ones(1, "f4"), shape, (0,) * len(shape))


def test_huge_views():
    """There is no memory for what they ask for, and none is touched."""
    for loss in DEFAULTS:
        shapes = [(HUGE,), (2**22, 2**23)]
        if loss.schema == "row":
            classes = cases.fixed_classes(loss)
            shapes = [(HUGE, classes)] if classes else [(HUGE, 2), (2, HUGE), (2**22, 2**23)]
        for shape in shapes:
            array = view_of(*shape)
            target = array if cases.target_kinds(loss)[0] == "distribution" else 1
            for method in METHODS:
                if method in ("value", "__call__"):  # which need no memory
                    continue
                arguments = dict.fromkeys(loss.inputs, array) | {"target": target}
                if method == "init_score":
                    if len(loss.inputs) > 2:  # which it does not take
                        continue
                    arguments = {"target": array}
                elif method == "inverse_link":
                    arguments = {"prediction": array}
                for backend in BACKENDS:
                    with fl.use_backend(backend), pytest.raises(MemoryError):
                        getattr(loss, method)(**arguments)


@each_losses
def test_huge_views_of_other_shapes(losses):
    for loss, method, arguments in calls(losses, CALLS):
        for name in arguments:
            changed = {**arguments, name: view_of(HUGE)}
            with fl.use_backend("numpy"), pytest.raises(ValueError, match="has shape"):
                getattr(loss, method)(**changed)


def test_huge_labels_of_init_score():
    for loss in DEFAULTS:
        if not getattr(loss, "takes_labels", False) or loss.optimum == "none":
            continue
        for label in (2**24, 2**32, 2**64 - 1):
            message = (
                f"target[1] is {label}, but labels alone tell of at most {2**24} classes; "
                "give class_weight for more"
            )
            arguments = {"target": np.array([0, label, 1], np.uint64)}
            check(loss, "init_score", arguments, ValueError, message)
