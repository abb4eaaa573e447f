"""The labels of a classifier as plain data: numbers as a tensor, strings as JSON."""

import re

import numpy as np

from skmnist.persistence._parameters import not_writable
from skmnist.persistence._schema import ModelFileError, check, check_keys

__all__ = ["describe_labels", "rebuild_labels"]

_TENSOR = "classes"
_TENSOR_KINDS = "biuf"
_STRINGS = re.compile(r"<U([1-9][0-9]{0,8})")
# An array of strings takes as much memory for each as for the longest.
_MAX_BYTES = 1 << 24


def describe_labels(classes):
    """Return labels ready for JSON, and the tensors that hold them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted numbers, booleans or strings.

    Returns
    -------
    described : dict
        Their type and, if they are strings, the labels.
    tensors : dict of str to ndarray
        The labels, if they are numbers.
    """
    classes = np.asarray(classes)
    kind = classes.dtype.kind
    if kind in _TENSOR_KINDS and classes.dtype.itemsize <= 8:
        return {"dtype": classes.dtype.name, "labels": None}, {_TENSOR: classes}
    labels = classes.tolist()
    if kind == "U":
        if classes.nbytes > _MAX_BYTES:  # wider than any label, perhaps
            classes = np.array(labels)
        dtype = f"<U{classes.dtype.itemsize // 4}"
    elif kind == "O" and all(isinstance(label, str) for label in labels):
        dtype, labels = "object", [str(label) for label in labels]
    else:
        raise not_writable(f"labels of the type {classes.dtype} such as {labels[0]!r}")
    return {"dtype": dtype, "labels": labels}, {}


def rebuild_labels(described, tensors, place):
    """Return the labels of a description, after they were checked."""
    check_keys(described, place, ("dtype", "labels"))
    dtype, labels = described["dtype"], described["labels"]
    if labels is None:
        classes = _numbers(dtype, tensors, place)
    else:
        check(
            labels,
            f"{place}.labels",
            "null or a list of strings",
            lambda value: (
                isinstance(value, list) and all(isinstance(v, str) for v in value)
            ),
        )
        classes = _strings(dtype, labels, place)
    # As numpy.unique gives them: labels are looked up by bisection.
    if not np.array_equal(np.unique(classes), classes):
        raise ModelFileError(f"{place} must be sorted, each label once")
    return classes


def _numbers(dtype, tensors, place):
    classes = tensors.pop(_TENSOR, None)
    if classes is None:
        raise ModelFileError(f"the tensor {_TENSOR} is missing")
    if (
        classes.ndim != 1
        or classes.dtype.name != dtype
        or classes.dtype.kind not in _TENSOR_KINDS
        or (classes.dtype.kind == "f" and not np.isfinite(classes).all())
        or (classes.dtype.kind == "b" and classes.view(np.uint8).max(initial=0) > 1)
    ):
        raise ModelFileError(
            f"the tensor {_TENSOR} does not hold finite labels of the type "
            f"{place}.dtype in one column"
        )
    return classes.copy()  # of which the user may change what he likes


def _strings(dtype, labels, place):
    if dtype == "object":
        return np.array(labels, dtype=object)
    longest = max(map(len, labels), default=0)
    match = isinstance(dtype, str) and _STRINGS.fullmatch(dtype)
    if not match or not longest <= int(match[1]) <= _MAX_BYTES // 4 // len(labels):
        raise ModelFileError(
            f"{place}.dtype must be 'object' or '<Un' with n of at least {longest}, "
            f"and the labels must not take more than {_MAX_BYTES:,} bytes as an array"
        )
    return np.array(labels, dtype=dtype)
