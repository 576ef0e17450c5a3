"""The public API: what can be called how, and what comes back."""

import copy
import enum
import inspect
import pickle
import tracemalloc
from pathlib import Path

import cases
import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from cases import alone

import fastloss as fl

LOSSES = [fl.get(name) for name in cases.unit_losses()]
VARIANTS = cases.all_variants()
BACKENDS = [backend for backend in cases.BACKENDS if backend != "numba"]
EMPTY = inspect.Parameter.empty

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=cases.name_of)
each_variant = pytest.mark.parametrize("loss", VARIANTS, ids=cases.name_of)
each_kind = pytest.mark.parametrize(
    ("loss", "kind"), cases.with_kinds(LOSSES), ids=cases.name_of
)  # fmt: skip

# What each method returns, and so which outputs it takes.
METHODS = {
    "value": ("value",),
    "grad": ("grad",),
    "hess": ("hess",),
    "value_and_grad": ("value", "grad"),
    "grad_and_hess": ("grad", "hess"),
    "value_grad_hess": ("value", "grad", "hess"),
}


def same(found, expected):
    for a, b in zip(alone(found), alone(expected), strict=True):
        np.testing.assert_array_equal(a, b)


# ---- signatures and identity


@each_loss
@pytest.mark.parametrize("name", METHODS)
def test_signatures(loss, name):
    method = getattr(loss, name)
    parameters = inspect.signature(method).parameters
    outs = [f"{kind}_out" for kind in METHODS[name]]
    common = ["prediction", "target", "weight", "reduction", "normalizer"]
    assert list(parameters) == [*common, *outs, "threads", "inputs"]
    defaults = {key: parameter.default for key, parameter in parameters.items()}
    assert defaults.pop("prediction") is EMPTY
    assert defaults.pop("target") is EMPTY
    assert defaults.pop("reduction") == "mean"
    assert defaults.pop("inputs") is EMPTY
    assert parameters["inputs"].kind is inspect.Parameter.VAR_KEYWORD
    assert set(defaults.values()) == {None}
    assert parameters["normalizer"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert method.__name__ == name
    assert method.__doc__


def test_signatures_of_the_other_methods():
    loss = fl.Huber()
    assert list(inspect.signature(loss.init_score).parameters) == ["target", "weight"]
    assert list(inspect.signature(loss.inverse_link).parameters) == ["prediction", "out"]
    assert list(inspect.signature(loss.explain).parameters)[:3] == [
        "prediction", "target", "weight"
    ]  # fmt: skip
    assert list(inspect.signature(fl.get).parameters) == ["name", "parameters"]
    assert str(inspect.signature(fl.Huber)) == "(*, delta=1.0)"


@each_variant
def test_identity(loss):
    twin = type(loss)(**loss.params)
    assert twin == loss
    assert hash(twin) == hash(loss)
    assert copy.copy(loss) is loss
    assert copy.deepcopy({"a": [loss]})["a"][0] is loss
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(loss, protocol))
        assert again == loss
        assert type(again) is type(loss)
    assert fl.get(repr(loss)) == loss
    assert str(loss) == repr(loss)
    assert len({loss, twin, again}) == 1
    assert loss.replace() == loss
    assert loss.replace(**loss.params) == loss
    assert fl.get(loss.name, **loss.params) == loss


def test_losses_differ():
    assert len(set(VARIANTS)) == len(VARIANTS)
    for loss in VARIANTS:
        assert sum(loss == other for other in VARIANTS) == 1
    assert fl.Huber() != 1.0
    assert fl.Hinge() != fl.SquaredHinge()


