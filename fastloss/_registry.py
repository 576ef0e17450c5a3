"""The losses by name."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any

from ._loss import Loss
from ._messages import shown

if TYPE_CHECKING:
    from ._catalogue import Catalogue

__all__ = ["get", "losses"]


@functools.cache
def _registry() -> dict[str, type[Loss]]:
    from .losses import FAMILIES

    classes = (getattr(family, name) for family in FAMILIES for name in family.__all__)
    return {loss.name: loss for loss in classes}


def losses(*, gradient: bool = True) -> Catalogue:
    """The names of all losses: a tuple that prints as a table of what each says of itself.

    Parameters
    ----------
    gradient : bool
        Those that have a gradient, or instead those that give their value alone.
    """
    from ._catalogue import Catalogue

    return Catalogue(name for name, loss in _registry().items() if loss.has_gradient == gradient)


def get(name: str, **parameters: Any) -> Loss:
    """The loss of a name.

    Parameters
    ----------
    name : str
        A registry name, alone or with parameters: ``"huber"`` or ``"huber(delta=2.0)"``.
    **parameters
        Parameters of the loss; they win over those in the name.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        Where no loss has the name, or the text cannot be read.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string such as 'huber'; got {type(name).__name__}")
    text, written = name.strip(), {}
    if text.endswith(")"):
        text, _, inner = text.partition("(")
        written = _read_parameters(name, inner[:-1])
    known = _registry()
    if text not in known:
        import difflib  # only here: an import of fastloss is quick

        near = difflib.get_close_matches(text[:100].lower(), known)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(f"no loss is called {shown(text)}; {hint}fl.losses() lists all")
    return known[text](**{**written, **parameters})


def _read_parameters(name: str, inner: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"f({inner})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError("keywords only")
        names = [k.arg for k in call.keywords]
        if None in names or len(set(names)) < len(names):
            raise ValueError("each keyword once")
        return {str(k.arg): _literal(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ValueError(
            f"cannot read {shown(name)}; write a name with literal parameters, "
            "such as 'huber(delta=2.0)'"
        ) from None


def _literal(node: ast.expr) -> Any:
    if ast.unparse(node) in ("inf", "-inf", "nan"):  # as repr writes them
        return float(ast.unparse(node))
    return ast.literal_eval(node)
