"""Losses of users' formulas: tracing, derivation, stable forms, and all that a loss can do."""

import inspect
import math
import pickle
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cases
import numpy as np
import pytest
import scipy.special
import sympy
from bits import all_same_bits

import fastloss as fl
from fastloss._custom import functions as f
from fastloss._custom.stable import EARLY, LATE, rewritten
from fastloss._custom.trace import FUNCTIONS, UFUNCS
from fastloss.accuracy import measure, points

RNG = cases.generator


# ---- formulas of the registry, written as anybody would

OWN = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "formulas.py"))["OWN"]

BUILT_IN = {
    "huber": ("all", 2, 1, math.inf),  # the Hessian at the kink is the user's choice
    "quantile": ("all", 1, 1, 0),
    "log_cosh": ("ordinary", 5, 2, 4),
    "sigmoid_cross_entropy": ("all", 2.5, 2.5, 3),
    "poisson": ("ordinary", 2, 2, 1.5),
    "tweedie": ("derivatives", 0, 4, 4),
    "sigmoid_focal": ("ordinary", 6, 8, 8),
    "cauchy": ("ordinary", 2, 2, 4),
    "pseudo_huber": ("ordinary", 3, 2, 4),
    "binary_cross_entropy": ("ordinary", 2, 2, 2),
}
"""Where each is compared with the truth of the registry's loss, and to how many ulps."""


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=pytest.mark.full)])
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("name", BUILT_IN, ids=lambda name: f"{name} of a user")
def test_formulas_of_the_registry(name, dtype, backend):
    where, *bounds = BUILT_IN[name]
    case = points.case(fl.get(name), "values", dtype, 240)
    mine = points.Case(OWN[name](), "values", dtype, case.inputs, case.ordinary, case.truth)
    found = measure.own(mine, [(backend, None)])
    worst = found.all if where == "all" else found.ordinary
    for output, bound in list(zip(worst, bounds, strict=True))[where == "derivatives" :]:
        assert worst[output].error <= bound, str(worst[output])


# ---- tracing

X, Y = sympy.symbols("prediction target", real=True)

TRACED = {
    "arithmetic": lambda p, t: (p + 2 * t - 1) / (3 - p) * -t,
    "powers": lambda p, t: p**2 + abs(t) ** 1.5 + np.square(p) + np.power(abs(t) + 1, p),
    "comparisons": lambda p, t: np.where((p < t) & (p > -1) | ~(t >= 0), p, t),
    "choices": lambda p, t: np.select([p < -1, p < 1], [p, t], p * t),
    "ends": lambda p, t: np.clip(p, -1, 1) + np.clip(t, None, 0.5) + np.maximum(p, t),
    "exponentials": lambda p, t: np.exp(p) + np.exp2(t) + np.expm1(p),
    "logarithms": lambda p, t: np.log(abs(p) + 1) + np.log2(t * t + 2) + np.log1p(p * p),
    "other bases": lambda p, t: np.log10(t * t + 3) + p / np.log10(3),
    "hyperbolic": lambda p, t: np.tanh(p) + np.sinh(t) + np.cosh(p) + np.log(np.cosh(t)),
    "roots": lambda p, t: np.sqrt(abs(p)) + np.sqrt(1 + t * t) - 1 + np.reciprocal(p * p + 1),
    "signs": lambda p, t: np.sign(p) + np.absolute(t) + np.fabs(p) + np.minimum(p, -t),
    "sums of exponentials": lambda p, t: np.logaddexp(p, t) + np.log(np.exp(p) + np.exp(t)),
    "special": lambda p, t: scipy.special.expit(p) + scipy.special.log_expit(t),
    "normal": lambda p, t: scipy.special.erf(p) + scipy.special.erfc(t),
    "gamma": lambda p, t: scipy.special.gammaln(abs(p) + 1) + scipy.special.digamma(abs(t) + 1),
    "entropy": lambda p, t: scipy.special.entr(abs(p)) + scipy.special.xlogy(abs(t), abs(p) + 1),
}  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", pytest.param("numba", marks=pytest.mark.full)])
@pytest.mark.parametrize("what", TRACED)
def test_what_is_traced_is_what_numpy_computes(what, backend):
    def formula(prediction, target):
        return TRACED[what](prediction, target)

    rng = RNG()
    p, t = rng.normal(size=(2, 400)) * 2
    with fl.use_backend(backend):
        value, grad = fl.custom(formula)().value_and_grad(p, t, reduction="none", value_out=p * 0)
    np.testing.assert_allclose(value, formula(p, t), 1e-12, 1e-13)
    h = 1e-4
    y = [formula(p + k * h, t) for k in (-2, -1, 1, 2)]
    slopes = (y[0] - 8 * y[1] + 8 * y[2] - y[3]) / (12 * h)
    kinked = np.abs((y[3] - y[2]) - (y[1] - y[0])) > 0.02 * (1 + np.abs(y[3]))
    apart = np.abs(p[:, np.newaxis] - np.stack([t * 0, t, -t, t * 0 + 1, t * 0 - 1], 1)).min(1)
    smooth = (apart > 3 * h) & ~kinked
    assert smooth.sum() > 100
    np.testing.assert_allclose(grad[smooth], slopes[smooth], 1e-6, 1e-6)


