"""Evaluation of a fitted classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from .._confidence import label_confidence, rejection_table, some_rejections
from .._estimators import other_kind
from .._numbers import percent
from ._calibration import calibration_error, calibration_table
from ._scores import class_probabilities, mean_log_loss, predict_labels
from ._significance import binomial_standard_error, wilson_interval
from ._trial import check_labels, check_seen, plain_labels

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["Evaluation", "evaluate"]


_CONFUSION = "Confusion matrix: true labels down, predicted labels across"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Result of :func:`evaluate`.

    Parameters
    ----------
    accuracy : float
        Fraction of the images classified correctly, in [0, 1].
    accuracy_se : float
        Binomial standard error of the accuracy.
    accuracy_interval : tuple of two floats
        Wilson's 95 % confidence interval of the accuracy.
    error : float
        Fraction of the images misclassified, ``1 - accuracy``.
    log_loss : float
        Mean negative natural logarithm of the probability of the true class, at least
        0. Probabilities are clipped at 2.2e-16 (the epsilon of float64), whatever their
        type. NaN for a model without probabilities.
    n : int
        Number of images.
    n_right, n_wrong : int
        Numbers of images classified correctly and misclassified.
    per_class : DataFrame of shape (n_classes, 4)
        One row per class, indexed by label, with the columns ``precision``, ``recall``,
        ``f1`` (between 0 and 1) and ``support`` (number of images). Undefined values
        are NaN: the precision of a class that was never predicted, the recall of a
        class without images.
    confusion : DataFrame of shape (n_classes, n_classes)
        Numbers of images by true label (rows) and predicted label (columns).
    calibration : DataFrame or None
        Reliability of the confidence, which is the probability of the predicted label.
        One row per non-empty bin of width 0.1, with the mean ``confidence`` of its
        images, their ``accuracy`` and their number ``n``. None for a model without
        probabilities.
    calibration_error : float
        Expected calibration error: mean distance between confidence and accuracy,
        weighted by ``n``, between 0 and 1. NaN for a model without probabilities.
    rejection : DataFrame or None
        Accuracy if the least confident images are rejected. One row per confidence that
        occurs, in ascending order: ``threshold``, below which images are rejected, the
        fraction ``rejected``, the ``accuracy`` on the other images and their number
        ``n``. None for a model without probabilities.

    See Also
    --------
    evaluate : Evaluate a fitted classifier.
    skmnist.plotting.RejectionCurveDisplay : Chart of ``rejection``.
    """

    accuracy: float
    accuracy_se: float
    accuracy_interval: tuple[float, float]
    error: float
    log_loss: float
    n: int
    n_right: int
    n_wrong: int
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    calibration: pd.DataFrame | None = None
    calibration_error: float = float("nan")
    rejection: pd.DataFrame | None = None

    _evaluated = None  # model, images and labels, of which a report makes pictures

    def to_dict(self):
        """Return the evaluation as plain numbers, strings, lists and dicts.

        Returns
        -------
        result : dict
            Ready for :func:`json.dumps`, with None in place of NaN. ``per_class`` is a
            list with one dict per class, ``confusion`` a list of rows, ``labels`` their
            labels, ``calibration`` a list with one dict per bin, ``rejection`` one with
            a dict for each of at most 31 rows, from none to 80 % of the images.
        """
        per_class = self.per_class.reset_index()
        columns = [per_class[column].tolist() for column in per_class]
        return {
            "n": self.n,
            "n_right": self.n_right,
            "n_wrong": self.n_wrong,
            "accuracy": self.accuracy,
            "accuracy_se": self.accuracy_se,
            "accuracy_interval": list(self.accuracy_interval),
            "error": self.error,
            "log_loss": _none_for_nan(self.log_loss),
            "labels": self.confusion.index.tolist(),
            "per_class": [
                dict(zip(per_class, map(_none_for_nan, row), strict=True))
                for row in zip(*columns, strict=True)
            ],
            "confusion": self.confusion.to_numpy().tolist(),
            "calibration": _records(self.calibration),
            "calibration_error": _none_for_nan(self.calibration_error),
            "rejection": _records(some_rejections(self.rejection)),
        }

    def __str__(self):
        scores = "\n".join(f"{name:<10}{text}" for name, text in self._scores().items())
        per_class = self.per_class.to_string(float_format="{:.4f}".format)
        confusion = self.confusion.rename_axis(index=None, columns=None).to_string()
        return f"{scores}\n\n{per_class}\n\n{_CONFUSION}\n{confusion}"

    def _repr_html_(self):
        # Shown by notebooks.
        import pandas as pd

        scores = pd.Series(self._scores()).to_frame().to_html(header=False)
        per_class = self.per_class.to_html(float_format="{:.4f}".format)
        return f"{scores}{per_class}<p>{_CONFUSION}</p>{self.confusion.to_html()}"

    def _scores(self):
        """Return the scores of all classes together, as texts."""
        low, high = self.accuracy_interval
        scores = {
            "Accuracy": f"{percent(self.accuracy)} "
            f"(95 % interval {100 * low:.2f} to {percent(high)})",
            "Images": f"{self.n:,}: {self.n_right:,} correct, "
            f"{self.n_wrong:,} misclassified ({percent(self.error)})",
        }
        if not np.isnan(self.log_loss):
            scores["Log loss"] = f"{self.log_loss:.4f}"
        return scores

    def __getstate__(self):
        # Model and images stay in memory only.
        return {k: v for k, v in vars(self).items() if k != "_evaluated"}


