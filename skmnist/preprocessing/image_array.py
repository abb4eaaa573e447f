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
    """Output of an image transformer: an array that carries the image shape.

    A table of pixels does not say how high and wide its images are, so a network that
    gets one from an :class:`~skmnist.ImageScaler` would have to guess. Selected rows,
    copies, pickles, concatenations with rows of the same shape and results of
    elementwise functions keep the shape. All other results lose it, as pixels may have
    changed places; so does the output of scikit-learn's own transformers. Pixels moved
    within the array itself are not noticed.

    The image shape is not part of the hash that :class:`joblib.Memory` computes.
    """

    # Of an array that NumPy makes by itself. There is no `__array_finalize__`, so only
    # the methods below pass the shape on.
    image_shape = None
    channels_first = False

    @classmethod
    def of(cls, pixels, image_shape, *, channels_first=False):
        """View pixels as an array that carries (height, width, channels)."""
        array = np.asarray(pixels).view(cls)
        array.image_shape = tuple(image_shape)
        array.channels_first = channels_first
        return array

    def _passed_on(self, pixels):
        """View pixels with the shape that is carried, if they are images of it."""
        if self.image_shape is None or pixels.shape[1:] != self.shape[1:]:
            return np.asarray(pixels)
        return self.of(pixels, self.image_shape, channels_first=self.channels_first)

    def __getitem__(self, index):
        found = super().__getitem__(index)
        if not isinstance(found, np.ndarray):
            return found
        rows, *others = index if isinstance(index, tuple) and index else (index,)
        keeps_places = rows is not Ellipsis and all(
            part is Ellipsis or (isinstance(part, slice) and part == slice(None))
            for part in others
        )
        return self._passed_on(found) if keeps_places else np.asarray(found)

    def take(self, indices, axis=None, out=None, mode="raise"):
        """Take elements; images that are taken whole keep their shape."""
        found = super().take(indices, axis, out, mode)
        return self._passed_on(found) if axis == 0 and out is None else found

    def copy(self, order="C"):
        """Copy the images with their shape."""
        return self._passed_on(super().copy(order))

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
        """Convert the pixels; the shape stays."""
        found = super().astype(dtype, order, casting, subok, copy)
        return self._passed_on(found) if subok else found

    def __array_wrap__(self, array, context=None, return_scalar=False):
        # Functions that move pixels, such as `accumulate`, come without a context.
        is_elementwise = context is not None and context[0].signature is None
        if array is self:
            return self  # the caller's own output, as of +=
        if is_elementwise and array.shape == self.shape:
            shapes = {getattr(given, "image_shape", None) for given in context[1]}
            if shapes <= {self.image_shape, None}:
                return self._passed_on(array)
        return array[()] if return_scalar else np.asarray(array)

    def __array_function__(self, function, types, args, kwargs):
        found = super().__array_function__(function, types, args, kwargs)
        # These work by methods above, and do nothing after them.
        if function in (np.vstack, np.take, np.clip):
            return found
        if function is np.concatenate:
            parts = args[0] if args else kwargs["arrays"]
            forms = {
                (part.image_shape, part.channels_first)
                if isinstance(part, ImageArray)
                else None
                for part in parts
            }
            if forms == {(self.image_shape, self.channels_first)}:
                return self._passed_on(found)
        return np.asarray(found) if isinstance(found, ImageArray) else found

    def __reduce__(self):
        # Through a plain array, which joblib stores and maps into memory as such.
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
