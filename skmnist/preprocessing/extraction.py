"""Extraction of handwritten digits from pictures of any size."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted

from .image_array import ImageArray
from .layout import as_stack
from .normalization import DigitNormalizer
from .paper import find_ink
from .strokes import find_digits, reading_order, stroke_width
from .validation import refuse_overflow

# Longer side, in pixels, of the picture in which digits are looked for.
_LONGEST = 1200
_REDUCING = Image.Resampling.BOX
# White, as the largest pixel value shows it. Resized pictures may overshoot a little.
_WHITES = 1, 255, 65535
_OVERSHOOT = 0.1
# Ink as strong as this quantile of the ink of a digit is white in its image.
_FULL_INK = 0.5
_EDGE = 2  # pixels beyond its mask that a stroke may fade out in


@dataclass(frozen=True, eq=False)
class ExtractedDigits:
    """Digits found in a picture, in reading order.

    Attributes
    ----------
    images : ndarray of uint8 of shape (n_digits, height, width)
        The digits like images of MNIST: light on black, from 0 to 255.
    boxes : ndarray of float of shape (n_digits, 4)
        Top, left, bottom and right of each digit, in pixels of the picture.
    confidences : ndarray of float of shape (n_digits,)
        How much each looks like a digit rather than a spot or the edge of a sheet, in
        [0, 1]. It says nothing about the label.
    rows : ndarray of int of shape (n_digits,)
        The row of each digit, from 0 at the top.

    See Also
    --------
    skmnist.DigitExtractor : Makes these.

    Examples
    --------
    >>> import numpy as np
    >>> from skmnist import DigitExtractor
    >>> picture = np.full((90, 60), 200, dtype=np.uint8)
    >>> picture[10:30, 20:24] = picture[50:70, 20:24] = 30
    >>> digits = DigitExtractor().extract(picture)
    >>> len(digits), digits.rows
    (2, array([0, 1]))
    >>> digits.join(["1", "7"])
    ['1', '7']
    """

    images: np.ndarray
    boxes: np.ndarray
    confidences: np.ndarray
    rows: np.ndarray

    def __len__(self):
        return len(self.images)

    def join(self, labels):
        """Write the labels of the digits as they stand in the picture.

        Parameters
        ----------
        labels : array-like of shape (n_digits,)
            Labels of `images`, in their order.

        Returns
        -------
        list of str
            One text per row.

        Raises
        ------
        ValueError
            If there are not as many labels as digits.
        """
        if len(labels) != len(self):
            raise ValueError(f"{len(labels)} labels given for {len(self)} digits.")
        lines = [""] * (self.rows.max(initial=-1) + 1)
        for row, label in zip(self.rows, labels, strict=True):
            lines[row] += str(label)
        return lines


class DigitExtractor(DigitNormalizer):
    """Find the digits in a picture, and make images like those of MNIST from them.

    A picture may be a photo, a scan or a drawing of any size, with one digit, a row or
    several rows. Uneven light and printed lines are removed, and dark ink is told from
    light ink. Strokes are grouped into digits; digits that touch are separated where
    at most one stroke connects them. Each digit is cut out, thin strokes are made as
    thick as those of MNIST, and :class:`DigitNormalizer` brings it to its size and
    position.

    :meth:`extract` finds all digits of one picture and needs no `fit`. As a
    transformer, this class makes one image from each picture, for pictures of the same
    size that show one digit each.

    Parameters
    ----------
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        As in :class:`DigitNormalizer`, for `fit` and `transform`.
    output_shape : tuple of 2 int, default=(28, 28)
        ``(height, width)`` of the images of digits.
    digit_size : float, default=20/28
        Height and width of the box that a digit just fits into, as a fraction in (0, 1]
        of `output_shape`.
    threshold : float, default=0.1
        As in :class:`DigitNormalizer`, in the cut out digits.
    ink : {"auto", "dark", "light"}, default="auto"
        Whether the ink is darker or lighter than the paper.
    stroke_width : float, default=0.125
        Smallest width of strokes, as a fraction in [0, 1) of the longer side of the
        digit. Thinner strokes are thickened. The median of MNIST is 0.12.
    min_confidence : float, default=0.5
        Digits with a lower confidence are left out, in [0, 1].

    Attributes
    ----------
    image_shape_ : tuple of 3 int
        Height, width and channels of the pictures in `fit`.
    n_features_in_ : int
        Number of pixels of such a picture, all channels counted.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of `X`, if `fit` was given a data frame whose column names are all
        strings.

    See Also
    --------
    DigitNormalizer : For images that show nothing but one light digit.
    skmnist.datasets.read_picture : Read a picture from a file.

    Notes
    -----
    The background is a morphological closing, wider than the strokes, of the channel
    in which ink and paper differ most. Ink is what is darker than the background in
    proportion to it, by Otsu's threshold [1]_ with hysteresis. Lines are found by a
    Hough transform [2]_, and only removed where they cover much of the width or height
    of the picture.

    References
    ----------
    .. [1] N. Otsu (1979). A threshold selection method from gray-level histograms.
       IEEE Transactions on Systems, Man, and Cybernetics 9(1), 62-66.
    .. [2] R. O. Duda, P. E. Hart (1972). Use of the Hough transformation to detect
       lines and curves in pictures. Communications of the ACM 15(1), 11-15.

    Examples
    --------
    Two dark bars on light paper are found from left to right:

    >>> import numpy as np
    >>> from skmnist import DigitExtractor
    >>> picture = np.full((60, 90), 200, dtype=np.uint8)
    >>> picture[20:40, 60:64] = 30
    >>> picture[18:40, 30:34] = 30
    >>> digits = DigitExtractor().extract(picture)
    >>> digits.images.shape
    (2, 28, 28)
    >>> digits.boxes
    array([[18., 30., 40., 34.],
           [20., 60., 40., 64.]])
    """

    _parameter_constraints = {
        **DigitNormalizer._parameter_constraints,
        "ink": [StrOptions({"auto", "dark", "light"})],
        "stroke_width": [Interval(Real, 0, 1, closed="left")],
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        *,
        image_shape=None,
        output_shape=(28, 28),
        digit_size=20 / 28,
        threshold=0.1,
        ink="auto",
        stroke_width=0.125,
        min_confidence=0.5,
    ):
        super().__init__(
            image_shape=image_shape,
            output_shape=output_shape,
            digit_size=digit_size,
            threshold=threshold,
        )
        self.ink = ink
        self.stroke_width = stroke_width
        self.min_confidence = min_confidence

    def extract(self, picture):
        """Find the digits of a picture.

        Parameters
        ----------
        picture : array-like of shape (height, width) or (height, width, channels)
            Grey or coloured pixels of any type. White is 1, 255 or 65535: the smallest
            of these that the largest value does not exceed. Values up to a tenth of it
            outside of the range from 0 are clipped. A picture with any other values,
            negative or larger ones, is scaled so that it fills the range from black to
            white.

        Returns
        -------
        ExtractedDigits
            Images, boxes, confidences and rows; of length 0 if there is no digit.

        Raises
        ------
        ValueError
            If `picture` has another shape, or masked, NaN or infinite pixels, or some
            too large for float32.
        TypeError
            If `picture` is sparse, or no array, such as the name of a file.
        """
        self._validate_params()
        picture = _checked(picture)
        pixels = _scaled(picture)
        ink = find_ink(pixels, self.ink)
        labels, boxes, typical = find_digits(ink.strength, ink.mask)
        parts = [
            _Part.of(ink.strength, labels, number, box)
            for number, box in enumerate(boxes, 1)
        ]
        confidences = _confidences(parts, typical)
        sure = np.flatnonzero(confidences >= self.min_confidence)
        order, rows = reading_order(boxes[sure])
        order = sure[order]
        images = np.empty((len(order), *self.output_shape), dtype=np.uint8)
        for image, number in zip(images, order, strict=True):
            image[:] = self._image(parts[number])
        # Each side was rounded to whole pixels on its own.
        boxes = boxes[order] * np.tile(picture.shape[:2], 2)
        boxes = boxes / np.tile(pixels.shape[:2], 2)
        return ExtractedDigits(images, boxes, confidences[order], rows)

    def transform(self, X):
        """Make an image from the digit in each picture.

        If a picture has several digits, the largest is taken; if it has none, the image
        is black.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Pictures in any layout that `fit` accepts.

        Returns
        -------
        ndarray of float32 of shape (n_samples, height * width)
            Rows of pixels from 0 to 255. The array carries the shape of the images,
            like the output of :class:`ImageScaler`.
        """
        check_is_fitted(self)
        pixels, _ = self._read(X, check=self._check_new)
        shape = *self.output_shape, 1
        images = np.zeros((len(pixels), *self.output_shape), dtype=np.float32)
        for target, picture in zip(images, pixels, strict=True):
            digits = self.extract(picture.reshape(self.image_shape_))
            if len(digits):
                sizes = digits.boxes[:, 2:] - digits.boxes[:, :2]
                target[:] = digits.images[sizes.max(axis=1).argmax()]
        return ImageArray.of(images.reshape(len(images), -1), shape)

    @property
    def _n_features_out(self):
        return super()._n_features_out // self.image_shape_[2]  # grey

    def _image(self, part):
        """Make the image of one digit."""
        missing = self.stroke_width * max(part.mask.shape) - part.stroke_width
        pad = int(max(missing, 0) / 2) + _EDGE + 1
        mask, strength = np.pad(part.mask, pad), np.pad(part.strength, pad)
        if missing > part.stroke_width / 4:
            distance = ndimage.distance_transform_edt(~mask)
            image = np.clip(missing / 2 + 1 - distance, 0, 1)
        else:
            near = ndimage.binary_dilation(mask, iterations=_EDGE)
            image = np.clip(strength / part.level, 0, 1) * near
        placed = self._place(image[None, ..., None].astype(np.float32))
        return np.rint(255 * placed[0, ..., 0])


@dataclass(frozen=True, eq=False)
class _Part:
    """The ink of one digit, cut out of a picture."""

    strength: np.ndarray
    mask: np.ndarray
    level: float
    stroke_width: float

    @classmethod
    def of(cls, strength, labels, number, box):
        top, left, bottom, right = box
        mask = labels[top:bottom, left:right] == number
        strength = strength[top:bottom, left:right]
        level = max(float(np.quantile(strength[mask], _FULL_INK)), 1e-6)
        return cls(strength, mask, level, float(stroke_width(mask)))


def _confidences(parts, typical):
    """Rate how much parts of a picture look like digits, from 0 to 1.

    A digit is about as high as the others, not flat, made of strokes, and its ink is
    about as strong as that of the others.
    """
    if not parts:
        return np.empty(0)
    heights, widths = np.array([part.mask.shape for part in parts], dtype=float).T
    levels = np.array([part.level for part in parts])
    strokes = np.array([part.stroke_width for part in parts])
    sizes = np.maximum(heights, widths)
    fractions = (
        sizes / (0.8 * typical),
        2.5 * typical / heights,
        heights / (0.7 * widths),
        0.4 * sizes / strokes,
        (levels / (0.7 * np.median(levels))) ** 2,
    )
    return np.prod(np.clip(fractions, 0, 1), axis=0)


def _checked(picture):
    """Return a picture as (height, width, channels)."""
    pixels = as_stack(picture, name="picture")
    if np.ndim(pixels) == 0:
        raise TypeError(
            f"picture must be an array of pixels; got {picture!r:.60}. To read a file, "
            "use skmnist.datasets.read_picture."
        )
    pixels = check_array(
        pixels, dtype="numeric", ensure_2d=False, allow_nd=True, input_name="picture"
    )
    refuse_overflow(pixels, name="picture")
    shape = pixels.shape
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or not pixels.size or pixels.shape[2] > 4:
        raise ValueError(
            "picture must have the shape (height, width) or (height, width, channels) "
            f"with at most 4 channels, and at least one pixel; got {shape}."
        )
    return pixels


def _scaled(pixels):
    """Return a picture of moderate size with pixels from 0 to 1."""
    height, width, _ = pixels.shape
    scale = min(1, _LONGEST / max(height, width))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    channels = []
    for channel in np.moveaxis(pixels, 2, 0):
        if channel.dtype not in (np.uint8, np.float32):
            channel = channel.astype(np.float32)
        if scale < 1:
            channel = np.asarray(Image.fromarray(channel).resize(size, _REDUCING))
        channels.append(channel.astype(np.float32))
    small = np.stack(channels, axis=2)
    low, high = np.float64(pixels.min()), np.float64(pixels.max())
    whites = [w for w in _WHITES if high <= (1 + _OVERSHOOT) * w]
    if whites and low >= -_OVERSHOOT * whites[0]:
        return np.clip(small / np.float32(whites[0]), 0, 1)
    return ((small - low) / max(high - low, 1e-30)).astype(np.float32)
