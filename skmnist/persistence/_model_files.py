"""Saving and loading of model files."""

import logging
import pickle
import stat
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skmnist._estimators import other_kind
from skmnist.datasets._content import N_BYTES
from skmnist.datasets._files import replacing
from skmnist.persistence import _joblib, _safetensors
from skmnist.persistence._description import check_parts
from skmnist.persistence._endings import (
    SUFFIX,
    check_ending,
    foreign_kind,
    method_of,
)
from skmnist.persistence._schema import ModelFileError, shortened

__all__ = ["check_suits", "load_model", "save_model"]

_COMPRESS = 3

_logger = logging.getLogger(__package__)


def save_model(
    model: Any,
    path: str | PathLike,
    *,
    metadata: Mapping[str, Any] | None = None,
    compress: int | str | tuple[str, int] = _COMPRESS,
) -> Path:
    """Save a fitted model.

    The file appears only when it is complete. The suffix ``.safetensors`` makes a
    safetensors file, which runs no code when loaded. ``.joblib``, ``.pkl``,
    ``.pickle``, ``.joblib.gz`` and the like, or no suffix, make a joblib file. Suffixes
    of other formats, such as ``.keras`` and ``.onnx``, are refused.

    Parameters
    ----------
    model : estimator
        A fitted classifier, or a :class:`~sklearn.pipeline.Pipeline` or search that
        ends in one. For ``.safetensors``, a network classifier and builder of this
        package, alone or at the end of a Pipeline whose other steps are
        transformers of this package or "passthrough".
    path : str or path-like
        The file to write. An existing file is replaced.
    metadata : dict, default=None
        Information about the model, such as its training data. For ``.safetensors`` it
        must be plain data: None, booleans, numbers of up to 64 bits, strings, and
        lists, tuples and dicts of these.
    compress : int, str or tuple of (str, int), default=3
        Compression level, from 0 (none) to 9; a method of :func:`joblib.dump`, such as
        ``"xz"``; or both. With the default, the suffixes ``.gz``, ``.bz2``, ``.xz``,
        ``.lzma`` and ``.z`` select the method. ``.safetensors`` files are not
        compressed.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is not a classifier, or has a part that a ``.safetensors`` file
        cannot hold.
    ValueError
        If `path` has the suffix of another format, such as ``.keras``, or a misspelt
        ``.safetensors`` or ``.joblib``; if `compress` is invalid; or if a
        ``.safetensors`` file cannot hold a value, such as weights that are not finite.
    pickle.PicklingError
        If a joblib file cannot hold a parameter, such as a builder defined inside a
        function. The message names the parameter.
    FileNotFoundError
        If the folder does not exist.

    Warns
    -----
    UserWarning
        If a ``.safetensors`` file cannot keep training settings that are not plain
        data: callbacks, an optimizer that is a function or not from Keras, a
        ``RandomState``, or the memory of a Pipeline. The loaded model makes the same
        predictions and has the defaults of these settings.

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
    >>> model = make_model("mlp_512", units=16, epochs=1).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_model(model, Path(folder) / "digits.safetensors")
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
    check_ending(path)
    try:
        metadata = dict(metadata or {})
    except (TypeError, ValueError):
        raise TypeError(
            f"metadata must be a dict or None; got {shortened(metadata)}."
        ) from None
    if path.suffix.lower() == SUFFIX:
        if compress != _COMPRESS:
            raise ValueError(
                f"compress={compress!r} is for .joblib files; {SUFFIX} "
                "files are not compressed."
            )
        content = _safetensors.as_bytes(model, metadata, path)
        with replacing(path) as file:
            file.write(content)
        _logger.info("%s written to %s", type(model).__name__, path)
        return path
    if compress == _COMPRESS and method_of(path) is not None:
        compress = method_of(path), _COMPRESS
    try:
        pickle.dumps(metadata)
    except Exception as error:  # whatever a part of it raises
        raise TypeError(
            "metadata must be a dict of what can be pickled; got "
            f"{shortened(metadata)} ({type(error).__name__}: {error})."
        ) from error
    with replacing(path) as file:
        _joblib.write(model, metadata, file, compress)
    _logger.info("%s written to %s", type(model).__name__, path)
    return path


def check_suits(model, path):
    """Refuse a file that cannot hold a model, fitted or not, by name and parts.

    Raises ValueError for the name, TypeError for the parts.
    """
    check_ending(path)
    if path.suffix.lower() == SUFFIX:
        check_parts(model)


def _predicts(model):
    """Whether an object is an estimator that predicts, as transformers do not."""
    return not isinstance(model, type) and (
        hasattr(model, "predict") and hasattr(model, "get_params")
    )


def load_model(path: str | PathLike, *, return_metadata: bool = False) -> Any:
    """Load a fitted model.

    .. warning::
       Loading joblib and pickle files can run arbitrary code. Load them only from
       sources that you trust. ``.safetensors`` files run no code, and need neither
       TensorFlow nor Keras.

    Parameters
    ----------
    path : str or path-like
        A file written by :func:`save_model`, :func:`joblib.dump` or :mod:`pickle`. The
        format is detected from the content, but a file named ``.safetensors`` is never
        opened as a joblib or pickle file.
    return_metadata : bool, default=False
        Whether to return the metadata too.

    Returns
    -------
    model : estimator
        The fitted model.
    metadata : dict
        Information about the model, empty if the file has none. Only with
        ``return_metadata=True``.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ModelFileError
        If the file is of another kind or damaged, or if its model is not a fitted
        classifier. For files of :func:`save_model` the checksum of the file is
        verified, for other files that of each network of this package. The whole
        content of ``.safetensors`` files is checked.
    """
    path = Path(path)
    content, metadata = _read(path)
    try:
        _check_fitted_classifier(path, content)
    except ModelFileError:
        raise
    except Exception as error:  # whatever a model raises that lacks a part
        raise ModelFileError(
            f"{path} holds a {type(content).__name__} that is damaged, or was written "
            f"by another version of its package ({type(error).__name__}: {error})."
        ) from error
    _logger.info("%s read from %s", type(content).__name__, path)
    return (content, metadata) if return_metadata else content


def _read(path):
    """Return what a file holds as the model, and its metadata."""
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # a pipe may never end
        raise ModelFileError(f"{path} is not a model file: it is not a regular file.")
    with path.open("rb") as file:
        start = file.read(N_BYTES)
        if not start:
            raise ModelFileError(f"{path} cannot be loaded as a model: it is empty.")
        is_alike = _safetensors.looks_alike(start)
        is_named_so = path.suffix.lower() == SUFFIX
        if not (is_alike or is_named_so):
            return _joblib.read(path, file)
        other = None if is_alike else foreign_kind(path, start)
        # People may open a file of this name who would not open a pickle.
        if not is_alike and _joblib.looks_alike(start):
            other = (
                "one of joblib or pickle, which may run code. If you trust it, give it "
                "a name that ends in .joblib"
            )
        if other is not None:
            raise ModelFileError(f"{path} is not a {SUFFIX} file but {other}.")
        try:
            return _safetensors.read(file)
        except ModelFileError as error:
            what = "" if is_named_so else "is a safetensors file and "
            raise ModelFileError(
                f"{path} {what}cannot be loaded as a model: {error}."
            ) from error


def _check_fitted_classifier(path, model):
    if not _predicts(model):
        raise ModelFileError(
            f"{path} holds an object of type {type(model).__name__}, not a fitted "
            "classifier."
        )
    kind = other_kind(model)
    if kind is not None:
        raise ModelFileError(
            f"{path} holds a {kind} ({type(model).__name__}); expected a fitted "
            "classifier."
        )
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ModelFileError(
            f"{path} holds a {type(model).__name__} that is not fitted."
        ) from None
