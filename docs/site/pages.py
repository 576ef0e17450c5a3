"""The pages that the registry writes: one for each loss, their list, the gallery and the API."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpydoc.docscrape import NumpyDocString

import fastloss as fl
from docs.site import formulas, plots, repository
from fastloss._domains import Domain
from fastloss.accuracy.samples import generator, sample, sample_groups
from fastloss.accuracy.variants import target_kinds, variants
from fastloss.losses import FAMILIES

__all__ = ["api_page", "gallery_page", "index_page", "loss_page", "write_pages"]

USE, AVOID = "Use it", "Avoid it"
"""How the paragraphs of a class's docstring begin that say what it is for, and what not."""


def write_pages(folder: Path) -> None:
    """Writes all pages, with their pictures."""
    pictures = folder / "losses" / "plots"
    pictures.mkdir(parents=True, exist_ok=True)
    for name in repository.LOSSES:
        plots.draw(name, pictures / f"{name}.svg")
        plots.draw_small(name, pictures / f"{name}-small.svg")
        (folder / "losses" / f"{name}.md").write_text(loss_page(name))
    (folder / "losses/index.md").write_text(index_page())
    (folder / "gallery.md").write_text(gallery_page())
    (folder / "api.md").write_text(api_page())


# ---- Markdown


def escaped(text: str) -> str:
    """Plain text, which may hold code, for Markdown and its tables."""
    parts = re.split(r"(``.*?``|`[^`]*`)", " ".join(text.split()))
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([*|<>\[\]])", r"\\\1", re.sub(r":\w+:(?=`)", "", parts[i]))
    return "".join(parts)


def table(header: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table, or nothing without lines."""
    body = [f"| {' | '.join(cells)} |" for cells in lines]
    if not body:
        return ""
    header = list(header)
    return "\n".join(
        [f"| {' | '.join(header)} |", f"| {' | '.join('---' for _ in header)} |", *body]
    )


def paragraphs(lines: list[str]) -> list[str]:
    """Lines of a docstring as paragraphs."""
    return [escaped(part) for part in "\n".join(lines).split("\n\n") if part.strip()]


# ---- what a docstring and a class say


def documented(name: str) -> NumpyDocString:
    """The sections of a loss's docstring."""
    return NumpyDocString(inspect.getdoc(type(fl.get(name))) or "")


def summary(name: str) -> str:
    """The first sentence or two."""
    return escaped(" ".join(documented(name)["Summary"]))


def advice(name: str) -> tuple[list[str], list[str]]:
    """What a loss is for and not for; and what else the text says."""
    found = paragraphs(documented(name)["Extended Summary"])
    chosen = [p for p in found if p.startswith((USE, AVOID))]
    return chosen, [p for p in found if p not in chosen]


def allowed(loss: fl.Loss, name: str) -> str:
    """What a parameter may be, as its error says."""
    try:
        loss._parameters[name].check(name, object())
    except (TypeError, ValueError) as error:
        return str(error).removeprefix(f"{name} must ").partition("; got")[0]
    return ""


def parameters(name: str) -> str:
    """The parameters: what they mean, may be and are by default."""
    loss = fl.get(name)
    texts = {p.name: paragraphs(p.desc) for p in documented(name)["Parameters"]}
    return table(
        ("parameter", "default", "must", "meaning"),
        (
            (f"`{n}`", f"`{value!r}`", escaped(allowed(loss, n)), " ".join(texts.get(n, [])))
            for n, value in loss.params.items()
        ),
    )


def changed(loss: fl.Loss) -> frozenset[str]:
    """The parameters that are not as by default."""
    default = fl.get(loss.name).params
    return frozenset(
        f"`{n}={v!r}`" if isinstance(v, (str, int, float)) else f"`{n}`"
        for n, v in loss.params.items()
        if v != default[n]
    )


def ways(found: Iterable[frozenset[str]]) -> str:
    """Changes of parameters in words, less those that add to another one."""
    several = list(dict.fromkeys(found))
    least = [way for way in several if not any(other < way for other in several)]
    return " or ".join(", ".join(sorted(way, reverse=True)) for way in least)


def stated(name: str, attribute: str, show: Any = escaped) -> str:
    """An attribute by default, and with which parameters it differs."""
    groups: dict[str, list[frozenset[str]]] = {}
    for loss in variants(name):
        text = show(getattr(loss, attribute)) or "none"
        groups.setdefault(text, []).append(changed(loss))
    first, *others = groups.items()
    notes = [f"{text} with {ways(found)}" for text, found in others]
    return "" if not notes and first[0] == "none" else "; ".join([first[0], *notes])


def yes_or_no(value: bool) -> str:
    """A truth value in words."""
    return "yes" if value else "no"


HESSIANS = {
    "positive": "positive",
    "nonnegative": "≥ 0",
    "zero": "0 everywhere",
    "any": "of either sign",
}
OPTIMA = {
    "mean": "by `init_score`, from the mean of the targets",
    "quantile": "by `init_score`, a quantile of the targets",
    "solve": "by `init_score`, which looks for the minimum",
    "none": "none",
}


def bounds(ulps: dict[str, tuple[float, ...]], outputs: int) -> str:
    """Error bounds in ulps of the first outputs, in one cell."""
    texts = {
        dtype: " · ".join(f"{x:g}" for x in numbers[:outputs]) for dtype, numbers in ulps.items()
    }
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return ", ".join(f"{text} ({dtype})" for dtype, text in texts.items())


def properties(name: str) -> str:
    """What a loss says of itself."""
    outputs = plots.outputs(fl.get(name))
    errors = f"error at most, in ulps: {' · '.join(outputs)}"
    rows = (
        ("convex in the prediction", stated(name, "convex", yes_or_no)),
        ("gradient continuous", stated(name, "smooth", yes_or_no)),
        ("Hessian", stated(name, "hessian_sign", lambda sign: HESSIANS[sign])),
        ("best prediction of the targets", stated(name, "elicits")),
        ("proper scoring rule", stated(name, "proper", yes_or_no)),
        ("link", stated(name, "link")),
        ("best constant", stated(name, "optimum", lambda way: OPTIMA[way])),
        ("kinks", stated(name, "kinks")),
        ("one value for each", stated(name, "unit")),
        (errors, stated(name, "ulps", lambda ulps: bounds(ulps, len(outputs)))),
    )
    return table(("property", f"`{name}`"), (row for row in rows if row[1]))


# ---- domains


def outside(domain: Domain) -> float | None:
    """A number that a domain does not hold."""
    candidates = (2.0, -1.0, 0.5, 0.0, -2.0)
    return next((x for x in candidates if domain.outside(np.array(x))), None)


def refusal(loss: fl.Loss, name: str, number: float, kind: str) -> str:
    """What a call with a number outside the domain of an input says."""
    if isinstance(loss, fl.GroupLoss):
        inputs = sample_groups(loss, [1], "float64", generator())
    else:
        inputs = sample(loss, (1,), "float64", generator(), kind, extremes=False)
    first = np.arange(inputs[name].size).reshape(inputs[name].shape) == 0
    inputs[name] = np.where(first, number, inputs[name])
    try:
        loss.value(**inputs)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def domain_lines(loss: fl.Loss) -> Iterator[tuple[str, str, str]]:
    """Each input, where it may lie, and the message for a number elsewhere."""
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        kinds = target_kinds(loss)
        for kind in kinds if name == "target" else kinds[:1]:
            index = name == "target" and kind == "labels"
            number = -1 if index else 0.5 if name == "group" else outside(domain)
            message = "" if number is None else f"`{refusal(loss, name, number, kind)}`"
            yield f"`{name}`", "a class index" if index else escaped(domain.text), message


def domains(name: str) -> str:
    """Where inputs may lie, and what is said of others."""
    messages: dict[tuple[str, str], str] = {}
    found: dict[tuple[str, str], list[frozenset[str]]] = {}
    for loss in variants(name):
        for n, text, message in domain_lines(loss):
            messages.setdefault((n, text), message)
            found.setdefault((n, text), []).append(changed(loss))
    lines = []
    for (n, text), where in found.items():
        only = "" if frozenset() in where else f" (with {ways(where)})"
        lines.append((n, text + only, messages[n, text]))
    return table(("input", "is", "else the error is"), lines)


# ---- pages


def of_rows(loss: fl.Loss) -> str:
    """What the letters of the formula of a row or a group stand for."""
    if isinstance(loss, fl.GroupLoss):
        targets = formulas.ordered(loss)
        if targets is None:
            return "Sums run over the elements of a group."
        text = "Shown for three elements, whose targets are {}, {} and {}".format(*targets)
        return text + (
            ", all events."
            if "event" in loss.inputs
            else ", in the order of their predictions."
            if loss.order.startswith("prediction")
            else "."
        )
    if not isinstance(loss, fl.RowLoss):
        return ""
    if loss.takes_numbers:
        levels = ", q the levels of the columns" if loss.columns else ""
        return f"Sums run over the K predictions of a row; y is its target{levels}."
    if loss.encoding == "levels":
        return (
            "The sum runs over the predictions of a row; q is 1 at those below the label, else 0."
        )
    if loss.encoding == "steps":
        return "Shown for three predictions, with the label 1."
    if not loss.takes_distributions:
        conditions = (
            "" if loss.has_gradient else " A condition in brackets is 1 where it holds, else 0."
        )
        return f"Shown for three classes, of which the first is the label.{conditions}"
    text = "Sums run over the classes of a row, of which q is the target's mass"
    return text + ("; of a class index it is 1." if loss.takes_labels else ".")


def shown_formulas(name: str) -> list[str]:
    """The formula, and others that words or flags choose; or Python's text of the definition."""
    default = fl.get(name)
    numbers = [f"`{n}={value}`" for n, value in formulas.numbers_shown(default).items()]
    known = f"Shown for {', '.join(numbers)}." if numbers else ""
    found = {formulas.formula(default): ""}
    if None in found:
        return [f"```python\n{formulas.definition_text(default)}\n```", of_rows(default)]
    for loss in variants(name):
        way = changed(loss)
        if len(way) == 1 and any(
            isinstance(v, str | bool) and v != default.params[n] for n, v in loss.params.items()
        ):
            found.setdefault(formulas.formula(loss), ways([way]))
    parts = [
        (f"With {way}:\n\n" if way else "") + f"```{{math}}\n{latex}\n```"
        for latex, way in found.items()
        if latex
    ]
    return [*parts, known, of_rows(default)]


def loss_page(name: str) -> str:
    """The page of a loss."""
    loss = fl.get(name)
    kind = type(loss)
    chosen, rest = advice(name)
    *most, last = plots.outputs(loss)
    shown = f"{', '.join(most)} and {last}" if most else last
    parts = [
        f"# {kind.__name__}",
        f"```{{py:class}} fastloss.{kind.__name__}{inspect.signature(kind)}\n```",
        summary(name),
        *shown_formulas(name),
        f"![{shown.capitalize()} of {name}](plots/{name}.svg){{.plot}}",
        *rest,
    ]
    if chosen:
        parts += ["## When to use it", *chosen]
    see_also = [
        f"- `{n}`: {' '.join(paragraphs(text))}" if text else f"- `{n}`"
        for names, text in documented(name)["See Also"]
        for n, _ in names
    ]
    if see_also:
        links = repository.link_losses("\n".join(see_also), f"losses/{name}.md")
        parts += ["**See also**", links]
    if loss.params:
        parts += ["## Parameters", parameters(name)]
    if documented(name)["Notes"]:
        parts += ["## Notes", *paragraphs(documented(name)["Notes"])]
    parts += [
        f"By name: `fl.get({name!r})`. The methods are those of "
        "{py:class}`every loss <fastloss.Loss>`.",
        "## Properties",
        properties(name),
        further(name),
        "## Inputs",
        domains(name),
        elsewhere(name),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


TABLES = {
    "What it gives at infinity, NaN and kinks": "conventions",
    "Errors as measured": "accuracy",
    "Times": "speed",
}
"""Pages with tables of losses."""


def further(name: str) -> str:
    """Links to tables, those that have the loss."""
    line = re.compile(rf"^(?:### {name}$|\| `?{name}\b)", re.MULTILINE)
    limits = "groups" if isinstance(fl.get(name), fl.GroupLoss) else name
    found = []
    for text, page in TABLES.items():
        if line.search((repository.ROOT / "docs" / f"{page}.md").read_text()):
            anchor = f"#{limits}" if page == "conventions" else ""
            found.append(f"{text}: [{page.capitalize()}](../{page}.md{anchor}).")
    return " ".join(found)


