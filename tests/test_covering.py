"""Every pair of choices of a call occurs in some test: a covering design.

What drivers could get wrong (a stride, a weight, a chunk, a conversion) is far larger than
rounding, so results are held to the numpy backend on plain arrays within the stated bounds of
numbers of size 1.
"""

import itertools

import cases
import numpy as np
import pytest

import fastloss as fl

AXES = {
    "case": cases.with_kinds(cases.all_variants()),
    "runner": cases.RUNNERS,
    "dtype": ("float16", "float32", "float64"),
    "layout": cases.LAYOUTS,
    "outputs": tuple(cases.METHODS),
    "weight": (None, "scalar", "units", "axis", "zeros"),
    "reduction": ("mean", "sum", "none", "normalizer"),
    "threads": (1, 2, 4),
    "target": ("same", "float64", "float16", "int64", "uint8", "bool", "scalar"),
    "given": (False, True),
    "shape": ((), (1,), (7, 9), (3, 40, 17), (0, 5)),
}
FULL_SAMPLES = 6000


def all_pairs(axes):
    """Rows of choices such that any two choices of two axes meet in a row; greedy."""
    names = list(axes)
    rng = cases.generator()
    missing = {
        frozenset(((a, i), (b, j)))
        for a, b in itertools.combinations(names, 2)
        for i in range(len(axes[a]))
        for j in range(len(axes[b]))
    }
    for pair in sorted(missing, key=sorted):
        if pair not in missing:
            continue
        row = dict(pair)
        for name in sorted(set(names) - set(row), key=lambda a: (-len(axes[a]), a)):
            new = [
                sum(frozenset(((name, i), p)) in missing for p in row.items()) + rng.random()
                for i in range(len(axes[name]))
            ]
            row[name] = new.index(max(new))
        missing -= set(map(frozenset, itertools.combinations(row.items(), 2)))
        yield {name: axes[name][row[name]] for name in names}


def title(choice):
    return "-".join(cases.name_of(v).replace(" ", "") for v in choice.values())


def settled(choice, full=False):
    """Numba compiles for each dtype and set of outputs; one set a loss will do."""
    runner, (loss, _) = choice["runner"], choice["case"]
    if runner[0] != "numba":
        return choice
    dtype = choice["dtype"] if full else cases.quick_dtypes(loss, runner)[0]
    return {**choice, "outputs": "value_grad_hess", "dtype": dtype}


def make_inputs(choice, rng):
    """The inputs of a choice, plain; targets that another dtype can hold."""
    loss, kind = choice["case"]
    inputs = cases.sample(loss, choice["shape"], choice["dtype"], rng, kind, extremes=False)
    target, wanted = inputs["target"], choice["target"]
    if wanted == "scalar" and kind != "distribution":
        target = np.resize(target, (1,))[0]
    elif kind == "labels":
        negative = loss.ignore_index is not None and loss.ignore_index < 0
        if wanted in ("float64", "int64", "uint8") and not (negative and wanted == "uint8"):
            target = target.astype(wanted)
    elif wanted in ("float64", "float16"):
        target = target.astype(wanted)
    elif wanted in ("int64", "uint8", "bool") and kind in ("values", "numbers"):
        low, high = (max(-2, loss.domains()[1].low), min(2, loss.domains()[1].high))
        if low >= 0 or wanted == "int64":
            ends = (low, high) if wanted != "bool" else (0, 1)
            target = rng.choice(ends, choice["shape"]).astype(wanted)
    return cases.in_order(loss, {**inputs, "target": target})


def make_weight(choice, rng):
    shape, wanted = choice["shape"], choice["weight"]
    if wanted is None:
        return None
    if wanted == "scalar":
        return np.float64(1.5)
    if wanted == "axis" and shape:
        return rng.integers(1, 4, (*(1 for _ in shape[1:]), shape[-1])) / 2
    weight = rng.uniform(0.5, 3, shape).astype(np.float32)
    return weight * (rng.random(shape) < 0.7) if wanted == "zeros" else weight


