"""Arrays of pixels that carry the shape of their images."""

import math
from typing import NamedTuple

import numpy as np

__all__ = ["ImageArray", "ImageShape", "carried_images"]


class ImageShape(NamedTuple):
    """The shape of an image that is known, not read off an array of either layout."""

    height: int
    width: int
    channels: int


class ImageArray(np.ndarray):
    """What a transformer of images returns: an array that carries the image shape.

    A table of pixels does not say how high and wide its images are, so a network that
    gets one from an :class:`~skmnist.ImageScaler` would have to guess. The shape stays
    with selected rows, copies, pickles, and results of arithmetic that have the shape
    of the array. Whatever else is computed is a plain array, and so is what
    scikit-learn's own transformers make of it, as the pixels may have changed places.

    The image shape is not part of the hash that :class:`joblib.Memory` computes.
    """

    # Of an array that NumPy makes by itself, until `__array_finalize__` knows better.
    image_shape = None
    channels_first = False

    @classmethod
    def of(cls, pixels, image_shape, *, channels_first=False):
        """View pixels as an array that carries (height, width, channels)."""
        array = np.asarray(pixels).view(cls)
        array.image_shape = tuple(image_shape)
        array.channels_first = channels_first
        return array

    def __array_finalize__(self, source):
        self.image_shape = getattr(source, "image_shape", None)
        self.channels_first = getattr(source, "channels_first", False)

    def __array_wrap__(self, array, context=None, return_scalar=False):
        is_elementwise = context is None or context[0].signature is None
        if array.shape == self.shape and is_elementwise:
            return super().__array_wrap__(array, context, return_scalar)
        return array[()] if return_scalar else np.asarray(array)

    def __array_function__(self, function, types, args, kwargs):
        found = super().__array_function__(function, types, args, kwargs)
        if function is np.concatenate and isinstance(found, np.ndarray):
            parts = args[0] if args else kwargs["arrays"]
            forms = {
                (part.image_shape, part.channels_first)
                if isinstance(part, ImageArray)
                else None
                for part in parts
            }
            # More images of one shape; side by side they would have too many columns.
            if forms == {(self.image_shape, self.channels_first)}:
                return self.of(
                    found, self.image_shape, channels_first=self.channels_first
                )
        return found

    def __getitem__(self, index):
        found = super().__getitem__(index)
        rows, *others = index if isinstance(index, tuple) and index else (index,)
        keeps_places = rows is not Ellipsis and all(
            part is Ellipsis or (isinstance(part, slice) and part == slice(None))
            for part in others
        )
        if keeps_places or not isinstance(found, np.ndarray):
            return found
        return np.asarray(found)

    def __reduce__(self):
        # By way of a plain array, which joblib stores and maps into memory as such.
        plain = np.asarray(self)
        if self.image_shape is None:
            return np.asarray, (plain,)
        return _restored, (plain, self.image_shape, self.channels_first)

    def __reduce_ex__(self, protocol):
        return self.__reduce__()

    def __repr__(self):
        return repr(np.asarray(self))


def _restored(pixels, image_shape, channels_first):
    """Make an `ImageArray` from what its pickle holds."""
    return ImageArray.of(pixels, image_shape, channels_first=channels_first)


def carried_images(X):
    """Return the images of an array that carries their shape.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    ndarray of shape (n_samples, height, width, channels) or None
        A view. None if `X` is no `ImageArray`, or no longer has the pixels of whole
        images in their order.
    """
    if not isinstance(X, ImageArray) or X.image_shape is None or X.ndim < 2:
        return None
    pixels, shape = np.asarray(X), X.image_shape
    if X.channels_first:
        images = np.moveaxis(pixels, 1, -1) if X.ndim == 4 else pixels
        return images if images.shape[1:] == shape else None
    if X.shape[1:] in (shape, (math.prod(shape),)):
        return pixels.reshape(len(X), *shape)
    return None
