"""States of an evaluation: exact sums that no partition changes, and what is made of them."""

import json
import math
import multiprocessing
import pickle
import random
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction

import cases
import numpy as np
import pyarrow
import pytest

import fastloss as fl
from fastloss import _tally
from fastloss._exact import Exact

UNITS = [loss for name in cases.unit_losses() for loss in cases.variants(name)]
WAYS = ["core", "plain"] if cases.COMPILED else ["plain"]
each_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def tallied(way, monkeypatch):
    """Sums by the core or without."""
    if way == "plain":
        monkeypatch.setattr(_tally, "core", None)


def pieces(arrays, rng):
    """The rows of some arrays in random order and parts, empty ones too."""
    n = len(next(iter(arrays.values())))
    order = rng.permutation(n)
    cuts = np.sort(rng.integers(0, n + 1, 5))
    for part in np.split(order, cuts):
        yield {name: x[part] for name, x in arrays.items()}


def exact(numbers):
    return sum(map(Fraction, numbers), Fraction(0))


def expected(losses, weights):
    """Mean and standard error from the losses of rows, by the textbook."""
    products = [Fraction(w * x) for w, x in zip(weights, losses, strict=True)]
    total, w = sum(products, Fraction(0)), [Fraction(x) for x in weights]
    mean, n = total / sum(w), int(np.count_nonzero(weights))
    squares = sum((p - mean * x) ** 2 for p, x in zip(products, w, strict=True))
    error = Fraction(n, n - 1) * squares / sum(w) ** 2
    return float(mean), math.sqrt(error)


def counted(loss, target, weight):
    """What rows count, those of labels by their class too."""
    weight = weight.copy()
    ignored = getattr(loss, "ignore_index", None)
    if ignored is not None:
        weight[target == ignored] = 0
        target = np.where(target == ignored, 0, target)
    of_classes = getattr(loss, "class_weight", None)
    return weight if of_classes is None else weight * np.array(of_classes)[target]


# ---- sums


def any_doubles(n, rng):
    x = rng.integers(0, 2**64, n, np.uint64).view(np.float64)
    return np.where(np.isfinite(x), x, 1.0)


SUMMED = {
    "any bits": any_doubles,
    "subnormal": lambda n, rng: rng.integers(-99, 99, n) * 5e-324,
    "large": lambda n, rng: rng.normal(size=n) * 2.0**1010,
    "far apart": lambda n, rng: rng.normal(size=n) * 10.0 ** rng.integers(-200, 200, n),
    "ordinary": lambda n, rng: rng.normal(size=n) ** 2,
    "alike": lambda n, rng: np.full(n, 0.1),
    "cancelling": lambda n, rng: np.repeat(rng.normal(size=n), 2)[:n] * (-1.0) ** np.arange(n),
}


@each_way
@pytest.mark.parametrize("kind", SUMMED)
@pytest.mark.parametrize("n", [0, 1, 7, 511, 512, 513, 5000])
def test_sums_are_exact(tallied, kind, n):
    x = SUMMED[kind](n, np.random.default_rng(n))
    found = _tally.tally(x, None, 2)
    assert found.sums["loss"].fraction() == exact(x)
    assert found.used == found.rows == n
    assert (found.least, found.greatest) == (min(x, default=math.inf), max(x, default=-math.inf))


@each_way
@pytest.mark.parametrize("dtype", cases.DTYPES)
def test_products_are_exact(tallied, dtype):
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=3000).astype(dtype), rng.random(3000)
    w[::7] = 0
    sums = _tally.tally(x, w, 1).sums
    weighted = w * x
    for name, a, b in (
        ("loss_squared", weighted, weighted),
        ("weight_times_loss", w, weighted),
        ("weight_squared", w, w),
    ):
        products = [Fraction(p) * Fraction(q) for p, q in zip(a, b, strict=True)]
        assert sums[name].fraction() == sum(products), name
    assert sums["weight"].fraction() == exact(w)


@each_way
def test_what_is_not_finite(tallied):
    x = np.ones(2000)
    x[[700, 1300]] = np.nan
    x[[600, 900, 1999]] = np.inf
    w = np.ones(2000)
    w[600] = 0
    for weights, infinite, first in ((None, 3, 600), (w, 2, 900)):
        found = _tally.tally(x, weights, 2)
        assert found.nan == _tally.Special(2, 700)
        assert found.infinite == _tally.Special(infinite, first)
        assert (found.least, found.greatest) == (1, math.inf)
        assert math.isnan(found.sums["loss"].special)
        assert found.sums["loss"].fraction() == 2000 - 5
    x[np.isnan(x)] = 0
    assert float(_tally.tally(x, None, 1).sums["loss"]) == math.inf
    assert float(_tally.tally(-x, None, 1).sums["loss"]) == -math.inf


