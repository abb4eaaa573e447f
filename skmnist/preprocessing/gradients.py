"""Histograms of oriented gradients."""

from numbers import Integral

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .transformer import ImageTransformer, image_batches

# Largest entry of a block before it is normalized a second time, as in [1]_.
_CLIP = 0.2
# What is added to the length of a block, so that faint noise is not made as strong as
# strokes: the gradients of pixels that differ by a tenth of the range.
_FAINT = 0.1


class HOGTransformer(ClassNamePrefixFeaturesOutMixin, ImageTransformer):
    """Describe images by histograms of oriented gradients (HOG).

    Classical models are more accurate on directions of strokes than on pixels, which
    change more where a stroke moves a little [1]_. An image is divided into cells. Each
    cell has a histogram of the directions of the gradients in it, weighted by their
    magnitude; neighbouring cells and directions share a gradient between them by linear
    interpolation. Blocks of neighbouring cells, which overlap, are normalized to length
    1, clipped at 0.2, and normalized again.

    Parameters
    ----------
    image_shape : None, "row" or tuple of 2 or 3 int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images. None infers
        it from the input; rows of pixels must then be square images with one channel.
        ``"row"`` treats rows of any width as images of one row.
    n_cells : int, default=5
        Number of cells along the height, and along the width, of an image of any size.
    block_size : int, default=2
        Number of cells along the height, and along the width, of a block, at most
        `n_cells`.
    n_orientations : int, default=8
        Number of directions in a histogram, at least 2.
    signed : bool, default=True
        Whether opposite directions differ, so that directions are from 0 to 360
        degrees; otherwise from 0 to 180 degrees, which suits images with strokes both
        brighter and darker than the background.

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
    Deskewer : Set slanted digits upright, which makes their gradients more alike.

    Notes
    -----
    Pixels should be in [0, 1], as :class:`ImageScaler` makes them: much fainter
    gradients count as noise. A pixel of several channels has the gradient of the
    channel where that is largest.

    References
    ----------
    .. [1] N. Dalal, B. Triggs (2005). Histograms of oriented gradients for human
       detection. IEEE Conference on Computer Vision and Pattern Recognition, 886-893.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skmnist import HOGTransformer, ImageScaler
    >>> from skmnist.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(ImageScaler(), HOGTransformer(), SVC())
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.95
    True
    """

    _parameter_constraints = {
        "image_shape": [None, StrOptions({"row"}), tuple, list],
        "n_cells": [Interval(Integral, 1, None, closed="left")],
        "block_size": [Interval(Integral, 1, None, closed="left")],
        "n_orientations": [Interval(Integral, 2, None, closed="left")],
        "signed": ["boolean"],
    }

    def __init__(
        self,
        *,
        image_shape=None,
        n_cells=5,
        block_size=2,
        n_orientations=8,
        signed=True,
    ):
        self.image_shape = image_shape
        self.n_cells = n_cells
        self.block_size = block_size
        self.n_orientations = n_orientations
        self.signed = signed

    def _validate_params(self):
        super()._validate_params()
        if self.block_size > self.n_cells:
            raise ValueError(
                f"block_size={self.block_size} must be at most n_cells={self.n_cells}."
            )

    def transform(self, X):
        """Compute the histograms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Images in any layout that `fit` accepts.

        Returns
        -------
        ndarray of float32 of shape (n_samples, n_features)
            Entries from 0 to 1 in the order block row, block column, cell row and cell
            column in the block, direction.
        """
        check_is_fitted(self)
        pixels, _ = self._read(X, check=self._check_new)
        features = np.empty((len(pixels), self._n_features_out), dtype=np.float32)
        for batch in image_batches(pixels):
            images = pixels[batch].astype(np.float64).reshape(-1, *self.image_shape_)
            features[batch] = self._normalized(self._histograms(images))
        return features

    @property
    def _n_features_out(self):
        n_blocks = self.n_cells - self.block_size + 1
        return (n_blocks * self.block_size) ** 2 * self.n_orientations

    def _histograms(self, images):
        """Return the histograms of all cells, (n, n_cells, n_cells, n_orientations)."""
        _, height, width, _ = images.shape
        padded = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)], "edge")
        y = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
        x = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
        strongest = np.hypot(y, x).argmax(axis=3)[..., None]
        y, x = (np.take_along_axis(part, strongest, axis=3) for part in (y, x))
        turn = 2 * np.pi if self.signed else np.pi
        place = np.arctan2(y, x) % turn / turn * self.n_orientations
        # A weight of each direction, by its distance on the circle.
        n = self.n_orientations
        distance = np.abs((place - np.arange(n) + n / 2) % n - n / 2)
        votes = np.hypot(y, x) * np.maximum(0, 1 - distance)
        votes = np.tensordot(votes, _shares(height, self.n_cells), axes=(1, 1))
        votes = np.tensordot(votes, _shares(width, self.n_cells), axes=(1, 1))
        return np.moveaxis(votes, 1, 3)

    def _normalized(self, cells):
        """Normalize the blocks of (n, n_cells, n_cells, n_orientations) histograms."""
        size = (self.block_size, self.block_size)
        blocks = np.lib.stride_tricks.sliding_window_view(cells, size, axis=(1, 2))
        blocks = np.moveaxis(blocks, 3, 5).reshape(*blocks.shape[:3], -1)
        blocks = _of_length_1(np.minimum(_of_length_1(blocks), _CLIP))
        return blocks.reshape(len(cells), -1)


def _shares(length, n_cells):
    """Return how much of each of the pixels on an axis belongs to each cell."""
    place = (np.arange(length) + 0.5) * n_cells / length - 0.5
    return np.maximum(0, 1 - np.abs(place - np.arange(n_cells)[:, None]))


def _of_length_1(blocks):
    return blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + _FAINT**2)
