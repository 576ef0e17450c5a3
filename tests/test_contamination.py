"""What does not count changes no bit: garbage in absent units, in gaps and in neighbouring memory.

Rule 1 of the design. Garbage is what would show: NaN, infinities, numbers that overflow in products
and sums, integers that are no class.
"""

import cases
import numpy as np
import pytest
from bits import across, all_same_bits

import fastloss as fl

FLOATS = [np.nan, np.inf, -np.inf, 1e38, -1e308]
INTEGERS = [-(2**63), 10**9, -1]
DTYPES = ("float16", *cases.DTYPES)
BLOCKS = 1100
"""Units that fill several blocks and leave a part of one."""
MANY = 40
"""Classes that are summed along a row; few are summed across rows."""
MARGIN = 64
"""Elements of garbage before and after an array."""

ALL = cases.each_kernel()
DEFAULTS = cases.with_kinds(map(fl.get, cases.unit_losses()))
ROWS = [loss for loss in cases.all_variants() if loss.schema == "row"]
WITH_CLASS_WEIGHTS = cases.with_kinds(loss for loss in ROWS if loss.class_weight)
WITH_IGNORED = [loss for loss in ROWS if loss.ignore_index is not None]
BEST = ("native", cases.ISAS[-1]) if cases.COMPILED else ("numpy", None)


def run_of(runner, dtype):
    """A parameter; of the instruction sets only the best is quick."""
    other = runner[0] == "native" and runner != BEST
    name = cases.name_of((*runner, dtype))
    return pytest.param(runner, dtype, id=name, marks=pytest.mark.full if other else ())


def runs_of(runners):
    """Ways to run and dtypes; Numba compiles for each, so it gets one that depends on the loss."""
    pairs = ((r, d) for r in runners for d in (DTYPES if r[0] != "numba" else (None,)))
    return pytest.mark.parametrize(("runner", "dtype"), [run_of(*pair) for pair in pairs])


def width_of(loss, kind, classes):
    return pytest.param(loss, kind, classes, id=cases.name_of((loss, kind, classes)))


each_width = pytest.mark.parametrize(
    ("loss", "kind", "classes"),
    [
        width_of(loss, kind, classes)
        for loss, kind in ALL
        for classes in ((None, MANY) if loss in ROWS and not loss.class_weight else (None,))
    ],
)
each_run = runs_of(cases.RUNNERS)
each_compiled_run = runs_of(r for r in cases.RUNNERS if r[0] != "numpy")
each_loss = pytest.mark.parametrize(
    ("loss", "kind"),
    [
        pytest.param(
            *case, id=cases.name_of(case), marks=() if case in DEFAULTS else pytest.mark.full
        )
        for case in ALL
    ],
)


def garbage(size, dtype, rng):
    with np.errstate(over="ignore"):
        return rng.choice(INTEGERS if dtype.kind == "i" else FLOATS, size).astype(dtype)


def zeros(size, dtype, rng):
    return np.zeros(size, dtype)


# ---- absent units


def dirtied(clean, absent, dtype, rng):
    """The same inputs with garbage in absent units; labels stay: all are checked."""
    dirty = dict(clean)
    for name, array in clean.items():
        if array.dtype == dtype:
            rubbish = garbage(array.shape, array.dtype, rng)
            dirty[name] = np.where(across(absent, array), rubbish, array)
    return dirty


def check_absent(loss, clean, dirty, absent, runner, **options):
    """Compares clean with dirty inputs, in place too."""
    with cases.running(runner):
        for reduction in ("none", "sum", "mean"):
            options["reduction"] = reduction
            expected = cases.outputs(loss, clean, **options)
            assert not any(np.isnan(array).any() for array in expected)
            assert not any(array[absent].any() for array in expected if np.ndim(array))
            assert all_same_bits(cases.outputs(loss, dirty, **options), expected)
            if len(loss.differentiated) > 1:
                continue  # no gradient of several may take a prediction's place
            prediction = dirty["prediction"].copy()
            in_place = {**dirty, "prediction": prediction}
            found = cases.outputs(loss, in_place, grad_out=prediction, **options)
            assert all_same_bits(found, expected)


