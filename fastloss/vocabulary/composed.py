"""Words of users' formulas, made of the vocabulary's."""

from __future__ import annotations

from typing import Any

from . import (
    abs,
    const,
    constant,
    exp,
    expm1,
    inf,
    log,
    log1p,
    log_normal_cdf,
    maximum,
    nan,
    normal_cdf,
    normal_interval,
    power,
    sign,
    two_product,
    where,
)

__all__ = [
    "cosh",
    "erf",
    "erfc",
    "least",
    "log_cosh",
    "log_erfc",
    "product",
    "ratio",
    "ratio_of_square",
    "sigmoid",
    "signed_power",
    "sinh",
    "softplus",
    "xlog1py",
    "xlogy",
]


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    one = const(1.0)
    e = exp(-abs(x))
    return where(x < const(0.0), e, one) / (one + e)


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return maximum(x, const(0.0)) + log1p(exp(-abs(x)))


def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    size = abs(x)
    t = expm1(size)
    large = size > const(80.0)
    half = exp(const(0.5) * size)
    far = const(0.5) * half * half
    near = const(0.5) * (t + t / (t + const(1.0)))
    return sign(x) * where(large, far, near)


def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    half = exp(const(0.5) * abs(x))
    e = half * half
    return where(e > const(1e30), const(0.5) * half * half, const(0.5) * (e + const(1.0) / e))


def log_cosh(x: Any) -> Any:
    """The logarithm of the hyperbolic cosine."""
    size, one = abs(x), const(1.0)
    small = size < one
    m = expm1(size)
    inverse = one / (one + m)
    # cosh(x) - 1 near 0; what exp(-2 |x|) adds to |x| - log(2) elsewhere
    rest = log1p(where(small, const(0.5) * m * m, inverse) * inverse)
    return where(small, rest, rest + (size - const(0.6931471805599453)))


def _times_root_two(x: Any) -> tuple[Any, Any]:
    """In two words, as tails change by much more than their argument is rounded."""
    high, low = two_product(constant(1.4142135381698608, 1.4142135623730951), x)
    rest = constant(2.4203234971764687e-08, -9.667293313452913e-17) * x
    return high, where(abs(high) < const(inf), low + rest, const(0.0))


def erf(x: Any) -> Any:
    """The error function."""
    high, low = _times_root_two(x)
    return normal_interval(high, low)


def least(a: Any, b: Any) -> Any:
    """Of two numbers and what lies between them that of least magnitude."""
    apart = (a <= const(0.0)) & (b >= const(0.0)) | (b <= const(0.0)) & (a >= const(0.0))
    return where(apart, const(0.0), where(abs(a) < abs(b), a, b))


def erfc(x: Any) -> Any:
    """1 less the error function."""
    high, low = _times_root_two(x)
    return const(2.0) * normal_cdf(-high, -low)


def log_erfc(x: Any) -> Any:
    """The logarithm of erfc."""
    high, low = _times_root_two(x)
    return const(0.6931471805599453) + log_normal_cdf(-high, -low)


def product(a: Any, b: Any) -> Any:
    """The product a b; 0 where a is 0, whatever b."""
    return where(a == const(0.0), const(0.0), a * b)


def signed_power(base: Any, exponent: Any) -> Any:
    """The power base ** exponent, of a negative base where the exponent is whole."""
    size = power(abs(base), exponent)
    # a sum with this rounds to integers
    large = constant(12582912.0, 6755399441055744.0)
    half = const(0.5) * exponent
    even = (half + large) - large == half
    whole = (exponent + large) - large == exponent
    negative = where(whole, where(even, size, -size), const(nan))
    return where(base < const(0.0), negative, size)


def ratio(a: Any, b: Any) -> Any:
    """The quotient a / b; 0 where a is 0, whatever b."""
    return where(a == const(0.0), const(0.0), a / b)


def ratio_of_square(a: Any, b: Any) -> Any:
    """The quotient a / b²; 0 where a is 0, whatever b."""
    # the first quotient is raised, as it may be subnormal
    scale = where(abs(a) < const(1.0), const(2.0**60), const(1.0))
    return where(a == const(0.0), const(0.0), (a * scale) / b / (b * scale))


def xlogy(a: Any, b: Any) -> Any:
    """The product a log(b); 0 where a is 0."""
    return where(a == const(0.0), const(0.0), a * log(b))


def xlog1py(a: Any, b: Any) -> Any:
    """The product a log(1 + b); 0 where a is 0."""
    return where(a == const(0.0), const(0.0), a * log1p(b))
