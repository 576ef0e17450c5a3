"""The vocabulary on mpmath numbers: definitions at any precision, for the oracle."""

from __future__ import annotations

from typing import Any

import mpmath

__all__ = ["WORDS"]


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


def _power(base: Any, exponent: Any) -> Any:
    if base or not exponent:
        return base**exponent
    return mpmath.mpf(0) if exponent > 0 else mpmath.inf


def _log1mexp(x: Any) -> Any:
    return mpmath.log1p(-mpmath.exp(-x)) if x > 1 else _log(-mpmath.expm1(-x))


def _log(x: Any) -> Any:
    return mpmath.log(x) if x else -mpmath.inf


def _normal_cdf(x: Any) -> Any:
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2 if x > -_FAR else mpmath.npdf(x) * _mills(-x)[0]


def _mills(x: Any) -> tuple[Any, Any]:
    """Mills' ratio m of x, (1 - Phi(x)) / phi(x), and 1 - x m."""
    if x < _FAR:
        ratio = _normal_cdf(-x) / mpmath.npdf(x)
        return ratio, 1 - x * ratio
    rest, term, k = mpmath.mpf(0), mpmath.mpf(1), 1
    while abs(term) > mpmath.eps**2:  # asymptotic
        term *= -(2 * k - 1) / x**2
        rest, k = rest - term, k + 1
    return (1 - rest) / x, rest


def _log_normal_cdf(x: Any) -> Any:
    if x > -1:
        return mpmath.log1p(-_normal_cdf(-x))
    return mpmath.log(_mills(-x)[0]) - (x**2 + mpmath.log(2 * mpmath.pi)) / 2


def _inverse_mills(x: Any) -> Any:
    if mpmath.isinf(x):
        return max(-x, mpmath.mpf(0))
    return 1 / _mills(-x)[0] if x < 0 else mpmath.npdf(x) / _normal_cdf(x)


def _inverse_mills_slope(x: Any) -> Any:
    if mpmath.isinf(x):
        return mpmath.mpf(x < 0)
    ratio = _inverse_mills(x)
    return _mills(-x)[1] * ratio**2 if x < 0 else ratio * (x + ratio)


_FAR = 10**5
"""Where the asymptotic series of Mills' ratio has hundreds of digits."""

WORDS = {
    "abs": abs,
    "const": mpmath.mpf,
    "digamma": lambda x: mpmath.digamma(x) if x else -mpmath.inf,
    "exp": mpmath.exp,
    "inf": mpmath.inf,
    "inverse_mills": _inverse_mills,
    "inverse_mills_slope": _inverse_mills_slope,
    "lgamma": lambda x: mpmath.loggamma(x) if x else mpmath.inf,
    "log": mpmath.log,
    "maximum": lambda *xs: max(xs),
    "log1mexp": _log1mexp,
    "log_normal_cdf": _log_normal_cdf,
    "minimum": min,
    "normal_cdf": _normal_cdf,
    "normal_density": mpmath.npdf,
    "normal_interval": lambda x: mpmath.erf(x / mpmath.sqrt(2)),
    "power": _power,
    "sech_squared": lambda x: mpmath.sech(x) ** 2,
    "sign": mpmath.sign,
    "sqrt": mpmath.sqrt,
    "tanh": mpmath.tanh,
    "trigamma": lambda x: mpmath.psi(1, x) if x else mpmath.inf,
    "where": _where,
}
