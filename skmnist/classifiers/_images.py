"""The shape of an image, from a parameter, the data, or the number of features."""

from math import isqrt, prod
from numbers import Integral

__all__ = ["resolve_image_shape"]


def resolve_image_shape(image_shape, n_features, data_shape):
    """Return ``(height, width, channels)`` for a parameter and what the data say."""
    if image_shape == "row":
        return (1, n_features, 1)
    if image_shape is not None:
        shape = tuple(image_shape)
        if len(shape) not in (2, 3) or not all(
            isinstance(n, Integral) and n >= 1 for n in shape
        ):
            raise ValueError(
                "The 'image_shape' parameter must be (height, width) or (height, "
                f"width, channels), all at least 1. Got {image_shape!r} instead."
            )
        if prod(shape) != n_features:
            raise ValueError(
                f"image_shape={image_shape!r} means {prod(shape)} features, but X has "
                f"{n_features}. Was a label column left in X?"
            )
        return (*shape, 1)[:3]
    if data_shape is not None:
        if len(data_shape) == 3 and data_shape[0] == 1 and min(data_shape[1:]) > 4:
            raise ValueError(
                f"X holds images of the shape {data_shape}, which looks like channels "
                "first. Networks take (height, width, channels): put ImageScaler in "
                "front, or say what is meant by image_shape."
            )
        return (*data_shape, 1)[:3]
    side = isqrt(n_features)
    if side * side != n_features:
        raise ValueError(
            f"X has {n_features} features, which is no square image. Give "
            "image_shape=(height, width), or image_shape='row' for images of one "
            "row. Was a label column left in X?"
        )
    return (side, side, 1)
