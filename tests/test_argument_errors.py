"""Each argument of each method of each loss, given each wrong thing, says the same of it."""

import decimal

import cases
import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from refusals import (
    CALLS,
    DEFAULTS,
    LOSSES,
    METHODS,
    OUTS,
    calls,
    check,
    each_losses,
    has_best_constant,
    valid,
)

import fastloss as fl

NAN, INF = np.nan, np.inf
DTYPES = "bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32 or float64"
KINDS = f"must be a number, a list, an array, a column, a frame or a CPU tensor of dtype {DTYPES}"

# ---- no array at all, or none of numbers


class OnGpu:
    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **kwargs):
        raise AssertionError("nobody may read it")


class Cupy:
    __cuda_array_interface__ = {"shape": (3,)}


def endless():
    value = []
    value.append(value)
    return value


def refused(what):
    return TypeError, f"{{name}} {KINDS}, not {what}"


def of_dtype(what, name="{name}"):
    return TypeError, f"{name} has dtype {what}, but must have {DTYPES}: convert it first"


def null(where, name="{name}"):
    return ValueError, f"{name} has a null at {where}; drop or fill nulls first"


WRONG_ARRAYS = {
    "text": (lambda: "0.5", *refused("str")),
    "bytes": (lambda: b"0.5", *refused("bytes")),
    "a dictionary": (lambda: {"a": 1}, *refused("dict")),
    "a set": (lambda: {1.0}, *refused("set")),
    "a generator": (lambda: (x for x in (1.0, 2.0, 3.0)), *refused("generator")),
    "a map": (lambda: map(float, range(3)), *refused("map")),
    "a function": (lambda: len, *refused("builtin_function_or_method")),
    "a type": (lambda: float, *refused("type")),
    "a decimal": (lambda: decimal.Decimal(1), *refused("decimal Decimal")),
    "a sparse matrix": (
        lambda: scipy.sparse.eye(3, format="csr"),
        *refused("scipy csr_matrix: call .toarray() first"),
    ),
    "pandas NA": (lambda: pd.NA, *refused("pandas NAType")),
    "a polars expression": (lambda: pl.col("a"), *refused("polars Expr")),
    "a lazy frame": (
        lambda: pl.LazyFrame(),
        TypeError,
        "{name} is a polars LazyFrame: call .collect() first",
    ),
    "complex": (lambda: np.ones(3, "c8"), *of_dtype("complex64")),
    "a complex number": (lambda: 1j, *of_dtype("complex128")),
    "objects": (lambda: np.array([1.0, None, 2.0]), *of_dtype("object")),
    "strings": (lambda: np.array(["a", "b", "c"]), *of_dtype("<U1")),
    "a string in a list": (
        lambda: [1.0, "a", 2.0],
        TypeError,
        f"{{name}}[1] {KINDS}, not str",
    ),
    "datetimes": (lambda: np.zeros(3, "M8[s]"), *of_dtype("datetime64[s]")),
    "timedeltas": (lambda: np.zeros(3, "m8[s]"), *of_dtype("timedelta64[s]")),
    "a timedelta in a list": (
        lambda: [1.5, np.timedelta64(1, "s")],
        *of_dtype("timedelta64[s]", "{name}[1]"),
    ),
    "structured": (lambda: np.zeros(3, "f4,i4"), *of_dtype("[('f0', '<f4'), ('f1', '<i4')]")),
    "void": (lambda: np.zeros(3, "V8"), *of_dtype("|V8")),
    "longdouble": (lambda: np.ones(3, "g"), *of_dtype(np.dtype("g").name)),
    "float8": (lambda: np.ones(3, ml_dtypes.float8_e5m2), *of_dtype("float8_e5m2")),
    "pandas text": (lambda: pd.Series(["a", "b", "c"], dtype="str"), *of_dtype("str")),
    "a frame with text": (
        lambda: pd.DataFrame({"a": [1.0], "b": ["x"]}),
        *of_dtype("str", "column 'b' of {name}"),
    ),
    "polars text": (lambda: pl.Series(["a"]), *of_dtype("String")),
    "arrow text": (lambda: pa.array(["a"]), *of_dtype("string")),
    "torch, complex": (lambda: torch.ones(3, dtype=torch.complex64), *of_dtype("complex64")),
    "None in a list": (lambda: [1.0, None, 2.0], *null("row 1")),
    "None in a row": (lambda: [[1.0, 2.0], [3.0, None]], *null("row 1, column 1")),
    "pandas nulls": (lambda: pd.Series([1, None, 2], dtype="Int64"), *null("row 1")),
    "a frame with a null": (
        lambda: pd.DataFrame({"a": pd.array([1, 2]), "b": pd.array([1, None])}),
        *null("row 1, column 'b'"),
    ),
    "polars nulls": (lambda: pl.Series([1.0, 2.0, None]), *null("row 2")),
    "arrow nulls": (lambda: pa.array([None, 1.0]), *null("row 0")),
    "masked": (
        lambda: np.ma.array([1.0, 2.0, 3.0], mask=[0, 0, 1]),
        ValueError,
        "{name} is masked at row 2; drop or fill masked elements first",
    ),
    "ragged": (
        lambda: [[0.5], [0.5, 1.5]],
        ValueError,
        "{name} is ragged: {name}[1] has length 2, but {name}[0] has length 1",
    ),
    "ragged arrays": (
        lambda: [np.ones(1), np.ones((1, 1))],
        ValueError,
        "{name} is ragged: {name}[1] has shape (1, 1), but {name}[0] has length 1",
    ),
    "nested without end": (
        endless,
        ValueError,
        "{name} is nested deeper than 64 levels",
    ),
    "a huge integer": (
        lambda: [1.0, 2**70],
        ValueError,
        f"{{name}}[1] is {2**70}, which fits neither int64 nor uint64",
    ),
    "integers of two ranges": (
        lambda: [-1, 2**63],
        ValueError,
        "{name} mixes integers below 0 and above 2**63 - 1: no dtype holds both",
    ),
    "on a GPU": (
        OnGpu,
        TypeError,
        "fastloss runs on the CPU; {name} is on cuda:0: call .cpu() first",
    ),
    "CUDA's own interface": (
        Cupy,
        TypeError,
        "fastloss runs on the CPU; {name} is on cuda: call .cpu() first",
    ),
    "requires grad": (
        lambda: torch.ones(3, requires_grad=True),
        TypeError,
        "{name} is a tensor that requires grad: call .detach() first",
    ),
    "more than fits": (
        lambda: np.lib.stride_tricks.as_strided(np.ones(1, "i1"), (2**62,), (0,)),
        ValueError,
        f"{{name}} has shape ({2**62},): no more than {2**60 - 1} elements fit",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_ARRAYS)
@each_losses
def test_wrong_arrays(wrong, losses):
    make, kind, message = WRONG_ARRAYS[wrong]
    for loss, method, arguments in calls(losses, METHODS):
        for name in arguments:
            changed = {**arguments, name: make()}
            check(loss, method, changed, kind, message.format(name=name))


def test_none():
    """Which only a weight may be, and what may be left out."""
    for loss, method, arguments in calls(LOSSES, METHODS):
        for name in arguments:
            changed = {**arguments, name: None}
            if name == "weight" or name in loss.optional:
                with fl.use_backend("numpy"):
                    getattr(loss, method)(**changed)
            else:
                check(loss, method, changed, TypeError, f"{name} {KINDS}, not None")


def test_different_indexes():
    for loss, method, arguments in calls(LOSSES, (*CALLS, "init_score")):
        first, *others = arguments
        for other in others:
            columns = {first: column(arguments[first]), other: column(arguments[other], [0, 5, 2])}
            message = (
                f"{first} and {other} have different pandas indexes: at position 1 {first} has 1 "
                f"and {other} has 5"
            )
            check(loss, method, {**arguments, **columns}, ValueError, message)


def column(array, index=None):
    return pd.Series(array, index) if array.ndim == 1 else pd.DataFrame(array, index)


# ---- predictions that are no floats


@pytest.mark.parametrize("dtype", ["?", "i1", "i8", "u2"])
def test_integer_predictions(dtype):
    """As they come from arguments in the wrong order."""
    for loss, method, arguments in calls(LOSSES, CALLS):
        for name in loss.differentiated:
            changed = {**arguments, name: arguments[name].astype(dtype)}
            message = f"{name} must be floating-point, got {np.dtype(dtype)}; "
            message += "are prediction and target swapped?"
            floats = {**changed, "target": arguments["target"].astype(np.float32)}
            check(loss, method, floats, TypeError, message)
            integers = {**changed, "target": arguments["target"].astype(np.int8)}
            message += f" If not, convert it: {name}.astype(numpy.float32)"
            check(loss, method, integers, TypeError, message)


def test_integer_predictions_of_inverse_link():
    for loss, method, arguments in calls(LOSSES, ("inverse_link",)):
        changed = {"prediction": arguments["prediction"].astype(int)}
        message = (
            "prediction must be floating-point, got int64; convert it: "
            "prediction.astype(numpy.float32)"
        )
        check(loss, method, changed, TypeError, message)


# ---- shapes

MAP, LABELS, DISTRIBUTIONS, NUMBERS = "values", "labels", "distribution", "numbers"
BUT = "{name} has shape {found}, but prediction has shape {prediction}: "
ALONE = BUT + "{name} must be a scalar or have shape {prediction}"
RESHAPE = BUT + "use {name}.reshape({to}) or prediction.reshape({back})"
TRANSPOSE = BUT + "use {name}.T or prediction.T"
OF_LABELS = BUT + (
    "{name} must be a scalar or have shape {units} (class indices) or {prediction} (probabilities)"
)
OF_NUMBERS = BUT + "{name} must be a scalar or have shape {units}"
OF_DISTRIBUTIONS = (
    "{name} has shape {found}, but kl_divergence needs probabilities of prediction's shape "
    "{prediction}"
)
OF_WEIGHTS = (
    "weight has shape {found}, but the units have shape {units}: it must be a scalar or have "
    "{axes}, each of the units' length or 1"
)
CLASSES = "prediction needs classes on its last axis; got the shape {prediction}"

KINDS_OF_TARGETS = (MAP, LABELS, DISTRIBUTIONS, NUMBERS)

# The kind of loss, the argument, the units' shape, its own, and what is said.
SHAPES = [
    (MAP, "target", (3,), (2,), ALONE),
    (MAP, "target", (3,), (1,), ALONE),
    (MAP, "target", (3,), (0,), ALONE),
    (MAP, "target", (0,), (3,), ALONE),
    (MAP, "target", (2, 3), (3,), ALONE),
    (MAP, "target", (2, 3), (1, 3), ALONE),
    (MAP, "target", (2, 3), (6,), ALONE),
    (MAP, "target", (2, 3), (2, 3, 4), ALONE),
    (MAP, "target", (), (3,), BUT + "{name} must be a scalar"),
    (MAP, "target", (3,), (3, 1), RESHAPE),
    (MAP, "target", (3,), (1, 3), RESHAPE),
    (MAP, "target", (3, 1), (3,), RESHAPE),
    (MAP, "target", (1,), (1, 1), RESHAPE),
    (MAP, "target", (), (1,), RESHAPE),
    (MAP, "target", (2, 3), (3, 2), TRANSPOSE),
    (LABELS, "target", (3,), (2,), OF_LABELS),
    (LABELS, "target", (3,), (3, 2), OF_LABELS),
    (LABELS, "target", (3,), (5, 3), OF_LABELS),
    (LABELS, "target", (), (3,), BUT + "{name} must be a scalar or have shape {prediction} "
                                       "(probabilities)"),
    (LABELS, "target", (3,), (3, 1), BUT + "use target.reshape(3)"),
    (LABELS, "target", (3,), (1, 3), BUT + "use target.reshape(3)"),
    (LABELS, "target", (2, 3), (3, 2), BUT + "use target.T"),
    (DISTRIBUTIONS, "target", (3,), (), OF_DISTRIBUTIONS),
    (DISTRIBUTIONS, "target", (3,), (3,), OF_DISTRIBUTIONS),
    (DISTRIBUTIONS, "target", (3,), (3, 4), OF_DISTRIBUTIONS),
    (DISTRIBUTIONS, "target", (3,), (5, 3), OF_DISTRIBUTIONS),
    (NUMBERS, "target", (3,), (2,), OF_NUMBERS),
    (NUMBERS, "target", (3,), (3, 2), OF_NUMBERS),
    (NUMBERS, "target", (2, 3), (3,), OF_NUMBERS),
    (NUMBERS, "target", (), (3,), BUT + "{name} must be a scalar"),
    (NUMBERS, "target", (3,), (3, 1), BUT + "use target.reshape(3)"),
    (NUMBERS, "target", (3,), (1, 3), BUT + "use target.reshape(3)"),
    (NUMBERS, "target", (2, 3), (3, 2), BUT + "use target.T"),
    *((kind, "weight", *shapes, OF_WEIGHTS) for kind in KINDS_OF_TARGETS for shapes in (
        ((3,), (2,)), ((3,), (0,)), ((3,), (3, 1)), ((2, 3), (3,)), ((2, 3), (6,)),
        ((2, 3), (3, 2)), ((2, 3), (2, 3, 5)), ((), (1,)),
    )),
]  # fmt: skip


def kind_of(loss):
    return cases.target_kinds(loss)[0]


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: "-".join(map(str, case[:4])))
def test_shapes(case):
    kind, name, units, found, message = case
    for loss, method, _ in calls(LOSSES, CALLS):
        if kind_of(loss) != kind:
            continue
        arguments = valid(loss, method, units)
        names = [n for n in loss.inputs if n != "prediction"] if name == "target" else [name]
        for argument in names:
            wanted = message
            if argument in loss.differentiated and message is not RESHAPE:
                wanted = message.replace("be a scalar or have", "have")
                wanted = wanted.replace("be a scalar", "have shape ()")
            changed = {**arguments, argument: np.ones(found)}
            if kind == LABELS and not loss.takes_distributions:
                wanted = wanted.replace(" or {prediction} (probabilities)", "")
                wanted = wanted.replace(" or have shape {prediction} (probabilities)", "")
            wanted = wanted.replace("kl_divergence", loss.name)
            text = described(wanted, argument, units, found, arguments["prediction"].shape)
            check(loss, method, changed, ValueError, text)


