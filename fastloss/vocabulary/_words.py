"""The plain words on NumPy arrays of float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._polynomials import REDUCED

__all__ = [
    "abs",
    "const",
    "exp",
    "expm1",
    "flat",
    "fma",
    "inf",
    "log",
    "log1p",
    "log1p_unit",
    "log_cosh_reduced",
    "lowered",
    "maximum",
    "minimum",
    "nan",
    "sign",
    "sqrt",
    "tanh_reduced",
    "two_difference",
    "two_exp",
    "two_exp_negative",
    "two_exp_raised",
    "two_inverse",
    "two_log",
    "two_log1p",
    "two_product",
    "two_sum",
    "where",
]

inf = np.inf
nan = np.nan
abs = np.abs
sign = np.sign
where = np.where
log = np.log
minimum = np.minimum
maximum = np.maximum
sqrt = np.sqrt


def const(x: float) -> Any:
    """A literal in the compute dtype."""
    return np.float64(x)


def flat(x: Any) -> Any:
    """0, or NaN where x is NaN: the flat part of a derivative."""
    return np.where(np.isnan(x), x, 0.0)


def fma(a: Any, b: Any, c: Any) -> Any:
    """The product a * b plus c, rounded nearly once: the product in two words (Dekker), a sum."""
    product = a * b
    a_high = _upper_half(a)
    b_high = _upper_half(b)
    a_low = a - a_high
    b_low = b - b_high
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    high, low = two_sum(product, c)
    low = low + lost
    return np.where(np.isfinite(low), high + low, high)  # where a word overflows


def _upper_half(x: Any) -> Any:
    wide = (2.0**27 + 1) * x
    return wide - (wide - x)


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded sum and what the rounding lost."""
    high = a + b
    b_part = high - a
    return high, (a - (high - b_part)) + (b - b_part)


