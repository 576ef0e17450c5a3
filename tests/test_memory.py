"""Nothing is read or written outside the arrays, and no call keeps or needs memory for them."""

import ctypes
import gc
import itertools
import mmap
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cases
import numpy as np
import pytest

import fastloss as fl
from fastloss._native import core

# Around the vectors, the buffers of a block and the block itself.
SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 511, 512, 513, 1023, 1025)
ROWS = (1, 2, 3, 16, 17, 63, 64, 65)
WIDTHS = (1, 2, 3, 5, 10, 15, 16, 17, 31, 32, 33, 64, 65, 100, 511, 513, 1000)

GUARD = 256  # bytes
DEFAULTS = [fl.get(name) for name in cases.unit_losses()]


class Guarded:
    """A copy of an array between bytes that nobody may change, off by some bytes from a line."""

    def __init__(self, array, byte, offset):
        self.byte, size = byte, array.nbytes
        self.memory = np.full(size + 2 * GUARD + 64, byte, np.uint8)
        start = GUARD + -(self.memory.ctypes.data + GUARD) % 64 + offset
        self.array = self.memory[start : start + size].view(array.dtype).reshape(array.shape)
        self.array[...] = array
        self.inside = slice(start, start + size)

    def intact(self):
        before, after = self.memory[: self.inside.start], self.memory[self.inside.stop :]
        return bool((before == self.byte).all() and (after == self.byte).all())


def sizes_of(loss):
    """(units, classes) to test; classes are 0 for pointwise losses."""
    return itertools.product(ROWS, WIDTHS) if loss.schema == "row" else [(n, 0) for n in SIZES]


def data(loss, kind, dtype, rng, classes):
    """Inputs of as many units as any size needs, and what they give."""
    units = max(ROWS if classes else SIZES)
    inputs = cases.sample(loss, (units,), dtype, rng, kind, extremes=False, classes=classes)
    inputs["weight"] = rng.choice([0.0, 0.5, 1.0, 3.0], units).astype(dtype)
    with fl.use_backend("numpy"):
        return inputs, loss.value_grad_hess(**inputs, reduction="none")


def test_a_guard_notices(rng):
    guarded = Guarded(rng.random(5), 0xA5, 8)
    assert guarded.intact()
    guarded.memory[guarded.inside.stop] = 0
    assert not guarded.intact()


def check_guards(loss, kind, dtype, rng, sizes):
    for classes, group in itertools.groupby(sorted(sizes, key=lambda s: s[1]), key=lambda s: s[1]):
        loss = cases.with_classes(loss, classes)
        inputs, _ = data(loss, kind, dtype, rng, classes)
        expected = cases.alone(loss.value_grad_hess(**inputs, reduction="none"))
        for units, _ in group:
            offset = (units % 3) * np.dtype(dtype).itemsize  # also arrays that start in a vector
            # what lies around inputs is NaN for floats, no class for labels
            around = {n: Guarded(a[:units], 0xFF, offset) for n, a in inputs.items()}
            outs = [Guarded(np.full_like(x[:units], 7), 0xA5, offset) for x in expected]
            loss.value_grad_hess(
                **{n: g.array for n, g in around.items()},
                **cases.as_outs(loss, [g.array for g in outs]),
                reduction="none",
            )
            for i, (guarded, result) in enumerate(zip(outs, expected, strict=True)):
                assert guarded.intact(), (i, units, classes)
                np.testing.assert_array_equal(guarded.array, result[:units])
            for name, guarded in around.items():
                assert guarded.intact(), (name, units, classes)


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(("loss", "kind"), cases.with_kinds(DEFAULTS), ids=cases.name_of)
def test_guard_bytes(loss, kind, dtype, rng):
    sizes = list(sizes_of(loss))
    check_guards(loss, kind, dtype, rng, sizes if loss.schema == "map" else sizes[::5])


@pytest.mark.full
@pytest.mark.parametrize("isa", cases.ISAS)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(("loss", "kind"), cases.each_kernel(), ids=cases.name_of)
def test_guard_bytes_of_every_kernel(loss, kind, dtype, isa, rng):
    core.set_isa(isa)
    sizes = [s for s in sizes_of(loss) if loss.schema != "row" or s[1] > 4]
    if getattr(loss, "class_weight", None):
        sizes = [(units, len(loss.class_weight)) for units in ROWS]
    check_guards(loss, kind, dtype, rng, sizes)


