"""A pytest plugin: runs the tests of one formula on one backend, and makes its Python text wrong.

See the package.
"""

import functools
import os
import tempfile
from pathlib import Path

import fastloss as fl
import mutants


def wrong_formula(function, factor, summand):
    def mutant(*arguments):
        value, grad, hess = function(*arguments)
        return (
            value * factor[0] + summand[0],
            grad * factor[1] + summand[1],
            hess * factor[2] + summand[2],
        )

    return mutant


def wrong_value(function, factor, summand):
    def mutant(*arguments):
        return function(*arguments) * factor[0] + summand[0]

    return mutant


def wrong_finish(function, factor, summand):
    def mutant(*arguments):
        value, coefficients = function(*arguments)
        return value * factor[0] + summand[0], coefficients

    return mutant


def wrong_emit(function, factor, summand):
    def mutant(*arguments):
        grad, hess = function(*arguments)
        return grad * factor[1] + summand[1], hess * factor[2] + summand[2]

    return mutant


def wrong_term(function, factor, summand):
    def mutant(*arguments):
        (value, low), slope = function(*arguments)
        return (value * factor[0] + summand[0], low), slope

    return mutant


def wrong_formula_of_two(function, factor, summand):
    def mutant(*arguments):
        value, grads, hesses = function(*arguments)
        return (
            value * factor[0] + summand[0],
            (grads[0] * factor[1] + summand[1], grads[1] * factor[1] + summand[1]),
            (hesses[0] * factor[2] + summand[2], hesses[1] * factor[2] + summand[2]),
        )

    return mutant


WRONG = {"formula": wrong_formula, "finish": wrong_finish, "emit": wrong_emit}
"""What makes a scalar function wrong, for those that give an output."""


def pytest_addoption(parser):
    group = parser.getgroup("mutants")
    group.addoption("--package", type=Path, help="where fastloss must come from")
    group.addoption("--backend", help="whose tests run")
    group.addoption("--formula", help="whose tests run")
    group.addoption("--mutation", help="of the Python text: output,factor,summand")


def pytest_configure(config):
    package = config.getoption("package")
    assert Path(fl.__file__).parents[1] == package, f"fastloss comes from {fl.__file__}"
    if text := config.getoption("mutation"):
        output, factor, summand = text.split(",")
        backend, formula = config.getoption("backend"), config.getoption("formula")
        mutate(backend, formula, int(output), float(factor), float(summand))


def pytest_collection_modifyitems(config, items):
    backend, formula = config.getoption("backend"), config.getoption("formula")
    items[:] = [item for item in items if concerns(item, backend, formula)]


def concerns(item, backend, formula):
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if not {"loss", "runner"} <= set(parameters):
        return False
    return parameters["loss"].kernel == formula and parameters["runner"][0] == backend


def mutate(backend, formula, output, *change):
    """Makes one output of a formula's Python text wrong."""
    factor, summand = (
        tuple(new if i == output else neutral for i in range(3))
        for new, neutral in zip(change, (1.0, -0.0), strict=True)
    )
    loss = mutants.losses_of(formula)[0]
    makers = WRONG | ({"formula": wrong_value} if formula in mutants.VALUE_ONLY else {})
    # the terms of a scan have values, those of a row do not
    makers |= {"term": wrong_term} if mutants.FORMULAS[formula] == "scan" else {}
    wrong = {
        name: functools.partial(make, factor=factor, summand=summand)
        for name, make in makers.items()
        if hasattr(loss.scalars, name)
    }
    if len(loss.differentiated) == 2:  # whose tuples Numba takes as they are written
        wrong["formula"] = functools.partial(wrong_formula_of_two, factor=factor, summand=summand)
    if backend == "numba":
        mutate_compiled({getattr(loss.scalars, name): make for name, make in wrong.items()})
    else:
        for name, make in wrong.items():
            setattr(loss.scalars, name, staticmethod(make(getattr(loss.scalars, name))))


def mutate_compiled(wrong):
    """Numba compiles texts alone, so mutants call what it made of them.

    What is kept on disk goes by the true texts, so that nothing may be found there.
    """
    import numba

    from fastloss import _numba

    true_compiled = _numba._compiled

    def compiled(function, dtype):
        inner = true_compiled(function, dtype)
        return numba.njit(wrong[function](inner)) if function in wrong else inner

    _numba._compiled = compiled
    os.environ["FASTLOSS_CACHE_DIR"] = tempfile.mkdtemp()
