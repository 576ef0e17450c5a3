"""The command ``fastloss``: evaluation of files, and what is known of the losses."""

from ._main import main

__all__ = ["main"]
