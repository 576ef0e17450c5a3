"""Every unit's value, gradient and Hessian lie within the stated bounds of the truth.

Run as a script it prints the worst errors measured, as a table, with the inputs that gave them.
"""

import functools
import sys

import cases
import numpy as np
import oracle
import pytest

QUICK = {"map": 300, "row": 60}
FULL = {"map": 4000, "row": 600}
"""Units looked at for each loss, kind of target and dtype."""
WIDTHS = {1: 6, 2: 6, 17: 6}
FULL_WIDTHS = {40: 10}
"""Rows looked at, by their number of classes."""

LOSSES = cases.with_kinds(cases.plain_variants())


# ---- where to look


def sweep(low, high, n, dtype):
    """Floats at even steps of bit patterns: every magnitude, subnormals included."""
    integer = np.dtype(f"int{8 * np.dtype(dtype).itemsize}")
    largest = np.finfo(dtype).max
    ends = np.array([max(low, -largest), min(high, largest)], dtype) + np.zeros(1, dtype)
    codes = [_code(x, integer) for x in ends]
    steps = [codes[0] + (codes[1] - codes[0]) * i // max(1, n - 1) for i in range(n)]
    magnitudes = np.array([abs(c) for c in steps], integer).view(dtype)
    return np.where(np.array(steps, object) < 0, -magnitudes, magnitudes).astype(dtype)


def _code(x, integer):
    """A number's place among all floats of its dtype, 0 for zero."""
    place = int(np.abs(x).view(integer))
    return -place if x < 0 else place


def neighbours(x, rng):
    """Numbers up to three floats away."""
    for _ in range(3):
        x = np.nextafter(x, np.where(rng.random(x.shape) < 0.5, -np.inf, np.inf).astype(x.dtype))
    return x


def points(loss, kind, dtype, n, classes):
    """Inputs of n units: a loss's own samples, tails, sweeps of bit patterns, near kinks."""
    rng = cases.generator()
    inputs = cases.sample(loss, (n,), dtype, rng, kind, classes=classes)
    typical = cases.sample(loss, (n,), dtype, rng, kind, False, classes)
    which = rng.integers(5, size=n)
    rows = loss.schema == "row"
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        x = inputs[name]
        if domain.discrete or x.dtype != np.dtype(dtype):
            continue
        chosen = which[:, np.newaxis] if rows else which
        x = np.where(chosen == 0, typical[name], x)
        if name in loss.differentiated:
            tail = rng.choice([-1, 1], x.shape) * rng.uniform(16, 110, x.shape)
            x = np.where(chosen == 1, _inside(domain, tail.astype(dtype)), x)
            x = np.where(chosen == 2, _inside(domain, neighbours(x, rng)), x)
        # distributions hold no numbers beyond 1
        high = min(domain.high, 1.0) if rows and name not in loss.differentiated else domain.high
        swept = rng.permutation(sweep(domain.low, high, x.size, dtype)).reshape(x.shape)
        x = np.where((chosen == 3) | ((chosen == 4) & (rng.random(x.shape) < 0.5)), swept, x)
        inputs[name] = x.astype(dtype)
    return inputs


def _inside(domain, x):
    return np.clip(x, domain.low, domain.high).astype(x.dtype)


@functools.lru_cache(maxsize=4)
def case(loss, kind, dtype, n, classes):
    """Points and their truth, shared by all ways to run."""
    inputs = points(loss, kind, dtype, n, classes)
    return inputs, oracle.truth(loss, inputs, dtype)


# ---- how far off


def worst(loss, kind, dtype, n, runner, bounds, classes=None):
    """For each output the largest error, where, what came out and what is true."""
    inputs, truth = case(loss, kind, dtype, n, classes)
    with cases.running(runner):
        got = cases.outputs(loss, inputs)
    found = {}
    for name, array, bound in zip(oracle.OUTPUTS, got, bounds, strict=True):
        errors = truth.errors(name, array, bound)
        at = int(np.argmax(errors))
        unit = at * len(truth.units) // len(errors)
        found[name] = (
            float(errors[at]),
            {key: x[unit] for key, x in inputs.items()},
            array.ravel()[at],
            oracle.mpmath.nstr(truth.columns[name][at], 20),
        )
    return found


def check(loss, kind, dtype, n, runner, classes=None):
    bounds = loss.ulps[dtype]
    found = worst(loss, kind, dtype, n, runner, bounds, classes)
    wrong = [
        f"{name}: {error:.2f} ulp, stated {bound}, at {where}: {got!r}, truly {true}"
        for (name, (error, where, got, true)), bound in zip(found.items(), bounds, strict=True)
        if error > bound
    ]
    assert not wrong, "\n".join(wrong)


QUICK_CASES = [
    (loss, kind, dtype, runner)
    for loss, kind in LOSSES
    for dtype in cases.DTYPES
    for runner in cases.RUNNERS
    if dtype in cases.quick_dtypes(loss, runner)
]
FULL_CASES = [
    (loss, kind, dtype, runner)
    for loss, kind in LOSSES
    for dtype in cases.DTYPES
    for runner in cases.RUNNERS
]


@pytest.mark.parametrize(("loss", "kind", "dtype", "runner"), QUICK_CASES, ids=cases.name_of)
def test_bounds_hold(loss, kind, dtype, runner):
    check(loss, kind, dtype, QUICK[loss.schema], runner)


@pytest.mark.full
@pytest.mark.parametrize(("loss", "kind", "dtype", "runner"), FULL_CASES, ids=cases.name_of)
def test_bounds_hold_everywhere(loss, kind, dtype, runner):
    check(loss, kind, dtype, FULL[loss.schema], runner)


def check_widths(widths, loss, kind, dtype, runner):
    for classes, n in widths.items():
        check(loss, kind, dtype, n, runner, classes)


OF_ROWS = [case for case in QUICK_CASES if case[0].schema == "row"]
FULL_OF_ROWS = [case for case in FULL_CASES if case[0].schema == "row"]


@pytest.mark.parametrize(("loss", "kind", "dtype", "runner"), OF_ROWS, ids=cases.name_of)
def test_bounds_hold_for_any_number_of_classes(loss, kind, dtype, runner):
    check_widths(WIDTHS, loss, kind, dtype, runner)


@pytest.mark.full
@pytest.mark.parametrize(("loss", "kind", "dtype", "runner"), FULL_OF_ROWS, ids=cases.name_of)
def test_bounds_hold_for_many_classes(loss, kind, dtype, runner):
    check_widths(FULL_WIDTHS, loss, kind, dtype, runner)


def table(sizes):
    """The worst errors over all ways to run, as lines of Markdown."""
    yield "| loss | dtype | output | worst ulps | stated | by | at | result | truth |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for loss, kind in LOSSES:
        for dtype in cases.DTYPES:
            closely = (1.0, 1.0, 1.0)  # below an ulp, errors are upper bounds
            by_runner = {
                runner: worst(loss, kind, dtype, sizes[loss.schema], runner, closely)
                for runner in cases.RUNNERS
            }
            for i, name in enumerate(oracle.OUTPUTS):
                runner = max(by_runner, key=lambda r, name=name: by_runner[r][name][0])
                error, where, got, true = by_runner[runner][name]
                where = ", ".join(f"{k}={v!r}" for k, v in where.items())
                yield (
                    f"| {loss!r} {kind} | {dtype} | {name} | {error:.2f} | {loss.ulps[dtype][i]} "
                    f"| {cases.name_of(runner)} | {where} | {got} | {true} |"
                )


if __name__ == "__main__":
    for line in table(FULL if "full" in sys.argv[1:] else QUICK):
        print(line, flush=True)
