"""Deskewing of slanted digits."""

from numbers import Real

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .image_array import ImageArray
from .transformer import ImageTransformer, image_batches


class Deskewer(OneToOneFeatureMixin, ImageTransformer):
    """Set slanted digits upright and centre them.

    Classical models compare pixels at the same position, so they are more accurate if
    images do not differ in slant and position [1]_. The slant is measured by the second
    central moments of the brightness [2]_: the rows of an image are shifted by
    ``(y - y_mean) * cov(x, y) / var(y)`` to make the covariance zero, and the centre of
    mass is moved to the middle, both with bilinear interpolation.

    Parameters
    ----------
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images. None infers
        it from the input; rows of pixels must then be square images with one channel.
        ``"row"`` treats rows of any width as images of one row, which have no slant.
    max_shear : float, default=1.0
        Largest correction of the slant, in columns per row, at least 0; 1 means 45
        degrees. It is needed because the slant of a flat stroke is unbounded.
    center : bool, default=True
        Whether to move the centre of mass to the middle of the image.

    Attributes
    ----------
    image_shape_ : tuple of 3 int
        Height, width and channels of the images.
    n_features_in_ : int
        Number of pixels of an image, all channels counted.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of `X`, if `fit` was given a data frame whose column names are all
        strings.

    See Also
    --------
    ImageScaler : Scale the pixels to [0, 1].

    Notes
    -----
    Each image is deskewed independently. Its lowest value is the background: it has no
    mass, and it fills the pixels moved in from outside. Strokes must therefore be
    brighter than the background. All channels of an image are moved alike. An image of
    one colour is not changed. Layouts are detected as in :class:`ImageScaler`.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based
       learning applied to document recognition. Proceedings of the IEEE
       86(11), 2278-2324. Reports results on deskewed MNIST.
    .. [2] M.-K. Hu (1962). Visual pattern recognition by moment invariants.
       IRE Transactions on Information Theory 8(2), 179-187.

    Examples
    --------
    >>> import numpy as np
    >>> from skmnist import Deskewer
    >>> slanted = np.array([[[0, 0, 9], [0, 9, 0], [9, 0, 0]]], dtype=np.uint8)
    >>> Deskewer().fit_transform(slanted).reshape(3, 3)
    array([[0., 9., 0.],
           [0., 9., 0.],
           [0., 9., 0.]], dtype=float32)
    """

    _parameter_constraints = {
        "image_shape": [None, StrOptions({"row"}), tuple, list],
        "max_shear": [Interval(Real, 0, None, closed="left")],
        "center": ["boolean"],
    }

    def __init__(self, *, image_shape=None, max_shear=1.0, center=True):
        self.image_shape = image_shape
        self.max_shear = max_shear
        self.center = center

    def transform(self, X):
        """Deskew and centre the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Images in any layout that `fit` accepts.

        Returns
        -------
        ndarray of float32 of shape (n_samples, `n_features_in_`)
            Rows of pixels in the order height, width, channels, within the value range
            of each image. The array carries the shape of the images, like the output of
            :class:`ImageScaler`.
        """
        check_is_fitted(self)
        pixels, image_shape = self._read(X, check=self._check_new)
        deskewed = np.empty((len(pixels), *self.image_shape_), dtype=np.float32)
        for batch in image_batches(pixels):
            images = pixels[batch].astype(np.float64).reshape(deskewed[batch].shape)
            background = images.min(axis=(1, 2, 3), keepdims=True)
            images -= background
            deskewed[batch] = self._deskew(images) + background
        rows = deskewed.reshape(len(deskewed), -1)
        return rows if image_shape is None else ImageArray.of(rows, image_shape)

    def _deskew(self, images):
        """Deskew (n, height, width, channels) images whose background is 0."""
        n, height, width, n_channels = images.shape
        y_mean, x_mean, slant = _slant(images.sum(axis=3))
        slant = np.clip(slant, -self.max_shear, self.max_shear)
        y_shift = x_shift = np.zeros(n)
        if self.center:
            y_shift = y_mean - (height - 1) / 2
            x_shift = x_mean - (width - 1) / 2
        # A shear moves each row as a whole, so interpolating between rows first
        # and within rows then is bilinear interpolation.
        columns = images.reshape(n, height, width * n_channels)
        rows = _shifted(columns, y_shift).reshape(n * height, width, n_channels)
        y_source = np.arange(height) + y_shift[:, None]
        row_shift = x_shift[:, None] + slant[:, None] * (y_source - y_mean[:, None])
        return _shifted(rows, row_shift.ravel()).reshape(images.shape)


def _slant(mass):
    """Centre of mass (y, x) of (n, height, width) `mass`, and cov(x, y) / var(y)."""
    _, height, width = mass.shape
    y = np.arange(height, dtype=np.float64)
    x = np.arange(width, dtype=np.float64)
    row_mass = mass.sum(axis=2)
    total = row_mass.sum(axis=1)
    blank = total == 0
    total[blank] = 1.0
    y_mean = (row_mass * y).sum(axis=1) / total
    x_mean = (mass.sum(axis=1) * x).sum(axis=1) / total
    y_mean[blank] = (height - 1) / 2
    x_mean[blank] = (width - 1) / 2
    y_offset = y - y_mean[:, None]
    x_sum = np.einsum("nhw,w->nh", mass, x) - x_mean[:, None] * row_mass
    variance = (row_mass * y_offset**2).sum(axis=1) / total
    covariance = (x_sum * y_offset).sum(axis=1) / total
    # Where all the mass lies in one row there is no slant, only rounding.
    one_row = variance < 1e-9
    variance[one_row] = 1.0
    covariance[one_row] = 0.0
    return y_mean, x_mean, covariance / variance


def _shifted(lines, shifts):
    """Read each of the (n, length, k) lines at positions moved by its shift.

    Between two places the values are interpolated; beyond the ends they are 0.
    """
    n, length, _ = lines.shape
    padded = np.zeros((n, length + 2, lines.shape[2]))
    padded[:, 1:-1] = lines
    whole = np.floor(shifts)
    weight = (shifts - whole)[:, None, None]
    whole = np.clip(whole, -length - 1, length)[:, None].astype(np.intp)
    left = np.clip(np.arange(length) + whole + 1, 0, length + 1)
    right = np.clip(np.arange(length) + whole + 2, 0, length + 1)
    line = np.arange(n)[:, None]
    return padded[line, left] * (1.0 - weight) + padded[line, right] * weight
