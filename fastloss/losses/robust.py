"""Robust losses of a real prediction and a real target: ½ r² near 0, slower growth far away.

Formulas measure residuals by c in two words. Of two forms, one near 0 and one far away, that one is
used in which no square overflows. A residual that itself overflows counts as infinite.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from .._loss import MapLoss
from .._parameters import at_most, choice, scale
from ..vocabulary import (
    abs,
    const,
    exp,
    expm1,
    flat,
    fma,
    inf,
    log,
    maximum,
    minimum,
    tanh_reduced,
    two_difference,
    two_exp_negative,
    two_inverse,
    two_log,
    two_sum,
    where,
)
from ._two_words import (
    affine,
    log_of_scaled,
    magnitude,
    normal,
    plus_one,
    ratio,
    rounded,
    signed,
    times,
)
from .regression import SquaredError

__all__ = ["Cauchy", "Fair", "GemanMcclure", "GeneralRobust", "TukeyBiweight", "Welsch"]


class _Redescending(MapLoss):
    """A loss whose Hessian is negative far away, where its gradient falls again."""

    convex = False
    smooth = True
    elicits = ""
    proper = False
    majorizer: ClassVar[type[MapLoss]]

    c: float
    hessian: str

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        return "any" if self.hessian == "exact" else self.majorizer.hessian_sign

    @property
    def scalars(self) -> Any:
        return type(self) if self.hessian == "exact" else self.majorizer

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.c,)


def _half_square(a: Any, a_low: Any) -> tuple[Any, Any]:
    """½ a²."""
    return times(const(0.5) * a, const(0.5) * a_low, a, a_low)


def _scaled(c: Any, x: Any, x_low: Any) -> Any:
    """c² x."""
    high, low = times(c, const(0.0), x, x_low)
    return rounded(c, const(0.0), high, low)


def _rational(a: Any, a_low: Any, c: Any) -> Any:
    """What losses of 1 / (1 + u) share, with u = (a / c)² and t = min(a, c) / max(a, c).

    Whether a > c; t²; 1 / (1 + t²); 1 / (1 + u); a / (1 + u).
    """
    far, t, t_low = ratio(a, a_low, c)
    square, square_low = times(t, t_low, t, t_low)
    inverse, inverse_low = two_inverse(*plus_one(square, square_low))
    one, zero = const(1.0), const(0.0)
    first, first_low = where(far, square, one), where(far, square_low, zero)
    weight = times(first, first_low, inverse, inverse_low)
    least, least_low = where(far, c, a), where(far, zero, a_low)
    first, first_low = where(far, t, one), where(far, t_low, zero)
    least, least_low = times(least, least_low, first, first_low)
    slope = times(least, least_low, inverse, inverse_low)
    return far, (square, square_low), (inverse, inverse_low), weight, slope


def _log_of_square(a: Any, a_low: Any, c: Any) -> Any:
    """A / c over a unit, which keeps its square finite; that unit; u = (a / c)², log(1 + u)."""
    huge = a > c * const(2.0**62)
    unit = where(huge, const(2.0**60), const(1.0))
    down = where(huge, const(2.0**-60), const(1.0))
    inverse, inverse_low = two_inverse(c, const(0.0))
    q, q_low = times(down * a, down * a_low, inverse, inverse_low)
    u, u_low = times(q, q_low, q, q_low)
    x, x_low = where(huge, q, u), where(huge, q_low, u_low)
    high, low = log_of_scaled(x, x_low, huge)
    twice = where(huge, const(2.0), const(1.0))
    return (q, q_low), unit, u, (twice * high, twice * low)


def _cauchy(prediction: Any, target: Any, c: Any) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and weight."""
    one = const(1.0)
    high, low = two_difference(prediction, target)
    a, a_low = magnitude(high, low)
    far, square, inverse, weight, slope = _rational(a, a_low, c)
    _, _, u, logarithm = _log_of_square(a, a_low, c)
    outer = _scaled(c, const(0.5) * logarithm[0], const(0.5) * logarithm[1])
    half, half_low = _half_square(a, a_low)
    value = where(u < const(2.0**-60), half + half_low, outer)  # equal to all digits
    # 1 - u, or u - 1 over u²
    first = where(far, -one, one)
    curve, curve_low = affine(first, -first, *square)
    curve, curve_low = times(curve, curve_low, *weight)
    return (
        value,
        signed(slope[0] + slope[1], high),
        rounded(curve, curve_low, *inverse),
        weight[0] + weight[1],
    )


