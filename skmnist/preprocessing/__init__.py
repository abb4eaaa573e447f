"""Transformers that bring small images into the form that a classifier wants."""

from .deskewing import Deskewer
from .layout import resolve_image_shape
from .scaling import ImageScaler

__all__ = ["Deskewer", "ImageScaler", "resolve_image_shape"]
