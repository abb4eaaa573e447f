"""Label errors, found by confident learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from .._numbers import counted, percent
from ._scores import class_probabilities
from ._trial import (
    check_labels,
    check_seen,
    check_several_classes,
    make_splits,
    name_models,
    plain_labels,
    resolve_seed,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["LabelErrors", "find_label_errors"]

_N_PRINTED = 10
_SUM_TOLERANCE = 0.01  # more than rounding to float16 changes a sum


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Result of :func:`find_label_errors`.

    All arrays except `indices` have one element per row of X, in the order of X.

    Parameters
    ----------
    indices : ndarray of int, shape (n_samples,)
        All rows of X, most suspicious first: the first `n_suspected` are those that
        confident learning suspects, then come the others, both by increasing `margin`.
    n_suspected : int
        Number of suspected label errors.
    n_estimated : float
        Estimated number of label errors. It differs from `n_suspected` because it
        includes the rows about which the model is not confident, in proportion.
    given : ndarray of shape (n_samples,)
        The labels as given.
    suggested : ndarray of shape (n_samples,)
        Label that each image more likely has; the most probable label for rows that are
        not suspected, which may be the given one.
    self_confidence : ndarray of shape (n_samples,)
        Probability of the given label.
    confidence : ndarray of shape (n_samples,)
        Probability of the suggested label.
    margin : ndarray of shape (n_samples,)
        Probability of the given label minus the highest probability of another label,
        between -1 (most suspicious) and 1.
    y_proba : ndarray of shape (n_samples, n_classes)
        The probabilities that all this is computed from.
    thresholds : Series of shape (n_classes,)
        Mean probability of each label among the images that are given it. An image is
        confidently of a label if its probability is at least this. NaN for a label
        that no image is given.
    confident_joint : DataFrame of shape (n_classes, n_classes)
        Numbers of images by given label (rows) and confident label (columns), without
        those that are confidently of no label.
    joint : DataFrame of shape (n_classes, n_classes)
        Estimated joint distribution of given labels (rows) and true labels (columns),
        which sums to 1.

    See Also
    --------
    find_label_errors : Find label errors.
    skmnist.plotting.ImageGalleryDisplay.from_label_errors : Show the images.
    """

    indices: np.ndarray
    n_suspected: int
    n_estimated: float
    given: np.ndarray
    suggested: np.ndarray
    self_confidence: np.ndarray
    confidence: np.ndarray
    margin: np.ndarray
    y_proba: np.ndarray
    thresholds: pd.Series
    confident_joint: pd.DataFrame
    joint: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per image, most suspicious first.

        Returns
        -------
        table : DataFrame
            Indexed by row number of X (``row``), with the columns ``given``,
            ``suggested``, ``self_confidence``, ``confidence``, ``margin`` and
            ``suspected`` (bool).
        """
        import pandas as pd

        rows = self.indices
        columns = ("given", "suggested", "self_confidence", "confidence", "margin")
        table = pd.DataFrame(
            {column: getattr(self, column)[rows] for column in columns},
            index=pd.Index(rows, name="row"),
        )
        return table.assign(suspected=np.arange(len(rows)) < self.n_suspected)

    def __str__(self):
        summary = "\n".join(self._summary())
        table = self._first().to_string(float_format="{:.4f}".format)
        return f"{summary}\n\n{table}"

    def _repr_html_(self):
        # Shown by notebooks.
        summary = "<br>".join(self._summary())
        table = self._first().to_html(float_format="{:.4f}".format)
        return f"<p>{summary}</p>{table}"

    def _summary(self):
        n = len(self.indices)
        return (
            f"Suspected label errors: {self.n_suspected:,} of {counted(n, 'image')} "
            f"({percent(self.n_suspected / n)})",
            f"Estimated number: {self.n_estimated:,.1f} "
            f"({percent(self.n_estimated / n)})",
        )

    def _first(self):
        return self.to_frame().head(_N_PRINTED)


def find_label_errors(
    model: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = None,
    y_proba: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> LabelErrors:
    """Find images that probably have a wrong label, by confident learning.

    Each image gets its probabilities from a copy of the model that was not trained on
    it. An image is suspected if it is confidently of another label than the given one:
    if that label has the highest probability among those that reach their threshold,
    which is the mean probability of the label among the images that are given it [1]_.
    So a label on which the model is generally less confident needs less probability.

    Parameters
    ----------
    model : classifier, Pipeline or str
        A classifier with ``predict_proba``, which is not changed, or a name that
        :func:`skmnist.pipelines.make_model` knows. With `y_proba`, a model is only
        needed if y lacks some of its labels: then pass the fitted model, whose
        ``classes_`` are the columns, else None.
    X : array-like, sparse matrix or DataFrame with n_samples rows
        Images in any form that the model accepts.
    y : array-like of shape (n_samples,)
        Their labels: all strings, all numbers or all booleans.
    cv : int, splitter or iterable of (train, test) row numbers, default=None
        Splits of a cross-validation. An int of at least 2 is the number of shuffled
        stratified folds; None means 5. Every row must be tested; the probabilities of a
        row that is tested several times are averaged.
    y_proba : array-like of shape (n_samples, n_classes), default=None
        Probabilities from a model that was not trained on these images, such as the
        probabilities of test images. Nothing is fitted then. The columns are the sorted
        labels of y, or the ``classes_`` of `model` if it is fitted.
    groups : array-like of shape (n_samples,), default=None
        Groups, for splitters that keep groups of images together.
    n_jobs : int, default=None
        Number of fits to run in parallel; -1 means one per CPU, None means 1 unless
        :class:`joblib.parallel_config` sets it.
    random_state : int, RandomState instance or None, default=None
        Controls the folds of an integer `cv` and the random state of a model given by
        name. Classifiers and splitters keep their own random state.

    Returns
    -------
    errors : LabelErrors
        All rows, most suspicious first, with suggested labels, probabilities and the
        estimated number of errors. Printing it shows the first ten.

    Raises
    ------
    ValueError
        If the data are empty, differ in length or contain a single label or a label
        with a single image, if a split tests labels that its training images lack or
        the splits do not test every row, or if `y_proba` does not hold one
        probability per image and label.
    TypeError
        If the model is not a classifier or has no ``predict_proba``.

    See Also
    --------
    skmnist.plotting.ImageGalleryDisplay.from_label_errors : Show the images.
    evaluate : Evaluate a fitted classifier.

    Notes
    -----
    `n_estimated` comes from the confident joint, each row of which is scaled to the
    number of images that are given the label. Both numbers depend on the model: its own
    errors, on images that are hard but labelled correctly, are suspected too. People
    should look at the images before labels are changed.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang and I. L. Chuang (2021). Confident learning:
       estimating uncertainty in dataset labels. Journal of Artificial Intelligence
       Research 70, 1373-1411. https://arxiv.org/abs/1911.00068

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.evaluation import find_label_errors
    >>> X, y = load_digits(return_X_y=True)
    >>> y[[100, 200, 300]] = 5, 6, 2  # were 4, 1 and 7
    >>> errors = find_label_errors(KNeighborsClassifier(), X, y, random_state=0)
    >>> {100, 200, 300} <= set(errors.indices[:10].tolist())
    True
    >>> errors.suggested[[100, 200, 300]]
    array([4, 1, 7])
    """
    y = check_labels(X, y)
    if y_proba is None:
        classes = np.unique(y)
        y_proba = _cross_validated(
            model, X, y, classes, cv, groups, n_jobs, random_state
        )
    else:
        if cv is not None or groups is not None:
            raise ValueError("Give either y_proba, or cv (with groups), not both.")
        classes = plain_labels(
            np.asarray(getattr(model, "classes_", np.unique(y))), "classes_"
        )
        check_seen(y, classes, "y has labels that the model was not fitted on")
        y_proba = _checked(y_proba, len(y), len(classes), "y_proba")
    return _confident_learning(y, classes, y_proba)


def _cross_validated(model, X, y, classes, cv, groups, n_jobs, random_state):
    """Return the probabilities of each row by models that were not trained on it."""
    seed = resolve_seed(random_state)
    (model,) = name_models([model], seed).values()
    if not hasattr(model, "predict_proba"):
        raise TypeError(
            f"model must have predict_proba; got {model!r}. "
            "sklearn.calibration.CalibratedClassifierCV adds it to a classifier."
        )
    check_several_classes(y)
    rare = [label for label in classes.tolist() if np.sum(y == label) == 1]
    if rare:
        raise ValueError(
            f"The least populated classes in y have only 1 member: {rare}. "
            "Cross-validation needs at least 2, to train on one and test the other."
        )
    splits = make_splits(X, y, cv, groups, seed)
    n_tests = np.bincount(
        np.concatenate([test for _, test in splits]), minlength=len(y)
    )
    if not n_tests.all():
        raise ValueError(
            f"cv must test every row of X; it leaves out {np.sum(n_tests == 0):,} of "
            f"{len(y):,} rows, the first is {n_tests.argmin()}."
        )
    found = Parallel(n_jobs=n_jobs)(
        delayed(_fold_probabilities)(clone(model), X, y, classes, *split)
        for split in splits
    )
    sums = np.zeros((len(y), len(classes)))
    for (_, test), probabilities in zip(splits, found, strict=True):
        np.add.at(sums, test, probabilities)
    return sums / n_tests[:, None]


def _fold_probabilities(model, X, y, classes, train, test):
    """Fit a model on a part of the rows; return its probabilities of the others.

    Labels that the part lacks have the probability 0. Not cross_val_predict, which
    fits models on numbers in place of labels, so that class weights by label fail.
    """
    model.fit(_safe_indexing(X, train), y[train])
    name = f"{type(model).__name__}.predict_proba"
    known = plain_labels(np.asarray(model.classes_), "classes_")
    check_seen(known, classes, f"{name} has columns for labels that y lacks")
    probabilities = class_probabilities(model, _safe_indexing(X, test))
    all_columns = np.zeros((len(test), len(classes)))
    columns = _columns(known, classes)
    all_columns[:, columns] = _checked(probabilities, len(test), len(known), name)
    return all_columns


def _columns(labels, classes):
    """Return the column of each label."""
    columns = {label: column for column, label in enumerate(classes.tolist())}
    return np.array([columns[label] for label in labels.tolist()])


def _checked(probabilities, n_rows, n_classes, name):
    """Return probabilities in float64, or raise an error that says what is wrong."""
    try:
        probabilities = np.asarray(probabilities, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers in [0, 1].") from None
    if probabilities.shape != (n_rows, n_classes):
        raise ValueError(
            f"{name} must have the shape {(n_rows, n_classes)}, one row per row of X "
            "and one column per label of y, or of the fitted model if one is given; "
            f"got {probabilities.shape}."
        )
    # Sums of float32 may exceed 1 by a rounding error.
    if not ((probabilities >= 0) & (probabilities <= 1 + _SUM_TOLERANCE)).all():
        raise ValueError(
            f"{name} must hold numbers in [0, 1]; got values from "
            f"{probabilities.min():g} to {probabilities.max():g}."
        )
    sums = probabilities.sum(axis=1)
    if np.abs(sums - 1).max() > _SUM_TOLERANCE:
        row = np.abs(sums - 1).argmax()
        raise ValueError(
            f"The probabilities of a row must sum to 1; in {name}, those of row {row} "
            f"sum to {sums[row]:g}."
        )
    return probabilities


def _confident_learning(y, classes, probabilities):
    """Compute the result from labels and probabilities."""
    import pandas as pd

    n, n_classes = probabilities.shape
    every_row = np.arange(n)
    given = _columns(y, classes)
    self_confidence = probabilities[every_row, given]
    thresholds = np.full(n_classes, np.nan)
    for label in np.unique(given):
        of_label = self_confidence[given == label]
        # The mean of equal numbers may be rounded to more than each of them.
        thresholds[label] = min(of_label.mean(), of_label.max())
    # No image has a label that the model never predicts, whose threshold is 0, or that
    # y lacks, whose threshold is NaN.
    is_confident = (probabilities >= thresholds) & (probabilities > 0)
    counts = is_confident.any(axis=1)
    confident = _likeliest(np.where(is_confident, probabilities, -1), given)
    confident_joint = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(confident_joint, (given[counts], confident[counts]), 1)
    sums = confident_joint.sum(axis=1, keepdims=True)
    # Without a confident image of a given label, its labels are treated as correct.
    joint = np.where(sums > 0, confident_joint / np.maximum(sums, 1), np.eye(n_classes))
    joint *= np.bincount(given, minlength=n_classes)[:, None] / n

    is_suspected = counts & (confident != given)
    suggested = np.where(is_suspected, confident, _likeliest(probabilities, given))
    others = probabilities.copy()
    others[every_row, given] = -1
    margin = self_confidence - (others.max(axis=1) if n_classes > 1 else 0)
    labels = pd.Index(classes.tolist(), name="label")
    axes = {"index": labels.rename("given"), "columns": labels.rename("true")}
    return LabelErrors(
        indices=np.lexsort((margin, ~is_suspected)),
        n_suspected=int(is_suspected.sum()),
        n_estimated=float(n * (joint.sum() - joint.trace())),
        given=y,
        suggested=classes[suggested],
        self_confidence=self_confidence,
        confidence=probabilities[every_row, suggested],
        margin=margin,
        y_proba=probabilities,
        thresholds=pd.Series(thresholds, index=labels, name="threshold"),
        confident_joint=pd.DataFrame(confident_joint, **axes),
        joint=pd.DataFrame(joint, **axes),
    )


def _likeliest(probabilities, given):
    """Return the column of the highest probability, in a tie that of the given label.

    Equal probabilities are no reason to suspect a label.
    """
    highest = probabilities.max(axis=1)
    is_given = probabilities[np.arange(len(given)), given] == highest
    return np.where(is_given, given, probabilities.argmax(axis=1))
