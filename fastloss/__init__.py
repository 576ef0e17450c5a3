"""The fastest and most accurate loss functions on a CPU.

One call gives the value and the gradient, and the diagonal Hessian where asked, of a loss in one
pass over the arrays.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import losses as _families
from ._config import set_threads, show_config, threads, use_backend
from ._loss import GroupLoss, ListLoss, Loss, MapLoss, PairLoss, RowLoss, ScanLoss
from ._registry import get, losses
from ._version import __version__
from .losses import *  # noqa: F403

if TYPE_CHECKING:
    from ._evaluation import Evaluation, evaluate
    from ._result import LossResult
    from ._state import LossState

__all__ = [
    "Evaluation",
    "GroupLoss",
    "ListLoss",
    "Loss",
    "LossResult",
    "LossState",
    "MapLoss",
    "PairLoss",
    "RowLoss",
    "ScanLoss",
    "__version__",
    "custom",
    "evaluate",
    "get",
    "get_include",
    "losses",
    "set_threads",
    "show_config",
    "threads",
    "use_backend",
]
__all__ += _families.__all__

# Read where they are first used: an import of fastloss is quick.
_LAZY = {
    "Evaluation": "._evaluation",
    "LossResult": "._result",
    "LossState": "._state",
    "evaluate": "._evaluation",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_include() -> str:
    """The folder of the C header ``fastloss.h``."""
    from pathlib import Path

    return str(Path(__file__).parent / "include")


def custom(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Makes a loss of a formula: a decorator, bare or with arguments.

    The formula is called once, with symbols, and derived by SymPy; naive patterns such as
    ``log(1 + exp(x))`` become forms that keep their digits. Numba compiles the result at its first
    use, on the native backend too.

    Parameters
    ----------
    function : callable
        ``function(prediction, target, *inputs, parameter=default, ...)`` of arrays: the value of
        each element, in NumPy's and ``scipy.special``'s functions. Arguments with defaults are
        parameters of the loss, finite numbers.
    rows : {"labels", "masses"}, optional
        The formula is that of one row, whose classes sums and the functions of
        :mod:`fastloss.rowwise` reduce to a number. The target is a class index, ``x[target]``, or
        has a number for each class.
    inputs : sequence of str, optional
        Named inputs of each element, keywords of every method.
    domains : dict, optional
        For each input ``(low, high)``, between which its numbers lie. Others are errors.
    grad, hess : callable, optional
        Formulas of the same arguments that take the place of the derivatives.
    convex, smooth, proper : bool, optional
        What the loss states of itself, like those of the registry; False by default.
    hessian_sign, elicits, link : str, optional
        Likewise; ``"any"``, ``""`` and ``"identity"`` by default.

    Returns
    -------
    type
        A subclass of :class:`Loss`. Its losses pickle by their expressions, so that those of a
        notebook work in other processes. ``source()`` shows what is computed and ``check()`` looks
        for what may be wrong with it.

    Raises
    ------
    TypeError
        Where the formula uses what cannot be traced, or its arguments are not these.
    """
    from ._custom import make

    return make(function, **options)
