"""Formulas compiled by Numba to block functions of the native driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import numba
except ImportError as error:
    raise ImportError("the backend 'numba' needs Numba: pip install fastloss[numba]") from error
from numba import carray, njit, types

from . import _kept
from ._plan import GRAD, HESS, VALUE
from ._sweeps import SweepLoss
from .vocabulary import rebind
from .vocabulary._numba_math import OPTIONS
from .vocabulary.compiled import words

__all__ = ["add", "block", "compiled", "define", "total"]

_SIGNATURE = types.void(
    types.int64,
    types.int64,
    types.CPointer(types.voidptr),
    types.voidptr,
    types.CPointer(types.voidptr),
)

# Compiled block functions by scalar functions, dtype and outputs; they must outlive every call.
_blocks: dict[tuple[Any, ...], Any] = {}


_OUTPUTS = VALUE, VALUE | GRAD, VALUE | GRAD | HESS
"""What is compiled: the least of these that gives what is asked for, as compiling takes seconds."""


def block(loss: Any, dtype: np.dtype[Any], outputs: int) -> int:
    """The address of a loss's block function, compiled at its first use."""
    given = next(given for given in _OUTPUTS if outputs & ~given == 0)
    key = (loss.scalars, dtype, given)
    if key not in _blocks:
        function, formulas = _maker(loss)(loss, dtype.type, given)
        what = f"{loss.kernel} in {dtype.name}"
        _blocks[key] = _kept.compiled(function, _SIGNATURE, formulas, what)
    return int(_blocks[key].address)


def _maker(loss: Any) -> Callable[..., Any]:
    if isinstance(loss, SweepLoss):
        from ._numba_sweeps import sweep_block

        return sweep_block
    return _row_block if loss.schema == "row" else _map_block


def compiled(function: Callable[..., Any], dtype: Any) -> Any:
    """A scalar function for one dtype."""
    return rebind(function, words(dtype), njit(**OPTIONS, forceinline=True))


def define(name: str, lines: list[str], meanings: dict[str, Any]) -> Callable[..., Any]:
    """A function from lines of text: Numba has no other way to write a variable arity."""
    text = f"def {name}(n, k, inputs, parameters, outputs):\n    " + "\n    ".join(lines)
    meanings["__name__"] = __name__  # compiled code that is kept asks for its module
    exec(compile(text, f"<{name}>", "exec"), meanings)
    return meanings[name]


def _map_block(loss: Any, dtype: Any, outputs: int) -> tuple[Any, list[Any]]:
    inputs, parameters = len(loss.inputs), len(loss.kernel_parameters())
    count = len(loss.differentiated)
    lines = [f"x{i} = carray(inputs[{i}], n, dtype)" for i in range(inputs)]
    lines += [f"c{i} = carray(parameters, {parameters}, dtype)[{i}]" for i in range(parameters)]
    lines.append(f"scale = carray(inputs[{inputs}], 1, dtype)[0]")
    lines.append("value = carray(outputs[0], n, dtype)")
    stores = ["    value[i] = point[0]" if loss.has_gradient else "    value[i] = point"]
    for bit, kind, first in ((GRAD, 1, 1), (HESS, 2, 1 + count)):
        for p in range(count if outputs & bit else 0):
            part = f"point[{kind}]" + (f"[{p}]" if count > 1 else "")
            lines.append(f"out{kind}_{p} = carray(outputs[{first + p}], n, dtype)")
            stores.append(f"    out{kind}_{p}[i] = {part} * scale")
    arguments = [f"x{i}[i]" for i in range(inputs)] + [f"c{i}" for i in range(parameters)]
    lines += ["for i in range(n):", f"    point = formula({', '.join(arguments)})", *stores]
    formula = compiled(loss.scalars.formula, dtype)
    meanings = {"carray": carray, "dtype": dtype, "formula": formula}
    return define("map_block", lines, meanings), [loss.scalars.formula]


@njit(**OPTIONS)
def add(high, low, x, n):
    """Adds a column to sums of two words."""
    for i in range(n):
        total = high[i] + x[i]
        part = total - high[i]
        low[i] += (high[i] - (total - part)) + (x[i] - part)
        high[i] = total


@njit(**OPTIONS)
def total(high, low, n, to, to_low):
    """Rounds sums of two words, and what that loses."""
    for i in range(n):
        both = high[i] + low[i] if high[i] - high[i] == 0 else high[i]
        to[i] = both
        rest = ((high[i] - both) + low[i]) + (both - to[i])
        to_low[i] = rest if to[i] - to[i] == 0 else 0.0


def _tuple_of(name: str, count: int) -> str:
    return "(" + "".join(f"{name}[{i}][i], " for i in range(count)) + ")"


def _pairs_of(high: str, low: str, count: int) -> str:
    return "(" + "".join(f"({high}[{i}][i], {low}[{i}][i]), " for i in range(count)) + ")"


_REFERENCES = {
    "none": [],
    "label": ["for i in range(n):", "    reference[i] = z[labels[i], i]"],
    "number": ["reference[:] = carray(inputs[4], n, dtype)"],
    "maximum": [
        "reference[:] = -np.inf",
        "for j in range(k):",
        "    for i in range(n):",
        "        reference[i] = z[j, i] if z[j, i] > reference[i] else reference[i]",
    ],
    "rival": [
        "reference[:] = -np.inf",
        "for j in range(k):",
        "    for i in range(n):",
        "        above = labels[i] != j and z[j, i] > reference[i]",
        "        reference[i] = z[j, i] if above else reference[i]",
    ],
}


