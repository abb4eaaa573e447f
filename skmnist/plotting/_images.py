"""Images in any layout, made ready to be shown."""

import math
from numbers import Integral

import numpy as np
from sklearn.utils import _safe_indexing

from skmnist.preprocessing import ImageScaler
from skmnist.preprocessing.layout import count_rows, refuse_single_image

__all__ = [
    "check_count",
    "check_row",
    "check_rows",
    "columns_for",
    "displayed_images",
    "displayed_picture",
    "mosaic",
]


def displayed_images(X, rows, image_shape=None):
    """Return images of `X` as they are shown: floats in [0, 1], channels last.

    The range is that of the whole of `X`, or 0 to 255 for bytes, so that pictures
    of the same set compare.

    Parameters
    ----------
    X : array-like with n_samples rows
        Rows of pixels, or images in any layout that :class:`ImageScaler` reads.
    rows : ndarray of int
        The rows to return.
    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)``.

    Returns
    -------
    ndarray of shape (len(rows), height, width) or (len(rows), height, width, 3 or 4)
        New arrays.
    """
    scaler = ImageScaler(layout="channels_last", image_shape=image_shape).fit(X)
    channels = scaler.image_shape_[2]
    if channels not in (1, 3, 4):
        raise ValueError(
            f"The images have {channels} channels; 1 (grey), 3 (red, green, blue) or "
            "4 (with opacity) can be shown."
        )
    if not len(rows):
        images = np.empty((0, *scaler.image_shape_), dtype=np.float32)
    else:
        images = scaler.transform(_safe_indexing(X, rows))
    return images[..., 0] if channels == 1 else images


def displayed_picture(picture):
    """Return a picture that :class:`DigitExtractor` reads in a form for ``imshow``.

    Bytes are drawn as they are; other pixels in the range that it reads them in. The
    second of two channels is opacity.
    """
    pixels = np.asarray(picture)
    if pixels.shape[2:] == (2,):
        pixels = pixels[..., [0, 0, 0, 1]]
    if pixels.dtype == np.uint8:
        return pixels
    values = pixels.astype(np.float32)
    if pixels.dtype.kind == "u":
        return values / np.iinfo(pixels.dtype).max
    low, high = values.min(), values.max()
    return values if low >= 0 and high <= 1 else (values - low) / (high - low or 1)


def check_count(name, value):
    """Refuse what is not a number of things to show."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an int of at least 1; got {value!r}.")


def check_rows(rows, X, name="rows"):
    """Return row numbers of `X`, the parameter `name`, as integers from 0."""
    n_rows = count_rows(X)
    if not n_rows:
        raise ValueError("X has no rows, so there is no image to show.")
    if np.ndim(_safe_indexing(X, [0])) < 2:
        refuse_single_image(np.asarray(X))
    try:
        numbers = np.atleast_1d(np.asarray(rows))
    except ValueError:
        numbers = np.empty(0)
    if numbers.dtype == bool and numbers.shape == (n_rows,):
        numbers = np.flatnonzero(numbers)
    if numbers.ndim != 1 or not len(numbers) or numbers.dtype.kind not in "iu":
        raise ValueError(f"{name} must be one or more row numbers; got {rows!r}.")
    if numbers.min() < -n_rows or numbers.max() >= n_rows:
        raise ValueError(
            f"{name} must be from 0 to {n_rows - 1}, as X has {n_rows} rows; got "
            + " to ".join(str(n) for n in sorted({numbers.min(), numbers.max()}))
            + "."
        )
    return np.where(numbers < 0, numbers + n_rows, numbers)


def check_row(row, X):
    """Return one row number of `X` as an int from 0."""
    if not isinstance(row, Integral) or isinstance(row, bool):
        raise TypeError(f"row must be the number of one row of X; got {row!r}.")
    return int(check_rows(row, X, "row")[0])


def columns_for(n_tiles, n_columns=None):
    """Check a number of columns, or choose one for about a square with few blanks."""
    if n_columns is not None:
        check_count("n_columns", n_columns)
        return n_columns
    root = math.sqrt(1.2 * n_tiles)
    candidates = range(math.ceil(0.8 * root), math.floor(1.7 * root) + 1)
    return min(candidates, key=lambda n: (-n_tiles % n, abs(n - root)))


def mosaic(tiles, n_columns):
    """Lay pictures side by side, in rows, one blank (NaN) pixel apart.

    Parameters
    ----------
    tiles : ndarray of shape (n_tiles, height, width)
        The pictures.
    n_columns : int
        How many are in a row.

    Returns
    -------
    ndarray of shape (rows * (height + 1) - 1, n_columns * (width + 1) - 1)
        One picture.
    """
    n_tiles, height, width = tiles.shape
    n_rows = -(-n_tiles // n_columns)
    picture = np.full(
        (n_rows * (height + 1) - 1, n_columns * (width + 1) - 1), np.nan, dtype=float
    )
    for i, tile in enumerate(tiles):
        top, left = (i // n_columns) * (height + 1), (i % n_columns) * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture
