"""Tallies of segments: the bits of each alone, whatever came in one batch with it."""

import math
from fractions import Fraction

import cases
import numpy as np
import pytest

from fastloss import _segments, _tally
from fastloss._records import USED, limb
from fastloss._segments import SegmentTallies
from fastloss._tally import SUMS, Special

WAYS = ["units", "blocks", "plain"] if cases.COMPILED else ["plain"]
each_way = pytest.mark.parametrize("way", WAYS)
each_dtype = pytest.mark.parametrize("dtype", cases.DTYPES)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])


@pytest.fixture(autouse=True)
def _few_rows_have_threads(monkeypatch):
    monkeypatch.setattr(_segments, "_ROWS_PER_THREAD", 100)


@pytest.fixture
def tallied(way, monkeypatch):
    """Unit by unit or in blocks by the core, or without."""
    monkeypatch.setattr(_segments, "_ROWS_PER_SEGMENT", 1)
    if way == "units":
        monkeypatch.setattr(_segments, "_FEW", 0)
    if way == "plain":
        monkeypatch.setattr(_tally, "core", None)
        monkeypatch.setattr(_segments, "core", None)


def ordinary(n, rng):
    return -np.log(rng.uniform(1e-7, 1, n)) * rng.choice([-1, 1], n)


def hard(n, rng):
    """Of every size, and what is not finite; squares under- and overflow."""
    x = rng.normal(size=n) * 2.0 ** rng.integers(-140, 120, n)
    kinds = [0.0, -0.0, 5e-324, -3e-320, 2e-308, 1e-160, 1e308, -1e308, 1e200, 3e38, 1e-45]
    x[::3] = rng.choice([*kinds, np.nan, np.inf, -np.inf], x[::3].size)
    return x


def weights_of(n, rng, hard):
    w = rng.random(n) + 0.01
    w[::5] = 0
    if hard:
        w[1::5] = rng.choice([5e-324, 1e-200, 1e200, 1e308, 1.0], w[1::5].size)
    return w


def batch(n, segments, dtype, weighted, rng, kind=ordinary, code=np.int32):
    with np.errstate(over="ignore"):
        x = kind(n, rng).astype(dtype)
    w = weights_of(n, rng, kind is hard) if weighted else None
    return x, w, rng.integers(0, segments, n).astype(code)


def kept(x, w, codes, segments, order=None, cuts=(), threads=1):
    """Tallies of rows in so many batches."""
    made = SegmentTallies()
    for part in np.split(np.arange(x.size), cuts):
        some = None if w is None else w[part]
        made.update(x[part], some, codes[part], segments, int(part[0]) if part.size else 0, threads)
    return made


def alone(x, w, rows):
    """The tally of some rows, by their numbers in the source."""
    found = _tally.tally(x[rows], None if w is None else w[rows], 1)
    for special in (found.nan, found.infinite):
        if special.count:
            special.first = int(rows[special.first])
    return found


def all_tallies(made):
    return [made.tally(i) for i in range(len(made))]


def by_segment(x, w, codes, segments):
    return [alone(x, w, np.flatnonzero(codes == i)) for i in range(segments)]


# ---- against what is known


@each_way
@each_dtype
@weighted_or_not
@pytest.mark.parametrize("segments", [1, 3, 200])
def test_sums_are_exact(tallied, dtype, weighted, segments):
    x, w, codes = batch(1500, segments, dtype, weighted, np.random.default_rng(segments))
    made = kept(x, w, codes, segments)
    w = np.ones(x.size) if w is None else w
    for i in range(segments):
        rows = np.flatnonzero(codes == i)
        weight = [Fraction(v) for v in w[rows]]
        term = [Fraction(v) for v in w[rows] * x[rows].astype(np.float64)]
        wanted = {
            "loss": sum(term),
            "loss_squared": sum(t * t for t in term),
            "weight": sum(weight),
            "weight_times_loss": sum(v * t for v, t in zip(weight, term, strict=True)),
            "weight_squared": sum(v * v for v in weight),
        }
        found = made.tally(i)
        assert {name: total.fraction() for name, total in found.sums.items()} == wanted
        counted = x[rows][w[rows] > 0]
        assert (found.rows, found.used) == (rows.size, counted.size)
        assert found.least == min(counted, default=math.inf)
        assert found.greatest == max(counted, default=-math.inf)
        assert found.nan == found.infinite == Special()


