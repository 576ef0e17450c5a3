"""The fastest and most accurate loss functions on a CPU.

One call gives the value and the gradient, and the diagonal Hessian where asked, of a loss in one
pass over the arrays.
"""

from . import losses as _families
from ._config import set_threads, show_config, threads, use_backend
from ._loss import GroupLoss, ListLoss, Loss, MapLoss, PairLoss, RowLoss, ScanLoss, get, losses
from ._version import __version__
from .losses import *  # noqa: F403

__all__ = [
    "GroupLoss",
    "ListLoss",
    "Loss",
    "MapLoss",
    "PairLoss",
    "RowLoss",
    "ScanLoss",
    "__version__",
    "get",
    "get_include",
    "losses",
    "set_threads",
    "show_config",
    "threads",
    "use_backend",
]
__all__ += _families.__all__


def get_include() -> str:
    """The folder of the C header ``fastloss.h``."""
    from pathlib import Path

    return str(Path(__file__).parent / "include")
