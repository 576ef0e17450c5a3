"""Progress on stderr, with or without tqdm."""

from __future__ import annotations

import sys
from typing import Any


class _Plain:
    """As much of tqdm's bar as is used here."""

    def __init__(self, total: int) -> None:
        self.total, self.n, self.text = total, 0, ""

    def __enter__(self) -> _Plain:
        return self

    def __exit__(self, *error: Any) -> None:
        print(file=sys.stderr)

    def set_description(self, text: str) -> None:
        self.text = text

    def update(self, n: int = 1) -> None:
        self.n += n
        print(f"\r\033[K{self.n}/{self.total} {self.text}", end="", file=sys.stderr, flush=True)


def progress(total: int) -> Any:
    """A context manager with ``update(n)`` and ``set_description(text)``."""
    try:
        from tqdm import tqdm
    except ImportError:
        return _Plain(total)
    return tqdm(total=total, file=sys.stderr, dynamic_ncols=True)
