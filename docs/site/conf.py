"""Sphinx's configuration of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml

import fastloss

project = "fastloss"
author = "The fastloss developers"
copyright = author
version = release = fastloss.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
toc_object_entries = False

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_typehints = "none"
templates_path = [str(Path(__file__).with_name("templates"))]
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "fastloss"
# a font with a table of mathematics, for systems that have none
html_static_path = ["static", f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSerif.ttf"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "gallery": [], "which-loss": [], "CHANGELOG": [], "CONTRIBUTING": []}


def visit_math(writer: Any, node: nodes.Element) -> None:
    """Writes a formula as MathML, which browsers draw without a script."""
    block = isinstance(node, nodes.math_block)
    try:
        written = tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        raise ValueError(f"cannot read the formula {node.astext()}: {error}") from error
    writer.body.append(f'<div class="formula">{written}</div>' if block else written)
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Registers the renderer of formulas."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(visit_math, None), block_renderers=(visit_math, None)
    )
