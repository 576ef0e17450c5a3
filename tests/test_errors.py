"""Whatever is wrong with a call is said in the same words by every backend, and nothing breaks."""

import re
import warnings

import cases
import numpy as np
import pandas as pd
import polars as pl
import pytest

import fastloss as fl

NAN, INF = np.nan, np.inf
SQUARED = fl.SquaredError()
PROBABILITY = fl.BinaryCrossEntropy()
POISSON = fl.Poisson()
SOFTMAX = fl.SoftmaxCrossEntropy()
ROWS = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])


class OnGpu:
    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **kwargs):
        raise AssertionError("nobody may read it")


def at(shape, changes, start=0.5):
    """An array that is the same number everywhere but in a few places."""
    array = np.full(shape, start)
    for index, value in changes.items():
        array[index] = value
    return array


def read_only(array):
    array.flags.writeable = False
    return array


def pair(prediction=(0.25, 0.75, 0.5), target=(0.0, 1.0, 0.5), **others):
    return {"prediction": np.array(prediction), "target": np.array(target), **others}


def rows(target, prediction=ROWS, **others):
    return {"prediction": prediction.copy(), "target": np.array(target), **others}


def overlapping(name, other):
    """A call in which an output is a part of another array."""
    memory = np.full(4, 0.5)
    arrays = {"prediction": np.full(3, 0.5), "target": np.full(3, 0.5), "weight": np.full(3, 0.5)}
    return {**arrays, other: memory[1:], name: memory[:3], "reduction": "none"}


SWAPPED = "are prediction and target swapped?"
DTYPES = (
    "bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32 or float64"  # as documented
)
KINDS = f"a number, a list, an array, a column, a frame or a CPU tensor of dtype {DTYPES}"

