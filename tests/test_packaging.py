"""What is shipped, what installs, and what an import costs."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import Cython
import numpy as np
import pytest
import setuptools

import fastloss as fl

pytestmark = pytest.mark.xdist_group("packaging")  # what it builds is built once

ROOT = Path(__file__).parents[1]
UNSHIPPED = (".git", "build", "dist", "*.so", "*.egg-info", "__pycache__", ".*_cache", ".venv",
             "output")  # fmt: skip


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def python(text, executable=sys.executable, **options):
    """What a fresh interpreter prints, away from the checkout."""
    done = run(executable, "-I", "-c", text, cwd="/", **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- imports


def imported(script):
    """The packages that a script, which defines `before`, has imported besides NumPy."""
    script += """
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - set(sys.stdlib_module_names)))
"""
    # Cython registers modules of its own
    return {name for name in python(script).split() if "cy" not in name} - {"numpy"}


def test_an_import_needs_numpy_alone():
    script = """
import sys, numpy
before = set(sys.modules)
import fastloss
"""
    assert imported(script) == {"fastloss"}


def test_a_call_needs_numpy_alone():
    script = """
import sys, numpy
before = set(sys.modules)
import fastloss as fl
for name in fl.losses():
    loss = fl.get(name)
    repr(loss), hash(loss), loss.replace()
fl.Huber().value_grad_hess(numpy.ones(5), [1, 2, 3, 4, 5], threads=1)
fl.Huber().init_score([1.0, 2.0])
fl.show_config()
try:
    fl.Huber()(numpy.ones(3), numpy.ones(4))
except ValueError:
    pass
"""
    assert imported(script) == {"fastloss"}


def test_an_import_is_quick():
    """At most half of NumPy's own: a ratio, as milliseconds are the machine's."""
    script = """
import time
start = time.process_time()
import numpy
between = time.process_time()
import fastloss
print((time.process_time() - between) / (between - start))
"""
    python(script)  # writes the bytecode
    assert min(float(python(script)) for _ in range(5)) < 0.5


def test_the_version_is_said_once():
    from importlib import metadata

    assert metadata.version("fastloss") == fl.__version__


# ---- what is built

EVERY_LOSS = """
for name in fl.losses():
    loss = fl.get(name)
    shape = (3, 3) if loss.schema == "row" else 3
    prediction = loss.domains()[0].clip(np.full(shape, 0.5))
    target = np.ones(3, int)
    if loss.schema == "row" and not loss.takes_labels and not loss.takes_numbers:
        target = prediction
    others = {name: np.ones(3) for name in loss.inputs[2:] if name != "group"}
    loss.value_grad_hess(prediction, target, **others)
"""


def build_environment():
    """The folders of what a build needs, for interpreters that have nothing."""
    return sorted({str(Path(module.__file__).parents[1]) for module in (np, Cython, setuptools)})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The project's own files."""
    to = tmp_path_factory.mktemp("checkout") / "fastloss"
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*UNSHIPPED))
    return to


