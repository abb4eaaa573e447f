"""Labels and weights of samples: checks, encoding and validation split."""

import contextlib
import math
from numbers import Real

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval

from skmnist._warnings import warn_caller

__all__ = [
    "checked_weights",
    "encoded",
    "stratified_split",
    "training_weights",
    "unknown_labels",
    "with_mean_of_1",
]

# With fewer, one image changes the accuracy by more than a fifth.
_FEW_IMAGES = 5
_N_LISTED = 10
_WEIGHT = Interval(Real, 0, None, closed="left")  # without infinity


def encoded(labels, classes, name):
    """Return labels as their positions among the sorted classes."""
    _check_known(np.unique(labels).tolist(), classes, name)
    return np.searchsorted(classes, labels).astype(np.int32)


def unknown_labels(labels, classes):
    """Return the labels that are not classes."""
    # Compared by Python, because for NumPy the labels "10" and 10 may be equal.
    known = set(classes.tolist())
    return [label for label in labels if label not in known]


def _check_known(labels, classes, name, *, may_lack=False):
    """Refuse labels that are not classes; with `may_lack`, only of another kind."""
    unknown = unknown_labels(labels, classes)
    kinds = {isinstance(label, str) for label in unknown}
    is_other_kind = kinds.isdisjoint(isinstance(label, str) for label in classes)
    if unknown and (is_other_kind or not may_lack):
        hint = " Strings and numbers are different labels." if is_other_kind else ""
        raise ValueError(
            f"{name} holds labels that are not among the classes: {unknown}; "
            f"the classes are {classes.tolist()}.{hint}"
        )


def checked_weights(sample_weight, n_samples):
    """Return sample weights of at least 0; one number applies to all samples."""
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have the shape ({n_samples},), one for each sample; "
            f"got {weights.shape}."
        )
    if weights.min() < 0:
        raise ValueError(
            "sample_weight must be at least 0; got values from "
            f"{weights.min()} to {weights.max()}."
        )
    return weights


def training_weights(labels, sample_weight, class_weight, classes):
    """Multiply the weights of samples and of their classes; None if all are equal."""
    if class_weight is None:
        return sample_weight
    if class_weight == "balanced":
        share = np.bincount(labels, weights=sample_weight, minlength=len(classes))
        per_class = 1 / np.maximum(share, np.finfo(float).tiny)
    else:
        per_class = _given_class_weights(class_weight, classes)
    weights = per_class[labels]
    return weights if sample_weight is None else weights * sample_weight


def _given_class_weights(class_weight, classes):
    """Return the weights of a dict in the order of the classes, 1 by default."""
    # A part of the data, such as a fold, may lack rare labels.
    _check_known(class_weight, classes, "class_weight", may_lack=True)
    if not all(map(_WEIGHT.is_satisfied_by, class_weight.values())):
        raise ValueError(
            f"class_weight must hold finite weights of at least 0; got {class_weight}."
        )
    labels = classes.tolist()
    unknown = unknown_labels(class_weight, classes)
    # As in scikit-learn, a dict with a weight for each class may contain others.
    if unknown and not all(label in class_weight for label in labels):
        warn_caller(
            f"class_weight names labels that are not in y: {_listed(unknown)}; y holds "
            f"{_listed(labels)}. Their weights are not used, which is right only if "
            "these data happen to lack such labels."
        )
    return np.array([class_weight.get(label, 1) for label in labels], float)


def _listed(labels):
    """Write a list of labels, of many only the first."""
    if len(labels) <= _N_LISTED:
        return str(labels)
    return f"{str(labels[:_N_LISTED])[:-1]}, … ({len(labels)} labels)]"


def with_mean_of_1(weights, class_weight):
    """Scale the weights of a fit; None stays None."""
    # Else learning rate and regularization would depend on the unit of the weights.
    if weights is None:
        return None
    if not len(weights):
        raise ValueError(
            "sample_weight must be above zero for some samples; all are zero."
        )
    if not weights.any():
        raise ValueError(
            "class_weight leaves no sample any weight: it must be more than "
            f"0 for some class in y; got {class_weight}."
        )
    weights = weights / weights.max()  # so that the sum cannot overflow
    return weights / weights.mean()


def stratified_split(data, fraction, seed, classes):
    """Split data into parts for training and validation, with equal class shares.

    Classes with too few samples for both parts are used for training.
    """
    labels = data.labels
    n_validation = math.ceil(fraction * len(labels))
    is_alone = np.bincount(labels)[labels] == 1
    training = validation = np.array([], int)
    # Refuses parts with fewer rows than classes, and may leave out a class.
    with contextlib.suppress(ValueError):
        training, validation = train_test_split(
            np.flatnonzero(~is_alone),
            test_size=n_validation,
            stratify=labels[~is_alone],
            random_state=seed,
        )
    training = np.concatenate([training, np.flatnonzero(is_alone)])
    if len(np.unique(labels[training])) < len(np.unique(labels)):
        # Any rows except the first of each class.
        order = np.random.RandomState(seed).permutation(len(labels))
        _, firsts = np.unique(labels[order], return_index=True)
        validation = np.delete(order, firsts)[:n_validation]
        training = np.setdiff1d(order, validation)
    if not len(validation):
        raise ValueError(
            f"validation_fraction={fraction} of {len(labels)} samples cannot be set "
            "aside, as each class has one sample only, which training needs: give more "
            "samples, or X_val and y_val."
        )
    missing = classes[np.setdiff1d(labels, labels[validation])].tolist()
    part = f"validation_fraction sets {len(validation)} of {len(labels)} images"
    hint = "Give more images, a larger fraction, or X_val and y_val."
    if missing:
        warn_caller(
            f"{part} aside for validation, none of them with a label of "
            f"{_listed(missing)}: loss and accuracy on these images say nothing about "
            f"them. {hint}"
        )
    elif len(validation) < _FEW_IMAGES:
        warn_caller(
            f"{part} aside for validation, which is too few to be reliable. {hint}"
        )
    return data.rows(training), data.rows(validation)
