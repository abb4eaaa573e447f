"""Evaluation of a fitted classifier, comparison of several models, label errors."""

from ._comparison import compare, iter_compare
from ._evaluation import Evaluation, evaluate
from ._label_errors import LabelErrors, find_label_errors
from ._scores import ModelScores
from ._table import comparison_table

__all__ = [
    "Evaluation",
    "LabelErrors",
    "ModelScores",
    "compare",
    "comparison_table",
    "evaluate",
    "find_label_errors",
    "iter_compare",
]