FOUND_BY_REVIEW = {
    "a scaled difference": (
        lambda p, t: np.log(np.cosh(0.1 * (p - t))), 1e5 + 0.25, 1e5, np.log(np.cosh(0.025))
    ),
    "a hinge from 0 and 1": (
        lambda p, t: np.maximum(0, 1 - np.where(t > 0, 1, -1) * p), 0.5, 1.0, 0.5
    ),
    "capped": (lambda p, t: np.minimum(np.log(1 + np.exp(p)) - t * p, 10.0), 50.0, 0.0, 10.0),
    "an infinity": (lambda p, t: np.where(p > 0, -np.log(p), np.inf), -1.0, 0.0, np.inf),
    "a clip without end": (lambda p, t: np.clip(p, 0, np.inf), 3.0, 0.0, 3.0),
    "a negative base": (lambda p, t: (p - t) ** 33, -1.0, 0.0, -1.0),
    "a choice in a square": (lambda p, t: (-p - np.where(t > p, p, t)) ** 2, 1.0, 2.0, 4.0),
    "constants": (lambda p, t: np.maximum(0 * p, 1) + scipy.special.expit(0 * p), 1.0, 0.0, 1.5),
    "a condition as a number": (lambda p, t: (p > t) * (p - t) ** 2, 3.0, 1.0, 4.0),
    "a label as a condition": (lambda p, t: np.where(t == True, p, -p), 2.0, 1.0, 2.0),  # noqa: E712
    "an exclusive or": (lambda p, t: np.where((p > 0) ^ (t > 0), 1.0, p), 2.0, 1.0, 2.0),
    "the same twice": (lambda p, t: np.logaddexp(p, p), 1.0, 0.0, 1 + math.log(2)),
    "a far tail": (lambda p, t: np.log(scipy.special.erfc(p)), 7.0, 0.0, -51.528231093710154),
    "a power of a logistic": (lambda p, t: (np.exp(p) / (1 + np.exp(p))) ** 2, 800.0, 0.0, 1.0),
    "a large square": (lambda p, t: np.sqrt(1 + p**2) - 1, 1e200, 0.0, np.inf),
}  # fmt: skip


@pytest.mark.parametrize("what", FOUND_BY_REVIEW)
def test_harder_formulas(what):
    formula, p, t, true = FOUND_BY_REVIEW[what]
    loss = fl.custom(_of(formula))()
    with fl.use_backend("numpy"):
        value = loss.value(np.array([p]), np.array([float(t)]))
    np.testing.assert_allclose(value, true, 1e-7)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=pytest.mark.full)])
def test_powers_that_are_parameters(backend):
    @fl.custom
    def power(prediction, target, g=2.0):
        return abs(prediction - target) ** g

    @fl.custom
    def odd(prediction, target, g=3.0):
        return (prediction - target) ** g

    zero, two = np.zeros(1), np.full(1, 2.0)
    with fl.use_backend(backend):
        for g, at_zero in ((1.0, 0.0), (1.5, np.inf), (2.0, 2.0), (2.5, 0.0), (3.0, 0.0)):
            assert power(g=g).value_grad_hess(zero, zero) == (0.0, 0.0, at_zero)
            expected = 2**g, g * 2 ** (g - 1), g * (g - 1) * 2 ** (g - 2)
            value, grad, hess = power(g=g).value_grad_hess(two, zero)
            np.testing.assert_allclose((value, grad[0], hess[0]), expected, 1e-14)
        assert odd().value_grad_hess(-two, zero) == (-8.0, 12.0, -12.0)
        assert odd(g=2.0).value_grad_hess(-two, zero) == (4.0, -4.0, 2.0)
        assert np.isnan(odd(g=2.5).value(-two, zero))


