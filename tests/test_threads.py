"""Threads, processes, signals and the floating-point environment: the same bits, always."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cases
import numpy as np
import pytest

import fastloss as fl
from fastloss._native import core

UNITS = 200_000  # enough for two threads
DEFAULTS = [fl.get(name) for name in fl.losses()]


@pytest.fixture(autouse=True)
def _threads():
    yield
    fl.set_threads(0)


def run_script(text, timeout=60):
    """What a fresh process prints; what it starts cannot disturb the tests."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", text],
        cwd=Path(__file__).parent, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def work():
    """A loss, its inputs and enough of them."""
    loss = fl.get("sigmoid_cross_entropy")
    return loss, cases.sample(loss, (UNITS,), "float32", cases.generator())


def digest(results):
    return b"".join(np.asarray(result).tobytes() for result in results)


# ---- processes

PRELUDE = """
import os, time
import numpy as np
import fastloss as fl
import test_threads
loss, inputs = test_threads.work()
fl.set_threads(2)
expected = test_threads.digest(loss.value_and_grad(**inputs))
"""


def test_fork():
    """A child has no pool; it makes its own."""
    script = """
for generation in range(3):
    child = os.fork()
    if child == 0:
        same = test_threads.digest(loss.value_and_grad(**inputs)) == expected
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0, generation
    assert test_threads.digest(loss.value_and_grad(**inputs)) == expected
print("same")
"""
    assert run_script(PRELUDE + script) == "same\n"


def test_fork_while_other_threads_compute():
    script = """
import threading
stop = threading.Event()
def compute():
    while not stop.is_set():
        loss.value_and_grad(**inputs)
threads = [threading.Thread(target=compute) for _ in range(2)]
[t.start() for t in threads]
for _ in range(8):
    child = os.fork()
    if child == 0:
        os._exit(0 if test_threads.digest(loss.value_and_grad(**inputs)) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    time.sleep(0.01)
stop.set()
[t.join() for t in threads]
print("same")
"""
    assert run_script(PRELUDE + script) == "same\n"


def test_grandchildren():
    script = """
child = os.fork()
if child == 0:
    loss.value_and_grad(**inputs)
    child = os.fork()
    same = test_threads.digest(loss.value_and_grad(**inputs)) == expected
    ok = child == 0 or os.waitpid(child, 0)[1] == 0
    os._exit(0 if same and ok else 1)
assert os.waitpid(child, 0)[1] == 0
print("same")
"""
    assert run_script(PRELUDE + script) == "same\n"


def compute(seed):
    """In a worker process: the loss, its inputs and its results of a seed."""
    loss = fl.get(fl.losses()[seed % len(fl.losses())])
    inputs = cases.sample(loss, (UNITS // 4,), "float64", cases.generator(seed))
    return digest(loss.value_and_grad(**inputs, threads=2))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method):
    script = f"""
import multiprocessing
if __name__ == "__main__":
    expected = [test_threads.compute(seed) for seed in range(4)]
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(pool.map(test_threads.compute, range(4)) == expected)
"""
    assert run_script(PRELUDE + script) == "True\n"


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(backend):
    script = f"""
import joblib
parallel = joblib.Parallel(n_jobs=2, backend={backend!r})
found = parallel(joblib.delayed(loss.value_and_grad)(**inputs) for _ in range(4))
print(all(test_threads.digest(f) == expected for f in found))
"""
    assert run_script(PRELUDE + script) == "True\n"


def test_exit_while_workers_sleep_or_spin():
    """A process ends at once, whatever the pool's threads do."""
    script = """
import threading
threading.Thread(target=lambda: [loss.grad(**inputs) for _ in range(200)], daemon=True).start()
time.sleep(0.05)
"""
    start = time.monotonic()
    run_script(PRELUDE + script)
    assert time.monotonic() - start < 10


# ---- many threads


def test_many_callers():
    """More callers than the pool has threads; calls of all kinds at once."""
    jobs = []
    for seed, loss in enumerate(DEFAULTS):
        inputs = cases.sample(loss, (UNITS // 8,), "float32", cases.generator(seed))
        jobs.append((loss, inputs, digest(loss.value_grad_hess(**inputs, threads=1))))

    def use(k):
        loss, inputs, expected = jobs[k % len(jobs)]
        options = {"threads": k % 3 + 1} if k % 2 else {}
        return digest(loss.value_grad_hess(**inputs, **options)) == expected

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(use, range(200)))


def test_settings_change_during_use():
    """Neither thread counts nor instruction sets that change under a call change its result."""
    loss, inputs = work()
    isas = [isa for isa in cases.ISAS if isa != "baseline"] or cases.ISAS
    expected = digest(loss.value_and_grad(**inputs))
    stop = threading.Event()

    def change():
        k = 0
        while not stop.is_set():
            k += 1
            fl.set_threads(k % 4)
            core.set_isa(isas[k % len(isas)])

    changer = threading.Thread(target=change)
    changer.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: digest(loss.value_and_grad(**inputs)), range(60)))
    finally:
        stop.set()
        changer.join()
    assert set(found) == {expected}


def test_the_interpreter_lock_is_free_during_a_call():
    """Other Python threads go on."""
    loss, ended = fl.SquaredError(), threading.Event()
    long = np.broadcast_to(np.float32(2.0), (1 << 30,))

    def call():
        loss.value(long, 1.0, threads=1)
        ended.set()

    caller = threading.Thread(target=call)
    steps = 0
    caller.start()
    while not ended.is_set():
        time.sleep(0.001)
        steps += 1
    caller.join()
    assert steps > 20


