"""What surrounds a call: variables, signals, interpreters, warnings, floating-point modes."""

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cases
import numpy as np
import pytest
from processes import PRELUDE, UNITS, digest, run_script

import fastloss as fl

pytestmark = pytest.mark.alone  # measures time, uses all cores

DEFAULTS = [fl.get(name) for name in cases.unit_losses()]
COMPILED_BACKENDS = [b for b in cases.BACKENDS if b != "numpy"]


def slow_where_compiled(backends):
    """Numba compiles every loss anew in a process."""
    return [pytest.param(b, marks=pytest.mark.full if b == "numba" else ()) for b in backends]


@pytest.fixture(autouse=True)
def _threads():
    yield
    fl.set_threads(0)


# ---- variables and affinity


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


@pytest.fixture(scope="module")
def quota_program(tmp_path_factory):
    program = tmp_path_factory.mktemp("quota") / "quota"
    source = Path(__file__).with_name("quota.cpp")
    subprocess.run([os.environ.get("CXX", "g++"), "-std=c++17", source, "-o", program], check=True)
    return program


@pytest.mark.full
@pytest.mark.parametrize(
    ("files", "groups", "cpus"),
    [
        ({"cpu.max": "150000 100000"}, "0::/", 2),
        ({"cpu.max": "max 100000"}, "0::/", None),
        ({"a/b/cpu.max": "400000 100000", "a/cpu.max": "max 100000"}, "0::/a/b", 4),
        ({"a/b/cpu.max": "400000 100000", "a/cpu.max": "250000 100000"}, "0::/a/b", 3),
        # in a container: the host's path is not there, the root is the container's own
        ({"cpu.max": "50000 100000"}, "0::/system.slice/host", 1),
        # version 1, alone and beside version 2
        ({"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"},
         "5:memory:/a\n4:cpu,cpuacct:/a\n", 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu:/", None),
        ({"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"},
         "4:cpuset:/a\n0::/a\n", None),
        ({}, "", None),
        ({"cpu.max": "nonsense"}, "nonsense", None),
    ],
)  # fmt: skip
def test_quota(quota_program, tmp_path, files, groups, cpus):
    """The smallest quota of a process's groups and of those above them, rounded up."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = subprocess.check_output([quota_program, tmp_path, groups], text=True)
    assert int(found) == (cpus or 2**31 - 1)


# ---- signals


@pytest.fixture
def heeded_interrupts():
    """Shells start commands in the background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_interrupts")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("backend", COMPILED_BACKENDS)
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


@pytest.mark.usefixtures("heeded_interrupts")
def test_ctrl_c_while_another_thread_computes():
    """The main thread, which waits, is interrupted at once; the call goes on."""
    long = np.broadcast_to(np.float32(2.0), (1 << 32,))
    sent = []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.1, interrupt)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(fl.SquaredError().value, long, 1.0)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            call.result()
        assert time.monotonic() - sent[0] < 0.5
        timer.join()
        assert call.result() == 1.0


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


# ---- interpreters


def test_a_second_interpreter():
    """It is refused, or gets the right result; the first one goes on."""
    script = """
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
second = interpreters.create()
code = '''
try:
    import warnings
    warnings.simplefilter("ignore")
    import fastloss
    assert fastloss.SquaredError().value([3.0], [1.0]) == 4.0
except ImportError:
    pass
'''
interpreters.run_string(second, code)
interpreters.destroy(second)
print(digest(loss.value_and_grad(**inputs)) == expected)
"""
    assert run_script(PRELUDE + script) == "True\n"


# ---- warnings of NumPy


def uses(loss, dtype, rng):
    """Calls with valid and refused inputs of several sizes, every reduction, narrow outputs."""
    for kind, units in itertools.product(cases.target_kinds(loss), (0, 1, 600)):
        valid = cases.sample(loss, (units,), dtype, rng, kind)
        values = {name: x for name, x in valid.items() if x.dtype == dtype}
        options = [{"reduction": r} for r in ("none", "sum", "mean")]
        options += [{"weight": np.full(units, w)} for w in (0.0, 1e300, np.nan)]
        options += [{"normalizer": 1e-300}, {"weight": np.full(units, 1e300), "reduction": "sum"}]
        outs = {f"{name}_out": cases.new_outs(loss, valid, "float16") for name in ("grad", "hess")}
        options += [{**outs, "value_out": np.empty(units, "float16"), "reduction": "none"}]
        options += [{name: np.full_like(x, bad)} for name, x in values.items()
                    for bad in (np.nan, np.inf, -np.inf, np.finfo(dtype).max)]  # fmt: skip
        for option in options:
            yield {**valid, **option}


