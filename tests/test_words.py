"""Every word of the vocabulary lies within its bounds, on every backend and instruction set.

The core's words run through loops of ``words.cpp``, compiled with the flags of the kernels; the
same loops show that the compiler fills vectors with each word.
"""

import ctypes
import functools
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cases
import mpmath
import numpy as np
import pytest
from bits import same_bits
from mpmath import mpf
from test_build import COMPILER, REGISTER, SOURCES, compile_source, complaint, disassembled

from fastloss import vocabulary
from fastloss.accuracy.points import sweep
from fastloss.accuracy.ulps import Column, ulp_error
from fastloss.vocabulary import exact

HERE = Path(__file__).parent
QUICK, FULL, FEW = 600, 4000, 150
"""Points of each range; few where the truth takes long."""
INF = np.inf


@dataclass(frozen=True)
class Word:
    """What a word is, where it is looked at, and how far off it may be.

    Attributes
    ----------
    exact : callable
        The function on numbers of mpmath; its argument is high + low, or there are two.
    ulps : tuple of float
        Bounds for float32 and float64; for two words, of their sum.
    ranges : tuple of pairs
        Ends between which all magnitudes and evenly spread numbers are looked at.
    second : tuple of float, "low" or None
        The second argument: one of some numbers, or the low word of the first.
    two : bool
        Whether the result has two words.
    normal : bool
        Whether its high word is the rounded sum.
    slow : bool
        Whether the truth takes long.
    """

    exact: Callable
    ulps: tuple[float, float]
    ranges: tuple[tuple[float, float], ...]
    second: tuple[float, ...] | str | None = None
    two: bool = False
    normal: bool = True
    slow: bool = False


REAL = ((-INF, INF), (-800.0, 800.0), (-120.0, 120.0), (-2.0, 2.0))
NEGATIVE = ((-INF, 0.0), (-800.0, 0.0), (-110.0, 0.0), (-1.0, 0.0))
POSITIVE = ((0.0, INF), (0.0, 100.0), (0.0, 3.0))
COUNTABLE = ((4e-24, INF), (4e-24, 100.0), (4e-24, 3.0))
"""So that no result is subnormal."""


GAMMA = (*POSITIVE, (0.98, 1.02), (1.46, 1.463), (1.98, 2.02))
NORMAL = ((-INF, INF), (-40.0, 40.0), (-15.0, 15.0), (-3.0, 3.0))
POWERS = (*POSITIVE, (0.9, 1.1), (0.6, 1.6))
EXPONENTS = (-300.0, -7.0, -2.5, -1.0, -0.5, -1e-3, 0.0, 1e-5, 0.3, 1.0, 1.5, 2.0, 3.7, 20.0, 900.0)
PRODUCT = ((-110.0, 0.0), (-1.0, 1.0), (0.0, 15.0))
FACTORS = (1e20, -7e25, 1e30)
COUNTS = ((0.0, 1e30), (0.0, 100.0), (0.4, 1.6))
STEPS = (-60.0, -20.0, -3.0, -1.25, -1.0, -0.5, 0.0, 0.5, 2.0, 30.0)


def log_factorial(x):
    """Next to 0 by its series, as 1 + x has not the digits."""
    if x < mpf(2) ** -100:
        return mpmath.pi**2 / 12 * x**2 - mpmath.euler * x
    return mpmath.loggamma(1 + x)


RISING = [
    lambda count, log_step, i=i: exact.WORDS["log_rising_derivatives"](count, log_step)[i]
    for i in range(3)
]

