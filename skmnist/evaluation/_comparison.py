"""Comparison of models: fits on the same splits, one after the other or in parallel."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import TYPE_CHECKING

import joblib
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel

from .._kept_fits import FitFolder
from ._kept_scores import check_models, is_network
from ._scores import ModelScores, run_trial
from ._table import comparison_table
from ._trial import make_trial, name_models, resolve_seed

if TYPE_CHECKING:
    from collections.abc import Generator

    import pandas as pd

LEFT_OUT = "interrupted before its end"


def iter_compare(
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
    memory=None,
    callback=None,
) -> Generator[ModelScores]:
    """Compare models like `compare`, yielding each as soon as it is finished.

    Use it for long comparisons: all finished models remain available whatever happens
    next, even after Ctrl-C. Pass any of them to
    :func:`~skmnist.evaluation.comparison_table` for the table.

    Parameters
    ----------
    models : dict or list
        Classifiers and names of models. See :func:`~skmnist.evaluation.compare` for
        details of all parameters.
    X : array-like or DataFrame with n_samples rows
        Images.
    y : array-like of shape (n_samples,)
        Their labels.
    cv : int, splitter or iterable of (train, test) row numbers, default=None
        Splits of the images.
    X_test, y_test : like X and y, default=None
        Test images and labels.
    groups : array-like of shape (n_samples,), default=None
        Groups of images for the splitter.
    n_jobs : int, default=None
        Number of fits to run in parallel.
    random_state : int, RandomState instance or None, default=None
        Controls the folds and the random state of models given by name.
    memory : str or path-like, default=None
        Folder that keeps the scores of finished fits.
    callback : callable, default=None
        Called as ``callback(name, n_done, n_total)`` after every fit.

    Returns
    -------
    scores : generator of ModelScores
        One per model, including failed ones, in the order of the models, or with
        ``n_jobs`` in the order in which they finish. Closing the generator stops
        running fits. Arguments are checked before the generator is returned.

    See Also
    --------
    skmnist.evaluation.compare : Compare models and return the table.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmnist.evaluation import comparison_table, iter_compare
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_digits(return_X_y=True)
    >>> done = []
    >>> for scores in iter_compare([GaussianNB(), DummyClassifier()], X, y, cv=3):
    ...     print(scores.name, len(scores.accuracies))
    ...     done.append(scores)
    GaussianNB 3
    DummyClassifier 3
    >>> comparison_table(done)["verdict"].to_dict()
    {'GaussianNB': 'best', 'DummyClassifier': 'worse'}
    """
    seed = resolve_seed(random_state)
    joblib.effective_n_jobs(n_jobs)  # refuses 0 before anything is fitted
    models = name_models(models, seed)
    trial = make_trial(X, y, cv, X_test, y_test, groups, seed)
    if memory is not None:
        check_models(models)
        FitFolder(memory).check()
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    return run_trial(models, trial, parallel, callback, memory)


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
    memory=None,
    callback=None,
) -> pd.DataFrame:
    """Fit models on the same data and compare their accuracy on unseen images.

    The models are compared by cross-validation, or on a test set if ``X_test`` and
    ``y_test`` are given. All models are fitted on the same splits, as copies: the given
    models are not changed.

    Parameters
    ----------
    models : dict of str to (classifier or str), or list of (classifier or str)
        Classifiers with ``fit`` and ``predict``, or names that
        :func:`skmnist.pipelines.make_model` knows. In a list, a classifier is named by
        its class (for a Pipeline, that of the last step), with a number from the second
        of a class on: ``SVC``, ``SVC-2``.
    X : array-like or DataFrame with n_samples rows
        Images in any form that the models accept, with any number of dimensions.
    y : array-like of shape (n_samples,)
        Their labels, of at least two classes.
    cv : int, splitter or iterable of (train, test) row numbers, default=None
        An int of at least 2 is the number of shuffled stratified folds; None means 5,
        unless there is a test set. A single split is treated as a test set. No row may
        be in both parts of a split, or twice in one part (see `X_test`).
    X_test, y_test : like X and y, default=None
        Test images and labels. The models are then fitted once, on all of X and y. No
        image may be in both sets, or twice in one of them. This is not checked; it
        would make accuracies too high and p values too small.
    groups : array-like of shape (n_samples,), default=None
        Groups, for splitters that keep groups of images together.
    n_jobs : int, default=None
        Number of fits to run in parallel; -1 means one per CPU, None means 1 unless
        :class:`joblib.parallel_config` sets it. Scores do not depend on it if the
        models are seeded. Times do, because parallel fits slow each other down: measure
        times with one job.
    random_state : int, RandomState instance or None, default=None
        Controls the folds of an integer ``cv`` and the random state of models given by
        name. Classifiers and splitters keep their own random state.
    memory : str or path-like, default=None
        Folder that keeps the scores of finished fits. A fit of the same model on the
        same data, with the same versions of packages, is found there, so that an
        interrupted comparison resumes. Its times are those of the earlier fit. Models
        with ``random_state=None`` are fitted each time. Classes are known by their
        names, so empty the folder when you change your own. The files are pickles: load
        only your own.
    callback : callable, default=None
        Called as ``callback(name, n_done, n_total)`` after every fit, with the name of
        the model, the number of finished fits, and that of all fits.

    Returns
    -------
    table : DataFrame
        One row per model, best first, as described in :func:`comparison_table`. After
        Ctrl-C it has the finished models, ``table.attrs["interrupted"]`` is True, and
        ``table.attrs["left_out"]`` names the others. If no model was finished,
        KeyboardInterrupt is raised.

    Raises
    ------
    ValueError
        If the data are empty, differ in length, contain a single class or test labels
        that do not occur in training; if a model's name is unknown or used twice; if
        both ``cv`` and a test set are given; or if, with ``memory``, files cannot be
        written to the folder or a network has ``callbacks``.
    TypeError
        If ``models``, ``cv`` or a model is of the wrong type, such as a regressor.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        If a model fails. Its row contains the error, and the comparison continues.
    UserWarning
        If the comparison was interrupted.

    See Also
    --------
    iter_compare : Yield each model as soon as it is finished.

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
    "McNemar's test on all folds together, widened where folds vary more"
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
        memory=memory,
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
    table = comparison_table(scores)
    left = [name for name in models if name not in table.index]
    table.attrs["interrupted"] = interrupted
    table.attrs["left_out"] = dict.fromkeys(left, LEFT_OUT)
    table.attrs["n_jobs"] = joblib.effective_n_jobs(n_jobs)
    table.attrs["networks"] = any(map(is_network, models.values()))
    return table