@each_variant
def test_immutable(loss):
    before = repr(loss)
    for name in (*loss.params, "name", "new"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(loss, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(loss, name)
    with pytest.raises(TypeError):
        loss.params["delta"] = 3.0
    assert repr(loss) == before


def test_parameters():
    loss = fl.Huber(delta=2)
    assert dict(loss.params) == {"delta": 2.0}
    assert type(loss.delta) is float
    assert repr(loss) == "huber(delta=2.0)"
    assert repr(fl.Huber()) == "huber"
    assert loss.replace(delta=1) == fl.Huber()
    assert fl.get("huber(delta=2.0)", delta=3) == fl.Huber(delta=3)
    assert fl.get(" huber( delta = 2 ) ") == loss
    assert fl.get("huber()") == fl.Huber()
    assert fl.get("huber(delta=inf)") == fl.Huber(delta=np.inf)
    weights = np.array([1, 2, 3], np.float32)
    assert fl.SoftmaxCrossEntropy(class_weight=weights).class_weight == (1.0, 2.0, 3.0)
    weights[0] = 9  # a loss keeps its own
    assert fl.SoftmaxCrossEntropy(class_weight=iter([1])).class_weight == (1.0,)
    assert fl.SoftmaxCrossEntropy(ignore_index=np.int8(3)).ignore_index == 3
    with pytest.raises(TypeError):
        fl.Huber(2.0)
    with pytest.raises(TypeError, match="has no parameter 'gamma'"):
        loss.replace(gamma=1)


# ---- what methods return


@each_kind
@pytest.mark.parametrize("backend", cases.BACKENDS)
def test_results(loss, kind, backend, rng):
    inputs = cases.sample(loss, (6, 7), "float64", rng, kind, extremes=False)
    with fl.use_backend(backend):
        for reduction in ("mean", "sum", "none"):
            value, grad, hess = loss.value_grad_hess(**inputs, reduction=reduction)
            if reduction == "none":
                assert type(value) is np.ndarray
                assert value.shape == (6, 7)
                assert value.dtype == np.float64
            else:
                assert type(value) is float
            for array in alone((grad, hess)):
                assert type(array) is np.ndarray
                assert array.shape == inputs["prediction"].shape
                assert array.dtype == np.float64


@each_kind
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_output_sets_agree(loss, kind, dtype, reduction, rng):
    """What is asked for besides changes no bit."""
    inputs = cases.sample(loss, (600,), dtype, rng, kind)
    weight = rng.choice([0, 0.5, 2], 600)
    whole = dict(
        zip(METHODS["value_grad_hess"],
            loss.value_grad_hess(**inputs, weight=weight, reduction=reduction), strict=True)
    )  # fmt: skip
    for name, parts in METHODS.items():
        found = getattr(loss, name)(**inputs, weight=weight, reduction=reduction)
        several = len(loss.differentiated) > 1 and name != "value"
        assert isinstance(found, tuple) == (len(parts) > 1 or several)
        same(found, tuple(whole[part] for part in parts))
    same(loss(**inputs, weight=weight, reduction=reduction), whole["value"])
    first, extras = [inputs.pop(name) for name in ("prediction", "target")], inputs
    positional = loss.value_and_grad(*first, weight, reduction, **extras)
    same(positional, (whole["value"], whole["grad"]))


@each_kind
def test_layouts_follow_the_prediction(loss, kind, rng):
    """As np.empty_like has it."""
    inputs = cases.sample(loss, (4, 6, 5), "float32", rng, kind)
    plain = loss.grad_and_hess(**inputs)
    last = inputs["prediction"].ndim - 1
    for axes in (range(last + 1), range(last, -1, -1), (1, 0, *range(2, last + 1))):
        back = np.argsort(axes)
        moved = {
            name: inputs[name].transpose(axes).copy().transpose(back)
            for name in loss.differentiated
        }
        found = loss.grad_and_hess(**{**inputs, **moved})
        same(found, plain)
        for array in alone(found):
            assert array.strides == np.empty_like(moved["prediction"]).strides


@each_kind
def test_given_outputs_are_used(loss, kind, rng):
    inputs = cases.sample(loss, (5, 40), "float32", rng, kind)
    for name, parts in METHODS.items():
        outs = {f"{part}_out": np.empty((5, 40), np.float32) if part == "value" else
                cases.new_outs(loss, inputs) for part in parts}  # fmt: skip
        found = alone(getattr(loss, name)(**inputs, **outs, reduction="none"))
        expected = alone(getattr(loss, name)(**inputs, reduction="none"))
        for result, out, wanted in zip(found, alone(tuple(outs.values())), expected, strict=True):
            assert result is out
            np.testing.assert_array_equal(out, wanted)


@each_kind
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("given", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_dtypes_of_outputs(loss, kind, dtype, given, rng):
    """Computed in the prediction's dtype (at least float32), rounded once to the output's."""
    inputs = cases.sample(loss, (150,), "float32", rng, kind, extremes=False)
    inputs |= {name: inputs[name].astype(dtype) for name in loss.differentiated}
    compute = np.float64 if dtype == np.float64 else np.float32
    wide = inputs | {name: inputs[name].astype(compute) for name in loss.differentiated}
    expected = loss.value_grad_hess(**wide, reduction="none")
    new = loss.value_grad_hess(**inputs, reduction="none")
    outs = {"value_out": np.empty(150, given)}
    outs |= {f"{name}_out": cases.new_outs(loss, inputs, given) for name in ("grad", "hess")}
    loss.value_grad_hess(**inputs, **outs, reduction="none")
    outs = tuple(outs.values())
    for array, out, wanted in zip(*map(alone, (new, outs, expected)), strict=True):
        assert array.dtype == dtype
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(array, wanted.astype(dtype))
            np.testing.assert_array_equal(out, wanted.astype(given))


@pytest.mark.parametrize("isa", cases.ISAS)
@pytest.mark.parametrize(("dtype", "half"), [("float16", 2.0**-11), (ml_dtypes.bfloat16, 2.0**-8)])
def test_doubles_are_rounded_once(dtype, half, isa):
    """Next to the middle of two outputs: rounded to float32 first, they would be the middle."""
    middle = 1 + np.arange(1, 64, 2) * half
    for side in (-1, 1):
        out = np.empty(middle.size, dtype)
        with cases.running(("native", isa)):
            fl.SquaredError(half=True).grad(
                middle + side * 2.0**-40, 0.0, reduction="none", grad_out=out
            )
        np.testing.assert_array_equal(out.astype(np.float64), middle + side * half)


@each_loss
def test_interleaved_outputs(loss, rng):
    """Gradient and Hessian as the two columns of one array, as gradient boosting wants them."""
    inputs = cases.sample(loss, (300,), "float64", rng)
    expected = alone(loss.grad_and_hess(**inputs))
    columns = np.full((*expected[0].shape, len(expected)), np.nan, np.float32)
    outs = tuple(columns[..., i] for i in range(len(expected)))
    grads, hesses = outs[: len(outs) // 2], outs[len(outs) // 2 :]
    if len(grads) == 1:
        (grads,), (hesses,) = grads, hesses
    found = loss.grad_and_hess(**inputs, grad_out=grads, hess_out=hesses)
    assert all(np.shares_memory(array, columns) for array in alone(found))
    with np.errstate(over="ignore"):
        same(outs, tuple(array.astype(np.float32) for array in expected))


@pytest.mark.parametrize(
    "loss", [loss for loss in LOSSES if loss.schema == "row"], ids=cases.name_of
)
def test_class_major_outputs(loss, rng):
    inputs = cases.sample(loss, (130,), "float32", rng)
    out = np.empty(inputs["prediction"].shape[::-1], np.float32)
    loss.grad(**inputs, grad_out=out.T)
    np.testing.assert_array_equal(out.T, loss.grad(**inputs))


# ---- inputs


def arrow(array):
    """A column, or a table with a column a class, in chunks."""
    if array.ndim == 1:
        return pa.chunked_array([array[:7], array[7:]])
    return pa.table({f"class {j}": array[:, j] for j in range(array.shape[1])})


KINDS = {
    "list": lambda a: a.tolist(),
    "nested tuples": lambda a: tuple(map(tuple, a.tolist())) if a.ndim > 1 else tuple(a.tolist()),
    "pandas": lambda a: pd.Series(a) if a.ndim == 1 else pd.DataFrame(a),
    "polars": lambda a: pl.Series(a) if a.ndim == 1 else pl.DataFrame(a),
    "arrow": arrow,
    "torch": torch.from_numpy,
    "memoryview": memoryview,
    "subclass": lambda a: a.view(np.memmap),
}


@each_kind
@pytest.mark.parametrize("source", KINDS)
def test_kinds_of_inputs(loss, kind, source, rng):
    convert = KINDS[source]
    inputs = cases.sample(loss, (30,), "float64", rng, kind)
    inputs["weight"] = rng.uniform(0, 2, 30)
    expected = loss.value_grad_hess(**inputs)
    value, grad, hess = loss.value_grad_hess(**{n: convert(a) for n, a in inputs.items()})
    assert all(type(array) is np.ndarray for array in alone((grad, hess)))
    same((value, grad, hess), expected)


@each_loss
@pytest.mark.parametrize("dtype", [bool, "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2"])
def test_dtypes_of_targets(loss, dtype, rng):
    """0 and 1 are the same number in every type."""
    kind = cases.target_kinds(loss)[0]
    for compute in cases.DTYPES:
        inputs = cases.sample(loss, (77,), compute, rng, kind, extremes=False)
        if kind in ("values", "numbers"):
            domain = loss.domains()[1]
            low = 1.0 if domain.outside(0.0) else 0.0  # labels of -1 and +1
            inputs["target"] = rng.choice([low, 1.0], 77).astype(compute)
            inputs = cases.in_order(loss, inputs)
        elif kind == "distribution":
            classes = inputs["prediction"].shape[-1]
            inputs["target"] = np.eye(classes, dtype=compute)[rng.integers(classes, size=77)]
        else:
            inputs["target"] = inputs["target"] % 2
        expected = loss.value_grad_hess(**inputs)
        same(loss.value_grad_hess(**{**inputs, "target": inputs["target"].astype(dtype)}), expected)


@each_loss
def test_dtypes_of_weights(loss, rng):
    inputs = cases.sample(loss, (77,), "float32", rng)
    weight = rng.integers(0, 2, 77)
    expected = loss.value_grad_hess(**inputs, weight=weight.astype(np.float64))
    for dtype in (bool, np.int64, np.uint8, np.float16, np.float32, ml_dtypes.bfloat16):
        same(loss.value_grad_hess(**inputs, weight=weight.astype(dtype)), expected)
    same(loss.value_grad_hess(**inputs, weight=weight.tolist()), expected)


def test_targets_are_rounded_to_the_compute_dtype():
    prediction = np.float32([0.1, 0.2])
    target = np.array([0.1, 0.2])
    assert fl.AbsoluteError()(prediction, target) == 0.0
    assert fl.AbsoluteError()(prediction.astype(np.float64), target) > 0.0


def test_large_labels_do_not_pass_through_floats():
    """2**24 + 1 is no float32."""
    classes = 2**24 + 2
    prediction = np.zeros((1, classes), np.float32)
    found = fl.SoftmaxCrossEntropy().grad(prediction, [classes - 1], reduction="sum")
    assert np.argmin(found) == classes - 1


@each_loss
def test_one_unit(loss, rng):
    """0-d arrays, Python numbers, NumPy scalars."""
    inputs = cases.sample(loss, (1,), "float64", rng, extremes=False)
    value, *arrays = alone(loss.value_grad_hess(**inputs))
    scalar = {name: array[0] for name, array in inputs.items()}
    found = alone(loss.value_grad_hess(**scalar, reduction="none"))
    assert found[0].shape == ()
    assert float(found[0]) == value
    for scalar_result, array in zip(found[1:], arrays, strict=True):
        assert scalar_result.shape == array.shape[1:]
        np.testing.assert_array_equal(scalar_result, array[0])
    plain = {name: array.tolist() for name, array in scalar.items()}
    assert loss.value(**plain) == value
    assert loss.value(**{n: np.asarray(a) for n, a in scalar.items()}) == value
    assert all(type(array) is np.ndarray for array in alone(loss.grad(**plain)))


@each_kind
def test_scalar_targets(loss, kind, rng):
    inputs = cases.sample(loss, (9,), "float32", rng, kind)
    if kind == "distribution":  # which no number is; it may be a label
        if not loss.takes_labels:
            with pytest.raises(ValueError, match=r"target has shape \(\), but"):
                loss.grad(inputs["prediction"], 1)
        return
    full = {**inputs, "target": np.ones(9, inputs["target"].dtype)}
    full = cases.in_order(loss, full)
    for target in (1, 1.0, True, np.float32(1), np.array(1)):
        one = {**full, "target": target}
        same(loss.value_grad_hess(**one), loss.value_grad_hess(**full))


@each_loss
def test_axes_of_weights(loss, rng):
    """Scalar, exact, or with axes of length 1; in three dimensions."""
    inputs = cases.sample(loss, (3, 4, 50), "float64", rng)
    for shape in ((), (1, 1, 1), (3, 1, 1), (1, 4, 1), (1, 1, 50), (3, 1, 50), (3, 4, 50)):
        weight = rng.choice([0.0, 0.5, 3.0], shape) if shape else 2.0
        whole = np.broadcast_to(weight, (3, 4, 50)).copy()
        for reduction in ("mean", "sum", "none"):
            same(
                loss.value_grad_hess(**inputs, weight=weight, reduction=reduction),
                loss.value_grad_hess(**inputs, weight=whole, reduction=reduction),
            )


@each_loss
def test_dimensions_do_not_matter(loss, rng):
    inputs = cases.sample(loss, (3, 4, 50), "float64", rng)
    units = inputs["target"].ndim - (cases.target_kinds(loss)[0] == "distribution")
    flat = {name: a.reshape(600, *a.shape[units:]) for name, a in inputs.items()}
    value, *arrays = alone(loss.value_grad_hess(**inputs))
    flat_value, *flat_arrays = alone(loss.value_grad_hess(**flat))
    np.testing.assert_equal(value, flat_value)
    same(tuple(arrays), tuple(x.reshape(a.shape) for x, a in zip(flat_arrays, arrays, strict=True)))


@each_loss
def test_normalizer(loss, rng):
    inputs = cases.sample(loss, (64,), "float64", rng, extremes=False)
    weight = rng.choice([0.0, 0.5, 3.0], 64)
    total, grad = loss.value_and_grad(**inputs, weight=weight, reduction="sum")
    for normalizer in (4, 0.25, np.float32(8), np.int64(2)):
        value, mean_grad = loss.value_and_grad(**inputs, weight=weight, normalizer=normalizer)
        assert value == total / float(normalizer)
        same(mean_grad, tuple(array / float(normalizer) for array in alone(grad)))
    halves = [{n: a[part] for n, a in inputs.items()} for part in (slice(32), slice(32, 64))]
    parts = [loss.value(**half, normalizer=64) for half in halves]
    np.testing.assert_allclose(sum(parts), loss.value(**inputs), rtol=1e-14)
    assert loss.value(**{n: a[:0] for n, a in inputs.items()}, normalizer=2) == 0.0


class Reduction(str, enum.Enum):  # noqa: UP042 (whose str is not its value)
    MEAN = "mean"
    NONE = "none"


@pytest.mark.parametrize("backend", BACKENDS)
def test_enumerations_as_reductions(backend):
    """And other kinds of text."""
    loss, z = fl.SquaredError(), np.array([1.0, 3.0])
    with fl.use_backend(backend):
        for reduction in (Reduction.MEAN, np.str_("mean")):
            assert loss(z, 0.0, reduction=reduction) == 5.0
        assert loss(z, 0.0, reduction=Reduction.NONE).shape == (2,)


def test_the_memory_of_the_numpy_backend():
    """It is the same for any number of elements."""
    peaks = []
    for n in (140_000, 420_000):
        z = np.lib.stride_tricks.as_strided(np.ones(1), (n,), (0,))
        tracemalloc.start()
        try:
            with fl.use_backend("numpy"):
                assert fl.BinaryCrossEntropy()(z, 1.0, z) == 0.0
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_as_many_axes_as_numpy_has(backend):
    shape = (1,) * 62 + (2, 3)
    inputs = cases.sample(fl.SquaredError(), shape, "float64", cases.generator())
    flat = {name: array.ravel() for name, array in inputs.items()}
    expected = fl.SquaredError().value_and_grad(**flat, reduction="none")
    with fl.use_backend(backend):
        found = fl.SquaredError().value_and_grad(**inputs, reduction="none")
        rows = fl.SoftmaxCrossEntropy().grad(inputs["prediction"], np.zeros(shape[:-1], int))
    for array, wanted in zip(found, expected, strict=True):
        assert array.shape == shape
        np.testing.assert_array_equal(array.ravel(), wanted)
    assert rows.shape == shape


# ---- the other methods


def projections(z):
    """Of rows on the simplex: what each number has above where they add up to 1, by bisection."""
    low, high = z.max(-1, keepdims=True) - 1, z.max(-1, keepdims=True)
    for _ in range(100):
        middle = (low + high) / 2
        above = np.maximum(z - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(z - high, 0)


@each_variant
def test_inverse_link(loss, rng):
    shape = (3, 40, 5)
    z = rng.normal(size=shape)
    z[0, 0, 0], z[0, 0, 1] = 800.0, -800.0
    by_hand = {
        "identity": lambda z: z,
        "log": np.exp,
        "logit": lambda z: 1 / (1 + np.exp(-z)),
        "multilogit": lambda z: (
            np.exp(z - z.max(-1, keepdims=True))
            / np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True)
        ),
        "sparsemax": projections,
    }
    with np.errstate(over="ignore", under="ignore"):
        expected = by_hand[loss.link](loss.link_slope * z)
        rounded = expected.astype(np.float32)
    found = loss.inverse_link(z)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    narrow = loss.inverse_link(z.astype(np.float32))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, rounded, rtol=2e-4)
    out = np.empty(shape, np.float32)
    assert loss.inverse_link(z, out=out) is out
    np.testing.assert_array_equal(out, found.astype(np.float32))
    np.testing.assert_array_equal(loss.inverse_link(z, out=z), found)  # in place
    assert loss.inverse_link(np.asfortranarray(z)).flags.f_contiguous
    assert loss.inverse_link([0.0, 1.0]).shape == (2,)


def test_show_config():
    config = fl.show_config()
    assert config["fastloss"] == fl.__version__
    assert config["numpy"] == np.__version__
    assert config["backend"] == cases.BACKENDS[0]
    assert config["threads"] >= 1
    assert all(isinstance(key, str) for key in config)
    if cases.COMPILED:
        assert config["isa"] in config["isas"]
        assert config["compiler"]


def test_get_include():
    assert (Path(fl.get_include()) / "fastloss.h").is_file()
