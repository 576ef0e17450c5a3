"""Fresh processes for tests, and what they compute."""

import subprocess
import sys
import time
from pathlib import Path

import cases
import numpy as np

import fastloss as fl

UNITS = 200_000  # enough for several threads

PRELUDE = """
import os, time
import numpy as np
import fastloss as fl
import processes
from processes import digest, pool_threads
loss, inputs = processes.work()
fl.set_threads(2)
expected = digest(loss.value_and_grad(**inputs))
"""


def run_script(text, timeout=60):
    """What a fresh process prints; what it starts cannot disturb the tests."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", text],
        cwd=Path(__file__).parent, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def work():
    """A loss, its inputs and enough of them."""
    loss = fl.get("sigmoid_cross_entropy")
    return loss, cases.sample(loss, (UNITS,), "float32", cases.generator())


def digest(results):
    return b"".join(np.asarray(result).tobytes() for result in results)


def pool_threads():
    """How many threads of the pool this process has."""
    time.sleep(0.2)  # a new thread gets its name when it first runs
    tasks = Path("/proc/self/task").iterdir()
    return sum((task / "comm").read_text() == "fastloss\n" for task in tasks)


def compute(seed, **options):
    """The results of a seed's loss and inputs."""
    loss = fl.get(cases.unit_losses()[seed % len(cases.unit_losses())])
    inputs = cases.sample(loss, (UNITS // 4,), "float64", cases.generator(seed))
    return digest(loss.value_and_grad(**inputs, **options))


def threads_of_a_call():
    """The threads that a call may use here, and those of the pool after one."""
    loss, inputs = work()
    loss.value_and_grad(**inputs)
    return fl.show_config()["threads"], pool_threads()
