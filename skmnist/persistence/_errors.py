"""The error of files that are no models."""

__all__ = ["ModelFileError"]


class ModelFileError(ValueError):
    """A file is not a model that can be loaded."""
