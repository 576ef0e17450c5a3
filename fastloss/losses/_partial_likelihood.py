"""The likelihood of which element of a risk set has its event, by exp(score)."""

from __future__ import annotations

from typing import Any

from ..vocabulary import (
    const,
    two_difference,
    two_exp_negative,
    two_inverse,
    two_log,
    two_product,
    two_sum,
    where,
)

__all__ = ["PartialLikelihood", "PartialLikelihoodEfron"]


def _product(a: Any, a_low: Any, b: Any, b_low: Any) -> Any:
    high, low = two_product(a, b)
    return high, low + (a * b_low + a_low * b)


class PartialLikelihood:
    """Tied events each see all of their masses (Breslow)."""

    name = "partial_likelihood"

    @staticmethod
    def mass(score: Any, unit: Any) -> Any:
        """exp(score - unit); also where both are infinite."""
        e, e_low = two_exp_negative(*two_difference(score, unit))
        top = score == unit
        return where(top, const(1.0), e), where(top, const(0.0), e_low)

    @staticmethod
    def gap(score: Any, unit: Any) -> Any:
        """Unit - score."""
        high, low = two_difference(unit, score)
        top = score == unit
        return where(top, const(0.0), high), where(top, const(0.0), low)

    @staticmethod
    def left(l: Any, events: Any) -> Any:
        """How much of each tied event's mass is left for event l of so many."""
        return const(1.0)

    @staticmethod
    def term(rest: Any, tied: Any, left: Any) -> Any:
        """Logarithm and inverse of rest + left tied."""
        part, part_low = two_product(left, tied[0])
        total, low = two_sum(rest[0], part)
        low = low + (rest[1] + (part_low + left * tied[1]))
        total, low = total + low, (total - (total + low)) + low
        return two_log(total, low), two_inverse(total, low)

    @staticmethod
    def emit(mass: Any, slope: Any, curve: Any, own: Any) -> Any:
        """Mass slope - own and mass slope - mass² curve."""
        product, product_low = _product(*mass, *slope)
        square, square_low = _product(*mass, *_product(*mass, *curve))
        grad, grad_low = two_difference(product, own)
        hess, hess_low = two_difference(product, square)
        return grad + (grad_low + product_low), hess + (hess_low + (product_low - square_low))


class PartialLikelihoodEfron(PartialLikelihood):
    """Tied events leave one by one, each a mean of them all (Efron)."""

    name = "partial_likelihood_efron"

    @staticmethod
    def left(l: Any, events: Any) -> Any:
        """How much of each tied event's mass is left for event l of so many."""
        return (events - l) / events
