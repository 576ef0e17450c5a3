"""Every unit's value, gradient and Hessian lie within the stated bounds of the truth."""

import re
import sys
from pathlib import Path

import cases
import numpy as np
import pytest

import fastloss as fl
from fastloss.accuracy import measure, points, report
from fastloss.accuracy.__main__ import main
from fastloss.accuracy.oracle import OUTPUTS
from fastloss.accuracy.peers import PEERS, Peer
from fastloss.accuracy.ulps import ulp_error

UNITS = {"map": 900, "row": 120}
EXTREME = {"map": 120, "row": 24}
"""Units looked at for each loss, kind of target and dtype."""
WIDTHS = {1: 12, 2: 12, 17: 12}
FULL_WIDTHS = {40: 3}
"""Rows looked at, by their number of classes."""

EXTREMES = [loss for name in cases.unit_losses() for loss in cases.extreme_variants(name)]


def runs(losses):
    """Losses with kinds of targets, dtypes and ways to run."""
    return [
        (loss, kind, dtype, runner)
        for loss, kind in cases.with_kinds(losses)
        for dtype in cases.DTYPES
        for runner in cases.RUNNERS
    ]


def is_quick(run):
    return run[2] in cases.quick_dtypes(run[0], run[3])


def quick(found):
    return [run for run in found if is_quick(run)]


def of_rows(found):
    return [run for run in found if run[0].schema == "row"]


def each(found):
    return pytest.mark.parametrize(
        ("loss", "kind", "dtype", "runner"), found, ids=cases.name_of
    )  # fmt: skip


def check(loss, kind, dtype, n, runner, classes=None):
    case = points.case(loss, kind, dtype, n, classes)
    bounds = loss.ulps[dtype]
    found = measure.own(case, [runner], bounds).all
    wrong = [
        f"{output}: {found[output]}, stated {bound}"
        for output, bound in zip(OUTPUTS, bounds, strict=True)
        if found[output].error > bound
    ]
    assert not wrong, "\n".join(wrong)


PLAIN = runs(cases.plain_variants())


@each([pytest.param(*run, marks=() if is_quick(run) else pytest.mark.full) for run in PLAIN])
def test_bounds_hold(loss, kind, dtype, runner):
    check(loss, kind, dtype, UNITS[loss.schema], runner)


@each(quick(runs(EXTREMES)))
def test_bounds_hold_at_extreme_parameters(loss, kind, dtype, runner):
    check(loss, kind, dtype, EXTREME[loss.schema], runner)


@each(of_rows(quick(PLAIN)))
def test_bounds_hold_for_any_number_of_classes(loss, kind, dtype, runner):
    for classes, n in WIDTHS.items():
        check(loss, kind, dtype, n, runner, classes)


@pytest.mark.full
@each(of_rows(PLAIN))
def test_bounds_hold_for_many_classes(loss, kind, dtype, runner):
    for classes, n in FULL_WIDTHS.items():
        check(loss, kind, dtype, n, runner, classes)


# ---- where we look


@pytest.mark.parametrize("name", cases.unit_losses())
def test_every_parameter_is_varied(name):
    default, *others = cases.variants(name)
    changed = {p for loss in others for p in loss.params if loss.params[p] != default.params[p]}
    assert changed == set(default.params)


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize(
    "loss_and_kind", cases.with_kinds(cases.plain_variants()), ids=cases.name_of
)
def test_every_range_is_valid_and_its_own(loss_and_kind, dtype):
    """Numbers in the domain, of the dtype, and no two ranges alike."""
    loss, kind = loss_and_kind
    seen = set()
    for make in points.ranges(loss, kind):
        rng = cases.generator()
        inputs = make(loss, cases.sample(loss, (40,), dtype, rng, kind, extremes=False), rng)
        assert list(inputs) == list(loss.inputs)
        for name, domain in zip(loss.inputs, loss.domains(), strict=True):
            x = inputs[name]
            assert len(x) == 40
            if x.dtype.kind == "f":
                assert x.dtype == dtype, make.__name__
                assert np.isfinite(x).all() or name in loss.ordered[1:], make.__name__
                assert not domain.outside(x).any(), make.__name__
        seen.add(b"".join(x.tobytes() for x in inputs.values()))
    alike = {points.ordinary, points.special}  # these differ in the sample they get
    assert len(seen) == len(points.ranges(loss, kind)) - len(alike) + 1


