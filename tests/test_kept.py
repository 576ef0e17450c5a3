"""What Numba compiled is kept on disk, and found again only for what it was made of."""

import os
import subprocess
import sys

import pytest

import fastloss as fl
from fastloss import _kept

CODE = """
import sys
import numpy as np
import fastloss as fl
from fastloss._kept import _Kept

if "warm" in sys.argv:
    def save(self, signature, result):
        raise AssertionError("compiled again")
    _Kept.save_overload = save

@fl.custom
def own(prediction, target):
    return np.log(1 + np.exp(prediction)) - target * prediction

rng = np.random.default_rng(0)
z, labels = rng.normal(size=(40, 5)), rng.integers(0, 5, 40)
with fl.use_backend("numba"):
    for loss in (fl.Huber(), fl.SoftmaxCrossEntropy()):
        target = labels if loss.schema == "row" else z + 1
        for array in loss.value_grad_hess(z, target, reduction="none"):
            print(array.tobytes().hex())
for array in own().value_grad_hess(z, abs(z) % 1, reduction="none"):
    print(array.tobytes().hex())
"""


def run(folder, *arguments, code=CODE):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "FASTLOSS_CACHE_DIR": str(folder)}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.full
def test_a_second_process_compiles_nothing(tmp_path):
    cold = run(tmp_path)
    assert cold.returncode == 0, cold.stderr
    assert len(list(tmp_path.glob("*.pickle"))) == 3
    warm = run(tmp_path, "warm")
    assert warm.returncode == 0, warm.stderr
    assert warm.stdout == cold.stdout
    assert "compiling" not in warm.stderr


HUBER = """
import numpy as np, fastloss as fl
with fl.use_backend("numba"):
    print(fl.Huber().value(np.array([1.0, 3.0]), 0.0))
"""


@pytest.mark.full
@pytest.mark.parametrize("harm", [b"", b"no pickle", None])
def test_what_cannot_be_read_is_compiled_again(tmp_path, harm):
    first = run(tmp_path, code=HUBER)
    (kept,) = tmp_path.glob("*.pickle")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if harm is None else harm)
    assert run(tmp_path, code=HUBER).stdout == first.stdout == "1.5\n"
    assert len(kept.read_bytes()) > 0.9 * len(whole)


@pytest.mark.full
def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    done = run(tmp_path / "file", code=HUBER)
    assert done.stdout == "1.5\n", done.stderr


@pytest.mark.full
def test_slow_compilation_is_announced(tmp_path):
    code = f"import fastloss._kept as k; k.PATIENCE = 0.0\n{HUBER}"
    said = run(tmp_path, code=code).stderr
    assert "fastloss: compiling huber in float64" in said
    assert str(tmp_path) in said


def test_keys_tell_formulas_apart():
    def made(constant):
        @fl.custom
        def own(prediction, target):
            return constant * (prediction - target) ** 2

        return own.formula

    formulas = [made(2), made(3), fl.Huber.formula, fl.LogCosh.formula]
    keys = [_kept._digest(formula) for formula in formulas]
    assert len(set(keys)) == 4
    assert keys == [_kept._digest(formula) for formula in formulas]


def test_keys_see_helper_functions():
    """Of each formula those that it calls, whatever their depth."""

    def changed(constant):
        scope = {"inner": eval(f"lambda x: x + {constant}")}
        exec("def outer(x): return inner(x)\ndef formula(x): return outer(x)", scope)
        return scope["formula"]

    assert _kept._digest(changed(1)) != _kept._digest(changed(2))
    assert _kept._digest(changed(1)) == _kept._digest(changed(1))


def test_keys_depend_on_what_kernels_are_made_of(monkeypatch):
    before = _kept._digest(fl.Huber.formula)
    monkeypatch.setattr(_kept, "_surroundings", lambda: b"another CPU")
    assert _kept._digest(fl.Huber.formula) != before


def test_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTLOSS_CACHE_DIR", str(tmp_path))
    assert _kept.folder() == tmp_path
    monkeypatch.delenv("FASTLOSS_CACHE_DIR")
    assert _kept.folder().name == "fastloss"