@pytest.mark.full
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(("loss", "kind"), cases.with_kinds(DEFAULTS), ids=cases.name_of)
def test_guard_bytes_under_numba(loss, kind, dtype, rng):
    with fl.use_backend("numba"):
        check_guards(loss, kind, dtype, rng, list(sizes_of(loss)))


# ---- strided outputs: what lies between their elements stays


@pytest.mark.parametrize("dtype", ["float16", *cases.DTYPES])
@pytest.mark.parametrize(("loss", "kind"), cases.with_kinds(DEFAULTS), ids=cases.name_of)
def test_gaps_of_outputs_stay(loss, kind, dtype, rng):
    classes = 17 if loss.schema == "row" else 0
    loss = cases.with_classes(loss, classes)
    for units in (1, 17, 64, 513):
        inputs, expected = data(loss, kind, "float32", rng, classes)
        inputs = {n: a[:units] for n, a in inputs.items()}
        units = min(units, len(inputs["target"]))
        expected = cases.alone(expected)
        wide = [np.full((*r[:units].shape[:-1], 2 * r.shape[-1] if r.ndim > 1 else 2 * units), 7,
                        dtype) for r in expected]  # fmt: skip
        outs = [w[..., ::2] for w in wide]
        loss.value_grad_hess(**inputs, reduction="none", **cases.as_outs(loss, outs))
        plain = cases.alone(loss.value_grad_hess(**inputs, reduction="none"))
        for out, all_of_it, result in zip(outs, wide, plain, strict=True):
            assert (all_of_it[..., 1::2] == 7).all()
            with np.errstate(over="ignore"):
                np.testing.assert_array_equal(out, result.astype(dtype))


# ---- pages


class Pages:
    """Memory between two pages that nobody may touch."""

    def __init__(self, size):
        page = mmap.PAGESIZE
        self.size = -(-size // page) * page
        self.memory = mmap.mmap(-1, self.size + 2 * page)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.protect(0, page, 0)
        self.protect(page + self.size, page, 0)

    def protect(self, offset, size, rights):
        done = self.libc.mprotect(
            ctypes.c_void_p(self.start + offset), ctypes.c_size_t(size), rights
        )
        assert done == 0, os.strerror(ctypes.get_errno())

    def writable(self, yes):
        self.protect(mmap.PAGESIZE, self.size, mmap.PROT_READ | (mmap.PROT_WRITE if yes else 0))

    def place(self, array, at_end):
        """A copy that ends, or starts, where the memory does."""
        self.writable(True)
        offset = mmap.PAGESIZE + (self.size - array.nbytes if at_end else 0)
        copy = np.frombuffer(self.memory, array.dtype, array.size, offset).reshape(array.shape)
        copy[...] = array
        return copy


def run_at_page_boundaries(backend):
    """Calls with every array at the edge of its pages, inputs read-only; a stray access kills."""
    rng = cases.generator()
    pages = {}
    every = cases.with_kinds(DEFAULTS)
    if backend == "numba":
        every = cases.one_of_each_kind(every)
    for loss, kind in every:
        for dtype in cases.DTYPES if backend == "native" else ("float64",):
            for classes in WIDTHS if loss.schema == "row" else (0,):
                loss = cases.with_classes(loss, classes)
                inputs, expected = data(loss, kind, dtype, rng, classes)
                for units in (1, 3, 17, 64, 65) if classes else SIZES[1:]:
                    arrays = {n: a[:units] for n, a in inputs.items()}
                    parts = cases.alone(expected)
                    arrays |= {f"out {i}": part[:units] for i, part in enumerate(parts)}
                    for at_end in (True, False):
                        print(loss, kind, dtype, units, classes, at_end, flush=True)
                        call(loss, backend, arrays, inputs, pages, at_end)
    print("done")


def call(loss, backend, arrays, inputs, pages, at_end):
    placed = {}
    for name, array in arrays.items():
        if name not in pages or pages[name].size < array.nbytes:
            pages[name] = Pages(max(array.nbytes, 1 << 16))
        placed[name] = pages[name].place(array, at_end)
        pages[name].writable(name not in inputs)
    outs = cases.as_outs(loss, [array for name, array in placed.items() if name not in inputs])
    given = {name: placed[name] for name in inputs}
    for isa in cases.ISAS if backend == "native" else (None,):
        with cases.running((backend, isa)):
            loss.value_grad_hess(**given, **outs, reduction="none")
    for name in inputs:
        assert placed[name].tobytes() == arrays[name].tobytes()


@pytest.mark.parametrize(
    "backend", ["native", pytest.param("numba", marks=pytest.mark.full)] if cases.COMPILED else []
)
def test_page_boundaries(backend):
    code = f"import test_memory; test_memory.run_at_page_boundaries({backend!r})"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code],
        cwd=Path(__file__).parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    last = done.stdout.splitlines()[-1:]
    assert last == ["done"], (last, done.stderr[-3000:])


