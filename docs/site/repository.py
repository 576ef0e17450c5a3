"""The repository's own Markdown pages as pages of the site: where they go and where links lead."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import fastloss as fl

__all__ = ["LOSSES", "ROOT", "copy_pages", "link_losses"]

LOSSES = (*fl.losses(), *fl.losses(gradient=False))
ROOT = Path(__file__).parents[2]
PARTS = ROOT / "docs" / "losses"  # parts of the losses' pages
PLACES = {"README.md": "index.md", "docs/README.md": "guide.md"}
FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<![`\[])`([A-Za-z_]\w*)`(?!`|\])")


def place(path: Path) -> str:
    """Where a file of the repository lies in the site."""
    name = path.relative_to(ROOT).as_posix()
    return PLACES.get(name, name.removeprefix("docs/"))


def relative(target: str, page: str) -> str:
    """A place as seen from a page."""
    return "../" * page.count("/") + target


def outside_code(text: str, change: object) -> str:
    """A page with everything changed but its blocks of code."""
    parts = FENCED.split(text)
    return "".join(p if p.startswith("```") else change(p) for p in parts)  # type: ignore[operator]


def link_losses(text: str, page: str) -> str:
    """A page whose code spans that name a loss or its class lead to its page."""
    known = {name: name for name in LOSSES}
    known |= {type(fl.get(name)).__name__: name for name in LOSSES}

    def linked(found: re.Match[str]) -> str:
        name = known.get(found[1])
        target = f"losses/{name}.md"
        return f"[`{found[1]}`]({relative(target, page)})" if name and target != page else found[0]

    return outside_code(text, lambda part: CODE.sub(linked, part))


def relinked(text: str, source: Path, page: str, wanted: list[Path]) -> str:
    """A page whose links lead to where other files lie in the site; those are wanted there.

    A link to what the site does not have, such as a script, becomes its text.
    """

    def moved(found: re.Match[str]) -> str:
        picture, label, link = found.groups()
        if ":" in link or link.startswith("#"):
            return found[0]
        name, _, anchor = link.partition("#")
        target = (source.parent / name).resolve()
        if target.suffix not in (".md", ".png", ".svg"):
            return label
        wanted.append(target)
        new = relative(place(target), page) + (f"#{anchor}" if anchor else "")
        return f"{picture}[{label}]({new})"

    return outside_code(text, lambda part: LINK.sub(moved, part))


def copy_pages(folder: Path) -> None:
    """Copies the first page, those of docs, and whatever they link to."""
    pages = [p for p in sorted(ROOT.glob("docs/**/*.md")) if PARTS not in p.parents]
    waiting, done = [ROOT / "README.md", ROOT / "CHANGELOG.md", *pages], set()
    while waiting:
        source = waiting.pop()
        if source in done:
            continue
        done.add(source)
        page = place(source)
        target = folder / page
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix != ".md":
            shutil.copyfile(source, target)
            continue
        text = relinked(source.read_text(), source, page, waiting)
        if page in ("index.md", "which-loss.md"):
            text = link_losses(text, page)
        if page == "index.md":
            text += CONTENTS
        elif page == "guide.md":
            text += contents(p.stem for p in pages if p.name not in ("README.md", "which-loss.md"))
        elif "/" in page:
            text = f"---\norphan: true\n---\n\n{text}"
        target.write_text(text)


def contents(names: object, depth: int = 1) -> str:
    """A table of contents that only the margin shows."""
    lines = "\n".join(names)  # type: ignore[call-overload]
    return f"\n```{{toctree}}\n:hidden:\n:maxdepth: {depth}\n\n{lines}\n```\n"


CONTENTS = contents(
    ["which-loss", "losses/index", "gallery", "guide", "api", "CONTRIBUTING", "CHANGELOG"]
)
