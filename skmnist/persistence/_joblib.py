"""Model files of joblib: any fitted estimator, with words about it and a checksum."""

import hashlib
import os

import joblib

import skmnist
from skmnist._inference.integrity import NetworkStateError
from skmnist.persistence._compression import (
    CompressedDataError,
    compressed,
    compression_of,
    decompress,
)
from skmnist.persistence._schema import ModelFileError

__all__ = ["looks_alike", "read", "write"]

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
    b"\x08": "an ONNX model (.onnx), or something else that is no model file",
    b"ZF": "a file of joblib 0.9 or older",
}

_TEXT = {*b"\t\r\n", *range(32, 127)}


def write(model, metadata, file, compress):
    """Write a model to a binary file.

    Parameters
    ----------
    model : estimator
        Fitted.
    metadata : dict
        Words about it.
    file : binary file
        Open for writing.
    compress : int, str or tuple of (str, int)
        As :func:`joblib.dump` takes it.
    """
    content = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "skmnist_version": skmnist.__version__,
        "metadata": metadata,
        "model": model,
    }
    with compressed(file, compress) as packed:
        writer = _ChecksumWriter(packed)
        joblib.dump(content, writer)
        packed.write(writer.seal())


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


def looks_alike(start):
    """Return whether data begin as pickles do, or as what joblib compresses."""
    return start.startswith(b"\x80") or compression_of(start) is not None


def read(path, file):
    """Return the object and the metadata in a file.

    All that can be checked is checked before joblib reads the file: it would read
    some damaged files for ever, and take damaged numbers for good ones.

    Parameters
    ----------
    path : pathlib.Path
        Its name, for errors.
    file : binary file
        Open for reading.

    Returns
    -------
    content : object
        Whatever it holds as the model.
    metadata : dict
        Words about it; empty where there are none.

    Raises
    ------
    ModelFileError
        If it is of another kind, damaged, or of a version that is not known.
    """
    file.seek(0)
    start = file.read(64)
    for signature, kind in _OTHER_KINDS.items():
        if start.startswith(signature):
            raise ModelFileError(
                f"{path} is no model file: it is {kind}. Model files are written "
                "by save_model, joblib.dump or 'skmnist train --out'."
            )
    if not start:
        raise ModelFileError(f"{path} cannot be loaded as a model: it is empty.")
    content, is_verified = _read_named(path, file, start)
    if not (isinstance(content, dict) and content.get("format") == _FORMAT):
        return content, {}
    _check_version(path, content, is_verified)
    metadata = content.get("metadata", {})
    if not isinstance(metadata, dict):
        raise ModelFileError(
            f"{path} has metadata of type {type(metadata).__name__}; expected a "
            "dict, as save_model writes it."
        )
    return content.get("model"), metadata


def _read_named(path, file, start):
    """Return what a file holds, with errors that name it, and if it was verified."""
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
