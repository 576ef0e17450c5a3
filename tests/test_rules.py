"""The rules that every loss obeys: design, section 5; rule 1 is in test_contamination.py."""

import functools
import itertools
import math

import cases
import numpy as np
import pytest
from bits import all_same_bits, same_bits

import fastloss as fl
from fastloss.accuracy import oracle

ALL = cases.with_kinds(cases.all_variants())
BACKENDS = [
    (backend, cases.ISAS[-1] if backend == "native" else None) for backend in cases.BACKENDS
]
RUNS = [
    (runner, dtype)
    for runner in BACKENDS
    for dtype in (cases.DTYPES if runner[0] != "numba" else (None,))
]
"""Backends and dtypes; Numba compiles for each dtype, so it gets one that depends on the loss."""
BLOCKS = 3000
"""Units that fill several blocks and leave a part of one."""

each_case = pytest.mark.parametrize(("loss", "kind"), ALL, ids=cases.name_of)
each_run = pytest.mark.parametrize(("runner", "dtype"), RUNS, ids=cases.name_of)


def value_of(loss, inputs, **options):
    """The value, from the set of outputs that Numba has compiled anyway."""
    return cases.outputs(loss, inputs, **options)[0]


# ---- 2: NaN


@each_run
@each_case
def test_nan_propagates_to_its_unit_and_the_sum(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    clean = cases.sample(loss, (40,), dtype, rng, kind, extremes=False)
    if kind == "labels":
        clean["target"] = np.arange(40) % 2  # classes that weigh something and count
    units = [0, 7, 39]
    for name, array in clean.items():
        if array.dtype != np.dtype(dtype):
            continue
        dirty = array.copy()
        dirty[(units, clean["target"][units]) if kind == "labels" else units] = np.nan
        inputs = {**clean, name: dirty}
        with cases.running(runner):
            expected = cases.outputs(loss, clean)
            got = cases.outputs(loss, inputs)
            assert math.isnan(value_of(loss, inputs, reduction="sum"))
            assert math.isnan(value_of(loss, inputs, reduction="mean"))
        for output, new, old in zip(oracle.OUTPUTS, got, expected, strict=True):
            # a Hessian need not depend on the target
            if not (output == "hess" and name == "target"):
                assert np.isnan(new[units]).reshape(3, -1).any(axis=1).all()
            rest = np.delete(np.arange(40), units)
            assert same_bits(new[rest], old[rest])


# ---- 3: infinities


def at(loss, kind, dtype, size, name="prediction"):
    """Units whose first class (or a whole prediction) has a size, and the others are ordinary."""
    rng = cases.generator()
    inputs = cases.sample(loss, (30,), dtype, rng, kind, extremes=False)
    inputs[name][(..., 0) if loss.schema == "row" else ...] = size
    return inputs


def eventually(near, middle, far):
    """What a quantity tends to, of its values far out, farther and farthest, at equal factors.

    It is infinite where the quantity multiplies, or grows by steps that become no smaller.
    """
    step = far - middle
    grows = (np.abs(far) > 1) & (
        (np.abs(far) > 1e3 * np.abs(near)) | ((step != 0) & (step / (middle - near) > 0.99))
    )
    vanishes = np.abs(far) < 0.03 * np.abs(near)
    assert (grows | vanishes | (near == far)).all()
    return np.where(grows, np.copysign(np.inf, far), np.where(vanishes, 0.0, far))


FAR = {
    "float32": (1e12, 1e14, 1e16, np.inf),
    "float64": (1e100, 1e105, 1e110, np.inf),
}


@each_run
@pytest.mark.parametrize("sign", [1, -1])
@each_case
def test_infinite_predictions_give_the_limit(loss, kind, sign, runner, dtype):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    domains = dict(zip(loss.inputs, loss.domains(), strict=True))
    for name in loss.differentiated:
        sizes = [at(loss, kind, dtype, sign * size, name) for size in FAR[dtype]]
        with cases.running(runner):
            if domains[name].outside(sign * np.inf):
                with pytest.raises(ValueError, match=name):
                    cases.outputs(loss, sizes[-1])
                continue
            found = [cases.outputs(loss, inputs) for inputs in sizes]
        for *far, got in zip(*found, strict=True):
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(got, eventually(*far))


# ---- 3: 0 log 0 = 0, 0 * inf = 0


@each_run
@pytest.mark.parametrize(
    "loss",
    [
        v
        for v in cases.all_variants()
        if "distribution" in cases.target_kinds(v)
        and v.encoding == "class"
        and getattr(v, "softcap", np.inf) == np.inf  # a capped logit is never impossible
    ],
    ids=repr,
)
def test_classes_without_mass_may_be_impossible(loss, runner, dtype):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    low = loss.domains()[0].low
    if loss.label_smoothing:
        loss = loss.replace(label_smoothing=0.0)
    rng = cases.generator()
    inputs = cases.sample(loss, (20,), dtype, rng, "distribution", extremes=False)
    inputs["prediction"][:, 0] = low
    inputs["target"][:, 0] = 0
    with cases.running(runner):
        value, grad, hess = cases.outputs(loss, inputs)
        rest = {name: array[:, 1:] for name, array in inputs.items()}
        narrow = loss.replace(class_weight=loss.class_weight[1:]) if loss.class_weight else loss
        expected = cases.outputs(narrow, rest)
    # no probability depends on such a logit; one that is 0 has a slope of its own
    assert (grad[:, 0] == 0).all() if np.isinf(low) else np.isfinite(grad[:, 0]).all()
    assert (hess[:, 0] == 0).all()
    tolerance = 10 * np.finfo(dtype).eps
    for got, true in zip((value, grad[:, 1:], hess[:, 1:]), expected, strict=True):
        np.testing.assert_allclose(got, true, tolerance, tolerance)


@each_run
@pytest.mark.parametrize(
    "loss",
    [v for v in cases.all_variants() if v.schema == "map" and "eps" in v.params],
    ids=repr,
)
def test_certainty_that_is_right_costs_least(loss, runner, dtype):
    ends = np.array([0.0, 1.0], dtype or cases.quick_dtypes(loss, runner)[0])
    with cases.running(runner):
        value, grad, hess = cases.outputs(loss, {"prediction": ends, "target": ends})
    np.testing.assert_allclose(value, -np.log1p(-loss.eps), 1e-3)
    assert np.isfinite(grad).all()
    assert np.isfinite(hess).all()


# ---- 5: kinks


def at_possible_kinks(loss, dtype):
    """All combinations of a few round numbers and the parameters."""
    numbers = {0.0, 1.0, -1.0, 2.0, 0.5, 0.75}
    for p in loss.kernel_parameters():
        numbers |= {p, -p, 1 - p} if np.isfinite(p) else set()
    numbers = np.unique(np.array(sorted(numbers), dtype))
    inputs = dict(zip(loss.inputs, np.meshgrid(*[numbers] * len(loss.inputs)), strict=True))
    keep = True
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        keep &= ~domain.outside(inputs[name])
    return cases.in_order(loss, {name: x[keep] for name, x in inputs.items()})


@functools.lru_cache(maxsize=2)
def truth_at_kinks(loss, dtype):
    inputs = at_possible_kinks(loss, dtype)
    return inputs, oracle.Truth(loss, inputs, dtype)


@each_run
@pytest.mark.parametrize("loss", [v for v in cases.all_variants() if v.schema == "map"], ids=repr)
def test_kinks_take_the_least_norm(loss, runner, dtype):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs, truth = truth_at_kinks(loss, dtype)
    with cases.running(runner):
        _, grad, hess = cases.outputs(loss, inputs)
    kinks = np.flatnonzero([unit.met_kink for unit in truth.units])
    assert loss.kinks or not len(kinks), "the loss does not say that it has kinks"
    assert len(kinks) or not loss.kinks or loss != fl.get(loss.name)
    for name, got, bound in zip(("grad", "hess"), (grad, hess), loss.ulps[dtype][1:], strict=True):
        errors = truth.errors(name, got, bound).reshape(len(truth.units), -1).max(axis=1)[kinks]
        where = [{k: x[i] for k, x in inputs.items()} for i in kinks[errors > bound]]
        assert (errors <= bound).all(), (name, where, got[kinks][errors > bound])


# ---- 6: nothing


@each_run
@each_case
def test_nothing_sums_to_zero_and_has_no_mean(loss, kind, runner, dtype):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    empty = cases.sample(loss, (0,), dtype, cases.generator(), kind)
    some = cases.sample(loss, (30,), dtype, cases.generator(), kind, extremes=False)
    absent = [(empty, None), (some, np.zeros(30)), (some, 0.0)]
    if loss.schema == "row" and loss.ignore_index is not None:
        absent.append(({**some, "target": np.full(30, loss.ignore_index)}, None))
    with cases.running(runner):
        for inputs, weight in absent:
            for reduction, value in (("sum", 0.0), ("mean", math.nan)):
                got, grad, hess = cases.outputs(loss, inputs, weight=weight, reduction=reduction)
                assert same_bits(got, value)
                assert not grad.any()
                assert not hess.any()


# ---- 8: the same bits


@pytest.fixture(scope="module")
def large():
    """Inputs that several threads share, with results on one thread."""
    found = {}

    def make(loss, kind, dtype):
        if (loss, kind, dtype) not in found:
            found.clear()
            n = 150_000 if loss.schema == "map" else 30_000
            rng = cases.generator()
            inputs = cases.sample(loss, (n,), dtype, rng, kind)
            weight = rng.random(n)
            result = cases.outputs(loss, inputs, weight=weight, reduction="mean", threads=1)
            found[loss, kind, dtype] = inputs, weight, result
        return found[loss, kind, dtype]

    return make


@pytest.mark.parametrize("dtype", cases.DTYPES)
@each_case
def test_any_number_of_threads_gives_the_same_bits(loss, kind, dtype, large):
    inputs, weight, expected = large(loss, kind, dtype)
    for threads in (2, 4):
        got = cases.outputs(loss, inputs, weight=weight, reduction="mean", threads=threads)
        assert all_same_bits(got, expected)
        with fl.threads(threads):
            assert all_same_bits(
                cases.outputs(loss, inputs, weight=weight, reduction="mean"), expected
            )


@pytest.mark.parametrize("dtype", cases.DTYPES)
@each_case
def test_instruction_sets_with_fma_give_the_same_bits(loss, kind, dtype, rng):
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, kind)
    results = []
    for isa in cases.ISAS[1:]:  # the baseline has none
        with cases.running(("native", isa)):
            results.append((*cases.outputs(loss, inputs), value_of(loss, inputs, reduction="mean")))
    assert all(all_same_bits(result, results[0]) for result in results)