def _none_for_nan(value):
    return None if isinstance(value, float) and np.isnan(value) else value


def _records(table):
    return None if table is None else table.to_dict("records")


def evaluate(model: Any, X: Any, y: ArrayLike) -> Evaluation:
    """Evaluate a fitted classifier on images.

    Predicted labels come from ``predict``, so the accuracy equals
    ``model.score(X, y)``. They are not derived from the largest probability, which some
    models, such as :class:`~sklearn.svm.SVC`, do not follow. ``predict`` is called
    once; if the model has ``predict_proba``, it is also called once, for log loss,
    calibration and rejection.

    Parameters
    ----------
    model : classifier or Pipeline
        A fitted model with ``predict``.
    X : array-like, sparse matrix or DataFrame with n_samples rows
        Images in any form that the model accepts.
    y : array-like of shape (n_samples,)
        Their true labels, of the same kind as in `fit`: all strings, all numbers or all
        booleans, whatever the dtype of the array.

    Returns
    -------
    result : Evaluation
        Accuracy with its uncertainty, error, log loss, precision, recall and F1 of each
        class, confusion matrix, calibration, and accuracy if the least confident images
        are rejected. Printing it shows all but the last two.

    Raises
    ------
    ValueError
        If X and y are empty or differ in length, if y does not contain class labels, or
        if it contains labels that the model was not fitted on.
    TypeError
        If the model is not a classifier.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    compare : Fit and compare several models.

    References
    ----------
    E. B. Wilson (1927). Probable inference, the law of succession, and statistical
    inference. Journal of the American Statistical Association 22, 209-212.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017). On calibration of modern
    neural networks. ICML, 1321-1330. https://arxiv.org/abs/1706.04599

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.evaluation import evaluate
    >>> X, y = load_digits(return_X_y=True)
    >>> model = KNeighborsClassifier(1).fit(X[:1000], y[:1000])
    >>> result = evaluate(model, X[1000:], y[1000:])
    >>> result.n_right, result.n_wrong
    (767, 30)
    >>> print(f"{result.accuracy:.3f} +- {result.accuracy_se:.3f}")
    0.962 +- 0.007
    >>> int(result.confusion.loc[9, 5])  # nines classified as fives
    3
    """
    import pandas as pd

    if isinstance(model, type) or not hasattr(model, "predict"):
        raise TypeError(f"model must be a fitted classifier; got {model!r}.")
    kind = other_kind(model)
    if kind is not None:
        raise TypeError(f"model must be a fitted classifier; got the {kind} {model!r}.")
    y = check_labels(X, y)
    classes = getattr(model, "classes_", None)
    if classes is not None:
        classes = plain_labels(np.asarray(classes), "classes_")
        check_seen(y, classes, "y has labels that the model was not fitted on")
    predicted = predict_labels(model, X)

    labels = unique_labels(y, predicted)
    if classes is not None:
        # An answer may be no class, such as one that stands for rejected images.
        others = labels[~np.isin(labels, classes)]
        labels = np.concatenate([classes, others])
    index = pd.Index(labels.tolist(), name="label")
    precision, recall, f1, support = precision_recall_fscore_support(
        y, predicted, labels=labels, zero_division=np.nan
    )
    n = len(y)
    n_right = int(np.sum(predicted == y))
    probabilities = class_probabilities(model, X)
    log_loss = mean_log_loss(y, probabilities, classes)
    calibration = rejection = None
    if probabilities is not None and np.isin(predicted, classes).any():
        right = predicted == y
        confidence = label_confidence(predicted, probabilities, classes)
        answered = ~np.isnan(confidence)
        calibration = calibration_table(right[answered], confidence[answered])
        rejection = rejection_table(right, confidence)
    evaluation = Evaluation(
        accuracy=n_right / n,
        accuracy_se=binomial_standard_error(n_right, n),
        accuracy_interval=wilson_interval(n_right, n),
        error=(n - n_right) / n,
        log_loss=log_loss,
        n=n,
        n_right=n_right,
        n_wrong=n - n_right,
        per_class=pd.DataFrame(
            {"precision": precision, "recall": recall, "f1": f1, "support": support},
            index=index,
        ),
        confusion=pd.DataFrame(
            # Not by scikit-learn, which warns of a single label even if it is given.
            pd.crosstab(
                pd.Categorical(y, labels),
                pd.Categorical(predicted, labels),
                dropna=False,
            ).to_numpy(),
            index=index.rename("true"),
            columns=index.rename("predicted"),
        ),
        calibration=calibration,
        calibration_error=(
            float("nan") if calibration is None else calibration_error(calibration)
        ),
        rejection=rejection,
    )
    object.__setattr__(evaluation, "_evaluated", (model, X, y))
    return evaluation
