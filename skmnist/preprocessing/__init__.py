"""Transformers that prepare small images for a classifier."""

from .augmentation import Augmentation
from .deskewing import Deskewer
from .gradients import HOGTransformer
from .layout import resolve_image_shape
from .normalization import DigitNormalizer
from .scaling import ImageScaler

__all__ = [
    "Augmentation",
    "Deskewer",
    "DigitNormalizer",
    "HOGTransformer",
    "ImageScaler",
    "resolve_image_shape",
]
