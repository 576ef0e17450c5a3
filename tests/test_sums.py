"""Sums within the bound of rule 9 of the design, and the same bits however a call runs (rule 8).

The units of these tests have values known beforehand, so the oracle is integer arithmetic. Run as
a script it prints sums of 10⁸ elements for each number of threads, to the last bit.
"""

import math
from fractions import Fraction

import cases
import numpy as np
import pytest
from bits import same_bits
from test_covering import all_pairs

import fastloss as fl

MANY = {"float32": 10**8, "float64": 10**7}
"""Elements of a large sum."""
THREADS = (1, 2, 4)
CLASSES = 10
CHUNK = 1 << 20

each_dtype = pytest.mark.parametrize("dtype", cases.DTYPES)


# ---- the exact sum

SCALE = 1200
"""Every number here is an integer in units of 2**-SCALE."""


def scaled_sum(x):
    """The sum of a chunk: 26 bits and the other 27 of the numbers of an exponent add up exactly."""
    mantissa, exponent = np.frexp(x)
    least = int(exponent.min())
    digits = np.ldexp(mantissa, 53)
    high = np.rint(digits / 2**27)
    return sum(
        int(count) << (SCALE + least + step - bits)
        for bits, part in ((26, high), (53, digits - high * 2**27))
        for step, count in enumerate(np.bincount(exponent - least, part))
    )


def products(x, weight):
    """Products with weights of 24 bits, as two exact parts."""
    mantissa, exponent = np.frexp(x)
    high = np.ldexp(np.rint(np.ldexp(mantissa, 26)), exponent - 26)
    return weight * high, weight * (x - high)


def exact_sum(values, weight=None):
    """The sum of finite numbers, times weights of 24 bits if any, as a fraction."""
    total = 0
    for begin in range(0, len(values), CHUNK):
        x, w = (
            a if a is None else a[begin : begin + CHUNK].astype(np.float64)
            for a in (values, weight)
        )
        total += sum(map(scaled_sum, [x] if w is None else products(x, w)))
    return Fraction(total, 2**SCALE)


def error_of(values, weight=None):
    """A function that tells how far off a sum is, as a share of what is allowed.

    That is an ulp where all terms share a sign, else 2⁻⁵² of the sum of their magnitudes.
    """
    exact = exact_sum(values, weight)
    if values.min() >= 0 or values.max() <= 0:
        allowed = Fraction(math.ulp(float(exact)))
    else:
        allowed = exact_sum(np.abs(values), weight) / 2**52
    return lambda total: float(abs(Fraction(total) - exact) / allowed)


@each_dtype
def test_the_oracle(dtype, rng):
    x = np.ldexp(rng.normal(size=3000), rng.integers(-100, 100, 3000)).astype(dtype)
    weight = rng.random(3000, np.float32)
    terms = list(map(Fraction, x.tolist()))
    assert exact_sum(x) == sum(terms)
    assert exact_sum(x, weight) == sum(
        Fraction(w) * term for w, term in zip(weight.tolist(), terms, strict=True)
    )


# ---- losses whose units have values known beforehand


def magnitudes(x):
    return fl.AbsoluteError(), {"prediction": x, "target": 0.0}, np.abs(x)


def squares(x):
    return fl.SquaredError(), {"prediction": x, "target": 0.0}, np.square(x)


def both_signs(x):
    """exp(x) - t x with so large a t that the first term, if x < 8, is lost to rounding."""
    t = x.dtype.type(2.0 ** (110 if x.dtype == np.float32 else 200))
    return fl.Poisson(), {"prediction": x, "target": t}, -t * x


