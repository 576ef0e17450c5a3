"""What a call says that it would do."""

import cases
import numpy as np
import pytest

import fastloss as fl

LOSSES = [fl.get(name) for name in cases.unit_losses()]

KINDS = cases.with_kinds(LOSSES)
RUNS = [(*pair, backend) for backend in cases.BACKENDS if backend != "numba" for pair in KINDS]
if "numba" in cases.BACKENDS:
    RUNS += [(*pair, "numba") for pair in cases.one_of_each_kind(KINDS)]


@pytest.mark.parametrize(("loss", "kind", "backend"), RUNS, ids=cases.name_of)
def test_explain(loss, kind, backend, rng):
    inputs = cases.sample(loss, (2_000,), "float32", rng, kind)
    inputs["prediction"] = np.asfortranarray(inputs["prediction"].astype(np.float64))
    with fl.use_backend(backend):
        text = str(loss.explain(**inputs, weight=np.ones(2_000, np.float32), threads=2))
    assert repr(loss) in text
    assert loss.kernel in text
    assert backend in text
    assert "2000" in text
    for word in ("kernel", "blocks", "threads", "conversions", "float64"):
        assert word in text, word
    if backend != "numpy":
        assert fl.show_config()["isa"] in text
    assert ("compiled by Numba" in text) == (backend == "numba")


def test_explain_what_numba_compiles():
    both = fl.Huber() + fl.LogCosh()
    found = both.explain([1.0], 0.0)
    assert (found.backend, found.jit) == ("native", True)
    assert "huber + log_cosh, combined, compiled by Numba" in str(found)


def test_explain_conversions():
    loss, z = fl.SquaredError(), np.zeros(1_000, np.float32)
    assert "none" in str(loss.explain(z, z))
    for changes, words in [
        ({"target": np.zeros(1_000, np.int8)}, ("target", "int8")),
        ({"target": np.zeros(2_000, np.float32)[::2]}, ("target", "contiguous")),
        ({"prediction": z.astype(np.float16)}, ("prediction", "float16")),
        ({"grad_out": np.zeros(1_000)}, ("grad_out", "float64")),
        ({"prediction": z.tolist()}, ("prediction", "list")),
    ]:
        text = str(loss.explain(**{"prediction": z, "target": z, **changes}))
        assert all(word in text for word in words), text
    with pytest.raises(ValueError, match="target has shape"):
        loss.explain(z, z[:5])
    before = z.copy()
    loss.explain(z, 1.0, grad_out=z)  # says what would be done, and does not
    np.testing.assert_array_equal(z, before)


def test_explain_threads():
    loss = fl.SquaredError()
    few, many = np.zeros(100, np.float32), np.zeros(1_000_000, np.float32)
    assert loss.explain(few, 0.0, threads=2).threads == 1
    assert loss.explain(many, 0.0, threads=2).threads == 2
    assert loss.explain(many, 0.0, threads=1).threads == 1
    with fl.threads(1):
        assert loss.explain(many, 0.0).threads == 1
    with fl.use_backend("numpy"):
        assert loss.explain(many, 0.0, threads=2).threads == 1
