"""fl.evaluate: files, tables and arrays give the figures that NumPy finds, to the last bit."""

import json
import math
import pickle
from datetime import time, timedelta
from decimal import Decimal
from fractions import Fraction

import cases
import numpy as np
import pandas
import polars
import pyarrow
import pytest
from pyarrow import csv, dataset, feather, orc, parquet
from sklearn import metrics

import fastloss as fl

UNITS = [loss for name in cases.unit_losses() for loss in cases.variants(name)]
COUNTRIES = np.array(["de", "fr", "it", "jp"])
LOSSES = ["binary_cross_entropy", "brier"]


def frame(n=600, seed=0):
    """Two models' probabilities of an outcome."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, n)
    return {
        "p": p,
        "q": np.clip(p + rng.normal(0, 0.2, n), 0.01, 0.99),
        "y": (rng.random(n) < p).astype(np.int64),
        "w": rng.integers(0, 4, n) / 2,
        "country": COUNTRIES[rng.integers(0, 4, n)],
        "day": rng.integers(1, 4, n),
        "user": rng.integers(0, 40, n),
    }


MODELS = {"prediction": ["p", "q"], "target": "y", "weight": "w", "by": "country"}


def arrow(columns):
    """A table, whose columns of two axes are lists."""
    lists = {name: x for name, x in columns.items() if np.ndim(x) == 2}
    flat = {
        name: pyarrow.FixedSizeListArray.from_arrays(x.ravel(), x.shape[1])
        for name, x in lists.items()
    }
    return pyarrow.table({**columns, **flat})


def json_lines(table, path):
    path.write_text("\n".join(map(json.dumps, table.to_pylist())))


WRITERS = {
    "parquet": parquet.write_table,
    "csv": csv.write_csv,
    "feather": feather.write_feather,
    "orc": orc.write_table,
    "jsonl": json_lines,
}


# ---- what is computed


@pytest.mark.parametrize("loss", UNITS, ids=cases.name_of)
def test_every_loss(loss):
    inputs = cases.sample(loss, (90,), "float64", cases.generator(), extremes=False)
    columns = {name: x for name, x in inputs.items() if np.ndim(x)}
    numbers = {name: float(x) for name, x in inputs.items() if not np.ndim(x)}
    extra = {name: numbers.get(name, name) for name in inputs if name in loss.inputs[2:]}
    found = fl.evaluate(
        arrow(columns), loss, prediction="prediction", target="target", inputs=extra, batch_size=17
    )
    expected = fl.LossState(loss).update(**inputs).result()
    row = found.table[0]
    for name in ("mean", "standard_error", "weight", "count", "skipped", "minimum", "maximum"):
        assert row[name] == getattr(expected, name) or math.isnan(row[name]), name


def test_against_numpy_and_scikit_learn():
    data = frame()
    found = fl.evaluate(data, LOSSES, **MODELS)
    assert [row["country"] for row in found.table] == list(np.repeat(COUNTRIES, 4))
    for row in found.table:
        here = data["country"] == row["country"]
        p, y, w = data[row["model"]][here], data["y"][here], data["w"][here]
        of = {"brier": metrics.brier_score_loss, "binary_cross_entropy": metrics.log_loss}
        assert row["mean"] == pytest.approx(of[row["loss"]](y, p, sample_weight=w), rel=1e-12)
        assert (row["count"], row["skipped"]) == ((w > 0).sum(), (w == 0).sum())
        assert row["weight"] == w.sum()
        assert row["high"] - row["low"] == pytest.approx(2 * 1.959964 * row["standard_error"])
    for row in found.overall:
        expected = of[row["loss"]](data["y"], data[row["model"]], sample_weight=data["w"])
        assert row["mean"] == pytest.approx(expected, rel=1e-12)


def test_models_are_compared_row_by_row():
    data = frame()
    found = fl.evaluate(data, "brier", prediction=["p", "q"], target="y").differences[0]
    difference = (data["q"] - data["y"]) ** 2 - (data["p"] - data["y"]) ** 2
    assert found["difference"] == pytest.approx(difference.mean(), rel=1e-12)
    error = difference.std(ddof=1) / math.sqrt(difference.size)
    assert found["standard_error"] == pytest.approx(error, rel=1e-12)
    assert (found["model"], found["than"], found["better"]) == ("q", "p", "p")
    swapped = fl.evaluate(data, "brier", prediction=["q", "p"], target="y").differences[0]
    assert swapped["better"] == "p"
    alike = fl.evaluate(data, "brier", prediction={"a": "p", "b": "p"}, target="y").differences[0]
    assert (alike["difference"], alike["better"]) == (0, None)


def test_clusters():
    data = frame()
    found = fl.evaluate(data, "brier", prediction="p", target="y", weight="w", cluster="user")
    losses, w = (data["p"] - data["y"]) ** 2, data["w"]
    mean = (w * losses).sum() / w.sum()
    users = np.unique(data["user"][w > 0])
    totals = [(w * (losses - mean))[data["user"] == user].sum() for user in users]
    g = len(users)
    error = math.sqrt(g / (g - 1) * np.square(totals).sum()) / w.sum()
    row = found.table[0]
    assert (row["mean"], row["standard_error"]) == pytest.approx((mean, error), rel=1e-12)
    assert "clusters of user" in found.table.note
    # clusters of one row each are independent rows
    alone = {**data, "user": np.arange(600)}
    kw = {"prediction": "p", "target": "y", "by": "country"}
    rows = fl.evaluate(alone, "brier", **kw).table
    for one, other in zip(
        fl.evaluate(alone, "brier", **kw, cluster="user").table, rows, strict=True
    ):
        assert one == {**other, **{x: one[x] for x in ("standard_error", "low", "high")}}
        assert one["standard_error"] == pytest.approx(other["standard_error"], rel=1e-12)


def test_clusters_that_span_segments():
    data = frame()
    kw = {"prediction": ["p", "q"], "target": "y", "weight": "w", "cluster": "user"}
    whole = fl.evaluate(data, "brier", **kw)
    parts = fl.evaluate(data, "brier", **kw, by=["country", "day"])
    assert parts.overall == whole.table
    assert parts.overall_differences == whole.differences


SKILLED = [
    loss
    for loss in UNITS
    if loss.optimum == "mean" and loss.schema == "map" and loss.inputs == ("prediction", "target")
]


@pytest.mark.parametrize("loss", SKILLED, ids=cases.name_of)
def test_skill(loss):
    data = cases.sample(loss, (80,), "float64", cases.generator(), extremes=False)
    data |= {"w": np.arange(80) % 3 / 2, "g": np.arange(80) % 2}
    kw = {"target": "target", "weight": "w", "by": "g", "skill": True}
    found = fl.evaluate(data, loss, prediction="prediction", **kw, batch_size=7)
    for row in found.table:
        y, w = (data[name][data["g"] == row["g"]] for name in ("target", "w"))
        best = np.full(y.shape, loss.init_score(y, w))
        with np.errstate(divide="ignore"):
            least = loss.value(np.asarray(loss.mean_to_score(y)), y, w)
        expected = 1 - (row["mean"] - least) / (loss.value(best, y, w) - least)
        assert row["skill"] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("power", [0, 1, 1.5, 2, 3])
def test_skill_of_deviances(power):
    data = frame()
    data["y"] = np.random.default_rng(3).gamma(2, 0.3, 600)
    loss = fl.Tweedie(power=power, prediction_is="mean")
    row = fl.evaluate(data, loss, prediction="p", target="y", weight="w", skill=True).table[0]
    d2 = metrics.d2_tweedie_score(data["y"], data["p"], sample_weight=data["w"], power=power)
    assert row["skill"] == pytest.approx(d2, rel=1e-10)


def test_skill_where_targets_hardly_differ():
    rng = np.random.default_rng(4)
    y = rng.normal(0, 3600, 2000)
    p = y + rng.normal(0, 1800, 2000)
    expected = metrics.r2_score(y, p)
    for mean, known in ((1.8e9, 1e-3), (1e12, None)):
        data = {"p": mean + p, "y": mean + y}
        found = fl.evaluate(data, "squared_error", prediction="p", target="y", skill=True)
        skill = found.table[0]["skill"]
        assert math.isnan(skill) if known is None else skill == pytest.approx(expected, rel=known)


def test_skill_is_known_by_other_names():
    data = frame()
    losses = ["squared_error", "binary_cross_entropy", "absolute_error"]
    kw = {"prediction": "p", "target": "y", "weight": "w", "skill": True}
    found = fl.evaluate(data, losses, **kw).overall.to_dict()["skill"]
    y, p, w = data["y"], data["p"], data["w"]
    assert found[0] == pytest.approx(metrics.r2_score(y, p, sample_weight=w), rel=1e-12)
    d2 = metrics.d2_log_loss_score(y, p, sample_weight=w)
    assert found[1] == pytest.approx(d2, rel=1e-12)
    assert found[2] is None  # whose best constant is the median
    same = fl.evaluate({**data, "y": np.ones(600)}, "squared_error", **kw).table[0]["skill"]
    assert math.isnan(same)


def test_roots():
    data = frame()
    row = fl.evaluate(data, ["squared_error", "brier"], prediction="p", target="y").table[0]
    expected = metrics.root_mean_squared_error(data["y"], data["p"])
    assert row["root"] == pytest.approx(expected, rel=1e-12)
    assert "root" not in fl.evaluate(data, "brier", prediction="p", target="y").table.columns


# ---- class scores


def scores(n=50):
    rng = np.random.default_rng(1)
    z, c = rng.normal(size=(n, 3)), rng.integers(0, 3, n)
    expected = fl.LossState("softmax_cross_entropy").update(z, c).result().mean
    return z, c, expected


def test_scores_in_a_column_or_several():
    z, c, expected = scores()
    columns = {f"z{i}": z[:, i] for i in range(3)}
    lists = pyarrow.array(z.tolist())  # of any length, says the type
    for source, prediction in (
        ({"z": z, "c": c}, "z"),
        (arrow({"z": z, "c": c}), "z"),
        (pyarrow.table({"z": lists, "c": c}), "z"),
        (pyarrow.table({"z": lists, "c": c}).slice(0), "z"),
        (polars.DataFrame({"z": z, "c": c}), "z"),
        ({**columns, "c": c}, {"model": list(columns)}),
        (pandas.DataFrame({**columns, "c": c}), {"model": list(columns)}),
    ):
        found = fl.evaluate(source, "softmax_cross_entropy", prediction=prediction, target="c")
        assert found.table[0]["mean"] == expected
    ragged = pyarrow.table({"z": [[1.0, 2.0], [1.0]], "c": [0, 0]})
    with pytest.raises(ValueError, match=r"row 1: column 'z' has 1 numbers, rows before have 2"):
        fl.evaluate(ragged, "softmax_cross_entropy", prediction="z", target="c")


def test_slices_of_lists_keep_their_rows():
    z, c, _ = scores()
    table = pyarrow.table({"z": pyarrow.array(z.tolist()), "c": c}).slice(7, 20)
    found = fl.evaluate(table, "softmax_cross_entropy", prediction="z", target="c", batch_size=6)
    expected = fl.LossState("softmax_cross_entropy").update(z[7:27], c[7:27]).result().mean
    assert found.table[0]["mean"] == expected


def test_labels():
    z, c, expected = scores()
    names = np.array(["no", "maybe", "yes"])
    kw = {"prediction": "z", "target": "c", "labels": ["no", "maybe", "yes"]}
    table = arrow({"z": z, "c": names[c]})
    coded = table.set_column(1, "c", table["c"].dictionary_encode())
    enum = polars.DataFrame({"z": z}).with_columns(
        c=polars.Series(names[c]).cast(polars.Enum(["yes", "no", "maybe"]))
    )
    series = {"z": z, "c": pandas.Series(names[c], dtype="category")}
    for source in ({"z": z, "c": names[c]}, table, coded, enum, series):
        found = fl.evaluate(source, "softmax_cross_entropy", **kw)
        assert found.table[0]["mean"] == expected
    wrong = names[c]
    wrong[30] = "NO"
    source = {"z": z, "c": wrong}
    with pytest.raises(ValueError, match=r"row 30: c is 'NO', none of labels"):
        fl.evaluate(source, "softmax_cross_entropy", **kw, batch_size=13)
    found = fl.evaluate(source, "softmax_cross_entropy", **kw, invalid="drop")
    assert (found.dropped, found.table[0]["count"]) == (1, 49)
    with pytest.raises(TypeError, match=r"labels are .*column 'c' is int64"):
        fl.evaluate({"z": z, "c": c}, "softmax_cross_entropy", **kw)


def test_rows_of_other_lengths():
    lists = pyarrow.array([[0.2, 0.8], [0.3, 0.7], [0.2, 0.3, 0.5]])
    kw = {"prediction": "z", "target": "c"}
    table = pyarrow.table({"z": lists, "c": [0, 1, 1]})
    for batch_size in (1, 2, 3):
        with pytest.raises(ValueError, match="row 2: column 'z' has 3 numbers, rows before have 2"):
            fl.evaluate(table, "categorical_cross_entropy", **kw, batch_size=batch_size)
    empty = pyarrow.table(
        {"z": pyarrow.array([[], []], pyarrow.list_(pyarrow.float64())), "c": [0, 1]}
    )
    with pytest.raises(ValueError, match="row 0: column 'z' has a list without numbers"):
        fl.evaluate(empty, "categorical_cross_entropy", **kw)


def test_elements_of_several_columns_belong_to_their_row():
    rng = np.random.default_rng(0)
    data = {"p": rng.normal(size=(40, 2)), "y": rng.normal(size=(40, 2)), "g": np.arange(40) % 3}
    data["w"] = rng.random(40)
    found = fl.evaluate(
        data, "squared_error", prediction="p", target="y", weight="w", by="g", batch_size=7
    )
    for row in found.table:
        here = data["g"] == row["g"]
        square = (data["p"][here] - data["y"][here]) ** 2
        mean = np.average(square, weights=np.repeat(data["w"][here, None], 2, axis=1))
        assert row["mean"] == pytest.approx(mean, rel=1e-12)


def test_integers_are_predictions_too():
    table = pyarrow.table({"p": [1, 0, 1], "y": [1, 1, 1]})
    assert fl.evaluate(table, "brier", prediction="p", target="y").table[0]["mean"] == 1 / 3


# ---- sources


def whole(data=None, **changes):
    return fl.evaluate(frame() if data is None else data, LOSSES, **{**MODELS, **changes})


@pytest.mark.parametrize("kind", ["pandas", "polars", "table", "reader", "batch", "dataset"])
def test_tables(kind):
    table = arrow(frame())
    source = {
        "pandas": lambda: pandas.DataFrame(frame()),
        "polars": lambda: polars.DataFrame(frame()),
        "table": lambda: pyarrow.concat_tables([table.slice(0, 100), table.slice(100)]),
        "reader": lambda: table.to_reader(max_chunksize=77),
        "batch": lambda: table.combine_chunks().to_batches()[0],
        "dataset": lambda: dataset.dataset(table),
    }[kind]()
    assert whole(source).table == whole().table
    assert (
        whole(source if kind != "reader" else table, by=None).differences
        == whole(by=None).differences
    )


@pytest.mark.parametrize("kind", WRITERS)
def test_files(kind, tmp_path):
    table = arrow(frame())
    for i in range(3):
        WRITERS[kind](table.slice(200 * i, 200), tmp_path / f"part{i}.{kind}")
    paths = sorted(tmp_path.iterdir())
    expected = whole()
    for source in (str(tmp_path), tmp_path, paths, str(tmp_path / "*.*"), paths[::-1]):
        found = whole(source)
        assert (found.rows, found.table) == (600, expected.table)
        assert found.differences == expected.differences
    assert whole(paths[0].as_uri()).table == whole(table.slice(0, 200)).table


def test_folders_of_hive(tmp_path):
    table = arrow(frame())
    dataset.write_dataset(
        table,
        tmp_path,
        format="parquet",
        partitioning=["country", "day"],
        partitioning_flavor="hive",
    )
    (tmp_path / "_SUCCESS").touch()
    assert whole(tmp_path, by=["country", "day"]).table == whole(by=["country", "day"]).table
    some = whole(tmp_path, filter=[("country", "==", "it"), ("day", ">=", 2)])
    kept = table.filter((dataset.field("country") == "it") & (dataset.field("day") >= 2))
    assert some.table == whole(kept).table
    assert (
        whole(table, filter=dataset.field("country") == "it").table
        == whole(table, filter=[("country", "==", "it")]).table
    )


def test_only_needed_columns_are_read(tmp_path):
    """Others may hold what PyArrow has no NumPy type for, or cannot read at all."""
    table = arrow(frame()).append_column("z", pyarrow.array([{"a": [None]}] * 600))
    parquet.write_table(table, tmp_path / "a.parquet")
    assert whole(tmp_path / "a.parquet").table == whole().table
    assert whole({**frame(), "z": object()}).table == whole().table


def test_filesystems(tmp_path):
    from pyarrow import fs

    parquet.write_table(arrow(frame()), tmp_path / "a.parquet")
    inside = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    assert whole("a.parquet", filesystem=inside).table == whole().table


def test_a_stream_is_read_batch_by_batch():
    """Nothing is kept of a batch once it is done."""
    table, taken = arrow(frame()), []

    def some():
        for batch in table.to_batches(max_chunksize=50):
            taken.append(pyarrow.total_allocated_bytes())
            yield batch.take(pyarrow.array(np.arange(batch.num_rows)))  # a copy

    source = pyarrow.RecordBatchReader.from_batches(table.schema, some())
    assert whole(source).table == whole().table
    assert taken[-1] - taken[0] < table.nbytes / 3


# ---- the same bits


def test_no_order_and_no_partition_changes_a_bit(tmp_path):
    data = frame(5000)
    rng = np.random.default_rng(0)
    order = rng.permutation(5000)
    table = arrow(data).take(pyarrow.array(order))
    for i, begin in enumerate(range(0, 5000, 700)):
        parquet.write_table(table.slice(begin, 700), tmp_path / f"{i}.parquet", row_group_size=99)
    for changes in ({}, {"by": None}, {"by": ["day", "country"]}, {"cluster": "user"}):
        expected = whole(data, **changes)
        for more in ({"batch_size": 64}, {"threads": 1}, {"threads": 2, "batch_size": 4999}):
            found = whole(tmp_path, **changes, **more)
            assert found.table == expected.table
            assert found.differences == expected.differences
            assert found.overall == expected.overall


@pytest.mark.parametrize("changes", [{}, {"by": None}, {"cluster": "user"}])
def test_evaluations_add_up(changes):
    table = arrow(frame())
    parts = [whole(table.slice(100 * i, 100), **changes) for i in range(6)]
    for found in (sum(parts), sum(parts[::-1])):
        assert found.table == whole(**changes).table
        assert found.overall_differences == whole(**changes).overall_differences
        assert found.rows == 600
    with pytest.raises(ValueError, match="do not add up"):
        parts[0] + whole(by="day")
    with pytest.raises(TypeError):
        parts[0] + 1


KEPT = {
    "segments": {},
    "all": {"by": None},
    "clusters": {"cluster": "user"},
    "skill": {"skill": True, "by": ["day", "country"]},
    "own names": {"prediction": {"a": "p", "b": "q"}},
}


@pytest.mark.parametrize("changes", KEPT.values(), ids=KEPT)
def test_evaluations_are_written(changes):
    """What was read goes on as if it had never been written."""
    table = arrow(frame())
    parts = [whole(table.slice(100 * i, 100), **changes) for i in range(3)]
    read = [fl.Evaluation.from_dict(json.loads(json.dumps(part.to_dict()))) for part in parts]
    expected = whole(table.slice(0, 300), **changes)
    for found in (read[0] + parts[1] + read[2], sum(pickle.loads(pickle.dumps(read)))):
        assert found.table == expected.table
        assert found.differences == expected.differences
        assert found.overall == expected.overall
        assert (found.rows, found.dropped) == (300, 0)
    with pytest.raises(ValueError, match="schema 1; got 2"):
        fl.Evaluation.from_dict({**parts[0].to_dict(), "schema": 2})


def test_sums_of_every_size_are_written():
    p = np.array([1e308, -1e308, 5e-324, -3e-320, 1e-160, 1e200, np.nan, np.inf, -7.0, 0.0])
    data = {"p": p, "y": np.zeros(10), "g": np.arange(10) % 9, "w": np.full(10, 0.3)}
    for weight in (None, "w"):
        kw = {"prediction": "p", "target": "y", "weight": weight, "by": "g"}
        found = fl.evaluate(data, {"mine": fl.custom(signed)()}, **kw)
        written = json.loads(json.dumps(found.to_dict()))
        with pytest.raises(ValueError, match="no loss is called"):
            fl.Evaluation.from_dict(written)
        with pytest.raises(ValueError, match="losses has huber"):
            fl.Evaluation.from_dict(written, {"mine": fl.Huber()})
        read = fl.Evaluation.from_dict(written, {"mine": fl.custom(signed)()})
        assert repr(read.table) == repr(found.table)
        assert json.dumps(read.to_dict()) == json.dumps(found.to_dict())


def signed(prediction, target):
    return prediction - target


def test_keys_of_dates_are_written():
    days = np.arange("2026-01-01", "2026-01-07", dtype="M8[D]")
    for column in (days, days.astype("M8[us]"), [math.nan, 1.0, None, -math.inf, 2.0, 1.0]):
        table = pyarrow.table({"p": np.full(6, 0.5), "y": np.zeros(6), "g": column})
        found = fl.evaluate(table, "brier", prediction="p", target="y", by="g")
        assert fl.Evaluation.from_dict(found.to_dict()).table == found.table


def test_keys_of_every_kind_are_written():
    moments = np.array([0, 1, 2**40], "M8[us]")
    for values in (
        [b"a", b"", b"\xff"],
        [Decimal("1.10"), Decimal("-3.00"), None],
        [2**64 - 1, 0, 2**63],
        [math.nan, -math.inf, 0.5],
        [timedelta(days=3, microseconds=1), timedelta(microseconds=-1), timedelta()],
        [time(1, 2, 3, 4), time(), None],
        moments,
        pyarrow.array(moments).cast(pyarrow.timestamp("us", "Asia/Tokyo")),
    ):
        kind = pyarrow.uint64() if values[0] == 2**64 - 1 else None
        table = pyarrow.table({"p": [0.5] * 3, "y": [0, 1, 0], "g": pyarrow.array(values, kind)})
        found = fl.evaluate(table, "brier", prediction="p", target="y", by="g")
        again = fl.Evaluation.from_dict(json.loads(json.dumps(found.to_dict())))
        assert again.table == found.table
        twice = sum([found, again, pickle.loads(pickle.dumps(found))])
        assert twice.table.to_dict()["count"] == [3, 3, 3]
        assert found.table.to_arrow().num_rows == 3


def test_times_are_moments():
    """Wall times that come twice, when clocks are put back, are two segments."""
    hours = pyarrow.array(1729989000 + 3600 * (np.arange(4) % 2), pyarrow.timestamp("s"))
    table = pyarrow.table({"p": [0.5] * 4, "y": [0] * 4})
    table = table.append_column("g", hours.cast(pyarrow.timestamp("s", "Europe/Berlin")))
    found = fl.evaluate(table, "brier", prediction="p", target="y", by="g").table.to_dict()["g"]
    assert [moment.isoformat()[:16] for moment in found] == ["2024-10-27T00:30", "2024-10-27T01:30"]
    # and NumPy's of all units are those of Arrow
    for unit in ("Y", "M", "D", "h", "s", "ms", "ns"):
        days = np.array(["2020-01-01", "2021-01-01", "NaT"], f"M8[{unit}]")
        data = {"p": [0.5] * 3, "y": [0] * 3, "g": days}
        found = fl.evaluate(data, "brier", prediction="p", target="y", by="g").table.to_dict()["g"]
        assert [str(day)[:10] for day in found] == ["2020-01-01", "2021-01-01", "None"]


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 2, 3], "M8[ns]"),
        np.array([1, 2, 3], "m8[ns]"),
        pyarrow.array([[1], [2], [3]]),
        np.array([1, "a", None], object),
        np.ones((3, 2)),
        pandas.Series(pandas.period_range("2020-01", periods=3, freq="M")),
    ],
    ids=["nanoseconds", "duration", "lists", "mixed", "axes", "periods"],
)
def test_what_cannot_tell_rows_apart(values):
    data = {"p": [0.5] * 3, "y": [0] * 3, "g": values}
    with pytest.raises(TypeError, match="column 'g' cannot tell rows apart"):
        fl.evaluate(data, "brier", prediction="p", target="y", by="g")


def test_kinds_of_keys_stand_one_after_the_other():
    def found(keys):
        data = {"p": [0.5, 0.5], "y": [0, 0], "g": keys}
        return fl.evaluate(data, "brier", prediction="p", target="y", by="g")

    days = np.array(["2020-01-01", "2021-01-01"], "M8[D]")
    zoned = pyarrow.array(days).cast(pyarrow.timestamp("us", "UTC"))
    every = sum(map(found, (["b", "a"], [2, 1], days, days.astype("M8[s]"), zoned)))
    assert len(every.table) == 10
    assert every.table.to_dict()["g"][:2] == [1, 2]


def test_keys_are_values():
    """Whatever codes and files they come in."""
    dictionary = pyarrow.DictionaryArray.from_arrays([0, 1, 0], ["de", "de"])
    other = pyarrow.DictionaryArray.from_arrays([0, 1, 1], ["fr", "de"])
    batches = [
        pyarrow.record_batch({"p": [0.5, 0.5, 0.5], "y": [0, 0, 1], "country": column})
        for column in (dictionary, other)
    ]
    table = pyarrow.Table.from_batches(batches)
    found = fl.evaluate(table, "brier", prediction="p", target="y", by="country")
    assert [(row["country"], row["count"]) for row in found.table] == [("de", 5), ("fr", 1)]


def test_keys_of_every_kind():
    n = 6
    kinds = {
        "text": (["b", None, "a", "b", "a", None], ["a", "b", None]),
        "float": ([math.nan, 1.5, -0.0, 0.0, math.nan, 1.5], [0.0, 1.5, math.nan]),
        "bool": ([True, False] * 3, [False, True]),
        "date": (np.arange("2026-01-01", "2026-01-07", dtype="M8[D]"), None),
        "integer": ([3, 1, 2, 3, 1, 2], [1, 2, 3]),
    }
    for kind, (column, expected) in kinds.items():
        table = pyarrow.table({"p": np.full(n, 0.5), "y": np.zeros(n), kind: column})
        for batch_size in (n, 2):
            found = fl.evaluate(
                table, "brier", prediction="p", target="y", by=kind, batch_size=batch_size
            )
            keys = [row[kind] for row in found.table]
            if expected is not None:
                assert [repr(key) for key in keys] == [repr(key) for key in expected]
            assert sum(row["count"] for row in found.table) == n


def test_many_segments():
    n = 30_000
    rng = np.random.default_rng(0)
    data = {"p": rng.random(n), "y": rng.integers(0, 2, n), "user": rng.integers(0, 10_000, n)}
    found = fl.evaluate(data, "brier", prediction="p", target="y", by="user", batch_size=4096)
    squares = polars.DataFrame({**data, "s": (data["p"] - data["y"]) ** 2})
    expected = squares.group_by("user").agg(polars.col("s").mean(), polars.len()).sort("user")
    assert found.table.to_dict()["user"] == expected["user"].to_list()
    np.testing.assert_allclose(found.table.to_dict()["mean"], expected["s"], rtol=1e-13)
    assert found.table.to_dict()["count"] == expected["len"].to_list()


def test_a_null_beside_all_numbers_that_its_codes_hold():
    column = pandas.Series(pandas.Categorical([*map(str, range(128)), None]))
    frame = pandas.DataFrame({"p": np.full(129, 0.5), "y": np.zeros(129), "g": column})
    found = fl.evaluate(frame, "brier", prediction="p", target="y", by="g")
    assert [row["count"] for row in found.table] == [1] * 129
    assert found.table[128]["g"] is None


def test_segments_have_a_limit_of_memory():
    """Which the clusters of a batch exceed before anything is added."""
    data = {"p": np.full(20_000, 0.5), "y": np.zeros(20_000), "user": np.arange(20_000)}
    of = {"prediction": "p", "target": "y", "batch_size": 1000, "memory_limit": 4_000_000}
    done = []
    with pytest.raises(MemoryError, match=r"^1[01]000 segments of user so far take .* MB; memory"):
        fl.evaluate(data, "brier", by="user", progress=done.append, **of)
    assert sum(done) in (9000, 10_000)
    assert fl.evaluate(data, "brier", **of).rows == 20_000


def test_sums_are_exact_by_segment():
    rng = np.random.default_rng(0)
    p = rng.normal(size=300) * 10.0 ** rng.integers(-150, 150, 300)
    data = {"p": p, "y": np.zeros(300), "g": np.arange(300) % 2}
    found = fl.evaluate(data, "absolute_error", prediction="p", target="y", by="g", batch_size=31)
    for row in found.table:
        some = abs(p[data["g"] == row["g"]])
        assert row["mean"] == float(sum(map(Fraction, some)) / len(some))


# ---- rows that are no use


def test_nulls(tmp_path):
    columns = {name: x.tolist() for name, x in frame(20).items()}
    for name, row in (("p", 7), ("y", 12), ("w", 13), ("country", 3)):
        columns[name][row] = None
    table = pyarrow.table(columns)
    parquet.write_table(table.slice(0, 5), tmp_path / "a.parquet")
    parquet.write_table(table.slice(5), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"/b.parquet, row 2: column 'p' is null; nulls='drop'"):
        whole(tmp_path)
    kept = np.array([i not in (7, 12, 13) for i in range(20)])
    for source in (tmp_path, table, pandas.DataFrame(columns).convert_dtypes()):
        found = whole(source, nulls="drop", batch_size=3)
        assert (found.rows, found.dropped) == (20, 3)
        assert found.table == whole(table.filter(pyarrow.array(kept))).table
    assert None in [row["country"] for row in found.table]
    inside = pyarrow.table({"z": [[1.0, 2.0], [None, 1.0], [3.0, 4.0]], "c": [0, 1, 1]})
    kw = {"prediction": "z", "target": "c"}
    with pytest.raises(ValueError, match="row 1: column 'z' is null"):
        fl.evaluate(inside, "softmax_cross_entropy", **kw)
    assert fl.evaluate(inside, "softmax_cross_entropy", **kw, nulls="drop").dropped == 1


def test_refused_values(tmp_path):
    data = frame(20)
    data["q"][[4, 9, 15]] = 1.5
    data["y"][[9, 11]] = 3
    data["w"][:] = 1
    data["w"][18] = -1
    table = arrow(data)
    parquet.write_table(table.slice(0, 3), tmp_path / "a.parquet")
    parquet.write_table(table.slice(3), tmp_path / "b.parquet")
    message = r"b.parquet, row 1: binary_cross_entropy of q: prediction is 1.5, outside its domain"
    for batch_size in (2, 1000):
        with pytest.raises(ValueError, match=message):
            whole(tmp_path, prediction="q", batch_size=batch_size)
    kept = np.array([i not in (4, 9, 11, 15, 18) for i in range(20)])
    for source in (tmp_path, data):
        found = whole(source, invalid="drop")
        assert (found.rows, found.dropped) == (20, 5)
        assert found.table == whole(table.filter(pyarrow.array(kept))).table
    with pytest.raises(ValueError, match=r"row 0 of those that the filter leaves: .* is 1.5"):
        whole(arrow(data), prediction="q", filter=[("q", ">", 1)])


def test_rows_are_named_as_they_were_before_others_were_left_out():
    table = pyarrow.table({"p": [0.5, None, 0.5, 2.0], "y": [0, 0, 1, 1]})
    with pytest.raises(ValueError, match="row 3: brier of p: prediction is 2"):
        fl.evaluate(table, "brier", prediction="p", target="y", nulls="drop")


def test_a_batch_without_rows():
    table = arrow(frame())
    found = whole(table.slice(0, 0), by=None)
    assert found.rows == 0
    assert math.isnan(found.table[0]["mean"])
    assert len(whole(table.slice(0, 0)).table) == 0
    assert repr(whole(table.slice(0, 0)).table)
    assert whole(table.slice(0, 0)).table.columns == whole(table).table.columns
    assert whole(table.slice(0, 0)).table.to_arrow().num_rows == 0


# ---- mistakes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prediction": "pp"}, "no column 'pp'; did you mean 'p'"),
        ({"prediction": []}, "names no column"),
        ({"prediction": 3}, "prediction"),
        ({"target": None}, "target must be the name of a column"),
        ({"by": 3}, "by"),
        ({"by": "land"}, "no column 'land'"),
        ({"by": "p_hat"}, "no column 'p_hat'; "),
        ({"prediction": {1: "p", "1": "q"}}, "prediction has 1 twice"),
        ({"by": "model"}, "by names 'model', which tables have already"),
        ({"labels": "ab"}, "labels must be a list"),
        ({"labels": []}, "labels is empty"),
        ({"labels": ["a", "b", "a"]}, "labels has a twice"),
        ({"labels": ["a", None]}, "labels has None"),
        ({"labels": [0, "a"]}, "labels are .0, 'a'.; column 'y' is int64"),
        ({"weight": "country"}, "column 'country' .weight. has dtype"),
        ({"nulls": "skip"}, "nulls must be 'raise' or 'drop'; got 'skip'"),
        ({"invalid": None}, "invalid must be"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"inputs": {"upper": "p"}}, "'upper', which none of the losses takes"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"weight": ["w"]}, "weight must name columns"),
        ({"target": "country"}, "column 'country' .target. has dtype"),
    ],
)
def test_wrong_arguments(changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        whole(**changes)


def test_wrong_losses():
    kw = {"prediction": "p", "target": "y"}
    for losses, message in (
        ("brierr", "did you mean 'brier'"),
        ([], "losses is empty"),
        (3, "losses must be"),
        ([3], "losses must be"),
        (["brier", "brier"], "losses has brier twice"),
        ("interval_score", "needs inputs={'upper': column}"),
        ("lambdarank", "groups|no loss is called"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            fl.evaluate(frame(), losses, **kw)


def test_wrong_sources(tmp_path):
    kw = {"prediction": "p", "target": "y"}
    (tmp_path / "a.xyz").touch()
    (tmp_path / "b.csv").write_text("p,y\n0.5,1\n")
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    for source, error, message in (
        (tmp_path / "none.csv", FileNotFoundError, "none.csv"),
        (str(tmp_path / "*.tsv"), FileNotFoundError, "no file matches .*tsv"),
        (tmp_path / "a.xyz", ValueError, "a.xyz is no file of a known format"),
        ([tmp_path / "b.csv", tmp_path / "c.parquet"], ValueError, "several formats"),
        (tmp_path / "c.parquet", ValueError, "c.parquet"),
        (3, TypeError, "source must be .* got int"),
        ([], TypeError, "source must be"),
        ({"p": [0.5], "y": [1, 0]}, ValueError, "'p' has 1 rows, 'y' has 2"),
        ({"p": 0.5, "y": [1]}, TypeError, "p must be an array"),
        (polars.LazyFrame({"p": [0.5]}), TypeError, "polars LazyFrame"),
    ):
        with pytest.raises(error, match=message):
            fl.evaluate(source, "brier", **kw)
    with pytest.raises(TypeError, match="filter is for tables"):
        fl.evaluate({"p": [0.5], "y": [1]}, "brier", **kw, filter=[("p", ">", 0)])


# ---- tables


def test_tables_go_elsewhere():
    table = whole().table
    assert table.to_pandas()["mean"].tolist() == table.to_dict()["mean"]
    assert table.to_polars()["count"].to_list() == table.to_dict()["count"]
    assert table.to_arrow().column("country").to_pylist() == table.to_dict()["country"]
    assert json.loads(table.to_json())["rows"] == table.rows
    lines = table.to_markdown().splitlines()
    assert len(lines) == 2 + len(table) == 2 + len(list(table))
    assert all(line.count("|") == len(table.columns) + 1 for line in lines)
    head, *_, note = repr(table).splitlines()
    assert head.split() == table.columns
    assert note == "95 % intervals assume independent rows"


def test_text_is_no_markup():
    data = {"p": [0.5], "y": [1], "g": ["<b>|&"]}
    table = fl.evaluate(data, "brier", prediction="p", target="y", by="g").table
    assert "<b>" not in table._repr_html_()
    assert "&lt;b&gt;|&amp;" in table._repr_html_()
    assert r"<b>\|&" in table.to_markdown()


def test_columns_of_libraries_by_name():
    data = frame()
    p = pandas.Series(data["p"], dtype="Float64")
    p[3] = None
    columns = {"p": p, "y": polars.Series(data["y"]), "w": pyarrow.array(data["w"])}
    for country in (
        pandas.Series(data["country"]),
        polars.Series(data["country"]),
        polars.Series(data["country"], dtype=polars.Categorical),
        pyarrow.chunked_array([data["country"][:9], data["country"][9:]]),
    ):
        source = {**columns, "q": data["q"], "country": country}
        found = fl.evaluate(source, "brier", **MODELS, nulls="drop", batch_size=100)
        kept = {name: np.delete(x, 3) for name, x in data.items()}
        assert found.table == fl.evaluate(kept, "brier", **MODELS).table
        assert found.dropped == 1


def test_frames_of_pandas():
    data = frame()
    expected = fl.evaluate(data, "brier", prediction="p", target="y").table
    numbered = pandas.DataFrame({0: data["p"], 1: data["y"]})
    assert fl.evaluate(numbered, "brier", prediction="0", target="1").table.rows[0] == {
        **expected[0],
        "model": "0",
    }
    chosen = fl.evaluate(
        pandas.DataFrame(data), "brier", prediction="p", target="y", filter=[("day", "==", 2)]
    )
    assert chosen.rows == np.count_nonzero(data["day"] == 2)
    twice = pandas.concat([pandas.DataFrame(data), numbered.rename(columns={0: "p"})], axis=1)
    with pytest.raises(ValueError, match="the source has 2 columns 'p'"):
        fl.evaluate(twice, "brier", prediction="p", target="y")


def test_progress_is_told():
    rows = []
    whole(batch_size=250, progress=rows.append)
    assert rows == [250, 250, 100]


@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8", ">i4", "S2", "U2"])
def test_keys_of_arrays(dtype):
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        ends = np.iinfo(kind)
        keys = [
            np.array([a, b, a], kind) for a, b in ((ends.min, ends.max), (ends.max - 1, ends.max))
        ]
        keys.append(np.array([ends.min, ends.min + 3, ends.min], kind))
    else:
        keys = [np.array(["b", "a", "b"], kind)]
    for k in keys:
        for some in (k, np.repeat(k, 2)[::-2][::-1]):
            data = {"p": [0.5, 1.0, 1.5], "y": [0.0, 0.0, 0.0], "k": some}
            found = fl.evaluate(data, "absolute_error", prediction="p", target="y", by="k")
            means = {row["k"]: row["mean"] for row in found.table}
            assert means == {k[0].item(): 1.0, k[1].item(): 1.0}
            assert [row["count"] for row in found.table] == [2, 1][:: 1 if k[0] < k[1] else -1]