WORDS = {
    "digamma": Word(exact.WORDS["digamma"], (1.7, 1.7), GAMMA),
    "exp": Word(mpmath.exp, (1.16, 1.16), REAL, "low"),
    "expm1": Word(mpmath.expm1, (1.3, 1.3), REAL, "low"),
    "lgamma": Word(exact.WORDS["lgamma"], (1.5, 1.5), GAMMA),
    "log": Word(mpmath.log, (0.93, 0.93), POSITIVE),
    "inverse_mills": Word(exact.WORDS["inverse_mills"], (1, 1), NORMAL, "low"),
    "inverse_mills_slope": Word(exact.WORDS["inverse_mills_slope"], (2, 2), NORMAL, "low"),
    "log1mexp": Word(exact.WORDS["log1mexp"], (1.6, 1.6), POSITIVE, "low"),
    "log1p": Word(mpmath.log1p, (1.02, 1.02), ((-1.0, INF), (-1.0, 3.0), (0.0, 100.0))),
    "log1p_unit": Word(lambda x, y: mpmath.log1p(x), (1.75, 1.75), ((0.0, 1.0),), (0.0,)),
    "log_normal_cdf": Word(exact.WORDS["log_normal_cdf"], (1.6, 1.6), NORMAL, "low"),
    "log_rising": Word(exact.WORDS["log_rising"], (6, 6), COUNTS, STEPS, slow=True),
    "log_rising_curve": Word(RISING[2], (7, 7), COUNTS, STEPS, slow=True),
    "log_rising_slope": Word(RISING[1], (4, 4), COUNTS, STEPS, slow=True),
    "normal_cdf": Word(exact.WORDS["normal_cdf"], (1.1, 1.1), NORMAL, "low"),
    "normal_density": Word(exact.WORDS["normal_density"], (0.8, 0.8), NORMAL, "low"),
    "normal_interval": Word(exact.WORDS["normal_interval"], (1.6, 1.6), NORMAL, "low"),
    "power": Word(exact.WORDS["power"], (1.3, 1.3), POWERS, EXPONENTS),
    "sech_squared": Word(exact.WORDS["sech_squared"], (0.8, 1.2), REAL, "low"),
    "sqrt": Word(mpmath.sqrt, (0.5, 0.5), POSITIVE),
    "tanh": Word(mpmath.tanh, (0.52, 0.52), REAL),
    "trigamma": Word(exact.WORDS["trigamma"], (1.4, 1.4), GAMMA, slow=True),
    "two_exp_fine": Word(
        mpmath.exp, (5e-4, 1e-4), ((-64.0, 80.0), (-1.0, 1.0)), "low", True, False
    ),
    "two_exp_negative": Word(mpmath.exp, (0.92, 0.92), NEGATIVE, "low", True, False),
    "two_exp_product": Word(
        lambda x, y: y * mpmath.exp(x), (0.55, 0.5), PRODUCT, FACTORS, True, False
    ),
    "two_log": Word(mpmath.log, (1.4, 1.4), POSITIVE, "low", True, False),
    "two_log1p": Word(mpmath.log1p, (0.52, 0.52), ((-1.0, INF), (-1.0, 3.0)), None, True, False),
    "two_log1pexp": Word(lambda x: mpmath.log1p(mpmath.exp(x)), (1.6, 1.6), NEGATIVE, "low", True),
    "two_log_factorial": Word(log_factorial, (1.1, 1.1), COUNTABLE, None, True),
    "two_log_fine": Word(mpmath.log, (4e-3, 4e-4), POSITIVE, "low", True),
    "two_one_plus_exp": Word(lambda x: 1 + mpmath.exp(x), (0.05, 0.05), NEGATIVE, "low", True),
    "two_sqrt": Word(mpmath.sqrt, (2e-6, 2e-6), ((4e-24, INF), (4e-24, 3.0)), "low", True),
    "two_tanh": Word(mpmath.tanh, (0.08, 0.05), REAL, "low", True),
}


# ---- points and their truth


@functools.lru_cache(maxsize=8)
def points(name, dtype, n):
    """Arguments of a word; as many as whole vectors hold."""
    word, rng = WORDS[name], cases.generator()
    parts = []
    for low, high in word.ranges:
        parts += [sweep(low, high, n, dtype), [low, high]]
        if high - low < 1e4:
            parts.append(rng.uniform(low, high, n))
    x = np.concatenate(parts).astype(dtype)
    x = np.concatenate([x, x[: -len(x) % 64]])
    if word.second == "low":
        largest = np.finfo(dtype).max
        rounded = (x != 0) & (np.abs(x) < largest)
        ulp = np.where(rounded, np.spacing(np.clip(x, -largest / 2, largest / 2)), 0)
        y = (ulp * rng.uniform(-0.5, 0.5, len(x))).astype(dtype)
    else:
        y = rng.choice(word.second or (0.0,), len(x)).astype(dtype)
    return x, y


@functools.lru_cache(maxsize=8)
def truth(name, dtype, n):
    """Exact results."""
    word = WORDS[name]
    both = word.second is not None and word.second != "low"
    results = []
    with mpmath.workprec(400):
        for x, y in zip(*points(name, dtype, n), strict=True):
            x, y = mpf(float(x)), mpf(float(y))
            results.append(word.exact(x, y) if both else word.exact(x + y))
        return results, Column(results, dtype)


def errors(name, dtype, n, high, low):
    """In ulps."""
    results, column = truth(name, dtype, n)
    found = column.errors(high, low)
    for i in np.flatnonzero(np.isinf(found)):
        found[i] = ulp_error(high[i], results[i], dtype)
    return found


# ---- ways to compute


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """The words compiled for every instruction set."""
    folder = tmp_path_factory.mktemp("words")

    def build(isa):
        flags = [*SOURCES[f"csrc/kernels_{isa}_float64.cpp"], "-I", str(HERE.parent)]
        compile_source(HERE / "words.cpp", flags, folder / f"{isa}.o")
        command = [COMPILER, "-shared", str(folder / f"{isa}.o"), "-o", str(folder / f"{isa}.so")]
        subprocess.run(command, check=True)
        return folder / f"{isa}.so"

    with ThreadPoolExecutor() as pool:
        return dict(zip(REGISTER, pool.map(build, REGISTER), strict=True))


def native(library, name, x, y):
    function = ctypes.CDLL(str(library))[f"{name}_{x.dtype}"]
    results = np.zeros((2, len(x)), x.dtype)
    arrays = [x, y, *results]
    function(ctypes.c_int64(len(x)), *(ctypes.c_void_p(array.ctypes.data) for array in arrays))
    return results