@each_way
@each_dtype
@weighted_or_not
@pytest.mark.parametrize("code", [np.int32, np.int64])
@pytest.mark.parametrize("kind", [ordinary, hard])
@pytest.mark.parametrize(("n", "segments"), [(0, 3), (1, 1), (3000, 2), (2000, 120)])
def test_each_is_as_alone(tallied, dtype, weighted, code, kind, n, segments):
    rng = np.random.default_rng(n)
    x, w, codes = batch(n, segments, dtype, weighted, rng, kind, code)
    wanted = by_segment(x, w, codes, segments)
    for threads in (1, 2, 3):
        for cuts in ((), (0, n // 3, n // 3, n - n // 5)):
            made = kept(x, w, codes, segments, cuts=cuts, threads=threads)
            assert all_tallies(made) == wanted


@each_way
@weighted_or_not
def test_many_rows_of_few_segments(tallied, weighted):
    x, w, codes = batch(100_000, 5, np.float32, weighted, np.random.default_rng(5))
    x[[50_000, 99_999]] = np.nan, np.inf
    wanted = by_segment(x, w, codes, 5)
    assert all_tallies(kept(x, w, codes, 5, threads=3)) == wanted


@each_way
def test_what_is_not_finite(tallied):
    x = np.ones(2000)
    x[[700, 1300]] = np.nan
    x[[600, 900, 1999]] = np.inf
    codes = (np.arange(2000) % 100 == 0).astype(np.int32)
    made = kept(x, None, codes, 2, cuts=(800,))
    assert made.tally(1).nan == Special(2, 700)
    assert made.tally(1).infinite == Special(2, 600)
    assert made.tally(0).nan == Special()
    assert made.tally(0).infinite == Special(1, 1999)
    assert math.isnan(made.tally(1).sums["loss"].special)
    assert made.tally(0).sums["loss"].special == math.inf
    assert made.tally(0).sums["weight"].special == 0


@pytest.mark.skipif(not cases.COMPILED, reason="compares two")
@each_dtype
@weighted_or_not
def test_both_ways_are_the_same(dtype, weighted, monkeypatch):
    x, w, codes = batch(3000, 11, dtype, weighted, np.random.default_rng(3))
    compiled = kept(x, w, codes, 11)
    monkeypatch.setattr(_segments, "core", None)
    plain = kept(x, w, codes, 11)
    assert all_tallies(compiled) == all_tallies(plain)
    plain.merge(compiled, np.arange(11), 11, 0)  # and go on with one another
    compiled.update(x, w, codes, 11, 0, 1)
    assert all_tallies(plain) == all_tallies(compiled)


# ---- parts


@each_way
@each_dtype
def test_weights_may_come_late(tallied, dtype):
    rng = np.random.default_rng(0)
    plain = batch(2000, 5, dtype, False, rng, hard)
    heavy = batch(2000, 5, dtype, True, rng, hard)
    x, codes = (np.concatenate([plain[i], heavy[i]]) for i in (0, 2))
    w = np.concatenate([np.ones(2000), heavy[1]])
    wanted = by_segment(x, w, codes, 5)
    made = SegmentTallies()
    made.update(*plain, 5, 0, 1)
    made.update(*heavy, 5, 2000, 1)
    assert all_tallies(made) == wanted
    last = SegmentTallies()
    last.update(*heavy, 5, 2000, 1)
    last.update(*plain, 5, 0, 1)  # goes on as of weights 1
    assert all_tallies(last) == wanted


@each_way
@pytest.mark.parametrize("kinds", [(False, False), (False, True), (True, False), (True, True)])
def test_merge(tallied, kinds):
    rng = np.random.default_rng(0)
    first, second = (batch(2000, 6, np.float64, weighted, rng, hard) for weighted in kinds)
    to = np.array([7, 0, 3, 9, 4, 1])
    a, b = kept(*first, 6), kept(*second, 6)
    before = all_tallies(b)
    a.merge(b, to, 10, 2000)
    assert len(a) == 10
    assert all_tallies(b) == before
    x = np.concatenate([first[0], second[0]])
    w = np.concatenate([np.ones(2000) if part[1] is None else part[1] for part in (first, second)])
    wanted = by_segment(x, w, np.concatenate([first[2], to[second[2]]]), 10)
    assert all_tallies(a) == wanted


def test_the_lowest_row_is_the_first():
    x = np.array([np.nan, 1.0, np.inf])
    late, early = (kept(x, None, np.zeros(3, np.int32), 1) for _ in range(2))
    late.merge(early, np.array([0]), 1, 10)
    assert (late.tally(0).nan, late.tally(0).infinite) == (Special(2, 0), Special(2, 2))
    late.merge(early, np.array([0]), 1, -5)
    assert (late.tally(0).nan, late.tally(0).infinite) == (Special(3, -5), Special(3, -3))


@each_way
def test_segments_that_appear_late(tallied):
    made, first = SegmentTallies(), 0
    rng = np.random.default_rng(0)
    seen = []
    for segments in (0, 1, 2, 2, 50, 51, 300):
        x, w, codes = batch(300 if segments else 0, max(segments, 1), np.float64, False, rng, hard)
        made.update(x, w, codes, segments, first, 2)
        assert len(made) == segments
        seen.append((x, codes))
        first += x.size
    x, codes = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    assert all_tallies(made) == by_segment(x, None, codes, 300)


@pytest.mark.parametrize("codes", [[0, 3], [-1, 0]])
def test_a_code_of_no_segment_adds_nothing(codes):
    made = kept(np.ones(4), None, np.zeros(4, np.int32), 2)
    before = all_tallies(made)
    with pytest.raises(IndexError, match=r"codes must be in \[0, 3\)"):
        made.update(np.ones(2), None, np.array(codes), 3, 0, 1)
    assert all_tallies(made) == before


# ---- digits


LARGEST = {
    "double": np.nextafter(np.inf, 0),
    "most of a limb": float((2**53 - 1) * 2**31),
    "integer": float(2**53 - 1),
    "negative": -float((2**53 - 1) * 2**31),
}


@each_way
@pytest.mark.parametrize("kind", LARGEST)
def test_carries(tallied, kind):
    """Rows of one segment, one by one and in batches, and sums that grow by merges."""
    x = np.full(2000, LARGEST[kind])
    codes = np.zeros(2000, np.int32)
    made = kept(x, None, codes, 1, cuts=range(700, 800))
    assert all_tallies(made) == by_segment(x, None, codes, 1)
    times = 1
    for _ in range(45):
        made.merge(made, np.array([0]), 1, 0)
        times *= 2
    total = made.tally(0).sums["loss"]
    assert made.tally(0).sums["loss"].fraction() == 2000 * times * Fraction(x[0])
    assert total.special == 0


def full(sign):
    """What many more rows than a test can add would leave in a limb, as far as a carry lets it."""
    made = kept(np.zeros(512), None, np.zeros(512, np.int32), 1)
    made._records.need([limb("loss", 33)])
    made._records[limb("loss", 33)][0] = sign * ((1 << 61) - 1)
    return made


@each_way
@pytest.mark.parametrize("sign", [1, -1])
def test_full_limbs_carry(tallied, sign):
    made = full(sign)
    before = made.tally(0).sums["loss"].fraction()
    x = np.full(3000, sign * (2**53 - 1) / 2**19)  # the most that one can add to this limb
    made.update(x, None, np.zeros(3000, np.int32), 1, 0, 1)
    added = made.tally(0).sums["loss"].fraction() - before
    assert added == 3000 * Fraction(x[0])
    assert limb("loss", 34) in made._records
    assert made._records[USED][0] == 3512


@pytest.mark.parametrize("sign", [1, -1])
def test_full_limbs_merge(sign):
    made = full(sign)
    for _ in range(9):
        made.merge(full(sign), np.array([0]), 1, 0)
    assert made.tally(0).sums["loss"].fraction() == 10 * full(sign).tally(0).sums["loss"].fraction()


# ---- memory


@each_way
@each_dtype
@pytest.mark.parametrize(("weighted", "most"), [(False, 200), (True, 400)])
def test_memory(tallied, dtype, weighted, most):
    rng = np.random.default_rng(0)
    made = SegmentTallies()
    for segments in (8000, 12_000, 16_000, 20_000):
        x = -np.log(rng.uniform(1e-7, 1, 3 * segments)).astype(dtype)
        codes = rng.integers(0, segments, x.size)
        w = rng.random(x.size) if weighted else None
        made.update(x, w, codes, segments, 0, None)
    assert made.nbytes <= most * segments


def test_sums_of_weights_wait_for_weights():
    made = kept(np.ones(3), None, np.zeros(3, np.int32), 1)
    assert set(made.tally(0).sums) == set(SUMS)
    assert limb("weight", 33) not in made._records