@pytest.fixture(scope="module")
def distributions(checkout, tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    command = (sys.executable, "-m", "build", "--no-isolation", "--outdir", out, checkout)
    # what is in it is tested, not how fast it is; optimizing takes minutes
    done = run(*command, env={**os.environ, "FASTLOSS_CXXFLAGS": "-O0", "FASTLOSS_BASELINE": "1"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not re.findall(r"\.(?:[ch]pp|pyx):\d.*warning.*", done.stdout + done.stderr)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


@pytest.fixture
def interpreter(tmp_path):
    """A new virtual environment that sees NumPy and the build's tools, and no fastloss."""
    venv = tmp_path / "venv"
    done = run(sys.executable, "-m", "venv", "--without-pip", venv)
    assert done.returncode == 0, done.stderr
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "build_environment.pth").write_text("\n".join(build_environment()))
    return venv / "bin/python"


def install(interpreter, what, **variables):
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    command = (sys.executable, "-m", "pip", "--python", interpreter, "install", *options, what)
    return run(*command, cwd="/", env={**os.environ, **variables})


@pytest.mark.full
def test_the_wheel(distributions, interpreter):
    with zipfile.ZipFile(distributions[1]) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(n for n in names if n.endswith("/METADATA"))).decode()
    assert not [n for n in names if n.endswith((".cpp", ".hpp", ".c", ".pyx", ".so.dbg", ".pyc"))]
    packages = {n.partition("/")[0] for n in names}
    assert {p.partition("-")[0] for p in packages} == {"fastloss"}  # neither tests nor csrc
    assert {"fastloss/include/fastloss.h", "fastloss/py.typed", "fastloss/fastloss.pxd"} <= {*names}
    for pattern in ("*.py", "*.pyi", "*.pxd"):
        for source in (ROOT / "fastloss").rglob(pattern):
            assert source.relative_to(ROOT).as_posix() in names, source
    assert [n for n in names if n.startswith("fastloss/_core.") and n.endswith(".so")]
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert f"Version: {fl.__version__}" in metadata
    assert "License-Expression: BSD-3-Clause" in metadata

    done = install(interpreter, distributions[1])
    assert done.returncode == 0, done.stderr
    script = (
        """
import warnings
warnings.simplefilter("error")
import numpy as np, fastloss as fl
print(fl.__file__)
print(fl.show_config()["backend"])
"""
        + EVERY_LOSS
        + """
print(fl.SquaredError().value_and_grad([1.0, 3.0], 0)[0])
"""
    )
    place, backend, value = python(script, interpreter).split()
    assert place.startswith(str(interpreter.parents[1]))
    assert (backend, value) == ("native", "5.0")


@pytest.mark.full
def test_the_sdist(distributions):
    with tarfile.open(distributions[0]) as sdist:
        names = {n.partition("/")[2] for n in sdist.getnames()}
    wanted = ["setup.py", "pyproject.toml", "README.md", "LICENSE", "fastloss/_core.pyx"]
    wanted += [p.relative_to(ROOT).as_posix() for p in (ROOT / "csrc").rglob("*.[ch]pp")]
    assert set(wanted) <= names
    assert not [n for n in names if n.endswith((".so", ".o", ".pyc"))]


@pytest.mark.full
def test_without_a_compiler(checkout, interpreter):
    """FASTLOSS_PURE=1 installs what works on NumPy alone, and says so once."""
    done = install(interpreter, checkout, FASTLOSS_PURE="1", CC="/bin/false", CXX="/bin/false")
    assert done.returncode == 0, done.stderr
    script = (
        """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np, fastloss as fl
    import fastloss._native
"""
        + textwrap.indent(EVERY_LOSS, "    ")
        + """
print(len(caught), caught[0].category.__name__, "FASTLOSS_PURE=1" in str(caught[0].message))
print(fl.show_config()["backend"], fl.show_config()["threads"])
value, grad = fl.SquaredError().value_and_grad(np.float32([1, 3]), [0, 0])
print(value, grad.tolist(), grad.dtype)
print(fl.Huber().explain([1.0], 0).backend)
with fl.threads(2), fl.use_backend("numpy"):
    fl.set_threads(1)
    print(fl.Huber()([1.0], 0.0))
for name in ("native", "numba"):
    try:
        fl.use_backend(name)
    except ImportError as error:
        print(error)
"""
    )
    lines = python(script, interpreter).splitlines()
    assert lines == [
        "1 RuntimeWarning True",
        "numpy 1",
        "5.0 [1.0, 3.0] float32",
        "numpy",
        "0.5",
        *(
            f"the backend '{name}' needs the compiled core; reinstall fastloss without "
            "FASTLOSS_PURE=1"
            for name in ("native", "numba")
        ),
    ]


@pytest.mark.full
def test_a_broken_compiler_is_not_hidden(checkout, interpreter, tmp_path):
    """Never a slow installation without a word."""
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\necho 'the compiler is broken' >&2\nexit 1\n")
    compiler.chmod(0o755)
    done = install(interpreter, checkout, CC=str(compiler), CXX=str(compiler))
    assert done.returncode != 0
    assert "the compiler is broken" in done.stdout + done.stderr
    done = run(interpreter, "-I", "-c", "import fastloss", cwd="/")
    assert done.returncode != 0
