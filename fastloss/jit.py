"""Losses as functions of numbers and of rows, for code that users compile with Numba.

``from fastloss.jit import huber, sigmoid_cross_entropy, softmax_cross_entropy, log1p``: every loss
of elements or rows in :func:`fastloss.losses` with its default parameters, and words that formulas
are made of. :func:`function` gives those of a loss with other parameters, or of a user's own.

A loss of elements is a function ``value, grad, hess = huber(prediction, target)`` of numbers,
computed in float64 where the prediction is float64, else in float32; of losses of several
predictions gradient and Hessian are tuples. One without a gradient gives its value alone. The
functions are inlined and without branches, so that LLVM vectorises loops over them.

A loss of rows is a function ``value, grad, hess = softmax_cross_entropy(row, target)`` of an array
of one axis and a class index, an array of masses, or a number. ``softmax_cross_entropy(row, target,
grad, hess)`` writes into these arrays instead of new ones; ``grad`` may be ``row`` itself.

Nothing is checked but class indices and lengths: domains are the caller's affair.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import vocabulary
from ._loss import Loss
from ._numba import compiled
from ._registry import get, losses
from .vocabulary import composed
from .vocabulary._numba_math import OPTIONS
from .vocabulary.compiled import words

try:
    from numba import njit, types
    from numba.core.errors import TypingError
    from numba.extending import overload
except ImportError as error:
    raise ImportError("fastloss.jit needs Numba: pip install fastloss[numba]") from error

__all__ = ["function"]

_WORDS = {
    "digamma": ("x",),
    "erf": ("x",),
    "erfc": ("x",),
    "exp": ("x",),
    "expm1": ("x",),
    "lgamma": ("x",),
    "log": ("x",),
    "log1mexp": ("x",),
    "log1p": ("x",),
    "log_normal_cdf": ("x",),
    "normal_cdf": ("x",),
    "normal_density": ("x",),
    "power": ("base", "exponent"),
    "sigmoid": ("x",),
    "softplus": ("x",),
    "tanh": ("x",),
    "trigamma": ("x",),
}
"""The words that are functions here, with their arguments."""


def function(loss: Loss) -> Any:
    """The function of a loss, to be called in code that Numba compiles, or anywhere else.

    Parameters
    ----------
    loss : fastloss.Loss
        One of elements or of rows. Its parameters become constants.

    Returns
    -------
    function
        Compiled by Numba where it is called, for the dtypes that it is given there.

    Raises
    ------
    TypeError
        Where the loss is one of groups.
    ValueError
        Where it has class weights or ignores labels, which a caller's loop does itself.

    Examples
    --------
    >>> import fastloss as fl, fastloss.jit, numba
    >>> huber = fl.jit.function(fl.Huber(delta=2.0))
    >>> @numba.njit
    ... def total(prediction, target):
    ...     result = 0.0
    ...     for z, y in zip(prediction, target):
    ...         value, grad, hess = huber(z, y)
    ...         result += value
    ...     return result
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"function takes a loss, such as fl.Huber(); got {loss!r}")
    if loss.schema == "map":
        return _of_numbers(loss)
    if loss.schema == "row":
        from ._jit_rows import of_rows

        return of_rows(loss)
    raise TypeError(f"{loss.name} is a loss of groups, which have no function of numbers or rows")


def __getattr__(name: str) -> Any:
    if name in _WORDS:
        return _word(name)
    if name in __dir__():
        return function(get(name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    kinds = (get(name) for name in (*losses(), *losses(gradient=False)))
    return [*__all__, *_WORDS, *(loss.name for loss in kinds if loss.schema in ("map", "row"))]


@functools.cache
def _word(name: str) -> Any:
    own = name in composed.__all__
    text = getattr(composed if own else vocabulary, name)

    def choose(*given: Any) -> Any:
        dtype = np.float32 if all(x == types.float32 for x in given) else np.float64
        word = compiled(text, dtype) if own else words(dtype)[name]
        return _with(word, dtype, _WORDS[name], _WORDS[name])

    return of_types(name, _WORDS[name], text.__doc__, choose)


@functools.cache
def _of_numbers(loss: Loss) -> Any:
    predictions = loss.differentiated
    others = [name for name in loss.inputs if name not in predictions]

    def choose(*given: Any) -> Any:
        kinds = dict(zip(loss.inputs, given, strict=True))
        for name in predictions:
            floating(loss, name, kinds[name])
        dtype = np.float64 if kinds["prediction"] == types.float64 else np.float32
        formula = compiled(loss.scalars.formula, dtype)
        order = [*predictions, *others]  # the formula's
        return _with(formula, dtype, loss.inputs, order, loss.kernel_parameters())

    return of_types(loss.name, loss.inputs, type(loss).__doc__, choose)


def floating(loss: Loss, name: str, kind: Any) -> None:
    """Raises where a prediction is no number of a dtype that is computed in."""
    if kind not in (types.float32, types.float64):
        raise TypingError(f"{name} of {loss.name} must be float32 or float64; got {kind}")


def _with(
    formula: Any,
    dtype: Any,
    arguments: Iterable[str],
    order: Iterable[str],
    parameters: Iterable[float] = (),
) -> Any:
    """A formula with its parameters, of arguments that are converted first."""
    constants = {f"_c{i}": dtype(x) for i, x in enumerate(parameters)}
    numbers = ", ".join([*(f"dtype({name})" for name in order), *constants])
    call = f"def call({', '.join(arguments)}): return formula({numbers})"
    meanings = {"formula": formula, "dtype": dtype, **constants}
    exec(compile(call, "<function>", "exec"), meanings)
    return meanings["call"]


def of_types(
    name: str,
    arguments: Iterable[str],
    doc: str | None,
    choose: Callable[..., Any],
    inline: bool = True,
) -> Any:
    """A function for Numba's code and for Python's; ``choose`` makes its text for some types.

    Numba knows no other way to let the text depend on types and to take arguments by name.
    """
    given = ", ".join(arguments)
    passed = given.replace("=None", "")
    texts = f"""
def typed({given}): ...
def chosen({given}): return choose({passed})
def {name}({given}): return typed({passed})
"""
    meanings: dict[str, Any] = {"choose": choose, "__name__": __name__}
    exec(compile(texts, f"<{name}>", "exec"), meanings)
    options: Any = {**OPTIONS, "forceinline": inline}
    overload(meanings["typed"], jit_options=options)(meanings["chosen"])
    found = meanings[name]
    found.__doc__ = doc
    return njit(**options)(found)
