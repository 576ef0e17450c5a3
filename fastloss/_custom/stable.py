"""Naive patterns become forms that keep their digits: :data:`EARLY` and :data:`LATE` list them.

A rule takes an expression whose parts are stable already and gives another, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.parameters import distribute
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFunction

from . import functions as f
from .rows import other_share
from .stable_rows import RULES as OF_ROWS
from .stable_rows import times_log_of_class

__all__ = ["AT_ZERO", "EARLY", "EARLY_OF_ROWS", "LATE", "derived", "rewritten"]

Rule = Callable[[Any], Any]


def _plus_one(x: Any) -> Any:
    """The u of 1 + u, or None."""
    return x - 1 if x.is_Add and x.args[0] == 1 else None


# ---- of logarithms


def log_of_sum(e: Any) -> Any:
    """log(1 + exp(x)), log(exp(a) + exp(b)), log(1 + u), log(1 / x), log(cosh(x)), log(erfc(x))."""
    if e.func is not sympy.log:
        return None
    (x,) = e.args
    if x.func is sympy.cosh:
        return f.LogCosh(x.args[0])
    if x.func is f.Erfc:
        return f.LogErfc(x.args[0])
    if x.func is f.Sigmoid:
        return -f.Softplus(-x.args[0])
    if x.is_Pow and x.exp == -1:
        return -rewritten(sympy.log(x.base), EARLY)
    if x.is_Add and len(x.args) == 2 and all(t.func is sympy.exp for t in x.args):
        a, b = (t.args[0] for t in x.args)
        return a + f.Softplus(b - a)
    u = _plus_one(x)
    if u is None:
        return None
    return f.Softplus(u.args[0]) if u.func is sympy.exp else f.Log1p(u)


def log1p_of_exp(e: Any) -> Any:
    """log1p(exp(x))."""
    if e.func is f.Log1p and e.args[0].func is sympy.exp:
        return f.Softplus(e.args[0].args[0])
    return None


def times_log(e: Any) -> Any:
    """At 0: x log(x), and y log(u) for a y that no prediction changes."""
    if not e.is_Mul:
        return None
    for log, word in ((sympy.log, f.Xlogy), (f.Log1p, f.Xlog1py)):
        logs = [t for t in e.args if t.func is log]
        if len(logs) != 1:
            continue
        (u,) = logs[0].args
        number, factor = (e / logs[0]).as_coeff_Mul()
        of_target = sympy.Symbol("target", real=True) in factor.free_symbols
        fixed = of_target and sympy.Symbol("prediction", real=True) not in factor.free_symbols
        if fixed or factor == (u if log is sympy.log else 1 + u):
            return number * word(factor, u)
    return None


# ---- of exponentials


def logistic(e: Any) -> Any:
    """1 / (1 + exp(-x)), its powers, and exp(x) / (1 + exp(x))."""
    if e.is_Pow:
        u = _plus_one(e.base)
        if u is not None and u.func is sympy.exp:
            return f.Sigmoid(-u.args[0]) ** -e.exp
    if not e.is_Mul:
        return None
    for t in e.args:
        for s in e.args:
            base, exponent = s.as_base_exp()
            if t.func is not sympy.exp or base.func is not f.Sigmoid or not exponent.is_Integer:
                continue
            times = -t.args[0] / base.args[0]
            if times.is_Integer and 0 < times <= exponent:
                return (e / t / s) * f.Sigmoid(-base.args[0]) ** times * base ** (exponent - times)
    return None


def plain_power(e: Any) -> Any:
    """Powers of what is positive."""
    if e.func is f.Power and (e.args[0].is_positive or e.args[1].is_Integer):
        return e.args[0] ** e.args[1]
    return None


def simpler_ratio(e: Any) -> Any:
    """A c / (b c)."""
    if e.func is not f.Ratio or not all(x.is_Mul or x.is_Pow for x in e.args):
        return None
    found = f.Ratio(*sympy.fraction(e.args[0] / e.args[1]))
    return found if found.count_ops() < e.count_ops() else None


def _less_limit(e: Any, function: Any, rest_of: Callable[[Any], Any]) -> Any:
    """A sum with c f(x) - c, those two replaced by c times what f(x) - 1 is."""
    if not e.is_Add:
        return None
    for term in e.args:
        number, rest = term.as_coeff_Mul()
        if function(rest) and -number in e.args:
            others = [t for t in e.args if t not in (term, -number)]
            return sympy.Add(number * rest_of(rest), *others)
    return None


def complement(e: Any) -> Any:
    """sigmoid(x) - 1 = -sigmoid(-x), and likewise of softmax."""
    return _less_limit(e, _complement, lambda x: -_complement(x))


def _complement(x: Any) -> Any:
    return f.Sigmoid(-x.args[0]) if x.func is f.Sigmoid else other_share(x)


def exp_less_one(e: Any) -> Any:
    """exp(u) - 1."""
    return _less_limit(e, lambda x: x.func is sympy.exp, lambda x: f.Expm1(x.args[0]))


def root_less_one(e: Any) -> Any:
    """sqrt(1 + u) - 1 = u / (1 + sqrt(1 + u)), for u < 1."""
    half = sympy.Rational(1, 2)

    def is_root(x: Any) -> bool:
        return bool(x.is_Pow and x.exp == half and _plus_one(x.base) is not None)

    def rest_of(x: Any) -> Any:
        u = _plus_one(x.base)
        return f.Choice((u / (1 + x), u < 1), (x - 1, True))  # a large u may be infinite

    return _less_limit(e, is_root, rest_of)


def common_power(e: Any) -> Any:
    """1 / (1 + u) - u / (1 + u)^2 = 1 / (1 + u)^2, and whatever else of this kind is shorter."""
    if not e.is_Add:
        return None
    bases = {t.base for t in e.atoms(sympy.Pow) if _plus_one(t.base) is not None}
    for base in sorted(bases, key=str):
        u, b = sympy.Dummy("u"), sympy.Dummy("b", positive=True)
        terms = [t.subs(base, b).subs(_plus_one(base), u) for t in e.args]
        split = [t.as_independent(u, b, as_Add=False) for t in terms]
        numbers, factors = zip(*(fixed.as_coeff_Mul() for fixed, _ in split), strict=True)
        exponents = [part.as_coeff_exponent(b)[1] for _, part in split]
        if len(set(factors)) > 1 or not all(x.is_Rational for x in exponents):
            continue  # what is multiplied out must be u's polynomials alone
        least = min(exponents)
        parts = zip(numbers, (part / b**least for _, part in split), strict=True)
        rest = sympy.expand(sympy.Add(*(n * part for n, part in parts)).subs(b, 1 + u))
        if rest.count_ops() < sympy.Add(*terms).count_ops() - 2:
            return factors[0] * (rest * b**least).subs(u, _plus_one(base)).subs(b, base)
    return None


# ---- of sums, where a saturated function cancels with what is beside it


def saturated(e: Any) -> Any:
    """By what each lacks of its limit: softplus(x) - y x, sigmoid(x) - y."""
    if not e.is_Add:
        return None
    terms = list(e.args)
    for i, term in enumerate(terms):
        number, rest = term.as_coeff_Mul()
        factors = sympy.Mul.make_args(rest)
        for function in (f.Softplus, f.Sigmoid):
            own = [t for t in factors if t.func is function]
            if len(own) != 1:
                continue
            (x,) = own[0].args
            if not x.free_symbols:
                continue
            factor = number * sympy.Mul(*(t for t in factors if t is not own[0]))
            others = [t for j, t in enumerate(terms) if j != i]
            beyond, below = f.Softplus(-x), own[0]
            if function is f.Softplus:
                linear = [t for t in others if not sympy.cancel(t / x).has(*x.free_symbols)]
                if not linear:
                    continue
                others = [t for t in others if t not in linear]
                slope = sympy.Add(*(sympy.cancel(t / x) for t in linear))
                near = f.Choice(
                    ((factor + slope) * x + factor * beyond, x > 0),
                    (slope * x + factor * below, True),
                )
                return sympy.Add(near, *others)
            if any(t.has(f.Sigmoid) for t in others):
                continue
            level = sympy.Add(*others)
            return f.Choice(
                (f.Group(factor + level) - factor * f.Sigmoid(-x), x > 0),
                (level + factor * below, True),
            )
    return None


EARLY: tuple[Rule, ...] = (
    log_of_sum, log1p_of_exp, times_log, logistic, plain_power, simpler_ratio, complement,
    exp_less_one, common_power,
)  # fmt: skip
"""Before derivatives are taken: these make them simpler, too."""
EARLY_OF_ROWS: tuple[Rule, ...] = (*OF_ROWS, *EARLY)
"""Likewise, of formulas of rows."""
AT_ZERO: tuple[Rule, ...] = (times_log, times_log_of_class)
"""What is part of a formula of rows: 0 log 0 = 0."""
LATE: tuple[Rule, ...] = (root_less_one, saturated)
"""Afterwards."""
_NAMES = {
    sympy.Abs: f.Absolute,
    sympy.sign: f.Sign,
    sympy.tanh: f.Tanh,
}
"""What SymPy makes of powers and quotients by itself."""


def rewritten(e: Any, rules: tuple[Rule, ...]) -> Any:
    """The same, where rules apply."""
    if not e.args:
        return e
    if e.func in _NAMES:
        return rewritten(_NAMES[e.func](*e.args), rules)
    if rules is LATE and isinstance(e, (Relational, BooleanFunction)):
        return e
    args = [rewritten(x, rules) for x in e.args]
    if any(a is not b for a, b in zip(args, e.args, strict=True)):
        e = e.func(*args)
    for rule in rules:
        found = rule(e)
        if found is not None and found != e:
            return found if rules is LATE else rewritten(found, rules)
    return e


def derived(
    value: Any,
    grad: Any,
    hess: Any,
    derivative: Callable[[Any], Any],
    early: tuple[Rule, ...] = EARLY,
) -> tuple[Any, Any, Any]:
    """Value, gradient and Hessian in forms that keep their digits; None is to be derived."""
    with distribute(False):
        value = rewritten(value, early)
        grad = rewritten(derivative(value) if grad is None else grad, early)
        hess = rewritten(derivative(grad) if hess is None else hess, early)
        return rewritten(value, LATE), rewritten(grad, LATE), rewritten(hess, LATE)
