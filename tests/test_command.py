"""The command: figures of files, what it says of wrong ones, gates, reports and Ctrl-C."""

import csv
import html.parser
import io
import json
import math
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cases
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.metrics

import fastloss as fl
from fastloss._command import main
from fastloss._command._reading import Reading
from fastloss._evaluation._batch import Batch

COUNTRIES = ["de", "fr", "<b>&[red]$x_1$"]
BCE = ("--loss", "binary_cross_entropy", "--target", "y")
ONE = (*BCE, "--prediction", "p_a")
TWO = (*ONE, "--prediction", "p_b")


@pytest.fixture(scope="module")
def data():
    """Columns of 3000 rows."""
    rng = cases.generator()
    n = 3000
    truth = rng.uniform(0.05, 0.95, n)
    worse = np.clip(truth + rng.normal(0, 0.2, n), 0.01, 0.99)
    return {
        "p_a": truth,
        "p_b": worse,
        "y": (rng.random(n) < truth).astype(np.int64),
        "w": rng.uniform(0.5, 2, n),
        "country": np.array(COUNTRIES)[rng.integers(0, 3, n)],
        "device": np.array(["phone", "desktop"])[rng.integers(0, 2, n)],
        "zip": np.array([f"{x:03}" for x in rng.integers(0, 20, n)]),
        "day": rng.integers(1, 30, n).astype(np.int32),
    }


@pytest.fixture
def folder(data, tmp_path, monkeypatch):
    """The current directory, with preds/0.parquet to preds/2.parquet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "preds").mkdir()
    for i in range(3):
        part = {name: x[i * 1000 : (i + 1) * 1000] for name, x in data.items()}
        pq.write_table(pa.table(part), tmp_path / f"preds/{i}.parquet")
    return tmp_path


@pytest.fixture
def run(capfd):
    """What the command returns and prints, in this process."""

    def called(*arguments):
        capfd.readouterr()
        try:
            code = main([str(x) for x in arguments])
        except SystemExit as ended:
            code = ended.code
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return called


@pytest.fixture
def found(run):
    """The document of an evaluation."""

    def called(*arguments):
        code, out, err = run("evaluate", *arguments, "--format", "json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return called


def process(*arguments, **options):
    command = [sys.executable, "-m", "fastloss", *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)


def wrong(printed, code, *texts):
    """It failed with one line, which says all texts."""
    assert printed[0] == code, printed
    assert printed[2].count("\n") == 1, printed[2]
    assert printed[2].endswith("\n")
    for text in texts:
        assert text in printed[2]


# ---- figures


def test_means_by_segment(found, folder, data):
    got = found("preds", *TWO, "--weight", "w", "--by", "country", "--by", "device")
    assert list(got) == [
        "schema", "fastloss", "complete", "rows", "dropped", "note", "table", "differences",
        "overall", "overall_differences",
    ]  # fmt: skip
    assert (got["schema"], got["rows"], got["complete"]) == (1, 3000, True)
    assert len(got["table"]) == 12
    for row in got["table"]:
        here = (data["country"] == row["country"]) & (data["device"] == row["device"])
        expected = sklearn.metrics.log_loss(
            data["y"][here], data[row["model"]][here], sample_weight=data["w"][here]
        )
        assert math.isclose(row["mean"], expected, rel_tol=1e-12)
        assert row["count"] == here.sum()
    for row in got["overall"]:
        expected = sklearn.metrics.log_loss(data["y"], data[row["model"]], sample_weight=data["w"])
        assert math.isclose(row["mean"], expected, rel_tol=1e-12)


def test_skill(found, folder, data):
    got = found("preds", *ONE, "--loss", "absolute_error", "--skill")
    log_loss, no_mean = got["overall"]
    constant = sklearn.metrics.log_loss(data["y"], np.full(3000, data["y"].mean()))
    assert math.isclose(log_loss["skill"], 1 - log_loss["mean"] / constant, rel_tol=1e-9)
    assert no_mean["skill"] is None


def test_differences(found, folder, data):
    got = found("preds", *TWO)

    def each(p):
        return -np.log(np.where(data["y"] == 1, p, 1 - p))

    less = each(data["p_b"]) - each(data["p_a"])
    (row,) = got["differences"]
    assert got["overall_differences"] == [row]
    assert (row["model"], row["than"], row["better"]) == ("p_b", "p_a", "p_a")
    assert math.isclose(row["difference"], less.mean(), rel_tol=1e-10)
    error = less.std(ddof=1) / math.sqrt(less.size)
    assert math.isclose(row["standard_error"], error, rel_tol=1e-10)


def test_quantiles_and_clusters(found, folder, data):
    got = found(
        "preds", "--loss", "quantile(quantile=0.9)", "--prediction", "p_a", "--target", "w",
        "--cluster", "zip",
    )  # fmt: skip
    (row,) = got["table"]
    expected = sklearn.metrics.mean_pinball_loss(data["w"], data["p_a"], alpha=0.9)
    assert math.isclose(row["mean"], expected, rel_tol=1e-12)
    assert "clusters of zip" in got["note"]


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        (["country == de"], lambda d: d["country"] == "de"),
        (["country != 'de'"], lambda d: d["country"] != "de"),
        (["zip == 007"], lambda d: d["zip"] == "007"),
        (["day >= 12", "p_a<0.5"], lambda d: (d["day"] >= 12) & (d["p_a"] < 0.5)),
        (["day > 12.5"], lambda d: d["day"] > 12.5),
        (["day <= 3"], lambda d: d["day"] <= 3),
        (["country in de, fr"], lambda d: np.isin(d["country"], ["de", "fr"])),
        (["day in 1,2"], lambda d: np.isin(d["day"], [1, 2])),
    ],
)
def test_filters(found, folder, data, conditions, rows):
    here = rows(data)
    options = [x for text in conditions for x in ("--filter", text)]
    got = found("preds", *ONE, *options)
    assert got["rows"] == here.sum()
    expected = sklearn.metrics.log_loss(data["y"][here], data["p_a"][here])
    assert math.isclose(got["table"][0]["mean"], expected, rel_tol=1e-12)


def test_class_scores_and_labels(found, folder):
    scores = np.array([[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]])
    columns = {"no": scores[:, 0], "yes": scores[:, 1], "answer": ["no", "yes", "yes"]}
    pq.write_table(pa.table(columns), "classes.parquet")
    got = found(
        "classes.parquet", "--loss", "categorical_cross_entropy", "--model", "m=no,yes",
        "--target", "answer", "--labels", "no,yes",
    )  # fmt: skip
    (row,) = got["table"]
    assert row["model"] == "m"
    assert math.isclose(row["mean"], -np.log([0.7, 0.8, 0.4]).mean(), rel_tol=1e-12)


def test_inputs(found, folder):
    pq.write_table(pa.table({"low": [0.0], "up": [2.0], "y": [3.0]}), "one.parquet")
    got = found(
        "one.parquet", "--loss", "interval_score(alpha=0.5)", "--prediction", "low",
        "--target", "y", "--input", "upper=up",
    )  # fmt: skip
    loss = fl.IntervalScore(alpha=0.5)
    assert got["table"][0]["mean"] == loss([0.0], [3.0], upper=[2.0])
    got = found(
        "one.parquet", "--loss", "aft", "--prediction", "low", "--target", "y",
        "--input", "upper=4.5",
    )  # fmt: skip
    assert got["table"][0]["mean"] == fl.Aft()([0.0], [3.0], upper=4.5)


def test_several_places(found, folder):
    got = found("preds/0.parquet", "preds/[12].parquet", *ONE, "--batch-size", "100")
    assert got["table"] == found("preds/*.parquet", *ONE, "--threads", "1")["table"]
    uris = [(folder / f"preds/{i}.parquet").as_uri() for i in range(3)]
    assert got["table"] == found(*uris, *ONE)["table"]


def test_rows_left_out(found, folder):
    columns = {"p": [0.5, None, 0.5, 7.0], "y": [0, 0, 1, 1]}
    pq.write_table(pa.table(columns), "holes.parquet")
    options = ("--loss", "brier", "--prediction", "p", "--target", "y")
    got = found("holes.parquet", *options, "--nulls", "drop", "--invalid", "drop")
    assert (got["rows"], got["dropped"], got["table"][0]["mean"]) == (4, 2, 0.25)


MINE = """
import fastloss as fl
import numpy as np