# The argument, what is wrong with it, the loss, the call, the exception and its message, where
# "..." stands for anything.
ERRORS = [
    # ---- prediction
    ("prediction", "integers and float targets", SQUARED, pair((1, 0, 2)), TypeError,
     f"prediction must be floating-point, got int64; {SWAPPED}"),
    ("prediction", "integers and integer targets", SQUARED, pair((1, 0, 2), (1, 0, 2)), TypeError,
     f"prediction must be floating-point, got int64; {SWAPPED} If not, convert it: ..."),
    ("prediction", "booleans", PROBABILITY, pair((True, False, True)), TypeError,
     f"prediction must be floating-point, got bool; {SWAPPED}"),
    ("prediction", "labels instead of logits", SOFTMAX, {"prediction": np.array([0, 1, 1]),
     "target": ROWS}, TypeError, f"prediction must be floating-point, got int64; {SWAPPED}"),
    ("prediction", "outside its domain", PROBABILITY, pair((0.5, 1.5, -1.0)), ValueError,
     "prediction[1] is 1.5, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "a scalar outside its domain", PROBABILITY, {"prediction": 2.0, "target": 1.0},
     ValueError, "prediction is 2.0, outside its domain: ..."),
    ("prediction", "minus infinity", PROBABILITY, pair((0.5, -INF, 0.5)), ValueError,
     "prediction[1] is -inf, outside its domain: ..."),
    ("prediction", "outside in a row", fl.CategoricalCrossEntropy(),
     rows([0, 1, 0], at((3, 2), {(1, 1): 1.25})), ValueError,
     "prediction[1, 1] is 1.25, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "positive log-probabilities", fl.KlDivergence(prediction_is="log_probs"),
     rows(ROWS, at((3, 2), {(2, 0): 0.25}, -1.0)), ValueError,
     "prediction[2, 0] is 0.25, outside its domain: prediction must be a number <= 0"),
    ("prediction", "no classes", SOFTMAX, rows([], np.empty((0, 0))), ValueError,
     "prediction needs classes on its last axis; got the shape (0, 0)"),
    ("prediction", "a scalar for a loss of rows", SOFTMAX, {"prediction": 1.0, "target": 0},
     ValueError, "prediction needs classes on its last axis; got the shape ()"),
    ("prediction", "None", SQUARED, {"prediction": None, "target": 1.0}, TypeError,
     f"prediction must be {KINDS}, not None"),
    ("prediction", "text", SQUARED, {"prediction": "0.5", "target": 1.0}, TypeError,
     f"prediction must be {KINDS}, not str"),
    ("prediction", "complex", SQUARED, pair((1j, 1, 2)), TypeError,
     f"prediction has dtype complex128, but must have {DTYPES}"),
    ("prediction", "on a GPU", SQUARED, {"prediction": OnGpu(), "target": 1.0}, TypeError,
     "fastloss runs on the CPU; prediction is on cuda:0: call .cpu() first"),
    ("prediction", "ragged", SQUARED, {"prediction": [[0.5], [0.5, 1.5]], "target": 1.0},
     ValueError, "prediction is ragged: prediction[1] has length 2, ..."),
    # ---- target
    ("target", "another length", SQUARED, pair(target=(1.0, 2.0)), ValueError,
     "target has shape (2,), but prediction has shape (3,): target must be a scalar or have "
     "shape (3,)"),
    ("target", "a column", SQUARED, pair(target=[[0.0], [1.0], [0.5]]), ValueError,
     "target has shape (3, 1), but prediction has shape (3,): use target.reshape(3) or "
     "prediction.reshape(3, 1)"),
    ("target", "a row for a column", SQUARED, pair(prediction=[[0.0], [1.0], [0.5]]), ValueError,
     "target has shape (3,), but prediction has shape (3, 1): use target.reshape(3, 1) or "
     "prediction.reshape(3)"),
    ("target", "one element", SQUARED, pair(target=[1.0]), ValueError,
     "target has shape (1,), but prediction has shape (3,): ..."),
    ("target", "labels as a column", SOFTMAX, rows([[0], [1], [0]]), ValueError,
     "target has shape (3, 1), but prediction has shape (3, 2): use target.reshape(3)"),
    ("target", "too few labels", SOFTMAX, rows([0, 1]), ValueError,
     "target has shape (2,), but prediction has shape (3, 2): target must be a scalar or have "
     "shape (3,) (class indices) or (3, 2) (probabilities)"),
    ("target", "labels where a distribution is needed", fl.KlDivergence(), rows([0, 1, 0]),
     ValueError, "target has shape (3,), but kl_divergence needs probabilities of prediction's "
     "shape (3, 2)"),
    ("target", "outside its domain", PROBABILITY, pair(target=(0.5, -0.5, 2.0)), ValueError,
     "target[1] is -0.5, outside its domain: target must be a number in [0, 1]"),
    ("target", "outside, and right when swapped", POISSON, pair((1.0, 2.0, 0.5), (1.0, -1.0, 0.5)),
     ValueError, f"target[1] is -1.0, outside its domain: target must be a number >= 0; {SWAPPED}"),
    ("target", "a scalar outside its domain", POISSON, {"prediction": np.ones(3), "target": -1.0},
     ValueError, "target is -1.0, outside its domain: target must be a number >= 0"),
    ("target", "an integer outside", POISSON, pair(target=(1, 2, -3)), ValueError,
     f"target[2] is -3.0, outside its domain: target must be a number >= 0; {SWAPPED}"),
    ("target", "0 and 1 as labels of -1 and +1", fl.Hinge(), pair(target=(1, -1, 0)), ValueError,
     "target[2] is 0.0, outside its domain: target must be -1 or +1 (labels='pm1')"),
    ("target", "-1 and +1 as labels of 0 and 1", fl.SquaredHinge(labels="01"),
     pair(target=(1, -1, 1)), ValueError,
     "target[1] is -1.0, outside its domain: target must be 0 or 1 (labels='01')"),
    ("target", "a negative probability", SOFTMAX, rows(at((3, 2), {(1, 0): -0.25})), ValueError,
     "target[1, 0] is -0.25, outside its domain: target must be a number >= 0"),
    ("target", "no class", SOFTMAX, rows([0, 2, 5]), ValueError,
     "target[1] is 2, not a class index from 0 to 1"),
    ("target", "a negative label", SOFTMAX, rows([0, 1, -100]), ValueError,
     "target[2] is -100, not a class index from 0 to 1; to leave such rows out use "
     "ignore_index=-100"),
    ("target", "a label that is not the ignored one", fl.SoftmaxCrossEntropy(ignore_index=-100),
     rows([-100, 1, -1]), ValueError, "target[2] is -1, not a class index from 0 to 1; ..."),
    ("target", "a fractional label", SOFTMAX, rows([0, 0.5, 1]), ValueError,
     "target[1] is 0.5, not a class index from 0 to 1"),
    ("target", "NaN as a label", SOFTMAX, rows([0, 1, NAN]), ValueError,
     "target[2] is nan, not a class index from 0 to 1"),
    ("target", "infinity as a label", SOFTMAX, rows([0, INF, 1]), ValueError,
     "target[1] is inf, not a class index from 0 to 1"),
    ("target", "a label above 2**63", SOFTMAX, rows(np.array([0, 2**63, 1], np.uint64)),
     ValueError, f"target[1] is {2**63}, not a class index from 0 to 1"),
    ("target", "a scalar that is no class", SOFTMAX, rows(7), ValueError,
     "target is 7, not a class index from 0 to 1"),
    ("target", "a label of one row", SOFTMAX, {"prediction": np.ones(2), "target": 2}, ValueError,
     "target is 2, not a class index from 0 to 1"),
    ("target", "objects", SQUARED, pair(target=np.array([1, 2, 3], object)), TypeError,
     f"target has dtype object, but must have {DTYPES}"),
    ("target", "masked", SQUARED, {"prediction": np.ones(3),
     "target": np.ma.array([1.0, 2.0, 3.0], mask=[0, 0, 1])}, ValueError,
     "target is masked at row 2; drop or fill masked elements first"),
    ("target", "a null", SQUARED, {"prediction": np.ones(3), "target": pl.Series([1.0, None, 2.0])},
     ValueError, "target has a null at row 1; drop or fill nulls first"),
    ("target", "another index", SQUARED, {"prediction": pd.Series([0.5, 1.5]),
     "target": pd.Series([1.0, 2.0], index=[1, 0])}, ValueError,
     "prediction and target have different pandas indexes: at position 0 prediction has 0 and "
     "target has 1"),
    # ---- weight
    ("weight", "fewer axes", SQUARED, {"prediction": ROWS, "target": ROWS, "weight": np.ones(3)},
     ValueError, "weight has shape (3,), but the units have shape (3, 2): it must be a scalar or "
     "have 2 axes, each of the units' length or 1"),
    ("weight", "another length", SQUARED, pair(weight=np.ones(2)), ValueError,
     "weight has shape (2,), but the units have shape (3,): ..."),
    ("weight", "the shape of the rows' logits", SOFTMAX, rows([0, 1, 0], weight=np.ones((3, 2))),
     ValueError, "weight has shape (3, 2), but the units have shape (3,): ..."),
    ("weight", "negative", SQUARED, pair(weight=np.array([1.0, 2.0, -1.0])), ValueError,
     "weight[2] is -1.0; weights must be finite and >= 0"),
    ("weight", "negative, of a sum", SQUARED,
     pair(weight=np.array([1.0, -0.5, -1.0]), reduction="sum"), ValueError,
     "weight[1] is -0.5; weights must be finite and >= 0"),
    ("weight", "NaN", SQUARED, pair(weight=np.array([NAN, 2.0, -1.0])), ValueError,
     "weight[0] is nan; weights must be finite and >= 0"),
    ("weight", "infinite", SOFTMAX, rows([0, 1, 0], weight=np.array([1.0, INF, 1.0])), ValueError,
     "weight[1] is inf; weights must be finite and >= 0"),
    ("weight", "a negative scalar", SQUARED, pair(weight=-1.0), ValueError,
     "weight is -1.0; weights must be finite and >= 0"),
    ("weight", "negative along an axis", SQUARED, {"prediction": ROWS, "target": ROWS,
     "weight": np.array([[1.0], [-1.0], [1.0]])}, ValueError,
     "weight[1, 0] is -1.0; weights must be finite and >= 0"),
    ("weight", "another index", SQUARED, {"prediction": pd.Series([0.5, 1.5]), "target": 1.0,
     "weight": pd.Series([1.0, 2.0], index=[0, 2])}, ValueError,
     "prediction and weight have different pandas indexes: at position 1 ..."),
    # ---- options
    ("reduction", "unknown", SQUARED, pair(reduction="max"), ValueError,
     "reduction must be 'mean', 'sum' or 'none'; got 'max'"),
    ("reduction", "None", SQUARED, pair(reduction=None), ValueError,
     "reduction must be 'mean', 'sum' or 'none'; got None"),
    ("reduction", "a list", SQUARED, pair(reduction=["mean"]), ValueError,
     "reduction must be 'mean', 'sum' or 'none'; got ['mean']"),
    ("reduction", "an array", SQUARED, pair(reduction=np.ones(2)), ValueError,
     "reduction must be 'mean', 'sum' or 'none'; got array([1., 1.])"),
    ("normalizer", "zero", SQUARED, pair(normalizer=0), ValueError,
     "normalizer must be above 0 and finite; got 0"),
    ("normalizer", "NaN", SQUARED, pair(normalizer=NAN), ValueError,
     "normalizer must be above 0 and finite; got nan"),
    ("normalizer", "infinite", SQUARED, pair(normalizer=INF), ValueError,
     "normalizer must be above 0 and finite; got inf"),
    ("normalizer", "a boolean", SQUARED, pair(normalizer=True), TypeError,
     "normalizer must be a number; got bool"),
    ("normalizer", "text", SQUARED, pair(normalizer="3"), TypeError,
     "normalizer must be a number; got str"),
    ("normalizer", "of a sum", SQUARED, pair(normalizer=2.0, reduction="sum"), ValueError,
     "normalizer divides a mean; it has no use with reduction='sum'"),
    ("threads", "none", SQUARED, pair(threads=0), ValueError,
     "threads must be at least 1; got 0"),
    ("threads", "a fraction", SQUARED, pair(threads=1.5), TypeError,
     "threads must be an integer; got float"),
    ("threads", "a boolean", SQUARED, pair(threads=True), TypeError,
     "threads must be an integer; got bool"),
    ("threads", "text", SQUARED, pair(threads="2"), TypeError,
     "threads must be an integer; got str"),
    ("cost", "unknown input", SQUARED, pair(cost=np.ones(3)), TypeError,
     "squared_error has no input 'cost'; it has none"),
    ("class_weight", "another length", fl.SoftmaxCrossEntropy(class_weight=(1, 2, 3)),
     rows([0, 1, 0]), ValueError, "class_weight has 3 entries, but prediction has 2 classes"),
    ("ignore_index", "soft targets", fl.SoftmaxCrossEntropy(ignore_index=-1), rows(ROWS),
     ValueError, "ignore_index belongs to class indices; this target holds class probabilities: "
     "give absent rows the weight 0"),
    # ---- outputs
    ("grad_out", "read-only", SQUARED, pair(grad_out=read_only(np.ones(3))), ValueError,
     "grad_out is read-only"),
    ("grad_out", "integers", SQUARED, pair(grad_out=np.ones(3, int)), TypeError,
     "grad_out must be floating-point; got int64"),
    ("grad_out", "a list", SQUARED, pair(grad_out=[0.0] * 3), TypeError,
     "grad_out must be a NumPy array; got list"),
    ("grad_out", "another shape", SQUARED, pair(grad_out=np.ones((3, 1))), ValueError,
     "grad_out has shape (3, 1); it must have shape (3,)"),
    ("grad_out", "another byte order", SQUARED, pair(grad_out=np.ones(3, ">f8")), TypeError,
     "grad_out must have the machine's byte order; got >f8"),
    ("grad_out", "not aligned", SQUARED,
     pair(grad_out=np.zeros(25, np.uint8)[1:].view(np.float64)), ValueError,
     "grad_out is not aligned"),
    ("grad_out", "one element many times", SQUARED,
     pair(grad_out=np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,))), ValueError,
     "grad_out overlaps itself: several of its elements share memory"),
    ("grad_out", "shifted elements of itself", SQUARED,
     {"prediction": ROWS, "target": ROWS,
      "grad_out": np.lib.stride_tricks.as_strided(np.ones(6), (3, 2), (8, 8))}, ValueError,
     "grad_out overlaps itself: several of its elements share memory"),
    ("hess_out", "another shape", SOFTMAX, rows([0, 1, 0], hess_out=np.ones(3)), ValueError,
     "hess_out has shape (3,); it must have shape (3, 2)"),
    ("hess_out", "the prediction", SQUARED, overlapping("hess_out", "prediction"), ValueError,
     "hess_out overlaps prediction in memory; ..."),
    ("grad_out", "a part of the prediction", SQUARED, overlapping("grad_out", "prediction"),
     ValueError, "grad_out overlaps prediction in memory; only grad_out may be an input, and only "
     "the very array that prediction is"),
    ("grad_out", "a part of the target", SQUARED, overlapping("grad_out", "target"), ValueError,
     "grad_out overlaps target in memory; ..."),
    ("grad_out", "a part of the weight", SQUARED, overlapping("grad_out", "weight"), ValueError,
     "grad_out overlaps weight in memory; ..."),
    ("hess_out", "a part of the gradient", SQUARED, overlapping("hess_out", "grad_out"),
     ValueError, "hess_out overlaps grad_out in memory"),
    ("grad_out", "a part of the values", SQUARED, overlapping("grad_out", "value_out"),
     ValueError, "grad_out overlaps value_out in memory"),
    ("value_out", "of a mean", SQUARED, pair(value_out=np.ones(3)), ValueError,
     "value_out needs reduction='none'; with 'mean' a float comes back"),
    ("value_out", "the shape of the logits", SOFTMAX,
     rows([0, 1, 0], value_out=np.ones((3, 2)), reduction="none"), ValueError,
     "value_out has shape (3, 2); it must have shape (3,)"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: f"{e[0]}: {e[1]}")