class _CauchyMajorizer(MapLoss):
    name = "cauchy_majorizer"
    hessian_sign = "positive"

    @staticmethod
    def definition(prediction: Any, target: Any, c: Any) -> Any:
        return c**2 * log(1 + ((prediction - target) / c) ** 2) / 2

    @staticmethod
    def curvature(prediction: Any, target: Any, c: Any) -> Any:
        return 1 / (1 + ((prediction - target) / c) ** 2)

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, _, weight = _cauchy(prediction, target, c)
        return value, grad, weight


class Cauchy(_Redescending):
    """Cauchy loss (Lorentzian), ½ c² log(1 + (r / c)²).

    Use it for gross outliers: beyond c the pull of a residual falls again, slowly.

    Avoid it without a good start, as it is not convex; there Huber comes first.

    Parameters
    ----------
    c : float
        The scale, above 0: where the gradient is largest.
    hessian : {"exact", "majorizer"}
        The majorizer is grad / r, the weight of iteratively reweighted least squares.

    See Also
    --------
    Huber : convex, with constant pull far away.
    GemanMcclure : forgets outliers sooner.
    """

    name = "cauchy"
    majorizer = _CauchyMajorizer
    ulps = {"float32": (2, 1.5, 2), "float64": (2, 1.5, 2)}
    c: float = scale(1.0)
    hessian: str = choice("exact", "majorizer")

    definition = staticmethod(_CauchyMajorizer.definition)

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, hess, _ = _cauchy(prediction, target, c)
        return value, grad, hess