@pytest.mark.parametrize("backend", slow_where_compiled(cases.BACKENDS))
@pytest.mark.parametrize("loss", cases.all_variants(), ids=cases.name_of)
def test_no_warning_of_numpy(loss, backend, rng):
    """What overflows or is undefined in a loss is a number, or an error of ours."""
    for dtype in cases.quick_dtypes(loss, (backend, None)):
        for arguments in uses(loss, dtype, rng):
            with np.errstate(all="raise"), fl.use_backend(backend):
                before = np.geterr()
                with contextlib.suppress(ValueError):
                    loss.value_grad_hess(**arguments)
                assert np.geterr() == before


# ---- the floating-point environment

LIBM = ctypes.CDLL("libm.so.6")
MACHINE = os.uname().machine
# FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW, FE_INEXACT
ALL_FLAGS = {"x86_64": 0x3D, "aarch64": 0x1F}[MACHINE]
OVERFLOW = {"x86_64": 0x08, "aarch64": 0x04}[MACHINE]
# FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO
ROUNDINGS = {"x86_64": (0x400, 0x800, 0xC00), "aarch64": (0x800000, 0x400000, 0xC00000)}[MACHINE]
# in fenv_t: the register that vector instructions obey, and its bits that flush subnormals
REGISTER = {"x86_64": slice(28, 32), "aarch64": slice(0, 8)}[MACHINE]
FLUSH = {"x86_64": 0x8040, "aarch64": 1 << 24}[MACHINE]


def environment():
    """The modes and flags of this thread, as one number."""
    saved = ctypes.create_string_buffer(64)
    LIBM.fegetenv(saved)
    return int.from_bytes(saved.raw[REGISTER], "little")


def set_environment(number):
    saved = ctypes.create_string_buffer(64)
    LIBM.fegetenv(saved)
    size = REGISTER.stop - REGISTER.start
    LIBM.fesetenv(saved.raw[: REGISTER.start] + number.to_bytes(size, "little")
                  + saved.raw[REGISTER.stop :])  # fmt: skip


@contextlib.contextmanager
def modes(rounding=0, flush=0, flags=0):
    """Runs code in another environment, with flags raised; asserts that it stays as it is."""
    before = environment()
    LIBM.fesetround(rounding)
    set_environment(environment() | flush)
    LIBM.feclearexcept(ALL_FLAGS)
    LIBM.feraiseexcept(flags)
    inside = environment()
    try:
        yield
        after = environment()
    finally:
        set_environment(before)
        LIBM.fesetround(0)
        LIBM.feclearexcept(ALL_FLAGS)
    assert hex(after) == hex(inside)