def elsewhere(name: str) -> str:
    """The hand-written part: what other libraries do."""
    source = repository.PARTS / f"{name}.md"
    if not source.exists():
        return ""
    text = repository.relinked(source.read_text(), source, f"losses/{name}.md", [])
    return "## In other libraries\n\n" + text.partition("\n")[2].strip()


def family_names() -> list[tuple[str, list[str]]]:
    """Each family's description and its losses."""
    return [
        (inspect.getdoc(f).partition("\n")[0], [getattr(f, n).name for n in f.__all__])  # type: ignore[union-attr]
        for f in FAMILIES
    ]


def index_page() -> str:
    """All losses, one line each."""
    parts = ["# Losses", "[Which loss?](../which-loss.md) leads from a problem to one of them."]
    for title, names in family_names():
        lines = ((f"[`{type(fl.get(n)).__name__}`]({n}.md)", summary(n)) for n in names)
        parts += [f"## {escaped(title.rstrip('.').partition(':')[0])}", table(("loss", ""), lines)]
    names = [name for _, names in family_names() for name in names]
    return "\n\n".join(parts) + "\n" + repository.contents(names)


def gallery_page() -> str:
    """All plots at a glance."""
    blue, orange, green, *_ = plots.COLOURS
    legend = ", ".join(
        f'<b style="color: {colour}">{text}</b>'
        for colour, text in zip((blue, orange, green), plots.OUTPUTS, strict=True)
    )
    parts = [
        "# Gallery",
        f"Each loss with its default parameters, against the prediction: {legend}. Losses of rows "
        "are shown against the prediction of the class that is the label, or of the first column; "
        "losses of groups against the first of three predictions, whose targets are 2, 1 and 0.",
    ]
    for title, names in family_names():
        cards = "\n\n".join(
            f"```{{figure}} losses/plots/{n}-small.svg\n:target: losses/{n}.html\n"
            f":alt: {n}\n:class: plot\n\n[`{type(fl.get(n)).__name__}`](losses/{n}.md)\n```"
            for n in names
        )
        title = escaped(title.rstrip(".").partition(":")[0])
        parts += [f"## {title}", f"````{{container}} gallery\n{cards}\n````"]
    return "\n\n".join(parts) + "\n"


def api_page() -> str:
    """All public names."""
    classes = {type(fl.get(name)).__name__ for name in repository.LOSSES}
    names = [n for n in fl.__all__ if n not in classes and not n.startswith("__")]
    own = "\n   ".join(sorted(names, key=str.lower))
    return f"""# API

```{{eval-rst}}
.. currentmodule:: fastloss
.. autosummary::
   :toctree: api
   :nosignatures:

   {own}
```

Every loss is a class with the methods of {{py:class}}`fastloss.Loss`:
{", ".join(f"[`{type(fl.get(n)).__name__}`](losses/{n}.md)" for n in repository.LOSSES)}.
"""
