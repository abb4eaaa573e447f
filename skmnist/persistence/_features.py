"""What every fitted step knows of its input: the number and the names of pixels."""

from math import prod

import numpy as np

from skmnist.persistence._schema import check, is_count, is_shape

__all__ = ["FEATURES", "describe_features", "image_shape", "set_features"]

FEATURES = ("n_features_in_", "feature_names_in_", "sample_shape")
# One image of so many pixels takes a gigabyte. What a file says of its images may be
# more than it holds in weights.
_MAX_PIXELS = 2**28


def describe_features(estimator):
    """Return what is known of the input of a fitted estimator, ready for JSON."""
    names = getattr(estimator, "feature_names_in_", None)
    shape = estimator._sample_shape
    return {
        "n_features_in_": int(estimator.n_features_in_),
        "feature_names_in_": None if names is None else [str(name) for name in names],
        "sample_shape": None if shape is None else [int(side) for side in shape],
    }


def set_features(estimator, fitted, place):
    """Set what is known of the input of an estimator, after it was checked."""
    n_features = check(
        fitted["n_features_in_"],
        f"{place}.n_features_in_",
        f"a whole number from 1 to {_MAX_PIXELS}",
        lambda value: is_count(value, 1, _MAX_PIXELS),
    )
    names = check(
        fitted["feature_names_in_"],
        f"{place}.feature_names_in_",
        f"null or a list of {n_features} strings",
        lambda value: value is None or _are_names(value, n_features),
    )
    estimator.n_features_in_ = n_features
    if names is not None:
        estimator.feature_names_in_ = np.array(names, dtype=object)
    shape = check(
        fitted["sample_shape"],
        f"{place}.sample_shape",
        f"null or a list of 1 to 3 lengths with the product {n_features}",
        lambda value: (
            value is None or (is_shape(value, (1, 2, 3)) and prod(value) == n_features)
        ),
    )
    if shape is not None:
        estimator._sample_shape = tuple(shape)


def _are_names(value, n_features):
    return (
        isinstance(value, list)
        and len(value) == n_features
        and all(isinstance(name, str) for name in value)
    )


def image_shape(value, place, n_features, *, may_be_none=True):
    """Return the shape of an image, or None, after it was checked."""
    check(
        value,
        place,
        f"{'null or ' if may_be_none else ''}a list of height, width and channels "
        f"with the product {n_features}",
        lambda shape: (
            (shape is None and may_be_none)
            or (is_shape(shape, (3,)) and prod(shape) == n_features)
        ),
    )
    return None if value is None else tuple(value)