@each_run
@each_width
def test_absent_units_change_no_bit(loss, kind, classes, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    loss = cases.with_classes(loss, classes)
    clean = cases.sample(loss, (BLOCKS,), dtype, rng, kind, extremes=False, classes=classes)
    weight = rng.uniform(0.5, 2, BLOCKS) * (rng.random(BLOCKS) < 0.8)
    absent = weight == 0
    if kind == "labels" and loss.ignore_index is not None:
        absent |= clean["target"] == loss.ignore_index
    check_absent(loss, clean, dirtied(clean, absent, dtype, rng), absent, runner, weight=weight)


@each_run
@pytest.mark.parametrize(("loss", "kind"), WITH_CLASS_WEIGHTS, ids=cases.name_of)
def test_a_class_without_weight_takes_its_rows_out(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    clean = cases.sample(loss, (BLOCKS,), dtype, rng, kind, extremes=False)
    nothing, chosen = loss.class_weight.index(0.0), rng.random(BLOCKS) < 0.3
    if kind == "labels":
        clean["target"][chosen] = nothing
        absent = clean["target"] == nothing
    else:
        clean["target"][chosen] = np.arange(len(loss.class_weight)) == nothing
        absent = chosen
    dirty = {**dirtied(clean, absent, dtype, rng), "target": clean["target"]}
    check_absent(loss, clean, dirty, absent, runner)


@pytest.mark.parametrize("ignored", [-(2**63), 10**9, 2**63 - 1])
@pytest.mark.parametrize("runner", cases.RUNNERS, ids=cases.name_of)
@pytest.mark.parametrize("loss", WITH_IGNORED, ids=repr)
def test_an_ignored_index_is_never_used(loss, runner, ignored, rng):
    loss = loss.replace(ignore_index=ignored)
    dtype = cases.quick_dtypes(loss, runner)[0]
    for classes in (3, MANY):
        clean = cases.sample(loss, (70,), dtype, rng, extremes=False, classes=classes)
        absent = clean["target"] == ignored
        assert absent.any()
        check_absent(loss, clean, dirtied(clean, absent, dtype, rng), absent, runner)


@pytest.mark.parametrize(("loss", "kind"), DEFAULTS, ids=cases.name_of)
def test_a_weight_along_an_axis_takes_units_out(loss, kind, rng):
    clean = cases.sample(loss, (9, 70), "float32", rng, kind, extremes=False)
    weight = (rng.random((9, 1)) < 0.5).astype(np.float32)
    absent = np.broadcast_to(weight == 0, (9, 70))
    dirty = dirtied(clean, absent, "float32", rng)
    for runner in (BEST, ("numpy", None)):
        check_absent(loss, clean, dirty, absent, runner, weight=weight)


@pytest.mark.full
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "kind"), DEFAULTS, ids=cases.name_of)
def test_absent_units_change_no_bit_on_several_threads(loss, kind, dtype, rng):
    n = 300_000 if loss.schema == "map" else 50_000
    clean = cases.sample(loss, (n,), dtype, rng, kind, extremes=False)
    weight = rng.integers(0, 2, n)
    dirty = dirtied(clean, weight == 0, dtype, rng)
    check_absent(loss, clean, dirty, weight == 0, BEST, weight=weight, threads=2)


# ---- gaps and neighbours


def embedded(array, layout, fill, rng):
    """A copy of an array in larger memory that ``fill`` fills."""
    steps, extra = np.ones(array.ndim, int), np.zeros(array.ndim, int)
    if layout == "spaced" and array.ndim:
        steps[-1] = 3
    if layout in ("rows apart", "columns apart") and array.ndim:
        extra[-1 if layout == "rows apart" else 0] = 5
    shape = np.array(array.shape, int) * steps + extra
    size = int(np.prod(shape))
    before = MARGIN + array.size % 16  # anywhere in a vector
    memory = fill(before + size + MARGIN, array.dtype, rng)
    order = "F" if layout == "columns apart" else "C"
    wide = memory[before : before + size].reshape(shape, order=order)
    inside = wide[tuple(slice(0, n * s, s) for n, s in zip(array.shape, steps, strict=True))]
    inside[...] = array
    return inside


def check_embedded(loss, kind, runner, dtype, rng, sizes, layouts):
    for units, classes in sizes:
        loss = cases.with_classes(loss, classes)
        inputs = cases.sample(loss, units, dtype, rng, kind, extremes=False, classes=classes)
        weights = rng.integers(0, 3, units).astype(dtype)
        for layout in layouts:
            found = []
            for fill in (zeros, garbage):
                arrays = {n: embedded(a, layout, fill, rng) for n, a in inputs.items()}
                weight = embedded(weights, layout, fill, rng)
                for options in ({}, {"weight": weight}, {"weight": weight, "reduction": "mean"}):
                    found += cases.outputs(loss, arrays, **options)
            half = len(found) // 2
            assert all_same_bits(found[half:], found[:half]), (units, classes, layout)


ODD = range(1, 71)
"""Sizes around the lanes and the vectors, and all between."""


def sizes_of(loss):
    """Units and classes to look at."""
    if loss.schema == "map":
        return [((n,), None) for n in (*ODD, 511, 513)]
    if loss.class_weight:
        return [((n,), None) for n in ODD]
    return [*(((n,), 3) for n in ODD), *(((3,), k) for k in ODD), ((2,), 513)]


@each_compiled_run
@each_loss
def test_neighbouring_memory(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    with cases.running(runner):
        check_embedded(loss, kind, runner, dtype, rng, sizes_of(loss), ["contiguous"])


GAPS = ("spaced", "rows apart", "columns apart")


@each_compiled_run
@each_loss
def test_gaps(loss, kind, runner, dtype, rng):
    dtype = dtype or cases.quick_dtypes(loss, runner)[0]
    widths = (None,) if loss.schema == "map" or loss.class_weight else (1, 3, MANY)
    shapes = ((17,), (5, 13), (2, 3, 70))
    sizes = [(shape, classes) for shape in shapes for classes in widths]
    with cases.running(runner):
        check_embedded(loss, kind, runner, dtype, rng, sizes, GAPS)


def test_what_lies_around_is_garbage(rng):
    for layout in ("contiguous", *GAPS):
        inside = embedded(np.zeros((3, 5)), layout, garbage, rng)
        memory = inside
        while memory.base is not None:
            memory = memory.base
        assert (memory != 0).sum() == memory.size - 15
