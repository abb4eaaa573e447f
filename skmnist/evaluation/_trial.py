"""The models, the data and the splits of a comparison."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .._estimators import other_kind
from ..pipelines import make_model
from ..preprocessing.layout import count_rows, refuse_single_image

_DEFAULT_N_SPLITS = 5


@dataclass(frozen=True, eq=False)
class Trial:
    """The data of a comparison, and the splits that all models share."""

    X: object
    y: np.ndarray
    X_test: object
    y_test: np.ndarray
    splits: list = field(repr=False)


def check_labels(X, y, X_name="X", y_name="y"):
    """Return y as one-dimensional class labels, one for each row of X."""
    refuse_single_image(X, y=y)
    y = plain_labels(column_or_1d(y), y_name)
    n_rows = count_rows(X)
    if n_rows != len(y):
        raise ValueError(
            f"{X_name} has {n_rows} rows and {y_name} has {len(y)} labels; "
            "there must be one label for each row."
        )
    if n_rows == 0:
        raise ValueError(f"{X_name} and {y_name} are empty; at least 1 row is needed.")
    check_classification_targets(y)
    return y


def plain_labels(y, name):
    """Give labels of dtype object the type that they have in common.

    pandas and NumPy keep whole numbers so when they come one by one. Strings stay as
    they are, which scikit-learn takes.
    """
    if y.dtype != object:
        return y
    kinds = {_kind(label_type) for label_type in set(map(type, y))}
    if len(kinds) > 1 or not kinds <= {"strings", "numbers", "booleans"}:
        raise ValueError(
            f"{name} has labels of dtype object that are {' and '.join(sorted(kinds))};"
            " all must be strings, all numbers, or all booleans."
        )
    return y if kinds <= {"strings"} else np.array(y.tolist())


def _kind(label_type):
    if issubclass(label_type, str):
        return "strings"
    if issubclass(label_type, bool | np.bool_):
        return "booleans"
    return "numbers" if issubclass(label_type, Real) else label_type.__name__


def check_seen(y, known, message):
    """Raise ValueError with the message and the labels of y that are not known."""
    # Sets, because NumPy would take the label 1 for the label "1".
    unseen = set(y.tolist()) - set(np.asarray(known).tolist())
    if unseen:
        raise ValueError(f"{message}: {_listed(unseen)}; known are {_listed(known)}.")


def check_several_classes(y):
    """Raise ValueError if all labels are the same."""
    if len(np.unique(y)) < 2:
        raise ValueError(
            f"y holds one class only, {_listed(y)}; at least 2 are needed."
        )


def _listed(labels, n_shown=10):
    """Labels as text, in order, not more than a reader wants."""
    labels = set(np.asarray(list(labels)).tolist())
    labels = sorted(labels, key=lambda label: (str(type(label)), label))
    shown = ", ".join(map(repr, labels[:n_shown]))
    rest = len(labels) - n_shown
    return f"{shown} and {rest} more" if rest > 0 else shown


def resolve_seed(random_state):
    """Return an int for random_state, or None for None."""
    try:
        generator = check_random_state(random_state)
    except ValueError:
        raise ValueError(
            "random_state must be an int from 0 to 2**32 - 1, a RandomState instance "
            f"or None; got {random_state!r}."
        ) from None
    if random_state is None or isinstance(random_state, Integral):
        return random_state
    return int(generator.randint(np.iinfo(np.int32).max))


def name_models(models, seed=None):
    """Return unfitted copies of the models by unique names.

    Models given by a registered name are built here, and their unset random states
    set to the seed.
    """
    if isinstance(models, Mapping):
        items = list(models.items())
    elif isinstance(models, list | tuple):
        items = [(m if isinstance(m, str) else None, m) for m in models]
    else:
        raise TypeError(
            "models must be a dict of names and classifiers, or a list of registered "
            f"names and classifiers; got {type(models).__name__}."
        )
    if not items:
        raise ValueError("models is empty; at least one model is needed.")
    taken = set()
    for name, _ in items:
        if name in taken:
            raise ValueError(f"The model {name!r} is given more than once.")
        if isinstance(name, str):
            taken.add(name)
        elif isinstance(models, Mapping):
            raise TypeError(f"Names of models must be strings; got {name!r}.")
    named = {}
    for name, model in items:
        if name is None:
            name = _free_name(model, taken)
            taken.add(name)
        if isinstance(model, str):
            named[name] = _seeded(make_model(model), seed)
        else:
            named[name] = clone(_checked_classifier(name, model))
    return named


def _checked_classifier(name, model):
    if isinstance(model, type) or not (
        hasattr(model, "fit") and hasattr(model, "predict")
    ):
        raise TypeError(
            f"The model {name!r} must be a registered name or a classifier with fit "
            f"and predict; got {model!r}."
        )
    kind = other_kind(model)
    if kind is not None:
        raise TypeError(
            f"The model {name!r} must be a classifier; got the {kind} {model!r}."
        )
    return model


def _free_name(model, taken):
    """Name an estimator by the class of its last step, numbered when it is taken."""
    last = model
    if isinstance(model, Pipeline):
        last = model.steps[-1][1]
    base = name = type(last).__name__
    number = 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _seeded(model, seed):
    unset = [
        key
        for key, value in model.get_params().items()
        if value is None and key.rpartition("__")[2] == "random_state"
    ]
    return model if seed is None else model.set_params(**dict.fromkeys(unset, seed))


def make_trial(X, y, cv, X_test, y_test, groups, seed):
    """Check the data of a comparison and lay down its splits."""
    y = check_labels(X, y)
    check_several_classes(y)
    if (X_test is None) != (y_test is None):
        given, missing = (
            ("y_test", "X_test") if X_test is None else ("X_test", "y_test")
        )
        raise ValueError(f"{given} is given without {missing}; give both or neither.")
    if X_test is None:
        return Trial(X, y, X, y, make_splits(X, y, cv, groups, seed))
    if cv is not None or groups is not None:
        raise ValueError(
            "Give either X_test and y_test, or cv (with groups), not both."
        )
    y_test = check_labels(X_test, y_test, "X_test", "y_test")
    check_seen(y_test, y, "y_test has labels that y lacks")
    splits = [(np.arange(len(y)), np.arange(len(y_test)))]
    return Trial(X, y, X_test, y_test, splits)


def make_splits(X, y, cv, groups, seed):
    """List the (train, test) row numbers of each split, with all labels in training."""
    if cv is None:
        cv = _DEFAULT_N_SPLITS
    if isinstance(cv, bool | str | bytes) or not (
        isinstance(cv, Integral | Iterable) or hasattr(cv, "split")
    ):
        raise TypeError(
            "cv must be an int of at least 2, a splitter or an iterable of "
            f"(train, test) row numbers; got {cv!r}."
        )
    if isinstance(cv, Integral):
        if cv < 2:
            raise ValueError(f"cv must be at least 2; got {cv}.")
        if seed is None:
            # Left to itself, scikit-learn would advance NumPy's global generator.
            seed = int(np.random.default_rng().integers(np.iinfo(np.int32).max))
        cv = StratifiedKFold(int(cv), shuffle=True, random_state=seed)
    splits = [
        tuple(_row_numbers(rows) for rows in split)
        for split in check_cv(cv, y, classifier=True).split(X, y, groups)
    ]
    if not splits or any(not len(rows) for split in splits for rows in split):
        raise ValueError("cv must give at least one split, none of them empty.")
    for number, (train, test) in enumerate(splits, 1):
        message = f"Split {number} tests labels that its training rows lack"
        check_seen(y[test], y[train], message)
    return splits


def _row_numbers(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows
