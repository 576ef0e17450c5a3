"""The families of losses; each lists its losses in ``__all__``."""

from types import ModuleType

from . import (
    binary,
    categorical,
    classification,
    counts,
    deviances,
    distribution,
    divergence,
    forecast,
    margin,
    ordinal,
    proportional_hazards,
    ranking,
    regression,
    relative,
    robust,
    survival,
)
from .binary import *  # noqa: F403
from .categorical import *  # noqa: F403
from .classification import *  # noqa: F403
from .counts import *  # noqa: F403
from .deviances import *  # noqa: F403
from .distribution import *  # noqa: F403
from .divergence import *  # noqa: F403
from .forecast import *  # noqa: F403
from .margin import *  # noqa: F403
from .ordinal import *  # noqa: F403
from .proportional_hazards import *  # noqa: F403
from .ranking import *  # noqa: F403
from .regression import *  # noqa: F403
from .relative import *  # noqa: F403
from .robust import *  # noqa: F403
from .survival import *  # noqa: F403

FAMILIES: tuple[ModuleType, ...] = (
    regression,
    robust,
    relative,
    deviances,
    distribution,
    counts,
    binary,
    categorical,
    margin,
    ordinal,
    divergence,
    forecast,
    ranking,
    proportional_hazards,
    survival,
    classification,
)

__all__ = [name for family in FAMILIES for name in family.__all__]