def layouts_of(array):
    """The same numbers, in other places."""
    yield from (cases.laid_out(array, layout) for layout in cases.LAYOUTS)
    yield np.moveaxis(np.moveaxis(array, -1, 0).copy(), 0, -1)  # classes first
    yield np.flip(np.flip(array).copy())
    wide = np.zeros((3, *array.shape), array.dtype)
    wide[1] = array
    yield wide[1]


@pytest.mark.parametrize("dtype", cases.DTYPES)
@each_case
def test_any_layout_gives_the_same_bits(loss, kind, dtype, rng):
    inputs = cases.sample(loss, (7, 211), dtype, rng, kind)
    weight = rng.random((7, 211))
    for reduction in ("none", "mean"):
        expected = cases.outputs(loss, inputs, weight=weight, reduction=reduction)
        for name in (*inputs, "weight"):
            arrays = {**inputs, "weight": weight}
            for array in layouts_of(arrays[name]):
                arrays[name] = array
                assert all_same_bits(cases.outputs(loss, arrays, reduction=reduction), expected)


@each_case
def test_a_scalar_target_is_a_full_one(loss, kind, rng):
    if kind == "distribution":
        return
    inputs = cases.sample(loss, (BLOCKS,), np.float32, rng, kind)
    one = inputs["target"][3]
    full = cases.in_order(loss, {**inputs, "target": np.full(BLOCKS, one)})
    for reduction in ("none", "mean"):
        got = cases.outputs(loss, {**full, "target": one}, reduction=reduction)
        expected = cases.outputs(loss, full, reduction=reduction)
        assert all_same_bits(got, expected)


