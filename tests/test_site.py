"""The site has a page for every loss, and its pages say what they must."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cases
import pytest
from docutils.utils.math.latex2mathml import tex2mathml

import fastloss as fl
from docs.site import formulas, pages, plots, repository

ROOT = Path(__file__).parents[1]
WHICH = ROOT / "docs" / "which-loss.md"
PLANNED = set(re.findall(r"`(\w+)` \(planned\)", WHICH.read_text()))
"""Losses that the registry does not have yet, and a page says so."""

each_name = pytest.mark.parametrize("name", repository.LOSSES)


@each_name
def test_formulas_are_traced(name):
    """So that pages need not show the Python text; what is traced gives the loss's values."""
    found = formulas.formula(fl.get(name))
    assert found
    assert tex2mathml(found, as_block=True).startswith("<math")


def test_wrong_formulas_are_found():
    traced = formulas.Traced(fl.get("huber"))
    assert formulas.is_right(traced)
    traced.expression *= 2
    assert not formulas.is_right(traced)


@pytest.mark.parametrize("k", [1, 2])
def test_conditions_count(k):
    """With as many classes as it names, or more, a top-k error would be 0 whatever they are."""
    traced = formulas.Traced(fl.TopK(k=k), formulas.CLASSES, label=True)
    assert formulas.is_right(traced)
    assert "[{z}_{2} > {z}_{1}]" in traced.latex()
    traced.expression *= 2
    assert not formulas.is_right(traced)


def test_pages_say_for_which_numbers_a_formula_is():
    assert "Shown for `alpha=1.0`." in pages.loss_page("general_robust")
    assert "Shown for" not in pages.loss_page("huber")


@each_name
def test_docstrings_say_when_to_use_it(name):
    chosen, _ = pages.advice(name)
    assert [paragraph.startswith(pages.USE) for paragraph in chosen] == [True, False]


@each_name
def test_see_also_names_losses(name):
    classes = {type(fl.get(other)).__name__ for other in repository.LOSSES}
    for names, text in pages.documented(name)["See Also"]:
        assert {n for n, _ in names} <= classes
        assert text


@each_name
def test_every_parameter_is_described(name):
    texts = {p.name: p.desc for p in pages.documented(name)["Parameters"]}
    assert list(texts) == list(fl.get(name).params)
    assert all(texts.values())
    assert all(pages.allowed(fl.get(name), parameter) for parameter in texts)


@each_name
def test_other_libraries_have_a_part(name):
    part = repository.PARTS / f"{name}.md"
    assert part.read_text().startswith(f"# {name} in other libraries\n\n| library |")


def test_parts_are_of_losses():
    assert {part.stem for part in repository.PARTS.glob("*.md")} - PLANNED <= set(repository.LOSSES)


@each_name
def test_pages(name):
    page = pages.loss_page(name)
    for heading in ("When to use it", "Properties", "Inputs", "In other libraries"):
        assert f"\n## {heading}\n" in page
    assert "```{math}" in page


@each_name
def test_messages_of_domains(name):
    """What the page says of numbers outside is an error of the library."""
    for loss in cases.variants(name):
        lines = list(pages.domain_lines(loss))
        assert {n for n, *_ in lines} == {f"`{n}`" for n in loss.inputs}
        for n, text, message in lines:
            known = text == "any number" or message.startswith((n[:-1], "`target must"))
            assert known, (loss, n, text, message)


@each_name
def test_plots(name, tmp_path):
    for draw in (plots.draw, plots.draw_small):
        draw(name, tmp_path / "plot.svg")
        picture = ElementTree.parse(tmp_path / "plot.svg").getroot()
        assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) > 3


def test_lists_hold_every_loss():
    for page in (pages.index_page(), pages.gallery_page(), pages.api_page()):
        for name in repository.LOSSES:
            assert f"{name}.md)" in page


# ---- which loss?


def test_which_loss_names_every_loss_and_no_other():
    """A name of none would lead nowhere."""
    named = set(re.findall(r"`(\w+)`", WHICH.read_text()))
    assert set(repository.LOSSES) <= named
    parameters = {parameter for name in repository.LOSSES for parameter in fl.get(name).params}
    assert named - set(repository.LOSSES) - parameters == PLANNED


def test_names_of_losses_lead_to_them():
    text = "`huber`, ``huber``, [`huber`](x.md) and `none`\n\n```\n`huber`\n```\n"
    linked = text.replace("`huber`,", "[`huber`](losses/huber.md),", 1)
    assert repository.link_losses(text, "page.md") == linked
    assert "(../losses/huber.md)" in repository.link_losses("`Huber`", "losses/hinge.md")


# ---- the whole


@pytest.mark.full
def test_the_site_builds(tmp_path):
    """Without a warning; and its pages fetch nothing from elsewhere."""
    command = [sys.executable, "-m", "docs.site", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = list((tmp_path / "html").rglob("*.html"))
    assert {f"{name}.html" for name in repository.LOSSES} <= {page.name for page in found}
    for page in found:
        text = page.read_text()
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//[^"']*\.(?:js|css|woff)""", text)
        assert "<script async" not in text
