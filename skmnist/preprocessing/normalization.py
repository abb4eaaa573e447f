"""Normalization of the size and position of digits."""

import math
from numbers import Integral, Real

import numpy as np
from PIL import Image
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .image_array import ImageArray
from .transformer import ImageTransformer, image_batches

# It averages what it shrinks, does not overshoot, and leaves an image of the right size
# as it is.
_FILTER = Image.Resampling.HAMMING
_TURNED = Image.Transpose.TRANSPOSE
# Of a number that should be whole, or of a tie, such as symmetric digits have.
_ROUNDING = 1e-6


class DigitNormalizer(ClassNamePrefixFeaturesOutMixin, ImageTransformer):
    """Bring digits to the size and position that they have in MNIST.

    A network learns digits of the size and at the place that its training images have,
    and misclassifies others. As in MNIST [1]_, each digit is scaled so that it just
    fits into a box of 20×20 pixels, with its proportions, and placed into an image of
    28×28 pixels so that its centre of mass is in the middle.

    Parameters
    ----------
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images. None infers
        it from the input; rows of pixels must then be square images with one channel.
        ``"row"`` treats rows of any width as images of one row.
    output_shape : tuple of 2 int, default=(28, 28)
        ``(height, width)`` of the output.
    digit_size : float, default=20/28
        Height and width of the box that a digit just fits into, as a fraction in (0, 1]
        of `output_shape`; rounded to whole pixels.
    threshold : float, default=0.1
        What is ink, in [0, 1): the pixels that differ from the background by more than
        this fraction of the range of the image. Only they decide the size of a digit,
        so choose more than what noise reaches.

    Attributes
    ----------
    image_shape_ : tuple of 3 int
        Height, width and channels of the images in `fit`.
    n_features_in_ : int
        Number of pixels of such an image, all channels counted.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of `X`, if `fit` was given a data frame whose column names are all
        strings.

    See Also
    --------
    ImageScaler : Scale the pixels to [0, 1].
    Deskewer : Set slanted digits upright.

    Notes
    -----
    Each image is normalized independently. Its lowest value is the background, so
    strokes must be brighter than it; its highest value stays the highest. The digit is
    moved by whole pixels, its centre of mass to the pixel ``(height // 2, width //
    2)``, as in MNIST, whose own images hardly change. An image of one colour gets the
    new size and keeps its colour. All channels of an image are treated alike. Layouts
    are detected as in :class:`ImageScaler`.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based
       learning applied to document recognition. Proceedings of the IEEE
       86(11), 2278-2324. Describes size normalization and centring of MNIST.

    Examples
    --------
    A bar in a corner becomes 20 pixels high and moves to the middle:

    >>> import numpy as np
    >>> from skmnist import DigitNormalizer
    >>> images = np.zeros((1, 16, 16), dtype=np.uint8)
    >>> images[0, 2:12, 1:3] = 255
    >>> normalized = DigitNormalizer().fit_transform(images).reshape(28, 28)
    >>> rows, columns = np.nonzero(normalized > 127)
    >>> rows.min(), rows.max(), columns.min(), columns.max()
    (np.int64(4), np.int64(23), np.int64(12), np.int64(15))
    """

    _parameter_constraints = {
        "image_shape": [None, StrOptions({"row"}), tuple, list],
        "output_shape": [tuple, list],
        "digit_size": [Interval(Real, 0, 1, closed="right")],
        "threshold": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        image_shape=None,
        output_shape=(28, 28),
        digit_size=20 / 28,
        threshold=0.1,
    ):
        self.image_shape = image_shape
        self.output_shape = output_shape
        self.digit_size = digit_size
        self.threshold = threshold

    def _validate_params(self):
        super()._validate_params()
        if len(self.output_shape) != 2 or not all(
            isinstance(side, Integral) and not isinstance(side, bool) and side > 0
            for side in self.output_shape
        ):
            raise ValueError(
                f"output_shape={self.output_shape!r} is not allowed; it must be "
                "(height, width) with positive integers."
            )

    def transform(self, X):
        """Bring the digits to their size and position.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Images in any layout that `fit` accepts.

        Returns
        -------
        ndarray of float32 of shape (n_samples, height * width * channels)
            Rows of pixels in the order height, width, channels, within the value range
            of each image. The array carries the shape of the images, like the output of
            :class:`ImageScaler`.
        """
        check_is_fitted(self)
        pixels, _ = self._read(X, check=self._check_new)
        shape = *self.output_shape, self.image_shape_[2]
        normalized = np.empty((len(pixels), *shape), dtype=np.float32)
        for batch in image_batches(pixels):
            images = pixels[batch].astype(np.float64).reshape(-1, *self.image_shape_)
            background = images.min(axis=(1, 2, 3), keepdims=True)
            images -= background
            peak = images.max(axis=(1, 2, 3), keepdims=True)
            images /= np.where(peak > 0, peak, 1)
            placed = self._place(images.astype(np.float32))
            normalized[batch] = placed * peak + background
        return ImageArray.of(normalized.reshape(len(normalized), -1), shape)

    @property
    def _n_features_out(self):
        return math.prod(self.output_shape) * self.image_shape_[2]

    def _place(self, images):
        """Scale and move digits on a background of 0 into images of the new size."""
        height, width = self.output_shape
        mass = images.sum(axis=3)
        ink = mass > self.threshold * mass.max(axis=(1, 2), keepdims=True)
        top, bottom = _ends(ink.any(axis=2))
        left, right = _ends(ink.any(axis=1))
        # What lies outside of the box of the ink is faint, but may be much.
        mass *= _between(top, bottom, mass.shape[1])[:, :, None]
        mass *= _between(left, right, mass.shape[2])[:, None, :]
        scale = np.minimum(
            self._box(height) / (bottom - top), self._box(width) / (right - left)
        )
        # Where the corners of the output lie in the image. Sums in float32 would not be
        # the same for both halves of a symmetric digit.
        rows, columns = (mass.sum(axis=axis, dtype=np.float64) for axis in (2, 1))
        y = top - self._margin(height, rows, top, bottom, scale) / scale
        x = left - self._margin(width, columns, left, right, scale) / scale
        boxes = np.stack([x, y, x + width / scale, y + height / scale], axis=1)
        placed = np.empty((len(images), height, width, images.shape[3]), np.float32)
        # One axis after the other, the longer one first: of both at once, Pillow would
        # make a square of a line.
        turn = -1 if mass.shape[1] > mass.shape[2] else 1
        for target, image, (x0, y0, x1, y1) in zip(placed, images, boxes, strict=True):
            axes = [(x0, x1, width), (y0, y1, height)][::turn]
            for channel in range(images.shape[3]):
                plane = image[..., channel].transpose((0, 1)[::turn])
                plane = Image.fromarray(np.ascontiguousarray(plane))
                for axis in axes:
                    plane = _resized(plane, *axis).transpose(_TURNED)
                target[..., channel] = np.asarray(plane).transpose((0, 1)[::turn])
            target /= target.max() or 1
        return placed

    def _box(self, side):
        """Return the side of the box in pixels of the output."""
        return max(1, round(self.digit_size * side))

    def _margin(self, side, masses, start, stop, scale):
        """Return how many pixels of the output lie before the ink on one axis."""
        places = np.arange(masses.shape[1]) + 0.5
        total = masses.sum(axis=1)
        mean = (masses * places).sum(axis=1) / np.where(total > 0, total, 1)
        margin = np.rint(side // 2 + 0.5 - scale * (mean - start) - _ROUNDING)
        # The whole digit remains visible, even where that keeps it from the middle.
        return np.clip(margin, 0, np.floor(side - scale * (stop - start) + _ROUNDING))


def _ends(has_ink):
    """Return the first place with ink of (n, length) lines, and that after the last.

    A line without ink is returned as a whole.
    """
    stop = has_ink.shape[1] - has_ink[:, ::-1].argmax(axis=1)
    return has_ink.argmax(axis=1), stop


def _between(start, stop, length):
    places = np.arange(length)
    return (start[:, None] <= places) & (places < stop[:, None])


def _resized(image, left, right, width):
    """Resize the columns from `left` to `right`, with 0 where they exceed the image."""
    start, stop = math.floor(left), math.ceil(right)
    # Pillow pads with 0 what is outside of an image.
    region = image.crop((start, 0, stop, image.height))
    box = left - start, 0, right - start, image.height
    return region.resize((width, image.height), _FILTER, box=box)


def usual_digit_size(image_shape):
    """Return the part of an image that digits fill where images have this shape.

    Those of scikit-learn, of 8×8 pixels, are filled; all others are treated as MNIST's.
    """
    return 1.0 if tuple(image_shape[:2]) == (8, 8) else 20 / 28
