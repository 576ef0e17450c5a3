"""Builds the site: ``python -m docs.site [folder]``, by default ``build/site``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from docs.site import pages, repository


def build(folder: Path) -> int:
    """Gathers the sources and has Sphinx build them; a warning is an error."""
    sources = folder / "sources"
    repository.copy_pages(sources)
    pages.write_pages(sources)
    configuration = str(Path(__file__).parent)
    return int(
        build_main(
            ["-W", "--keep-going", "-q", "-b", "html", "-c", configuration,
             "-d", f"{folder}/doctrees", str(sources), f"{folder}/html"]
        )
    )  # fmt: skip


def main() -> int:
    """Builds into an empty folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else repository.ROOT / "build" / "site"
    shutil.rmtree(folder, ignore_errors=True)
    status = build(folder)
    if status == 0:
        print(folder / "html" / "index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
