"""What is wrong with values is said in the same words by every backend, and nothing breaks.

What each argument may not be is in ``test_argument_errors``, ``test_output_errors`` and
``test_value_errors``.
"""

import contextlib
import warnings

import cases
import numpy as np
import pytest

import fastloss as fl

NAN, INF = np.nan, np.inf
SQUARED = fl.SquaredError()
PROBABILITY = fl.BinaryCrossEntropy()
POISSON = fl.Poisson()
SOFTMAX = fl.SoftmaxCrossEntropy()
ROWS = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])


def at(shape, changes, start=0.5):
    """An array that is the same number everywhere but in a few places."""
    array = np.full(shape, start)
    for index, value in changes.items():
        array[index] = value
    return array


def pair(prediction=(0.25, 0.75, 0.5), target=(0.0, 1.0, 0.5), **others):
    return {"prediction": np.array(prediction), "target": np.array(target), **others}


def rows(target, prediction=ROWS, **others):
    return {"prediction": prediction.copy(), "target": np.array(target), **others}


SWAPPED = "are prediction and target swapped?"

# The argument, what is wrong with it, the loss, the call, the exception and its message.
ERRORS = [
    # ---- prediction
    ("prediction", "booleans", PROBABILITY, pair((True, False, True)), TypeError,
     f"prediction must be floating-point, got bool; {SWAPPED}"),
    ("prediction", "labels instead of logits", SOFTMAX, {"prediction": np.array([0, 1, 1]),
     "target": ROWS}, TypeError, f"prediction must be floating-point, got int64; {SWAPPED}"),
    ("prediction", "outside its domain", PROBABILITY, pair((0.5, 1.5, -1.0)), ValueError,
     "prediction[1] is 1.5, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "a scalar outside its domain", PROBABILITY, {"prediction": 2.0, "target": 1.0},
     ValueError, "prediction is 2.0, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "just outside, of float32", PROBABILITY,
     {"prediction": np.float32([0.5, 1.0000001]), "target": 1.0}, ValueError,
     "prediction[1] is 1.0000001, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "just outside, of float16", PROBABILITY,
     {"prediction": np.float16([0.5, 1.001]), "target": 1.0}, ValueError,
     "prediction[1] is 1.001, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "outside in a row", fl.CategoricalCrossEntropy(),
     rows([0, 1, 0], at((3, 2), {(1, 1): 1.25})), ValueError,
     "prediction[1, 1] is 1.25, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "outside in the only row", fl.CategoricalCrossEntropy(),
     {"prediction": np.array([0.5, 1.25]), "target": 0}, ValueError,
     "prediction[1] is 1.25, outside its domain: prediction must be a number in [0, 1]"),
    ("prediction", "positive log-probabilities", fl.KlDivergence(prediction_is="log_probs"),
     rows(ROWS, at((3, 2), {(2, 0): 0.25}, -1.0)), ValueError,
     "prediction[2, 0] is 0.25, outside its domain: prediction must be a number <= 0"),
    # ---- target
    ("target", "outside its domain", PROBABILITY, pair(target=(0.5, -0.5, 2.0)), ValueError,
     "target[1] is -0.5, outside its domain: target must be a number in [0, 1]"),
    ("target", "outside, and right when swapped", POISSON, pair((1.0, 2.0, 0.5), (1.0, -1.0, 0.5)),
     ValueError, f"target[1] is -1.0, outside its domain: target must be a number >= 0; {SWAPPED}"),
    ("target", "a scalar outside its domain", POISSON, {"prediction": np.ones(3), "target": -1.0},
     ValueError, "target is -1.0, outside its domain: target must be a number >= 0"),
    ("target", "an integer outside", POISSON, pair(target=(1, 2, -3)), ValueError,
     f"target[2] is -3, outside its domain: target must be a number >= 0; {SWAPPED}"),
    ("target", "too large for the compute dtype", PROBABILITY,
     {"prediction": np.float32([0.5, 0.5]), "target": np.array([0.5, 1e300])}, ValueError,
     "target[1] is 1e+300, outside its domain: target must be a number in [0, 1]"),
    ("target", "0 and 1 as labels of -1 and +1", fl.Hinge(), pair(target=(1, -1, 0)), ValueError,
     "target[2] is 0, outside its domain: target must be -1 or +1 (labels='pm1')"),
    ("target", "-1 and +1 as labels of 0 and 1", fl.SquaredHinge(labels="01"),
     pair(target=(1, -1, 1)), ValueError,
     "target[1] is -1, outside its domain: target must be 0 or 1 (labels='01')"),
    ("target", "a negative probability", SOFTMAX, rows(at((3, 2), {(1, 0): -0.25})), ValueError,
     "target[1, 0] is -0.25, outside its domain: target must be a number >= 0"),
    ("target", "as many labels as classes", SOFTMAX, rows([0, 2, 5]), ValueError,
     "target[1] is 2, not a class index from 0 to 1"),
    ("target", "a negative label", SOFTMAX, rows([0, 1, -100]), ValueError,
     "target[2] is -100, not a class index from 0 to 1; to leave such rows out use "
     "ignore_index=-100"),
    ("target", "a label that is not the ignored one", fl.SoftmaxCrossEntropy(ignore_index=-100),
     rows([-100, 1, -1]), ValueError, "target[2] is -1, not a class index from 0 to 1; to leave "
     "such rows out use ignore_index=-1"),
    ("target", "a scalar that is no class", SOFTMAX, rows(7), ValueError,
     "target is 7, not a class index from 0 to 1"),
    ("target", "a label of one row", SOFTMAX, {"prediction": np.ones(2), "target": 2}, ValueError,
     "target is 2, not a class index from 0 to 1"),
    ("target", "a label of 40 axes", SOFTMAX, {"prediction": np.ones((1,) * 40 + (2,)),
     "target": np.full((1,) * 40, 2)}, ValueError,
     f"target[{', '.join('0' * 40)}] is 2, not a class index from 0 to 1"),
    # ---- weight
    ("weight", "a negative scalar", SQUARED, pair(weight=-1.0), ValueError,
     "weight is -1.0; weights must be finite and >= 0"),
    ("weight", "a negative integer", SQUARED, pair(weight=np.array([1, -2, 3])), ValueError,
     "weight[1] is -2; weights must be finite and >= 0"),
    ("weight", "negative along an axis", SQUARED, {"prediction": ROWS, "target": ROWS,
     "weight": np.array([[1.0], [-1.0], [1.0]])}, ValueError,
     "weight[1, 0] is -1.0; weights must be finite and >= 0"),
    ("weight", "of a row with no class", SOFTMAX,
     rows([0, 7, 0], weight=np.array([1.0, -1.0, 1.0])), ValueError,
     "target[1] is 7, not a class index from 0 to 1"),
    # ---- parameters that do not fit the arrays
    ("class_weight", "another length", fl.SoftmaxCrossEntropy(class_weight=(1, 2, 3)),
     rows([0, 1, 0]), ValueError, "class_weight has 3 entries, but there are 2 classes"),
    ("ignore_index", "soft targets", fl.SoftmaxCrossEntropy(ignore_index=-1), rows(ROWS),
     ValueError, "ignore_index belongs to class indices; this target holds class probabilities: "
     "give absent rows the weight 0"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: f"{e[0]}: {e[1]}")
def test_errors(error):
    """The same from every method, on every backend and on the compiled fast path."""
    _, _, loss, call, kind, message = error
    for method in cases.METHODS:
        for backend in (None, *cases.BACKENDS):
            if backend == "numba" and method != "value_grad_hess":
                continue  # it would compile for each
            chosen = fl.use_backend(backend) if backend else contextlib.nullcontext()
            with chosen, pytest.raises((TypeError, ValueError)) as raised:
                getattr(loss, method)(**call)
            found = (type(raised.value), str(raised.value))
            assert found == (kind, message), (method, backend)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: SQUARED.init_score([]), ValueError, "target has no element that counts"),
        (lambda: SQUARED.init_score([1.0], [0.0]), ValueError, "target has no element that counts"),
        (lambda: SOFTMAX.init_score([]), ValueError, "target has no row that counts"),
        (lambda: SOFTMAX.init_score([0, 1], [0, 0]), ValueError, "target has no row that counts"),
        (lambda: fl.SoftmaxCrossEntropy(ignore_index=-1).init_score([-1, -1]), ValueError,
         "target has no row that counts"),
        (lambda: fl.SoftmaxCrossEntropy(ignore_index=-1).init_score(ROWS), ValueError,
         "ignore_index belongs to class indices; this target holds class probabilities: "
         "give absent rows the weight 0"),
        (lambda: fl.SoftmaxCrossEntropy(class_weight=(1, 2)).init_score(np.ones((2, 3))),
         ValueError, "class_weight has 2 entries, but there are 3 classes"),
        (lambda: fl.SoftmaxCrossEntropy(class_weight=(1, 2)).init_score([0, 2]), ValueError,
         "target[1] is 2, not a class index from 0 to 1"),
    ],
)  # fmt: skip
def test_errors_of_init_score(call, kind, message):
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == message


