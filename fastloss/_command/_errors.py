"""What the command cannot do, in one line."""

from __future__ import annotations

import re

__all__ = ["CommandError", "one_line"]

# Messages of the library name its arguments; these are the command's for them.
_OPTIONS = {
    r"nulls='drop'": "--nulls drop",
    r"fl\.losses\(\)": "`fastloss losses`",
    r"inputs=\{'(\w+)': column\}": r"--input \1=COLUMN",
    r"; pass a pyarrow Dataset for others": "",
}


class CommandError(Exception):
    """A wrong argument, or data that cannot be used."""


def one_line(error: BaseException) -> str:
    """The message of an error."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    for before, after in _OPTIONS.items():
        text = re.sub(before, after, text)
    return text
