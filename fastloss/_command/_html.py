"""A report: one page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Sequence

from .._evaluation import Evaluation
from .._version import __version__
from ._chart import COLOURS, MOST_SEGMENTS, chart, segments
from ._output import sections

__all__ = ["page"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
caption { caption-side: bottom; text-align: left; color: #666; padding-top: .3rem; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th { border-bottom: 2px solid #999; }
tbody tr:hover { background: #f4f7fa; }
p { color: #444; margin: .2rem 0; overflow-wrap: anywhere; }
.model { font-weight: 600; margin-right: 1.2rem; }
svg { max-width: 100%; height: auto; stroke-linejoin: round; }
"""


def page(found: Evaluation, paths: Sequence[str]) -> str:
    """The page, of all tables and a chart of each loss."""
    counts = f"{found.rows:,} rows read, {found.dropped:,} of them left out"
    body = [
        "<h1>Evaluation</h1>",
        f"<p>{counts}</p>",
        f"<p>{html.escape(', '.join(paths))}</p>",
        *_charts(found),
        *(
            f'<h2>{html.escape(title)}</h2><div class="wide">{table._repr_html_()}</div>'
            for title, table in sections(found)
        ),
        f"<p>fastloss {__version__}</p>",
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Evaluation</title><style>{_STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def _charts(found: Evaluation) -> list[str]:
    request, table = found._request, found.table
    models = list(request.models)
    legend = "".join(
        f'<span class="model" style="color: {COLOURS[i % len(COLOURS)]}">● '
        f"{html.escape(model)}</span>"
        for i, model in enumerate(models)
    )
    every = len(table) // (len(request.losses) * len(models))
    some = len(segments(table, request.by))
    left = (
        f"<p>The {MOST_SEGMENTS} segments of most weight, of {every}.</p>" if some < every else ""
    )
    if not some:
        return []
    return [
        f"<h2>{html.escape(loss)}</h2><p>{legend}</p>{left}"
        + chart(table, request.by, loss, models)
        for loss in request.losses
    ]
