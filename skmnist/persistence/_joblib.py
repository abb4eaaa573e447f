"""Model files of joblib: any fitted estimator, with words about it and a checksum."""

import hashlib
import os
import pickle
import re

import joblib

import skmnist
from skmnist._inference.integrity import NetworkStateError
from skmnist.datasets._content import N_BYTES
from skmnist.persistence._compression import (
    CompressedDataError,
    compressed,
    compression_of,
    decompress,
)
from skmnist.persistence._endings import foreign_kind
from skmnist.persistence._schema import ModelFileError

__all__ = ["looks_alike", "read", "write"]

_FORMAT = "skmnist model"
# 2: a checksum of all bytes follows the pickle, where joblib.load does not look. It is
# compressed with the rest.
_FORMAT_VERSION = 2
_SEAL = b"skmnist sha256 %s\n"
_SEAL_SIZE = len(_SEAL % bytes(64))
_CHUNK = 1 << 20
# What pickle raises, depending on what it meets and on the version of Python.
_UNPICKLABLE = (pickle.PicklingError, AttributeError, TypeError)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")


def write(model, metadata, file, compress):
    """Write a model to a binary file, compressed as :func:`joblib.dump` takes it."""
    content = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "skmnist_version": skmnist.__version__,
        "metadata": metadata,
        "model": model,
    }
    with compressed(file, compress) as packed:
        writer = _ChecksumWriter(packed)
        try:
            joblib.dump(content, writer)
        except _UNPICKLABLE as error:
            raise pickle.PicklingError(
                f"{_culprit(model)} cannot be pickled, so the model cannot be saved "
                f"({error}). Functions and classes must be importable for that. Define "
                "them at the top of a module, not inside of a function."
            ) from error
        packed.write(writer.seal())


def _culprit(model):
    """Name the parameter that cannot be pickled, the innermost one of several."""
    names = [
        name for name, part in model.get_params().items() if not _is_picklable(part)
    ]
    names.reverse()  # the step itself, and not the list of steps
    return max(names, key=lambda name: name.count("__"), default="The model")


def _is_picklable(part):
    try:
        pickle.dumps(part)
    except _UNPICKLABLE:
        return False
    return True


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
    return _PICKLE.match(start) is not None or compression_of(start) is not None


def read(path, file):
    """Return what a file holds as the model, and its metadata, empty if it has none.

    All that can be checked is checked before joblib reads the file: it would read
    some damaged files for ever, and take damaged numbers for good ones. Raises
    ModelFileError, which names `path`.
    """
    content, is_verified = _read_named(path, file)
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


def _read_named(path, file):
    """Return what a file holds, with errors that name it, and if it was verified."""
    file.seek(0)
    start = file.read(N_BYTES)
    kind, cause = foreign_kind(path, start), None
    # The first protocol of pickle looks like text.
    if kind is None or kind.startswith("text"):
        try:
            return _read_checked(file, compression_of(start))
        except (ModelFileError, NetworkStateError) as error:
            reason, cause, kind = error, error, None
        except MemoryError as error:
            reason = "it is damaged, or needs more memory than there is"
            cause, kind = error, None
        except Exception as error:
            reason, cause = _reason(error), error
    if kind is not None:
        raise ModelFileError(
            f"{path} is not a model file of save_model or joblib.dump but {kind}."
        ) from cause
    raise ModelFileError(f"{path} cannot be loaded as a model: {reason}.") from cause


def _reason(error):
    """Say why a file that may be one of joblib cannot be read."""
    if isinstance(error, CompressedDataError):
        return error
    if isinstance(error, ImportError) and error.name is not None:
        return (
            f"it needs the module {error.name!r}, which cannot be imported here: "
            "install its package or, if it is your own, add its folder to PYTHONPATH"
        )
    if isinstance(error, AttributeError) and " on <module " in str(error):
        return (
            "it needs a function or class that its module does not have here "
            f"({error}): define it in a module that can be imported, under the name "
            "that it had when the model was saved"
        )
    return (
        "it is not a model file, is damaged, or needs packages or versions that are "
        f"not installed ({type(error).__name__}: {error})"
    )


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
