"""Evaluation of files, tables and arrays: several losses and models, by segment, in one pass."""

from ._call import evaluate
from ._evaluation import Evaluation
from ._table import Table

__all__ = ["Evaluation", "Table", "evaluate"]