def test_sweeps_hold_every_binade():
    for dtype in cases.DTYPES:
        info = np.finfo(dtype)
        swept = points.sweep(-np.inf, np.inf, 20001, dtype)
        assert (np.diff(swept) > 0).all()
        assert (swept[0], swept[-1]) == (info.min, info.max)
        exponents = np.frexp(swept[swept > 0])[1]
        assert set(exponents) >= set(range(info.minexp + 1, info.maxexp + 1))
        assert ((np.abs(swept) < info.smallest_normal) & (swept != 0)).any()


# ---- what an error is


@pytest.mark.parametrize(
    ("got", "exact", "scale", "error"),
    [
        (1.0, 1, None, 0.0),
        (1 + 2.0**-23, 1, None, 1.0),
        (1 - 2.0**-24, 1, None, 0.5),
        (1 + 2.0**-23, 1, 4, 0.25),
        (1 + 2.0**-23, 1, 0.25, 1.0),  # never less than the result's own ulp
        (2.0**-149, 0, None, 1.0),
        (0.0, 1, None, 2.0**23),
        (1e38, 1e38 + 2.0**110, 2.0**130, 2.0**3),  # of a term beyond the floats
        (np.inf, 2.0**128, None, 0.0),
        (np.inf, 2.0**128 - 2.0**104, None, 1.0),
        (np.inf, np.inf, None, 0.0),
        (3e38, np.inf, None, np.inf),
        (np.nan, 1, None, np.inf),
        (np.nan, np.nan, None, 0.0),  # nothing is claimed
    ],
)
def test_ulps(got, exact, scale, error):
    assert ulp_error(got, exact, "float32", scale) == error


@pytest.mark.parametrize(
    "loss_and_kind", cases.with_kinds(cases.plain_variants()), ids=cases.name_of
)
def test_the_worst_is_the_largest_of_all_errors(loss_and_kind):
    """It looks at the terms of few units; here at those of all."""
    loss, kind = loss_and_kind
    case = points.case(loss, kind, "float32", 48)
    for output, got in zip(OUTPUTS, cases.outputs(loss, case.inputs), strict=True):
        errors = case.truth.errors(output, got)
        found, at = case.truth.worst(output, got)
        assert found == errors.max() == errors[at]
        some = np.arange(len(case.ordinary)) % 3 == 0
        kept = np.repeat(some, len(errors) // len(some))
        found, at = case.truth.worst(output, got, some)
        assert found == errors[kept].max()
        assert kept[at] or not found


# ---- other libraries


@pytest.mark.full
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peers_mean_the_same(peer):
    """Beside rounding: what is measured of them is no convention."""
    compared = set()
    for loss, kind in cases.with_kinds(cases.plain_variants()):
        inputs = cases.sample(loss, (60,), "float64", cases.generator(), kind, extremes=False)
        results = peer.results(loss, kind, inputs)
        if results is None:
            continue
        compared.add(loss.name)
        ours = cases.outputs(loss, inputs)
        for mine, theirs in zip(ours, results, strict=True):
            if theirs is not None and not np.isnan(theirs).any():
                np.testing.assert_allclose(theirs, mine, 1e-8, 1e-12)
    assert compared == set(peer.losses())


@pytest.mark.full
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peers_compute_in_the_dtype(peer):
    loss = fl.get("sigmoid_cross_entropy")
    inputs = cases.sample(loss, (60,), "float32", cases.generator(), extremes=False)
    assert {x.dtype.name for x in peer.results(loss, "values", inputs)} == {"float32"}


# ---- the command and its page

PAGE = Path(__file__).parents[1] / "docs/accuracy.md"


def rows(text):
    """The rows of tables, as cells."""
    lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def stated(text):
    """What a page says of each loss, dtype and output: the worst error and the stated bound."""
    found = (row for row in rows(text) if len(row) > 4 and row[2] in OUTPUTS)
    return {tuple(row[:3]): (float(row[3]), float(row[4])) for row in found}


def bounds_on(text):
    """Each registry name, dtype and output with its bounds; they may depend on parameters."""
    return {(row[0].partition("(")[0], *row[1:], bound) for row, (_, bound) in stated(text).items()}


def bounds_of(losses):
    return {
        (loss.name, dtype, output, bound)
        for loss in losses
        for dtype, bounds in loss.ulps.items()
        for output, bound in zip(OUTPUTS, bounds, strict=True)
    }


def test_the_page_is_of_these_losses_and_bounds():
    page = PAGE.read_text()
    expected = bounds_of([*cases.plain_variants(), *EXTREMES])
    assert bounds_on(page) == expected, "python -m fastloss.accuracy --write"
    assert not {row: pair for row, pair in stated(page).items() if pair[0] > pair[1]}


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["accuracy", *arguments])
    main()
    return capsys.readouterr().out


