"""The comparison of models: its run, its table and the tests behind its verdicts."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import TYPE_CHECKING

import joblib
import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel

from ._scores import ModelScores, is_network, run_trial
from ._significance import p_values_against_best, step_down
from ._trial import make_trial, name_models, resolve_seed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import pandas as pd

LEFT_OUT = "interrupted before its end"

_ALPHA = 0.05
# What `_significance` does with one split and with several, in a few words.
_TEST = "McNemar's test"
_POOLED_TEST = "McNemar's test on all folds together, widened where folds vary more"
_CORRECTION = "model confidence set with Bonferroni's bound"


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
    callback=None,
) -> Generator[ModelScores]:
    """Compare models like `compare`, giving each one as soon as it is done.

    For long comparisons: whoever iterates has every finished model in hand whatever
    happens next, Ctrl-C included. :func:`~skmnist.evaluation.comparison_table` makes
    the table of any of them.

    Parameters
    ----------
    models : dict or list
        Classifiers and registered names. This and all other parameters are those of
        :func:`~skmnist.evaluation.compare`, which says more.
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
        Number of fits to run at the same time.
    random_state : int, RandomState instance or None, default=None
        Decides the folds and the random state of models given by name.
    callback : callable, default=None
        Called as ``callback(name, n_done, n_total)`` after every fit.

    Returns
    -------
    scores : generator of ModelScores
        One for each model, failed ones included; in the order of the models, or with
        ``n_jobs`` in the order in which they are done. Closing the generator stops
        what is still running. Arguments are checked before it is returned.

    See Also
    --------
    skmnist.evaluation.compare : The same in one go.

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
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    return run_trial(models, trial, parallel, callback)


