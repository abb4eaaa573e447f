"""Fitted models, written to files and read from them."""

import hashlib
import os
import stat
from pathlib import Path

import joblib
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

import skmnist
from skmnist._estimators import other_kind
from skmnist._inference.integrity import NetworkStateError
from skmnist.datasets._files import replacing
from skmnist.persistence._compression import (
    CompressedDataError,
    compressed,
    compression_of,
    decompress,
)

__all__ = ["ModelFileError", "load_model", "save_model"]

_FORMAT = "skmnist model"
# 2: a checksum of all bytes follows the pickle, where joblib.load does not look. It is
# compressed with the rest.
_FORMAT_VERSION = 2
_SEAL = b"skmnist sha256 %s\n"
_SEAL_SIZE = len(_SEAL % bytes(64))
_CHUNK = 1 << 20

# What a file that is no pickle begins with, and what it probably is.
_OTHER_KINDS = {
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"PK\x03\x04": "a zip archive, such as a Keras model (.keras) or .npz",
    b"\x89HDF": "an HDF5 file, such as Keras weights (.h5)",
    b"\x89PNG": "a PNG picture",
    b"\x00\x00\x08": "an IDX file",
    b"{": "a text file, perhaps JSON",
    b"ZF": "a file of joblib 0.9 or older",
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
    compress : int, str or tuple of (str, int), default=3
        Degree of compression, from 0 (none) to 9; or a method of
        :func:`joblib.dump`, such as ``"xz"``; or both.

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
    ValueError
        If there is no such compression.
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
    with replacing(path) as file, compressed(file, compress) as packed:
        writer = _ChecksumWriter(packed)
        joblib.dump(content, writer)
        packed.write(writer.seal())
    return path


class _ChecksumWriter:
    """Passes on what is written, and keeps its checksum."""

    def __init__(self, file):
        self._file = file
        self._digest = hashlib.sha256()
        self._n_bytes = 0

    def write(self, data):
        self._digest.update(data)
        self._n_bytes += len(data)
        self._file.write(data)

    def tell(self):  # joblib aligns arrays by it
        return self._n_bytes

    def seal(self):
        return _seal(self._digest)


def _seal(digest):
    return _SEAL % digest.hexdigest().encode()


def _is_verified(file):
    """Return whether a file ends in its checksum.

    Raises ModelFileError if that is the checksum of something else.
    """
    n_left = file.seek(0, os.SEEK_END) - _SEAL_SIZE
    if n_left < 0:
        return False
    file.seek(n_left)
    seal = file.read()
    if not seal.startswith(_SEAL.partition(b"%")[0]):
        return False
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(min(n_left, _CHUNK)):
        digest.update(chunk)
        n_left -= len(chunk)
    if seal != _seal(digest):
        raise ModelFileError("what it holds does not agree with its checksum")
    return True


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
        If it is a file of another kind, if its model is not fitted or no classifier,
        or if it is damaged. The checksum of a file of :func:`save_model` is verified;
        in other files, that of each network of this package.
    """
    path = Path(path)
    content, is_verified = _read(path)
    metadata = {}
    if isinstance(content, dict) and content.get("format") == _FORMAT:
        _check_version(path, content, is_verified)
        metadata, content = content.get("metadata", {}), content.get("model")
        if not isinstance(metadata, dict):
            raise ModelFileError(
                f"{path} has metadata of type {type(metadata).__name__}; expected a "
                "dict, as save_model writes it."
            )
    try:
        _check_fitted_classifier(path, content)
    except ModelFileError:
        raise
    except Exception as error:  # whatever a model raises that lacks a part
        raise ModelFileError(
            f"{path} holds a {type(content).__name__} that is damaged, or was written "
            f"by another version of its package ({type(error).__name__}: {error})."
        ) from error
    return (content, metadata) if return_metadata else content


def _read(path):
    """Return what a file holds, and whether its checksum was verified.

    All that can be checked is checked before joblib reads the file: it would read
    some damaged files for ever, and take damaged numbers for good ones.
    """
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # a pipe may never end
        raise ModelFileError(f"{path} is no model file: it is not a regular file.")
    with path.open("rb") as file:
        start = file.read(64)
        for signature, kind in _OTHER_KINDS.items():
            if start.startswith(signature):
                raise ModelFileError(
                    f"{path} is no model file: it is {kind}. Model files are written "
                    "by save_model, joblib.dump or 'skmnist train --out'."
                )
        if not start:
            raise ModelFileError(f"{path} cannot be loaded as a model: it is empty.")
        try:
            return _read_checked(file, compression_of(start))
        except (ModelFileError, NetworkStateError) as error:
            reason, cause = error, error
        except MemoryError as error:
            reason, cause = "it is damaged, or needs more memory than there is", error
        except Exception as error:
            cause = error
            if all(byte in _TEXT for byte in start):
                reason = "it looks like a text file"
            elif isinstance(error, CompressedDataError):
                reason = error
            else:
                reason = (
                    "it is no model file, is damaged, or needs packages or versions "
                    f"that are not installed ({type(error).__name__}: {error})"
                )
    raise ModelFileError(f"{path} cannot be loaded as a model: {reason}.") from cause


def _read_checked(file, compression):
    file.seek(0)
    if compression is not None:
        file = decompress(file, compression)
        if compression_of(file.read(8)) is not None:
            raise ModelFileError("it is compressed twice")
    is_verified = _is_verified(file)
    file.seek(0)
    return joblib.load(file), is_verified


def _check_version(path, content, is_verified):
    """Refuse a file of a format that this version does not read."""
    version = content.get("format_version")
    if not isinstance(version, int):
        raise ModelFileError(
            f"{path} calls itself a {_FORMAT}, but gives "
            + ("no" if version is None else f"{version!r} as its")
            + " format_version: save_model did not write it, or not like this."
        )
    if version not in range(1, _FORMAT_VERSION + 1):
        raise ModelFileError(
            f"{path} has version {version} of the format for model files; skmnist "
            f"{skmnist.__version__} reads versions 1 to {_FORMAT_VERSION}. It was "
            f"written by skmnist {content.get('skmnist_version', '?')}: upgrade."
        )
    if version > 1 and not is_verified:
        raise ModelFileError(
            f"{path} is damaged: it does not end in its checksum. It was cut short, or "
            "something was added to it."
        )


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