def test_errors(error):
    _, _, loss, call, kind, message = error
    pattern = re.escape(message).replace(re.escape("..."), ".*")
    for backend in cases.BACKENDS:
        with fl.use_backend(backend), pytest.raises((TypeError, ValueError)) as raised:
            loss.value_grad_hess(**call)
        assert type(raised.value) is kind, backend
        assert re.fullmatch(pattern, str(raised.value)), (backend, str(raised.value))
    with pytest.raises(kind) as raised:  # the fast path
        loss.value_grad_hess(**call)
    assert re.fullmatch(pattern, str(raised.value)), str(raised.value)


PARAMETERS = [
    ("huber(delta=0)", ValueError, "delta must be a number above 0; got 0"),
    ("huber(delta=nan)", ValueError, "delta must be a number above 0; got nan"),
    ("huber(delta='1')", TypeError, "delta must be a number above 0; got str"),
    ("huber(delta=True)", TypeError, "delta must be a number above 0; got bool"),
    ("huber(gamma=1)", TypeError, "Huber has no parameter 'gamma'; its parameters: delta"),
    ("poisson(delta=1)", TypeError, "Poisson has no parameter 'delta'; its parameters: none"),
    ("quantile(quantile=1)", ValueError, "quantile must be a number between 0 and 1; got 1"),
    ("squared_error(half=1)", TypeError, "half must be True or False; got 1"),
    ("hinge(labels='-1')", ValueError, "labels must be one of 'pm1', '01'; got '-1'"),
    ("hinge(labels=[1])", ValueError, "labels must be one of 'pm1', '01'; got [1]"),
    ("binary_cross_entropy(eps=0.5)", ValueError,
     "eps must be a number from 0 to below 0.5; got 0.5"),
    ("sigmoid_cross_entropy(pos_weight=inf)", ValueError,
     "pos_weight must be a number above 0 and finite; got inf"),
    ("softmax_cross_entropy(label_smoothing=-0.1)", ValueError,
     "label_smoothing must be a number from 0 to below 1; got -0.1"),
    ("softmax_cross_entropy(ignore_index=1.5)", TypeError,
     "ignore_index must be an integer or None; got 1.5"),
    ("softmax_cross_entropy(ignore_index=True)", TypeError,
     "ignore_index must be an integer or None; got True"),
    ("softmax_cross_entropy(class_weight=[1, -1])", ValueError,
     "class_weight[1] must be a number >= 0 and finite; got -1"),
    ("softmax_cross_entropy(class_weight=[])", ValueError,
     "class_weight must hold one weight a class; got none"),
    ("softmax_cross_entropy(class_weight='balanced')", TypeError,
     "class_weight must hold one weight a class or be None; got 'balanced'"),
    ("kl_divergence(prediction_is='scores')", ValueError,
     "prediction_is must be one of 'logits', 'log_probs', 'probs'; got 'scores'"),
    ("kl_divergence(eps=0.1)", ValueError,
     "eps belongs to prediction_is='probs'; got eps=0.1 with prediction_is='logits'"),
    ("huber(2.0)", ValueError,
     "cannot read 'huber(2.0)'; write a name with literal parameters, such as 'huber(delta=2.0)'"),
    ("huber(delta=two)", ValueError, "cannot read 'huber(delta=two)'; ..."),
    ("huber(delta=2", ValueError, "no loss is called 'huber(delta=2'; ..."),
    ("huber(**{})", ValueError, "cannot read 'huber(**{})'; ..."),
    ("huber(delta=1, delta=2)", ValueError, "cannot read 'huber(delta=1, delta=2)'; ..."),
    ("hubert", ValueError, "no loss is called 'hubert'; the losses are ...huber..."),
    ("", ValueError, "no loss is called ''; ..."),
    (3, TypeError, "name must be a string such as 'huber'; got int"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "message"), PARAMETERS)
