"""Scaling of pixels to [0, 1]."""

import math
from numbers import Real

import numpy as np
from sklearn.base import OneToOneFeatureMixin, _fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmnist._fit_tasks import as_one_task
from skmnist._warnings import warn_caller

from .image_array import ImageArray
from .layout import resolve_image_shape
from .transformer import ImageTransformer, image_batches

# Pixels above it are not of images that were scaled to [0, 1]. In any other range, none
# is so many times as bright as white.
_FAR_ABOVE_1 = 10
# The same for values that may be negative, and are no brightness.
_FAR_BEYOND = 1000
# What rounding makes of black, as a part of white.
_ROUNDING = 1e-3
# Bytes that are all below it, such as 0 and 1 or 0 to 16, have another white than 255.
_FAR_BELOW_255 = 16


def _has_flat_output(transformer):
    """Whether the columns of the output can be named; the reason where not."""
    if transformer.layout != "flat":
        raise AttributeError(
            "Feature names and set_output need layout='flat'; this "
            f"{type(transformer).__name__} has layout={transformer.layout!r}."
        )
    return True


class ImageScaler(OneToOneFeatureMixin, ImageTransformer):
    """Scale pixels to [0, 1] and convert images to one layout.

    The output is ``float32`` pixels in one of three layouts, the same for every layout
    of the input. All pixels are scaled by the same range, which preserves the look of
    the images; constant pixels do no harm.

    Parameters
    ----------
    layout : {"flat", "channels_last", "channels_first"}, default="flat"
        Layout of the output. "flat": rows of pixels in the order height, width,
        channels, of shape (n_samples, height * width * channels). "channels_last":
        images of shape (n_samples, height, width, channels). "channels_first": images
        of shape (n_samples, channels, height, width).
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images. None infers
        it from the input. Rows of pixels must then be square images with one channel,
        unless the output is flat, which allows any width. ``"row"`` treats rows of any
        width as images of one row.
    data_range : None or tuple of 2 float, default=None
        Pixel values that become 0 and 1. None determines them in `fit`: 0 and 255 for
        ``uint8``, False and True for ``bool``, otherwise the lowest and highest value
        of all pixels.
    clip : bool, default=True
        Whether to clip pixels outside the range, which later images may have, to 0 and
        1.

    Attributes
    ----------
    data_min_ : float
        Pixel value that becomes 0.
    data_max_ : float
        Pixel value that becomes 1. If it equals `data_min_`, because all images in
        `fit` had one colour, that colour becomes 0.
    dtype_ : numpy.dtype
        Type of the pixels in `fit`, and of the output of `inverse_transform`.
    image_shape_ : tuple of 3 int or None
        Height, width and channels of the images; None if unknown and not needed.
    n_features_in_ : int
        Number of pixels of an image, all channels counted.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of `X`, if `fit` was given a data frame whose column names are all
        strings.

    See Also
    --------
    Deskewer : Set slanted digits upright.
    sklearn.preprocessing.MinMaxScaler : Scale each column by its own range.

    Notes
    -----
    If `image_shape` does not decide it, images of four dimensions are channels-last or
    channels-first depending on which side has 1 or 3 entries, or else 4. Images with
    equal height, width and number of channels fit an `image_shape` either way and are
    treated as channels-last. The input is never changed, and never copied as a whole
    except into the output.

    The output carries the shape of the images, so that a network that receives it need
    not guess one from the number of columns. Selected rows, copies, pickles and
    arithmetic keep the shape; other transformers and data frames lose it. Flat output
    does not carry a square shape that was only guessed from rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skmnist import ImageScaler
    >>> images = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)
    >>> scaler = ImageScaler().fit(images)
    >>> scaler.transform(images)
    array([[0. , 0.2, 0.4, 1. ]], dtype=float32)
    >>> scaler.inverse_transform([[0.0, 0.2, 0.4, 1.0]])
    array([[  0,  51, 102, 255]], dtype=uint8)
    >>> ImageScaler(layout="channels_last").fit_transform(images).shape
    (1, 2, 2, 1)
    """

    _parameter_constraints = {
        "layout": [StrOptions({"flat", "channels_last", "channels_first"})],
        "image_shape": [None, StrOptions({"row"}), tuple, list],
        "data_range": [None, tuple, list],
        "clip": ["boolean"],
    }

    def __init__(self, *, layout="flat", image_shape=None, data_range=None, clip=True):
        self.layout = layout
        self.image_shape = image_shape
        self.data_range = data_range
        self.clip = clip

    @as_one_task
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Determine the range of the pixels and the shape of the images.

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
        ImageScaler
            The fitted transformer.

        Raises
        ------
        ValueError
            If `X` has NaN or infinite pixels or an unsuitable shape, or if a parameter
            is invalid.
        TypeError
            If `X` is sparse.

        Warns
        -----
        UserWarning
            If `X` contains bytes of which none is above 16, or a few negative pixels
            among mostly positive ones.
        """
        given = self._given_range()
        pixels, _, known = self._read_fit(X, y, shape_needed=self.layout != "flat")
        low, high = given or _learned_range(pixels)
        if given is None and pixels.dtype == np.uint8:
            highest = int(pixels.max())
            if 0 < highest <= _FAR_BELOW_255:
                warn_caller(
                    f"X holds bytes up to {highest}, but white is 255 for bytes: the "
                    f"images will be almost black. If {highest} is white, give "
                    f"data_range=(0, {highest})."
                )
        if given is None and high > _FAR_ABOVE_1 and 0 < -low < high / 2:
            warn_caller(
                f"X holds pixels down to {low:g} and up to {high:g}: {low:g} will be "
                f"black. If black is 0, give data_range=(0, {high:g})."
            )
        self._remember(*known)
        self.dtype_ = pixels.dtype
        self.data_min_ = low
        self.data_max_ = high
        return self

    def transform(self, X):
        """Scale the pixels and convert the images to the layout.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Images in any layout that `fit` accepts.

        Returns
        -------
        ndarray of float32
            Shape (n_samples, `n_features_in_`), (n_samples, height, width, channels) or
            (n_samples, channels, height, width). Always a new array, which carries the
            shape of the images.

        Warns
        -----
        UserWarning
            If `X` clearly has another range than the images in `fit`: floats in [0, 1]
            where white is above 10, which would become almost black; pixels above 10
            where the range is within [0, 1], or else ten times as bright as white,
            which would become white; negative pixels where black is 0 or more.
        """
        check_is_fitted(self)
        pixels, image_shape = self._read(X, check=self._check_new)
        problem = other_range(
            pixels,
            self.data_min_,
            self.data_max_,
            may_be_whole=self.dtype_ == np.uint8,
        )
        if problem is not None:
            warn_caller(
                f"X holds {problem}: white is {self.data_max_:g} for this "
                f"{type(self).__name__}. Give pixels from {self.data_min_:g} to "
                f"{self.data_max_:g}."
            )
        n = len(pixels)
        if self.layout == "flat":
            scaled = target = np.empty((n, self.n_features_in_), dtype=np.float32)
        else:
            shape = resolve_image_shape(self.n_features_in_, self.image_shape_)
            if self.layout == "channels_last":
                scaled = target = np.empty((n, *shape), dtype=np.float32)
            else:
                scaled = np.empty((n, shape[2], *shape[:2]), dtype=np.float32)
                target = np.moveaxis(scaled, 1, -1)
            if self._shape_is_known is not None:
                image_shape = shape
        span = (self.data_max_ - self.data_min_) or 1.0
        for batch in image_batches(pixels):
            # In float64, so that every dtype of the same values gives the same.
            values = pixels[batch].astype(np.float64)
            values -= self.data_min_
            values /= span
            if self.clip:
                np.clip(values, 0.0, 1.0, out=values)
            target[batch] = values.reshape(target[batch].shape)
        if image_shape is None:
            return scaled
        return ImageArray.of(
            scaled, image_shape, channels_first=self.layout == "channels_first"
        )

    def inverse_transform(self, X):
        """Undo the scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Scaled images in any layout.

        Returns
        -------
        ndarray of shape (n_samples, `n_features_in_`)
            Rows of pixels of type `dtype_`. For integer types they are rounded and
            clipped to the range of the type.
        """
        check_is_fitted(self)
        scaled, _ = self._read(X, check=self._check_scaled)
        pixels = np.empty((len(scaled), self.n_features_in_), dtype=self.dtype_)
        span = (self.data_max_ - self.data_min_) or 1.0
        for batch in image_batches(scaled):
            values = scaled[batch].astype(np.float64).reshape(pixels[batch].shape)
            values *= span
            values += self.data_min_
            if self.dtype_.kind == "b":
                values = values >= 0.5
            elif self.dtype_.kind in "iu":
                np.clip(np.rint(values), *_limits(self.dtype_), out=values)
            pixels[batch] = values
        return pixels

    @available_if(_has_flat_output)
    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns, which are those of the input.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to use; None means `feature_names_in_`, or else x0, x1, ….

        Returns
        -------
        ndarray of str objects of shape (`n_features_in_`,)
            One name per pixel.
        """
        return super().get_feature_names_out(input_features)

    def _given_range(self):
        """Check `data_range`; return it as two floats, or None."""
        if self.data_range is None:
            return None
        low = high = math.nan
        if len(self.data_range) == 2 and all(
            isinstance(end, Real) for end in self.data_range
        ):
            low, high = (float(end) for end in self.data_range)
        if not 0 < high - low < math.inf:
            raise ValueError(
                f"data_range={self.data_range!r} is not allowed; it must be None or "
                "(low, high), two finite numbers with low < high."
            )
        return low, high

    def _check_scaled(self, X):
        """Validate flat scaled `X`, which need not carry the names seen at fit."""
        scaled = check_array(X, dtype="numeric", estimator=self, input_name="X")
        if scaled.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {scaled.shape[1]} features, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input."
            )
        return scaled


