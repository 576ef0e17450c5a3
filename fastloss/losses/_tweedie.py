"""Tweedie losses of logarithms of means and of means."""

from __future__ import annotations

from typing import Any

from .._loss import MapLoss
from ..vocabulary import (
    abs,
    const,
    constant,
    exp,
    expm1,
    flat,
    fma,
    inf,
    log,
    maximum,
    minimum,
    two_difference,
    two_exp,
    two_product,
    two_sum,
    where,
)
from ._exponentials import times_square
from ._two_words import rounded_log

__all__ = ["TWEEDIE"]


def _multiple(c: Any, c_low: Any, z: Any, z_low: Any) -> tuple[Any, Any]:
    """A product in two words, where 0 * inf = 0."""
    high, low = two_product(c, z)
    low = fma(c, z_low, fma(c_low, z, low))
    none = c == const(0.0)
    usual = (abs(high) < const(inf)) & (c != const(0.0))
    return where(none, flat(z), high), where(usual, low, const(0.0))


def _power(factor: Any, x: Any, x_low: Any) -> tuple[Any, ...]:
    """A factor times exp(x), and exp(x)'s root, lowered where large; what raises the power again.

    The root is lowered by 2^24, or 2^52: a tiny factor may make a number of a power that is none.
    """
    zero, half = const(0.0), const(0.5)
    large = (x > constant(80.0, 160.0)) | ((factor > const(1.0)) & (x > zero))
    lower = where(large, constant(16.63553237915039, 36.04365338911715), zero)
    lower_low = where(large, constant(-4.5711704643736084e-08, 2.5381719727502638e-15), zero)
    part, part_low = two_difference(half * x, lower)
    part_low = where(abs(x) < const(inf), part_low + (half * x_low - lower_low), zero)
    root, root_low = two_exp(part, part_low)
    power = times_square(factor, root, root_low)
    return power, where(large, constant(2.0**48, 2.0**104), const(1.0)), root, root_low


def _far(factor: Any, c: Any, power: Any, up: Any) -> Any:
    """The integral of factor exp(c t) from 0 to where it is power times up, to be raised."""
    return (power - factor / up) / c


def _integral(factor: Any, c: Any, z: Any, x: Any, x_low: Any, power: Any, up: Any) -> Any:
    """Of factor exp(c t) over t from 0 to z, where x is c z and power times up factor exp(x)."""
    near = factor * (expm1(x, x_low) / c)
    value = where(abs(x) < const(2.0), near, _far(factor, c, power, up) * up)
    value = where((abs(x) < const(2.0**-60)) | (c == const(0.0)), factor * z, value)
    return where(factor == const(0.0), flat(z), value)


def _at(scale: Any, power: Any, up: Any) -> Any:
    """A power that is to be raised by scale, at least up, instead."""
    return power * where(up < scale, constant(2.0**-48, 2.0**-104), const(1.0))


def _larger(a: Any, b: Any, first: Any, second: Any) -> Any:
    """The difference, where two infinities are as first to second."""
    one, both = const(inf), (abs(a) == const(inf)) & (a == b)
    return where(both, where(first > second, one, -one), a - b)


def _tweedie(z: Any, z_low: Any, target: Any, power: Any, first: Any, second: Any) -> Any:
    """The value; 1 - power and 2 - power; target mean^(1 - power) and mean^(2 - power).

    First and second are as the mean to the target.
    """
    zero, one = const(0.0), const(1.0)
    a, a_low = two_difference(one, power)
    b, b_low = two_difference(const(2.0), power)
    x, x_low = _multiple(a, a_low, z, z_low)
    y, y_low = _multiple(b, b_low, z, z_low)
    seen, seen_up, root, root_low = _power(target, x, x_low)
    expected, expected_up, mean_root, _ = _power(one, y, y_low)
    # where only a division by a makes an integral infinite, that is what counts
    most = seen * seen_up
    divided = most < const(inf)
    longest = minimum(one / abs(a), minimum(abs(z), const(2.0**60)))
    # two that overflow may have a difference that does not
    two = const(2.0)
    far = (abs(x) >= two) & (abs(y) >= two) & (target != zero)
    scale = where(far, maximum(seen_up, expected_up), one)
    value = scale * _larger(
        where(
            far,
            _at(scale, _far(one, b, expected, expected_up), expected_up),
            _integral(one, b, z, y, y_low, expected, expected_up),
        ),
        where(
            far,
            _at(scale, _far(target, a, seen, seen_up), seen_up),
            _integral(target, a, z, x, x_low, seen, seen_up),
        ),
        where(divided, mean_root, first * where(a == zero, one, a)),
        where(
            divided,
            maximum(target, most) / mean_root / expected_up * (b * longest),
            second * where(b == zero, -one, b),
        ),
    )
    return value, a, b, (seen, seen_up), (expected, expected_up), root, root_low