REFUSED = {
    "sort": (lambda p, t: np.sort(p), "cannot use sort"),
    "a branch": (lambda p, t: max(p, t), "cannot branch on its inputs"),
    "an index": (lambda p, t: p[0], "sees one element at a time"),
    "a loop": (lambda p, t: sum(p), "sees one element at a time"),
    "another ufunc": (lambda p, t: np.gcd(p, t), "cannot use gcd"),
    "a ufunc's method": (lambda p, t: np.add.reduce(p), "cannot use add.reduce"),
    "an output": (lambda p, t: np.add(p, t, out=np.zeros(3)), "cannot give add out="),
    "a method": (lambda p, t: p.mean(), r"cannot use \.mean"),
    "a plain number": (lambda p, t: math.exp(p), "cannot make a plain number"),
    "an array": (lambda p, t: np.zeros(3) * p, "cannot hold ndarray"),
    "a constant": (lambda p, t: 3.0, "must return what it computes of its inputs; got float"),
    "a condition": (lambda p, t: p < t, "must return numbers; got a condition"),
    "a remainder": (lambda p, t: p % 2, "%"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_traced_is_named(what):
    formula, message = REFUSED[what]
    with pytest.raises(TypeError, match=message):
        fl.custom(lambda prediction, target: formula(prediction, target))


ARGUMENTS = [
    (lambda prediction: prediction, {}, TypeError, "must take prediction, target, then"),
    (lambda p, y: p, {}, TypeError, r"got \(p, y\)"),
    (lambda prediction, target, cost: cost, {}, TypeError, "must take prediction, target, then"),
    (lambda prediction, target, a="x": prediction, {}, TypeError, "default of a must be a number"),
    (
        lambda prediction, target, a=math.inf: prediction,
        {},
        ValueError,
        "must be a number that is finite; got inf",
    ),
    (lambda prediction, target, _a=1: prediction, {}, ValueError, "cannot be called '_a'"),
    (lambda prediction, target, value=1: prediction, {}, ValueError, "cannot be called 'value'"),
    (lambda prediction, target, weight=1: prediction, {}, ValueError, "cannot be called 'weight'"),
    (lambda prediction, target: prediction, {"domains": {"target": (0, None)}}, ValueError, "low"),
    (lambda prediction, target: prediction, {"convx": True}, TypeError, "states convex"),
    (lambda prediction, target: prediction, {"convex": 3}, ValueError, "one of True, False"),
    (lambda prediction, target: prediction, {"link": "probit"}, ValueError, "'identity', 'log'"),
    (lambda prediction, target: prediction, {"domains": {"x": (0, 1)}}, ValueError, "'x'"),
    (lambda prediction, target: prediction, {"domains": {"target": (1, 0)}}, ValueError, "low"),
]


@pytest.mark.parametrize(("formula", "options", "kind", "message"), ARGUMENTS)
def test_arguments_are_checked(formula, options, kind, message):
    with pytest.raises(kind, match=message):
        fl.custom(formula, **options)


# ---- stable forms

x, y, u = sympy.symbols("x y u", real=True)
PATTERNS = [
    (sympy.log(1 + sympy.exp(x)), f.Softplus(x)),
    (sympy.log(sympy.exp(x) + sympy.exp(y)), x + f.Softplus(y - x)),
    (1 / (1 + sympy.exp(-x)), f.Sigmoid(x)),
    (sympy.exp(x) / (1 + sympy.exp(x)), f.Sigmoid(x)),
    (1 - 1 / (1 + sympy.exp(-x)), f.Sigmoid(-x)),
    (sympy.log(1 / (1 + sympy.exp(-x))), -f.Softplus(-x)),
    (x * sympy.log(x), f.Xlogy(x, x)),
    (Y * sympy.log(X), f.Xlogy(Y, X)),
    (sympy.log(1 + u), f.Log1p(u)),
    (sympy.exp(u) - 1, f.Expm1(u)),
    (3 - 3 * sympy.exp(u), -3 * f.Expm1(u)),
    (
        sympy.sqrt(1 + u) - 1,
        f.Choice((u / (1 + sympy.sqrt(1 + u)), u < 1), (sympy.sqrt(1 + u) - 1, True)),
    ),
    (sympy.exp(2 * x) / (1 + sympy.exp(x)) ** 2, f.Sigmoid(x) ** 2),
    (sympy.log(f.Erfc(x)), f.LogErfc(x)),
    (f.Absolute(x) ** 2, x**2),
    (sympy.log(sympy.cosh(x)), f.LogCosh(x)),
    (1 / (1 + u) - u / (1 + u) ** 2, (1 + u) ** -2),
]


@pytest.mark.parametrize(("naive", "stable"), PATTERNS, ids=str)
def test_naive_patterns_become_stable(naive, stable):
    found = rewritten(rewritten(naive, EARLY), LATE)
    assert found == stable


STABLE = {
    "log(1+exp x)": (lambda p: np.log(1 + np.exp(p)), -700.0, np.exp(-700.0)),
    "large x": (lambda p: np.log(1 + np.exp(p)), 1e5, 1e5),
    "two exponentials": (lambda p: np.log(np.exp(p) + np.exp(2 * p)), 800.0, 1600.0),
    "x log x": (lambda p: p * np.log(p), 0.0, 0.0),
    "log(1+u)": (lambda p: np.log(1 + p), 1e-20, 1e-20),
    "exp(u)-1": (lambda p: np.exp(p) - 1, 1e-20, 1e-20),
    "sqrt(1+u)-1": (lambda p: np.sqrt(1 + p) - 1, 1e-20, 5e-21),
    "log cosh": (lambda p: np.log(np.cosh(p)), 1e-9, 5e-19),
    "log cosh, large": (lambda p: np.log(np.cosh(p)), 1e4, 1e4 - math.log(2)),
    "1-sigmoid": (lambda p: 1 - 1 / (1 + np.exp(-p)), 50.0, scipy.special.expit(-50.0)),
}


@pytest.mark.parametrize("what", STABLE)
def test_stable_forms_keep_their_digits(what):
    formula, at, true = STABLE[what]
    loss = fl.custom(lambda prediction, target: formula(prediction) + 0 * target)()
    with fl.use_backend("numpy"):
        np.testing.assert_allclose(loss.value(np.array([at]), np.zeros(1)), true, 1e-14)


def test_derivatives_at_kinks_are_those_of_least_norm():
    kinks = {
        lambda p, t: abs(p - t): 0.0,
        lambda p, t: np.maximum(0, p - t): 0.0,
        lambda p, t: np.maximum(p - t, 3 * (p - t)): 1.0,
        lambda p, t: np.minimum(p - t, -3 * (p - t)): 0.0,
        lambda p, t: np.clip(p - t, 0, 1): 0.0,
    }
    for formula, slope in kinks.items():
        loss = fl.custom(_of(formula))()
        with fl.use_backend("numpy"):
            assert loss.grad(np.ones(1), np.ones(1), reduction="sum") == [slope]


def _of(formula):
    def loss(prediction, target):
        return formula(prediction, target)

    return loss


# ---- everything that a loss can do


@fl.custom(convex=True, inputs=["cost"])
def costly(prediction, target, cost, alpha=2.0, sign=1.0):
    """Squared error, by a cost of each element."""
    r = sign * (prediction - target)
    return cost * np.where(r < 0, alpha * r**2, r**2)


def made(n=1000, dtype=np.float64):
    rng = RNG()
    return {name: rng.random(n).astype(dtype) for name in ("prediction", "target", "cost")}


def by_hand(prediction, target, cost, alpha=2.0):
    r = prediction - target
    slope = np.where(r < 0, alpha, 1.0)
    return cost * slope * r**2, 2 * cost * slope * r, 2 * cost * slope


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=pytest.mark.full)])
def test_every_method_reduction_and_weight(backend):
    inputs, weight = made(), RNG().random(1000)
    value, grad, hess = by_hand(**inputs, alpha=3.0)
    loss = costly(alpha=3.0)
    with fl.use_backend(backend):
        for reduction, scale in (("none", 1), ("sum", 1), ("mean", weight.sum())):
            found = loss.value_grad_hess(**inputs, weight=weight, reduction=reduction)
            expected = weight * value if reduction == "none" else (weight * value).sum() / scale
            np.testing.assert_allclose(found[0], expected, 1e-13)
            np.testing.assert_allclose(found[1], weight * grad / scale, 1e-13, 1e-16)
            np.testing.assert_allclose(found[2], weight * hess / scale, 1e-13)
        assert all_same_bits(loss.value_and_grad(**inputs), loss.value_grad_hess(**inputs)[:2])
        for name in ("prediction", "target", "cost"):
            holed = {**inputs, name: np.where(np.arange(1000) == 7, np.nan, inputs[name])}
            for array in loss.value_grad_hess(**holed, reduction="none"):
                assert np.flatnonzero(np.isnan(array)).tolist() == [7]
        with pytest.raises(TypeError, match="cost"):
            loss.value(inputs["prediction"], inputs["target"])


