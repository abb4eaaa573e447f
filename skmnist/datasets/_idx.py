"""The IDX format: a magic number, the sizes, then big-endian values."""

from __future__ import annotations

import gzip
import math
import os
import stat
import struct
from typing import TYPE_CHECKING

import numpy as np

from skmnist._numbers import by
from skmnist.datasets._content import N_BYTES, kind_of
from skmnist.datasets._files import (
    DataFormatError,
    check_unpacked_size,
    count_up_to,
    is_large,
    open_data,
    read_up_to,
    replacing_data,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_TYPES = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CODES = {(dtype.kind, dtype.itemsize): code for code, dtype in _TYPES.items()}
_MAX_DIMS = 64  # of a numpy array


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an array from an IDX file.

    IDX is the format of MNIST and of many data sets modelled on it. All six data types
    and 1 to 64 dimensions are supported.

    Parameters
    ----------
    path : str or path-like
        The file, plain or gzipped. Gzip is detected from the content, but a file whose
        name ends in ``.gz`` must be gzipped.

    Returns
    -------
    ndarray
        The array in native byte order, of type uint8, int8, int16, int32, float32 or
        float64. It is writable and not shared.

    Raises
    ------
    DataFormatError
        If the file is empty, damaged, not in IDX format, shorter or longer than its
        header says, or not gzipped although its name ends in ``.gz``. If the file is of
        another known kind, such as a web page, the message says so. Also if a gzip file
        unpacks to more than 1 GiB, or to more than 64 MiB and 100 times its own size.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    write_idx : Write an array to an IDX file.
    load_idx : Load images and labels from a folder of IDX files.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from skmnist.datasets import read_idx, write_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "labels-idx1-ubyte.gz"
    ...     write_idx(path, np.array([5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    with open_data(path) as stream:
        dtype, shape = _read_header(stream, path)
        n_bytes = math.prod(shape) * dtype.itemsize
        check_unpacked_size(path, stream, n_bytes)
        found = _count_values(stream, n_bytes)
        if found == n_bytes:
            data = read_up_to(stream, n_bytes)
            found = len(data) + len(stream.read(1))
    if found != n_bytes:
        raise DataFormatError(f"{path}: {_mismatch(dtype, shape, n_bytes, found)}")
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _count_values(stream, n_bytes):
    """Return how many bytes follow the header, where that can be known beforehand.

    Otherwise the answer is `n_bytes`, and reading will show.
    """
    if not isinstance(stream, gzip.GzipFile):
        status = os.fstat(stream.fileno())
        if stat.S_ISREG(status.st_mode):
            return status.st_size - stream.tell()
    elif is_large(n_bytes):
        position = stream.tell()
        n_found = count_up_to(stream, n_bytes + 1)
        stream.seek(position)
        return n_found
    return n_bytes


def _mismatch(dtype, shape, n_bytes, found):
    """Say that the header of a file promises more values than follow, or fewer."""
    promise = f"its header promises {by(shape)} values ({n_bytes:,} bytes)"
    swapped = tuple(int.from_bytes(size.to_bytes(4, "little")) for size in shape)
    if math.prod(swapped) * dtype.itemsize == found:
        return (
            f"the sizes in its IDX header are little-endian, {by(swapped)}; "
            f"IDX is big-endian, so that {promise}"
        )
    if found < n_bytes:
        return (
            f"this IDX file is cut short: {promise}, but only {found:,} "
            f"{'follows' if found == 1 else 'follow'}"
        )
    return f"{promise}, but more follow"


def _read_header(stream, path):
    """Read value type and shape, refusing what no array can have."""
    start = stream.peek(N_BYTES)[:N_BYTES]
    magic = stream.read(4)
    if not magic:
        raise DataFormatError(f"{path}: the file is empty, expected IDX data")
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES:
        kind = kind_of(start)
        if kind not in (None, "an IDX file"):
            raise DataFormatError(f"{path}: not an IDX file but {kind}")
        hint = ""
        if magic[2:] == b"\0\0" and magic[1] in _TYPES:
            hint = "; it is little-endian, and IDX is big-endian"
        raise DataFormatError(
            f"{path}: not an IDX file: its magic number is {magic.hex(' ')}, expected "
            "00 00, a value type (08, 09, 0b, 0c, 0d or 0e) and the number of "
            f"dimensions, as in 00 00 08 03{hint}"
        )
    n_dims = magic[3]
    if not 1 <= n_dims <= _MAX_DIMS:
        raise DataFormatError(
            f"{path}: the IDX header gives {n_dims} dimensions, "
            f"expected 1 to {_MAX_DIMS}"
        )
    sizes = stream.read(4 * n_dims)
    if len(sizes) < 4 * n_dims:
        raise DataFormatError(
            f"{path}: this IDX file is cut short within the sizes of its "
            f"{n_dims} dimensions"
        )
    shape = struct.unpack(f">{n_dims}I", sizes)
    if 0 in shape:
        raise DataFormatError(f"{path}: this IDX file holds no data ({by(shape)})")
    return _TYPES[magic[2]], shape


def write_idx(path: str | os.PathLike, array: ArrayLike) -> None:
    """Write an array to an IDX file.

    The file appears, or replaces an existing one, only when it is complete.

    Parameters
    ----------
    path : str or path-like
        The file to write, gzipped if its name ends in ``.gz``. The files of MNIST are
        named ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``.
    array : array-like
        Numbers in 1 to 64 dimensions, not empty. The types of the format (uint8, int8,
        int16, int32, float32, float64) are kept. Other integers, such as int64 labels,
        are converted to the first of uint8, int8, int16 and int32 that holds all
        values, and float16 to float32.

    Raises
    ------
    TypeError
        If the array does not contain real numbers of at most 64 bits.
    ValueError
        If the array is empty or a scalar, or an integer needs more than 32 bits.

    See Also
    --------
    read_idx : Read an array from an IDX file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import load_digits, load_idx, write_idx
    >>> digits = load_digits()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     folder = pathlib.Path(folder)
    ...     write_idx(folder / "train-images-idx3-ubyte", digits.images)
    ...     write_idx(folder / "train-labels-idx1-ubyte", digits.target)
    ...     load_idx(folder, "train").image_shape
    (8, 8)
    """
    header, values = idx_parts(array)
    with replacing_data(path) as file:
        file.write(header)
        file.write(values.data)


def idx_parts(array):
    """Return the header of an array in IDX format, and its values as stored."""
    array = np.asarray(array)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"an IDX file holds at least one value, got {array!r}")
    if max(array.shape) >= 1 << 32:
        raise ValueError(f"an IDX dimension is below 2**32, got {by(array.shape)}")
    code = _type_code(array)
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header, np.ascontiguousarray(array, dtype=_TYPES[code])


def _type_code(array):
    """Choose the IDX value type that holds the array without loss."""
    dtype = array.dtype
    if (dtype.kind, dtype.itemsize) in _CODES:
        return _CODES[dtype.kind, dtype.itemsize]
    if dtype.kind == "f" and dtype.itemsize < 4:
        return _CODES["f", 4]
    if dtype.kind not in "biu":
        raise TypeError(
            f"an IDX file holds integers or floats of at most 64 bits, got {dtype}"
        )
    low, high = int(array.min()), int(array.max())
    for code in (0x08, 0x09, 0x0B, 0x0C):
        limits = np.iinfo(_TYPES[code])
        if limits.min <= low and high <= limits.max:
            return code
    raise ValueError(
        f"an IDX file holds integers of at most 32 bits, got values up to {high:,} "
        f"and down to {low:,}"
    )
