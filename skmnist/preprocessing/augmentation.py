"""Random changes of training images."""

import math
from functools import cache
from numbers import Real
from types import SimpleNamespace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from .layout import as_rows, declared_shape, in_order, locate, resolve_image_shape
from .validation import naming_overflow

__all__ = ["FAR_FROM_PIXELS", "Augmentation", "AugmentedImages"]

_BLOCK = 64  # images at a time, whose arrays stay in the cache of a processor
# Standard deviation of the Gaussian that smooths displacements, as a fraction of the
# image size: the 4 of 28 pixels that [1]_ recommends.
_SMOOTHNESS = 1 / 7
_NEGLIGIBLE = 1e-3  # part of the variance of a displacement
# A background that is so many times as bright as the images is a mistake of scale.
FAR_FROM_PIXELS = 10
# Ranges of the erased area, as a fraction of the image, and of its height / width.
_ERASED_AREA = 0.02, 0.33
_ERASED_ASPECT = 0.3, 1 / 0.3


class Augmentation(BaseEstimator):
    """Random changes of training images: rotation, elastic deformation and others.

    A network classifier that has one changes every image anew in each epoch of
    training, and leaves validation and prediction alone. Its parameters are parameters
    of the classifier, such as ``augmentation__rotation``. All of them are 0 by
    default, which changes nothing.

    Parameters
    ----------
    rotation : float, default=0.0
        Largest angle in degrees, in [0, 180], in either direction.
    translation : float, default=0.0
        Largest shift as a fraction of height and width, in [0, 1], in any direction.
    zoom : float, default=0.0
        Largest relative change of the size, in [0, 1). Height and width change
        independently: with 0.1 each becomes 90 % to 110 % of what it was.
    shear : float, default=0.0
        Largest slant of vertical lines, in [0, 1]: the tangent of the angle, in either
        direction.
    elastic : float, default=0.0
        Elastic deformation [1]_: standard deviation of the displacement of a pixel, as
        a fraction of height and width, in [0, 1]. Neighbours move together.
    erasing : float, default=0.0
        Random erasing [2]_: probability that a rectangle of an image gets the
        mean of its pixels. It covers 2 % to 33 % of the image.
    fill_mode : {"constant", "nearest"}, default="constant"
        What pixels from outside of an image become: `fill_value`, or the same as the
        nearest pixel of the image.
    fill_value : float, default=0.0
        Pixel of the background, as the images have it that are changed.

    References
    ----------
    .. [1] P. Y. Simard, D. Steinkraus, J. C. Platt (2003). Best practices for
       convolutional neural networks applied to visual document analysis. International
       Conference on Document Analysis and Recognition.
    .. [2] Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang (2020). Random erasing data
       augmentation. AAAI Conference on Artificial Intelligence.

    Examples
    --------
    >>> from skmnist import Augmentation, KerasCNNClassifier
    >>> from skmnist.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> augmentation = Augmentation(rotation=10, translation=0.1)
    >>> augmentation.augment(X, random_state=0).shape
    (1797, 64)
    >>> network = KerasCNNClassifier(augmentation=augmentation)
    >>> network.set_params(augmentation__rotation=15).augmentation
    Augmentation(rotation=15, translation=0.1)
    """

    _parameter_constraints = {
        "rotation": [Interval(Real, 0, 180, closed="both")],
        "translation": [Interval(Real, 0, 1, closed="both")],
        "zoom": [Interval(Real, 0, 1, closed="left")],
        "shear": [Interval(Real, 0, 1, closed="both")],
        "elastic": [Interval(Real, 0, 1, closed="both")],
        "erasing": [Interval(Real, 0, 1, closed="both")],
        "fill_mode": [StrOptions({"constant", "nearest"})],
        "fill_value": [Interval(Real, None, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        rotation=0.0,
        translation=0.0,
        zoom=0.0,
        shear=0.0,
        elastic=0.0,
        erasing=0.0,
        fill_mode="constant",
        fill_value=0.0,
    ):
        self.rotation = rotation
        self.translation = translation
        self.zoom = zoom
        self.shear = shear
        self.elastic = elastic
        self.erasing = erasing
        self.fill_mode = fill_mode
        self.fill_value = fill_value

    def augment(self, X, *, image_shape=None, random_state=None):
        """Change images as in training, to see what that makes of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, which stay as they are.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)`` of images that are rows
            of pixels. None expects square images of one channel.
        random_state : int, RandomState instance or None, default=None
            Controls the changes. Pass an int for the same changes across calls.

        Returns
        -------
        ndarray of the shape and type of X
            Changed images, computed in float32.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the images are not as described.
        """
        self._validate_params()
        rows, found = as_rows(X)
        with naming_overflow(rows):
            rows = check_array(rows, dtype="numeric", input_name="X")
        declared = declared_shape(image_shape, rows.shape[1])
        channels_first = False
        if found is None:
            shape = resolve_image_shape(rows.shape[1], image_shape)
        else:
            channels_first, shape = locate(found, declared)
        images = in_order(rows, found, channels_first).reshape(len(rows), *shape)
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        changed = AugmentedImages(self, shape, [seed]).next(images)
        if rows.dtype.kind in "iu":
            limits = np.iinfo(rows.dtype)
            changed = np.rint(changed).clip(limits.min, limits.max)
        elif rows.dtype.kind == "b":
            changed = changed >= 0.5
        if channels_first:
            changed = np.moveaxis(changed, -1, 1)
        return changed.astype(rows.dtype).reshape(len(rows), *(found or (-1,)))


class AugmentedImages:
    """Changes images one after the other, in an order that a seed decides.

    In whatever groups they come, an image is changed in the same way.

    Parameters
    ----------
    augmentation : Augmentation
        What to do.
    image_shape : tuple of 3 int
        ``(height, width, channels)`` of the images.
    seed : sequence of int
        Seed.
    """

    def __init__(self, augmentation, image_shape, seed):
        # Plain numbers, as those of NumPy would compute in another precision.
        self._settings = SimpleNamespace(
            **{
                name: value if isinstance(value, str) else float(value)
                for name, value in augmentation.get_params().items()
            }
        )
        self._shape = image_shape
        # One for each kind, so that what one draws does not change the others.
        self._affine, self._elastic, self._erased = (
            # From 1: NumPy takes a 0 at the end for nothing.
            np.random.default_rng([*seed, kind])
            for kind in (1, 2, 3)
        )
        moves = "rotation", "translation", "zoom", "shear", "elastic"
        self._moves_pixels = any(vars(self._settings)[name] for name in moves)
        height, width, _ = image_shape
        self._modes = _displacement_modes(height), _displacement_modes(width)

    def next(self, images):
        """Return changed copies of the next images, in float32.

        Parameters
        ----------
        images : ndarray of shape (n_images, height, width, channels) or \
                (n_images, n_features)
            Images.

        Returns
        -------
        ndarray of the same shape
            Changed images.
        """
        changed = np.empty((len(images), *self._shape), np.float32)
        pixels = images.reshape(changed.shape)
        for start in range(0, len(images), _BLOCK):
            block = slice(start, start + _BLOCK)
            part = pixels[block]
            changed[block] = self._warped(part) if self._moves_pixels else part
        if self._settings.erasing:
            for image in changed:
                self._erase(image)
        return changed.reshape(images.shape)

    def _warped(self, images):
        """Move the pixels of a few images."""
        height, width, n_channels = self._shape
        rows, columns = self._sources(len(images))
        border = [(0, 0), (1, 1), (1, 1), (0, 0)]
        if self._settings.fill_mode == "nearest":
            padded = np.pad(images.astype(np.float32, copy=False), border, "edge")
        else:
            shape = len(images), height + 2, width + 2, n_channels
            padded = np.full(shape, self._settings.fill_value, np.float32)
            padded[:, 1:-1, 1:-1] = images
        flat = padded.reshape(-1, n_channels)
        # Below the border there is one more pixel of it.
        np.clip(rows, 0, np.nextafter(np.float32(height + 1), 0), out=rows)
        np.clip(columns, 0, np.nextafter(np.float32(width + 1), 0), out=columns)
        tops, lefts = rows.astype(np.int32), columns.astype(np.int32)
        rows -= tops
        columns -= lefts
        firsts = np.arange(len(images), dtype=np.int32) * ((height + 2) * (width + 2))
        index = (firsts[:, None, None] + tops * (width + 2) + lefts).astype(np.intp)
        rows, columns = rows[..., None], columns[..., None]

        def between(start):
            # Without a check of each index, which takes as long as all the rest.
            left = flat[start:].take(index, axis=0, mode="clip")
            right = flat[start + 1 :].take(index, axis=0, mode="clip")
            right -= left
            right *= columns
            left += right
            return left

        upper, lower = between(0), between(width + 2)
        lower -= upper
        lower *= rows
        upper += lower
        return upper

    def _sources(self, n_images):
        """Draw where each pixel comes from: rows and columns, with a border of 1."""
        settings = self._settings
        height, width, _ = self._shape
        drawn = 2 * self._affine.random((n_images, 6), np.float32) - 1
        angle = math.radians(settings.rotation) * drawn[:, 0]
        slant = settings.shear * drawn[:, 1]
        tall, wide = 1 + settings.zoom * drawn[:, 2], 1 + settings.zoom * drawn[:, 3]
        down = settings.translation * height * drawn[:, 4]
        right = settings.translation * width * drawn[:, 5]
        cosine, sine = np.cos(angle), np.sin(angle)
        # Turned back, sheared back, and scaled back.
        y, x = _centred(height), _centred(width)

        def source(of_y, of_x, constant):
            coordinate = (of_y[:, None] * y + constant[:, None])[:, :, None]
            return coordinate + (of_x[:, None] * x)[:, None, :]

        rows = source(cosine / tall, sine / tall, (height + 1) / 2 - down)
        columns = source(
            (slant * cosine - sine) / wide,
            (slant * sine + cosine) / wide,
            (width + 1) / 2 - right,
        )
        if settings.elastic:
            by_row, by_column = self._modes
            shape = n_images, 2, by_column.shape[1], by_row.shape[1]
            fields = self._elastic.standard_normal(shape, np.float32)
            fields = (fields @ by_row.T).swapaxes(2, 3) @ by_column.T
            rows += (settings.elastic * height) * fields[:, 0]
            columns += (settings.elastic * width) * fields[:, 1]
        return rows, columns

    def _erase(self, image):
        """Give a rectangle of an image the mean of its pixels, or leave it as it is."""
        draw = self._erased.random(5)
        if draw[0] >= self._settings.erasing:
            return
        height, width, _ = image.shape
        low, high = _ERASED_AREA
        area = (low + (high - low) * draw[1]) * height * width
        low, high = _ERASED_ASPECT
        aspect = low * (high / low) ** draw[2]
        tall = min(max(1, round(math.sqrt(area * aspect))), height)
        wide = min(max(1, round(math.sqrt(area / aspect))), width)
        top = int(draw[3] * (height - tall + 1))
        left = int(draw[4] * (width - wide + 1))
        image[top : top + tall, left : left + wide] = image.mean(axis=(0, 1))


def _centred(size):
    """Return the coordinates of pixels, from the middle of an image."""
    return np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)


@cache
def _displacement_modes(size):
    """Return what makes smooth displacements of variance 1 of independent numbers.

    A field that is smoothed by a Gaussian has a Gaussian covariance. Its few largest
    eigenvectors are nearly all of it.
    """
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    covariance = np.exp(-0.25 * (distance / (_SMOOTHNESS * size)) ** 2)
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _NEGLIGIBLE * values.sum()
    modes = vectors[:, kept] * np.sqrt(values[kept])
    return (modes / np.linalg.norm(modes, axis=1, keepdims=True)).astype(np.float32)
