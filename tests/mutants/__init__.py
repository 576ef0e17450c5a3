"""Formulas that are off by one part in 10⁴: the ordinary tests must notice each of them.

A throw-away build holds a mutant of every C++ formula; an environment variable wakes one of them
when a process starts. Mutants of the Python texts, for NumPy and Numba, are made by the plugin.
A mutant is caught when a test of its formula fails that passes without it.

``python -m mutants`` in the tests' folder tries them all and prints a table.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cases

import fastloss as fl
from fastloss._native import core

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PART = 1e-4
OUTPUTS = ("value", "grad", "hess")

FORMULAS = {name: schema for name, schema, *_ in core.kernels()} if cases.COMPILED else {}
"""The schema of each formula."""
VALUE_ONLY = {fl.get(name).kernel for name in fl.losses(gradient=False)}
"""The formulas without a gradient."""


def build(folder):
    """The package with a mutant of each C++ formula; returns where to import it from."""
    for name in ("csrc", "fastloss"):
        unwanted = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in ("LICENSE", "README.md", "pyproject.toml", "setup.py", "tests/mutants/mutant.hpp"):
        shutil.copy(ROOT / name, folder)
    flags = {"FASTLOSS_CXXFLAGS": "-O0 -I csrc -include mutant.hpp", "CFLAGS": "-O0"}
    flags["FASTLOSS_BASELINE"] = "1"  # the text is the same for all
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=folder,
        env={**os.environ, **flags},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def of_groups(formula):
    return FORMULAS[formula] in ("pair", "scan")


def backends_of(formula):
    return [b for b in cases.BACKENDS if not (of_groups(formula) and b == "numba")]


def outputs_of(formula):
    return OUTPUTS[:1] if formula in VALUE_ONLY else OUTPUTS


def losses_of(formula):
    names = fl.losses(gradient=formula not in VALUE_ONLY)
    if not of_groups(formula):
        names = [name for name in names if name not in cases.group_losses()]
    found = [loss for name in names for loss in cases.variants(name)]
    return [loss for loss in found if loss.kernel == formula]


def some_inputs(loss):
    rng = cases.generator()
    if isinstance(loss, fl.GroupLoss):
        return cases.sample_groups(loss, [20] * 10, "float64", rng)
    return cases.sample(loss, (200,), "float64", rng, extremes=False)


def mutation(formula, output):
    """Factor and summand that make an output wrong: one that is 0 everywhere needs a summand."""
    for loss in losses_of(formula):
        if cases.outputs(loss, some_inputs(loss))[OUTPUTS.index(output)].any():
            return 1 + PART, -0.0
    return 1.0, PART


def failure(package, backend, formula, output=None):
    """The first ordinary test of a formula that fails with a mutant, or None.

    Parameters
    ----------
    package : Path
        What :func:`build` returned.
    backend : str
        Where the mutant is, and whose tests run.
    formula : str
    output : str, optional
        Which output is wrong; none by default.
    """
    environment = {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{TESTS}", "COLUMNS": "1000"}
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-x", "-m", "not full"]
    command += ["-p", "mutants.plugin", "-p", "no:cacheprovider"]
    command += ["--package", str(package), "--backend", backend, "--formula", formula]
    if output is not None:
        change = map(repr, (OUTPUTS.index(output), *mutation(formula, output)))
        if backend == "native":
            environment["FASTLOSS_MUTANT"] = " ".join((formula, *change))
        else:
            command += [f"--mutation={','.join(change)}"]
    name = "value_only" if formula in VALUE_ONLY else "accuracy"
    command.append(f"tests/test_{'group_' if of_groups(formula) else ''}{name}.py")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    failed = re.search(r"^FAILED \S*?::(.*) - AssertionError", done.stdout, re.MULTILINE)
    assert done.returncode == 1, done.stdout + done.stderr
    assert failed, done.stdout
    return failed[1]
