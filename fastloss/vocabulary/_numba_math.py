"""Elementary functions of one real number for Numba.

``FLOAT32`` and ``FLOAT64`` map names to compiled functions that take and return exactly that dtype:
the words of the vocabulary, and the forms ``exp2w``, ``expm1_2w``, ``two_exp2w``,
``two_exp_negative2w``, ``two_log2w`` of x + lo with abs(lo) <= ulp(x), and ``log1p_plus``,
``two_log1p_plus`` with something small to add.

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

from ._polynomials import EXP, EXPM1, LOG, LOG1P_UNIT, REDUCED

__all__ = ["FLOAT32", "FLOAT64", "FUSES", "OPTIONS", "multiply_add"]

OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False}
"""How Numba compiles what must keep its bits: an option that is not set is the caller's."""
_compiled = numba.njit(**OPTIONS)


def _has_fma() -> bool:
    """Whether the target fuses; where it does not, llvm.fma is a slow call that stays scalar."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    if config.CPU_FEATURES is not None:
        return "+fma" in config.CPU_FEATURES.split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get("fma", False))


FUSES = _has_fma()


def _emit_fma(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    return builder.fma(a, b, c) if FUSES else builder.fadd(builder.fmul(a, b), c)


@intrinsic
def multiply_add(typing_context, a, b, c):
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


def _polynomial(coefficients: tuple[float, ...], scale: float = 1.0) -> Callable[..., Any]:
    """Return c0 + c1 x + c2 x**2 + ..., all scaled by a power of two."""

    @intrinsic
    def polynomial(typing_context, x):
        def code(context, builder, signature, arguments):
            kind = context.get_value_type(signature.return_type)
            constants = [ir.Constant(kind, c * scale) for c in coefficients]
            value = constants[-1]
            for constant in reversed(constants[:-1]):
                value = _emit_fma(builder, arguments[0], value, constant)
            return value

        return x(x), code

    return polynomial


def _divided(coefficients: tuple[float, ...]) -> Callable[..., Any]:
    """Return the same of x, and its difference to that of y over x - y."""

    @intrinsic
    def divided(typing_context, x, y):
        if x != y:
            return None

        def code(context, builder, signature, arguments):
            kind = context.get_value_type(x)
            constants = [ir.Constant(kind, c) for c in coefficients]
            value, slope = constants[-1], ir.Constant(kind, 0.0)
            for constant in reversed(constants[:-1]):
                slope = _emit_fma(builder, slope, arguments[1], value)
                value = _emit_fma(builder, arguments[0], value, constant)
            return context.make_tuple(builder, signature.return_type, (value, slope))

        return numba.types.UniTuple(x, 2)(x, y), code

    return divided


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
    exp_low_zero=-70.0,
    raise_by=48,
    raised_zero=-137.0,
    exp_infinite=89.0,
    expm1_minus_one=-20.0,
    sqrt_half=0x3F3504F3,
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
    exp_low_zero=-671.0,
    raise_by=106,
    raised_zero=-817.0,
    exp_infinite=710.0,
    expm1_minus_one=-40.0,
    sqrt_half=0x3FE6A09E667F3BCD,
)


def _build(form: SimpleNamespace) -> dict[str, Callable[..., Any]]:
    """Return the functions of one dtype; numbers are typed here, so that nothing is promoted."""
    real, unsigned = form.real, form.unsigned
    to_bits = _bitcast(form.real_type, form.unsigned_type)
    from_bits = _bitcast(form.unsigned_type, form.real_type)

    zero, one, four = real(0), real(1), real(4)
    half, quarter = real(0.5), real(0.25)
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
    two_bits = unsigned((bias + 1) << form.mantissa)
    reciprocal = unsigned((2 * bias) << form.mantissa)
    bias_bits = unsigned(bias << form.mantissa)
    sqrt_half = unsigned(form.sqrt_half)

    log2_e = real(float.fromhex(form.log2_e))
    minus_high = real(-float.fromhex(form.ln2_high))
    minus_low = real(-float.fromhex(form.ln2_low))
    exp_zero, exp_infinite = real(form.exp_zero), real(form.exp_infinite)
    exp_low_zero = real(form.exp_low_zero)
    raised_zero = real(form.raised_zero)
    one_lowered = real(2.0**-form.raise_by)
    expm1_minus_one, centre = real(form.expm1_minus_one), real(0.0589)
    rounding = 1.5 * 2.0**form.mantissa
    wide_shift = real(rounding + 2 * bias)
    negative_shift = real(rounding + bias + form.mantissa + 1)
    product_end = real(real(1.37) * real(bias))
    power_of_0 = unsigned(2 * bias)
    raised_shift = real(rounding + bias + form.mantissa + 1 + form.raise_by)
    wide_raised_shift = real(rounding + bias + form.raise_by)
    exponent_unit = 2.0**-23 if real is np.float32 else 1.0
    log_high = real(float.fromhex(form.ln2_high) * exponent_unit)
    low_unit = real(float.fromhex(form.ln2_low) * exponent_unit)
    log_low = real(4 * float.fromhex(form.ln2_low) * exponent_unit)
    up = real(2.0**form.mantissa)
    up_exponent = real(form.mantissa / exponent_unit)
    integer_bits = unsigned((bias + form.mantissa) << form.mantissa)  # those of 2**mantissa
    integer_shift = real(2.0**form.mantissa + bias)

    name = np.dtype(real).name
    small = 2.0 ** -(form.mantissa + 1)
    small_one = real(small)
    exp_slope = _polynomial(EXP[name])
    exp_slope_small = _polynomial(EXP[name], small)
    expm1_reduced = _polynomial(EXPM1[name])
    log_reduced = _polynomial(LOG[name])
    log1p_unit_reduced = _polynomial(LOG1P_UNIT[name])

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
        return multiply_add(n, minus_low, multiply_add(n, minus_high, x))

    @_compiled
    def remainder2w(x, n, lo):
        return multiply_add(n, minus_high, x) + multiply_add(n, minus_low, lo)

    @_compiled
    def exp_parts(x, biased, r):
        vanishes = x < exp_zero
        first, second = power(no_bits if vanishes else to_bits(biased))
        return zero if vanishes else r, first, second

    @_compiled
    def exp_from(x, biased, r):
        r, first, second = exp_parts(x, biased, r)
        y = multiply_add(r, exp_slope(r), one) * first * second
        return infinity if x > exp_infinite else y

    @_compiled
    def exp(x):
        biased = multiply_add(x, log2_e, wide_shift)
        return exp_from(x, biased, remainder(x, biased - wide_shift))

    @_compiled
    def exp2w(x, lo):
        biased = multiply_add(x, log2_e, wide_shift)
        return exp_from(x, biased, remainder2w(x, biased - wide_shift, lo))

    @_compiled
    def two_exp2w(x, lo):
        biased = multiply_add(x, log2_e, wide_shift)
        r, first, second = exp_parts(x, biased, remainder2w(x, biased - wide_shift, lo))
        slope = exp_slope(r)
        high = multiply_add(r, slope, one)
        low = multiply_add(r, slope, one - high) * first * second
        infinite = x > exp_infinite
        high = infinity if infinite else high * first * second
        return high, zero if infinite | (x < exp_low_zero) else low

    @_compiled
    def two_exp(x):
        return two_exp2w(x, zero)

    @_compiled
    def two_exp_scaled(biased, r, vanishes):
        r = zero if vanishes else r
        scale = from_bits(no_bits if vanishes else unsigned(to_bits(biased) << mantissa))
        slope = exp_slope_small(r)
        high = multiply_add(r, slope, small_one)
        return high * scale, multiply_add(r, slope, small_one - high) * scale

    @_compiled
    def two_exp_negative_from(x, biased, r):
        high, low = two_exp_scaled(biased, r, x < exp_zero)
        return high, zero if x < exp_low_zero else low

    @_compiled
    def two_exp_negative(x):
        biased = multiply_add(x, log2_e, negative_shift)
        return two_exp_negative_from(x, biased, remainder(x, biased - negative_shift))

    @_compiled
    def two_exp_negative2w(x, lo):
        biased = multiply_add(x, log2_e, negative_shift)
        return two_exp_negative_from(x, biased, remainder2w(x, biased - negative_shift, lo))

    @_compiled
    def two_exp_raised(x, lo):
        biased = multiply_add(x, log2_e, raised_shift)
        return two_exp_scaled(biased, remainder2w(x, biased - raised_shift, lo), x < raised_zero)

    @_compiled
    def exp_split(x, lo):
        biased = multiply_add(x, log2_e, wide_raised_shift)
        n = biased - wide_raised_shift
        scale = from_bits(unsigned(to_bits(biased) << mantissa))
        return scale, multiply_add(n, minus_high, x), multiply_add(n, minus_low, lo)

    @_compiled
    def lowered(x):
        return x * one_lowered

    @_compiled
    def two_exp_product(x, factor, factor_low=zero):
        inside = absolute(x) <= product_end
        biased = multiply_add(x, log2_e, wide_shift)
        r = remainder(x, biased - wide_shift) if inside else zero
        first, second = power(to_bits(biased) if inside else power_of_0)
        slope = exp_slope(r)
        e = multiply_add(r, slope, one)
        e_low = multiply_add(r, slope, one - e)
        a = factor * first
        product = a * e
        low = multiply_add(a, e, -product) + multiply_add(a, e_low, factor_low * first * e)
        above = zero if factor == zero else infinity
        below = zero if x < -product_end else x
        limit = above if x > product_end else below
        high = product * second if inside else factor * limit
        regular = inside & (absolute(high) < infinity)
        return high, low * second if regular else zero

    @_compiled
    def expm1_2w(x, lo):
        above = expm1_minus_one if expm1_minus_one > x else x
        inside = exp_infinite if exp_infinite < above else above
        lo = lo if inside == x else zero
        biased = multiply_add(inside - centre, log2_e, wide_shift)
        n = biased - wide_shift
        high = multiply_add(n, minus_high, inside)
        low = multiply_add(n, minus_low, lo)
        r = high + low
        rest = (high - r) + low
        y = r + multiply_add(r * r, expm1_reduced(r), rest)
        first, second = power(to_bits(biased))
        unity = from_bits(unsigned(reciprocal - to_bits(second)))
        return with_sign_of(x, multiply_add(first, y, first - unity) * second)

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
        high = multiply_add(f, quarter, big)
        rest = multiply_add(big - high, four, f)
        tail = multiply_add(f * f, log_reduced(f), multiply_add(k, log_low, low))
        return high, quarter * (rest + tail)

    @_compiled
    def log_limits(x, words):
        regular = (x > zero) & (x < infinity)
        below = -infinity if x == zero else nan
        limit = x if x > zero else below
        return words[0] if regular else limit, words[1] if regular else zero

    @_compiled
    def log_split(x, lo):
        subnormal = x < smallest_normal
        normal = x * up if subnormal else x
        bits = exponent_bits(normal)
        k = exponent(bits) - (up_exponent if subnormal else zero)
        m = from_bits(unsigned(to_bits(normal) - bits))
        twice_scale = from_bits(unsigned(two_bits - bits))
        return k * log_high, k * low_unit, m, half * (twice_scale * lo)

    @_compiled
    def two_log2w(x, lo):
        subnormal = x < smallest_normal
        normal = x * up if subnormal else x
        bits = exponent_bits(normal)
        k = exponent(bits) - (up_exponent if subnormal else zero)
        fourfold = from_bits(unsigned(unsigned(to_bits(normal) - bits) + two_in_place))
        scale = from_bits(unsigned(two_bits - bits))
        return log_limits(x, log_sum(k, fourfold - four, scale * (lo + lo)))

    @_compiled
    def two_log(x):
        return two_log2w(x, zero)

    @_compiled
    def log(x):
        high, low = two_log(x)
        return high + low

    @_compiled
    def log1p_parts(x):
        total = one + x
        bits = exponent_bits(total)
        scale = from_bits(unsigned(four_bits - bits))
        big = scale - four
        f = multiply_add(scale, x, big)
        return total, exponent(bits), f, multiply_add(scale, x, big - f)

    @_compiled
    def two_log1p(x):
        total, k, f, low = log1p_parts(x)
        return log_limits(total, log_sum(k, f, low))

    @_compiled
    def two_log1p_plus(x, addend):
        total, k, f, low = log1p_parts(x)
        return log_limits(total, log_sum(k, f, low + four * addend))

    @_compiled
    def log1p(x):
        high, low = two_log1p(x)
        return with_sign_of(x, high + low)

    @_compiled
    def log1p_plus(x, addend):
        high, low = two_log1p_plus(x, addend)
        return with_sign_of(x, high + low)

    @_compiled
    def log1p_unit(x, addend):
        return x + multiply_add(x, x * log1p_unit_reduced(x), addend)

    return {
        "abs": absolute,
        "exp": exp,
        "exp2w": exp2w,
        "expm1": expm1,
        "expm1_2w": expm1_2w,
        "log": log,
        "log1p": log1p,
        "log1p_plus": log1p_plus,
        "log1p_unit": log1p_unit,
        "lowered": lowered,
        "maximum": maximum,
        "minimum": minimum,
        "sign": sign,
        "sqrt": sqrt,
        "two_exp": two_exp,
        "two_exp2w": two_exp2w,
        "two_exp_negative": two_exp_negative,
        "two_exp_negative2w": two_exp_negative2w,
        "two_exp_product": two_exp_product,
        "two_exp_raised": two_exp_raised,
        "two_log": two_log,
        "two_log2w": two_log2w,
        "two_log1p": two_log1p,
        "two_log1p_plus": two_log1p_plus,
        "exp_split": exp_split,
        "log_limits": log_limits,
        "log_split": log_split,
        **{
            word: (_divided if word.endswith("_divided") else _polynomial)(table[name])
            for word, table in REDUCED.items()
        },
    }


FLOAT32 = _build(_FLOAT32)
FLOAT64 = _build(_FLOAT64)