def test_thread_counts():
    assert fl.show_config()["threads"] == len(os.sched_getaffinity(0)) or os.cpu_count() > 1
    fl.set_threads(3)
    assert fl.show_config()["threads"] == 3
    fl.set_threads(0)
    assert fl.show_config()["threads"] >= 1


@pytest.mark.parametrize(
    ("variables", "threads"),
    [
        ({"FASTLOSS_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5"}, 5),
        ({"FASTLOSS_NUM_THREADS": "1", "OMP_NUM_THREADS": "5"}, 1),
        ({"FASTLOSS_NUM_THREADS": "many", "OMP_NUM_THREADS": "-2"}, None),
    ],
)
def test_environment_variables(monkeypatch, variables, threads):
    for name in ("FASTLOSS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    script = "import fastloss as fl; print(fl.show_config()['threads'])"
    default = int(run_script(script))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert int(run_script(script)) == (threads or default)


@pytest.mark.parametrize("isa", [*cases.ISAS, "none"])
def test_the_instruction_set_can_be_forced(monkeypatch, isa):
    monkeypatch.setenv("FASTLOSS_ISA", isa)
    script = "import fastloss as fl; print(fl.show_config()['isa'])"
    if isa in cases.ISAS:
        assert run_script(script).strip() == isa
    else:  # a name that there is not
        assert run_script(script).strip() == cases.ISAS[-1]


def test_affinity():
    script = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import fastloss as fl
print(fl.show_config()["threads"])
"""
    assert run_script(script) == "1\n"


# ---- signals


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("backend", [b for b in cases.BACKENDS if b != "numpy"])
def test_ctrl_c(backend, threads):
    loss = fl.SquaredError()
    long = np.broadcast_to(np.float32(2.0), (1 << 32,))  # seconds
    sent = []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    with fl.use_backend(backend):
        loss.value(long[:1_000], 1.0)  # what has to be compiled, is
        timer = threading.Timer(0.1, interrupt)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            loss.value(long, 1.0, threads=threads)
        assert time.monotonic() - sent[0] < 0.5
        timer.join()
        assert loss.value(long[: 1 << 20], 1.0, threads=threads) == 1.0


def test_a_signal_handler_that_raises():
    class AlarmError(Exception):
        pass

    def handler(number, frame):
        raise AlarmError

    kept = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(AlarmError):
            fl.SquaredError().value(np.broadcast_to(2.0, (1 << 32,)), 1.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)


def test_a_signal_handler_that_does_not_raise():
    seen = []
    kept = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        value = fl.SquaredError().value(np.broadcast_to(2.0, (1 << 29,)), 1.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)
    assert value == 1.0
    assert len(seen) > 2


@pytest.mark.full
@pytest.mark.parametrize("threads", [1, 2])
def test_more_elements_than_32_bits_count(threads):
    units = (1 << 32) + 5
    ones = np.broadcast_to(np.float32(1.0), (units,))
    assert fl.SquaredError().value(ones, 0.0, reduction="sum", threads=threads) == units
    assert fl.SquaredError().value(ones, 0.0, threads=threads) == 1.0
    with pytest.raises(ValueError, match=r"target is -1\.0"):
        fl.Poisson().value(ones, -1.0, threads=threads)


# ---- the floating-point environment

LIBM = ctypes.CDLL("libm.so.6")
ALL_FLAGS = 0x3D
# FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO
ROUNDINGS = {"x86_64": (0x400, 0x800, 0xC00), "aarch64": (0x800000, 0x400000, 0xC00000)}


@pytest.mark.parametrize("mode", ROUNDINGS[os.uname().machine], ids=("down", "up", "to zero"))
@pytest.mark.parametrize("loss", DEFAULTS, ids=cases.name_of)
def test_rounding_modes(loss, mode, rng):
    for units, threads in ((257, 1), (UNITS // 2, 2)):
        inputs = cases.sample(loss, (units,), "float32", rng, extremes=False)
        inputs["weight"] = rng.choice([0.0, 0.1, 0.7], units)
        options = [{}, {"threads": threads, "reduction": "sum"}]
        expected = [digest(loss.value_and_grad(**inputs, **o)) for o in options]
        LIBM.fesetround(mode)
        try:
            results = [loss.value_and_grad(**inputs, **o) for o in options]
            after = LIBM.fegetround()
        finally:
            LIBM.fesetround(0)
        assert [digest(r) for r in results] == expected
        assert after == mode


@pytest.mark.parametrize("loss", DEFAULTS, ids=cases.name_of)
def test_subnormals_are_not_flushed(loss, rng):
    import torch  # here, because the processes above load this module too

    for dtype in cases.DTYPES:
        for units, threads in ((300, 1), (UNITS // 2, 2)):
            inputs = cases.sample(loss, (units,), dtype, rng)
            expected = digest(loss.value_grad_hess(**inputs, threads=threads))
            try:
                assert torch.set_flush_denormal(True)
                results = loss.value_grad_hess(**inputs, threads=threads)
                tiny = torch.tensor(1e-310, dtype=torch.float64) * 0.5  # still in force
            finally:
                torch.set_flush_denormal(False)
            assert digest(results) == expected
            assert tiny.item() == 0.0


def test_flags_do_not_leak(rng):
    """A caller who looks for an overflow of his own sees none of ours."""
    for loss in DEFAULTS:
        inputs = cases.sample(loss, (UNITS,), "float32", rng)
        for units in (300, UNITS):
            part = {name: array[:units] for name, array in inputs.items()}
            out = np.empty_like(part["prediction"])
            LIBM.feclearexcept(ALL_FLAGS)
            loss.grad(**part, grad_out=out)
            assert LIBM.fetestexcept(ALL_FLAGS) == 0, loss
