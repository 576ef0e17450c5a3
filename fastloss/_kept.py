"""Kernels that Numba compiled, kept on disk for the processes to come."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import platform
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import platformdirs
from numba.core import serialize
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys

from ._version import __version__

__all__ = ["compiled", "folder"]

PATIENCE = 1.0
"""Seconds of compiling after which the user is told."""


def folder() -> Path:
    """Where kernels are kept: ``FASTLOSS_CACHE_DIR``, or the user's folder for such things."""
    return Path(os.environ.get("FASTLOSS_CACHE_DIR") or platformdirs.user_cache_path("fastloss"))


def compiled(
    function: types.FunctionType, signature: Any, formulas: list[types.FunctionType], what: str
) -> Any:
    """A C function of Numba, compiled unless a process before has done so.

    Parameters
    ----------
    function : function
        What is compiled; its text and that of the formulas it calls tell what it is.
    signature : numba signature
    formulas : list of function
        In the vocabulary.
    what : str
        How messages call it.
    """
    options = {"error_model": "numpy"}
    found: Any = CFunc(function, (signature.args, signature.return_type), {}, options)
    found._cache = _Kept(folder() / f"{_digest(function, *formulas)}.pickle")
    timer = threading.Timer(PATIENCE, _tell, (what,))
    timer.daemon = True
    timer.start()
    try:
        found.compile()
    finally:
        timer.cancel()
    return found


class _Kept:
    """What Numba asks for a compiled function before it compiles, and gives it to afterwards."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        try:
            data = pickle.loads(self._path.read_bytes())
            rtsys.initialize(target_context)  # what allocates within kernels
            return CompileResult._rebuild(target_context, *data)
        except Exception:  # absent, cut off, or of another build: compile
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        data = serialize.dumps(result._reduce())
        with contextlib.suppress(OSError):  # a folder that cannot be written keeps nothing
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._path.parent, delete=False) as file:
                file.write(data)
            os.replace(file.name, self._path)  # all or nothing, whoever else writes it


def _tell(what: str) -> None:
    print(f"fastloss: compiling {what}; kept in {folder()}", file=sys.stderr, flush=True)


def _digest(*functions: types.FunctionType) -> str:
    total = hashlib.sha256(_surroundings())
    seen: set[types.FunctionType] = set()
    for function in functions:
        for part in _texts(function, seen):
            total.update(part)
    return total.hexdigest()


def _texts(function: types.FunctionType, seen: set[types.FunctionType]) -> Iterator[bytes]:
    """What a function does, and the helper functions that it calls."""
    if function in seen:
        return
    seen.add(function)
    code = function.__code__
    yield repr((code.co_code, code.co_names, code.co_varnames)).encode()
    yield repr([c for c in code.co_consts if not isinstance(c, types.CodeType)]).encode()
    for name in code.co_names:
        helper = function.__globals__.get(name)
        if isinstance(helper, types.FunctionType):
            yield from _texts(helper, seen)
        elif isinstance(helper, (int, float, type)):
            yield repr(helper).encode()


@functools.cache
def _surroundings() -> bytes:
    """Everything else that a kernel depends on: versions, the CPU, the words' texts."""
    here = Path(__file__).parent
    files = sorted([*here.glob("_numba*.py"), *(here / "vocabulary").rglob("*.py")])
    llvm = llvmlite.binding
    features = llvm.get_host_cpu_features().flatten()
    versions = (__version__, numba.__version__, llvmlite.__version__, platform.python_version())
    text = repr((versions, llvm.get_host_cpu_name(), features)).encode()
    return hashlib.sha256(text + b"".join(file.read_bytes() for file in files)).digest()
