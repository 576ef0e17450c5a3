"""Layouts at the sizes where drivers change their ways: buffers of many blocks, numbers of classes
of either loop order, pages that are streamed. Small arrays of every layout are tested with the
rules.
"""

import cases
import numpy as np
import pytest
from bits import all_same_bits

import fastloss as fl

MAP = [case for case in cases.with_kinds(cases.plain_variants()) if case[0].schema == "map"]
ROW = [case for case in cases.with_kinds(cases.plain_variants()) if case[0].schema == "row"]

# Units pass through buffers by 16 384 to 131 072: several buffers, rows that end inside one, few
# columns and many, rows longer than a buffer.
SHAPES = ((5001, 7), (301, 211), (1700, 40), (90, 1024), (3, 70_001))
# Tiles of two and four, lanes, rows by sixty-four and by thirty-two, across and along.
CLASSES = (2, 3, 4, 5, 15, 16, 17, 72, 73, 128, 129, 515, 1030)


def each(items):
    return pytest.mark.parametrize(("loss", "kind"), items, ids=[cases.name_of(i) for i in items])


@pytest.mark.parametrize("dtype", cases.DTYPES)
@each(MAP)
def test_fortran_order_gives_the_same_bits(loss, kind, dtype, rng):
    shape = SHAPES[cases.unit_losses().index(loss.name) % len(SHAPES)]
    inputs = cases.sample(loss, shape, dtype, rng, kind)
    weight = rng.random(shape)
    expected = cases.outputs(loss, inputs, weight=weight)
    for turned in ((*inputs,), (*inputs, "weight"), *((name,) for name in inputs)):
        arrays = {**inputs, "weight": weight}
        arrays |= {name: np.asfortranarray(arrays[name]) for name in turned}
        for threads in (1, 2):
            found = cases.outputs(loss, arrays, threads=threads)
            assert all_same_bits(found, expected)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@each(MAP)
def test_fortran_order_of_outputs(loss, kind, shape, rng):
    inputs = cases.sample(loss, shape, "float32", rng, kind)
    expected = cases.outputs(loss, inputs, reduction="mean")
    turned = {name: np.asfortranarray(array) for name, array in inputs.items()}
    outs = {f"{name}_out": cases.new_outs(loss, turned) for name in ("grad", "hess")}
    assert all_same_bits(cases.outputs(loss, turned, reduction="mean", **outs), expected)
    if len(loss.differentiated) > 1:
        return
    in_place = loss.value_and_grad(**turned, grad_out=turned["prediction"])
    assert all_same_bits(in_place, expected[:2])


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@each(ROW)
def test_rows_of_any_layout_give_the_same_bits(loss, kind, dtype, classes, rng):
    loss = cases.with_classes(loss, classes)
    inputs = cases.sample(loss, (67,), dtype, rng, kind, classes=classes)
    expected = cases.outputs(loss, inputs)
    for layout in cases.LAYOUTS:
        arrays = {name: cases.laid_out(array, layout) for name, array in inputs.items()}
        assert all_same_bits(cases.outputs(loss, arrays), expected), layout


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("backend", ["native", pytest.param("numba", marks=pytest.mark.full)])
@each(ROW)
def test_rows_of_half_precision(loss, kind, backend, classes, rng):
    """Converted on the way in and out, piece by piece."""
    loss = cases.with_classes(loss, classes)
    inputs = cases.sample(loss, (70,), "float16", rng, kind, extremes=False, classes=classes)
    wide = {**inputs, "prediction": inputs["prediction"].astype(np.float32)}
    with fl.use_backend(backend):
        value, *arrays = loss.value_grad_hess(**wide, reduction="sum")
        found = loss.value_grad_hess(**inputs, reduction="sum")
    with np.errstate(over="ignore"):
        assert all_same_bits(found, (value, *(x.astype(np.float16) for x in arrays)))


@pytest.mark.parametrize("out", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("case", "shape"),
    [(MAP[0], (3_000_011,)), (ROW[0], (300_011,)), (ROW[0], (3_001,))],
    ids=["map", "few classes", "many classes"],
)
def test_outputs_that_are_streamed(case, shape, out, rng):
    loss, kind = case
    classes = 3_000_000 // shape[0] if loss.schema == "row" else None
    inputs = cases.sample(loss, shape, "float32", rng, kind, extremes=False, classes=classes)
    value, grad = loss.value_and_grad(**inputs, reduction="sum", threads=2)
    grad_out = np.full(grad.shape, np.nan, out)
    found = loss.value_and_grad(**inputs, reduction="sum", grad_out=grad_out, threads=2)
    with np.errstate(over="ignore"):
        assert all_same_bits(found, (value, grad.astype(out)))