def test_a_page_boundary_kills():
    """What the test above relies on."""
    code = (
        "import ctypes, numpy, test_memory; p = test_memory.Pages(100);"
        "a = p.place(numpy.ones(100), True); ctypes.string_at(a.ctypes.data + 792, 16)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False)
    assert done.returncode < 0


def test_read_only_files(tmp_path, rng):
    """Memory-mapped inputs, as a data set larger than memory has them."""
    for loss, kind in cases.with_kinds(DEFAULTS):
        inputs = cases.sample(loss, (300,), "float32", rng, kind)
        expected = loss.value_and_grad(**inputs)
        mapped = {}
        for name, array in inputs.items():
            array.tofile(tmp_path / name)
            mapped[name] = np.memmap(tmp_path / name, array.dtype, "r", shape=array.shape)
        found = loss.value_and_grad(**mapped)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        grads = found[1] if isinstance(found[1], tuple) else (found[1],)
        assert all(type(grad) is np.ndarray for grad in grads)


# ---- in place


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(
    ("loss", "kind"),
    [case for case in cases.each_kernel() if len(case[0].differentiated) == 1],
    ids=cases.name_of,
)
def test_in_place(loss, kind, dtype, rng):
    widths = (1, 2, 10, 33, 513) if loss.schema == "row" else (0,)
    if getattr(loss, "class_weight", None):
        widths = (len(loss.class_weight),)
    if getattr(loss, "ignore_index", None) is not None:
        widths = [k for k in widths if k > 2]  # ignored or not, a label must be possible
    for k, isa, layout in itertools.product(widths, cases.ISAS or (None,), ("C", "strided")):
        loss = cases.with_classes(loss, k)
        for units in (1, 65, 1025) if not k else (1, 65):
            inputs = cases.sample(loss, (units,), dtype, rng, kind, classes=k)
            with cases.running(("native" if cases.COMPILED else "numpy", isa)):
                expected = loss.value_grad_hess(**inputs)
                inputs["prediction"] = cases.laid_out(inputs["prediction"], layout)
                value, grad, hess = loss.value_grad_hess(**inputs, grad_out=inputs["prediction"])
                assert grad is inputs["prediction"]
                for found, wanted in zip((value, grad, hess), expected, strict=True):
                    np.testing.assert_array_equal(found, wanted)


# ---- what a call allocates


@pytest.mark.parametrize("loss", DEFAULTS, ids=cases.name_of)
def test_nothing_is_allocated_with_outputs_given(loss, rng):
    units = 100_000
    inputs = cases.sample(loss, (units,), np.float32, rng)
    inputs |= {"weight": np.full(units, 0.5, np.float64)}
    value = np.empty(units, np.float16)
    fast = {f"{name}_out": cases.new_outs(loss, inputs) for name in ("grad", "hess")}
    general = {**fast, "value_out": value, "reduction": "none", "threads": 2}
    for options in (fast, general):
        loss.value_grad_hess(**inputs, **options)
        tracemalloc.start()
        try:
            loss.value_grad_hess(**inputs, **options)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20_000


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * mmap.PAGESIZE


def refused():
    with pytest.raises(ValueError, match="outside"):
        fl.BinaryCrossEntropy().grad(np.full(1_000, 2.0), 0.0)


@pytest.mark.parametrize(
    ("use", "times"),
    [
        (lambda: fl.SquaredError().value_and_grad(np.zeros(20_000), np.zeros(20_000)), 500),
        (lambda: fl.LogCosh().grad(np.zeros((100, 200), order="F"), 1, threads=2), 500),
        (lambda: fl.SoftmaxCrossEntropy().grad(np.zeros((10, 5_000)), np.zeros(10, int)), 200),
        (lambda: fl.SoftmaxCrossEntropy(class_weight=(1.0,) * 5_000), 150),
        (lambda: fl.SquaredError().value([0.5] * 5_000, 1.0), 500),
        (refused, 300),
    ],
)
def test_no_leak(use, times):
    for _ in range(times // 10):
        use()
    gc.collect()
    before = resident()
    for _ in range(times):
        use()
    gc.collect()
    assert resident() - before < 4 << 20  # what each use needs, many times over, is far more
