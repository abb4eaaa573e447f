"""Model files in safetensors: arrays, and a description as JSON in their metadata.

Nothing in such a file is run. What it may hold is in ``docs/safetensors.md``.
"""

import hashlib
import json
import os
import struct

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

import skmnist
from skmnist._warnings import warn_caller
from skmnist.persistence._description import describe, rebuild
from skmnist.persistence._endings import SUFFIX
from skmnist.persistence._schema import (
    ANYTHING,
    OBJECT,
    STRING,
    ModelFileError,
    Rule,
    check,
    count,
    is_string,
    not_writable,
    plain,
    shortened,
)
from skmnist.persistence._values import MAX_VALUE_DEPTH, NotPlainError, encoded, parse

__all__ = ["as_bytes", "looks_alike", "read"]

_KEY = "skmnist"  # of the metadata of the file
_SCHEMA = "skmnist model"
_VERSION = 1
# The checksum is of the description with this in its place.
_NO_CHECKSUM = "0" * 64
# Descriptions are a few kilobytes, and a few megabytes with names of many columns.
_MAX_HEADER = 1 << 24
_LENGTH = struct.Struct("<Q")  # of the header, before it
_MOST_WORDS = 300  # characters of a message
_DESCRIPTION = {
    "schema": ANYTHING,
    "schema_version": count(1, _VERSION),
    "skmnist_version": STRING,
    "sha256": Rule(
        "64 digits",
        lambda value: is_string(value) and len(value) == len(_NO_CHECKSUM),
    ),
    "metadata": plain("an object", OBJECT.is_allowed),
    "model": ANYTHING,
}


def as_bytes(model, metadata, path):
    """Return the content of a model file: the same for the same model and metadata.

    `path` is what the file will be called, for warnings. Raises TypeError for parts
    that such files do not hold, ValueError for values that are not allowed.
    """
    described, tensors, lost = describe(model)
    metadata = _encoded(metadata)
    parts = (_SCHEMA, _VERSION, skmnist.__version__, _NO_CHECKSUM, metadata, described)
    description = dict(zip(_DESCRIPTION, parts, strict=True))
    text = json.dumps(description, separators=(",", ":"))
    tensors = {
        name: np.array(array, array.dtype.newbyteorder("<"), order="C", copy=None)
        for name, array in tensors.items()
    }
    try:  # what cannot be read again is not written
        rebuild(_checked_description(text)["model"], tensors)
    except Exception as error:  # whatever wrong parameters lead to
        raise ValueError(
            f"This model cannot be written to a {SUFFIX} file: {error}."
        ) from error
    if lost:
        warn_caller(
            f"{path} does not keep {', '.join(lost)}. The loaded model predicts the "
            "same, but further training uses the defaults, such as optimizer='adam'. A "
            ".joblib file may keep them; instances of Keras optimizers are kept here "
            "too."
        )
    text = text.replace(_NO_CHECKSUM, _checksum(text, tensors), 1)
    content = save(tensors, {_KEY: text})
    (length,) = _LENGTH.unpack_from(content)
    if length > _MAX_HEADER:
        raise ValueError(
            f"metadata and the description of this model take {length:,} bytes; a "
            f"{SUFFIX} file may have {_MAX_HEADER:,}."
        )
    return content


def _encoded(metadata):
    """Return metadata for JSON, or refuse what cannot be written or read again."""
    for key, value in metadata.items():
        place = f"metadata[{shortened(key)}]"
        try:
            parse(json.dumps(encoded({key: value})))
        except NotPlainError as error:
            raise not_writable(
                f"{place}={shortened(value)}: only None, booleans, numbers of up to 64 "
                "bits, strings, and lists, tuples and dicts of these, nested at most "
                f"{MAX_VALUE_DEPTH - 1} deep"
            ) from error
        except ValueError as error:
            raise ValueError(
                f"A {SUFFIX} file cannot hold {place}: {error}."
            ) from error
    return encoded(metadata)


def _checksum(text, tensors):
    """Return the SHA-256 of a description without its checksum, and of all tensors."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = tensors[name]
        kind, n_bits = array.dtype.kind.upper(), 8 * array.dtype.itemsize
        dtype = "BOOL" if kind == "B" else f"{kind}{n_bits}"  # as in the header
        digest.update(json.dumps([name, dtype, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()


def looks_alike(start):
    """Return whether data begin as a safetensors file does: a length, then an object.

    Files of joblib never do.
    """
    return start[8:9] == b"{" and start[5:8] == bytes(3)


def read(file):
    """Return the model and the metadata in a binary file.

    Raises ModelFileError if it is damaged, of another kind, or holds what is not
    allowed. The message does not name the file.
    """
    try:
        description, tensors = _parts(file)
        return rebuild(description["model"], tensors), description["metadata"]
    except MemoryError as error:
        reason, cause = "it needs more memory than there is", error
    except Exception as error:  # of whatever part of it was not checked before
        reason, cause = str(error) or type(error).__name__, error
    raise ModelFileError(reason[:_MOST_WORDS].rstrip(".")) from cause


def _parts(file):
    """Return the description and the tensors, which agree with their checksum."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(_LENGTH.size)
    if len(start) < _LENGTH.size:
        raise ModelFileError("it is shorter than any safetensors file")
    (length,) = _LENGTH.unpack(start)
    if length > min(size - _LENGTH.size, _MAX_HEADER):
        raise ModelFileError(
            f"its header is said to take {length:,} bytes; the file has {size:,}, and "
            f"headers of models at most {_MAX_HEADER:,}. It is damaged or cut short"
        )
    header = _parsed(file.read(length).decode(), "its header")
    notes = header.get("__metadata__") if isinstance(header, dict) else None
    text = notes.get(_KEY) if isinstance(notes, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(
            "it is a safetensors file without the description of a model of skmnist"
        )
    description = _checked_description(text)
    file.seek(0)
    try:
        tensors = load(file.read(size))
    except SafetensorError as error:
        raise ModelFileError(f"it is damaged: {error}") from error
    except KeyError as error:
        raise ModelFileError(f"it has a tensor of the type {error}") from error
    checksum = description["sha256"]
    if checksum != _checksum(text.replace(checksum, _NO_CHECKSUM, 1), tensors):
        raise ModelFileError("what it holds does not agree with its checksum")
    return description, tensors


def _parsed(text, name):
    try:
        return parse(text)
    except ValueError as error:
        raise ModelFileError(f"{name} cannot be read: {error}") from error


def _checked_description(text):
    """Return the description in a text, of a version that is known."""
    description = _parsed(text, "its description")
    if not isinstance(description, dict) or description.get("schema") != _SCHEMA:
        raise ModelFileError(f"its description has another schema than {_SCHEMA!r}")
    version = description.get("schema_version")
    if type(version) is int and version > _VERSION:
        written = shortened(description.get("skmnist_version", "?"))
        raise ModelFileError(
            f"it has version {version} of the schema, and skmnist "
            f"{skmnist.__version__} reads versions up to {_VERSION}. It was written by "
            f"skmnist {written}: upgrade"
        )
    return check(description, _DESCRIPTION, "its description")