def rows(x):
    """log(exp(z) + 9) with so large a z that the 9 is lost to rounding; other logits are 0."""
    z = 64 + np.abs(x[: len(x) // CLASSES])
    logits = np.zeros((len(z), CLASSES), x.dtype)
    logits[:, 0] = z
    return fl.SoftmaxCrossEntropy(), {"prediction": logits, "target": 1}, z


KNOWN = (magnitudes, squares, both_signs, rows)


def name_of(parameter):
    return getattr(parameter, "__name__", str(parameter))


@each_dtype
@pytest.mark.parametrize("known", KNOWN, ids=name_of)
def test_the_values_are_known(known, dtype, rng):
    loss, inputs, values = known(random_numbers(3000, dtype, rng))
    assert loss.value(**inputs, reduction="none").tobytes() == values.tobytes()


# ---- sums of many elements


def random_numbers(n, dtype, rng):
    """Numbers of magnitudes from 2⁻¹⁰ to 2³ and of either sign."""
    x = np.empty(n, dtype)
    for begin in range(0, n, CHUNK):
        part = x[begin : begin + CHUNK]
        part[:] = np.ldexp(1 + rng.random(len(part), dtype), rng.integers(-10, 3, len(part)))
        part *= rng.choice(np.array([-1, 1], dtype), len(part))
    return x


def large_case(known, weighted, dtype):
    """A loss, inputs, weights and values of many elements."""
    rng = cases.generator()
    loss, inputs, values = known(random_numbers(MANY[dtype], dtype, rng))
    weight = rng.random(len(values), np.float32) if weighted else None
    return loss, inputs, weight, values


@pytest.mark.full
@each_dtype
@pytest.mark.parametrize(
    ("known", "weighted"),
    [(magnitudes, False), (squares, True), (both_signs, False), (rows, True)],
    ids=name_of,
)
def test_large_sums(known, weighted, dtype):
    loss, inputs, weight, values = large_case(known, weighted, dtype)
    total = loss.value(**inputs, weight=weight, reduction="sum", threads=1)
    mean = total / (len(values) if weight is None else float(exact_sum(weight)))
    grad = np.empty_like(inputs["prediction"])
    for threads in THREADS:
        options = {"weight": weight, "threads": threads}
        assert loss.value(**inputs, **options, reduction="sum") == total
        assert loss.value_and_grad(**inputs, **options, grad_out=grad)[0] == mean
    assert error_of(values, weight)(total) <= 1


# ---- sums that are hard to get right

HUGE = 4.0
LOST = 1.999 * 2.0**-52
"""Less than half an ulp of HUGE."""
LANES = 16


def one_huge(n, place):
    x = np.full(n, LOST)
    x[place] = HUGE
    return x


def in_lanes(lanes, blocks=1):
    """In each of some lanes a huge number first and then only tiny ones."""
    x = np.full((512 // LANES, LANES), LOST / 2**10)
    x[:, :lanes] = LOST
    x[0, :lanes] = HUGE
    return np.tile(x.ravel(), blocks)


def spread(n):
    return np.exp2(cases.generator().uniform(-60, 2, n))


HARD = {
    "huge first": one_huge(10**6, 0),
    "huge last": one_huge(10**5, -1),
    "huge in one lane": in_lanes(1),
    "huge in every lane": in_lanes(LANES, 100),
    "alternating": np.tile([HUGE, LOST], 5000),
    "spread": spread(512),
    "spread over many blocks": spread(99991),
    "ascending": np.sort(spread(5000)),
    "descending": np.sort(spread(5000))[::-1],
}
each_hard = pytest.mark.parametrize("name", HARD)
each_weighting = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


def sums(loss, inputs):
    """The sum on every instruction set."""
    for isa in cases.ISAS:
        with cases.running(("native", isa)):
            yield loss.value(**inputs, reduction="sum")


def hard_error(known, x, weighted, dtype, rng):
    loss, inputs, values = known(x.astype(dtype))
    weight = rng.random(len(values), np.float32) + np.float32(2**-24) if weighted else None
    return max(map(error_of(values, weight), sums(loss, {**inputs, "weight": weight})))


@each_dtype
@each_weighting
@each_hard
def test_terms_of_one_sign(name, weighted, dtype, rng):
    assert hard_error(magnitudes, HARD[name], weighted, dtype, rng) <= 1


@each_dtype
@each_weighting
@each_hard
def test_terms_of_both_signs(name, weighted, dtype, rng):
    x = HARD[name]
    for signs in (rng.choice([-1, 1], len(x)), np.resize([-1, 1], len(x)), np.sign(x - HUGE / 2)):
        assert hard_error(both_signs, signs * x, weighted, dtype, rng) <= 1


@each_dtype
def test_huge_terms_that_cancel(dtype):
    """What is left is exactly the rest."""
    rest = 2.0**-20
    for n in (16, 512, 4096):
        x = np.r_[np.full(n, HUGE), np.full(n, -HUGE), rest].astype(dtype)
        loss, inputs, values = both_signs(x)
        assert set(sums(loss, inputs)) == {values[-1]}


@each_dtype
def test_products_with_weights_count_in_full(dtype):
    """Each product lies halfway between two doubles: rounding them would add up."""
    x, weight = 1 + 4095 * 2.0**-23, 1 + 1025 * 2.0**-52
    term = Fraction(x) * Fraction(weight)
    for n in range(256, 513):
        inputs = {"prediction": np.full(n, x, dtype), "target": 0.0, "weight": np.full(n, weight)}
        for total in sums(fl.AbsoluteError(), inputs):
            assert abs(Fraction(total) - n * term) <= Fraction(math.ulp(float(n * term))), n


@each_dtype
def test_sums_of_subnormals(dtype, rng):
    x = rng.integers(0, 1000, 20_000) * np.finfo(dtype).smallest_subnormal
    assert hard_error(magnitudes, x, False, dtype, rng) == 0


def test_sums_near_the_largest_number_and_beyond():
    largest = np.finfo(np.float64).max
    loss = fl.AbsoluteError()
    for n in (2, 16, 32, 512, 4096):
        parts = {"prediction": np.full(n, largest / n), "target": 0.0}
        wholes = {"prediction": np.full(n, largest), "target": 0.0}
        assert set(sums(loss, parts)) == {largest}
        assert set(sums(loss, wholes)) == {math.inf}


# ---- the same bits

LOSSES = [
    (cases.with_classes(loss, classes), kind, classes)
    for loss, kind in cases.with_kinds(map(fl.get, cases.unit_losses()))
    for classes in ((5, 40) if loss.schema == "row" else (1,))  # across rows, along rows
]
SIZES = {
    "map": (511, 512, 513, 65_535, 65_536, 65_537, 199_999),
    "row": (63, 64, 65, 513, 1637, 1639, 13_109),
}
"""Units about the end of a block and where a second thread is worth its while; large primes."""
AXES = {
    "size": range(7),
    "threads": THREADS,
    "isa": cases.ISAS[1:],  # those with fma
    "method": tuple(cases.METHODS),
    "reduction": ("mean", "sum", "none"),
    "place": (0, 8, 56, "strided", "reversed", "class-major"),
    "given": ("nothing", "outputs", "in place"),
}
CHOICES = list(all_pairs(AXES))

each_loss = pytest.mark.parametrize(("loss", "kind", "classes"), LOSSES, ids=cases.name_of)


def weighted_sample(loss, kind, classes, n, dtype):
    rng = cases.generator()
    inputs = cases.sample(loss, (n,), dtype, rng, kind, extremes=False, classes=classes)
    return {**inputs, "weight": rng.random(n)}


def placed(array, place):
    """A copy in another order in memory, or so many bytes after a multiple of 64."""
    if place == "class-major":
        return np.moveaxis(np.moveaxis(array, -1, 0).copy(), 0, -1)
    if isinstance(place, str):
        return cases.laid_out(array, place)
    memory = np.zeros(array.nbytes + 128, np.uint8)
    begin = -memory.ctypes.data % 64 + place
    copy = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def run(loss, inputs, method, place, given, **options):
    """Outputs by name."""
    names = cases.METHODS[method]
    arrays = {name: placed(array, place) for name, array in inputs.items()}
    outs = {}
    if given != "nothing":
        like = {"value": inputs["weight"].astype(inputs["prediction"].dtype)}
        first = tuple(placed(inputs[name], place) for name in loss.differentiated)
        second = tuple(placed(inputs[name], place) for name in loss.differentiated)
        outs = cases.as_outs(loss, [placed(like["value"], place), *first, *second])
        if options["reduction"] != "none":
            del outs["value_out"]
        outs = {f"{name}_out": outs[f"{name}_out"] for name in names if f"{name}_out" in outs}
    if given == "in place" and "grad_out" in outs and len(loss.differentiated) == 1:
        outs["grad_out"] = arrays["prediction"]
    results = getattr(loss, method)(**arrays, **options, **outs)
    results = map(cases.stacked, results if len(names) > 1 else (results,))
    return dict(zip(names, results, strict=True))


def differences(got, expected):
    return [name for name in got if not same_bits(got[name], expected[name])]


@pytest.mark.full
@each_dtype
@each_loss
def test_any_way_to_call_gives_the_same_bits(loss, kind, classes, dtype):
    sizes = SIZES[loss.schema]
    everything = weighted_sample(loss, kind, classes, max(sizes), dtype)
    expected = {}
    for choice in CHOICES:
        options = {**choice}
        n, isa, reduction = sizes[options.pop("size")], options.pop("isa"), choice["reduction"]
        inputs = {name: array[:n] for name, array in everything.items()}
        if (n, reduction) not in expected:
            plainly = {"method": "value_grad_hess", "place": 0, "given": "nothing", "threads": 1}
            expected[n, reduction] = run(loss, inputs, **plainly, reduction=reduction)
        with cases.running(("native", isa)):
            got = run(loss, inputs, **options)
        assert not differences(got, expected[n, reduction]), choice


@each_dtype
@each_loss
def test_any_alignment_gives_the_same_bits(loss, kind, classes, dtype):
    inputs = weighted_sample(loss, kind, classes, 700 // classes, dtype)
    item = np.dtype(dtype).itemsize
    expected = run(loss, inputs, "value_and_grad", 0, "nothing", reduction="sum")
    for offset in range(65):
        for given in ("nothing", "outputs") if offset % item == 0 else ("nothing",):
            got = run(loss, inputs, "value_and_grad", offset, given, reduction="sum")
            assert not differences(got, expected), (offset, given)


# ---- what a script shows


def report():
    """Large sums for each number of threads, as lines of a table."""
    yield f"{'loss':22} {'dtype':8} {'elements':>9} {'weights':8} {'threads':7} {'sum':24} error"
    for known in KNOWN:
        for dtype in cases.DTYPES:
            for weighted in (False, True):
                loss, inputs, weight, values = large_case(known, weighted, dtype)
                exact = error_of(values, weight)
                for threads in THREADS:
                    options = {"weight": weight, "reduction": "sum", "threads": threads}
                    total = loss.value(**inputs, **options)
                    yield (
                        f"{loss.name:22} {dtype:8} {MANY[dtype]:9} {weighted!s:8} {threads:7} "
                        f"{total.hex():24} {exact(total):.3f}"
                    )


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)
