"""Transformers that prepare small images for a classifier."""

from .augmentation import Augmentation
from .deskewing import Deskewer
from .extraction import DigitExtractor, ExtractedDigits
from .gradients import HOGTransformer
from .layout import resolve_image_shape
from .normalization import DigitNormalizer
from .scaling import ImageScaler

__all__ = [
    "Augmentation",
    "Deskewer",
    "DigitExtractor",
    "DigitNormalizer",
    "ExtractedDigits",
    "HOGTransformer",
    "ImageScaler",
    "resolve_image_shape",
]