def test_an_input_that_changes_meanwhile(monkeypatch):
    """A value that was refused may be gone when the error looks for it."""
    monkeypatch.setattr("fastloss._call.run", lambda plan: None)
    with fl.threads(1), pytest.raises(RuntimeError, match="an input changed while the call ran"):
        PROBABILITY.value_and_grad(**pair())


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
        (SOFTMAX, rows([0, 7, 1], weight=np.array([1.0, 0.0, 2.0]))),
        (SOFTMAX, rows([0.0, NAN, 1.0], weight=np.array([1.0, 0.0, 2.0]), reduction="sum")),
        (SOFTMAX, rows([0.0, -INF, 1.0], weight=np.array([1, 0, 2]), normalizer=2)),
        (SOFTMAX, rows(np.array([0, 2**64 - 1, 1], np.uint64), weight=np.array([1.0, 0.0, 2.0]))),
        (fl.SoftmaxCrossEntropy(ignore_index=1), rows([0, -8, 0], weight=np.array([1, 0, 1]))),
        (fl.SoftmaxCrossEntropy(class_weight=(1, 2)), rows([0, 2, 1], weight=np.array([1, 0, 1]))),
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
        for loss in map(fl.get, cases.unit_losses())
        for name, domain in zip(loss.inputs, loss.domains(), strict=True)
        if domain.checked and len(loss.differentiated) == 1
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
@pytest.mark.parametrize(
    "call",
    [
        pair((0.5, 2.0, 0.5)),
        pair((0.5, 0.5, 0.5), weight=np.array([1.0, -1.0, 1.0]), reduction="sum"),
        pair((0.5, 0.5, 0.5), weight=np.array([1.0, -1.0, 1.0]), normalizer=3),
    ],
)
def test_the_message_says_what_may_be_written(backend, call):
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
        (SQUARED, pair(hess_out=np.broadcast_to(1.0, 3))),
        (SQUARED, pair(threads=0)),
    ],
)
def test_nothing_is_written_before_the_checks(backend, loss, call):
    out = np.full_like(call["prediction"], 7.0)
    with fl.use_backend(backend), pytest.raises(ValueError, match=r"\w"):
        loss.value_grad_hess(**call, grad_out=out)
    assert (out == 7.0).all()


@pytest.mark.parametrize("backend", cases.BACKENDS)
def test_sums_that_overflow(backend):
    """They are infinite, and no error."""
    large = np.full(5, 1e308)
    with fl.use_backend(backend), np.errstate(all="raise"):
        assert SQUARED(large, 0.0, reduction="sum") == INF
        assert SQUARED(large, 0.0) == INF
        assert fl.AbsoluteError()(large, 0.0, reduction="sum") == INF
        assert SQUARED(np.ones(5), 0.0, large, reduction="sum") == INF


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
                loss.value_grad_hess(**{n: a[:0] for n, a in inputs.items()})
            assert kept == {name: array.tobytes() for name, array in inputs.items()}
