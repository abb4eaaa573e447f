"""What transformers of images share."""

import math

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skmnist._fit_tasks import CallbackSupportMixin, as_one_task
from skmnist._habits import HabitsMixin

from .image_array import ImageArray
from .layout import (
    as_rows,
    as_stack,
    declared_shape,
    in_order,
    locate,
    resolve_image_shape,
    shape_of,
)
from .validation import refuse_overflow, validated

# Pixels handled at a time: the float64 working copy of so many stays in cache.
_CHUNK_PIXELS = 2**16


class ImageTransformer(
    CallbackSupportMixin, HabitsMixin, TransformerMixin, BaseEstimator
):
    """What transformers of images share: reading every layout of the same images.

    The pixels that the methods return have the shape (n, pixels) or are a view
    (n, height, width, channels): in C order both mean the same.
    """

    # Whether images of this shape were given or declared, and not only guessed from a
    # number of columns. None in files of earlier versions: what comes after these
    # transformers was fitted to pixels without a shape.
    _shape_is_known = None
    # Shape and type of one of the images in fit, as it came. None as above.
    _sample_shape = None
    _sample_dtype = None

    @as_one_task
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the shape of the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Rows of pixels, or images of shape (n_samples, height, width),
            (n_samples, height, width, channels) or
            (n_samples, channels, height, width); any real numbers.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        ValueError
            If `X` has NaN or infinite pixels or an unsuitable shape, or if a parameter
            is invalid.
        TypeError
            If `X` is sparse.
        """
        _, _, known = self._read_fit(X, y, shape_needed=True)
        self._remember(*known)
        return self

    def _read_fit(self, X, y, *, shape_needed):
        """Return the validated pixels of `X`, its shape or None, and what to remember.

        Nothing is set on the estimator: `_remember` does that when nothing can fail
        any more.
        """
        X = as_stack(X)
        given_shape = shape_of(X)[1:]
        declared = declared_shape(self.image_shape, math.prod(given_shape))
        n_features = None if declared is None else math.prod(declared)
        X, shape = self._rows(X, n_features, y=y, shape_needed=shape_needed)
        is_known = shape is not None
        pixels = check_array(X, dtype="numeric", estimator=self, input_name="X")
        refuse_overflow(pixels)
        sample = given_shape if is_known else pixels.shape[1:], pixels.dtype
        if is_known:
            channels_first, image_shape = locate(shape, declared)
            pixels = in_order(pixels, shape, channels_first)
        else:
            try:
                image_shape = resolve_image_shape(pixels.shape[1], self.image_shape)
            except ValueError:
                if declared is not None or shape_needed:
                    raise
                image_shape = None
            is_known = isinstance(self.image_shape, tuple | list)
        return pixels, image_shape, (X, image_shape, is_known, sample)

    def _remember(self, X, image_shape, is_known, sample):
        """Set what is known of the checked flat `X` and its images."""
        validate_data(self, X, skip_check_array=True)
        self.image_shape_ = image_shape
        self._shape_is_known = is_known
        self._sample_shape, self._sample_dtype = sample

    def _read(self, X, *, check):
        """Return the pixels of `X`, validated flat by ``check(X)``, and their shape.

        After fit. The shape is None where nobody gave or declared it, or where it
        must not be passed on.
        """
        rows, shape = self._rows(X, self.n_features_in_)
        image_shape, channels_first = self.image_shape_, False
        is_known = self._shape_is_known
        if shape is not None:
            channels_first, image_shape = locate(shape, image_shape)
            is_known = is_known is not None
        pixels = check(rows)
        refuse_overflow(pixels)
        pixels = in_order(pixels, shape, channels_first)
        return pixels, image_shape if is_known else None

    def _rows(self, X, n_features, **options):
        """Return rows of pixels, and the shape of images unless rows are asked for."""
        if self.image_shape == "row" and isinstance(X, ImageArray):
            X = np.asarray(X)
        return as_rows(X, n_features=n_features, **options)

    def _check_new(self, X):
        """Validate flat `X` against what was seen at fit."""
        return validated(self, X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def image_batches(pixels):
    """Yield slices of images that together have about `_CHUNK_PIXELS` pixels."""
    size = max(1, _CHUNK_PIXELS // max(1, math.prod(pixels.shape[1:])))
    return (slice(start, start + size) for start in range(0, len(pixels), size))