@fl.custom
def mine(prediction, target, power=2.0):
    return np.abs(prediction - target) ** power

half = fl.SquaredError(half=True)
number = 3
"""


def test_losses_of_users(found, run, folder, data):
    (folder / "own.py").write_text(MINE)
    (folder / "broken.py").write_text("1 / 0\n")
    try:
        code, out, _ = run(  # which may say that it compiles
            "evaluate", "preds", *ONE, "--loss-from", "own:mine", "--loss-from", "own:half",
            "--fail-if", "mine > 1", "--format", "json",
        )  # fmt: skip
        assert code == 0
        ask = ("evaluate", "preds", *ONE, "--loss-from")
        wrong(run(*ask, "own:number"), 2, "own", "number")
        wrong(run(*ask, "own:other"), 2, "own has no other")
        wrong(run(*ask, "own"), 2, "module:name")
        wrong(run(*ask, "broken:x"), 2, "ZeroDivisionError")
        wrong(run(*ask, "absent:x"), 2, "absent")
    finally:
        sys.modules.pop("own", None)
    squares = np.mean((data["p_a"] - data["y"]) ** 2)
    means = {row["loss"]: row["mean"] for row in json.loads(out)["table"]}
    assert list(means) == ["binary_cross_entropy", "mine", "half"]
    assert math.isclose(means["mine"], squares, rel_tol=1e-12)
    assert math.isclose(means["half"], squares / 2, rel_tol=1e-12)


# ---- formats


def test_csv(run, found, folder):
    code, out, err = run("evaluate", "preds", *TWO, "--by", "country", "--format", "csv")
    assert (code, err) == (0, "")
    got = found("preds", *TWO, "--by", "country")
    parts = [list(csv.DictReader(io.StringIO(text))) for text in out.split("\n\n")]
    assert [len(part) for part in parts] == [6, 3]
    for rows, name, figure in zip(
        parts, ("table", "differences"), ("mean", "difference"), strict=True
    ):
        assert [float(row[figure]) for row in rows] == [row[figure] for row in got[name]]
        assert [row["country"] for row in rows] == [row["country"] for row in got[name]]


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_text(run, folder, data, format):
    code, out, err = run("evaluate", "preds", *TWO, "--by", "country", "--format", format)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    titles = ["Losses by country", "Differences by country", "Losses of all", "Differences of all"]
    places = [out.index(title) for title in titles]
    assert places == sorted(places)
    assert all(country in out for country in COUNTRIES)
    assert f"{sklearn.metrics.log_loss(data['y'], data['p_a']):.6g}" in out
    assert "infinite" not in out  # nothing is
    code, out, _ = run("evaluate", "preds", *ONE, "--format", format)
    assert "Differences" not in out
    assert out.count("Losses") == 1


def test_numbers_that_are_not(run, found, folder):
    pq.write_table(pa.table({"p": [0.0, 0.5], "y": [1, 1]}), "infinite.parquet")
    options = ("infinite.parquet", *BCE, "--prediction", "p")
    assert found(*options)["table"][0]["mean"] is None
    assert "infinite" in run("evaluate", *options)[1]


def test_no_rows(run, folder):
    """An evaluation of nothing is no success."""
    options = ("preds", *TWO, "--by", "country", "--filter", "country == xx")
    for format in ("table", "json", "csv", "markdown"):
        code, _, err = run("evaluate", *options, "--format", format, "--html", "r.html")
        assert (code, err) == (0, "")
    gated = run("evaluate", *options, "--fail-if", "binary_cross_entropy > 9")
    wrong(gated, 1, "p_a has nan")


def in_terminal(*arguments, width=80, until=None):
    """What a terminal shows, and the process, which SIGINT ends once a pattern is seen."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(width)}
    command = [sys.executable, "-m", "fastloss", *arguments]
    shown = b""
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=environment) as child:
        os.close(slave)
        while True:
            try:
                some = os.read(master, 65536)
            except OSError:  # it has ended
                break
            if not some:
                break
            shown += some
            if until is not None and re.search(until, shown):
                child.send_signal(signal.SIGINT)
                until = None
        os.close(master)
        assert child.wait(60) is not None
    return child.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def test_a_narrow_terminal_shows_figures_whole(folder, data):
    code, shown = in_terminal("evaluate", "preds", *TWO, "--by", "country")
    assert code == 0
    assert "━" in shown
    assert "…" not in shown
    assert "standard_error" not in shown.partition("Differences")[0]
    assert COUNTRIES[2] in shown
    assert f"{sklearn.metrics.log_loss(data['y'], data['p_a']):.6g}" in shown


