"""The families of losses; each lists its losses in ``__all__``."""

from types import ModuleType

from . import binary, categorical, counts, distribution, divergence, regression
from .binary import *  # noqa: F403
from .categorical import *  # noqa: F403
from .counts import *  # noqa: F403
from .distribution import *  # noqa: F403
from .divergence import *  # noqa: F403
from .regression import *  # noqa: F403

FAMILIES: tuple[ModuleType, ...] = (
    regression, counts, binary, distribution, categorical, divergence,
)  # fmt: skip

__all__ = [name for family in FAMILIES for name in family.__all__]
