"""The layouts that images come in, and the shapes of images."""

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Literal

import numpy as np

from skmnist._habits import refuse_stream

from .image_array import ImageShape, carried_images

# The shortest side of what is treated as an image, not as a few rows of pixels; and the
# smallest square, where nothing else says so.
_SHORTEST_SIDE = 3
_SHORTEST_SQUARE = 5


def resolve_image_shape(
    n_pixels: int, image_shape: Sequence[int] | Literal["row"] | None = None
) -> tuple[int, int, int]:
    """Return the height, width and channels of images given as flat rows.

    Parameters
    ----------
    n_pixels : int
        Width of the rows: height * width * channels.
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        ``(height, width)`` or ``(height, width, channels)``. ``"row"`` treats rows of
        any width as images of one row. None expects square images with one channel.

    Returns
    -------
    tuple of 3 int
        ``(height, width, channels)``.

    Raises
    ------
    ValueError
        If `image_shape` is malformed or does not have `n_pixels` pixels, or if it is
        None and `n_pixels` is not a square number.

    Examples
    --------
    >>> from skmnist.preprocessing import resolve_image_shape
    >>> resolve_image_shape(784)
    (28, 28, 1)
    >>> resolve_image_shape(48, (4, 4, 3))
    (4, 4, 3)
    >>> resolve_image_shape(10, "row")
    (1, 10, 1)
    """
    declared = declared_shape(image_shape, n_pixels)
    if declared is None:
        side = math.isqrt(n_pixels)
        if side * side == n_pixels:
            return side, side, 1
        raise ValueError(
            f"X has {n_pixels} columns, which is not the size of a square image. "
            f"{_cause_of_width(n_pixels)} For images that are not square or have "
            "colours, give image_shape=(height, width) or (height, width, channels), "
            "or image_shape='row' to take every sample as an image of one row. An "
            "ImageScaler that is given images passes their shape on; if another step "
            "or set_output makes a table of them, the shape is lost: use "
            "ImageScaler(layout='channels_last') right before the network."
        )
    if math.prod(declared) != n_pixels:
        n_declared = math.prod(declared)
        question = " Was a label column left in?" if n_pixels == n_declared + 1 else ""
        raise ValueError(
            f"X has {n_pixels} columns, but images of image_shape={image_shape!r} have "
            f"{n_declared} pixels.{question}"
        )
    return declared


