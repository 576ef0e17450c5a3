"""The compiled core, or what stands in for it where ``FASTLOSS_PURE=1`` left it out."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["core", "methods", "prepare"]

core: Any = None
try:
    from . import _core

    core = _core
except ImportError as error:
    if "_core" not in str(error):
        raise
    warnings.warn(
        "fastloss runs without its compiled core (it was installed with FASTLOSS_PURE=1): "
        "results are the same within the stated bounds, but slower",
        RuntimeWarning,
        stacklevel=2,
    )

methods: Any
if core is not None:
    methods = core
    prepare = core.prepare
else:
    from . import _methods as methods
    from ._call import call

    methods.call = call

    def prepare(loss: Any) -> None:
        """Nothing to prepare without the core."""
