"""Labels and weights of samples: how they are checked, encoded and split.

Labels may be of any one kind; a network learns their positions among the classes.
"""

from numbers import Real

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array

__all__ = [
    "checked_weights",
    "distinct",
    "encoded",
    "stratified_split",
    "training_weights",
    "with_mean_of_1",
]


def distinct(labels):
    """Return the sorted distinct labels; they must be of kinds that can be sorted."""
    try:
        return np.unique(labels)
    except TypeError as error:
        raise ValueError(
            "Labels must be of one kind, such as all numbers or all strings; "
            f"got a mixture ({error})."
        ) from error


def encoded(labels, classes, name):
    """Return labels as their positions among the sorted classes.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        Each of them one of the classes.
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.
    name : str
        What the labels are called in an error.

    Returns
    -------
    ndarray of shape (n_samples,), dtype int32
        Positions from 0 to n_classes - 1.

    Raises
    ------
    ValueError
        If a label is no class.
    """
    _check_known(distinct(labels).tolist(), classes, name)
    return np.searchsorted(classes, labels).astype(np.int32)


def _check_known(labels, classes, name):
    """Refuse labels that are no classes, as Python compares them.

    NumPy would take the label "10" for the label 10.
    """
    known = set(classes.tolist())
    unknown = [label for label in labels if label not in known]
    if unknown:
        other_kind = {isinstance(label, str) for label in unknown}.isdisjoint(
            isinstance(label, str) for label in known
        )
        hint = " Strings and numbers are different labels." if other_kind else ""
        raise ValueError(
            f"{name} holds labels that are not among the classes: {unknown}; "
            f"the classes are {classes.tolist()}.{hint}"
        )


def checked_weights(sample_weight, n_samples):
    """Return weights, one for each sample and at least 0; one number stands for all."""
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
    """Multiply the weights of samples and classes.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        Positions of the labels among the classes.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples, at least 0.
    class_weight : dict, "balanced" or None
        Weights by class, 1 for a class that is not in the dict.
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        None if all count alike.

    Raises
    ------
    ValueError
        If `class_weight` names a label that is no class, or holds anything but
        finite numbers of at least 0.
    """
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
    # Refuses a class that is not there, whose weight would be lost.
    _check_known(class_weight, classes, "class_weight")
    try:
        per_class = np.array(
            [class_weight.get(label, 1) for label in classes.tolist()], dtype=float
        )
        allowed = np.isfinite(per_class).all() and (per_class >= 0).all()
    except (TypeError, ValueError):
        allowed = False
    if not allowed:
        raise ValueError(
            f"class_weight must hold finite weights of at least 0; got {class_weight}."
        )
    return per_class


def with_mean_of_1(weights, class_weight):
    """Scale the weights of a fit; None stays None.

    The scale of the loss, and so the meaning of learning rate and penalties, must
    not depend on the unit of the weights.
    """
    if weights is None:
        return None
    if not weights.any():
        raise ValueError(
            "class_weight leaves no sample any weight: it must be more than "
            f"0 for some class in y; got {class_weight}."
        )
    weights = weights / weights.max()  # whose sum might be too large
    return weights / weights.mean()


def stratified_split(arrays, fraction, seed):
    """Split arrays into a training and a validation part with equal class shares.

    Parameters
    ----------
    arrays : tuple of ndarray or None
        Of equal lengths; the second one holds the labels.
    fraction : float
        Share that is set aside, in (0, 1).
    seed : int
        Seed of the choice.

    Returns
    -------
    tuple of 2 tuples
        The arrays of the training part and of the validation part.

    Raises
    ------
    ValueError
        If not each class can be on both sides.
    """
    labels = arrays[1]
    try:
        parts = train_test_split(
            np.arange(len(labels)),
            test_size=fraction,
            stratify=labels,
            random_state=seed,
        )
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction} of {len(labels)} samples cannot be set "
            "aside so that each class is on both sides. Give more samples, another "
            f"fraction, or X_val and y_val. ({error})"
        ) from error
    return tuple(
        tuple(None if array is None else array[part] for array in arrays)
        for part in parts
    )
