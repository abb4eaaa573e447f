"""The weights from the pixels to the first dense layer of a classifier."""

from math import prod

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

from skmnist._estimators import last_step, steps_of
from skmnist.preprocessing import Deskewer, ImageScaler

from ._estimators import fitted_network, image_shape_of

__all__ = ["first_kernel"]

_CALLER = "DenseWeightsDisplay"

# Layers of Keras that leave every pixel in its place.
_PIXELWISE = (
    "InputLayer",
    "Flatten",
    "Reshape",
    "Rescaling",
    "Normalization",
    "BatchNormalization",
    "Dropout",
    "GaussianNoise",
    "GaussianDropout",
    "Activation",
    "Identity",
)

# Steps of a Pipeline that make an image of an image, with its pixels in their order.
_IMAGE_STEPS = (
    Deskewer,
    ImageScaler,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)


def first_kernel(estimator):
    """Return weights (n_pixels, n_units), names of the units or None, image shape."""
    if not isinstance(estimator, BaseEstimator):
        model = fitted_network(estimator, _CALLER)
        shape = tuple(model.inputs[0].shape)[1:]
        return _dense_kernel(model), None, shape if len(shape) in (2, 3) else None
    classifier = last_step(estimator)
    *steps, _ = steps_of(estimator)
    for step in steps:
        if not _keeps_pixels(step):
            raise ValueError(
                f"The input of {type(classifier).__name__} is the output of the step "
                f"{type(step).__name__}, which may not be an image. If it is one, use "
                "DenseWeightsDisplay.from_weights."
            )
    names = None
    if hasattr(classifier, "coefs_"):
        kernel = np.asarray(classifier.coefs_[0])
    elif hasattr(classifier, "coef_"):
        kernel, names = _linear_kernel(classifier)
    else:
        kernel = _dense_kernel(fitted_network(classifier, _CALLER))
    n_pixels = getattr(steps_of(estimator)[0], "n_features_in_", len(kernel))
    if len(kernel) != n_pixels:
        raise ValueError(
            f"The weights belong to {len(kernel)} features that the steps before "
            f"{type(classifier).__name__} compute from {n_pixels} pixels, "
            "not to an image."
        )
    return kernel, names, image_shape_of(estimator)


def _keeps_pixels(step):
    """Return whether a step is known to leave every pixel a pixel."""
    if isinstance(step, FunctionTransformer):
        return step.func is None
    return isinstance(step, _IMAGE_STEPS)


def _linear_kernel(classifier):
    """Return the weights of a linear classifier and the classes that they belong to."""
    if not hasattr(classifier, "classes_"):
        raise TypeError(
            f"{_CALLER} needs a classifier; {type(classifier).__name__} has no classes."
        )
    coef = classifier.coef_
    kernel = np.atleast_2d(coef.toarray() if issparse(coef) else coef).T
    classes = np.asarray(classifier.classes_).tolist()
    if len(classes) == 2 and kernel.shape[1] == 1:
        return kernel, classes[1:]
    # Support vector machines of LibSVM compare pairs of classes.
    if kernel.shape[1] != len(classes) or hasattr(classifier, "support_"):
        raise TypeError(
            f"{type(classifier).__name__} has no weights for each class that could be "
            f"shown: its coef_ has {kernel.shape[1]} row(s) for {len(classes)} classes."
        )
    return kernel, classes


def _dense_kernel(model):
    """Return the kernel of the first dense layer of a network that sees pixels."""
    from skmnist._training.keras import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            kernel = np.array(layer.kernel.numpy(), dtype=float)
            n_pixels = prod(model.inputs[0].shape[1:])
            if len(kernel) == n_pixels:
                return kernel
            raise ValueError(
                f"The first dense layer of {model.name!r} does not get the whole "
                f"image: it has weights for {len(kernel)} values of {n_pixels}."
            )
        if type(layer).__name__ not in _PIXELWISE:
            raise ValueError(
                f"The first dense layer of {model.name!r} gets the output of the layer "
                f"{layer.name!r} ({type(layer).__name__}), not pixels. Use "
                "FiltersDisplay and FeatureMapsDisplay for such networks."
            )
    raise ValueError(f"The network {model.name!r} has no dense layer.")