def other_range(pixels, low, high, *, may_be_whole=False, slack=0.0):
    """Say what is wrong with pixels of clearly another range than those seen before.

    Parameters
    ----------
    pixels : ndarray
        Finite pixels of images.
    low, high : float
        Ends of the range that was seen.
    may_be_whole : bool, default=False
        Whether whole numbers among floats may be scaled pixels too, and not only very
        dark ones.
    slack : float, default=0.0
        How far below 0 values may lie where all were from 0 to 1 before.

    Returns
    -------
    str or None
        What they are; None if they may well belong to the range.
    """
    if low >= high:
        return None  # no range was seen
    lowest, highest = pixels.min(), pixels.max()
    if (
        high > _FAR_ABOVE_1
        and pixels.dtype.kind == "f"
        and lowest >= 0
        and 0 < highest <= 1
        and (may_be_whole or _has_fractions(pixels))
    ):
        return "floats from 0 to 1, which look scaled already"
    if low >= 0:
        # Brightness: nothing is darker than black, and little much brighter than white.
        lowest_of_all = -max(slack * min(high, 1.0), _ROUNDING * high)
        highest_of_all = _FAR_ABOVE_1 * max(high, 1.0)
    else:
        highest_of_all = _FAR_BEYOND * max(-low, high, 1.0)
        lowest_of_all = -highest_of_all
    if highest > highest_of_all:
        hint = ", which do not look scaled yet" if 0 <= low < high <= 1 else ""
        return f"pixels up to {highest:g}{hint}"
    if lowest < lowest_of_all:
        return f"pixels down to {lowest:g}"
    return None


def _learned_range(pixels):
    """Pixel values that stand for black and white, by type or else by the data."""
    if pixels.dtype == np.uint8:
        return 0.0, 255.0
    if pixels.dtype == np.bool_:
        return 0.0, 1.0
    return float(pixels.min()), float(pixels.max())


def _has_fractions(pixels):
    """Whether not all pixels are whole numbers, which may be very dark ones."""
    return any((pixels[batch] % 1).any() for batch in image_batches(pixels))


def _limits(dtype):
    """Lowest and highest float64 that an integer type can hold."""
    limits = np.iinfo(dtype)
    high = float(limits.max)
    return float(limits.min), high if high <= limits.max else np.nextafter(high, 0.0)
