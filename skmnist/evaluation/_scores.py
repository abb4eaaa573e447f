"""Scores of the models of a comparison on each split."""

import hashlib
import os
from contextlib import closing
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, column_or_1d
from sklearn.utils.parallel import delayed

from .._fingerprints import fingerprint
from .._kept_fits import FitFolder
from .._provenance import plain_history
from ..preprocessing.layout import count_rows
from ._kept_scores import is_complete, is_network, is_seeded, model_facts
from ._significance import binomial_standard_error, corrected_standard_error
from ._trial import plain_labels


@dataclass(frozen=True, eq=False)
class ModelScores:
    """Scores of one model on every split of a comparison.

    Parameters
    ----------
    name : str
        Name of the model, unique in the comparison.
    right : tuple of ndarray of bool, one per split
        Whether each test image of the split was classified correctly.
    n_train : tuple of int, one per split
        Number of training images.
    fit_times : tuple of float, one per split
        Seconds that `fit` took.
    predict_times : tuple of float, one per split
        Seconds that `predict` took for all test images of the split, after their
        probabilities were computed, if the model has any.
    log_losses : tuple of float, one per split
        Log loss on the test images, with probabilities clipped at 2.2e-16; NaN for a
        model without probabilities.
    n_parameters : int or None
        Number of fitted weights; None if unknown or not the same on every split.
    histories : tuple of (dict or None), one per split
        Loss and accuracy of each epoch, for a network; None for other models.
    error_message : str or None
        Error of a failed model, else None. A failed model has empty tuples.
    test_repeats : float
        How often the splits test an image, averaged over all tests: 1 for folds, r for
        folds repeated r times.
    split_checksum : str or None
        Checksum of the splits and their labels; None if unknown. Scores with different
        checksums cannot be compared.
    n_found : int
        Number of splits whose scores are those of an earlier fit.
    """

    name: str
    right: tuple = ()
    n_train: tuple = ()
    fit_times: tuple = ()
    predict_times: tuple = ()
    log_losses: tuple = ()
    n_parameters: int | None = None
    histories: tuple = ()
    error_message: str | None = None
    test_repeats: float = 1.0
    split_checksum: str | None = None
    n_found: int = 0

    @property
    def failed(self):
        """Whether the model has an error instead of scores."""
        return self.error_message is not None

    @property
    def n_test(self):
        """Number of test images of each split, a tuple of int."""
        return tuple(len(right) for right in self.right)

    @property
    def folds(self):
        """Numbers of folds and of their repetitions; both None for other splits."""
        n_images = {sum(pair) for pair in zip(self.n_train, self.n_test, strict=True)}
        n_splits, n_repeats = len(self.right), round(self.test_repeats)
        if (
            n_splits > 1
            and len(n_images) == 1
            # Then every image is tested equally often, and trains all other splits.
            and abs(self.test_repeats - n_repeats) < 1e-9
            and sum(self.n_test) == n_repeats * n_images.pop()
            and n_splits % n_repeats == 0
        ):
            return n_splits // n_repeats, n_repeats
        return None, None

    @property
    def accuracies(self):
        """Accuracy on each split, an ndarray of floats between 0 and 1."""
        return np.array([right.mean() for right in self.right])

    @property
    def accuracy(self):
        """Mean of the accuracies; NaN for a failed model."""
        return float("nan") if self.failed else float(self.accuracies.mean())

    @property
    def test_train_ratio(self):
        """Test images per training image, over all splits."""
        return sum(self.n_test) / sum(self.n_train)

    @property
    def accuracy_se(self):
        """Standard error of the mean accuracy; NaN for a failed model.

        Binomial for a single split, otherwise corrected for overlapping training sets
        as by Nadeau and Bengio.
        """
        if self.failed:
            return float("nan")
        if len(self.right) == 1:
            return binomial_standard_error(int(self.right[0].sum()), *self.n_test)
        return corrected_standard_error(self.accuracies, self.test_train_ratio)


