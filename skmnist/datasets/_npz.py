"""Numpy archives in the layout of Keras: x_train, y_train, x_test, y_test."""

import io
import math
import zipfile
from pathlib import Path

import numpy as np

from skmnist._numbers import by
from skmnist.datasets._arrays import as_labels, as_pixels
from skmnist.datasets._files import MAX_UNPACKED, DataFormatError, replacing

_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# The other methods of zip unpack a block at once, however large it becomes.
_COMPRESSION = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def read_npz(path):
    """Read all arrays of a numpy archive.

    Unlike :func:`numpy.load`, it checks each array's header against what is
    there before any memory is set aside. Pickled objects, which could run code,
    are refused.

    Parameters
    ----------
    path : str or path-like
        The ``.npz`` file.

    Returns
    -------
    dict of str to ndarray
        The arrays by name. The file that Keras leaves has ``x_train`` and
        ``x_test`` of shape (n_images, height, width), ``y_train`` and ``y_test``
        of shape (n_images,), all uint8.

    Raises
    ------
    DataFormatError
        If the file is no zip archive, is damaged, or holds pickled objects.
    FileNotFoundError
        If there is no such file.

    See Also
    --------
    write_npz : Write such a file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import load_digits, read_npz, write_npz
    >>> digits = load_digits()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "mnist.npz"
    ...     write_npz(path, digits.images, digits.target)
    ...     {name: array.shape for name, array in read_npz(path).items()}
    {'x_train': (1797, 8, 8), 'y_train': (1797,)}
    """
    stored = Path(path).read_bytes()
    try:
        arrays = dict(_arrays(stored, path))
    except (DataFormatError, MemoryError):
        raise
    except Exception as err:
        # zipfile, zlib and numpy's header reader raise a dozen kinds of error on
        # damaged bytes; the file itself has been read, so all of them mean that.
        reason = " ".join(str(err).split()) or type(err).__name__
        raise DataFormatError(
            f"{path}: not a numpy archive (.npz), or a damaged one ({reason})"
        ) from err
    if not arrays:
        raise DataFormatError(f"{path}: this archive holds no arrays")
    return arrays


def _arrays(stored, path):
    """Yield name and array of each member of an archive."""
    if not stored.startswith(b"PK\x03\x04"):  # zipfile would skip other bytes
        raise zipfile.BadZipFile("it does not begin as a zip file does")
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        members = archive.infolist()
        n_bytes = sum(member.file_size for member in members)
        if n_bytes > max(MAX_UNPACKED, len(stored)):
            raise DataFormatError(
                f"{path}: this archive unpacks to {n_bytes:,} bytes, "
                f"more than the limit of {MAX_UNPACKED:,}"
            )
        for member in members:
            if member.compress_type not in _COMPRESSION:
                raise DataFormatError(
                    f"{path}: {member.filename!r} is compressed in a way that numpy "
                    "does not use"
                )
            if member.filename.endswith(".npy"):
                name = member.filename.removesuffix(".npy")
                yield name, _array(archive.read(member), f"{path}, array {name!r}")


def _array(data, name):
    """Decode one array, after checking that its header is true."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _READ_HEADER:
        raise DataFormatError(f"{name}: unknown version {version} of numpy's format")
    shape, _, dtype = _READ_HEADER[version](stream)
    if dtype.hasobject:
        raise DataFormatError(
            f"{name}: holds pickled objects, which are refused because loading "
            "them can run code; expected numbers"
        )
    if dtype.kind not in "biufc":
        raise DataFormatError(f"{name}: holds values of type {dtype}, expected numbers")
    if min(shape, default=1) < 0:
        raise DataFormatError(f"{name}: has a negative size ({by(shape)})")
    n_bytes, found = math.prod(shape) * dtype.itemsize, len(data) - stream.tell()
    if n_bytes != found:
        raise DataFormatError(
            f"{name}: its header promises {by(shape)} values ({n_bytes:,} bytes), "
            f"found {found:,} bytes"
        )
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def write_npz(path, X_train, y_train, X_test=None, y_test=None):
    """Write images and labels to a compressed numpy archive as Keras keeps MNIST.

    The arrays are named ``x_train``, ``y_train``, ``x_test`` and ``y_test``. The
    file appears under its name only when it is complete. Called ``mnist.npz``
    it is found by `fetch_mnist` and `load_idx`.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    X_train : array-like of shape (n_images, height, width) or (n_images, n_pixels)
        Training images, whole numbers from 0 to 255. Flat rows must be square
        images and are written as such.
    y_train : array-like of shape (n_images,)
        Training labels, whole numbers from 0.
    X_test : array-like of shape (n_images, height, width) or (n_images, n_pixels), \
default=None
        Test images. A set without a test part leaves both out.
    y_test : array-like of shape (n_images,), default=None
        Test labels.

    Raises
    ------
    ValueError
        If there are no images, the numbers of images and labels differ, values
        are no whole numbers in range, flat images are not square, or only one
        of `X_test` and `y_test` is given.

    See Also
    --------
    read_npz : Read such a file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import load_digits, load_idx, write_npz
    >>> X, y = load_digits(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_npz(pathlib.Path(folder) / "mnist.npz", X[:1500], y[:1500],
    ...               X[1500:], y[1500:])
    ...     load_idx(folder, "test").images.shape
    (297, 8, 8)
    """
    if (X_test is None) != (y_test is None):
        raise ValueError("give both X_test and y_test, or neither")
    arrays = _images_and_labels("train", X_train, y_train)
    if X_test is not None:
        arrays |= _images_and_labels("test", X_test, y_test)
    with replacing(path) as file:
        np.savez_compressed(file, **arrays)


def _images_and_labels(split, X, y):
    """Check one part of a set and give it the names and types that Keras uses."""
    images = as_pixels(X, f"X_{split}")
    if images.ndim == 2:
        side = math.isqrt(images.shape[1])
        if side * side != images.shape[1]:
            raise ValueError(
                f"X_{split}: {images.shape[1]:,} pixels are no square image; "
                "give the images in shape (n_images, height, width)"
            )
        images = images.reshape(-1, side, side)
    if images.ndim != 3:
        raise ValueError(
            f"X_{split} must have the shape (n_images, height, width), "
            f"got {by(images.shape)}"
        )
    labels = as_labels(y, len(images), f"y_{split}")
    narrow = np.uint8 if labels.max() <= 255 else np.int64
    return {f"x_{split}": images, f"y_{split}": labels.astype(narrow)}