def test_progress(folder):
    code, shown = in_terminal("evaluate", "preds", *ONE, "--format", "csv")
    assert code == 0
    assert re.search(r"3,000 rows +[\d,]+ rows/s, [\d.]+ GB/s", shown)
    _, shown = in_terminal("evaluate", "preds", *ONE, "--format", "csv", "--quiet")
    assert "rows/s" not in shown


# ---- gates


def test_gates(run, folder):
    options = ("evaluate", "preds", *TWO)
    limit = float(json.loads(run(*options, "--format", "json")[1])["table"][0]["mean"])
    for gate, code in (
        (f"binary_cross_entropy < {limit * 0.9}", 0),
        (f"binary_cross_entropy > {limit * 3}", 0),
        (f"binary_cross_entropy > {limit}", 1),
        (f"binary_cross_entropy>={limit}", 1),
        (f" binary_cross_entropy <= {limit} ", 1),
    ):
        printed = run(*options, "--fail-if", gate)
        assert printed[0] == code, gate
        assert "Losses" in printed[1]
    wrong(run(*options, "--fail-if", f"binary_cross_entropy > {limit}"), 1, "gate failed", "p_b")
    code, _, err = run(
        *options, "--fail-if", "binary_cross_entropy > 0", "--fail-if", "binary_cross_entropy > 0.1"
    )
    assert code == 1
    assert err.count("\n") == 2


def test_gates_know_losses_by_their_parameters(run, folder):
    options = ("preds", "--loss", "huber(delta=2.0)", "--prediction", "p_a", "--target", "y")
    wrong(run("evaluate", *options, "--fail-if", "huber(delta = 2) > 0"), 1, "p_a has 0.")
    wrong(run("evaluate", *options, "--fail-if", "huber > 0"), 2, "huber is none of the losses")


def baseline(folder, factor, **changes):
    """A document whose means are a factor of those of now."""
    done = json.loads(process("evaluate", "preds", *ONE, "--format", "json", cwd=folder).stdout)
    done["overall"][0]["mean"] *= factor
    (folder / "old.json").write_text(json.dumps({**done, **changes}))
    return done["overall"][0]["mean"]


def test_baselines(run, folder):
    options = ("evaluate", "preds", *TWO, "--baseline", "old.json", "--fail-if")
    old = baseline(folder, 1 / 1.02)
    wrong(run(*options, "worse > 1%"), 1, "worse > 1%", "p_a", f"{old:.6g}", "+2.000%")
    wrong(run(*options, f"worse > {old * 0.01}"), 1, "p_a")
    assert run(*options, "worse > 3%")[::2] == (0, "")
    assert run(*options, f"worse > {old * 0.03}")[::2] == (0, "")
    baseline(folder, 1.1)
    assert run(*options, "worse > 0")[::2] == (0, "")
    baseline(folder, math.inf)
    wrong(run(*options, "worse > 1%"), 1, "nan")  # inf - inf says nothing
    baseline(folder, 0)
    wrong(run(*options, "worse > 1%"), 1, "+inf%")


def test_wrong_baselines(run, folder):
    options = ("evaluate", "preds", *ONE, "--fail-if", "worse > 1%", "--baseline")
    wrong(run(*options, "absent.json"), 2, "absent.json")
    (folder / "text.json").write_text("{")
    wrong(run(*options, "text.json"), 2, "text.json is no JSON")
    (folder / "list.json").write_text("[1]")
    wrong(run(*options, "list.json"), 2, "list.json is no output")
    baseline(folder, 1, schema=99)
    wrong(run(*options, "old.json"), 2, "schema 99")
    baseline(folder, 1, overall=[])
    wrong(run(*options, "old.json"), 2, "none of these losses")


# ---- what is wrong


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ((), ["required: COMMAND"]),
        (("evaluat",), ["invalid choice"]),
        (("evaluate", "preds", *ONE, "--format", "xml"), ["--format"]),
        (("evaluate", "preds", *ONE, "--threads", "0"), ["--threads", "at least 1"]),
        (("evaluate", "preds", *ONE, "--batch-size", "1e3"), ["--batch-size"]),
        (("evaluate", "preds", *ONE, "--loss", "hubr"), ["'hubr'", "'huber'", "`fastloss losses`"]),
        (("evaluate", "preds", *ONE, "--loss", "binary_cross_entropy"), ["twice"]),
        (("evaluate", "preds", *ONE, "--loss", "cox_ph"), ["cox_ph", "no sum"]),
        (("evaluate", "preds", *ONE, "--loss", "interval_score"), ["--input upper=COLUMN"]),
        (("evaluate", "preds", *BCE), ["no model"]),
        (("evaluate", "preds", *ONE, "--prediction", "p_a"), ["p_a is there twice"]),
        (("evaluate", "preds", *ONE, "--model", "m"), ["--model", "'m'"]),
        (("evaluate", "preds", "--prediction", "p_a", "--target", "y"), ["no loss is asked for"]),
        (("evaluate", "preds", *BCE, "--prediction", "p_x"), ["'p_x'", "p_a"]),
        (("evaluate", "preds", *BCE, "--prediction", "country"), ["'country'", "string"]),
        (("evaluate", "preds", *ONE, "--labels", "0"), ["preds/0.parquet, row", "y is 1"]),
        (("evaluate", "preds", "--loss", "brier", "--prediction", "p_a", "--target", "w"),
         ["preds/0.parquet, row", "brier of p_a", "[0, 1]"]),
        (("evaluate", "absent.parquet", *ONE), ["absent.parquet"]),
        (("evaluate", "absent/*.parquet", *ONE), ["no file matches absent/*.parquet"]),
        (("evaluate", "file:///absent.parquet", *ONE), ["absent.parquet"]),
        (("evaluate", "broken.parquet", *ONE), ["broken.parquet"]),
        (("evaluate", "note.txt", *ONE), ["note.txt", "known format"]),
        (("evaluate", "holes.parquet", *BCE, "--prediction", "p"), ["row 1", "--nulls drop"]),
        (("evaluate", "preds", *ONE, "--filter", "day 3"), ["--filter", "'day 3'"]),
        (("evaluate", "preds", *ONE, "--filter", "dy == 3"), ["'dy'"]),
        (("evaluate", "preds", *ONE, "--filter", "day == x"), ["'x'", "int32"]),
        (("evaluate", "preds", *ONE, "--fail-if", "mean"), ["--fail-if", "'mean'"]),
        (("evaluate", "preds", *ONE, "--fail-if", "brier > 1"), ["brier is none of the losses"]),
        (("evaluate", "preds", *ONE, "--fail-if", "binary_cross_entropy > x"), ["'x'"]),
        (("evaluate", "preds", *ONE, "--fail-if", "binary_cross_entropy > nan"), ["NaN"]),
        (("evaluate", "preds", *ONE, "--fail-if", "binary_cross_entropy > 1%"), ["%"]),
        (("evaluate", "preds", *ONE, "--fail-if", "worse > 1%"), ["--baseline"]),
        (("evaluate", "preds", *ONE, "--fail-if", "worse < 1%"), ["worse < 1%"]),
        (("evaluate", "preds", *ONE, "--html", "absent/report.html"), ["absent"]),
        (("merge", "absent.json"), ["absent.json"]),
        (("merge", "note.txt"), ["note.txt is no JSON"]),
        (("show", "hubr"), ["'huber'"]),
        (("show", "huber(delta=-1)"), ["delta"]),
    ],
)  # fmt: skip
def test_errors(run, folder, arguments, texts):
    (folder / "broken.parquet").write_bytes(b"PAR1 and more")
    (folder / "note.txt").write_text("text")
    pq.write_table(pa.table({"p": [0.5, None], "y": [0, 1]}), "holes.parquet")
    printed = run(*arguments)
    wrong(printed, 2, "fastloss", *texts)
    assert printed[1] == ""