def two_difference(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded difference and what the rounding lost (0 where it is infinite)."""
    high = a - b
    b_part = a - high
    low = (a - (high + b_part)) + (b_part - b)
    return high, np.where(np.isfinite(high), low, 0.0)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded product and what the rounding lost (0 where it is infinite)."""
    high = a * b
    return high, np.where(np.isfinite(high), fma(a, b, -high), 0.0)


def two_inverse(high: Any, low: Any) -> tuple[Any, Any]:
    """1 / (high + low) in two words, of a finite number that is not 0."""
    inverse = 1.0 / high
    return inverse, (fma(-high, inverse, 1.0) - low * inverse) * inverse


def exp(high: Any, low: Any = 0.0) -> Any:
    """exp(high + low), where low is the rounding error of high."""
    e = np.exp(high)
    return np.where(np.isfinite(e) & (e > 0.0), e + e * low, e)


def two_exp(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """exp(high + low) in two words, where low is the rounding error of high."""
    e, e_low = _two_words(np.exp(np.asarray(high, np.longdouble) + low))
    return e, np.where(np.isfinite(e), e_low, 0.0)


two_exp_negative = two_exp  # compiled words are faster for high <= 0


def two_exp_raised(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """The same times a power of two, so that sums lose no digits to subnormal numbers."""
    return _two_words(np.exp(np.asarray(high, np.longdouble) + low) * _RAISE)


def two_exp_product(x: Any, factor: Any, factor_low: Any = 0.0) -> tuple[Any, Any]:
    """exp(x) (factor + factor_low) in two words, even where exp(x) overflows; 0 exp(x) = 0."""
    wide = np.asarray(factor, np.longdouble) + factor_low
    product = np.where((wide == 0) & (x == x), wide, wide * np.exp(np.asarray(x, np.longdouble)))
    high, low = _two_words(product)
    return high, np.where(np.isfinite(high), low, 0.0)


def lowered(x: Any) -> Any:
    """Takes that factor off."""
    return x / _RAISE


_RAISE = 2.0**106


def _two_words(x: Any) -> tuple[Any, Any]:
    rounded = np.asarray(x, np.float64)
    return rounded, np.asarray(x - rounded, np.float64)


def expm1(high: Any, low: Any = 0.0) -> Any:
    """exp(high + low) - 1, where low is the rounding error of high."""
    e = np.exp(high)
    return np.expm1(high) + np.where(np.isfinite(e), e * low, 0.0)


def log1p(x: Any, addend: Any = 0.0) -> Any:
    """log(1 + x) plus a small number."""
    return np.log1p(x) + addend


def two_log(high: Any, low: Any = 0.0) -> tuple[Any, Any]:
    """log(high + low) in two words, where low is the rounding error of high."""
    log_high, log_low = _two_words(np.log(np.asarray(high, np.longdouble)))
    log_low = np.where(np.isfinite(log_high), log_low, 0.0)
    return log_high, np.where(high > 0.0, log_low + low / high, 0.0)


def two_log1p(x: Any, addend: Any = 0.0) -> tuple[Any, Any]:
    """log(1 + x) plus a small number, in two words."""
    exact = np.log1p(np.asarray(x, np.longdouble))
    rounded = np.asarray(exact, np.float64)
    low = np.asarray(exact - rounded, np.float64) + addend
    return rounded, np.where(np.isfinite(rounded), low, 0.0)


log1p_unit = log1p  # arguments in [0, 1]


def _polynomial(name: str) -> Callable[[Any], Any]:
    coefficients = REDUCED[name]["float64"]

    def polynomial(x: Any) -> Any:
        value: Any = 0.0
        for coefficient in reversed(coefficients):
            value = value * x + coefficient
        return value

    return polynomial


def _divided(name: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    coefficients = REDUCED[name]["float64"]

    def divided(x: Any, y: Any) -> tuple[Any, Any]:
        value: Any = coefficients[-1] + 0.0 * x
        slope: Any = 0.0 * x
        for coefficient in reversed(coefficients[:-1]):
            slope = slope * y + value
            value = value * x + coefficient
        return value, slope

    return divided


log_cosh_reduced = _polynomial("log_cosh_reduced")
tanh_reduced = _polynomial("tanh_reduced")


# ---- what the special words need beside


atanh_reduced = _polynomial("atanh_reduced")
digamma_far_divided = _divided("digamma_far_divided")
digamma_far_reduced = _polynomial("digamma_far_reduced")
digamma_reduced = _polynomial("digamma_reduced")
exp_cubic = _polynomial("exp_cubic")
lgamma_reduced = _polynomial("lgamma_reduced")
log_excess_reduced = _polynomial("log_excess_reduced")
mills_reduced = _polynomial("mills_reduced")
mills_slope_reduced = _polynomial("mills_slope_reduced")
normal_interval_reduced = _polynomial("normal_interval_reduced")
stirling_divided = _divided("stirling_divided")
stirling_reduced = _polynomial("stirling_reduced")
trigamma_far_divided = _divided("trigamma_far_divided")
trigamma_far_reduced = _polynomial("trigamma_far_reduced")
trigamma_reduced = _polynomial("trigamma_reduced")

_LN2_HIGH = float.fromhex("0x1.62e42fefa38p-1")  # short: its product with an exponent is exact
_LN2_LOW = float.fromhex("0x1.ef35793c7673p-45")


def constant(single: float, twice: float) -> Any:
    """A number that differs between float32 and float64."""
    return np.float64(twice)


def multiply_add(a: Any, b: Any, c: Any) -> Any:
    """The product a * b plus c; compiled, with one rounding where the hardware can."""
    return a * b + c


def exp_split(high: Any, low: Any) -> tuple[Any, Any, Any]:
    """For high + low = n log(2) + r with high <= 0: 2**n, raised like two_exp_raised, and r."""
    n = np.rint(np.maximum(high, -1000.0) * np.log2(np.e))
    power = np.ldexp(_RAISE, np.where(np.isnan(n), 0.0, n).astype(np.int32))
    return power, high - n * _LN2_HIGH, low - n * _LN2_LOW


def log_split(high: Any, low: Any) -> tuple[Any, Any, Any, Any]:
    """For high + low = 2**k (m + m_low), m about 1: k log(2) in two words, m, m_low."""
    m, k = np.frexp(high)
    k = np.where(m < np.sqrt(0.5), k - 1, k)
    return k * _LN2_HIGH, k * _LN2_LOW, np.ldexp(high, -k), np.ldexp(low, -k)


def log_limits(x: Any, words: tuple[Any, Any]) -> tuple[Any, Any]:
    """The words, but the logarithm's value where they do not hold: 0, negative, infinite, NaN."""
    regular = (x > 0.0) & (x < np.inf)
    return np.where(regular, words[0], np.log(x)), np.where(regular, words[1], 0.0)
