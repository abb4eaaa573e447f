"""Transformers that prepare small images for a classifier."""

from .augmentation import Augmentation
from .deskewing import Deskewer
from .layout import resolve_image_shape
from .scaling import ImageScaler

__all__ = ["Augmentation", "Deskewer", "ImageScaler", "resolve_image_shape"]