def predict_labels(model, X):
    """Predicted labels of X as a one-dimensional array, one for each row."""
    predicted = plain_labels(column_or_1d(model.predict(X)), "The prediction")
    if len(predicted) != count_rows(X):
        raise ValueError(
            f"{type(model).__name__}.predict gave {len(predicted)} labels "
            f"for {count_rows(X)} rows."
        )
    return predicted


def class_probabilities(model, X):
    """Probabilities of all classes for each row of X; None when the model has none."""
    if getattr(model, "classes_", None) is None or not hasattr(model, "predict_proba"):
        return None
    return np.asarray(model.predict_proba(X))


def mean_log_loss(y, probabilities, classes):
    """Log loss of probabilities of the classes; NaN without any.

    Computed in float64, so that it depends on the probabilities and not on their
    type: scikit-learn raises those that are less than the type's epsilon to it, which
    is 1.2e-7 in float32 and 2.2e-16 in float64.
    """
    if probabilities is None:
        return float("nan")
    if len(classes) == 1:
        return 0.0
    labels = plain_labels(np.asarray(classes), "classes_")
    return float(log_loss(y, _in_float64(probabilities), labels=labels))


def _in_float64(probabilities):
    """Convert probabilities so that those that sum to 1 in their type still do."""
    exact = probabilities.astype(np.float64)
    if probabilities.dtype.kind != "f":
        return exact
    sums = exact.sum(axis=-1, keepdims=True)
    close = np.allclose(sums, 1, rtol=0, atol=np.finfo(probabilities.dtype).eps ** 0.5)
    return exact / sums if close else exact


