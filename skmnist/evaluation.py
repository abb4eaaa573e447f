"""How well a model recognises images, and which of several models does so best."""

import warnings
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from ._comparison import comparison_table, iter_compare
from ._scores import ModelScores, mean_log_loss, predict_labels
from ._significance import binomial_standard_error, wilson_interval
from ._trial import check_labels, check_seen, name_models, resolve_seed

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Evaluation",
    "ModelScores",
    "compare",
    "comparison_table",
    "evaluate",
    "iter_compare",
]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Result of :func:`evaluate`.

    Parameters
    ----------
    accuracy : float
        Share of the images that were recognised, between 0 and 1.
    accuracy_se : float
        Binomial standard error of the accuracy.
    accuracy_interval : tuple of two floats
        Wilson's 95 % interval of the accuracy.
    error : float
        Share of the images that were not recognised, ``1 - accuracy``.
    log_loss : float
        Mean negative natural logarithm of the probability of the true class, at
        least 0. NaN for a model without probabilities.
    n : int
        Number of images.
    n_right, n_wrong : int
        Numbers of images that were recognised and that were not.
    per_class : DataFrame of shape (n_classes, 4)
        One row a class, by its label, with the columns ``precision``, ``recall``,
        ``f1`` (between 0 and 1) and ``support`` (number of images). NaN stands for
        what is not defined: the precision of a class that was never predicted, the
        recall of a class without an image.
    confusion : DataFrame of shape (n_classes, n_classes)
        Numbers of images by true label (rows) and predicted label (columns).

    See Also
    --------
    evaluate : Makes an evaluation from a model and images.
    """

    accuracy: float
    accuracy_se: float
    accuracy_interval: tuple[float, float]
    error: float
    log_loss: float
    n: int
    n_right: int
    n_wrong: int
    per_class: "pd.DataFrame"
    confusion: "pd.DataFrame"

    def to_dict(self):
        """Return everything as plain numbers, strings, lists and dicts.

        Returns
        -------
        result : dict
            Ready for :func:`json.dumps`. None stands where the attributes have NaN;
            ``per_class`` is a list with one dict a class, ``confusion`` a list of
            rows, ``labels`` their labels.
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
        }

    def __str__(self):
        low, high = self.accuracy_interval
        lines = [
            f"Accuracy  {self.accuracy:.2%} (95% interval {low:.2%} to {high:.2%})",
            f"Images    {self.n:,}: {self.n_right:,} recognised, "
            f"{self.n_wrong:,} not ({self.error:.2%})",
        ]
        if not np.isnan(self.log_loss):
            lines.append(f"Log loss  {self.log_loss:.4f}")
        lines += [
            "",
            self.per_class.to_string(float_format="{:.4f}".format),
            "",
            "Confusion matrix: true labels down, predicted labels across",
            self.confusion.rename_axis(index=None, columns=None).to_string(),
        ]
        return "\n".join(lines)


def _none_for_nan(value):
    return None if isinstance(value, float) and np.isnan(value) else value


def evaluate(model, X, y):
    """Measure how well a fitted classifier recognises images.

    Labels are those of the model's ``predict``, so that the accuracy equals its
    ``score``; they are not taken from the largest probability, which some models
    (:class:`~sklearn.svm.SVC` for one) do not follow. ``predict`` is called once, and
    ``predict_proba`` once for the log loss where the model has it.

    Parameters
    ----------
    model : classifier or Pipeline
        Fitted; anything with ``predict`` will do.
    X : array-like, sparse matrix or DataFrame with n_samples rows
        Images in any form that the model takes.
    y : array-like of shape (n_samples,)
        Their true labels, of any kind that the model was fitted with.

    Returns
    -------
    result : Evaluation
        Accuracy with its uncertainty, error, log loss, precision, recall and F1 of
        each class, confusion matrix; printing it shows them all.

    Raises
    ------
    ValueError
        If X and y are empty or differ in length, if y holds no class labels, or if
        it holds labels that the model was not fitted on (they are named).
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    compare : Fits several models and compares them.

    References
    ----------
    E. B. Wilson (1927). Probable inference, the law of succession, and statistical
    inference. Journal of the American Statistical Association 22, 209-212.

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
    >>> int(result.confusion.loc[9, 5])  # nines that were taken for fives
    3
    """
    import pandas as pd

    if isinstance(model, type) or not hasattr(model, "predict"):
        raise TypeError(f"model must be a fitted classifier; got {model!r}.")
    y = check_labels(X, y)
    classes = getattr(model, "classes_", None)
    if classes is not None:
        check_seen(y, classes, "y has labels that the model was not fitted on")
    predicted = predict_labels(model, X)

    labels = np.asarray(unique_labels(y, predicted) if classes is None else classes)
    index = pd.Index(labels.tolist(), name="label")
    precision, recall, f1, support = precision_recall_fscore_support(
        y, predicted, labels=labels, zero_division=np.nan
    )
    n = len(y)
    n_right = int(np.sum(predicted == y))
    return Evaluation(
        accuracy=n_right / n,
        accuracy_se=binomial_standard_error(n_right, n),
        accuracy_interval=wilson_interval(n_right, n),
        error=(n - n_right) / n,
        log_loss=mean_log_loss(model, X, y),
        n=n,
        n_right=n_right,
        n_wrong=n - n_right,
        per_class=pd.DataFrame(
            {"precision": precision, "recall": recall, "f1": f1, "support": support},
            index=index,
        ),
        confusion=pd.DataFrame(
            confusion_matrix(y, predicted, labels=labels),
            index=index.rename("true"),
            columns=index.rename("predicted"),
        ),
    )


