"""The documentation's code runs, prints what it says, and its links lead somewhere."""

import contextlib
import io
import re
import runpy
import textwrap
from pathlib import Path

import cases
import pytest

import fastloss as fl

ALL = (*fl.losses(), *fl.losses(gradient=False))
ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def blocks(text):
    """The line, the language and the text of every fenced block."""
    for found in BLOCK.finditer(text):
        yield text[: found.start()].count("\n") + 2, found[1], found[2]


def run(text, name):
    """Runs the Python blocks of a page in one namespace; a text block after one is its output."""
    namespace, printed = {"__name__": "__main__"}, None
    for line, language, block in blocks(text):
        if language == "python":
            source = "\n" * (line - 1) + block  # so that errors name the page's own lines
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(source, name, "exec"), namespace)
            printed = output.getvalue()
        elif language == "text" and printed is not None:
            assert printed.split("\n") == block.split("\n"), f"{name}:{line}"
            printed = None
        else:
            printed = None


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_code_runs(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run(path.read_text(), name_of(path))


def test_the_first_page_has_code():
    assert sum(language == "python" for _, language, _ in blocks(DOCUMENTS[0].read_text())) > 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\nprint(1)\n```\n\ngives\n\n```text\n1\n```\n", None),
        ("```python\nx = 1\n```\n```sh\nls\n```\n```python\nassert x == 1\n```\n", None),
        ("```python\nprint(1)\n```\n```text\n2\n```\n", AssertionError),
        ("```python\n1 / 0\n```\n", ZeroDivisionError),
        ("```text\n1\n```\n", None),
    ],
)
def test_wrong_pages_are_found(text, error):
    with pytest.raises(error) if error else contextlib.nullcontext():
        run(text, "page.md")


@pytest.mark.parametrize(
    ("language", "source"),
    [("cpp", "csrc/losses/regression.hpp"), ("python", "fastloss/losses/regression.py")],
)
def test_the_example_of_a_loss_is_one(language, source):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (example,) = re.findall(rf"^   ```{language}\n(.*?)^   ```$", text, re.MULTILINE | re.DOTALL)
    assert textwrap.dedent(example) in (ROOT / source).read_text()


def test_the_first_page_names_every_loss():
    named = set(re.findall(r"`(\w+)`", DOCUMENTS[0].read_text()))
    assert {type(fl.get(name)).__name__ for name in ALL} <= named


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path):
    for link in LINK.findall(path.read_text()):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        place, _, anchor = link.partition("#")
        target = path.parent / place if place else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


# ---- tables that the library writes

CONVENTIONS = ROOT / "docs/conventions.md"


@pytest.fixture(scope="module")
def written():
    """What puts new tables into a page."""
    return runpy.run_path(str(ROOT / "docs/tables.py"))["written"]


# Numba would compile seconds for each loss; the hard cases hold it to the same limits
@pytest.mark.parametrize("runner", [r for r in cases.RUNNERS if r[0] != "numba"], ids=cases.name_of)
def test_every_backend_writes_the_tables(runner, written):
    page = CONVENTIONS.read_text()
    with cases.running(runner):
        assert written(page) == page, "python docs/tables.py --write"


def test_stale_tables_are_renewed(written):
    page = CONVENTIONS.read_text()
    assert written(re.sub(r"^\| `.*\n", "", page, flags=re.MULTILINE)) == page


@pytest.mark.parametrize("page", ["", "<!-- kinks: begin -->", CONVENTIONS.read_text() * 2])
def test_tables_have_one_place(page, written):
    with pytest.raises(ValueError, match="once each"):
        written(page)