def test_errors_of_a_process(folder):
    done = process("evaluate", "preds", *ONE, "--labels", "0", cwd=folder)
    wrong((done.returncode, done.stdout, done.stderr), 2, "preds/0.parquet, row")
    assert done.stdout == ""


# ---- reports and states


class Elements(html.parser.HTMLParser):
    """What a page is made of."""

    VOID = ("meta", "path", "use", "rect", "circle", "br")

    def __init__(self, page):
        super().__init__()
        self.names, self.open, self.texts, self.attributes = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, name, attributes):
        self.names.append(name)
        self.attributes += attributes
        if name != "meta":
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.names.append(name)
        self.attributes += attributes

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        self.texts.append(text)


def test_report(run, folder):
    options = ("preds", *TWO, "--by", "country", "--by", "device", "--html", "report.html")
    code, _, err = run("evaluate", *options, "--loss", "brier")
    assert (code, err) == (0, "")
    text = (folder / "report.html").read_text()
    page = Elements(text)
    assert not page.open
    assert page.names.count("svg") == 2
    assert page.names.count("table") == 4
    assert "http" not in text
    assert not {"script", "link", "img", "iframe", "b"} & set(page.names)
    links = [value for name, value in page.attributes if name in ("href", "src")]
    assert all(link.startswith("#") for link in links)
    assert COUNTRIES[2] in page.texts  # in tables
    assert f"{COUNTRIES[2]}, phone" in page.texts  # at the chart's axis
    assert "3,000 rows read, 0 of them left out" in page.texts
    first = text
    run("evaluate", *options, "--loss", "brier")
    assert (folder / "report.html").read_text() == first


def test_reports_of_many_segments(run, folder):
    """The chart has the heaviest, the table all; names that look like others' mark-up are text."""
    n = 100
    columns = {
        "p": np.full(n, 0.5),
        "y": np.zeros(n, int),
        "segment": [f"_$x_{{{i:02}}}$</svg>" for i in range(n)],
        "w": np.arange(1.0, n + 1),
    }
    pq.write_table(pa.table(columns), "many.parquet")
    code, _, err = run(
        "evaluate", "many.parquet", *BCE, "--model", "_<i>=p", "--by", "segment", "--weight", "w",
        "--html", "report.html",
    )  # fmt: skip
    assert (code, err) == (0, "")
    page = Elements((folder / "report.html").read_text())
    assert not page.open
    assert "The 40 segments of most weight, of 100." in page.texts
    assert page.texts.count("_$x_{60}$</svg>") == 2
    assert page.texts.count("_$x_{59}$</svg>") == 1
    assert "● _<i>" in page.texts


def test_states_add_up(run, found, folder):
    options = (*TWO, "--by", "country", "--weight", "w")
    for i in range(3):
        code, *_ = run("evaluate", f"preds/{i}.parquet", *options, "--state", f"{i}.json")
        assert code == 0
    code, out, err = run("merge", "0.json", "1.json", "--state", "both.json")
    assert (code, err) == (0, "")
    code, out, err = run("merge", "both.json", "2.json", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out) == found("preds", *options)


def test_states_of_other_losses_do_not(run, folder):
    run("evaluate", "preds", *ONE, "--state", "a.json")
    run("evaluate", "preds", *TWO, "--state", "b.json")
    wrong(run("merge", "a.json", "b.json"), 2, "do not add up")
    (folder / "empty.json").write_text("{}")
    wrong(run("merge", "empty.json"), 2, "empty.json")


# ---- Ctrl-C and pipes


def test_interrupted(folder, data):
    """What is done so far is printed, and how much that is."""
    many = {name: np.tile(data[name], 200) for name in ("p_a", "y")}
    pq.write_table(pa.table(many), "long.parquet")
    code, shown = in_terminal(
        "evaluate", "long.parquet", *ONE, "--batch-size", "10", "--format", "csv",
        until=rb"rows/s",
    )  # fmt: skip
    assert code == 130
    rows = int(re.search(r"interrupted after (\d+) rows", shown)[1])
    assert 0 < rows < 600_000
    names, figures = re.search(r"(loss,model,.*)\r\n(.*)\r\n", shown).groups()
    row = dict(zip(names.split(","), figures.split(","), strict=True))
    assert int(row["count"]) == rows
    expected = sklearn.metrics.log_loss(many["y"][:rows], many["p_a"][:rows])
    assert math.isclose(float(row["mean"]), expected, rel_tol=1e-12)


