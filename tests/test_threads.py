"""Processes and threads around the pool: the same bits, no deadlock, no thread too many."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import cases
import numpy as np
import pytest
import sanitize
from processes import PRELUDE, UNITS, digest, run_script, work

import fastloss as fl
from fastloss._native import core

pytestmark = pytest.mark.alone  # measures time, uses all cores

DEFAULTS = [fl.get(name) for name in cases.unit_losses()]


@pytest.fixture(autouse=True)
def _threads():
    yield
    fl.set_threads(0)


# ---- forks


def test_fork():
    """A child has no pool; it makes its own."""
    script = """
for generation in range(3):
    child = os.fork()
    if child == 0:
        before = pool_threads()
        same = digest(loss.value_and_grad(**inputs)) == expected
        os._exit(0 if same and (before, pool_threads()) == (0, 1) else 1)
    assert os.waitpid(child, 0)[1] == 0, generation
    assert digest(loss.value_and_grad(**inputs)) == expected
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
        os._exit(0 if digest(loss.value_and_grad(**inputs)) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    time.sleep(0.01)
stop.set()
[t.join() for t in threads]
print("same")
"""
    assert run_script(PRELUDE + script) == "same\n"


def test_fork_in_a_thread_while_a_call_runs():
    """The main thread computes; another one forks, and its child forks again."""
    script = """
import threading
failures = []
def same():
    return digest(loss.value_and_grad(**inputs)) == expected
def fork():
    for _ in range(5):
        child = os.fork()
        if child == 0:
            ok = same()
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0 if same() else 1)
            os._exit(0 if ok and same() and os.waitpid(grandchild, 0)[1] == 0 else 1)
        failures.append(os.waitpid(child, 0)[1])
forker = threading.Thread(target=fork)
forker.start()
while forker.is_alive():
    assert same()
print(failures)
"""
    assert run_script(PRELUDE + script) == "[0, 0, 0, 0, 0]\n"


@pytest.mark.parametrize("threads", [1, 2])
def test_fork_in_the_middle_of_a_call(threads):
    """A signal handler forks: the call goes on in both processes, and no part counts twice."""
    script = f"""
import signal
children = []
signal.signal(signal.SIGALRM, lambda number, frame: children.append(os.fork()))
long = np.broadcast_to(np.float32(2.0), (1 << 30,))
value = fl.SquaredError().value
value(long[:1000], 1.0)
signal.setitimer(signal.ITIMER_REAL, 0.05)
assert not children
same = value(long, 1.0, threads={threads}) == 1.0
same &= digest(loss.value_and_grad(**inputs)) == expected
if children == [0]:
    os._exit(0 if same else 1)
print(same, os.waitpid(children[0], 0)[1])
"""
    assert run_script(PRELUDE + script) == "True 0\n"


def test_grandchildren():
    script = """
child = os.fork()
if child == 0:
    loss.value_and_grad(**inputs)
    child = os.fork()
    same = digest(loss.value_and_grad(**inputs)) == expected
    ok = child == 0 or os.waitpid(child, 0)[1] == 0
    os._exit(0 if same and ok else 1)
assert os.waitpid(child, 0)[1] == 0
print("same")
"""
    assert run_script(PRELUDE + script) == "same\n"


# ---- worker processes and threads of other libraries


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method):
    script = f"""
import multiprocessing
if __name__ == "__main__":
    expected = [processes.compute(seed) for seed in range(4)]
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(pool.map(processes.compute, range(4)) == expected)
"""
    assert run_script(PRELUDE + script) == "True\n"


@pytest.mark.parametrize(
    "method", ["fork", *(pytest.param(m, marks=pytest.mark.full) for m in ("spawn", "forkserver"))]
)
def test_process_pool_executor(method):
    """An initializer gives each worker its share of the threads."""
    script = f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    expected = [processes.compute(seed) for seed in range(4)]
    context = multiprocessing.get_context({method!r})
    for threads in (1, 3):
        with ProcessPoolExecutor(2, context, fl.set_threads, (threads,)) as pool:
            assert list(pool.map(processes.compute, range(4))) == expected
            print(pool.submit(processes.threads_of_a_call).result())
"""
    assert run_script(PRELUDE + script) == "(1, 0)\n(3, 2)\n"


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(backend):
    script = f"""
import joblib
parallel = joblib.Parallel(n_jobs=2, backend={backend!r})
found = parallel(joblib.delayed(loss.value_and_grad)(**inputs) for _ in range(4))
print(all(digest(f) == expected for f in found))
"""
    assert run_script(PRELUDE + script) == "True\n"