def _geman_mcclure(prediction: Any, target: Any, c: Any) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and weight."""
    one, three = const(1.0), const(3.0)
    high, low = two_difference(prediction, target)
    a, a_low = magnitude(high, low)
    far, square, inverse, weight, slope = _rational(a, a_low, c)
    least, least_low = _half_square(where(far, c, a), where(far, const(0.0), a_low))
    # 1 - 3 u, or u - 3 over u³
    curve, curve_low = affine(where(far, -three, one), where(far, one, -three), *square)
    curve, curve_low = times(curve, curve_low, *weight)
    third, third_low = times(*weight, *inverse)
    return (
        rounded(least, least_low, *inverse),
        signed(rounded(*slope, *weight), high),
        rounded(curve, curve_low, third, third_low),
        rounded(*weight, *weight),
    )


class _GemanMcclureMajorizer(MapLoss):
    name = "geman_mcclure_majorizer"
    hessian_sign = "positive"

    @staticmethod
    def definition(prediction: Any, target: Any, c: Any) -> Any:
        r = prediction - target
        return r**2 / (2 * (1 + (r / c) ** 2))

    @staticmethod
    def curvature(prediction: Any, target: Any, c: Any) -> Any:
        return 1 / (1 + ((prediction - target) / c) ** 2) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, _, weight = _geman_mcclure(prediction, target, c)
        return value, grad, weight


class GemanMcclure(_Redescending):
    """Geman-McClure loss, ½ r² / (1 + (r / c)²), which ends at ½ c² (Geman and McClure, 1985).

    Use it for gross outliers that must not count: each costs ½ c² at most.

    Avoid it without a good start, as it is not convex and flat far away; there Huber comes first.

    Parameters
    ----------
    c : float
        The scale, above 0.
    hessian : {"exact", "majorizer"}
        The majorizer is grad / r, the weight of iteratively reweighted least squares.

    See Also
    --------
    Cauchy : falls back more slowly.
    Welsch : more quickly.
    GeneralRobust : any of them by a parameter.
    """

    name = "geman_mcclure"
    majorizer = _GemanMcclureMajorizer
    ulps = {"float32": (1.5, 2, 2), "float64": (1.5, 2, 2)}
    c: float = scale(1.0)
    hessian: str = choice("exact", "majorizer")

    definition = staticmethod(_GemanMcclureMajorizer.definition)

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, hess, _ = _geman_mcclure(prediction, target, c)
        return value, grad, hess


def _exponential(a: Any, a_low: Any, c: Any, share: Any) -> Any:
    """What losses of exp(-u) share, with u = share (a / c)² and a <= 64 c.

    q = a / c; u; root = exp(-u / 2); 1 - root². The root's square does not lose the digits of a
    subnormal number.
    """
    one, two, half = const(1.0), const(2.0), const(0.5)
    inverse_c, inverse_c_low = two_inverse(c, const(0.0))
    q, q_low = times(a, a_low, inverse_c, inverse_c_low)
    u, u_low = times(share * q, share * q_low, q, q_low)
    h, h_low = half * u, half * u_low
    root, root_low = two_exp_negative(-h, -h_low)
    e, e_low = times(root, root_low, root, root_low)
    # 1 - exp(-u) is 2 tanh(u/2) / (1 + tanh(u/2)) near 0
    square = h * h
    tanh_tail = h * square * tanh_reduced(square)
    tanh = h + tanh_tail
    tanh_low = ((h - tanh) + tanh_tail) + h_low * (one - tanh * tanh)
    inverse, inverse_low = two_inverse(*plus_one(tanh, tanh_low))
    near, near_low = times(two * tanh, two * tanh_low, inverse, inverse_low)
    far, far_low = plus_one(-e, -e_low)
    small = h < const(0.8)
    rest = where(small, near, far), where(small, near_low, far_low)
    return (q, q_low), (u, u_low), (root, root_low), rest


def _bounded(prediction: Any, target: Any, c: Any) -> tuple[Any, Any, Any]:
    """r, and |r| up to 64 c, where exp(-(r / c)²) and exp(-½ (r / c)²) are 0."""
    high, low = two_difference(prediction, target)
    a, a_low = magnitude(high, low)
    last = const(64.0) * c
    return high, minimum(a, last), where(a < last, a_low, const(0.0))


def _squared_times(x: Any, root: Any) -> Any:
    """X times the square of a root."""
    return rounded(*times(*x, *root), *root)


def _welsch(prediction: Any, target: Any, c: Any) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and weight."""
    r, a, a_low = _bounded(prediction, target, c)
    _, u, root, rest = _exponential(a, a_low, c, const(1.0))
    half, half_low = _half_square(a, a_low)
    outer = _scaled(c, const(0.5) * rest[0], const(0.5) * rest[1])
    return (
        where(u[0] < const(2.0**-60), half + half_low, outer),  # equal to all digits
        signed(_squared_times((a, a_low), root), r),
        _squared_times(affine(const(1.0), const(-2.0), *u), root),
        rounded(*root, *root),
    )


class _WelschMajorizer(MapLoss):
    name = "welsch_majorizer"
    hessian_sign = "nonnegative"  # it underflows

    @staticmethod
    def definition(prediction: Any, target: Any, c: Any) -> Any:
        return c**2 * (1 - exp(-(((prediction - target) / c) ** 2))) / 2

    @staticmethod
    def curvature(prediction: Any, target: Any, c: Any) -> Any:
        return exp(-(((prediction - target) / c) ** 2))

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, _, weight = _welsch(prediction, target, c)
        return value, grad, weight


class Welsch(_Redescending):
    """Welsch loss (Leclerc), ½ c² (1 - exp(-(r / c)²)), which ends at ½ c².

    Use it for gross outliers that must not count: their pull vanishes as exp(-(r / c)²).

    Avoid it without a good start, as it is not convex and flat far away; there Huber comes first.

    Parameters
    ----------
    c : float
        The scale, above 0 (Dennis and Welsch, 1978).
    hessian : {"exact", "majorizer"}
        The majorizer is grad / r, the weight of iteratively reweighted least squares.

    See Also
    --------
    GemanMcclure : falls back more slowly.
    TukeyBiweight : to 0 at a cut-off.
    GeneralRobust : any of them by a parameter.
    """

    name = "welsch"
    majorizer = _WelschMajorizer
    ulps = {"float32": (1.5, 2, 2), "float64": (1.5, 2, 2)}
    c: float = scale(1.0)
    hessian: str = choice("exact", "majorizer")

    definition = staticmethod(_WelschMajorizer.definition)

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, hess, _ = _welsch(prediction, target, c)
        return value, grad, hess


