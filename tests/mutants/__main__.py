"""Tries every mutant and prints which test caught it."""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mutants


def attempt(package, backend, formula, output):
    start = time.perf_counter()
    failed = mutants.failure(package, backend, formula, output)
    right = (failed is None) == (output is None)
    seconds = time.perf_counter() - start
    caught = failed or ("passes" if right else "SURVIVED")
    print(f"{formula:25} {output or 'none':7} {backend:8} {seconds:5.1f} s  {caught}", flush=True)
    return right


def main():
    start = time.perf_counter()
    trials = [
        (backend, formula, output)
        for formula in mutants.FORMULAS
        for backend in mutants.backends_of(formula)
        for output in (None, *mutants.outputs_of(formula))
    ]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        package = mutants.build(Path(folder))
        right = list(pool.map(lambda trial: attempt(package, *trial), trials))
    wrong = [trial for trial, good in zip(trials, right, strict=True) if not good]
    count = sum(output is not None for *_, output in trials)
    print(f"{count} mutants, {len(wrong)} not as they must be; {time.perf_counter() - start:.0f} s")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