def test_it_is_a_loss():
    loss = costly(alpha=3)
    assert isinstance(loss, fl.Loss)
    assert repr(loss) == "costly(alpha=3.0)"
    assert loss.replace(alpha=2.0) == costly()
    assert len({loss, costly(alpha=3.0)}) == 1
    assert inspect.getdoc(costly) == "Squared error, by a cost of each element."
    assert str(inspect.signature(costly)) == "(*, alpha=2.0, sign=1.0)"
    assert loss.convex
    with pytest.raises(ValueError, match="alpha must be a number that is finite; got inf"):
        costly(alpha=math.inf)
    with pytest.raises(TypeError, match="no parameter 'beta'"):
        costly(beta=1.0)


def test_formulas_that_are_equal_make_one_class():
    def twice():
        @fl.custom
        def own(prediction, target):
            return (prediction - target) ** 4

        return own

    assert twice() is twice()
    assert pickle.loads(pickle.dumps(twice()())) == twice()()


def test_it_pickles_into_a_process_that_does_not_know_it():
    loss = costly(alpha=3.0)
    inputs = made(50)
    code = (
        "import pickle, sys, fastloss as fl\n"
        "loss, inputs = pickle.load(sys.stdin.buffer)\n"
        "with fl.use_backend('numpy'): print(repr(loss), loss.value(**inputs))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps((loss, inputs)), capture_output=True
    )
    with fl.use_backend("numpy"):
        assert done.stdout.decode().split() == [repr(loss), str(loss.value(**inputs))], done.stderr


