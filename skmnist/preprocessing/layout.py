"""The layouts that images come in, and transformers that read all of them."""

import math
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

# Pixels handled at a time: the float64 working copy of so many stays in cache.
_CHUNK_PIXELS = 2**16


def resolve_image_shape(n_pixels, image_shape=None):
    """Tell the height, width and channels of images that come as flat rows.

    Parameters
    ----------
    n_pixels : int
        Width of the rows: height * width * channels.
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        ``(height, width)`` or ``(height, width, channels)``; ``"row"`` takes
        any width as an image of one row; None asks for a square of one channel.

    Returns
    -------
    tuple of 3 int
        ``(height, width, channels)``.

    Raises
    ------
    ValueError
        If `image_shape` is malformed or does not have `n_pixels` pixels, or if
        it is None and `n_pixels` is no square number.

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
    declared = _declared_shape(image_shape, n_pixels)
    if declared is None:
        side = math.isqrt(n_pixels)
        if side * side == n_pixels:
            return side, side, 1
        problem = f"X has {n_pixels} columns, which is not the size of a square image."
        if math.isqrt(n_pixels - 1) ** 2 == n_pixels - 1:
            side = math.isqrt(n_pixels - 1)
            problem += (
                f" {n_pixels} is {side} * {side} + 1: was a label column left in?"
            )
        else:
            problem += " Was a label column left in?"
        raise ValueError(
            f"{problem} For images that are no squares give image_shape=(height, "
            "width) or (height, width, channels), or image_shape='row' to take "
            "every sample as an image of one row."
        )
    if math.prod(declared) != n_pixels:
        n_declared = math.prod(declared)
        question = " Was a label column left in?" if n_pixels == n_declared + 1 else ""
        raise ValueError(
            f"X has {n_pixels} columns, but images of image_shape={image_shape!r} have "
            f"{n_declared} pixels.{question}"
        )
    return declared


def _declared_shape(image_shape, n_pixels):
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
    """Tell whether the channels of an image come first, where its shape is declared.

    Parameters
    ----------
    shape : tuple of 2 or 3 int
        Shape of an array that holds one image.
    image_shape : tuple of 3 int
        ``(height, width, channels)`` of the image. Three equal numbers fit with the
        channels first and with the channels last: then they are last.

    Returns
    -------
    bool or None
        None if the array does not hold such an image in any layout.
    """
    if (*shape, 1)[:3] == image_shape:
        return False
    if len(shape) == 3 and (*shape[1:], shape[0]) == image_shape:
        return True
    return None


def _locate_channels(array_shape, declared):
    """Tell the image shape and whether the channels come first.

    `array_shape` belongs to an array of images with three or four dimensions.
    """
    if len(array_shape) == 3:
        found = [(False, (*array_shape[1:], 1))]
    elif len(array_shape) == 4:
        first, middle, last = array_shape[1:]
        found = [(False, (first, middle, last)), (True, (middle, last, first))]
    else:
        raise ValueError(
            f"X has shape {array_shape}; allowed are (n, pixels), (n, height, "
            "width), (n, height, width, channels) and (n, channels, height, width)."
        )
    if declared is not None:
        channels_first = channels_come_first(array_shape[1:], declared)
        if channels_first is None:
            raise ValueError(
                f"X has shape {array_shape}, which does not hold images of shape "
                f"{declared} (height, width, channels) in any layout."
            )
        return channels_first, declared
    if len(array_shape) == 4:
        found = [(first, shape) for first, shape in found if shape[2] in (1, 3)]
        # With one channel on either side both readings flatten alike.
        if len(found) != 1 and {shape[2] for _, shape in found} != {1}:
            raise ValueError(
                f"Cannot tell the channels in X of shape {array_shape}: the second "
                "or the last dimension, and only one of them, must be 1 or 3. Give "
                "image_shape=(height, width, channels)."
            )
    return found[0]


def as_rows(X):
    """Flatten images to rows of pixels, whatever layout they have.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or \
            (n_samples, height, width[, channels])
        Images, which are not validated yet.

    Returns
    -------
    rows : array-like of shape (n_samples, n_features)
        `X` itself, if it holds rows.
    image_shape : tuple of 2 or 3 int or None
        Shape of an image; None where they came as rows.

    Raises
    ------
    ValueError
        If `X` has more than 4 dimensions, or is a list of images of several sizes.
    """
    X = _as_stack(X)
    shape = _shape_of(X)
    if len(shape) < 3:
        return X, None
    if len(shape) > 4:
        raise ValueError(
            "X must have the shape (n_samples, n_features), (n_samples, height, "
            "width) or (n_samples, height, width, channels); "
            f"found an array with dim {len(shape)}: {shape}."
        )
    return np.asarray(X).reshape(shape[0], math.prod(shape[1:])), shape[1:]


def validated(estimator, X, dtype="numeric"):
    """Validate rows against what a fitted estimator knows of them.

    The same as scikit-learn's `validate_data`, which takes longer than a network
    needs for one image; a plain array that it would return unchanged is returned at
    once.

    Parameters
    ----------
    estimator : estimator
        With `n_features_in_`.
    X : array-like of shape (n_samples, n_features)
        Rows of pixels.
    dtype : "numeric" or tuple of type, default="numeric"
        Types that are allowed.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Finite numbers, at least one row.
    """
    is_plain = (
        type(X) is np.ndarray
        and (X.dtype.kind in "fiu" if dtype == "numeric" else X.dtype in dtype)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )
    if is_plain and (X.dtype.kind != "f" or _is_surely_finite(X)):
        return X
    return validate_data(estimator, X, reset=False, dtype=dtype)


def _is_surely_finite(X):
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(X.sum())


class ImageTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """What transformers of images share: reading every layout of the same images.

    The pixels that the methods return have the shape (n, pixels) or are a view
    (n, height, width, channels): in C order both mean the same.
    """

    def _read_fit(self, X, *, shape_needed):
        """Return the validated pixels of `X`, its image shape or None, and flat `X`.

        Nothing is set on the estimator: `_remember` does that with the flat `X`
        when nothing can fail any more.
        """
        X = _as_stack(X)
        array_shape = _shape_of(X)
        n_pixels = math.prod(array_shape[1:])
        declared = _declared_shape(self.image_shape, n_pixels)
        channels_first = False
        if len(array_shape) > 2:
            channels_first, image_shape = _locate_channels(array_shape, declared)
            X = np.asarray(X).reshape(len(X), n_pixels)
        pixels = check_array(X, dtype="numeric", estimator=self, input_name="X")
        if len(array_shape) <= 2:
            try:
                image_shape = resolve_image_shape(pixels.shape[1], self.image_shape)
            except ValueError:
                if declared is not None or shape_needed:
                    raise
                image_shape = None
        return in_order(pixels, array_shape, channels_first), image_shape, X

    def _remember(self, X):
        """Set the number and the names of the columns of the checked flat `X`."""
        validate_data(self, X, skip_check_array=True)

    def _read(self, X, *, check):
        """Return the pixels of `X`, validated flat by ``check(X)``, after fit."""
        X = _as_stack(X)
        array_shape = _shape_of(X)
        channels_first = False
        if len(array_shape) > 2:
            channels_first, _ = _locate_channels(array_shape, self.image_shape_)
            X = np.asarray(X).reshape(len(X), math.prod(array_shape[1:]))
        elif (
            self.image_shape_ is not None
            and array_shape == self.image_shape_[:2]
            and array_shape[1] != self.n_features_in_
        ):
            raise ValueError(
                f"X has the shape {array_shape} of a single image; give it as "
                "X[None], which is a batch of one."
            )
        return in_order(check(X), array_shape, channels_first)

    def _check_new(self, X):
        """Validate flat `X` against what was seen at fit."""
        return validated(self, X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _as_stack(X):
    """Make one array of a list of images; return anything else as it is."""
    if hasattr(X, "shape") or hasattr(X, "__dataframe__"):
        return X
    try:
        stack = np.asarray(X)
    except ValueError:
        raise ValueError(
            "X is a list of rows or images of different sizes; all must have the "
            "same size."
        ) from None
    return stack if stack.ndim > 2 else X


def _shape_of(X):
    """Shape of the array `X`; (0, 0) of a list of rows, which has none."""
    return tuple(getattr(X, "shape", (0, 0)))


def in_order(pixels, array_shape, channels_first):
    """View flat pixels of images so that their C order is height, width, channels.

    Parameters
    ----------
    pixels : ndarray of shape (n_samples, n_features)
        Pixels, as they were in an array of images or of rows.
    array_shape : tuple of int
        Shape of that array.
    channels_first : bool
        Whether the channels came first in its images.

    Returns
    -------
    ndarray
        The pixels as they are, or of shape (n_samples, height, width, channels).
    """
    if not channels_first:
        return pixels
    return np.moveaxis(pixels.reshape(array_shape), 1, -1)


def image_batches(pixels):
    """Yield slices of images that together have about `_CHUNK_PIXELS` pixels."""
    size = max(1, _CHUNK_PIXELS // max(1, math.prod(pixels.shape[1:])))
    return (slice(start, start + size) for start in range(0, len(pixels), size))