def test_weights_of_init_score():
    for kind, name, units, found, message in SHAPES:
        for loss in DEFAULTS:
            if name == "weight" and kind_of(loss) == kind and has_best_constant(loss):
                arguments = {**valid(loss, "init_score", units), "weight": np.ones(found)}
                text = described(message, name, units, found, ())
                check(loss, "init_score", arguments, ValueError, text)


def described(message, name, units, found, prediction):
    to, back = (", ".join(map(str, shape)) or "()" for shape in (prediction, found))
    axes = "1 axis" if len(units) == 1 else f"{len(units)} axes"
    return message.format(
        name=name, units=units, found=found, prediction=prediction, to=to, back=back, axes=axes
    )


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_no_classes(shape):
    for loss, method, arguments in calls(DEFAULTS, METHODS):
        name = "target" if method == "init_score" else "prediction"
        if kind_of(loss) == MAP or (name == "target" and kind_of(loss) != DISTRIBUTIONS):
            continue
        changed = {**arguments, name: np.ones(shape)}
        message = f"{name} needs classes on its last axis; got the shape {shape}"
        check(loss, method, changed, ValueError, message)


# ---- options

WRONG_OPTIONS = {
    "reduction": [
        *((x, ValueError, f"reduction must be 'mean', 'sum' or 'none'; got {text}") for x, text in (
            ("max", "'max'"), ("Mean", "'Mean'"), ("", "''"), (None, "None"), (0, "0"),
            (True, "True"), (b"mean", "b'mean'"), (["mean"], "['mean']"), (str, "<class 'str'>"),
            (np.ones((2, 1)), "array([[1.], [1.]])"), ("m" * 99, f"'{'m' * 27}...{'m' * 28}'"),
        )),
    ],
    "normalizer": [
        *((x, ValueError, f"normalizer must be above 0 and finite; got {text}") for x, text in (
            (0, "0"), (-1, "-1"), (-0.0, "-0.0"), (NAN, "nan"), (INF, "inf"), (-INF, "-inf"),
            (np.float32(0), "np.float32(0.0)"), (10**400, f"1{'0' * 27}...{'0' * 29}"),
            (-(10**5000), "an integer of too many digits"),
        )),
        *((x, TypeError, f"normalizer must be a number; got {text}") for x, text in (
            ("3", "str"), (True, "bool"), (1j, "complex"), ([1.0], "list"),
            (np.ones(1), "numpy ndarray"), (np.array(1.0), "numpy ndarray"),
            (pd.NA, "pandas NAType"), (torch.tensor(1.0), "torch Tensor"),
            (decimal.Decimal(1), "decimal Decimal"),
        )),
    ],
    "threads": [
        *((x, ValueError, f"threads must be at least 1; got {text}") for x, text in (
            (0, "0"), (-1, "-1"), (np.int8(-5), "np.int8(-5)"), (-(2**70), str(-(2**70))),
        )),
        *((x, TypeError, f"threads must be an integer; got {text}") for x, text in (
            (1.0, "float"), (NAN, "float"), ("2", "str"), (True, "bool"), ([2], "list"),
            (np.float64(2), "numpy float64"), (np.array(2), "numpy ndarray"),
            (range(2), "range"), (torch.tensor(2), "torch Tensor"),
        )),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_OPTIONS)
@each_losses
def test_options(name, losses):
    for loss, method, arguments in calls(losses, CALLS):
        for value, kind, message in WRONG_OPTIONS[name]:
            check(loss, method, {**arguments, name: value}, kind, message)


@each_losses
def test_options_that_contradict(losses):
    for loss, method, arguments in calls(losses, CALLS):
        for reduction in ("sum", "none"):
            message = f"normalizer divides a mean; it has no use with reduction='{reduction}'"
            options = {"normalizer": 2.0, "reduction": reduction}
            check(loss, method, {**arguments, **options}, ValueError, message)
        for reduction in ("mean", "sum") if "value_out" in OUTS.get(method, ()) else ():
            message = f"value_out needs reduction='none'; with '{reduction}' a float comes back"
            options = {"value_out": np.ones(3), "reduction": reduction}
            check(loss, method, {**arguments, **options}, ValueError, message)


@pytest.mark.parametrize("name", ["sample_weight", "value_out", "grad_out", "hess_out", "price"])
@each_losses
def test_unknown_arguments(name, losses):
    for loss, method, arguments in calls(losses, CALLS):
        outs = OUTS.get(method, ("value_out",))
        if name in outs:
            continue
        shown = ("value_out", "grad_out") if method == "explain" else outs
        known = ", ".join([*loss.inputs, "weight", "reduction", "normalizer", *shown, "threads"])
        message = f"this method of {loss.name} has no argument '{name}'; it has {known}"
        check(loss, method, {**arguments, name: np.ones(3)}, TypeError, message)


def test_missing_inputs():
    for loss, method, arguments in calls(LOSSES, CALLS):
        for name in set(loss.inputs[2:]) - set(loss.optional):
            less = {other: array for other, array in arguments.items() if other != name}
            message = f"{loss.name} needs the input '{name}': pass {name}=..."
            check(loss, method, less, TypeError, message)
