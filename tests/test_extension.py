"""An extension of somebody else's, built against what is installed, calls losses as functions."""

import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import cases
import numpy as np
import pytest
from test_build import COMPILER

import fastloss as fl

SOURCE = Path(__file__).parent / "extension" / "points.pyx"
ELEMENTWISE = [name for name in cases.unit_losses() if fl.get(name).schema == "map"]
PACKAGES = Path(fl.__file__).parents[1]


@pytest.fixture(scope="session")
def extension(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extension")
    text, library = folder / "points.c", folder / "points.so"
    cython = [sys.executable, "-m", "cython", "-I", str(PACKAGES), str(SOURCE), "-o", str(text)]
    subprocess.run(cython, check=True)
    include = ["-I", sysconfig.get_path("include"), "-I", fl.get_include()]
    command = [COMPILER, "-x", "c", "-shared", "-fPIC", "-O1", "-w", *include, str(text)]
    subprocess.run([*command, "-o", str(library)], check=True)
    spec = importlib.util.spec_from_file_location("points", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ordered(loss, inputs):
    """The arrays of the inputs, predictions first."""
    others = [name for name in loss.inputs if name not in loss.differentiated]
    return [np.ascontiguousarray(inputs[name]) for name in (*loss.differentiated, *others)]


@pytest.mark.parametrize("n", [1, 15, 64, 1000])
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("name", [*ELEMENTWISE, "zero_one"])
def test_it_gives_what_the_methods_give(extension, name, dtype, n):
    loss = fl.get(name)
    inputs = cases.sample(loss, (n,), dtype, cases.generator())
    want = cases.outputs(loss, inputs)
    columns = [column for array in want for column in array.reshape(n, -1).T]
    outputs = [np.full(n + 1, 7, dtype) for _ in columns]
    addresses = [[x.ctypes.data for x in arrays] for arrays in (ordered(loss, inputs), outputs)]
    assert extension.points(loss, dtype, n, *addresses) == len(loss.differentiated)
    for got, column in zip(outputs, columns, strict=True):
        np.testing.assert_array_equal(got[:n], column)
        assert got[n] == 7


def test_numbers_one_by_one(extension):
    loss = fl.Huber(delta=2.0)
    assert extension.total(loss, np.array([5.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0])) == 6.5


def test_a_loss_that_numba_compiles(extension):
    both = 0.5 * fl.SquaredError() + 2 * fl.AbsoluteError()
    assert extension.total(both, np.array([3.0]), np.array([1.0])) == 6.0


def test_an_output_in_the_memory_of_an_input(extension):
    loss = fl.LogCosh()
    z, y = np.linspace(-3, 3, 100), np.zeros(100)
    want = loss.grad(z, y, reduction="none")
    extension.points(loss, "float64", 100, [z.ctypes.data, y.ctypes.data], [0, z.ctypes.data, 0])
    np.testing.assert_array_equal(z, want)


@pytest.mark.parametrize(
    ("loss", "dtype", "error", "message"),
    [
        (fl.SoftmaxCrossEntropy(), "float64", TypeError, "a loss of elements, such as"),
        (fl.Huber, "float64", TypeError, "a loss of elements, such as"),
        (None, "float64", TypeError, "got None"),
        (fl.Huber(), "float16", ValueError, "FASTLOSS_FLOAT32 or FASTLOSS_FLOAT64; got -1"),
    ],
)
def test_what_has_no_function(extension, loss, dtype, error, message):
    with pytest.raises(error, match=message):
        extension.points(loss, dtype, 0, [], [])


@pytest.mark.parametrize(("language", "standard"), [("c", "c99"), ("c++", "c++11")])
def test_the_header_is_plain_c(tmp_path, language, standard):
    source = tmp_path / "user.c"
    source.write_text('#include "fastloss_function.h"\n')
    command = [COMPILER, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror"]
    include = ["-isystem", sysconfig.get_path("include"), "-I", fl.get_include()]
    done = subprocess.run(
        [*command, *include, "-fsyntax-only", str(source)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
