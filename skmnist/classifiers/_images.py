"""The shape of an image: from a parameter, the data, or the number of features."""

from skmnist.preprocessing import resolve_image_shape
from skmnist.preprocessing.image_array import ImageShape
from skmnist.preprocessing.layout import channels_come_first

__all__ = ["network_image_shape"]


def network_image_shape(image_shape, n_features, data_shape):
    """Return ``(height, width, channels)`` for a parameter and what the data say.

    Parameters
    ----------
    image_shape : None, "row" or tuple of int
        The parameter of a classifier; None leaves it to the data.
    n_features : int
        Number of pixels of an image, times its channels.
    data_shape : tuple of int or None
        Shape of one image where the data came as images, not as rows of pixels; an
        :class:`ImageShape` where they carry it, as from an ImageScaler.

    Returns
    -------
    tuple of 3 int
        The shape that the network takes.

    Raises
    ------
    ValueError
        If the parameter is malformed, if the data have images of another shape, or
        if the shape cannot be inferred.
    """
    if image_shape is not None or data_shape is None:
        shape = resolve_image_shape(n_features, image_shape)
        if data_shape is not None and image_shape != "row":
            channels_come_first(data_shape, shape)  # refuses others
        return shape
    if isinstance(data_shape, ImageShape):
        return tuple(data_shape)
    looks_first = len(data_shape) == 3 and data_shape[0] in (1, 3)
    if looks_first and min(data_shape[1:]) > 4:
        raise ValueError(
            f"X holds images of the shape {data_shape}, which looks like channels "
            "first. Networks expect (height, width, channels): scale the images with "
            "ImageScaler first, or set image_shape."
        )
    return (*data_shape, 1)[:3]