def _tweedie_log(prediction: Any, target: Any, power: Any) -> Any:
    # halves tell subnormal means from each other
    mean = exp(const(0.5) * prediction)
    rest = target / mean
    value, a, b, seen, expected, _, _ = _tweedie(
        prediction, flat(prediction), target, power, mean, rest
    )
    up = maximum(seen[1], expected[1])
    first, second = _at(up, *expected), _at(up, *seen)
    grad = _larger(first, second, mean, rest) * up
    hess = _larger(b * first, a * second, b * mean, a * rest) * up
    return value, grad, hess, expected[0] * expected[1]


def _tweedie_mean(prediction: Any, target: Any, power: Any) -> Any:
    one = const(1.0)
    z, z_low = rounded_log(prediction)
    value, a, _, (_, root_up), _, root, root_low = _tweedie(
        z, z_low, target, power, prediction, target
    )
    # the roots of mean^-power and of mean^(-1 - power)
    weight, weight_low = _root_of_inverse(power, const(0.0), z, z_low)
    steep, steep_low = _root_of_inverse(*two_sum(power, one), z, z_low)
    fisher = times_square(one, weight, weight_low)
    grad = where(
        (target == const(0.0)) | (prediction == const(inf)),
        times_square(one + flat(target), root, root_low) * root_up,
        times_square(prediction - target, weight, weight_low),
    )
    rest = power * times_square(target, steep, steep_low)
    rest = where(power == const(0.0), flat(target), rest)  # 0 * inf = 0
    hess = _larger(times_square(a, weight, weight_low), -rest, a * prediction, -power * target)
    return value, grad, hess, fisher


def _root_of_inverse(c: Any, c_low: Any, z: Any, z_low: Any) -> tuple[Any, Any]:
    """The root of exp(-c z), in two words."""
    x, x_low = _multiple(c, c_low, z, z_low)
    return two_exp(const(-0.5) * x, const(-0.5) * x_low)


def _definition(log_mean: Any, target: Any, power: Any) -> Any:
    a, b = 1 - power, 2 - power
    first = (exp(b * log_mean) - 1) / b if b else log_mean
    return first - target * ((exp(a * log_mean) - 1) / a if a else log_mean)


class _TweedieLog(MapLoss):
    name = "tweedie"
    definition = staticmethod(_definition)

    @staticmethod
    def formula(prediction: Any, target: Any, power: Any) -> Any:
        value, grad, hess, _ = _tweedie_log(prediction, target, power)
        return value, grad, hess


class _TweedieLogFisher(_TweedieLog):
    name = "tweedie_fisher"

    @staticmethod
    def curvature(prediction: Any, target: Any, power: Any) -> Any:
        return exp((2 - power) * prediction)

    @staticmethod
    def formula(prediction: Any, target: Any, power: Any) -> Any:
        value, grad, _, hess = _tweedie_log(prediction, target, power)
        return value, grad, hess


class _TweedieMean(MapLoss):
    name = "tweedie_mean"

    @staticmethod
    def definition(prediction: Any, target: Any, power: Any) -> Any:
        return _definition(log(prediction), target, power)

    @staticmethod
    def formula(prediction: Any, target: Any, power: Any) -> Any:
        value, grad, hess, _ = _tweedie_mean(prediction, target, power)
        return value, grad, hess


class _TweedieMeanFisher(_TweedieMean):
    name = "tweedie_mean_fisher"

    @staticmethod
    def curvature(prediction: Any, target: Any, power: Any) -> Any:
        return exp(-power * log(prediction))

    @staticmethod
    def formula(prediction: Any, target: Any, power: Any) -> Any:
        value, grad, _, hess = _tweedie_mean(prediction, target, power)
        return value, grad, hess


TWEEDIE = {
    ("log_mean", "exact"): _TweedieLog,
    ("log_mean", "fisher"): _TweedieLogFisher,
    ("mean", "exact"): _TweedieMean,
    ("mean", "fisher"): _TweedieMeanFisher,
}
