"""Evaluation of a fitted classifier, and comparison of several models."""

from ._comparison import compare, comparison_table, iter_compare
from ._evaluation import Evaluation, evaluate
from ._scores import ModelScores

__all__ = [
    "Evaluation",
    "ModelScores",
    "compare",
    "comparison_table",
    "evaluate",
    "iter_compare",
]
