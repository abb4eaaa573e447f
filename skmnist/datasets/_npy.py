"""Arrays in NumPy's own format, their headers checked before memory is set aside."""

import math
import os
from contextlib import contextmanager

import numpy as np

from skmnist._numbers import by
from skmnist.datasets._content import N_BYTES, kind_of
from skmnist.datasets._files import DataFormatError

_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@contextmanager
def damage_named(name, what):
    """Turn every error that damaged bytes lead to into one that names the file.

    zipfile, zlib, tokenize and numpy's header reader raise a dozen kinds of error.
    """
    try:
        yield
    except (DataFormatError, MemoryError):
        raise
    except Exception as err:
        reason = " ".join(str(err).split()) or type(err).__name__
        raise DataFormatError(
            f"{name}: not {what}, or a damaged one ({reason})"
        ) from err


def read_npy(path):
    """Read the array of a ``.npy`` file; pickled objects are refused."""
    with open(path, "rb") as file:
        start = file.peek(N_BYTES)[:N_BYTES]
        if not start.startswith(b"\x93NUMPY"):
            kind = kind_of(start) or ("something else" if start else "an empty file")
            raise DataFormatError(f"{path}: not a NumPy array (.npy) but {kind}")
        with damage_named(path, "a NumPy array (.npy)"):
            check_header(file, os.fstat(file.fileno()).st_size, path)
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)


def check_header(stream, n_stored, name):
    """Refuse an array of other things than numbers, or of another size than stored.

    Parameters
    ----------
    stream : file
        Binary, at the beginning of the array; left after its header.
    n_stored : int
        Bytes of header and values together.
    name : str or path-like
        What messages call it.
    """
    version = np.lib.format.read_magic(stream)
    if version not in _READ_HEADER:
        raise DataFormatError(f"{name}: unknown version {version} of numpy's format")
    shape, _, dtype = _READ_HEADER[version](stream)
    if dtype.hasobject:
        raise DataFormatError(
            f"{name}: holds pickled objects (dtype object), which are refused because "
            "loading them can run code; expected numbers"
        )
    if dtype.kind not in "biufc":
        raise DataFormatError(f"{name}: holds values of type {dtype}, expected numbers")
    if min(shape, default=1) < 0:
        raise DataFormatError(f"{name}: has a negative size ({by(shape)})")
    n_bytes, found = math.prod(shape) * dtype.itemsize, n_stored - stream.tell()
    if n_bytes != found:
        raise DataFormatError(
            f"{name}: its header promises {by(shape)} values ({n_bytes:,} bytes), "
            f"found {found:,} bytes"
        )