def count_parameters(model):
    """Count the weights of fitted networks or a linear model; None for others."""
    while True:
        if isinstance(model, Pipeline):
            model = model[-1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            break
    if hasattr(model, "n_parameters_"):
        return int(model.n_parameters_)
    if hasattr(model, "estimators_") and not hasattr(model, "final_estimator_"):
        counts = [count_parameters(part) for part in np.ravel(model.estimators_)]
        return None if None in counts else sum(counts)
    if hasattr(model, "coefs_"):
        return sum(w.size for w in (*model.coefs_, *model.intercepts_))
    if hasattr(model, "coef_"):
        # The shape, because the size of a sparse matrix leaves out its zeros.
        n_weights = int(np.prod(model.coef_.shape))
        if hasattr(model, "intercept_") and getattr(model, "fit_intercept", True):
            n_weights += np.size(model.intercept_)
        return n_weights
    return None


@dataclass(frozen=True, eq=False)
class _SplitScores:
    """What one model reached on one split."""

    right: np.ndarray
    n_train: int
    fit_time: float
    predict_time: float
    log_loss: float
    n_parameters: int | None
    history: dict | None
    is_found: bool = False


def _score_split(name, number, model, X, y, X_test, y_test, train, test, memory, data):
    """Fit and score a model on a split; the text of an error takes the scores' place.

    Arrays come one by one and not as a Trial, so that joblib maps the large ones
    into the memory of its workers once instead of sending them with every task.
    `data` is their fingerprint, if there is a memory.
    """
    is_found = True

    def score():
        nonlocal is_found
        is_found = False
        return _fit_and_score(
            model,
            _safe_indexing(X, train),
            y[train],
            _safe_indexing(X_test, test),
            y_test[test],
        )

    try:
        load_libraries(model)
        if memory is None or not is_seeded(model):
            scores = score()
        else:
            scores = FitFolder(memory).get(
                [*model_facts(model), data, train, test],
                score,
                is_complete=lambda _: is_complete(model),
            )
            scores = replace(scores, is_found=is_found)
    except Exception as error:
        return name, number, error_text(error)
    return name, number, scores


def _fit_and_score(model, X, y, X_test, y_test):
    start = perf_counter()
    model.fit(X, y)
    fit_time = perf_counter() - start
    # First calls may build or compile something, which is no cost of an image. What a
    # network compiles depends on the number of images: it must have seen all of them.
    probabilities = class_probabilities(model, X_test)
    model.predict(_safe_indexing(X_test, [0]))
    start = perf_counter()
    predicted = predict_labels(model, X_test)
    predict_time = perf_counter() - start
    return _SplitScores(
        right=np.asarray(predicted == y_test, dtype=bool),
        n_train=len(y),
        fit_time=fit_time,
        predict_time=predict_time,
        log_loss=mean_log_loss(y_test, probabilities, getattr(model, "classes_", None)),
        n_parameters=count_parameters(model),
        history=plain_history(model),
    )


def load_libraries(model):
    """Load what a network needs: that takes seconds, once, which belong to no fit."""
    if is_network(model):
        import skmnist._training.keras  # noqa: F401


def error_text(error):
    """Type and message of an exception on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


def run_trial(models, trial, parallel, callback=None, memory=None):
    """Yield the ModelScores of each model as soon as its last split is done."""
    n_splits = len(trial.splits)
    n_total = n_splits * len(models)
    remaining = {name: set(range(n_splits)) for name in models}
    done = {name: {} for name in models}
    checksum = _checksum(trial)
    if memory is not None:
        memory = os.path.abspath(memory)  # workers may be in other folders
    n_tests = np.bincount(np.concatenate([test for _, test in trial.splits]))
    test_repeats = float(n_tests @ n_tests / n_tests.sum())
    with closing(_outcomes(models, trial, parallel, remaining, memory)) as outcomes:
        for name, number, scores in outcomes:
            if not remaining[name]:
                continue  # a split that was under way when another one failed
            failed = isinstance(scores, str)
            if failed:
                remaining[name].clear()
            else:
                remaining[name].remove(number)
                done[name][number] = scores
            if callback is not None:
                callback(name, n_total - sum(map(len, remaining.values())), n_total)
            if failed:
                yield ModelScores(name, error_message=scores)
            elif not remaining[name]:
                splits = [done[name][i] for i in range(n_splits)]
                yield _gather(name, splits, test_repeats, checksum)


def _checksum(trial):
    """Return a checksum of the splits of a trial, with the labels that they test."""
    digest = hashlib.sha256()
    for train, test in trial.splits:
        for numbers in (train, test):
            digest.update(np.asarray(numbers, dtype=np.int64).tobytes() + b"|")
        digest.update(repr(trial.y_test[test].tolist()).encode())
    return digest.hexdigest()


def _outcomes(models, trial, parallel, remaining, memory):
    """Yield name, split number and scores (or the text of an error) of each fit.

    Should the pool of workers break, by a worker that is killed for its memory say,
    the models that still have splits remaining are run again one at a time, so that
    only the one that breaks it is lost.
    """
    arrays = trial.X, trial.y, trial.X_test, trial.y_test
    data = None if memory is None else fingerprint(arrays)

    def tasks(names):
        for name in names:
            for number, (train, test) in enumerate(trial.splits):
                # Asked just before the start: a model that failed runs no more.
                if number in remaining[name]:
                    yield delayed(_score_split)(
                        name,
                        number,
                        clone(models[name]),
                        *arrays,
                        train,
                        test,
                        memory,
                        data,
                    )

    rounds = [list(models)]
    while rounds:
        names = rounds.pop(0)
        try:
            with closing(parallel(tasks(names))) as outcomes:
                yield from outcomes
        except Exception as error:
            if len(names) == 1:
                yield names[0], None, error_text(error)
            else:
                rounds = [[name] for name in names if remaining[name]]


def _gather(name, splits, test_repeats, split_checksum):
    """Put the scores of all splits together."""
    counts = {scores.n_parameters for scores in splits}
    return ModelScores(
        name,
        right=tuple(scores.right for scores in splits),
        n_train=tuple(scores.n_train for scores in splits),
        fit_times=tuple(scores.fit_time for scores in splits),
        predict_times=tuple(scores.predict_time for scores in splits),
        log_losses=tuple(scores.log_loss for scores in splits),
        n_parameters=counts.pop() if len(counts) == 1 else None,
        histories=tuple(scores.history for scores in splits),
        test_repeats=test_repeats,
        split_checksum=split_checksum,
        n_found=sum(scores.is_found for scores in splits),
    )