def test_joblib_workers_share_the_cpus(monkeypatch):
    """Each of loky's workers uses what joblib grants it, whatever its parent may use."""
    monkeypatch.delenv("FASTLOSS_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script = """
import joblib
job = joblib.delayed(processes.threads_of_a_call)
share = max(joblib.cpu_count() // 2, 1)
print(set(joblib.Parallel(n_jobs=2)(job() for _ in range(4))) == {(share, share - 1)})
for most in (1, 3):
    with joblib.parallel_config("loky", inner_max_num_threads=most):
        print(*set(joblib.Parallel(n_jobs=2)(job() for _ in range(4))))
"""
    assert run_script(PRELUDE + script) == "True\n(1, 0)\n(3, 2)\n"


def test_callers_share_one_pool():
    """Python threads that call at once add no pool of their own."""
    script = """
import joblib
from concurrent.futures import ThreadPoolExecutor
def same(_):
    return digest(loss.value_and_grad(**inputs)) == expected
fl.set_threads(3)
with ThreadPoolExecutor(8) as pool:
    assert all(pool.map(same, range(40)))
parallel = joblib.Parallel(n_jobs=4, backend="threading")
assert all(parallel(joblib.delayed(same)(i) for i in range(40)))
print(pool_threads())
"""
    assert run_script(PRELUDE + script) == "2\n"


# ---- the end of a process


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


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("backend", ["native", pytest.param("numba", marks=pytest.mark.full)])
def test_exit_in_the_middle_of_a_call_of_a_daemon_thread(backend, threads):
    """CPython up to 3.13 ends the thread there; workers must not go on with what is on its stack.

    They would go on while the interpreter shuts down, so it lasts half a second here.
    """
    script = f"""
import threading
class EndsSlowly:
    def __init__(self):
        self.names = os.listdir, open, time.sleep, os.write
    def __del__(self):
        listdir, open, sleep, write = self.names
        def seconds():  # that workers have computed
            tasks = [f"/proc/self/task/{{task}}/stat" for task in listdir("/proc/self/task")]
            stats = [open(task).read() for task in tasks]
            return [stat.split()[13] for stat in stats if "(fastloss)" in stat]
        sleep(0.2)
        before = seconds()
        sleep(0.3)
        write(1, b"idle" if seconds() == before else b"at work")
os.kept_until_shutdown = EndsSlowly()
long = np.broadcast_to(np.float32(2.0), (1 << 36,))
def call(units):
    with fl.use_backend({backend!r}):
        fl.SquaredError().value(long[:units], 1.0, threads={threads})
call(1000)
threading.Thread(target=call, args=(len(long),), daemon=True).start()
time.sleep(0.1)
"""
    # later versions stop the thread where it is, and its stack stays
    assert run_script(PRELUDE + script) == "idle" or sys.version_info >= (3, 14)


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
    fl.set_threads(3)
    assert fl.show_config()["threads"] == 3
    fl.set_threads(0)
    assert fl.show_config()["threads"] >= 1


@pytest.mark.full
@pytest.mark.parametrize("threads", [1, 2])
def test_more_elements_than_32_bits_count(threads):
    units = (1 << 32) + 5
    ones = np.broadcast_to(np.float32(1.0), (units,))
    assert fl.SquaredError().value(ones, 0.0, reduction="sum", threads=threads) == units
    assert fl.SquaredError().value(ones, 0.0, threads=threads) == 1.0
    with pytest.raises(ValueError, match=r"target is -1\.0"):
        fl.Poisson().value(ones, -1.0, threads=threads)


@pytest.mark.full
def test_thread_sanitizer():
    """A program that uses the C interface from many threads has no data race."""
    status, output = sanitize.run_thread_program()
    assert status == 0, output
    assert output.endswith("at once\n"), output
