"""Saving and loading of fitted models.

A model file is a joblib file that holds a fitted estimator (a classifier, a
Pipeline or a search) and a few words about where it comes from. Because fitted
networks are plain data, ``joblib.dump`` and ``pickle`` alone work as well, and
:func:`load_model` reads their files too.
"""

from pathlib import Path

import joblib
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

import skmnist
from skmnist.datasets._files import replacing
from skmnist.evaluation._trial import other_kind

__all__ = ["ModelFileError", "load_model", "save_model"]

_FORMAT = "skmnist model"
_FORMAT_VERSION = 1

# What a file that is no pickle begins with, and what it probably is.
_OTHER_KINDS = {
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"PK\x03\x04": "a zip archive, such as a Keras model (.keras) or .npz",
    b"\x89HDF": "an HDF5 file, such as Keras weights (.h5)",
    b"\x89PNG": "a PNG picture",
    b"\x00\x00\x08": "an IDX file",
    b"{": "a text file, perhaps JSON",
}

_TEXT = {*b"\t\r\n", *range(32, 127)}


class ModelFileError(ValueError):
    """A file is not a model that can be loaded."""


def save_model(model, path, *, metadata=None, compress=3):
    """Save a fitted model.

    The file appears under its name only when it is complete.

    Parameters
    ----------
    model : estimator
        A fitted classifier, :class:`~sklearn.pipeline.Pipeline` or search that
        ends in one.
    path : str or path-like
        Where to write; an existing file is replaced.
    metadata : dict, default=None
        Words about the model, such as the data set that it was trained on.
    compress : int, default=3
        Degree of compression, from 0 (none) to 9.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is a regressor, a transformer, or something else that is no
        classifier.
    FileNotFoundError
        If there is no folder to write to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.persistence import load_model, save_model
    >>> from skmnist.pipelines import make_model
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_model("logistic_regression").fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_model(model, Path(folder) / "digits.joblib")
    ...     bool((load_model(path).predict(X) == model.predict(X)).all())
    True
    """
    if not _predicts(model):
        raise TypeError(f"model must be a fitted classifier; got {model!r}.")
    check_is_fitted(model)
    kind = other_kind(model)
    if kind is not None:
        raise TypeError(f"model must be a fitted classifier; got the {kind} {model!r}.")
    path = Path(path)
    content = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "skmnist_version": skmnist.__version__,
        "metadata": dict(metadata or {}),
        "model": model,
    }
    with replacing(path) as file:
        joblib.dump(content, file, compress=compress)
    return path


def _predicts(model):
    """Whether an object is an estimator that predicts, as transformers do not."""
    return not isinstance(model, type) and (
        hasattr(model, "predict") and hasattr(model, "get_params")
    )


def load_model(path, *, return_metadata=False):
    """Load a fitted model.

    .. warning::
       Model files run code when they are loaded. Load only files that come from a
       source you trust.

    Parameters
    ----------
    path : str or path-like
        A file that :func:`save_model`, :func:`joblib.dump` or :mod:`pickle` wrote.
    return_metadata : bool, default=False
        Whether to return the words about the model as well.

    Returns
    -------
    model : estimator
        The fitted model.
    metadata : dict
        Only with ``return_metadata=True``; empty where the file has none.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is a file of another kind, or its model is not fitted or no classifier.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(8)
    for signature, kind in _OTHER_KINDS.items():
        if start.startswith(signature):
            raise ModelFileError(
                f"{path} is no model file: it is {kind}. Model files are written by "
                "save_model, joblib.dump or 'skmnist train --out'."
            )
    if not start:
        raise ModelFileError(f"{path} cannot be loaded as a model: it is empty.")
    try:
        content = joblib.load(path)
    except MemoryError:
        raise
    except Exception as error:
        if all(byte in _TEXT for byte in start):
            raise ModelFileError(
                f"{path} cannot be loaded as a model: it looks like a text file."
            ) from error
        raise ModelFileError(
            f"{path} cannot be loaded as a model: it is no model file, is damaged, or "
            f"needs packages or versions that are not installed "
            f"({type(error).__name__}: {error})."
        ) from error
    metadata = {}
    if isinstance(content, dict) and content.get("format") == _FORMAT:
        version = content.get("format_version")
        if not isinstance(version, int):
            raise ModelFileError(
                f"{path} calls itself a {_FORMAT}, but gives "
                + ("no" if version is None else f"{version!r} as its")
                + " format_version: save_model did not write it, or not like this."
            )
        if version != _FORMAT_VERSION:
            raise ModelFileError(
                f"{path} has version {version} of the format for model files; skmnist "
                f"{skmnist.__version__} reads version {_FORMAT_VERSION}. It was "
                f"written by skmnist {content.get('skmnist_version', '?')}: upgrade."
            )
        metadata, content = content.get("metadata", {}), content.get("model")
    if not _predicts(content):
        raise ModelFileError(
            f"{path} holds an object of type {type(content).__name__}, not a fitted "
            "classifier."
        )
    kind = other_kind(content)
    if kind is not None:
        raise ModelFileError(
            f"{path} holds a {kind} ({type(content).__name__}); expected a fitted "
            "classifier."
        )
    try:
        check_is_fitted(content)
    except NotFittedError:
        raise ModelFileError(
            f"{path} holds a {type(content).__name__} that is not fitted."
        ) from None
    return (content, metadata) if return_metadata else content