def _tukey_biweight(prediction: Any, target: Any, c: Any) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and weight, by n = 1 - (r / c)²."""
    one, two, zero = const(1.0), const(2.0), const(0.0)
    high, low = two_difference(prediction, target)
    a, a_low = magnitude(high, low)
    gap, gap_low = two_difference(c, a)
    gap, gap_low = normal(gap, gap_low - a_low)
    beyond = gap < zero
    a, a_low = where(beyond, c, a), where(beyond, zero, a_low)
    gap, gap_low = where(beyond, zero, gap), where(beyond, zero, gap_low)
    inverse_c, inverse_c_low = two_inverse(c, zero)
    # a small one is raised, so that its low word is not lost
    small = gap < const(2.0**-60)
    up, down = where(small, const(2.0**64), one), where(small, const(2.0**-64), one)
    w, w_low = times(up * gap, up * gap_low, inverse_c, inverse_c_low)
    n, n_low = times(w, w_low, *affine(two, -one, down * w, down * w_low))
    raised, raised_low = n, n_low
    n, n_low = down * n, down * n_low
    n_2, n_2_low = times(n, n_low, n, n_low)
    # the value is a² (1 + n + n²) / 6
    part, part_low = two_sum(one, n)
    total, total_low = two_sum(part, n_2)
    total_low = total_low + (part_low + (n_low + n_2_low))
    sixth, sixth_low = two_inverse(const(6.0), zero)
    total, total_low = times(total, total_low, sixth, sixth_low)
    square, square_low = times(a, a_low, a, a_low)
    curve, curve_low = affine(const(-4.0), const(5.0), n, n_low)
    return (
        rounded(square, square_low, total, total_low),
        signed(rounded(a, a_low, n_2, n_2_low), high),
        down * rounded(raised, raised_low, curve, curve_low),
        n_2 + n_2_low,
    )


class _TukeyBiweightMajorizer(MapLoss):
    name = "tukey_biweight_majorizer"
    hessian_sign = "nonnegative"

    @staticmethod
    def definition(prediction: Any, target: Any, c: Any) -> Any:
        a = minimum(abs(prediction - target), c)
        return c**2 * (1 - (1 - (a / c) ** 2) ** 3) / 6

    @staticmethod
    def curvature(prediction: Any, target: Any, c: Any) -> Any:
        return (1 - (minimum(abs(prediction - target), c) / c) ** 2) ** 2

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, _, weight = _tukey_biweight(prediction, target, c)
        return value, grad, weight


class TukeyBiweight(_Redescending):
    """Tukey's biweight, c²/6 (1 - (1 - (r / c)²)³) up to |r| = c, c²/6 beyond.

    Use it for gross outliers that must not count at all: beyond c their gradient is 0.

    Avoid it without a good start, as it is not convex and a prediction beyond c of its target
    learns nothing; there Huber comes first.

    Parameters
    ----------
    c : float
        From where on residuals count alike, above 0 (Beaton and Tukey, 1974); 4.685 standard
        deviations are as good as the mean to 95 % where errors are normal.
    hessian : {"exact", "majorizer"}
        The majorizer is grad / r, the weight of iteratively reweighted least squares.

    See Also
    --------
    Welsch : never quite 0.
    Huber : convex.
    """

    name = "tukey_biweight"
    majorizer = _TukeyBiweightMajorizer
    ulps = {"float32": (1.5, 1.5, 1.5), "float64": (1.5, 1.5, 1.5)}
    c: float = scale(4.685)
    hessian: str = choice("exact", "majorizer")

    definition = staticmethod(_TukeyBiweightMajorizer.definition)

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        value, grad, hess, _ = _tukey_biweight(prediction, target, c)
        return value, grad, hess


def _atanh_tail(square: Any) -> Any:
    """2/3 + 2/5 y² + 2/7 y⁴ + ... of y² <= 1/9: (2 atanh y - 2 y) / y³."""
    x = const(2 / 33)
    x = const(2 / 31) + square * x
    x = const(2 / 29) + square * x
    x = const(2 / 27) + square * x
    x = const(2 / 25) + square * x
    x = const(2 / 23) + square * x
    x = const(2 / 21) + square * x
    x = const(2 / 19) + square * x
    x = const(2 / 17) + square * x
    x = const(2 / 15) + square * x
    x = const(2 / 13) + square * x
    x = const(2 / 11) + square * x
    x = const(2 / 9) + square * x
    x = const(2 / 7) + square * x
    x = const(2 / 5) + square * x
    return const(2 / 3) + square * x


class Fair(MapLoss):
    """Fair's loss, c² (|r| / c - log(1 + |r| / c)): ½ r² near 0, c |r| far away (Fair, 1974).

    Use it for data with outliers where second derivatives must exist and be positive.

    Avoid it where most residuals are to be squared: it departs from ½ r² early, as its gradient is
    c r / (c + |r|).

    Parameters
    ----------
    c : float
        The slope far away, above 0.

    See Also
    --------
    PseudoHuber : stays quadratic for longer.
    Huber : exactly quadratic up to its turn.
    """

    name = "fair"
    convex = True
    smooth = True
    hessian_sign = "positive"
    elicits = ""
    proper = False
    ulps = {"float32": (2, 1.5, 2), "float64": (2, 1.5, 2)}
    c: float = scale(1.0)

    @staticmethod
    def definition(prediction: Any, target: Any, c: Any) -> Any:
        s = abs(prediction - target) / c
        return c**2 * (s - log(1 + s))

    @staticmethod
    def formula(prediction: Any, target: Any, c: Any) -> Any:
        one, two, zero = const(1.0), const(2.0), const(0.0)
        high, low = two_difference(prediction, target)
        a, a_low = magnitude(high, low)
        far, t, t_low = ratio(a, a_low, c)
        inverse, inverse_low = two_inverse(*plus_one(t, t_low))
        first, first_low = where(far, t, one), where(far, t_low, zero)
        root, root_low = times(first, first_low, inverse, inverse_low)  # c / (a + c)
        # near 0, s - log(1 + s) = s y - (2 atanh y - 2 y) with y = s / (2 + s)
        below = two + t
        share, share_low = two_inverse(below, ((two - below) + t) + t_low)
        z, z_low = times(a, a_low, share, share_low)
        y = t * share
        tail = z * (y * _atanh_tail(y * y))
        inner = a - tail
        near = rounded(z, z_low, inner, ((a - inner) - tail) + a_low)
        # far away, log(1 + s) = -log(c / (a + c)), which matters no more where that is small
        least = maximum(root, const(2.0**-90))
        log_high, log_low = two_log(least, where(least > root, zero, root_low))
        drop, drop_low = times(c, zero, log_high, log_low)
        sum_high, sum_low = two_sum(a, drop)
        sum_low = where(sum_high < const(inf), sum_low, zero)
        outer = rounded(c, zero, sum_high, sum_low + (a_low + drop_low))
        least, least_low = where(far, c, a), where(far, zero, a_low)
        grad = rounded(least, least_low, inverse, inverse_low)
        hess = rounded(root, root_low, root, root_low)
        return where(far, outer, near), signed(grad, high), hess + flat(high)


def _general_robust(
    prediction: Any, target: Any, exponent: Any, limit: Any, c: Any
) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and weight."""
    one, zero = const(1.0), const(0.0)
    high, low = two_difference(prediction, target)
    a, a_low = magnitude(high, low)
    far, square, inverse, weight, _ = _rational(a, a_low, c)
    q, unit, u, logarithm = _log_of_square(a, a_low, c)
    logarithm = normal(logarithm[0], where(logarithm[0] < const(inf), logarithm[1], zero))
    # the power's derivative over the exponent, (1 + u)^(exponent - 1), as a square
    root_log = times(*two_difference(exponent, one), *logarithm)
    root = two_exp_negative(const(0.5) * root_log[0], const(0.5) * root_log[1])
    inverse_c = two_inverse(c, zero)
    scale = times(*times(const(2.0) * limit, zero, *inverse_c), *inverse_c)
    slope = rounded(*times(*times(a, a_low, *root), *scale), *root)
    at_infinity = where(exponent == const(0.5), rounded(c, zero, *scale), zero)
    at_infinity = where(exponent > const(0.5), const(inf), at_infinity)
    slope = where(a == const(inf), at_infinity, slope)
    # the Hessian over it, (1 + (2 exponent - 1) u) / (1 + u)
    share = times(where(far, one, square[0]), where(far, zero, square[1]), *inverse)
    share = times(*two_difference(const(2.0) * exponent, one), *share)
    curve = two_sum(weight[0], share[0])
    curve = times(curve[0], curve[1] + (weight[1] + share[1]), *scale)
    # the value: limit / exponent times the power - 1; that is power' (1 + u) - 1 far away
    power_log = times(exponent, zero, *logarithm)
    factor = limit / exponent
    factor = (factor, fma(-factor, exponent, limit) / exponent)
    near = rounded(*factor, expm1(*power_log), zero)
    outer = times(*times(*times(*factor, *q), *root), *root)
    outer = times(*times(unit * outer[0], unit * outer[1], *q), unit, zero)
    rest = times(*root, *root)
    rest = times(*plus_one(-rest[0], -rest[1]), *factor)
    outer = outer[0] + (outer[1] - (rest[0] + rest[1]))
    outer = where(a == const(inf), a, outer)
    value = where(power_log[0] > one, outer, near)
    value = where(exponent == zero, rounded(limit, zero, *logarithm), value)
    tiny = rounded(*times(limit, zero, *q), *q)
    value = where(u < const(2.0**-60), tiny, value)
    return value, signed(slope, high), _squared_times(curve, root), _squared_times(scale, root)


