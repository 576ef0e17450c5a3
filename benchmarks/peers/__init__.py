"""Other libraries' losses: each module has ``prepare(work)``, which gives a call or None.

The call takes no arguments and gives what the work's output set names, as a tuple; it is None
where the library has no such loss or output. Whatever can be done once (conversions, compilation,
scratch arrays) is done before the call.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from ..work import Call, Work
from . import jax_jit, scikit_learn, torch_compile, torch_eager


@dataclass(frozen=True)
class Peer:
    """A library, or one of its ways of running a loss."""

    name: str
    prepare: Callable[[Work], Call | None]
    output: str
    """``"out="`` if it writes to arrays that exist, ``"fresh"`` if it allocates them."""
    modules: tuple[str, ...]
    dtypes: tuple[str, ...] = ("float32", "float64")
    """In which the registry measures it."""

    @property
    def installed(self) -> bool:
        return all(map(importlib.util.find_spec, self.modules))


COMPILED = "torch.compile"

PEERS = (
    Peer("scikit-learn", scikit_learn.prepare, "out=", ("sklearn",)),
    Peer("torch", torch_eager.prepare, "fresh", ("torch",)),
    Peer(COMPILED, torch_compile.prepare, "fresh", ("torch",), dtypes=("float32",)),
    Peer("jax.jit", jax_jit.prepare, "fresh", ("jax", "optax")),
)
