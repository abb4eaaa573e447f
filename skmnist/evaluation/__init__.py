"""Evaluation of a fitted classifier, and comparison of several models."""

from ._comparison import compare, iter_compare
from ._evaluation import Evaluation, evaluate
from ._scores import ModelScores
from ._table import comparison_table

__all__ = [
    "Evaluation",
    "ModelScores",
    "compare",
    "comparison_table",
    "evaluate",
    "iter_compare",
]
