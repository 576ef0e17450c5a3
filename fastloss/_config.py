"""Backends and thread counts: for a block of code, or for the process."""

from __future__ import annotations

import contextlib
import numbers
import os
import platform
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from ._messages import kind_of, shown
from ._native import core

__all__ = [
    "backend",
    "checked_threads",
    "set_threads",
    "show_config",
    "thread_limit",
    "threads",
    "use_backend",
]

BACKENDS = ("native", "numba", "numpy")
_MOST_THREADS = 2**31 - 1

_backend: ContextVar[str | None] = ContextVar("fastloss_backend", default=None)
_threads: ContextVar[int | None] = ContextVar("fastloss_threads", default=None)


def backend() -> str:
    """The backend of this context."""
    return _backend.get() or ("native" if core is not None else "numpy")


def thread_limit() -> int | None:
    """The thread count of this context, or None for that of the process."""
    return _threads.get()


@contextlib.contextmanager
def _override(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    # The compiled methods look at context variables only while this count is above 0.
    token = variable.set(value)
    if core is not None:
        core.count_override(1)
    try:
        yield
    finally:
        if core is not None:
            core.count_override(-1)
        variable.reset(token)


def use_backend(name: str) -> contextlib.AbstractContextManager[None]:
    """Runs losses on another backend within a ``with`` block.

    Parameters
    ----------
    name : {"native", "numba", "numpy"}
        The compiled kernels; the formulas compiled by Numba, under the same driver; or the
        formulas on NumPy arrays, the reference.

    Raises
    ------
    ValueError
        Where there is no such backend.
    ImportError
        Where what it needs is not installed.
    """
    if not isinstance(name, str) or name not in BACKENDS:
        known = ", ".join(map(repr, BACKENDS))
        raise ValueError(f"backend must be one of {known}; got {shown(name)}")
    if name != "numpy" and core is None:
        raise ImportError(
            f"the backend {name!r} needs the compiled core; reinstall fastloss without "
            "FASTLOSS_PURE=1"
        )
    if name == "numba":
        from . import _numba  # noqa: F401  (raises where the extra is missing)
    return _override(_backend, name)


def threads(n: int) -> contextlib.AbstractContextManager[None]:
    """Limits the threads of each call within a ``with`` block.

    Parameters
    ----------
    n : int
        At least 1.
    """
    return _override(_threads, checked_threads(n, 1))


def set_threads(n: int) -> None:
    """Limits the threads of each call in the whole process.

    Parameters
    ----------
    n : int
        At least 1; 0 returns to the default: ``FASTLOSS_NUM_THREADS``, else
        ``OMP_NUM_THREADS``, else the CPUs that this process may use.
    """
    n = checked_threads(n, 0)
    if core is not None:
        core.set_threads(n)


def checked_threads(n: Any, least: int) -> int:
    """A thread count as the core takes it, which is a limit: more than any machine has is one."""
    if isinstance(n, bool) or not isinstance(n, numbers.Integral):
        raise TypeError(f"threads must be an integer; got {kind_of(n)}")
    if n < least:
        raise ValueError(f"threads must be at least {least}; got {shown(n)}")
    return min(int(n), _MOST_THREADS)


def show_config() -> dict[str, Any]:
    """What this installation is and would use: for reports of errors.

    Returns
    -------
    dict
        Version, backend, instruction sets, threads, and versions of what it builds on.
    """
    import numpy

    from . import __version__

    config: dict[str, Any] = {
        "fastloss": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "machine": platform.machine(),
        "backend": backend(),
        "threads": core.get_threads() if core is not None else 1,
        "cpus": os.cpu_count(),
    }
    if core is not None:
        config["isa"] = core.isa()
        config["isas"] = core.isas()
        config["compiler"] = core.compiler()
    return config
