"""Labels as one column, or an error that says how to make them one."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["label_column"]


def label_column(labels, name):
    """Return labels of one kind, one for each image, or say what they are instead.

    `name` is what they are called in an error. Returned are the labels themselves, or
    an array of numbers where objects were given that are all numbers, as they come out
    of a table with columns of several types. ValueError is raised if they are one-hot
    encoded, of several kinds, or missing; all else about labels is left to
    scikit-learn.
    """
    if _is_one_hot(labels):
        raise ValueError(
            f"{name} looks one-hot encoded; labels are one column, one label for each "
            f"image: pass {_decoding(labels, name)}."
        )
    if isinstance(labels, list | tuple):
        objects = list(labels)
        if not all(np.isscalar(label) or _is_missing(label) for label in objects):
            return labels
    elif len(getattr(labels, "shape", ())) != 1:
        return labels
    else:
        if hasattr(labels, "isna"):  # pandas
            _refuse_missing(np.asarray(labels.isna()), name)
        if labels.dtype != object:
            return labels
        objects = np.asarray(labels).tolist()
    return _of_one_kind(objects, labels, name)


def _is_one_hot(labels):
    """Return whether each row of a table holds one 1 beside zeros."""
    if isinstance(labels, list | tuple):
        try:
            labels = np.asarray(labels)
        except ValueError:  # rows of several lengths
            return False
    shape = getattr(labels, "shape", ())
    if len(shape) != 2 or shape[0] == 0 or shape[1] < 2:
        return False
    if issparse(labels):
        labels = labels.tocsr()
        return (labels.data == 1).all() and (np.diff(labels.indptr) == 1).all()
    try:
        table = np.asarray(labels).astype(float)
    except (TypeError, ValueError):
        return False
    return ((table == 0) | (table == 1)).all() and (table.sum(axis=1) == 1).all()


def _decoding(labels, name):
    """Return the expression that makes one column of a one-hot table."""
    if hasattr(labels, "idxmax"):  # pandas: the columns have names
        return f"{name}.idxmax(axis=1)"
    if issparse(labels):
        return f"{name}.toarray().argmax(axis=1)"
    if isinstance(labels, np.ndarray):
        return f"{name}.argmax(axis=1)"
    return f"numpy.argmax({name}, axis=1)"


def _of_one_kind(objects, labels, name):
    """Check Python objects; return `labels`, or an array if all are numbers."""
    _refuse_missing(np.array([_is_missing(label) for label in objects], bool), name)
    kinds = {_kind(label): label for label in reversed(objects)}
    if len(kinds) > 1:
        found = " and ".join(f"{kind} such as {kinds[kind]!r}" for kind in kinds)
        raise ValueError(
            "Labels must be of one kind, such as all numbers or all strings; "
            f"{name} holds {found}."
        )
    return np.asarray(objects) if kinds.keys() == {"numbers"} else labels


def _kind(label):
    if isinstance(label, str):
        return "strings"
    if np.isscalar(label) and not isinstance(label, bytes):
        return "numbers"
    return type(label).__name__


def _is_missing(label):
    """Return whether a label is None, NaN, or pandas' NA or NaT."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(label, float) and label != label


def _refuse_missing(is_missing, name):
    if is_missing.any():
        raise ValueError(
            f"{name} holds {is_missing.sum()} missing label(s), the first in row "
            f"{is_missing.argmax()}: drop these rows, or give them a label."
        )