def sets_of_outputs():
    """Every case in every run; Numba takes seconds for each set."""
    few = cases.one_of_each_kind(ALL)
    for (loss, kind), (runner, dtype) in itertools.product(ALL, RUNS):
        slow = runner[0] == "numba"
        if not slow or (loss, kind) in few:
            names = (cases.name_of(x) for x in (loss, kind, runner, dtype))
            marks = [pytest.mark.full] if slow else []
            yield pytest.param(loss, kind, runner, dtype, marks=marks, id="-".join(names))


@pytest.mark.parametrize(("loss", "kind", "runner", "dtype"), list(sets_of_outputs()))
def test_any_set_of_outputs_gives_the_same_bits(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs = cases.sample(loss, (1100,), dtype, rng, kind)
    weight = rng.random(1100)
    with cases.running(runner):
        for reduction in ("none", "mean"):
            options = {"weight": weight, "reduction": reduction}
            together = cases.outputs(loss, inputs, **options)
            expected = dict(zip(oracle.OUTPUTS, together, strict=True))
            for method, names in cases.METHODS.items():
                got = getattr(loss, method)(**inputs, **options)
                got = map(cases.stacked, got if len(names) > 1 else (got,))
                assert all_same_bits(got, [expected[name] for name in names])


# ---- reductions, weights


LARGEST = np.finfo(np.float64).max


def exact_sum(values):
    return math.fsum(values.astype(np.float64).tolist())


@pytest.mark.parametrize("extremes", [False, True])
@each_run
@pytest.mark.parametrize(
    ("loss", "kind"), cases.with_kinds(cases.plain_variants()), ids=cases.name_of
)
def test_sums_are_exact_to_an_ulp(loss, kind, runner, dtype, extremes, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, kind, extremes)
    with cases.running(runner):
        values = value_of(loss, inputs)
        keep = np.abs(values) < LARGEST / BLOCKS if dtype == "float64" else np.isfinite(values)
        inputs = {name: array[keep] for name, array in inputs.items()}
        values = values[keep]
        total = value_of(loss, inputs, reduction="sum")
        mean = value_of(loss, inputs, reduction="mean")
    true = exact_sum(values)
    size = exact_sum(abs(values))
    # to a float more than half an ulp may be lost again
    bound = math.ulp(true) if size == abs(true) else 2.0**-52 * size
    if runner[0] == "numpy":  # it adds what it has not rounded to float32
        bound = max(bound, float(np.finfo(dtype).eps) * size)
    assert abs(total - true) <= bound
    count = len(values)
    assert abs(mean - true / count) <= (bound + math.ulp(true)) / count


@each_run
@each_case
def test_a_normalizer_replaces_the_sum_of_weights(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, kind, extremes=False)
    weight = rng.random(BLOCKS)
    with cases.running(runner):
        total, grad, hess = cases.outputs(loss, inputs, weight=weight, reduction="sum")
        got = cases.outputs(loss, inputs, weight=weight, reduction="mean", normalizer=7.0)
    assert got[0] == pytest.approx(total / 7, rel=1e-15)
    np.testing.assert_allclose(got[1], grad / 7, 4 * np.finfo(dtype).eps, 1e-30)
    np.testing.assert_allclose(got[2], hess / 7, 4 * np.finfo(dtype).eps, 1e-30)


@each_run
@each_case
def test_a_mean_divides_by_the_weights(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, kind, extremes=False)
    weight = rng.random(BLOCKS)
    divisor = weight.copy()
    target = inputs["target"]
    if kind == "labels" and loss.ignore_index is not None:
        divisor[target == loss.ignore_index] = 0
    if loss.schema == "row" and loss.class_weight is not None:
        classes = np.asarray(loss.class_weight)
        divisor *= classes[target] if kind == "labels" else target.astype(np.float64) @ classes
    with cases.running(runner):
        total, grad, _ = cases.outputs(loss, inputs, weight=weight, reduction="sum")
        mean, mean_grad, _ = cases.outputs(loss, inputs, weight=weight, reduction="mean")
        assert mean == pytest.approx(total / math.fsum(divisor), rel=1e-14)
        expected = grad / math.fsum(divisor)
        np.testing.assert_allclose(mean_grad, expected, 4 * np.finfo(dtype).eps, 1e-30)


@each_run
@pytest.mark.parametrize(
    "loss",
    [v for v in cases.all_variants() if len(cases.target_kinds(v)) == 2],
    ids=repr,
)
def test_one_hot_distributions_equal_class_indices(loss, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, "labels")
    with cases.running(runner):
        for reduction in ("none", "mean"):
            expected = cases.outputs(loss, inputs, reduction=reduction)
            got = cases.outputs(loss, cases.as_one_hot(loss, inputs), reduction=reduction)
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_array_equal(a, b)


@each_run
@pytest.mark.parametrize(
    "loss", [v for v in cases.all_variants() if v.schema == "row" and v.label_smoothing], ids=repr
)
def test_smoothed_labels_are_smoothed_distributions(loss, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    s = loss.label_smoothing
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, "labels", extremes=False)
    one_hot = cases.as_one_hot(loss, inputs)
    smoothed = (1 - s) * one_hot["target"] + s / one_hot["target"].shape[-1]
    sharp = loss.replace(label_smoothing=0.0)
    with cases.running(runner):
        got = cases.outputs(loss, inputs)
        expected = cases.outputs(sharp, {**one_hot, "target": smoothed.astype(dtype)})
    tolerance = 10 * np.finfo(dtype).eps
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, tolerance, tolerance)


@each_run
@pytest.mark.parametrize(
    "loss", [v for v in cases.all_variants() if v.schema == "row" and v.class_weight], ids=repr
)
def test_weights_of_units_and_classes_multiply(loss, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    inputs = cases.sample(loss, (BLOCKS,), dtype, rng, "labels", extremes=False)
    weight = rng.random(BLOCKS)
    product = weight * np.asarray(loss.class_weight)[inputs["target"]]
    plain = loss.replace(class_weight=None)
    with cases.running(runner):
        for reduction in ("none", "sum", "mean"):
            got = cases.outputs(loss, inputs, weight=weight, reduction=reduction)
            expected = cases.outputs(plain, inputs, weight=product, reduction=reduction)
            assert all_same_bits(got, expected)
