"""NumPy archives in the layout of Keras: x_train, y_train, x_test, y_test."""

from __future__ import annotations

import itertools
import math
import mmap
import re
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from skmnist._numbers import by
from skmnist.datasets._arrays import as_labels, as_pixels
from skmnist.datasets._content import N_BYTES, kind_of
from skmnist.datasets._files import (
    DataFormatError,
    count_up_to,
    is_large,
    refuse_bomb,
    replacing,
)
from skmnist.datasets._npy import check_header, damage_named

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import ArrayLike

# The other methods of zip unpack a block at once, however large it becomes.
_COMPRESSION = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_MAX_MEMBERS = 1000  # four make a set


def read_npz(path: str | PathLike) -> dict[str, np.ndarray]:
    """Read all arrays of a NumPy archive.

    Unlike :func:`numpy.load`, it checks the header of each array against the size of
    the file before it allocates memory. Pickled objects, which could run code, are
    refused.

    Parameters
    ----------
    path : str or path-like
        The ``.npz`` file.

    Returns
    -------
    dict of str to ndarray
        The arrays by name. The file of Keras has ``x_train`` and ``x_test`` of shape
        (n_images, height, width), ``y_train`` and ``y_test`` of shape (n_images,), all
        uint8.

    Raises
    ------
    DataFormatError
        If the file is damaged, is not a zip archive, or contains pickled objects. If it
        is of another known kind, the message says so. Also if it unpacks to more than 1
        GiB, or to more than 64 MiB and 100 times its own size, or has more than 1,000
        members.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    write_npz : Write images and labels to a NumPy archive.

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
    with open(path, "rb") as file:
        start = file.peek(N_BYTES)[:N_BYTES]
        if not start.startswith(b"PK\x03\x04"):  # zipfile would skip other bytes
            kind = kind_of(start) or ("something else" if start else "an empty file")
            raise DataFormatError(f"{path}: not a numpy archive (.npz) but {kind}")
        with damage_named(path, "a numpy archive (.npz)"):
            n_stored = _check_number(file, path)
            with zipfile.ZipFile(file) as archive:
                arrays = _read_arrays(archive, n_stored, path)
    if not arrays:
        raise DataFormatError(f"{path}: this archive holds no arrays")
    return arrays


def _check_number(file, path):
    """Refuse very many members before zipfile lists them; return the file's size."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stored:
        headers = re.finditer(rb"PK\x01\x02", stored)
        too_many = next(itertools.islice(headers, _MAX_MEMBERS, None), None)
        del headers  # which holds on to the map
        n_stored = len(stored)
    if too_many is not None:
        raise DataFormatError(
            f"{path}: this archive has more than {_MAX_MEMBERS:,} members; "
            "not one of images and labels"
        )
    return n_stored


def _read_arrays(archive, n_stored, path):
    """Read the arrays of an archive by name, once all have been found in order."""
    members = archive.infolist()
    n_bytes = sum(member.file_size for member in members)
    refuse_bomb(f"{path}: this archive", n_stored, n_bytes)
    for member in members:
        if member.compress_type not in _COMPRESSION:
            raise DataFormatError(
                f"{path}: {member.filename!r} is compressed in a way that numpy "
                "does not use"
            )
    members = [member for member in members if member.filename.endswith(".npy")]
    for member in members:
        name = member.filename.removesuffix(".npy")
        with archive.open(member) as stream:
            check_header(stream, member.file_size, f"{path}, array {name!r}")
            if is_large(n_bytes):
                count_up_to(stream, member.file_size)
    arrays = {}
    for member in members:
        with archive.open(member) as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
        arrays[member.filename.removesuffix(".npy")] = array
    return arrays


def write_npz(
    path: str | PathLike,
    X_train: ArrayLike,
    y_train: ArrayLike,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
) -> None:
    """Write images and labels to a compressed NumPy archive, in the layout of Keras.

    The arrays are named ``x_train``, ``y_train``, ``x_test`` and ``y_test``. The file
    appears only when it is complete. `fetch_mnist` and `load_idx` find it if it is
    called ``mnist.npz``.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    X_train : array-like of shape (n_images, height, width) or (n_images, n_pixels)
        Training images, whole numbers from 0 to 255. Flat rows must be square images
        and are written as images.
    y_train : array-like of shape (n_images,)
        Training labels, whole numbers from 0.
    X_test : array-like of shape (n_images, height, width) or (n_images, n_pixels), \
default=None
        Test images, if the set has a test part.
    y_test : array-like of shape (n_images,), default=None
        Test labels.

    Raises
    ------
    ValueError
        If there are no images, the numbers of images and labels differ, values are not
        whole numbers in range, flat images are not square, or only one of `X_test` and
        `y_test` is given.

    See Also
    --------
    read_npz : Read the arrays of a NumPy archive.

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
                f"X_{split}: {images.shape[1]:,} pixels are not a square image; "
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
