"""The vocabulary on mpmath numbers: definitions at any precision, for the oracle."""

from __future__ import annotations

import functools
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
    if x > _MOST_BITS:  # mpmath would run out of memory
        return mpmath.mpf(0)
    return mpmath.log1p(-mpmath.exp(-x)) if x > 1 else _log(-mpmath.expm1(-x))


def _above(least: int, function: Any) -> Any:
    """A function of real numbers; below the least, NaN instead of complex numbers."""
    return lambda x: mpmath.nan if x < least else function(x)


def _log(x: Any) -> Any:
    return mpmath.log(x) if x else -mpmath.inf


def _normal_cdf(x: Any) -> Any:
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2 if x > -_FAR else mpmath.npdf(x) * _mills(-x)[0]


def _normal_density(x: Any) -> Any:
    return mpmath.npdf(x) if abs(x) < _FARTHEST else mpmath.mpf(0)


def _normal_interval(x: Any) -> Any:
    return mpmath.erf(x / mpmath.sqrt(2)) if abs(x) < _FARTHEST else mpmath.sign(x)


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


_ENOUGH = 300
"""Bits of functions whose arguments have many, and which take long at such a precision."""


@functools.lru_cache(maxsize=1024)
def _lgamma(x: Any) -> Any:
    with mpmath.workprec(min(mpmath.mp.prec, _ENOUGH)):
        return mpmath.loggamma(x) if x else mpmath.inf


def _trigamma(x: Any) -> Any:
    """By the asymptotic series of a number so far above; as psi(1, x), sooner."""
    total = mpmath.mpf(0)
    while x < mpmath.mp.prec / 4:
        total, x = total + 1 / x**2, x + 1
    total, power, k, term = total + 1 / x + 1 / (2 * x * x), 1 / x, 1, mpmath.mpf(1)
    while abs(term) > mpmath.eps * total:
        power /= x * x
        term = mpmath.bernoulli(2 * k) * power
        total, k = total + term, k + 1
    return total


def _scaled_softplus(x: Any, log_scale: Any) -> tuple[Any, ...]:
    """exp(-t) log(1 + exp(x + t)), and its derivatives by x and by the log_scale t, of each two."""
    logit = x + log_scale
    if logit >= 0:
        scale, e = mpmath.exp(-log_scale), mpmath.exp(-logit)
        softplus, p = logit + mpmath.log1p(e), 1 / (1 + e)
        curve = softplus - p - p * p
        return tuple(scale * y for y in (softplus, p, e * p * p, p - softplus, curve))
    u, mean = mpmath.exp(logit), mpmath.exp(x)
    p = 1 / (1 + u)
    if u < mpmath.mpf(2) ** -100:  # nothing may cancel
        value, slope, curve = 1 - u / 2 + u * u / 3, 2 * u * u / 3 - u / 2, 4 * u * u / 3 - u / 2
    else:
        value = mpmath.log1p(u) / u
        slope, curve = p - value, value - p - u * p * p
    return tuple(mean * y for y in (value, p, p * p, slope, curve))


def _rising_bits(count: Any) -> int:
    """Sums cancel near the zeros at 0 and 1, and for large r."""
    lost = (max(0, -mpmath.mag(x)) for x in (count, count - 1) if x)
    return max(_ENOUGH, mpmath.mp.prec) + sum(lost)


@functools.lru_cache(maxsize=2**14)
def _rising_parts(count: Any, log_step: Any, bits: int) -> tuple[Any, Any, Any, Any]:
    """What _log_rising is made of; the last tells whether (count - 1) log_step is to be added."""
    nothing = mpmath.mpf(0)
    if count in (0, 1):
        return (nothing,) * 4
    with mpmath.workprec(bits):
        if log_step < -45 - max(0, mpmath.log(count)):  # the series of inverse powers of r
            d, value, slope, curve = mpmath.exp(log_step), *(mpmath.mpf(0),) * 3
            for n in range(1, 7):
                term = mpmath.bernpoly(n + 1, count) - mpmath.bernoulli(n + 1)
                term *= (-1) ** (n + 1) * d**n / (n * (n + 1))
                value, slope, curve = value + term, slope + n * term, curve + n * n * term
            return value, slope, curve, nothing
    with mpmath.workprec(bits + 200):
        r = mpmath.exp(-log_step)
        value = mpmath.loggamma(r + count) - mpmath.loggamma(1 + r)
        first = r * (mpmath.digamma(r + count) - mpmath.digamma(1 + r))
        second = r * r * (_trigamma(r + count) - _trigamma(1 + r))
        return value, count - 1 - first, first + second, mpmath.mpf(1)


def _log_rising(count: Any, log_step: Any) -> tuple[Any, Any, Any]:
    """log(Gamma(r + count) / Gamma(r)) + count log_step for r = exp(-log_step).

    And its derivatives by log_step.
    """
    bits = _rising_bits(count)
    value, slope, curve, steps = _rising_parts(count, log_step, bits)
    if not steps:
        return value, slope, curve
    with mpmath.workprec(bits):
        return value + (count - 1) * log_step, slope, curve


_MOST_BITS = 10**6
"""Beyond it exp(-x) is 0 for every purpose."""
_FAR = 10**5
"""Where the asymptotic series of Mills' ratio has hundreds of digits."""
_FARTHEST = 2**40
"""From where on the numbers that the density is made of may be too large for mpmath."""

WORDS = {
    "abs": abs,
    "const": mpmath.mpf,
    "digamma": lambda x: mpmath.digamma(x) if x else -mpmath.inf,
    "exp": mpmath.exp,
    "inf": mpmath.inf,
    "inverse_mills": _inverse_mills,
    "inverse_mills_slope": _inverse_mills_slope,
    "lgamma": _lgamma,
    "log": _above(0, mpmath.log),
    "log1mexp": _log1mexp,
    "log1p": _above(-1, mpmath.log1p),
    "log_normal_cdf": _log_normal_cdf,
    "log_rising": lambda count, log_step: _log_rising(count, log_step)[0],
    "log_rising_derivatives": _log_rising,
    "maximum": lambda *xs: max(xs),
    "minimum": min,
    "normal_cdf": _normal_cdf,
    "normal_density": _normal_density,
    "normal_interval": _normal_interval,
    "power": _power,
    "scaled_softplus": lambda x, log_scale: _scaled_softplus(x, log_scale)[0],
    "scaled_softplus_derivatives": _scaled_softplus,
    "sech_squared": lambda x: mpmath.sech(x) ** 2,
    "sign": mpmath.sign,
    "sqrt": _above(0, mpmath.sqrt),
    "tanh": mpmath.tanh,
    "trigamma": lambda x: mpmath.psi(1, x) if x else mpmath.inf,
    "where": _where,
}