@pytest.mark.parametrize("mode", ROUNDINGS, ids=("down", "up", "to zero"))
@pytest.mark.parametrize("loss", DEFAULTS, ids=cases.name_of)
def test_rounding_modes(loss, mode, rng):
    for units, threads in ((257, 1), (UNITS // 2, 2)):
        inputs = cases.sample(loss, (units,), "float32", rng, extremes=False)
        inputs["weight"] = rng.choice([0.0, 0.1, 0.7], units)
        options = [{}, {"threads": threads, "reduction": "sum"}]
        expected = [digest(loss.value_and_grad(**inputs, **o)) for o in options]
        with modes(rounding=mode):
            results = [loss.value_and_grad(**inputs, **o) for o in options]
        assert [digest(r) for r in results] == expected


@pytest.mark.parametrize("backend", slow_where_compiled(COMPILED_BACKENDS))
@pytest.mark.parametrize("loss", DEFAULTS, ids=cases.name_of)
def test_subnormals_are_not_flushed(loss, backend, rng):
    import torch  # here, because processes of these tests load this module too

    with fl.use_backend(backend):
        for dtype in cases.quick_dtypes(loss, (backend, None)):
            for units, threads in ((300, 1), (UNITS // 2, 2)):
                inputs = cases.sample(loss, (units,), dtype, rng)
                expected = digest(loss.value_grad_hess(**inputs, threads=threads))
                try:
                    assert torch.set_flush_denormal(True)
                    before = environment()
                    results = loss.value_grad_hess(**inputs, threads=threads)
                    after = environment()
                    tiny = torch.tensor(1e-310, dtype=torch.float64) * 0.5  # still in force
                finally:
                    torch.set_flush_denormal(False)
                assert digest(results) == expected
                assert hex(after) == hex(before)
                assert tiny.item() == 0.0


def test_workers_created_while_subnormals_are_flushed():
    """A new thread inherits its creator's modes; our workers never compute in them."""
    script = """
from test_environment import FLUSH, modes
rng = np.random.default_rng(1)
subnormal = rng.uniform(0, 1e-39, 8_000_000).astype(np.float32)
def call(threads):
    return digest(fl.AbsoluteError().value_and_grad(subnormal, 0.0, threads=threads))
expected = call(1)
assert pool_threads() == 0
with modes(flush=FLUSH):
    flushed = {call(2) for _ in range(5)}
assert pool_threads() == 1
print(flushed == {expected}, {call(2) for _ in range(5)} == {expected})
"""
    fresh = PRELUDE.replace("expected = ", "# ")  # without a call
    assert run_script(fresh + script) == "True True\n"


def test_each_thread_has_its_own_modes(rng):
    """Callers with different modes share the pool; none sees another's."""
    loss = fl.get("log_cosh")
    inputs = cases.sample(loss, (UNITS,), "float32", rng)
    expected = digest(loss.value_grad_hess(**inputs))

    def call(k):
        with modes(rounding=ROUNDINGS[k % 3], flush=FLUSH * (k % 2), flags=OVERFLOW):
            results = loss.value_grad_hess(**inputs, threads=k % 3 + 1)
        return digest(results) == expected

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(call, range(60)))


def test_flags_stay():
    """A caller who looks for an overflow of his own sees it, and none of ours."""
    rng = cases.generator()
    for loss in DEFAULTS:
        inputs = cases.sample(loss, (UNITS,), "float32", rng)
        for units, flags in itertools.product((300, UNITS), (0, OVERFLOW, ALL_FLAGS)):
            part = {name: array[:units] for name, array in inputs.items()}
            out = cases.new_outs(loss, part)
            with modes(flags=flags):
                loss.grad(**part, grad_out=out)


def test_traps():
    """A program that lets the processor trap is not killed by what a loss raises and masks."""
    script = """
from test_environment import ALL_FLAGS, DEFAULTS, LIBM, cases
for loss in DEFAULTS:
    inputs = cases.sample(loss, (200_000,), "float32", cases.generator())
    expected = digest(loss.value_and_grad(**inputs))
    LIBM.feclearexcept(ALL_FLAGS)
    LIBM.feenableexcept(ALL_FLAGS)
    trapping = LIBM.fegetexcept()  # none on processors that cannot
    results = loss.value_and_grad(**inputs)
    assert LIBM.fegetexcept() == trapping
    LIBM.fedisableexcept(ALL_FLAGS)
    assert digest(results) == expected, loss
print("untouched")
"""
    assert run_script(PRELUDE + script) == "untouched\n"


@pytest.mark.parametrize("threads", [1, 2])
def test_signal_handlers_run_in_the_modes_of_the_caller(threads):
    """What they find is the caller's, and what they set stays."""
    seen = []

    def handler(number, frame):
        seen.append(environment())
        set_environment(environment() ^ FLUSH)
        LIBM.feraiseexcept(OVERFLOW)
        seen.append(environment())

    def call():
        return fl.SquaredError().value(np.broadcast_to(2.1, (1 << 29,)), 1.0, threads=threads)

    kept = signal.signal(signal.SIGALRM, handler)
    with modes():
        before = environment()
        LIBM.fesetround(ROUNDINGS[0])
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            start = environment()
            value = call()
            end = environment()
        finally:
            signal.signal(signal.SIGALRM, kept)
            set_environment(before)
            LIBM.fesetround(0)
    assert list(map(hex, seen)) == [hex(start), hex(end)]
    assert start & FLUSH != end & FLUSH
    assert value == call()