def test_parameters(name, kind, message):
    with pytest.raises((TypeError, ValueError)) as raised:
        fl.get(name)
    assert type(raised.value) is kind
    assert re.fullmatch(re.escape(message).replace(re.escape("..."), ".*"), str(raised.value))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: fl.use_backend("cuda"), ValueError, "backend must be one of 'native', 'numba',"),
        (lambda: fl.threads(0), ValueError, "threads must be at least 1; got 0"),
        (lambda: fl.threads(1.0), TypeError, "threads must be an integer; got float"),
        (lambda: fl.set_threads(-1), ValueError, "threads must be at least 0; got -1"),
        (lambda: fl.set_threads("2"), TypeError, "threads must be an integer; got str"),
        (lambda: fl.set_threads(True), TypeError, "threads must be an integer; got bool"),
        (lambda: SQUARED.inverse_link([1, 2]), TypeError, "prediction must be floating-point"),
        (lambda: SQUARED.inverse_link([1.0], out=np.ones(2)), ValueError, "out must be an array"),
        (lambda: SQUARED.init_score([]), ValueError, "target has no element that counts"),
        (lambda: SQUARED.init_score([1.0], [0.0]), ValueError, "target has no element that counts"),
        (lambda: SOFTMAX.init_score([0, 1], [0, 0]), ValueError, "target has no row that counts"),
        (lambda: POISSON.init_score([1.0, -1.0]), ValueError, r"target\[1\] is -1.0, outside its"),
        (lambda: SQUARED.init_score([1.0], [-1.0]), ValueError, r"weight\[0\] is -1.0; weights"),
        (lambda: SOFTMAX.init_score([0, -1]), ValueError, r"target\[1\] is -1, not a class index"),
        (lambda: SQUARED.init_score(["a"]), TypeError, r"target\[0\] must be a number"),
    ],
)
def test_other_functions(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


# ---- the lowest index, whoever finds it

MANY = 200_000
FOUND_LATE = [
    ("prediction", PROBABILITY, {"prediction": at(MANY, {99_999: 2.0, 150_000: -1.0}),
     "target": np.zeros(MANY)}, r"prediction\[99999\] is 2.0"),
    ("target", POISSON, {"prediction": np.zeros(MANY),
     "target": at(MANY, {199_999: -1.0, 140_001: -2.0, 3: NAN})}, r"target\[140001\] is -2.0"),
    ("target before prediction", PROBABILITY, {"prediction": at(MANY, {150_001: 3.0}),
     "target": at(MANY, {150_000: 2.0})}, r"target\[150000\] is 2.0"),
    ("weight", SQUARED, {"prediction": np.zeros(MANY), "target": np.zeros(MANY),
     "weight": at(MANY, {120_000: -1.0, 70_000: NAN})}, r"weight\[70000\] is nan"),
    ("label", SOFTMAX, {"prediction": np.zeros((MANY // 4, 4)),
     "target": at(MANY // 4, {40_000: 4, 30_000: 7, 49_999: -1}, 1)}, r"target\[30000\] is 7,"),
    ("row", fl.CategoricalCrossEntropy(), {"prediction": at((MANY // 4, 4),
     {(40_000, 3): 2.0, (40_000, 1): 4.0}), "target": np.zeros(MANY // 4, int)},
     r"prediction\[40000, 1\] is 4.0"),
]  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("error", FOUND_LATE, ids=lambda e: e[0])
def test_the_lowest_index(error, threads):
    _, loss, call, message = error
    for backend in cases.BACKENDS:
        with fl.use_backend(backend), pytest.raises(ValueError, match=message):
            loss.value_grad_hess(**call, reduction="sum", threads=threads)


def test_the_lowest_index_in_the_callers_order():
    """Memory may lie in another order than indexes count."""
    prediction = np.asfortranarray(at((300, 500), {(20, 400): 2.0, (21, 0): 2.0}))
    for backend in cases.BACKENDS:
        with fl.use_backend(backend), pytest.raises(ValueError, match=r"\[20, 400\] is 2.0"):
            PROBABILITY.value_grad_hess(prediction, 1.0)


# ---- absent units are not looked at


@pytest.mark.parametrize(
    ("loss", "call"),
    [
        (PROBABILITY, pair((0.5, 7.0, 0.5), (0.0, 9.0, 1.0), weight=np.array([1.0, 0.0, 1.0]))),
        (fl.CategoricalCrossEntropy(), rows([0, 1, 0], at((3, 2), {(1, 0): 8.0}),
         weight=np.array([1, 0, 2]))),
        (fl.CategoricalCrossEntropy(ignore_index=9), rows([0, 9, 0], at((3, 2), {(1, 0): 8.0}))),
        (fl.CategoricalCrossEntropy(class_weight=(1, 0)),
         rows([0, 1, 0], at((3, 2), {(1, 0): 8.0}))),
        (fl.CategoricalCrossEntropy(class_weight=(1, 0)),
         rows([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], at((3, 2), {(1, 0): 8.0}))),
    ],
)  # fmt: skip
def test_absent_units_have_no_domain(loss, call):
    for backend in cases.BACKENDS:
        with fl.use_backend(backend):
            value, grad, hess = loss.value_grad_hess(**call)
        assert np.isfinite(value), backend
        assert not grad[1].any(), backend
        assert not hess[1].any(), backend


def test_an_absent_unit_is_not_blamed():
    loss = fl.CategoricalCrossEntropy(class_weight=(0, 1))
    for backend in cases.BACKENDS:
        with fl.use_backend(backend), pytest.raises(ValueError, match=r"prediction\[2, 1\] is 7.0"):
            loss.value_grad_hess(**rows([0, 1, 1], at((3, 2), {(0, 0): 8.0, (2, 1): 7.0})))


# ---- what is left after an error


def with_domains():
    return [
        (loss, name)
        for loss in map(fl.get, fl.losses())
        for name, domain in zip(loss.inputs, loss.domains(), strict=True)
        if domain.checked
    ]


def spoiled(loss, name, units, rng):
    """Valid inputs but for one value of one of them, near the end."""
    kind = cases.target_kinds(loss)[-1]
    inputs = cases.sample(loss, (units,), np.float64, rng, kind, extremes=False)
    domain = loss.domains()[loss.inputs.index(name)]
    inputs[name].ravel()[-2] = domain.low - 1 if domain.low > -INF else domain.high + 1
    return inputs


@pytest.mark.parametrize("backend", cases.BACKENDS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("loss", "name"), with_domains(), ids=lambda x: x if isinstance(x, str) else x.name
)
def test_a_refused_call_in_place_changes_nothing(loss, name, threads, backend, rng):
    inputs = spoiled(loss, name, 40_000 if backend == "native" else 1_100, rng)
    kept = {key: array.copy() for key, array in inputs.items()}
    for reduction in ("sum", "mean"):
        with fl.use_backend(backend), pytest.raises(ValueError, match=rf"{name}\[.* is ") as error:
            loss.value_grad_hess(
                **inputs, reduction=reduction, threads=threads, grad_out=inputs["prediction"]
            )
        assert "in part" not in str(error.value)
        for key, array in inputs.items():
            np.testing.assert_array_equal(array, kept[key])


@pytest.mark.parametrize("backend", cases.BACKENDS)
@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
def test_a_refused_weight_in_place(backend, reduction):
    """Nothing is lost, or the message says so."""
    prediction = np.linspace(0, 1, 5_000)
    kept = prediction.copy()
    weight = at(5_000, {4_999: -1.0}, 1.0)
    with fl.use_backend(backend), pytest.raises(ValueError, match=r"weight\[4999\]") as error:
        SQUARED.value_grad_hess(
            prediction, 0.5, weight, reduction=reduction, grad_out=prediction, threads=1
        )
    assert np.array_equal(prediction, kept) or "in part" in str(error.value)


@pytest.mark.parametrize("backend", cases.BACKENDS)
def test_the_message_says_what_may_be_written(backend):
    call = pair((0.5, 2.0, 0.5))
    outs = {"grad_out": np.ones(3), "hess_out": np.ones(3)}
    with (
        fl.use_backend(backend),
        pytest.raises(ValueError, match="; grad_out and hess_out may have been written in part"),
    ):
        PROBABILITY.value_grad_hess(**call, **outs)


@pytest.mark.parametrize("backend", cases.BACKENDS)
@pytest.mark.parametrize(
    ("loss", "call"),
    [
        (SOFTMAX, rows([0, 1, 2])),
        (SQUARED, pair(weight=np.array([1.0, 1.0, -1.0]))),
        (SQUARED, pair(target=(1.0, 2.0))),
        (SQUARED, pair(hess_out=np.ones(4))),
        (SQUARED, pair(hess_out=read_only(np.ones(3)))),
        (SQUARED, pair(threads=0)),
    ],
)
def test_nothing_is_written_before_the_checks(backend, loss, call):
    out = np.full_like(call["prediction"], 7.0)
    with fl.use_backend(backend), pytest.raises(ValueError, match=r"\w"):
        loss.value_grad_hess(**call, grad_out=out)
    assert (out == 7.0).all()


# ---- what a call may not do


@pytest.mark.parametrize(
    "backend",
    [b if b != "numba" else pytest.param(b, marks=pytest.mark.full) for b in cases.BACKENDS],
)
@pytest.mark.parametrize("loss", cases.all_variants(), ids=cases.name_of)
def test_inputs_stay_and_nobody_is_warned(loss, backend, rng):
    """Not even of infinities, under whatever settings of NumPy."""
    for kind in cases.target_kinds(loss):
        for dtype in cases.DTYPES:
            inputs = cases.sample(loss, (700,), dtype, rng, kind)
            inputs["weight"] = rng.choice([0.0, 0.5, 2.0], 700).astype(dtype)
            kept = {name: array.tobytes() for name, array in inputs.items()}
            with (
                fl.use_backend(backend),
                np.errstate(all="raise"),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("error")
                for reduction in ("mean", "none"):
                    loss.value_grad_hess(**inputs, reduction=reduction)
                loss.value(**{n: a[:0] for n, a in inputs.items()})
            assert kept == {name: array.tobytes() for name, array in inputs.items()}