class _GeneralRobustMajorizer(MapLoss):
    name = "general_robust_majorizer"

    @staticmethod
    def definition(prediction: Any, target: Any, exponent: Any, limit: Any, c: Any) -> Any:
        power = 1 + ((prediction - target) / c) ** 2
        divisor = where(exponent == 0, const(1.0), exponent)
        return limit * where(exponent == 0, log(power), (power**exponent - 1) / divisor)

    @staticmethod
    def curvature(prediction: Any, target: Any, exponent: Any, limit: Any, c: Any) -> Any:
        return 2 * limit / c**2 * (1 + ((prediction - target) / c) ** 2) ** (exponent - 1)

    @staticmethod
    def formula(prediction: Any, target: Any, exponent: Any, limit: Any, c: Any) -> Any:
        value, grad, _, weight = _general_robust(prediction, target, exponent, limit, c)
        return value, grad, weight


def _unit_welsch(prediction: Any, target: Any, scale: Any) -> tuple[Any, Any, Any, Any]:
    """Value, gradient, Hessian and weight."""
    r, a, a_low = _bounded(prediction, target, scale)
    q, u, root, rest = _exponential(a, a_low, scale, const(0.5))
    inverse = two_inverse(scale, const(0.0))
    unit = times(*inverse, *inverse)
    # 1 - 2 u = (1 - q) (1 + q)
    gap, gap_low = two_difference(scale, a)
    gap = times(*normal(gap, gap_low - a_low), *inverse)
    curve = times(*gap, *affine(const(1.0), const(1.0), *q))
    return (
        where(u[0] < const(2.0**-60), u[0], rest[0] + rest[1]),  # equal to all digits
        signed(_squared_times(times(a, a_low, *unit), root), r),
        _squared_times(times(*curve, *unit), root),
        _squared_times(unit, root),
    )


