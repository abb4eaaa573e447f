"""The table of a comparison: scores, significance tests and verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._significance import p_values_against_best, step_down

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ._scores import ModelScores

_ALPHA = 0.05
# What `_significance` does with one split and with several, in a few words.
_TEST = "McNemar's test"
_POOLED_TEST = "McNemar's test on all folds together, widened where folds vary more"
_CORRECTION = "model confidence set with Bonferroni's bound"


def ranked_accuracy(accuracy):
    """Return an accuracy by which models are ranked, equal for the same fractions.

    The mean of the same accuracies may differ in its last bit when the folds do in
    their order.
    """
    return round(accuracy, 12)


def comparison_table(scores: Iterable[ModelScores]) -> pd.DataFrame:
    """Make a table of the scores of several models, best accuracy first.

    Parameters
    ----------
    scores : iterable of ModelScores
        Scores from :func:`~skmnist.evaluation.iter_compare`, all from the same
        comparison, which need not be complete.

    Returns
    -------
    table : DataFrame
        One row per model, indexed by name (``model``) and sorted by decreasing
        accuracy, with failed models last. Columns:

        - ``accuracy``: fraction of the test images classified correctly, mean over the
          splits;
        - ``accuracy_se``: its standard error;
        - ``log_loss``: mean over the splits, with probabilities clipped at 2.2e-16; NaN
          for a model without probabilities;
        - ``fit_time``: seconds per fit, median over the splits, because the first fit
          of a process may compile something; loading TensorFlow is not included. The
          number of threads is that of the process, see :doc:`/guide/comparing`;
        - ``predict_time_us``: microseconds per predicted image, median over the splits,
          when all images of a split are predicted at once; earlier calls, in which a
          model may build or compile something, are not measured;
        - ``n_parameters`` (Int64): number of fitted weights of networks and linear
          models; missing for other models, and if it differs between splits;
        - ``p_value``: probability that chance alone causes a difference from the best
          model at least this large; missing for the first model;
        - ``p_adjusted``: the p value adjusted for the number of models; it never
          decreases from a model to a more accurate one. Use this one to judge the
          models of a comparison;
        - ``verdict`` (string): "best" (for all models that share the highest
          accuracy), "worse" where ``p_adjusted`` < 0.05, "no clear difference", or
          "failed". With 95 % confidence, the truly most accurate model is among the
          "best" and those with "no clear difference";
        - ``error_message`` (string): type and message of a failed model's error, on one
          line.

        ``table.attrs`` has ``test`` (the test behind ``p_value``, in words),
        ``correction``, ``alpha``, ``n_splits``, ``n_folds`` and ``n_repeats`` (number
        of folds and repetitions of a cross-validation; None for other splits),
        ``n_train`` and ``n_test`` (numbers of images: all images and None for folds;
        for other splits, those of each split, or None if they differ), and
        ``accuracies`` (the accuracy on each split, by model), ``histories`` (the loss
        and accuracy of each epoch on each split, by network).

    Raises
    ------
    ValueError
        If the scores are from different comparisons, whose labels or splits differ, or
        if two models have the same name.

    Notes
    -----
    **One split, or a test set.** ``accuracy_se`` is the binomial sqrt(a (1 - a) / n).
    McNemar's test [1]_ compares the b images that only the best model classifies
    correctly with the c images that only the other model does. For b + c < 25 it is the
    exact binomial test of b among b + c; otherwise (abs(b - c) - 1)² / (b + c) is
    referred to the chi-squared distribution with one degree of freedom. The test is
    about these fitted models: it does not know how much another training set would
    change them.

    **Several splits.** The folds of a cross-validation test each image once, so b and c
    count the images of all folds together. This compares the mean accuracies of the
    models fitted on the folds. It is valid although the training sets overlap, as long
    as a single image hardly changes a model [2]_. If accuracies vary more over the
    folds than the images alone explain, as they may for networks with random initial
    weights, McNemar's test is too optimistic. The statistic

        t = (abs(b - c) - 1) / sqrt(φ (b + c))

    is therefore also referred to Student's t distribution, and ``p_value`` is the
    larger of the two p values. The dispersion φ is Pearson's chi-squared of the
    differences on the folds [3]_: its median over the pairs of models, divided by the
    median without additional variation, or the upper quartile likewise, whichever is
    larger. The pairs are those of the tested model and of all models at least as
    accurate: less accurate ones, which may vary less, are left out. With J folds and m
    such models that differ in some prediction, it has (m - 1) (J - 1) degrees of
    freedom. ``p_value`` therefore depends on the more accurate models too: it assumes
    that most vary equally over the folds, and independently of each other. It is too
    small for a model that varies much more than these, and among almost identical
    models; ``p_adjusted`` is more conservative. Two models have J - 1 degrees of
    freedom, so their difference must be larger: with 5 folds, a ``p_value`` of 0.05
    needs a t of 2.8, compared with 2.0 for 15 models. If splits test an image r times
    on average, as repeated folds do, b / r and c / r are used.

    ``accuracy_se`` includes the variation from training on other images: with n₁
    training and n₂ test images per split and the sample variance s² over the splits, it
    is sqrt((1/J + n₂/n₁) s²) [4]_.

    **Several models.** Models are tested from the least accurate up. While s models are
    left, the least accurate is "worse" if its p value times the s (s - 1) / 2 pairs is
    below 0.05, and testing continues without it; otherwise it ends, and no other model
    is "worse". Verdicts therefore follow the order of the accuracies. This is a model
    confidence set [5]_ whose test in each step is a Bonferroni bound over all pairs:
    with 95 % confidence, none of the truly most accurate models is called worse. The
    confidence is lower where a few of many equally good models vary much more than the
    others. For simulated error rates and power, see :doc:`/guide/comparing`.

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
    # Models with the same accuracy stay in the order given.
    ranked = sorted(
        (s for s in scores if not s.failed), key=lambda s: -ranked_accuracy(s.accuracy)
    )
    rows = [_row(s) for s in ranked]
    if ranked:
        right = [s.right for s in ranked]
        p_values = p_values_against_best(right, ranked[0].test_repeats)
        accuracies = [ranked_accuracy(s.accuracy) for s in ranked[1:]]
        adjusted_p_values = step_down(p_values, accuracies)
        for row, p, adjusted in zip(rows[1:], p_values, adjusted_p_values, strict=True):
            verdict = "worse" if adjusted < _ALPHA else "no clear difference"
            row |= {"p_value": p, "p_adjusted": adjusted, "verdict": verdict}
        n_best = 1 + accuracies.count(ranked_accuracy(ranked[0].accuracy))
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
        raise ValueError("The scores are from different splits and cannot be compared.")


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
        "histories": {s.name: list(s.histories) for s in done if any(s.histories)},
    }
