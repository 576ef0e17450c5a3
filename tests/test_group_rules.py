"""The rules of every loss, for losses of groups."""

import copy
import pickle
import threading

import cases
import group_cases
import numpy as np
import pytest

import fastloss as fl

each_variant = pytest.mark.parametrize("loss", group_cases.VARIANTS, ids=cases.name_of)
each_loss = pytest.mark.parametrize("loss", group_cases.DEFAULTS, ids=cases.name_of)
each_runner = pytest.mark.parametrize("runner", group_cases.RUNNERS, ids=cases.name_of)
each_dtype = pytest.mark.parametrize("dtype", cases.DTYPES)


def drawn(loss, rng, dtype="float64", groups=30, most=20, **options):
    sizes = group_cases.sizes(rng, groups, most)
    inputs = cases.sample_groups(loss, sizes, dtype, rng, **options)
    return inputs, group_cases.weights(loss, inputs, rng)


def same(a, b):
    for x, y in zip(a, b, strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


# ---- groups, weights and reductions


@each_variant
@each_runner
def test_groups_are_independent(loss, runner, rng):
    inputs, weight = drawn(loss, rng)
    with cases.running(runner):
        value, grad, hess = loss.value_grad_hess(**inputs, weight=weight, reduction="sum")
        parts = [
            loss.value_grad_hess(**group_cases.part(inputs, at), weight=weight[at], reduction="sum")
            for at in group_cases.members(inputs)
        ]
    np.testing.assert_allclose(sum(p[0] for p in parts), value, rtol=1e-14)
    np.testing.assert_array_equal(np.concatenate([p[1] for p in parts]), grad)
    np.testing.assert_array_equal(np.concatenate([p[2] for p in parts]), hess)


@each_variant
@each_runner
def test_reductions(loss, runner, rng):
    inputs, weight = drawn(loss, rng)
    for w in (None, weight):
        units = group_cases.units(loss, inputs, w).sum()
        with cases.running(runner):
            each, *_ = loss.value_grad_hess(**inputs, weight=w, reduction="none")
            total = loss.value_grad_hess(**inputs, weight=w, reduction="sum")
            mean = loss.value_grad_hess(**inputs, weight=w)
            third = loss.value_grad_hess(**inputs, weight=w, normalizer=3.0)
        groups = len(group_cases.members(inputs))
        assert each.shape == (inputs["prediction"].size if loss.unit == "event" else groups,)
        assert each.sum() == pytest.approx(total[0], rel=1e-13)
        for m, t, s in zip(total, third, mean, strict=True):
            np.testing.assert_allclose(t, m / 3, rtol=1e-14)
            np.testing.assert_allclose(s, m / units, rtol=1e-14)


@pytest.mark.parametrize(
    "loss", [v for v in group_cases.VARIANTS if v.unit != "event"], ids=cases.name_of
)
@each_runner
def test_weights_of_groups(loss, runner, rng):
    inputs, _ = drawn(loss, rng)
    of_groups = rng.integers(0, 3, len(group_cases.members(inputs))).astype(float)
    with cases.running(runner):
        each = loss.value(**inputs, reduction="none")
        plain = loss.grad(**inputs, reduction="sum")
        weighted = loss.value(**inputs, weight=of_groups, reduction="none")
        grad = loss.grad(**inputs, weight=of_groups, reduction="sum")
        mean = loss.value(**inputs, weight=of_groups)
    np.testing.assert_allclose(weighted, each * of_groups, rtol=1e-15)
    for at, w in zip(group_cases.members(inputs), of_groups, strict=True):
        np.testing.assert_allclose(grad[at], plain[at] * w, rtol=1e-15)
    units = group_cases.units(loss, inputs) if loss.unit == "pair" else np.ones(of_groups.size)
    assert mean == pytest.approx((each @ of_groups) / (units @ of_groups), rel=1e-14)


@pytest.mark.parametrize("name", ["cox_ph", "pairwise_logistic", "pairwise_hinge"])
@each_runner
def test_a_weight_is_a_number_of_copies(name, runner, rng):
    loss = fl.get(name)
    inputs, _ = drawn(loss, rng)
    copies = rng.integers(0, 4, inputs["prediction"].size)
    many = {name: np.repeat(x, copies) for name, x in inputs.items()}
    with cases.running(runner):
        for reduction in ("sum", "mean"):
            value, grad = loss.value_and_grad(**inputs, weight=copies, reduction=reduction)
            wanted, of_copies = loss.value_and_grad(**many, reduction=reduction)
            assert value == pytest.approx(wanted, rel=1e-13)
            summed = np.bincount(np.repeat(np.arange(copies.size), copies), of_copies, copies.size)
            np.testing.assert_allclose(grad, summed, rtol=1e-12, atol=1e-14)


@each_variant
@each_runner
@each_dtype
def test_absent_elements_change_no_bit(loss, runner, dtype, rng):
    inputs, weight = drawn(loss, rng, dtype)
    weight = weight.astype(dtype)
    here = weight != 0
    with cases.running(runner):
        kept = loss.value_grad_hess(
            **group_cases.part(inputs, here), weight=weight[here], reduction="sum"
        )
        for garbage in (np.nan, np.inf, -1e30):
            spoiled = {name: x.copy() for name, x in inputs.items()}
            for name, x in spoiled.items():
                if name != "group":
                    x[~here] = garbage
            value, grad, hess = loss.value_grad_hess(**spoiled, weight=weight, reduction="sum")
            same((value, grad[here], hess[here]), kept)
            assert not grad[~here].any()
            assert not hess[~here].any()


@each_loss
@each_runner
def test_nothing(loss, runner):
    empty = {name: np.zeros(0, int if name == "group" else float) for name in loss.inputs}
    one = {name: np.ones(1, int if name == "group" else float) for name in loss.inputs}
    with cases.running(runner):
        for inputs, weight in ((empty, None), (empty, np.zeros(0)), (one, [0.0]), (one, 0.0)):
            value, grad, hess = loss.value_grad_hess(**inputs, weight=weight)
            assert np.isnan(value)
            assert grad.shape == hess.shape == inputs["prediction"].shape
            assert not grad.any()
            assert not hess.any()
            assert loss.value(**inputs, weight=weight, reduction="sum") == 0.0
            shape = (inputs["prediction"].size,)
            assert loss.value(**inputs, weight=weight, reduction="none").shape == shape


@each_runner
def test_no_events_and_no_pairs(runner):
    with cases.running(runner):
        for loss, options in ((fl.CoxPh(), {"event": 0}), (fl.PairwiseLogistic(), {})):
            value, grad = loss.value_and_grad(np.ones(5), np.ones(5), **options)
            assert np.isnan(value)
            assert not grad.any()
            assert loss.value(np.ones(5), np.ones(5), reduction="sum", **options) == 0.0
        assert fl.LambdarankNdcg()(np.ones(5), np.ones(5)) == 0.0
        assert fl.ListwiseSoftmax()(np.ones(5), np.zeros(5)) == 0.0


# ---- NaN and infinities


@each_variant
@each_runner
def test_nan_stays_in_its_group(loss, runner, rng):
    inputs, _ = drawn(loss, rng)
    clean = loss.value_grad_hess(**inputs, reduction="none")
    groups = group_cases.members(inputs)
    for name in set(inputs) - {"group"}:
        spoiled = {n: x.copy() for n, x in inputs.items()}
        at = next(g for g in groups if g.size > 5 and len(set(inputs["target"][g])) > 1
                  and inputs.get("event", np.ones(g[-1] + 1))[g].any())  # fmt: skip
        # of the largest time, so that all risk sets hold it
        worst = at[np.argmax(inputs["target"][at])]
        spoiled[name][worst] = np.nan
        with cases.running(runner):
            value, grad, hess = loss.value_grad_hess(**spoiled, reduction="none")
            total = loss.value(**spoiled, reduction="sum")
        assert np.isnan(total)
        assert np.isnan(grad[at]).any()
        assert np.isnan(hess[at]).any()
        others = np.setdiff1d(np.arange(grad.size), at)
        np.testing.assert_allclose(grad[others], clean[1][others], rtol=1e-13, atol=1e-15)
        assert np.isnan(value).sum() == np.isnan(value[at] if loss.unit == "event" else value).sum()


INFINITE = [
    ("pairwise_logistic", [np.inf, 0.0], [1, 0], 0.0, [0, 0]),
    ("pairwise_logistic", [-np.inf, 0.0], [1, 0], np.inf, [-1, 1]),
    ("pairwise_hinge", [np.inf, 0.0], [1, 0], 0.0, [0, 0]),
    ("pairwise_hinge", [-np.inf, 0.0], [1, 0], np.inf, [-1, 1]),
    ("listwise_softmax", [np.inf, 0.0], [1, 0], 0.0, [0, 0]),
    ("listwise_softmax", [-np.inf, 0.0], [1, 0], np.inf, [-1, 1]),
    ("listmle", [np.inf, 0.0], [1, 0], 0.0, [0, 0]),
    ("listmle", [-np.inf, 0.0], [1, 0], np.inf, [-1, 1]),
    ("listmle", [np.inf, np.inf], [1, 0], np.nan, [np.nan, np.nan]),
    ("cox_ph", [np.inf, 0.0], [1, 2], 0.0, [0, 0]),
    ("cox_ph", [0.0, np.inf], [1, 2], np.inf, [-1, 1]),
    ("cox_ph", [0.0, -np.inf], [1, 2], 0.0, [0, 0]),
    ("cox_ph", [-np.inf, 0.0], [1, 2], np.inf, [-1, 1]),
]


@pytest.mark.parametrize(("name", "prediction", "target", "value", "grad"), INFINITE)
@each_runner
@each_dtype
def test_infinities_have_their_limits(name, prediction, target, value, grad, runner, dtype):
    loss = fl.get(name)
    event = {"event": [1, 0]} if "event" in loss.inputs else {}
    with cases.running(runner):
        found = loss.value_and_grad(np.array(prediction, dtype), target, **event, reduction="sum")
    np.testing.assert_array_equal(found[0], value)
    np.testing.assert_array_equal(found[1], grad)


@each_runner
def test_scores_far_apart_lose_no_risk_set(runner):
    """The largest score of all is no unit for risk sets that it has left."""
    z, time = np.array([2000.0, 1.0, 0.0, -1500.0, -1501.0]), np.arange(5.0)
    with cases.running(runner):
        value, grad = fl.CoxPh().value_and_grad(z, time, event=np.ones(5), reduction="sum")
    logs = [np.logaddexp.reduce(z[i:]) - z[i] for i in range(5)]
    assert value == pytest.approx(sum(logs), rel=1e-15)
    share = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(grad, [0, share - 1, 1 - share, share - 1, 1 - share], rtol=1e-14)


# ---- what losses say of themselves


@each_variant
def test_said_of_themselves(loss, rng):
    inputs, _ = drawn(loss, rng, spread=2.0)
    value, grad, hess = loss.value_grad_hess(**inputs, reduction="sum")
    if loss.hessian_sign == "zero":
        assert not hess.any()
    else:
        assert (hess >= 0).all()
    # what differences of predictions make does not change when all move
    for at in group_cases.members(inputs):
        assert abs(grad[at].sum()) <= 1e-12 * np.abs(grad[at]).sum()
    if loss.convex:
        other = rng.standard_normal(grad.size)
        three = (inputs["prediction"], other, (inputs["prediction"] + other) / 2)
        ends = [loss.value(**{**inputs, "prediction": z}, reduction="sum") for z in three]
        assert ends[2] <= (ends[0] + ends[1]) / 2 + 1e-12 * abs(value)


@each_variant
def test_identity(loss):
    assert fl.get(repr(loss)) == loss
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert copy.deepcopy(loss) is loss
    assert not loss.additive
    assert loss.unit in ("pair", "group", "event")


# ---- order


@each_variant
@each_runner
def test_the_order_of_elements_matters_where_it_is_said(loss, runner, rng):
    inputs, weight = drawn(loss, rng, levels=0)  # no ties
    shuffled = np.concatenate([rng.permutation(at) for at in group_cases.members(inputs)])
    with cases.running(runner):
        value, grad = loss.value_and_grad(**inputs, weight=weight, reduction="sum")
        again = loss.value_and_grad(**group_cases.part(inputs, shuffled), weight=weight[shuffled],
                                    reduction="sum")  # fmt: skip
    assert again[0] == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(again[1], grad[shuffled], rtol=1e-11, atol=1e-13)


@each_runner
def test_equal_targets_keep_their_order(runner):
    z = np.array([3.0, -1.0, 2.0])
    with cases.running(runner):
        tied = fl.Listmle()(z, np.zeros(3))
        assert tied == fl.Listmle()(z, [3.0, 2.0, 1.0])
        ranks = fl.LambdarankNdcg().grad(np.zeros(4), [0, 1, 0, 2])
        assert ranks[3] < ranks[1] < 0 < ranks[2] < ranks[0]


# ---- many elements


@each_loss
@each_dtype
def test_large_groups(loss, dtype, rng):
    """Beyond a tile of pairs and few keys, as NumPy has them."""
    inputs = cases.sample_groups(loss, [1700, 3, 40], dtype, rng, levels=60)
    weight = group_cases.weights(loss, inputs, rng)
    results = []
    for backend in dict.fromkeys(name for name, _ in group_cases.RUNNERS):
        with fl.use_backend(backend):
            results.append(loss.value_grad_hess(**inputs, weight=weight))
    epsilon = np.finfo(dtype).eps
    for got, wanted in zip(*results, strict=True):
        largest = np.abs(wanted).max()
        np.testing.assert_allclose(got, wanted, rtol=0, atol=20 * epsilon * largest)


@each_variant
@each_dtype
def test_the_same_bits_everywhere(loss, dtype, rng):
    """For any number of threads, and with AVX2 as with AVX-512."""
    inputs, weight = drawn(loss, rng, dtype, groups=4000, most=30)
    found = []
    for isa in ("avx2", "avx512"):
        if isa in cases.ISAS:
            with cases.running(("native", isa)):
                found += [loss.value_grad_hess(**inputs, weight=weight, threads=n)
                          for n in (1, 2, 7)]  # fmt: skip
    for other in found:
        same(other, found[0])


@each_loss
def test_several_threads_of_the_caller(loss, rng):
    inputs, weight = drawn(loss, rng, groups=2000)
    wanted = loss.value_grad_hess(**inputs, weight=weight)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(loss.value_grad_hess(**inputs, weight=weight)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for other in found:
        same(other, wanted)


# ---- arrays


@each_loss
@each_runner
@pytest.mark.parametrize("layout", cases.LAYOUTS)
def test_layouts(loss, runner, layout, rng):
    inputs, weight = drawn(loss, rng, "float32")
    with cases.running(runner):
        wanted = loss.value_grad_hess(**inputs, weight=weight)
        placed = {name: cases.laid_out(x, layout) for name, x in inputs.items()}
        out = {f"{o}_out": cases.laid_out(np.zeros_like(inputs["prediction"]), layout)
               for o in ("grad", "hess") if layout != "unaligned"}  # fmt: skip
        found = loss.value_grad_hess(**placed, weight=cases.laid_out(weight, layout), **out)
        same([np.ascontiguousarray(x) for x in found], wanted)
        if out:
            assert found[1] is out["grad_out"]
            assert found[2] is out["hess_out"]


@each_loss
@each_runner
def test_in_place(loss, runner, rng):
    inputs, weight = drawn(loss, rng)
    with cases.running(runner):
        value, grad = loss.value_and_grad(**inputs, weight=weight)
        prediction = inputs["prediction"].copy()
        again = loss.value_and_grad(**{**inputs, "prediction": prediction}, weight=weight,
                                    grad_out=prediction)  # fmt: skip
        same(again, (value, grad))
        assert again[1] is prediction


@each_loss
@each_runner
def test_dtypes(loss, runner, rng):
    inputs, _ = drawn(loss, rng, "float32")
    with cases.running(runner):
        wanted = loss.value_and_grad(**inputs)
        others = {**inputs, "target": inputs["target"].astype(np.int16)}
        others["group"] = inputs["group"].astype(np.uint8)
        if "event" in inputs:
            others["event"] = inputs["event"].astype(bool)
        same(loss.value_and_grad(**others), wanted)
        wide = np.zeros(inputs["prediction"].size)
        _, grad = loss.value_and_grad(**inputs, grad_out=wide)
        np.testing.assert_array_equal(grad, wanted[1].astype("f8"))
        half = {**inputs, "prediction": inputs["prediction"].astype(np.float16)}
        assert loss.grad(**half).dtype == np.float16
        rounded = {**inputs, "prediction": half["prediction"].astype("f4")}
        same([loss.grad(**half)], [loss.grad(**rounded).astype(np.float16)])
        lists = {name: x.tolist() for name, x in inputs.items() if name != "prediction"}
        same(loss.value_and_grad(inputs["prediction"], **lists), wanted)


@each_loss
@each_runner
def test_value_out(loss, runner, rng):
    inputs, _ = drawn(loss, rng)
    with cases.running(runner):
        wanted = loss.value(**inputs, reduction="none")
        out = np.zeros(wanted.size)
        assert loss.value(**inputs, reduction="none", value_out=out) is out
        same([out], [wanted])


@each_loss
def test_output_sets_have_the_same_bits(loss, rng):
    inputs, weight = drawn(loss, rng)
    every = dict(zip(("value", "grad", "hess"), loss.value_grad_hess(**inputs, weight=weight),
                     strict=True))  # fmt: skip
    for method, parts in cases.METHODS.items():
        found = getattr(loss, method)(**inputs, weight=weight)
        same((found,) if len(parts) == 1 else found, [every[p] for p in parts])


@each_loss
def test_explained(loss, rng):
    inputs, weight = drawn(loss, rng)
    found = loss.explain(inputs.pop("prediction"), inputs.pop("target"), weight, **inputs)
    assert found.groups == len(set(inputs["group"]))
    assert "groups" in str(found)
    assert found.kernel == loss.kernel