def compare(
    models,
    X,
    y,
    *,
    cv=None,
    X_test=None,
    y_test=None,
    groups=None,
    n_jobs=None,
    random_state=None,
    callback=None,
):
    """Fit models on the same data and compare their accuracy on unseen images.

    The models are compared by cross-validation, or on one test set when ``X_test``
    and ``y_test`` are given. All see the same splits, and all are fitted as copies:
    those given stay as they are.

    Parameters
    ----------
    models : dict of str to (classifier or str), or list of (classifier or str)
        Classifiers, which need ``fit`` and ``predict``, and registered names as
        :func:`skmnist.pipelines.make_model` takes them. In a list a classifier is
        named by its class (in a Pipeline that of the last step), from the second of
        a kind on with a number: ``SVC``, ``SVC-2``.
    X : array-like or DataFrame with n_samples rows
        Images in any form that the models take, of any number of dimensions.
    y : array-like of shape (n_samples,)
        Their labels, at least two classes.
    cv : int, splitter or iterable of (train, test) row numbers, default=None
        An int of at least 2 is the number of shuffled stratified folds; None means 5,
        unless there is a test set. A single split is treated as one test set.
    X_test, y_test : like X and y, default=None
        Test images and labels; the models are then fitted once, on all of X and y.
    groups : array-like of shape (n_samples,), default=None
        For splitters that keep groups of images together.
    n_jobs : int, default=None
        Number of fits to run at the same time, -1 for one a processor; None means 1,
        or what :class:`joblib.parallel_config` says. The scores do not depend on it
        (as long as the models are seeded), but times do: fits that share the
        processors slow each other down. Measure times with one job.
    random_state : int, RandomState instance or None, default=None
        Decides the folds of an integer ``cv``, and the random state of the models
        given by name. Classifiers keep their own, a splitter likewise.
    callback : callable, default=None
        Called as ``callback(name, n_done, n_total)`` after every fit: the model's
        name, the number of fits that are done, and of all fits.

    Returns
    -------
    table : DataFrame
        As :func:`comparison_table` describes it: one row a model, best first. After
        Ctrl-C it has the models that were done by then, the others as failed; when
        none was done the KeyboardInterrupt is passed on.

    Raises
    ------
    ValueError
        If the data are empty, differ in length, hold one class only or are tested on
        labels that do not occur in training, if a model's name is unknown or taken,
        or if both ``cv`` and a test set are given.
    TypeError
        If a model, ``models`` or ``cv`` is of the wrong kind.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        If a model fails. Its error stands in its row, and the others go on.
    UserWarning
        If the comparison was interrupted.

    See Also
    --------
    iter_compare : Gives each model as soon as it is done.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import Perceptron
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.evaluation import compare
    >>> X, y = load_digits(return_X_y=True)
    >>> models = {
    ...     "guess": DummyClassifier(),
    ...     "neighbours": KNeighborsClassifier(1),
    ...     "perceptron": Perceptron(random_state=0),
    ... }
    >>> table = compare(models, X, y, cv=5, random_state=0)
    >>> table["verdict"].to_dict()
    {'neighbours': 'best', 'perceptron': 'worse', 'guess': 'worse'}
    >>> int(table.loc["perceptron", "n_parameters"])
    650
    >>> table.attrs["test"]
    'corrected resampled t-test'
    """
    seed = resolve_seed(random_state)
    models = name_models(models, seed)
    running = iter_compare(
        models,
        X,
        y,
        cv=cv,
        X_test=X_test,
        y_test=y_test,
        groups=groups,
        n_jobs=n_jobs,
        random_state=seed,
        callback=callback,
    )
    scores = []
    interrupted = False
    try:
        with closing(running):
            for model_scores in running:
                scores.append(model_scores)
    except KeyboardInterrupt:
        if not scores:
            raise
        interrupted = True
    errors = [f"{s.name}: {s.error_message}" for s in scores if s.failed]
    if errors:
        text = f"{len(errors)} of {len(models)} models failed. " + "; ".join(errors)
        warnings.warn(text, FitFailedWarning, stacklevel=2)
    if interrupted:
        text = f"Interrupted when {len(scores)} of {len(models)} models were done."
        warnings.warn(text, stacklevel=2)
        left = [name for name in models if name not in {s.name for s in scores}]
        text = "KeyboardInterrupt: interrupted before this model was done"
        scores += [ModelScores(name, error_message=text) for name in left]
    table = comparison_table(scores)
    table.attrs["interrupted"] = interrupted
    return table
