"""The layers of this package's networks as plain data.

Each knows the shape of what it returns for images with the channels last, and those
with weights the shape of their kernel.
"""

from dataclasses import dataclass
from math import prod

__all__ = ["Activation", "Convolution", "Dense", "Dropout", "Flatten", "MaxPooling"]


@dataclass(frozen=True)
class _Layer:
    name: str

    def output_shape(self, shape):
        return shape


@dataclass(frozen=True)
class Convolution(_Layer):
    """Convolution with stride 1."""

    filters: int
    kernel_size: tuple
    padding: str
    activation: str | None

    def kernel_shape(self, shape):
        return (*self.kernel_size, shape[2], self.filters), self.filters

    def output_shape(self, shape):
        height, width, _ = shape
        if self.padding == "valid":
            height -= self.kernel_size[0] - 1
            width -= self.kernel_size[1] - 1
        return height, width, self.filters


@dataclass(frozen=True)
class MaxPooling(_Layer):
    """Maximum over windows that do not overlap."""

    pool_size: tuple

    def output_shape(self, shape):
        height, width, channels = shape
        return height // self.pool_size[0], width // self.pool_size[1], channels


@dataclass(frozen=True)
class Activation(_Layer):
    """Separate activation layer."""

    activation: str


@dataclass(frozen=True)
class Dropout(_Layer):
    """Dropout, in training only."""

    rate: float


@dataclass(frozen=True)
class Flatten(_Layer):
    """Flattening of images to rows of features."""

    def output_shape(self, shape):
        return (prod(shape),)


@dataclass(frozen=True)
class Dense(_Layer):
    """Fully connected layer."""

    units: int
    activation: str | None

    def kernel_shape(self, shape):
        return (shape[0], self.units), self.units

    def output_shape(self, shape):
        return (self.units,)