def test_sums_round_once():
    assert float(Exact.of(np.array([1e308, 1e308, -1e308]))) == 1e308
    assert float(Exact.of(np.array([1e308, 1e308]))) == math.inf
    assert float(Exact.of(np.array([1.0, 2.0**-53]))) == 1
    assert float(Exact.of(np.array([1.0, 2.0**-53, 5e-324]))) == 1 + 2.0**-52


@pytest.mark.parametrize("x", [[], [1.0, -3.5], [5e-324, 1e308], [np.inf, 1.0], [np.nan], [-7.0]])
def test_bytes(x):
    total = Exact.of(np.array(x, np.float64))
    assert Exact.from_bytes(total.to_bytes()) == total
    assert total + Exact() == Exact() + total == total


def test_a_sum_is_as_long_as_its_digits_reach():
    """A million segments hold five sums each."""
    assert len(Exact.of(np.array([1e-300, 1.0])).to_bytes()) > 100
    assert len(Exact.of(np.random.default_rng(0).random(1000)).to_bytes()) < 16 + 16


# ---- states


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("loss", UNITS, ids=cases.name_of)
def test_no_partition_changes_a_bit(loss, dtype):
    rng = cases.generator()
    inputs = cases.sample(loss, (90,), dtype, rng, extremes=False)
    weight = rng.integers(0, 3, 90) / 2
    whole = fl.LossState(loss).update(**inputs, weight=weight)
    rows = {**inputs, "weight": weight}
    states = [fl.LossState(loss).update(**part) for part in pieces(rows, rng)]
    assert sum(states) == whole
    assert sum(reversed(states)).result() == whole.result()
    changed = {"class_weight": None} if getattr(loss, "class_weight", None) else {}
    values = loss.replace(**changed).value(**inputs, reduction="none").astype(np.float64)
    weight = counted(loss, inputs["target"], weight)
    used = weight > 0
    mean, error = expected(values, weight)
    found = whole.result()
    assert found.mean == mean == pytest.approx(loss.value(**rows), rel=1e-6)
    assert found.standard_error == pytest.approx(error, rel=1e-15)
    assert (found.count, found.skipped) == (used.sum(), (~used).sum())
    assert (found.minimum, found.maximum) == (min(values[used]), max(values[used]))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_and_batches_change_no_bit(threads):
    rng = np.random.default_rng(0)
    prediction, target = rng.normal(size=(2, 1_200_000)).astype(np.float32)
    loss = fl.Huber()
    whole = fl.LossState(loss).update(prediction, target, threads=threads)
    parts = fl.LossState(loss)
    for begin in range(0, prediction.size, 99_991):
        parts.update(prediction[begin : begin + 99_991], target[begin : begin + 99_991])
    assert whole == parts
    assert whole.result().mean == float(
        exact(loss.value(prediction, target, reduction="none").astype(float)) / prediction.size
    )


def test_shapes():
    rng = np.random.default_rng(0)
    prediction, weight = rng.normal(size=(700, 1000)), rng.random((700, 1))
    state = fl.LossState("squared_error").update(prediction, 0.0, weight)
    flat = fl.LossState("squared_error").update(
        prediction.ravel(), np.zeros(700_000), np.repeat(weight, 1000)
    )
    assert state == flat
    assert fl.LossState("squared_error").update(np.float64(3.0), 1.0).result().mean == 4
    assert fl.LossState("squared_error").update([], []) == fl.LossState("squared_error")


def test_equal_losses_have_no_error():
    state = fl.LossState("squared_error").update(np.full(1000, 0.1), np.zeros(1000))
    assert state.result().standard_error == 0
    assert state.result().interval == (0.1 * 0.1, 0.1 * 0.1)


def test_ignored_rows_and_weights_of_classes():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    labels[::5] = -100
    z[::5] = np.nan
    loss = fl.SoftmaxCrossEntropy(ignore_index=-100, class_weight=[1.0, 0.0, 2.5])
    found = fl.LossState(loss).update(z, labels).result()
    assert found.skipped == (labels == -100).sum() + (labels == 1).sum()
    assert found.mean == pytest.approx(loss.value(z, labels), rel=1e-14)
    unweighted = fl.SoftmaxCrossEntropy().value(z, abs(labels) % 99, reduction="none")
    assert found.maximum == max(unweighted[(labels == 0) | (labels == 2)])