def plain(name, x, y):
    """The reference computes in float64 and rounds once."""
    word = WORDS[name]
    arguments = [v.astype(np.float64) for v in ((x, y) if word.second else (x,))]
    with np.errstate(all="ignore"):
        result = getattr(vocabulary, name)(*arguments)
        high, low = result if word.two else (result, np.zeros(len(x)))
        rounded = high.astype(x.dtype)
        rest = np.where(np.isfinite(rounded), high - rounded, 0.0) if word.two else 0.0
        return rounded, (low + rest).astype(x.dtype)


@functools.cache
def compiled(name, dtype):
    import numba

    from fastloss.vocabulary.compiled import words

    function = words(dtype)[name]
    word = WORDS[name]
    arguments = "x[i], y[i]" if word.second else "x[i]"
    left = "high[i], low[i]" if word.two else "high[i]"
    lines = ["def loop(x, y, high, low):", "    for i in range(len(x)):",
             f"        {left} = function({arguments})"]  # fmt: skip
    meanings = {"function": function}
    exec("\n".join(lines), meanings)
    return numba.njit(error_model="numpy")(meanings["loop"])


def through_numba(name, x, y):
    results = np.zeros((2, len(x)), x.dtype)
    compiled(name, str(x.dtype))(x, y, *results)
    return results


def computed(runner, libraries, name, x, y):
    backend, isa = runner
    if backend == "native":
        return native(libraries[isa], name, x, y)
    return through_numba(name, x, y) if backend == "numba" else plain(name, x, y)


# ---- the tests

# the truth of a word is found in one process
each_word = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in WORDS]
)
each_dtype = pytest.mark.parametrize("dtype", cases.DTYPES)
each_runner = pytest.mark.parametrize("runner", cases.RUNNERS, ids=cases.name_of)


def check(runner, libraries, name, dtype, n):
    word = WORDS[name]
    x, y = points(name, dtype, n)
    high, low = computed(runner, libraries, name, x, y)
    found = errors(name, dtype, n, high, low)
    worst = int(np.argmax(found))
    at = f"{x[worst]!r}, {y[worst]!r}: {high[worst]!r} + {low[worst]!r}"
    assert found[worst] <= word.ulps[cases.DTYPES.index(dtype)], f"{found[worst]} ulps at {at}"
    if word.two and word.normal:
        assert (np.abs(low) <= np.spacing(np.minimum(np.abs(high), np.finfo(dtype).max / 2))).all()


@each_runner
@each_dtype
@each_word
def test_bounds_hold(runner, libraries, name, dtype):
    check(runner, libraries, name, dtype, FEW if WORDS[name].slow else QUICK)


@pytest.mark.full
@each_runner
@each_dtype
@each_word
def test_bounds_hold_everywhere(runner, libraries, name, dtype):
    check(runner, libraries, name, dtype, 2 * FEW if WORDS[name].slow else FULL)


@each_dtype
@each_word
def test_fusing_machines_agree_to_the_bit(libraries, name, dtype):
    from fastloss.vocabulary._numba_math import FUSES

    x, y = points(name, dtype, QUICK)
    runners = [r for r in cases.RUNNERS if r[0] == "numba" or r[1] in ("avx2", "avx512")]
    results = [computed(runner, libraries, name, x, y) for runner in runners if FUSES]
    for result in results[1:]:
        assert same_bits(result, results[0])


@each_runner
@each_dtype
@each_word
def test_nan_comes_through(runner, libraries, name, dtype):
    x = np.full(64, np.nan, dtype)
    high, _ = computed(runner, libraries, name, x, np.zeros(64, dtype))
    assert np.isnan(high).all()


@each_runner
@each_dtype
def test_power_at_the_ends(runner, libraries, dtype):
    exponents = np.array([-INF, -300, -1, -0.5, 0, 1e-5, 1, 2.5, 900, INF], dtype)
    bases = np.array([0, 0.5, 1, 7, INF], dtype)
    x, y = (np.resize(part, 64) for part in (np.repeat(bases, 10), np.tile(exponents, 5)))
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    got, _ = computed(runner, libraries, "power", x, y)
    np.testing.assert_allclose(got, expected, 4 * np.finfo(dtype).eps, 0)


@each_dtype
@each_word
def test_numba_fills_vectors(name, dtype):
    x = np.ones(64, dtype)
    through_numba(name, x, x)
    text = "".join(compiled(name, dtype).inspect_asm().values())
    register = "[yz]mm" if "avx2" in cases.ISAS else "xmm"
    assert re.search(rf"\tv?(mul|sqrt|f\w+)p[sd]\t.*%{register}", text)


@pytest.mark.parametrize("isa", REGISTER)
def test_words_fill_vectors(libraries, isa):
    functions = {n: i for n, i in disassembled(libraries[isa]) if "word_loop<" in n}
    for name in WORDS:
        own = {n: i for n, i in functions.items() if f"::{name}_word" in n}
        assert len(own) == 2, name
        assert not [c for i in own.values() if (c := complaint(i, REGISTER[isa]))], name