def test_ctrl_c_does_not_wait_for_a_file():
    """A batch that was read counts; one that does not come is not waited for."""
    stuck, seen = threading.Event(), []

    def batches():
        yield Batch({}, 7)
        stuck.wait(60)

    reading = Reading(batches())
    start, before = time.monotonic(), signal.getsignal(signal.SIGINT)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        for batch in reading:
            seen.append(batch.rows)
    finally:
        stuck.set()
    assert (seen, reading.interrupted) == ([7], True)
    assert time.monotonic() - start < 30
    assert signal.getsignal(signal.SIGINT) is before


def test_a_batch_is_not_interrupted():
    """Ctrl-C while a batch is summed ends after it."""
    reading, seen = Reading(Batch({}, i) for i in range(9)), []
    for batch in reading:
        if batch.rows == 2:
            os.kill(os.getpid(), signal.SIGINT)
        seen.append(batch.rows)
    assert seen == [0, 1, 2]
    assert reading.interrupted


def test_a_reader_that_leaves(folder):
    code = "import sys; sys.exit(sys.stdin.readline() == '')"
    command = [sys.executable, "-m", "fastloss", "evaluate", "preds", *ONE, "--by", "p_a"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        assert subprocess.run([sys.executable, "-c", code], stdin=first.stdout).returncode == 0
        first.stdout.close()
        assert first.stderr.read() == b""
        assert first.wait(60) == 141


# ---- the documentation


def test_examples_of_the_page(run, tmp_path, monkeypatch):
    """The commands do what the page shows, on the data that it makes."""
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[1] / "docs" / "command.md").read_text()
    (made,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(made, {})
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    commands = [
        shlex.split(line) for text in blocks for line in re.split(r"(?<!\\)\n", text.strip())
    ]
    assert len(commands) == 11
    for name, *arguments in commands:
        assert name == "fastloss"
        arguments, place = [x for x in arguments if x != "\n"], None
        if ">" in arguments:
            *arguments, _, place = arguments
        code, out, err = run(*arguments)
        assert (code, err) == (0, ""), arguments
        if place is not None:
            Path(place).write_text(out)


# ---- what is known of the losses


def test_losses(run):
    code, out, _ = run("losses")
    assert code == 0
    listed = [line.split()[0] for line in out.splitlines()[1:]]
    assert listed == [*fl.losses(), *fl.losses(gradient=False)]


@pytest.mark.parametrize("name", [*fl.losses(), *fl.losses(gradient=False)])
def test_show(run, name):
    code, out, err = run("show", name)
    assert (code, err) == (0, "")
    assert type(fl.get(name)).__doc__.partition("\n")[0] in out
    assert re.search(r"\nFormula\n-------\ndef \w*definition\(", out)
    assert "\nProperties\n" in out
    assert all(f"\n{parameter} = " in out for parameter in fl.get(name).params)


def test_show_with_parameters(run):
    _, out, _ = run("show", "huber(delta=2.0)")
    assert out.startswith("huber(delta=2.0)\n")
    assert "\ndelta = 2.0\n" in out


def test_info(run):
    code, out, _ = run("info", "--json")
    assert code == 0
    assert json.loads(out) == json.loads(json.dumps(fl.show_config()))
    code, out, _ = run("info")
    assert fl.__version__ in out.splitlines()[0]


def test_help_and_version(run):
    assert run("--version") == (0, f"fastloss {fl.__version__}\n", "")
    for command in ("evaluate", "merge", "losses", "show", "info"):
        code, out, err = run(command, "--help")
        assert (code, err) == (0, "")
        assert f"examples:\n  fastloss {command if command != 'merge' else 'evaluate'}" in out


def test_an_import_does_not_read_the_command():
    code = "import sys, fastloss; print([n for n in sys.modules if '_command' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_without_rich(folder):
    """Results are plain."""
    (folder / "rich.py").write_text("raise ImportError\n")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    done = process("evaluate", "preds", *ONE, cwd=folder, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "binary_cross_entropy" in done.stdout
