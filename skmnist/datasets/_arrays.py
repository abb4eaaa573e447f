"""Checks of pixels and labels, in files and arguments."""

import numpy as np

from skmnist._numbers import by


def as_pixels(array, name, error=ValueError):
    """Return `array` as uint8, or raise `error` if that would change a value."""
    array = np.asarray(array)
    if array.dtype.kind not in "biu":
        raise error(
            f"{name}: pixels must be whole numbers from 0 to 255, "
            f"got an array of type {array.dtype}"
        )
    if array.size == 0:
        raise error(f"{name}: no pixels, the array is empty ({by(array.shape)})")
    if array.dtype != np.uint8 and (array.min() < 0 or array.max() > 255):
        raise error(
            f"{name}: pixels must be whole numbers from 0 to 255, "
            f"got values from {array.min()} to {array.max()}"
        )
    return np.ascontiguousarray(array, dtype=np.uint8)


def as_labels(array, n_images, name, error=ValueError):
    """Return `array` as one int64 label per image, or raise `error`."""
    array = np.asarray(array)
    if array.ndim != 1:
        raise error(
            f"{name}: expected one label per image in one dimension, "
            f"got {array.ndim} dimensions ({by(array.shape)})"
        )
    if array.dtype.kind not in "biu":
        raise error(
            f"{name}: labels must be whole numbers from 0, "
            f"got an array of type {array.dtype}; encode others first, "
            "with sklearn.preprocessing.LabelEncoder for example"
        )
    if len(array) != n_images:
        raise error(f"{name}: {len(array):,} labels for {n_images:,} images")
    if array.min() < 0 or array.max() > np.iinfo(np.int64).max:
        raise error(
            f"{name}: labels must be whole numbers from 0, "
            f"got values from {array.min()} to {array.max()}"
        )
    return array.astype(np.int64)