def test_domains_are_checked():
    with (
        fl.use_backend("numpy"),
        pytest.raises(ValueError, match=r"target\[2\] is 3\.0, outside its domain"),
    ):
        OWN["sigmoid_cross_entropy"]().value(np.zeros(3), np.array([0.0, 1.0, 3.0]))


def test_links_and_best_constants():
    with fl.use_backend("numpy"):
        loss = OWN["sigmoid_cross_entropy"]()
        score = loss.init_score(np.array([0.0, 0.0, 0.0, 1.0]))
        np.testing.assert_allclose(loss.inverse_link(np.array([score])), 0.25)


def test_given_derivatives_take_the_place_of_derived_ones():
    @fl.custom(grad=lambda prediction, target: 3 * (prediction - target))
    def given(prediction, target):
        return (prediction - target) ** 2

    @fl.custom(hess=lambda prediction, target: 7 + 0 * prediction)
    def curved(prediction, target):
        return (prediction - target) ** 2

    @fl.custom(hess=lambda prediction, target: 2.0)
    def constant(prediction, target):
        return (prediction - target) ** 2

    with fl.use_backend("numpy"):
        one, zero = np.ones(1), np.zeros(1)
        assert constant().hess(one, zero) == 2.0
        assert given().grad_and_hess(one, zero) == (3.0, 3.0)
        assert curved().grad_and_hess(one, zero) == (2.0, 7.0)


def test_a_name_of_the_registry_stays_a_name_of_ones_own():
    assert OWN["huber"]().kernel == "huber, a custom loss"
    assert fl.get("huber") == fl.Huber()


def test_sources():
    text = costly.source()
    assert text.startswith("def costly(prediction, target, cost, alpha, _sign):\n")
    assert "where(" in text
    assert r"\alpha" in costly.source(latex=True)


def test_check_reports_what_is_wrong():
    @fl.custom(grad=lambda prediction, target: 3 * (prediction - target))
    def wrong(prediction, target):
        return (prediction - target) ** 2

    with fl.use_backend("numpy"):
        report = wrong.check()
        assert not report.ok
        assert "look at this" in str(report)
        good = OWN["cauchy"].check(scale=2.0)
    assert good.ok
    assert str(good).startswith("cauchy(scale=2.0): ok\n")
    assert "loses digits at prediction = " in str(good)  # squares overflow


def test_the_page_lists_what_can_be_traced():
    page = (Path(__file__).parents[1] / "docs/custom.md").read_text()
    table = page[page.index("## What can be traced") : page.index("## Derivatives")]
    listed = set(re.findall(r"`([a-z]\w+)`", table)) - {"abs"}
    cells = {name for name in listed if name not in ("if", "and", "max", "scipy")}
    assert cells == {*UFUNCS, *(function.__name__ for function in FUNCTIONS)}
