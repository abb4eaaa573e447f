"""Checks of pixels: their number, their columns, and that they fit into float32."""

import contextlib
import math

import numpy as np
from sklearn.utils.validation import validate_data

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def validated(estimator, X, dtype="numeric"):
    """Validate rows against what a fitted estimator knows of them.

    The same as scikit-learn's `validate_data`, which takes longer than a network
    needs for one image; a plain array that it would return unchanged is returned at
    once.

    Parameters
    ----------
    estimator : estimator
        With `n_features_in_`.
    X : array-like of shape (n_samples, n_features)
        Rows of pixels.
    dtype : "numeric" or tuple of type, default="numeric"
        Types that are allowed.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Finite numbers, at least one row.
    """
    is_plain = (
        type(X) is np.ndarray
        and (X.dtype.kind in "fiu" if dtype == "numeric" else X.dtype in dtype)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )
    if is_plain and (X.dtype.kind != "f" or _is_surely_finite(X)):
        return X
    with naming_overflow(X):
        return validate_data(estimator, X, reset=False, dtype=dtype)


@contextlib.contextmanager
def naming_overflow(X):
    """Let an error of validation name the number that is too large, if that is all."""
    try:
        with np.errstate(over="ignore"):
            yield
    except ValueError:
        refuse_overflow(X)
        raise


def _is_surely_finite(X):
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(X.sum())


def refuse_overflow(X, *, name="X"):
    """Raise ValueError if finite numbers in `X` are too large for float32."""
    if isinstance(X, np.ndarray) and (X.dtype.kind != "f" or X.dtype.itemsize < 8):
        return
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return
    if not values.size:
        return
    ends = float(values.min()), float(values.max())
    largest = max(ends, key=abs)
    if _FLOAT32_MAX < abs(largest) < math.inf:
        raise ValueError(
            f"{name} contains {largest:g}, which is too large for float32: pixels must "
            f"lie within ±{_FLOAT32_MAX:.2g}."
        )
