"""Elementary functions of one real number for Numba.

``FLOAT32`` and ``FLOAT64`` map names to compiled functions that take and return exactly that
dtype: ``exp``, ``expm1``, ``log``, ``log1p``, ``log1p_unit`` (0 to 1 only), ``exp_negative`` (up
to 0 only), the two-word forms ``exp2w(x, lo)``, ``expm1_2w(x, lo)`` and ``exp_negative2w(x, lo)``
of x + lo with abs(lo) <= ulp(x), and ``abs``, ``minimum``, ``maximum``, ``sign``, ``sqrt``.

Notes
-----
The methods, coefficients and error bounds are those of ``csrc/real.hpp``, where they are
explained: branch-free plain arithmetic, which LLVM vectorises inside a caller's loop.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import config
from numba.extending import intrinsic

__all__ = ["FLOAT32", "FLOAT64"]

_compiled = numba.njit(error_model="numpy", fastmath=False)


def _has_fma() -> bool:
    """Whether the target fuses; where it does not, llvm.fma is a slow call that stays scalar."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    if config.CPU_FEATURES is not None:
        return "+fma" in config.CPU_FEATURES.split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get("fma", False))


_HAS_FMA = _has_fma()


def _emit_fma(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    return builder.fma(a, b, c) if _HAS_FMA else builder.fadd(builder.fmul(a, b), c)


@intrinsic
def fma(typing_context, a, b, c):
    """Return a * b + c, rounded once where the hardware can."""

    def code(context, builder, signature, arguments):
        return _emit_fma(builder, *arguments)

    return a(a, b, c), code


def _bitcast(source: Any, target: Any) -> Callable[..., Any]:
    @intrinsic
    def bitcast(typing_context, x):
        def code(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(target))

        return target(source), code

    return bitcast


def _polynomial(coefficients: str) -> Callable[..., Any]:
    """Return c0 + c1 x + c2 x**2 + ..., all scaled by a power of two: a literal of the caller."""
    numbers = [float.fromhex(c) for c in coefficients.split()]

    def make(scale: float = 1.0) -> Callable[..., Any]:
        @intrinsic
        def polynomial(typing_context, x):
            def code(context, builder, signature, arguments):
                kind = context.get_value_type(signature.return_type)
                constants = [ir.Constant(kind, c * scale) for c in numbers]
                value = constants[-1]
                for constant in reversed(constants[:-1]):
                    value = _emit_fma(builder, arguments[0], value, constant)
                return value

            return x(x), code

        return polynomial

    return make


_FLOAT32 = SimpleNamespace(
    real=np.float32,
    unsigned=np.uint32,
    real_type=numba.float32,
    unsigned_type=numba.uint32,
    mantissa=23,
    bias=127,
    log2_e="0x1.715476p0",
    ln2_high="0x1.62e4p-1",
    ln2_low="0x1.7f7d1cp-20",
    exp_zero=-104.5,
    exp_infinite=89.0,
    expm1_minus_one=-20.0,
    sqrt_half=0x3F3504F3,
    exp=_polynomial("""
        0x1p0 0x1p0 0x1.fffff8p-2 0x1.55548cp-3 0x1.555b82p-5 0x1.123cfcp-7 0x1.686a6ep-10
    """),
    expm1=_polynomial("""
        0x1.000004p-1 0x1.5554e6p-3 0x1.5546d6p-5 0x1.11e742p-7 0x1.7e8ad2p-10
    """),
    log=_polynomial("""
        -0x1.fffff8p-4 0x1.55555p-6 -0x1.000432p-8 0x1.99a41ap-11 -0x1.5425c4p-13 0x1.226dfcp-15
        -0x1.0f3fa6p-17 0x1.0860dp-19 -0x1.384734p-22
    """),
    log1p_unit=_polynomial("""
        -0x1.ffffd2p-2 0x1.554ddap-2 -0x1.ff2556p-3 0x1.935568p-3 -0x1.3a6736p-3 0x1.b53c48p-4
        -0x1.d7efa8p-5 0x1.4a9226p-6 -0x1.b22adep-9
    """),
)

_FLOAT64 = SimpleNamespace(
    real=np.float64,
    unsigned=np.uint64,
    real_type=numba.float64,
    unsigned_type=numba.uint64,
    mantissa=52,
    bias=1023,
    log2_e="0x1.71547652b82fep0",
    ln2_high="0x1.62e42fefa38p-1",
    ln2_low="0x1.ef35793c7673p-45",
    exp_zero=-746.0,
    exp_infinite=710.0,
    expm1_minus_one=-40.0,
    sqrt_half=0x3FE6A09E667F3BCD,
    exp=_polynomial("""
        0x1p0 0x1p0 0x1.000000000000cp-1 0x1.555555555551bp-3 0x1.555555554fe61p-5
        0x1.111111111fa0bp-7 0x1.6c16c185eb975p-10 0x1.a01a015589ca9p-13 0x1.a019960d73a8p-16
        0x1.71dec61e25361p-19 0x1.28b0a7b22ab76p-22 0x1.ae1484398610ep-26
    """),
    expm1=_polynomial("""
        0x1p-1 0x1.5555555555554p-3 0x1.55555555555dp-5 0x1.1111111111a6ap-7 0x1.6c16c16bc5309p-10
        0x1.a01a019c27334p-13 0x1.a01a03f49fcfp-16 0x1.71de3c3e52edfp-19 0x1.27ddd02c83093p-22
        0x1.aebe9eaedebfbp-26 0x1.2ef3c235c12cap-29
    """),
    log=_polynomial("""
        -0x1.0000000000003p-3 0x1.555555555551cp-6 -0x1.fffffffffdedep-9 0x1.99999999a17dfp-11
        -0x1.55555556e2856p-13 0x1.2492492246c29p-15 -0x1.fffffef6a1e86p-18 0x1.c71c71d805a6p-20
        -0x1.9999c90990664p-22 0x1.745d4523d2901p-24 -0x1.55507465c25d7p-26 0x1.3b0ac9094b35p-28
        -0x1.24dc4ad654c53p-30 0x1.11d8243d8c86dp-32 -0x1.fb6e5d1672714p-35 0x1.cfb72947854afp-37
        -0x1.d15a5125f36fep-39 0x1.0b5466cbc079ep-40 -0x1.eb43a8d53b327p-43 0x1.abe14c50ffa5ep-46
    """),
    log1p_unit=_polynomial("""
        -0x1.fffffffffff9fp-2 0x1.5555555551052p-2 -0x1.fffffffdd4a4bp-3 0x1.99999951fb01bp-3
        -0x1.55554fbe64ea4p-3 0x1.2491fed9cfc49p-3 -0x1.fffa8bd00015p-4 0x1.c6f6a83b8b02fp-4
        -0x1.98d296b9a7e37p-4 0x1.712df6166ba31p-4 -0x1.4b022086f55f2p-4 0x1.202df1e815f6cp-4
        -0x1.d7115508cb8bp-5 0x1.5a892cb8ffafap-5 -0x1.b632818d739d7p-6 0x1.c57efadab199bp-7
        -0x1.6b4e60f2382acp-8 0x1.a25bf10450d3fp-10 -0x1.31f8cd7a6207ap-12 0x1.a9067c05a4c2ep-16
    """),
)


def _build(form: SimpleNamespace) -> dict[str, Callable[..., Any]]:
    """Return the functions of one dtype; numbers are typed here, so that nothing is promoted."""
    real, unsigned = form.real, form.unsigned
    to_bits = _bitcast(form.real_type, form.unsigned_type)
    from_bits = _bitcast(form.unsigned_type, form.real_type)

    zero, one, four, quarter = real(0), real(1), real(4), real(0.25)
    infinity, nan = real(math.inf), real(math.nan)
    smallest_normal = real(2.0 ** (1 - form.bias))
    mantissa, bias = unsigned(form.mantissa), form.bias
    unit_place = unsigned(1)
    no_bits = unsigned(0)
    fraction = unsigned((1 << form.mantissa) - 1)
    exponents = unsigned((2 * bias + 1) << form.mantissa)
    sign_bit = unsigned(1 << (form.mantissa + (8 if real is np.float32 else 11)))
    two_in_place = unsigned(2 << form.mantissa)
    four_bits = unsigned((bias + 2) << form.mantissa)
    reciprocal = unsigned((2 * bias) << form.mantissa)
    bias_bits = unsigned(bias << form.mantissa)
    sqrt_half = unsigned(form.sqrt_half)

    log2_e = real(float.fromhex(form.log2_e))
    minus_high = real(-float.fromhex(form.ln2_high))
    minus_low = real(-float.fromhex(form.ln2_low))
    exp_zero, exp_infinite = real(form.exp_zero), real(form.exp_infinite)
    expm1_minus_one, centre = real(form.expm1_minus_one), real(0.0589)
    rounding = 1.5 * 2.0**form.mantissa
    wide_shift = real(rounding + 2 * bias)
    negative_shift = real(rounding + bias + form.mantissa + 1)
    exponent_unit = 2.0**-23 if real is np.float32 else 1.0
    log_high = real(float.fromhex(form.ln2_high) * exponent_unit)
    log_low = real(4 * float.fromhex(form.ln2_low) * exponent_unit)
    up = real(2.0**form.mantissa)
    up_exponent = real(form.mantissa / exponent_unit)
    integer_bits = unsigned((bias + form.mantissa) << form.mantissa)  # those of 2**mantissa
    integer_shift = real(2.0**form.mantissa + bias)

    exp_reduced = form.exp()
    exp_reduced_small = form.exp(2.0 ** -(form.mantissa + 1))
    expm1_reduced = form.expm1()
    log_reduced = form.log()
    log1p_unit_reduced = form.log1p_unit()

    @_compiled
    def absolute(x):
        return from_bits(unsigned(to_bits(x) & unsigned(~sign_bit)))

    @_compiled
    def minimum(a, b):
        least = a if a < b else b
        return a if a != a else least

    @_compiled
    def maximum(a, b):
        greatest = a if a > b else b
        return a if a != a else greatest

    @_compiled
    def sign(x):
        below = -one if x < zero else x
        return one if x > zero else below

    @_compiled
    def sqrt(x):
        return math.sqrt(x)

    @_compiled
    def with_sign_of(x, y):
        return from_bits(unsigned(to_bits(y) | unsigned(to_bits(x) & sign_bit)))

    @_compiled
    def power(biased):
        whole = unsigned(biased << mantissa)
        half = unsigned(unsigned(whole >> unit_place) & exponents)
        return from_bits(half), from_bits(unsigned(whole - half))

    @_compiled
    def remainder(x, n):
        return fma(n, minus_low, fma(n, minus_high, x))

    @_compiled
    def remainder2w(x, n, lo):
        return fma(n, minus_high, x) + fma(n, minus_low, lo)

    @_compiled
    def exp_from(x, biased, r):
        vanishes = x < exp_zero
        r = zero if vanishes else r
        first, second = power(no_bits if vanishes else to_bits(biased))
        y = exp_reduced(r) * first * second
        return infinity if x > exp_infinite else y

    @_compiled
    def exp(x):
        biased = fma(x, log2_e, wide_shift)
        return exp_from(x, biased, remainder(x, biased - wide_shift))

    @_compiled
    def exp2w(x, lo):
        biased = fma(x, log2_e, wide_shift)
        return exp_from(x, biased, remainder2w(x, biased - wide_shift, lo))

    @_compiled
    def exp_negative_from(x, biased, r):
        vanishes = x < exp_zero
        r = zero if vanishes else r
        scale = no_bits if vanishes else unsigned(to_bits(biased) << mantissa)
        return exp_reduced_small(r) * from_bits(scale)

    @_compiled
    def exp_negative(x):
        biased = fma(x, log2_e, negative_shift)
        return exp_negative_from(x, biased, remainder(x, biased - negative_shift))

    @_compiled
    def exp_negative2w(x, lo):
        biased = fma(x, log2_e, negative_shift)
        return exp_negative_from(x, biased, remainder2w(x, biased - negative_shift, lo))

    @_compiled
    def expm1_2w(x, lo):
        above = expm1_minus_one if expm1_minus_one > x else x
        inside = exp_infinite if exp_infinite < above else above
        lo = lo if inside == x else zero
        biased = fma(inside - centre, log2_e, wide_shift)
        n = biased - wide_shift
        high = fma(n, minus_high, inside)
        low = fma(n, minus_low, lo)
        r = high + low
        rest = (high - r) + low
        y = r + fma(r * r, expm1_reduced(r), rest)
        first, second = power(to_bits(biased))
        unity = from_bits(unsigned(reciprocal - to_bits(second)))
        return with_sign_of(x, fma(first, y, first - unity) * second)

    @_compiled
    def expm1(x):
        return expm1_2w(x, zero)

    @_compiled
    def exponent_bits(x):
        return unsigned(unsigned(to_bits(x) - sqrt_half) & unsigned(~fraction))

    if real is np.float32:

        @_compiled
        def exponent(bits):
            return np.float32(np.int32(bits))

    else:

        @_compiled
        def exponent(bits):
            biased = unsigned(unsigned(bits + bias_bits) >> mantissa)
            return from_bits(unsigned(biased | integer_bits)) - integer_shift

    @_compiled
    def log_sum(k, f, low):
        big = k * log_high
        high = fma(f, quarter, big)
        rest = fma(big - high, four, f)
        tail = fma(f * f, log_reduced(f), fma(k, log_low, low))
        return fma(rest + tail, quarter, high)

    @_compiled
    def log_limits(x, y):
        finite = y if x < infinity else x
        limit = -infinity if x == zero else nan
        return finite if x > zero else limit

    @_compiled
    def log(x):
        subnormal = x < smallest_normal
        normal = x * up if subnormal else x
        bits = exponent_bits(normal)
        k = exponent(bits) - (up_exponent if subnormal else zero)
        fourfold = from_bits(unsigned(unsigned(to_bits(normal) - bits) + two_in_place))
        return log_limits(x, log_sum(k, fourfold - four, zero))

    @_compiled
    def log1p(x):
        total = one + x
        bits = exponent_bits(total)
        scale = from_bits(unsigned(four_bits - bits))
        big = scale - four
        f = fma(scale, x, big)
        low = fma(scale, x, big - f)
        return log_limits(total, with_sign_of(x, log_sum(exponent(bits), f, low)))

    @_compiled
    def log1p_unit(x):
        return fma(x, x * log1p_unit_reduced(x), x)

    return {
        "abs": absolute,
        "exp": exp,
        "exp2w": exp2w,
        "exp_negative": exp_negative,
        "exp_negative2w": exp_negative2w,
        "expm1": expm1,
        "expm1_2w": expm1_2w,
        "log": log,
        "log1p": log1p,
        "log1p_unit": log1p_unit,
        "maximum": maximum,
        "minimum": minimum,
        "sign": sign,
        "sqrt": sqrt,
    }


FLOAT32 = _build(_FLOAT32)
FLOAT64 = _build(_FLOAT64)
