"""Arbitrary calls: no crash, no stray write, no changed input, and every error has our words.

``python tests/test_fuzz.py SECONDS [SEED]`` goes on for as long as one likes.
"""

import dataclasses
import linecache
import re
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import arbitrary
import cases
import hypothesis
import numpy as np
import pytest
from expected import check_results

import fastloss as fl

PACKAGE = str(Path(fl.__file__).parent)
BACKENDS = tuple(backend for backend in cases.BACKENDS if backend != "numba")
INPUTS = {name for loss, _ in arbitrary.CASES for name in loss.inputs}
ARGUMENTS = re.compile(
    rf"\b({'|'.join(INPUTS)}|weight|reduction|normalizer|threads|"
    r"value_out|grad_out|hess_out|out|class_weight|ignore_index)\b"
)
ADDRESS = re.compile(r"(0x|obj)[0-9a-f.]+")
SETTINGS = {"deadline": None, "suppress_health_check": list(hypothesis.HealthCheck)}
HUGE = 2**40
"""More elements than any memory holds."""


@dataclasses.dataclass
class Outcome:
    """What came of a call, what its arrays held, and its options."""

    error: Exception | None
    results: tuple
    contents: dict
    options: dict


def run(call, backend):
    """Makes a call; looks at its memory, its warnings and its error."""
    made = call.make()
    contents = {name: memory.array.copy() for name, memory in made.inputs.items()}
    results, error = (), None
    with fl.use_backend(backend), np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            results = getattr(call.loss, call.method)(**made.arguments)
        except Exception as found:
            error = found
    parts = cases.METHODS.get(call.method, ())
    results = results if len(parts) > 1 else (results,)
    written = made.outs
    if error is not None:
        check_error(error, made)
        written = made.outs if "may have been written in part" in str(error) else {}
    for memory in made.memories:
        assert not memory.strays(*written.values()), "bytes changed that are part of no output"
    if error is None:
        for part, result in zip(parts, results, strict=call.method in cases.METHODS):
            out = made.arguments.get(f"{part}_out")
            pairs = zip(*map(cases.alone, (result, out)), strict=True) if out is not None else ()
            assert all(a is b for a, b in pairs)
    return Outcome(error, results, contents, {name: made.arguments[name] for name in call.options})


def check_error(error, made):
    """It was raised by us, and says which argument is wrong."""
    if isinstance(error, MemoryError):
        sizes = (np.size(x) for x in made.arguments.values() if isinstance(x, np.ndarray))
        assert max(sizes) > HUGE, error
        return
    assert type(error) in (TypeError, ValueError), repr(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    assert frame.filename.startswith(PACKAGE), f"raised in {frame.filename}"
    line = linecache.getline(frame.filename, frame.lineno).strip()
    assert line.startswith("raise "), f"it happened in {line!r}"
    text = str(error)
    assert ARGUMENTS.search(text), text
    assert "\n" not in text
    assert len(text) < 1000


# ---- the search

NUMBA = (
    *(loss for loss, _ in arbitrary.OWN),
    *map(fl.get, cases.unit_losses()[:: len(cases.unit_losses()) - 1]),
)
"""The losses that Numba shall compile, which takes it seconds."""


def fuzz(call, numba=False):
    """Makes a call on each backend: they agree, and with what it must give."""
    own = (call.loss, call.kind) in arbitrary.OWN
    backends = ("numpy",) if own else BACKENDS
    if (
        numba
        and "numba" in cases.BACKENDS
        and call.loss in NUMBA
        and call.method == "value_grad_hess"
    ):
        backends += ("numba",)
    outcomes = [run(call, backend) for backend in backends]
    errors = {ADDRESS.sub("", repr(outcome.error)) for outcome in outcomes}
    assert len(errors) == 1, f"backends differ: {errors}"
    plain = all(isinstance(a, arbitrary.Array) for a in call.arguments.values())
    if plain and not own and call.method in cases.METHODS and outcomes[0].error is None:
        for outcome in outcomes:
            options = {name: outcome.options[name] for name in ("reduction", "normalizer")}
            parts = cases.METHODS[call.method]
            check_results(call.loss, parts, outcome.results, outcome.contents, **options)


@hypothesis.settings(max_examples=800, **SETTINGS)
@hypothesis.given(arbitrary.calls())
def test_arbitrary_calls(call):
    fuzz(call)


def search(seconds, seed, path):
    """Goes on for some time; a file holds the call at hand, should the process die of it."""
    end = time.monotonic() + seconds
    with Path(path).open("wb", buffering=0) as file:

        def fuzz_and_tell(call):
            file.seek(0)
            file.truncate()
            file.write(repr(call).encode())
            fuzz(call, numba=True)

        settings = hypothesis.settings(max_examples=1_000, database=None, **SETTINGS)
        while time.monotonic() < end:
            print("seed", seed, flush=True)
            hypothesis.seed(seed)(settings(hypothesis.given(arbitrary.calls())(fuzz_and_tell)))()
            seed += 1


def search_elsewhere(seconds, seed):
    """Searches in a process of its own; its exit status and its last call."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call"
        code = f"import test_fuzz; test_fuzz.search({seconds}, {seed}, {str(path)!r})"
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", code],
            cwd=Path(__file__).parent, check=False,
        )  # fmt: skip
        return done.returncode, path.read_text()


@pytest.mark.full
def test_longer():
    status, call = search_elsewhere(seconds=60, seed=0)
    assert status == 0, call


# ---- what it would notice


def writes_an_input(loss, prediction, target, **options):
    prediction[...] = 0.0


def writes_beyond(loss, prediction, target, **options):
    np.lib.stride_tricks.as_strided(prediction, (4,), (8,))[3] = 0.0


def writes_and_raises(loss, prediction, target, grad_out, **options):
    grad_out[...] = 0.0
    raise ValueError("target is wrong")


def raises_as_numpy_does(loss, prediction, target, **options):
    return prediction + np.ones(2)


def raises_without_a_name(loss, *arguments, **options):
    raise ValueError("something is wrong")


def raises_another(loss, *arguments, **options):
    raise KeyError("target")


def warns(loss, prediction, target, **options):
    return prediction / np.zeros(3)


def gives_another_array(loss, prediction, target, grad_out, **options):
    return np.zeros(3)


def is_wrong(loss, prediction, target, grad_out, **options):
    grad_out[...] = 2 * (prediction - target) * (1 + 1e-14)
    return grad_out


@pytest.mark.parametrize(
    "broken",
    [
        writes_an_input, writes_beyond, writes_and_raises, raises_as_numpy_does,
        raises_without_a_name, raises_another, warns, gives_another_array, is_wrong,
    ],
)  # fmt: skip
def test_what_is_noticed(broken, monkeypatch):
    arrays = (np.array([0.5, 0.3, 0.1]), np.array([0.1, 0.7, 0.9]))
    call = arbitrary.Call(
        loss=fl.SquaredError(),
        kind="values",
        method="grad",
        arguments=dict(zip(("prediction", "target"), map(arbitrary.Array, arrays), strict=True)),
        outs={"grad_out": arbitrary.Out(np.dtype("f8"))},
        options={"reduction": "sum", "normalizer": None, "threads": None},
    )
    fuzz(call)
    monkeypatch.setattr(fl.Loss, "grad", broken)
    monkeypatch.setitem(globals(), "PACKAGE", str(Path(__file__).parent))
    with pytest.raises(AssertionError):
        fuzz(call)


if __name__ == "__main__":
    status, call = search_elsewhere(float(sys.argv[1]), int(*sys.argv[2:3]))
    sys.exit(f"{call}\nexit status {status}" if status else 0)
