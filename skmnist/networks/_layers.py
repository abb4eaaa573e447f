"""The layers of this package's networks as plain data.

Each knows, for images with the channels last, the shape of what it returns and the
shapes of its weights by Keras' names, in Keras' order.
"""

from dataclasses import dataclass
from math import prod

__all__ = [
    "Activation",
    "BatchNormalization",
    "Convolution",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalPooling",
    "Pooling",
]


@dataclass(frozen=True)
class _Layer:
    name: str

    def output_shape(self, shape):
        return shape

    def weight_shapes(self, shape):
        return {}


@dataclass(frozen=True)
class Convolution(_Layer):
    """Convolution."""

    filters: int
    kernel_size: tuple
    strides: tuple
    padding: str
    activation: str | None
    use_bias: bool = True

    def weight_shapes(self, shape):
        kernel = {"kernel": (*self.kernel_size, shape[2], self.filters)}
        return {**kernel, "bias": (self.filters,)} if self.use_bias else kernel

    def output_shape(self, shape):
        sizes = shape[:2]
        if self.padding == "valid":
            sizes = (
                size - kernel + 1
                for size, kernel in zip(sizes, self.kernel_size, strict=True)
            )
        steps = zip(sizes, self.strides, strict=True)
        return *(-(-size // step) for size, step in steps), self.filters


@dataclass(frozen=True)
class Pooling(_Layer):
    """Mean or maximum over windows that do not overlap."""

    kind: str
    pool_size: tuple

    def output_shape(self, shape):
        height, width, channels = shape
        return height // self.pool_size[0], width // self.pool_size[1], channels


@dataclass(frozen=True)
class GlobalPooling(_Layer):
    """Mean or maximum over each feature map."""

    kind: str

    def output_shape(self, shape):
        return (shape[2],)


@dataclass(frozen=True)
class BatchNormalization(_Layer):
    """Batch normalization over the last axis."""

    epsilon: float

    def weight_shapes(self, shape):
        names = "gamma", "beta", "moving_mean", "moving_variance"
        return dict.fromkeys(names, shape[-1:])


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
    use_bias: bool = True

    def weight_shapes(self, shape):
        kernel = {"kernel": (shape[0], self.units)}
        return {**kernel, "bias": (self.units,)} if self.use_bias else kernel

    def output_shape(self, shape):
        return (self.units,)