def _cause_of_width(n_pixels):
    """Say why rows may have a number of columns that is not a square."""
    side = math.isqrt(n_pixels - 1)
    if side * side == n_pixels - 1:
        return f"{n_pixels} is {side} * {side} + 1: was a label column left in?"
    side = math.isqrt(n_pixels // 3)
    if side > 1 and 3 * side * side == n_pixels:
        return f"{n_pixels} is {side} * {side} * 3: are these images in colour?"
    return "Was a label column left in?"


def declared_shape(image_shape, n_pixels):
    """Give `image_shape` as (height, width, channels), or None as None."""
    if image_shape is None:
        return None
    if isinstance(image_shape, str) and image_shape == "row":
        return 1, n_pixels, 1
    if (
        not isinstance(image_shape, tuple | list)
        or len(image_shape) not in (2, 3)
        or not all(
            isinstance(size, Integral) and not isinstance(size, bool) and size > 0
            for size in image_shape
        )
    ):
        raise ValueError(
            f"image_shape={image_shape!r} is not allowed; it must be None, 'row', "
            "(height, width) or (height, width, channels) with positive integers."
        )
    height, width, *channels = (int(size) for size in image_shape)
    return height, width, *(channels or [1])


def channels_come_first(shape, image_shape):
    """Return whether the channels of an image come first, where its shape is declared.

    Parameters
    ----------
    shape : tuple of 2 or 3 int
        Shape of an array that holds one image; an :class:`ImageShape` has its
        channels last.
    image_shape : tuple of 3 int
        ``(height, width, channels)`` of the image. Three equal numbers fit with the
        channels first and with the channels last: then they are last.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If the array does not hold such an image in any layout.
    """
    if (*shape, 1)[:3] == image_shape:
        return False
    is_known = isinstance(shape, ImageShape)
    if len(shape) == 3 and not is_known and (*shape[1:], shape[0]) == image_shape:
        return True
    raise ValueError(
        f"X holds images of the shape {tuple(shape)}, which are not of image_shape="
        f"{image_shape} (height, width, channels) with the channels last or first."
    )


def locate(shape, expected):
    """Return whether the channels of an image come first, and its shape.

    `shape` is that of an array, or an :class:`ImageShape`; the shape of the image may
    be `expected`, or None.
    """
    if expected is not None:
        return channels_come_first(shape, expected), expected
    if len(shape) == 2 or isinstance(shape, ImageShape):
        return False, (*shape, 1)[:3]
    first, middle, last = shape
    every = [(False, (first, middle, last)), (True, (middle, last, first))]
    found = (
        [each for each in every if each[1][2] in (1, 3)]
        # Colours with opacity.
        or [each for each in every if each[1][2] == 4]
    )
    # With one channel on either side both readings flatten alike.
    if len(found) != 1 and {image_shape[2] for _, image_shape in found} != {1}:
        raise ValueError(
            f"Cannot tell the channels of images of shape {shape}: the first or the "
            "last dimension, and only one of them, must be 1 or 3, or else 4. Give "
            "image_shape=(height, width, channels) to the step that gets these images."
        )
    return found[0]


def as_rows(X, *, n_features=None, y=None, shape_needed=False):
    """Flatten images to rows of pixels, whatever layout they have.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or \
            (n_samples, height, width[, channels])
        Images, which are not validated yet.
    n_features : int, default=None
        Number of pixels of an image, if known.
    y : array-like, default=None
        Labels of the images.
    shape_needed : bool, default=False
        Whether rows of an unknown size must be square images.

    Returns
    -------
    rows : array-like of shape (n_samples, n_features)
        `X` itself, if it holds rows.
    image_shape : tuple of 2 or 3 int, ImageShape or None
        Shape of an image as `X` has it; an :class:`ImageShape` where `X` carries it;
        None where they came as rows.

    Raises
    ------
    ValueError
        If `X` is one image, has more than 4 dimensions or masked pixels, or is a list
        of images of several sizes.
    """
    X = as_stack(X)
    images = carried_images(X)
    if images is not None:
        rows = images.reshape(len(images), math.prod(images.shape[1:]))
        return rows, ImageShape(*images.shape[1:])
    refuse_single_image(X, n_features=n_features, y=y, shape_needed=shape_needed)
    shape = shape_of(X)
    if len(shape) < 3:
        return X, None
    if len(shape) > 4:
        raise ValueError(
            "X must have the shape (n_samples, n_features), (n_samples, height, "
            "width), (n_samples, height, width, channels) or (n_samples, channels, "
            f"height, width); found an array with dim {len(shape)}: {shape}."
        )
    return np.asarray(X).reshape(shape[0], math.prod(shape[1:])), shape[1:]


def refuse_single_image(X, *, n_features=None, y=None, shape_needed=False):
    """Raise ValueError if `X` is one image, where a batch of images is expected.

    Parameters
    ----------
    X : object
        Images, or anything else, which passes.
    n_features : int, default=None
        Number of pixels of an image, where it is known. Then an array that can be a
        batch of such images passes: of shape (8, 8), where an image has 8 pixels.
    y : array-like, default=None
        Labels of the images. If the size is not known, one label makes one image; and
        without labels an array that looks like one image more than anything else is
        treated as one: (784,) or (28, 28, 3), but not (28, 28), which is a table.
    shape_needed : bool, default=False
        Whether rows of an unknown size must be square images. Then (28, 28) is one
        image, as 28 pixels make no square.
    """
    shape = shape_of(X)
    if hasattr(X, "iloc") or not 1 <= len(shape) <= 3:
        return  # of a series, pandas knows better what to do
    if len(shape) == 1:
        is_single = True
    elif n_features is not None:
        is_single = (
            math.prod(shape) == n_features != math.prod(shape[1:])
            # A table of one column is no image.
            and shape[1:] != (1,)
        )
    elif y is not None:
        is_single = (
            shape[0] != 1 and sorted(shape)[-2] >= _SHORTEST_SIDE and _is_one_label(y)
        )
    else:
        is_no_table = shape_needed and math.isqrt(shape[1]) ** 2 != shape[1]
        is_single = (
            _SHORTEST_SQUARE <= shape[0] == shape[1]
            and shape[2:] in ((), (1,), (3,))
            and (len(shape) == 3 or is_no_table)
        )
    if is_single:
        raise ValueError(
            f"X has the shape {shape} of one image, where a batch of images is "
            "expected. Reshape your data: X[None] is a batch of one."
        )


def _is_one_label(y):
    return np.isscalar(y) or (hasattr(y, "__len__") and np.size(y) == 1)


def as_stack(X, *, name="X"):
    """Make one array of a list of numbers; return anything else as it is.

    Raises ValueError if pixels are masked, which NumPy and scikit-learn forget.
    """
    if type(X) is np.ndarray:
        return X
    images = X if isinstance(X, list | tuple) else [X]
    if any(isinstance(image, np.ma.MaskedArray) for image in images):
        if any(map(np.ma.is_masked, images)):
            raise ValueError(
                f"{name} has masked pixels, but images must be complete. "
                f"Fill them, as by {name}.filled(0), or leave these images out."
            )
        X = np.asarray(X)
    if hasattr(X, "shape") or hasattr(X, "__dataframe__"):
        return X
    refuse_stream(name, X)
    try:
        stack = np.asarray(X)
    except ValueError:
        raise ValueError(
            f"{name} is a list of rows or images of different sizes; all must have the "
            "same size."
        ) from None
    # Of other things scikit-learn should know that they come in a list.
    return stack if stack.ndim > 2 or stack.dtype.kind in "biuf" else X


def count_rows(X):
    """Return the number of rows of an array, a table or a list."""
    try:
        return X.shape[0] if hasattr(X, "shape") else len(X)
    except (TypeError, IndexError):
        raise TypeError(
            f"X must be an array, a table or a list of rows; got {X!r}."
        ) from None


def shape_of(X):
    """Shape of the array `X`; (0, 0) of a list of rows, which has none."""
    return tuple(getattr(X, "shape", (0, 0)))


def in_order(pixels, shape, channels_first):
    """View flat pixels of images so that their C order is height, width, channels.

    Parameters
    ----------
    pixels : ndarray of shape (n_samples, n_features)
        Pixels, as they were in an array of images or of rows.
    shape : tuple of int or None
        Shape of an image in that array; None of rows.
    channels_first : bool
        Whether the channels came first in it.

    Returns
    -------
    ndarray
        The pixels as they are, or of shape (n_samples, height, width, channels).
    """
    if not channels_first:
        return pixels
    return np.moveaxis(pixels.reshape(len(pixels), *shape), 1, -1)