def comparison_table(scores: Iterable[ModelScores]) -> pd.DataFrame:
    """Put the scores of several models into a table, best accuracy first.

    Parameters
    ----------
    scores : iterable of ModelScores
        As :func:`~skmnist.evaluation.iter_compare` gives them, all from the same
        comparison; it need not be complete.

    Returns
    -------
    table : DataFrame
        One row a model, indexed by its name (index ``model``), by decreasing
        accuracy, failed models last. Columns:

        - ``accuracy``: fraction of the test images classified correctly, mean of the
          splits;
        - ``accuracy_se``: its standard error;
        - ``log_loss``: mean of the splits, with probabilities below 2.2e-16 counting
          as 2.2e-16; NaN for a model without probabilities;
        - ``fit_time``: seconds of a fit, median of the splits, because the first fit
          of a process may have something to compile; loading TensorFlow is no part of
          it. Threads are those that the process allows, see
          :doc:`/guide/comparing`;
        - ``predict_time_us``: microseconds to predict an image, median of the splits,
          when all images of a split are predicted at once; calls before, for which
          a model may have to build or compile something, are not measured;
        - ``n_parameters`` (Int64): number of fitted weights of networks and linear
          models; missing for other models, and where the splits differ in it;
        - ``p_value``: how likely a difference from the best model at least this large
          is by chance alone; missing for the first model;
        - ``p_adjusted``: the same, adjusted for the number of models; it never
          decreases from a model to a more accurate one. Use this one to judge models
          of a comparison;
        - ``verdict`` (string): "best" (also of models that share the highest
          accuracy), "worse" where ``p_adjusted`` < 0.05, "no clear difference", or
          "failed". With 95 % confidence the most accurate model is a best one or one
          without a clear difference;
        - ``error_message`` (string): type and text of a failed model's error, on
          one line.

        ``table.attrs`` has ``test`` (what ``p_value`` comes from, in words),
        ``correction``, ``alpha``, ``n_splits``, ``n_folds`` and ``n_repeats`` (folds of
        a cross-validation, and how often it was repeated; None for other splits),
        ``n_train`` and ``n_test`` (numbers of images; of folds, all images and None;
        of other splits, those of each, or None where they differ), and ``accuracies``
        (by model, the accuracy on each split).

    Raises
    ------
    ValueError
        If the scores are from different comparisons, in which the labels or the splits
        of the images differ, or if two have the same name.

    Notes
    -----
    **One split, or a test set.** ``accuracy_se`` is the binomial
    sqrt(a (1 - a) / n). McNemar's test [1]_ compares the b images that only the best
    model classifies correctly with the c that only the other does: the exact binomial
    test of b among b + c for b + c < 25, above it (abs(b - c) - 1)² / (b + c) as
    chi-squared with one degree of freedom. It is about these fitted models; how much
    another training set would change them it cannot know.

    **Several splits.** The folds of a cross-validation test each image once, so that
    b and c count the images of all folds together. This compares the mean accuracies
    of the models fitted on the folds, and holds although their training sets overlap
    as long as one image more or less hardly changes a model [2]_. Where accuracies
    vary more over the folds than images alone explain, as those of networks that start
    from random weights may, McNemar's test is too certain. The statistic

        t = (abs(b - c) - 1) / sqrt(φ (b + c))

    is therefore referred to Student's distribution as well, and ``p_value`` is the
    larger of the two. The dispersion φ is Pearson's chi-squared of the differences on
    the folds over its median without additional variation [3]_, the median over all
    pairs of models; M models that differ in any answer and J folds give it
    (M - 1) (J - 1) degrees of freedom. So ``p_value`` depends on the other models, too:
    it takes for granted that they vary as much over the folds, and independently of
    one another. It is too small for a model that varies much more than the others, and
    among models that are almost the same; ``p_adjusted`` has more in reserve. Two
    models alone have J - 1 degrees of freedom, so that their difference must be larger:
    with 5 folds, a t of 2.8 where 15 models need 2.0 for a ``p_value`` of 0.05. Splits
    that test an image r times on average, as repeated folds do, count b / r and c / r.

    ``accuracy_se`` is for the accuracy that training on other images would give: with
    n₁ training and n₂ test images in each split, and s² the sample variance over the
    splits, it is sqrt((1/J + n₂/n₁) s²) [4]_.

    **Several models.** Models are tested from the least accurate up. While s are left,
    the least accurate is worse if its p value times the s (s - 1) / 2 pairs is below
    0.05, and testing goes on without it; otherwise no more models are worse. Verdicts
    are thus in the order of the accuracies. That is a model confidence set [5]_, whose
    test in each step is Bonferroni's bound over all pairs: with 95 % confidence none of
    the models that are truly the most accurate is called worse. Simulated error rates
    and power are in the user guide, :doc:`/guide/comparing`.

    References
    ----------
    .. [1] T. G. Dietterich (1998). Approximate statistical tests for comparing
       supervised classification learning algorithms. Neural Computation 10,
       1895-1923.
    .. [2] P. Bayle, A. Bayle, L. Janson and L. Mackey (2020). Cross-validation
       confidence intervals for test error. Advances in Neural Information
       Processing Systems 33.
    .. [3] P. McCullagh and J. A. Nelder (1989). Generalized Linear Models, 2nd
       edition, section 4.5. Chapman and Hall.
    .. [4] C. Nadeau and Y. Bengio (2003). Inference for the generalization error.
       Machine Learning 52, 239-281.
    .. [5] P. R. Hansen, A. Lunde and J. M. Nason (2011). The model confidence set.
       Econometrica 79, 453-497.
    """
    import pandas as pd

    scores = list(scores)
    _check_comparable(scores)
    # Rounded, so that models with the same accuracy stay in the order given.
    ranked = sorted(
        (s for s in scores if not s.failed), key=lambda s: -round(s.accuracy, 12)
    )
    rows = [_row(s) for s in ranked]
    if ranked:
        right = [s.right for s in ranked]
        p_values = p_values_against_best(right, ranked[0].test_repeats)
        accuracies = [round(s.accuracy, 12) for s in ranked[1:]]
        adjusted_p_values = step_down(p_values, accuracies)
        for row, p, adjusted in zip(rows[1:], p_values, adjusted_p_values, strict=True):
            verdict = "worse" if adjusted < _ALPHA else "no clear difference"
            row |= {"p_value": p, "p_adjusted": adjusted, "verdict": verdict}
        n_best = 1 + accuracies.count(round(ranked[0].accuracy, 12))
        for row in rows[:n_best]:
            row["verdict"] = "best"
    for failed in (s for s in scores if s.failed):
        ranked.append(failed)
        rows.append({"verdict": "failed", "error_message": failed.error_message})

    dtypes = {
        "accuracy": "float64",
        "accuracy_se": "float64",
        "log_loss": "float64",
        "fit_time": "float64",
        "predict_time_us": "float64",
        "n_parameters": "Int64",
        "p_value": "float64",
        "p_adjusted": "float64",
        "verdict": "string",
        "error_message": "string",
    }
    index = pd.Index([s.name for s in ranked], name="model", dtype=object)
    columns = {
        column: pd.Series([row.get(column) for row in rows], index=index, dtype=dtype)
        for column, dtype in dtypes.items()
    }
    table = pd.DataFrame(columns, index=index)
    table.attrs = _attributes(ranked)
    return table


def _check_comparable(scores):
    names = [s.name for s in scores]
    if len(set(names)) < len(names):
        raise ValueError(f"The names of the models must be unique; got {names}.")
    sizes = {s.n_test for s in scores if not s.failed}
    checksums = {s.split_checksum for s in scores} - {None}
    if len(sizes) > 1 or len(checksums) > 1:
        raise ValueError("The scores are from different splits and do not compare.")


def _row(scores):
    return {
        "accuracy": scores.accuracy,
        "accuracy_se": scores.accuracy_se,
        "log_loss": np.mean(scores.log_losses),
        "fit_time": np.median(scores.fit_times),
        "predict_time_us": 1e6
        * np.median(np.divide(scores.predict_times, scores.n_test)),
        "n_parameters": scores.n_parameters,
    }


def _attributes(ranked):
    done = [s for s in ranked if not s.failed]
    n_splits = len(done[0].right) if done else 0
    test = _TEST if n_splits == 1 else _POOLED_TEST
    n_folds, n_repeats = done[0].folds if done else (None, None)
    n_train, n_test = (
        counts[0] if len(set(counts)) == 1 else None
        for counts in ((done[0].n_train, done[0].n_test) if done else ((), ()))
    )
    if n_folds is not None:
        n_train, n_test = done[0].n_train[0] + done[0].n_test[0], None
    return {
        "test": test if n_splits else None,
        "correction": _CORRECTION,
        "alpha": _ALPHA,
        "n_splits": n_splits,
        "n_folds": n_folds,
        "n_repeats": n_repeats,
        "n_train": n_train,
        "n_test": n_test,
        "accuracies": {s.name: s.accuracies.tolist() for s in done},
    }


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
) -> pd.DataFrame:
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
        unless there is a test set. A single split is treated as one test set. No row
        may be in both parts of a split, nor twice in one, see `X_test`.
    X_test, y_test : like X and y, default=None
        Test images and labels; the models are then fitted once, on all of X and y.
        No image may be in both, nor twice in one of them: that is not looked for,
        and would make accuracies too good and p values too small.
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
        Ctrl-C it has the models that were done by then, as the command prints them;
        ``table.attrs["interrupted"]`` is true, and ``table.attrs["left_out"]`` names
        the others. When none was done the KeyboardInterrupt is passed on.

    Raises
    ------
    ValueError
        If the data are empty, differ in length, hold one class only or are tested on
        labels that do not occur in training, if a model's name is unknown or taken,
        or if both ``cv`` and a test set are given.
    TypeError
        If a model (a regressor, say), ``models`` or ``cv`` is of the wrong kind.

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