def _row_block(loss: Any, dtype: Any, outputs: int) -> tuple[Any, list[Any]]:
    """Class-major buffers, every loop across rows, as in the compiled core."""
    scalars = loss.scalars
    parameters = len(loss.kernel_parameters())
    constants = "".join(f", c{i}" for i in range(parameters))
    terms, fits, coefficients = scalars.term_sums, scalars.fit_sums, scalars.coefficients
    settled = scalars.settled
    keeps = bool(outputs & GRAD)
    lines = [
        "z = carray(inputs[0], (k, n), dtype)",
        "soft = is_set(inputs[1])",
        "q = carray(inputs[1], (k, n), dtype)",
        "labels = carray(inputs[2], n, np.int64)",
        "factor = carray(inputs[3], n, dtype)",
        *(f"c{i} = carray(parameters, {parameters}, dtype)[{i}]" for i in range(parameters)),
        "reference = np.zeros(n, dtype)",
        "ties = np.zeros(n, dtype)",
        f"terms = np.zeros(({max(terms, 1)}, n), dtype)",
        "terms_low = np.zeros_like(terms)",
        f"fits = np.zeros(({max(fits, 1)}, n), dtype)",
        "fits_low = np.zeros_like(fits)",
        f"x = np.zeros(({max(terms, fits)}, n), dtype)",
        f"high = np.zeros(({max(terms, fits)}, n))",
        "low = np.zeros_like(high)",
    ]
    lines += _REFERENCES[scalars.reference]
    known = f"reference[i], {_tuple_of('settled', settled)}" if settled else "reference[i]"
    fit_lines = [
        "if soft:",
        "    for j in range(k):",
        "        for i in range(n):",
        f"            s = fit(z[j, i], q[j, i], {known}{constants})",
        *(f"            x[{s}, i] = s[{s}][0]" for s in range(fits)),
        *(f"            low[{s}, i] += np.float64(s[{s}][1])" for s in range(fits)),
        *(f"        add(high[{s}], low[{s}], x[{s}], n)" for s in range(fits)),
        *(f"    total(high[{s}], low[{s}], n, fits[{s}], fits_low[{s}])" for s in range(fits)),
        "else:",
        "    for i in range(n):",
        f"        s = fit(z[labels[i], i], dtype(1), {known}{constants})",
        *(f"        fits[{s}, i] = s[{s}][0]" for s in range(fits)),
        *(f"        fits_low[{s}, i] = s[{s}][1]" for s in range(fits)),
    ]
    if keeps:
        # the gradient's buffer keeps what emit needs; it may be the prediction's
        lines.append("kept = carray(outputs[1], (k, n), dtype)")
    term_lines = []
    if keeps or terms:
        term_lines = [
            "for j in range(k):",
            "    for i in range(n):",
            "        prediction = z[j, i]",
            f"        t = term(prediction, reference[i]{constants})",
            "        ties[i] += dtype(prediction == reference[i])",
            *(f"        x[{s}, i] = t[1][{s}][0]" for s in range(terms)),
            *(f"        low[{s}, i] += np.float64(t[1][{s}][1])" for s in range(terms)),
            *(["        kept[j, i] = t[0]"] if keeps else []),
            *(f"    add(high[{s}], low[{s}], x[{s}], n)" for s in range(terms)),
            *(f"total(high[{s}], low[{s}], n, terms[{s}], terms_low[{s}])" for s in range(terms)),
        ]
    sums = _pairs_of("terms", "terms_low", terms)
    settle_lines = [
        f"settled = np.zeros(({settled}, n), dtype)",
        "for i in range(n):",
        f"    numbers = settle(reference[i], ties[i], {sums}{constants})",
        *(f"    settled[{s}, i] = numbers[{s}]" for s in range(settled)),
    ]
    clear = ["high[:] = 0.0", "low[:] = 0.0"]
    if settled:
        lines += [*term_lines, *settle_lines, *clear, *fit_lines]
    else:
        lines += [*fit_lines, *clear, *term_lines]
    lines += [
        f"row = np.zeros(({max(coefficients, 1)}, n), dtype)",
        "value = carray(outputs[0], n, dtype)",
        "for i in range(n):",
        f"    f = finish(reference[i], ties[i], {sums}, {_pairs_of('fits', 'fits_low', fits)}, "
        f"dtype(k){constants})",
        "    value[i] = f[0]",
        *(f"    row[{c}, i] = f[1][{c}]" for c in range(coefficients)),
    ]
    if keeps:
        lines += [
            "grad = carray(outputs[1], (k, n), dtype)",
            "hess = carray(outputs[2], (k, n), dtype)",
            "for j in range(k):",
            "    for i in range(n):",
            "        target = q[j, i] if soft else dtype(labels[i] == j)",
            f"        e = emit(kept[j, i], target, {_tuple_of('row', coefficients)}{constants})",
            "        used = factor[i] != dtype(0)",
            *(
                f"        {out}[j, i] = e[{position}] * factor[i] if used else dtype(0)"
                for position, (bit, out) in enumerate(((GRAD, "grad"), (HESS, "hess")))
                if outputs & bit
            ),
        ]
    meanings = {"np": np, "carray": carray, "dtype": dtype, "add": add, "total": total}
    meanings["is_set"] = _is_set
    names = ["term", "fit", "finish"] + ["settle"] * bool(settled) + ["emit"] * keeps
    formulas = [getattr(scalars, name) for name in names]
    meanings |= {name: compiled(f, dtype) for name, f in zip(names, formulas, strict=True)}
    return define("row_block", lines, meanings), formulas


@numba.extending.intrinsic
def _is_set(typing_context, pointer):
    """Whether a pointer is not null."""

    def code(context, builder, signature, arguments):
        null = arguments[0].type(None)
        return builder.icmp_unsigned("!=", arguments[0], null)

    return types.boolean(pointer), code
