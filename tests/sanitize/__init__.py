"""Builds of the core in which the compiler's sanitizers watch every step, apart from the real one.

AddressSanitizer and UndefinedBehaviorSanitizer watch the extension while it passes the quick
tests. ThreadSanitizer watches a program of its own, ``threads.cpp``, which drives the C interface
from many threads: Python and NumPy are not built for it.

``python -m sanitize`` in the tests' folder runs both.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from test_build import COMPILER, INCLUDE, ROOT, SOURCES

BUILD = ROOT / "build"
FLAGS = ["-O1", "-g1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
# GCC sees uninitialized variables in instrumented code where there are none.
FLAGS += ["-Wno-maybe-uninitialized"]
ADDRESS = "-fsanitize=address,undefined,float-cast-overflow"
THREAD = "-fsanitize=thread"

UNSUITABLE = {
    "test_build.py": "it reads the machine code of ordinary objects",
    "test_packaging.py": "it builds and installs ordinary packages",
    "test_site.py": "it draws and writes pages",
}
"""Test files that the address build leaves out."""
# AddressSanitizer keeps freed memory for a while.
DESELECTED = ["tests/test_memory.py::test_no_leak"]


@contextlib.contextmanager
def fixed_addresses():
    """Sanitizers lay memory out themselves; where addresses are very random they cannot.

    What this thread starts meanwhile inherits the setting.
    """
    libc = ctypes.CDLL(None)
    before = libc.personality(0xFFFFFFFF)  # changes nothing
    libc.personality(before | 0x0040000)  # ADDR_NO_RANDOMIZE
    try:
        yield
    finally:
        libc.personality(before)


def run(command, **variables):
    """Runs a command in the repository's root; returns its exit status and all it printed."""
    with fixed_addresses():
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return done.returncode, done.stdout


def made(command, **variables):
    """Runs a command that must succeed."""
    status, output = run(command, **variables)
    assert status == 0, output


def in_parallel(function, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(function, items)


# ---- threads


def thread_program():
    """Compiles the core and ``threads.cpp`` for ThreadSanitizer; returns the program."""
    folder = BUILD / "sanitize-thread"
    folder.mkdir(parents=True, exist_ok=True)
    command = [COMPILER, *INCLUDE, "-std=c++17", "-DFASTLOSS_BASELINE"]
    # threads are the same for all instruction sets
    sources = {name: flags for name, flags in SOURCES.items() if "kernels_avx" not in name}
    sources["tests/sanitize/threads.cpp"] = ["-Wall", "-Wextra"]

    def compiled(source):
        to = folder / source.replace("/", "-").replace(".cpp", ".o")
        made([*command, *sources[source], *FLAGS, THREAD, "-c", source, "-o", to])
        return to

    program = folder / "threads"
    made([*command, THREAD, "-pthread", *in_parallel(compiled, sources), "-o", program])
    return program


def run_thread_program():
    """Its exit status and what it printed."""
    options = "halt_on_error=1:die_after_fork=0"
    return run([thread_program()], TSAN_OPTIONS=options)


# ---- addresses and undefined behaviour


def address_build():
    """Builds the package for AddressSanitizer; returns where to import it from."""
    folder = BUILD / "sanitize-address"
    library = folder / "lib"
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", folder]
    flags = " ".join(FLAGS)
    made([*command, "--build-lib", library], CXXFLAGS=f"{ADDRESS} {flags}", LDFLAGS=ADDRESS,
         FASTLOSS_CXXFLAGS=flags)  # fmt: skip
    return library


def runtime(name):
    """The path of one of the compiler's libraries."""
    return subprocess.check_output([COMPILER, f"-print-file-name={name}"], text=True).strip()


def address_environment(library):
    """Variables with which Python loads the build and everything allocates in the open."""
    return {
        # the interpreter is not instrumented, so the runtime must come first, and before it looks
        # for it the C++ library whose exceptions it watches
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libstdc++.so')}",
        "PYTHONPATH": str(library),
        "PYTHONMALLOC": "malloc",
        # the interpreter frees little when it ends; sizes beyond all memory are a MemoryError
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1"
        ":allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
    }


def suitable_files():
    found = sorted(path.name for path in (ROOT / "tests").glob("test_*.py"))
    return [name for name in found if name not in UNSUITABLE]


def run_tests(name, environment):
    """Runs the quick tests of a file; its exit status and what it printed."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-m", "not full", f"tests/{name}"]
    command += ["-p", "no:cacheprovider", *(f"--deselect={test}" for test in DESELECTED)]
    return run(command, **environment)
