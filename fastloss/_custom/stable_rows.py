"""Naive patterns over the classes of a row, and the forms that keep their digits."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from . import functions as f
from .rows import (
    PREDICTION,
    TARGET,
    AtLabel,
    LogShare,
    LogTotal,
    Share,
    Total,
    is_of_class,
    log_share,
    nodes,
)

__all__ = ["RULES", "times_log_of_class"]


def log_of_share(e: Any) -> Any:
    """log(softmax(u)), log(sum(exp(u)))."""
    if e.func is not sympy.log:
        return None
    (x,) = e.args
    if isinstance(x, Total) and x.args[0].func is sympy.exp:
        return LogTotal(x.args[0].args[0])
    return log_share(x)


def log_of_ratio(e: Any) -> Any:
    """log(target / u), whose quotient may overflow: logarithms differ in two words."""
    factor, x = S.One, e
    if e.func is f.Xlogy:
        factor, x = e.args[0], sympy.log(e.args[1])
    if x.func is not sympy.log:
        return None
    top, bottom = sympy.fraction(x.args[0])
    if bottom == 1 or not (_is_mass(top) or _is_mass(bottom)):
        return None
    return f.Product(factor, sympy.log(top) - sympy.log(bottom))


def ratio_of_exponentials(e: Any) -> Any:
    """exp(u) / sum(exp(u)), also where the first u is the label's."""
    if not e.is_Mul:
        return None
    for t in e.args:
        total = 1 / t
        if not isinstance(total, Total) or total.args[0].func is not sympy.exp:
            continue
        (x,) = total.args
        for place in (_here, AtLabel):
            if place(x) in e.args:
                return (e / t / place(x)) * place(Share(x.args[0]))
    return None


def power_of_share(e: Any) -> Any:
    """softmax(u)**x, where that of 1 - softmax(u) is not far away."""
    if e.is_Pow and not e.exp.is_Integer and (log := log_share(e.base)) is not None:
        return sympy.exp(e.exp * log)
    return None


def less_log_total(e: Any) -> Any:
    """log(sum(exp(u))) - u, also where u is the label's."""
    if not e.is_Add or not e.has(LogTotal):
        return None
    terms = sympy.Add.make_args(sympy.expand_mul(e))
    for term in terms:
        factor, total = term.as_independent(LogTotal, as_Add=False)
        if not isinstance(total, LogTotal):
            continue
        (u,) = total.args
        others = sympy.Add(*(t for t in terms if t is not term))
        for place in (_here, AtLabel):
            own = sympy.Add.make_args(sympy.expand_mul(factor * place(u)))
            if all(-t in sympy.Add.make_args(others) for t in own):
                return sympy.Add(others, *own) - factor * place(LogShare(u))
    return None


def _here(e: Any) -> Any:
    return e


def times_log_of_class(e: Any) -> Any:
    """At 0: a target's function, or a share, times what has a logarithm."""
    if not e.is_Mul:
        return None
    number, rest = e.as_coeff_Mul()
    factors = sympy.Mul.make_args(rest)
    logs = [t for t in factors if _has_log(t)]
    others = sympy.Mul(*(t for t in factors if t not in logs))
    if len(logs) != 1 or not (_is_mass(others) or _has_share(others, logs[0])):
        return None
    return number * f.Product(others, logs[0])


def _has_log(e: Any) -> bool:
    if isinstance(e, AtLabel):
        e = e.args[0]
    return isinstance(e, LogShare) or (e.is_Add and any(_is_log(t) for t in e.args))


def _is_log(term: Any) -> bool:
    _, rest = term.as_coeff_Mul()
    return rest.func is sympy.log or isinstance(rest, LogShare)


def _is_mass(e: Any) -> bool:
    return TARGET in e.free_symbols and PREDICTION not in e.free_symbols


def _has_share(e: Any, log: Any) -> bool:
    own = {Share(x.args[0]) for x in nodes(log) if isinstance(x, LogShare)}
    return is_of_class(e) and any(t in own for t in sympy.Mul.make_args(e))


RULES = (
    log_of_share, log_of_ratio, ratio_of_exponentials, power_of_share, less_log_total,
    times_log_of_class,
)  # fmt: skip
"""Before derivatives are taken."""
