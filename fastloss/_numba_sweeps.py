"""Losses of sweeps over the classes as Numba block functions of the native driver."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from ._numba import add, compiled, define, total
from ._plan import GRAD, HESS
from ._sweeps import Sweep
from .vocabulary.compiled import words

__all__ = ["sweep_block"]


def sweep_block(loss: Any, dtype: Any, outputs: int) -> tuple[Any, list[Any]]:
    """Class-major buffers, every loop across rows, as in the compiled core."""
    parameters = len(loss.kernel_parameters())
    scalars = loss.sweeps(bool(outputs & GRAD) + bool(outputs & HESS))
    names = {function: f"f{i}" for i, function in enumerate(scalars.functions)}
    constants = "".join(f", c{i}" for i in range(parameters))
    labels = not loss.takes_distributions
    target = "dtype(labels[i] == j)" if labels else "q[j, i]"
    known = _count(scalars.sweeps)
    widest = max((len(sweep.sums) for sweep in scalars.sweeps), default=0)
    lines = [
        "z = carray(inputs[0], (k, n), dtype)",
        "q = carray(inputs[1], (k, n), dtype)",
        "labels = carray(inputs[2], n, np.int64)",
        "factor = carray(inputs[3], n, dtype)",
        *(f"c{i} = carray(parameters, {parameters}, dtype)[{i}]" for i in range(parameters)),
        f"row = np.zeros(({known}, n), dtype)",
        "row[0] = dtype(k)",
        f"x = np.zeros(({max(widest, 1)}, n), dtype)",
        f"high = np.zeros(({max(widest, 1)}, n))",
        "low = np.zeros_like(high)",
        # a NaN makes all of its row NaN, though a comparison would hide it
        "nothing = np.zeros(n, dtype)",
        "for j in range(k):",
        "    for i in range(n):",
        f"        nothing[i] += flat(z[j, i]){'' if labels else ' + flat(q[j, i])'}",
    ]
    if labels:
        lines += ["for i in range(n):", "    row[1, i] = z[labels[i], i]"]
    first = 2
    for sweep in scalars.sweeps:
        lines += _swept(sweep, names, first, target, constants)
        first += _count([sweep]) - 2
    row = _row(known)
    lines += [
        "value = carray(outputs[0], n, dtype)",
        "for i in range(n):",
        f"    value[i] = {names[scalars.finish]}({row}{constants}) + nothing[i]",
    ]
    if scalars.emit:
        wanted = [(1, "grad", GRAD), (2, "hess", HESS)]
        outs = [(place, out) for place, out, bit in wanted if outputs & bit]
        lines += [
            *(f"{out} = carray(outputs[{place}], (k, n), dtype)" for place, out in outs),
            "column = np.zeros(n, dtype)",
            "for j in range(k):",
            # the gradient may be written over the predictions
            "    column[:] = z[j]",
            "    for i in range(n):",
            f"        e = {names[scalars.emit]}(column[i], {target}, {row}{constants})",
            "        used = factor[i] != dtype(0)",
            *(
                f"        {out}[j, i] = (e[{place - 1}] + nothing[i]) * factor[i] "
                "if used else dtype(0)"
                for place, out in outs
            ),
        ]
    meanings = {"np": np, "carray": carray, "dtype": dtype, "add": add, "total": total}
    meanings["flat"] = words(dtype)["flat"]
    meanings |= {name: compiled(function, dtype) for function, name in names.items()}
    return define("sweep_block", lines, meanings), scalars.functions


def _count(sweeps: Any) -> int:
    """How many numbers of the row there are after sweeps."""
    return 2 + sum(
        len(s.largest) + 2 * len(s.sums) + sum(count for _, count in s.settled) for s in sweeps
    )


def _row(known: int) -> str:
    return "(" + "".join(f"row[{i}, i], " for i in range(known)) + ")"


def _swept(
    sweep: Sweep, names: dict[Any, str], first: int, target: str, constants: str
) -> list[str]:
    """The lines of one sweep, whose numbers of the row have places from the first on."""
    row = _row(first)
    lines = [f"row[{first + i}] = -np.inf" for i in range(len(sweep.largest))]
    if sweep.sums:
        lines += ["high[:] = 0.0", "low[:] = 0.0"]
    if sweep.largest or sweep.sums:
        lines += ["for j in range(k):", "    for i in range(n):", f"        mass = {target}"]
    for i, function in enumerate(sweep.largest):
        place = f"row[{first + i}, i]"
        lines += [
            f"        y = {names[function]}(z[j, i], mass, {row}{constants})",
            f"        {place} = y if y > {place} else {place}",
        ]
    first += len(sweep.largest)
    for s, function in enumerate(sweep.sums):
        lines += [
            f"        t{s} = {names[function]}(z[j, i], mass, {row}{constants})",
            f"        x[{s}, i] = t{s}[0]",
            f"        low[{s}, i] += np.float64(t{s}[1])",
        ]
    for s in range(len(sweep.sums)):
        lines.append(f"    add(high[{s}], low[{s}], x[{s}], n)")
    for s in range(len(sweep.sums)):
        at = first + 2 * s
        lines.append(f"total(high[{s}], low[{s}], n, row[{at}], row[{at + 1}])")
    first += 2 * len(sweep.sums)
    for function, count in sweep.settled:
        row = _row(first)
        lines += ["for i in range(n):", f"    numbers = {names[function]}({row}{constants})"]
        lines += [f"    row[{first + i}, i] = numbers[{i}]" for i in range(count)]
        first += count
    return lines
