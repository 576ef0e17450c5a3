"""Words of derived formulas, made of the vocabulary's."""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    abs,
    const,
    constant,
    exp,
    expm1,
    log,
    log1p,
    log_normal_cdf,
    maximum,
    nan,
    normal_cdf,
    normal_interval,
    power,
    sign,
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
    "sigmoid",
    "signed_power",
    "sinh",
    "softplus",
    "xlog1py",
    "xlogy",
]


def sigmoid(x: Any) -> Any:
    one = const(1.0)
    e = exp(-abs(x))
    return where(x < const(0.0), e, one) / (one + e)


def softplus(x: Any) -> Any:
    return maximum(x, const(0.0)) + log1p(exp(-abs(x)))


def sinh(x: Any) -> Any:
    size = abs(x)
    t = expm1(size)
    large = size > const(80.0)
    half = exp(const(0.5) * size)
    far = const(0.5) * half * half
    near = const(0.5) * (t + t / (t + const(1.0)))
    return sign(x) * where(large, far, near)


def cosh(x: Any) -> Any:
    half = exp(const(0.5) * abs(x))
    e = half * half
    return where(e > const(1e30), const(0.5) * half * half, const(0.5) * (e + const(1.0) / e))


def log_cosh(x: Any) -> Any:
    size, one = abs(x), const(1.0)
    small = size < one
    m = expm1(size)
    inverse = one / (one + m)
    # cosh(x) - 1 near 0; what exp(-2 |x|) adds to |x| - log(2) elsewhere
    rest = log1p(where(small, const(0.5) * m * m, inverse) * inverse)
    return where(small, rest, rest + (size - const(0.6931471805599453)))


def erf(x: Any) -> Any:
    return normal_interval(const(1.4142135623730951) * x)


def least(a: Any, b: Any) -> Any:
    apart = (a <= const(0.0)) & (b >= const(0.0)) | (b <= const(0.0)) & (a >= const(0.0))
    return where(apart, const(0.0), where(abs(a) < abs(b), a, b))


def erfc(x: Any) -> Any:
    return const(2.0) * normal_cdf(const(-1.4142135623730951) * x)


def log_erfc(x: Any) -> Any:
    return const(0.6931471805599453) + log_normal_cdf(const(-1.4142135623730951) * x)


def product(a: Any, b: Any) -> Any:
    return where(a == const(0.0), const(0.0), a * b)


def signed_power(base: Any, exponent: Any) -> Any:
    size = power(abs(base), exponent)
    # a sum with this rounds to integers
    large = constant(12582912.0, 6755399441055744.0)
    half = const(0.5) * exponent
    even = (half + large) - large == half
    whole = (exponent + large) - large == exponent
    negative = where(whole, where(even, size, -size), const(nan))
    return where(base < const(0.0), negative, size)


def ratio(a: Any, b: Any) -> Any:
    return where(a == const(0.0), const(0.0), a / b)


def xlogy(a: Any, b: Any) -> Any:
    return where(a == const(0.0), const(0.0), a * log(b))


def xlog1py(a: Any, b: Any) -> Any:
    return where(a == const(0.0), const(0.0), a * log1p(b))