def test_special_rows_are_named():
    state = fl.LossState("squared_error").update([1.0, 2.0], [0.0, 0.0])
    state.update([1.0, np.nan, np.inf], [0.0, 0.0, 0.0]).update([np.nan], [1.0])
    found = state.result()
    assert (found.nan, found.first_nan, found.infinite, found.first_infinite) == (2, 3, 1, 4)
    assert math.isnan(found.mean)
    ahead = fl.LossState("squared_error").update(np.zeros(10), np.zeros(10))
    assert (ahead + state).result().first_nan == 13


def test_nothing_and_one_row():
    found = fl.LossState("huber").result()
    assert found.count == found.weight == found.total == 0
    assert all(map(math.isnan, (found.mean, found.standard_error, found.minimum, found.maximum)))
    assert math.isnan(fl.LossState("huber").update([1.0], [0.0]).result().standard_error)


def test_a_refused_batch_adds_nothing():
    state = fl.LossState("poisson").update([1.0], [2.0])
    before = state.to_dict()
    many = np.ones(700_000)
    many[600_001] = -1
    with pytest.raises(ValueError, match=r"target\[600001\] is -1"):
        state.update(np.ones(700_000), many)
    for weight in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"weight\[1\] is .*finite"):
            state.update([1.0, 1.0], [1.0, 1.0], [1.0, weight])
    assert state.to_dict() == before


def test_states_of_different_losses_do_not_add_up():
    with pytest.raises(ValueError, match="different losses"):
        fl.LossState("huber") + fl.LossState(fl.Huber(delta=2.0))
    with pytest.raises(TypeError):
        fl.LossState("huber") + 1
    with pytest.raises(TypeError, match="must be one such as"):
        fl.LossState(3)


@pytest.mark.parametrize("name", cases.group_losses())
def test_losses_of_groups_say_why_not(name):
    with pytest.raises(TypeError, match=rf"{name} has no state: .*groups"):
        fl.LossState(name)


@fl.custom(inputs=("cost",))
def costly(prediction, target, cost, alpha=2.0):
    return cost * abs(prediction - target) ** alpha


OTHER = {
    "custom": costly(alpha=1.5),
    "sum": 0.7 * fl.Huber() + 0.3 * fl.Quantile(quantile=0.9),
}


@pytest.mark.parametrize("kind", OTHER)
def test_losses_of_users(kind):
    loss = OTHER[kind]
    inputs = {"cost": np.array([1.0, 2.0])} if kind == "custom" else {}
    state = fl.LossState(loss).update([1.0, 2.0], [0.0, 0.5], **inputs)
    assert state.result().mean == pytest.approx(loss.value([1.0, 2.0], [0.0, 0.5], **inputs))
    assert fl.LossState.from_dict(state.to_dict(), loss) == state
    assert pickle.loads(pickle.dumps(state)) == state
    with pytest.raises(ValueError, match="the state is of"):
        fl.LossState.from_dict(state.to_dict(), fl.Huber())
    with pytest.raises(ValueError, match="no loss is called"):
        fl.LossState.from_dict(state.to_dict())


# ---- elsewhere


def some_state(seed=0):
    rng = np.random.default_rng(seed)
    prediction = rng.normal(size=100)
    prediction[3] = np.inf
    return fl.LossState("quantile(quantile=0.9)").update(prediction, np.zeros(100), rng.random(100))


def test_ways_to_other_processes():
    state = some_state()
    assert fl.LossState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    assert pickle.loads(pickle.dumps(state)) == state
    assert fl.LossState.from_arrow(state.to_arrow()) == state
    assert set(state.to_dict()) >= {"schema", "fastloss", "isa", "backend", "loss"}


def test_states_of_other_processes_add_up():
    # jax, where another test imported it, warns of a fork
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        states = list(pool.map(some_state, range(4)))
    random.Random(0).shuffle(states)
    whole = fl.LossState("quantile(quantile=0.9)").merge(*map(some_state, range(4)))
    assert sum(states).result().total == whole.result().total
    assert sum(states).to_dict()["sums"] == whole.to_dict()["sums"]


def test_tables_of_states_add_up():
    table = pyarrow.Table.from_batches([some_state(i).to_arrow() for i in range(3)])
    assert fl.LossState.from_arrow(table) == sum(some_state(i) for i in range(3))
    assert table.column("count").to_pylist() == [100] * 3
    with pytest.raises(ValueError, match="no rows"):
        fl.LossState.from_arrow(table.slice(0, 0))


def test_states_of_later_versions_are_refused():
    with pytest.raises(ValueError, match="schema 1; got 2"):
        fl.LossState.from_dict({**some_state().to_dict(), "schema": 2})


def test_repr():
    assert repr(fl.LossState("huber").update([3.0], [0.0])) == "LossState(huber: mean 2.5, 1 rows)"