def run(choice, inputs, weight, layout, **options):
    loss, _ = choice["case"]
    arrays = {k: cases.laid_out(np.asarray(v), layout) for k, v in inputs.items()}
    if weight is not None:
        options["weight"] = cases.laid_out(np.asarray(weight), layout)
    reduction = choice["reduction"]
    if reduction == "normalizer":
        reduction, options["normalizer"] = "mean", 3.5
    method = choice["outputs"]
    result = getattr(loss, method)(**arrays, reduction=reduction, **options)
    names = cases.METHODS[method]
    return dict(zip(names, result if len(names) > 1 else (result,), strict=True))


def out_arrays(choice, inputs, layout):
    """Given outputs for the gradient and the Hessian, in the same layout."""
    names = [name for name in cases.METHODS[choice["outputs"]] if name != "value"]
    if not choice["given"] or layout == "unaligned":
        return {}
    loss, _ = choice["case"]
    like = [np.zeros_like(inputs[name]) for name in loss.differentiated]
    outs = {}
    for name in names:
        arrays = tuple(cases.laid_out(array, layout) for array in like)
        outs[f"{name}_out"] = arrays if len(arrays) > 1 else arrays[0]
    return outs


def check(choice):
    loss, _ = choice["case"]
    rng = cases.generator()
    inputs, weight = make_inputs(choice, rng), make_weight(choice, rng)
    with fl.use_backend("numpy"):
        expected = run(choice, inputs, weight, "C")
    given = out_arrays(choice, inputs, choice["layout"])
    with cases.running(choice["runner"]):
        got = run(choice, inputs, weight, choice["layout"], threads=choice["threads"], **given)
    compute = "float64" if choice["dtype"] == "float64" else "float32"
    for output, bound in zip(("value", "grad", "hess"), loss.ulps[compute], strict=True):
        if output not in expected:
            continue
        a, b = (np.asarray(cases.stacked(x[output]), np.float64) for x in (got, expected))
        assert a.shape == b.shape
        if f"{output}_out" in given:
            pairs = zip(*map(cases.alone, (got[output], given[f"{output}_out"])), strict=True)
            assert all(result is out for result, out in pairs)
        alone = output == "value" and choice["reduction"] != "none"
        epsilon = max(
            (4 * bound + 4) * np.finfo(compute).eps, 0 if alone else np.finfo(choice["dtype"]).eps
        )
        size = np.maximum(abs(b), max(1.0, np.max(weight, initial=0) if weight is not None else 0))
        size = size * max(1.0, len(np.ravel(inputs["prediction"]))) if alone else size
        with np.errstate(invalid="ignore"):
            far = ~((abs(a - b) <= epsilon * size) | (a == b) | (np.isnan(a) & np.isnan(b)))
        assert not far.any(), f"{output}: {a[far][0]!r}, not {b[far][0]!r}, of {int(far.sum())}"


@pytest.mark.parametrize("choice", list(map(settled, all_pairs(AXES))), ids=title)
def test_covering(choice):
    check(choice)


@pytest.mark.full
@pytest.mark.parametrize("loss_and_kind", AXES["case"], ids=cases.name_of)
def test_many(loss_and_kind):
    rng = cases.generator()
    for _ in range(FULL_SAMPLES // len(AXES["case"])):
        choice = {name: values[rng.integers(len(values))] for name, values in AXES.items()}
        check(settled({**choice, "case": loss_and_kind}, full=True))


# ---- the tests' own tools


def test_all_pairs_occur():
    axes = {"a": "xyz", "b": "xy", "c": "pqr", "d": "st"}
    rows = list(all_pairs(axes))
    for a, b in itertools.combinations(axes, 2):
        assert {(r[a], r[b]) for r in rows} == set(itertools.product(axes[a], axes[b]))
    assert len(rows) < 3 * 3 * 2


@pytest.mark.parametrize("extremes", [False, True])
@pytest.mark.parametrize("loss_and_kind", AXES["case"], ids=cases.name_of)
def test_samples_are_spread(loss_and_kind, extremes, rng):
    loss, kind = loss_and_kind
    inputs = cases.sample(loss, (200,), np.float32, rng, kind, extremes)
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        least = 2 if domain.discrete or inputs[name].dtype != np.float32 else 100
        assert len(np.unique(inputs[name])) >= least
    for output in cases.outputs(loss, inputs)[:1]:
        assert len(np.unique(output)) > 20