class _ExponentialMajorizer(MapLoss):
    """The limit for alpha = -inf."""

    name = "general_robust_exponential_majorizer"

    @staticmethod
    def definition(prediction: Any, target: Any, scale: Any) -> Any:
        return 1 - exp(-(((prediction - target) / scale) ** 2) / 2)

    @staticmethod
    def curvature(prediction: Any, target: Any, scale: Any) -> Any:
        return exp(-(((prediction - target) / scale) ** 2) / 2) / scale**2

    @staticmethod
    def formula(prediction: Any, target: Any, scale: Any) -> Any:
        value, grad, _, weight = _unit_welsch(prediction, target, scale)
        return value, grad, weight


class _Exponential(MapLoss):
    name = "general_robust_exponential"
    definition = staticmethod(_ExponentialMajorizer.definition)

    @staticmethod
    def formula(prediction: Any, target: Any, scale: Any) -> Any:
        value, grad, hess, _ = _unit_welsch(prediction, target, scale)
        return value, grad, hess


class GeneralRobust(MapLoss):
    """The general robust loss b/alpha ((1 + x²/b)^(alpha/2) - 1), b = |alpha - 2| (Barron, 2019).

    x is the residual over the scale, so that the loss is ½ x² near 0.

    Use it to choose between robust losses by one number, or to anneal: from squared error at alpha
    = 2 to what forgets outliers.

    Avoid it below alpha = 1 without a good start, as it is not convex there; and to learn alpha
    with the model, which needs the normalising constant of the distribution too.

    Parameters
    ----------
    alpha : float
        The shape, at most 2: 2 is ½ x², 1 the pseudo-Huber, 0 the Cauchy, -2 the Geman-McClure and
        -inf the Welsch loss, in units of their own.
    scale : float
        What residuals are measured by, above 0.
    hessian : {"exact", "majorizer"}
        The majorizer is grad / r, the weight of iteratively reweighted least squares.

    See Also
    --------
    PseudoHuber : alpha = 1.
    Cauchy : alpha = 0.
    GemanMcclure : alpha = -2.
    Welsch : alpha = -inf.
    """

    name = "general_robust"
    smooth = True
    proper = False
    alpha: float = at_most(2.0, default=1.0, examples=(2.0, 0.0, -2.0, -math.inf))
    scale: float = scale(1.0)
    hessian: str = choice("exact", "majorizer")

    @property
    def ulps(self) -> dict[str, tuple[float, float, float]]:  # type: ignore[override]
        # the error of a logarithm, times the exponent
        more = 0.0 if self.alpha == -math.inf else max(0.0, -self.alpha) / 4
        return dict.fromkeys(("float32", "float64"), (4.0, 2.5 + more, 2.5 + more))

    @property
    def elicits(self) -> str:  # type: ignore[override]
        return "mean" if self.alpha == 2 else ""

    @property
    def convex(self) -> bool:  # type: ignore[override]
        return self.alpha >= 1

    @property
    def hessian_sign(self) -> str:  # type: ignore[override]
        if not self.convex and self.hessian == "exact":
            return "any"
        return "nonnegative" if self.alpha == -math.inf else "positive"

    @property
    def scalars(self) -> Any:
        if self.alpha == 2:
            return SquaredError
        exact = self.hessian == "exact"
        if self.alpha == -math.inf:
            return _Exponential if exact else _ExponentialMajorizer
        return type(self) if exact else _GeneralRobustMajorizer

    def kernel_parameters(self) -> tuple[float, ...]:
        if self.alpha == 2:
            return (0.5 / self.scale**2,)
        if self.alpha == -math.inf:
            return (self.scale,)
        b = 2 - self.alpha
        return self.alpha / 2, b / 2, self.scale * math.sqrt(b)

    definition = staticmethod(_GeneralRobustMajorizer.definition)

    @staticmethod
    def formula(prediction: Any, target: Any, exponent: Any, limit: Any, c: Any) -> Any:
        value, grad, hess, _ = _general_robust(prediction, target, exponent, limit, c)
        return value, grad, hess