def test_the_command(monkeypatch, capsys):
    printed = run(monkeypatch, capsys, "quantile", "--units", "30", "--runner", "numpy")
    assert bounds_on(printed) == bounds_of(cases.variants("quantile"))
    compared = [
        row for row in rows(printed) if len(row) == 3 + len(PEERS) and row[1] in cases.DTYPES
    ]
    assert len(compared) == 2 * len(cases.DTYPES) * len(cases.variants("quantile"))
    loss_bounds = fl.get("quantile").ulps["float32"]
    for _, _, ours, *theirs in compared:
        assert all(float(x) <= max(loss_bounds) for x in ours.split(" · "))
        assert [cell == "–" for cell in theirs] == [peer.name != "scikit-learn" for peer in PEERS]


def test_one_loss_with_parameters(monkeypatch, capsys):
    printed = run(monkeypatch, capsys, "huber(delta=7.0)", "--units", "30", "--runner", "numpy")
    assert "huber(delta=7.0)" in printed


def test_a_missing_peer_is_a_column_of_dashes(monkeypatch, capsys):
    missing = Peer("nobody's", ("no-such-package",), dict, None)
    monkeypatch.setattr(report, "PEERS", (missing,))
    printed = run(monkeypatch, capsys, "quantile", "--units", "30", "--runner", "numpy")
    assert "nobody's is missing" in printed


def test_a_wrong_result_is_found(monkeypatch):
    """One part in 10⁴, at a single unit."""
    case = points.case(fl.get("squared_error"), "values", "float64", 90)
    results = cases.outputs(case.loss, case.inputs)
    unit = int(np.argmin(np.abs(results[0] - 1)))
    for i, output in enumerate(OUTPUTS):
        wrong = [x.copy() for x in results]
        wrong[i][unit] *= 1 + 1e-4
        monkeypatch.setattr(measure, "outputs", lambda *_, wrong=wrong: wrong)
        found = measure.own(case, cases.RUNNERS[:1])
        assert found.all[output].unit == unit
        assert found.all[output].error > 1e10


def test_only_what_follows_the_mark_is_renewed():
    page = f"# Title\n\ntext\n\n{report.MARK}\nold\n"
    assert report.renewed(page, ["new"]) == page.replace("old", "new")
    for wrong in ("", page * 2):
        with pytest.raises(ValueError, match="once"):
            report.renewed(wrong, [])


def test_a_page_holds_all_losses(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, capsys, "huber", "--write")
