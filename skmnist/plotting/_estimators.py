"""What displays read from a fitted classifier, Pipeline or search."""

import sys
from math import prod

import numpy as np
from sklearn.utils import _safe_indexing, column_or_1d

from skmnist._confidence import label_confidence
from skmnist._estimators import last_step, steps_of
from skmnist.preprocessing.image_array import carried_images
from skmnist.preprocessing.layout import refuse_single_image

__all__ = [
    "checked_confidence",
    "confidences",
    "fitted_network",
    "image_shape_of",
    "network_input",
]


def fitted_network(estimator, caller):
    """Return the live Keras model of a fitted classifier, or the one that is given.

    Parameters
    ----------
    estimator : classifier, Pipeline, search or keras.Model
        Anything whose last step has a Keras model as ``model_``.
    caller : str
        Name of the caller, for error messages.

    Returns
    -------
    keras.Model
        Not a copy: whoever uses it must leave it as it is.
    """
    model = estimator
    if not _is_keras_model(model):
        classifier = last_step(estimator)
        model = getattr(classifier, "model_", None)
        if not _is_keras_model(model):
            raise TypeError(
                f"{caller} needs a keras.Model, or a fitted classifier that has one as "
                "model_, alone or as the last step of a Pipeline; got "
                f"{type(classifier).__name__}."
            )
    if not getattr(model, "inputs", None):
        raise TypeError(
            f"{caller} needs a network that is a graph of layers, such as a "
            f"Sequential or functional model; {type(model).__name__} "
            f"{model.name!r} is not one, or has not been built yet."
        )
    return model


def _is_keras_model(value):
    """Return whether a value is a Keras model, without loading Keras to find out."""
    # Where Keras has not been loaded, nothing can be one.
    return isinstance(value, getattr(sys.modules.get("keras"), "Model", ()))


def network_input(estimator, model, X, row, caller):
    """Bring one row of `X` into the form that a network takes.

    Parameters
    ----------
    estimator : classifier, Pipeline, search or keras.Model
        The steps before the network are applied.
    model : keras.Model
        The network.
    X : array-like with n_samples rows
        Images as the estimator takes them.
    row : int
        Number of the row.
    caller : str
        Name of the caller, for error messages.

    Returns
    -------
    ndarray of shape (1, *input_shape), dtype float32
        The input.
    """
    if len(model.inputs) != 1:
        raise TypeError(
            f"{caller} needs a network with one input; {model.name!r} has "
            f"{len(model.inputs)}."
        )
    steps = [] if estimator is model else steps_of(estimator)
    wanted = tuple(model.inputs[0].shape)[1:]
    if steps:
        n_features = getattr(steps[0], "n_features_in_", None)
    else:
        n_features = None if None in wanted else prod(wanted)
    refuse_single_image(X, n_features=n_features)
    image = _safe_indexing(X, [row])
    for step in steps[:-1]:
        image = step.transform(image)
    images = carried_images(image)
    image = image if images is None else images
    image = np.asarray(image, dtype=np.float32)
    given = image.shape[1:]
    if _fits(given, wanted):
        return image
    if _fits((*given, 1), wanted):
        return image[..., None]
    if len(given) == 1 and None not in wanted and prod(wanted) == image.size:
        return image.reshape(1, *wanted)
    if _fits((image.size,), wanted):
        return image.reshape(1, -1)
    raise ValueError(
        f"The network expects inputs of the shape {wanted}, but the image that reaches "
        f"it has the shape {given}."
    )


def _fits(shape, accepted):
    """Return whether a shape is accepted, where None stands for any size."""
    return len(shape) == len(accepted) and all(
        allowed in (None, size) for size, allowed in zip(shape, accepted, strict=True)
    )


def image_shape_of(estimator):
    """Return ``(height, width, channels)`` that a fitted estimator knows, or None."""
    for step in reversed(steps_of(estimator)):
        shape = getattr(step, "image_shape_", None)
        if isinstance(shape, tuple) and len(shape) == 3:
            return shape
    return None


def checked_confidence(confidence):
    """Return probabilities of predicted labels as floats; None if there are none."""
    if confidence is None:
        return None
    shape = np.shape(confidence)
    if len(shape) != 1 and shape[1:] != (1,):
        raise ValueError(
            "confidence must hold one number per image, the probability of its "
            f"predicted label; got the shape {shape}. Of the probabilities of all "
            "labels, take the highest: .max(axis=1)."
        )
    confidence = column_or_1d(confidence).astype(float)
    # Sums of float32 may exceed 1 by a rounding error.
    if not ((confidence >= 0) & (confidence <= 1 + 1e-5)).all():
        raise ValueError(
            "confidence must hold probabilities of the predicted labels, from 0 to 1; "
            f"got values from {confidence.min()} to {confidence.max()}."
        )
    return confidence


def confidences(estimator, X, predicted):
    """Return the probability of each predicted label, or None if one has none.

    It is that of the label that ``predict`` gave, which is not the most probable one
    with every classifier.
    """
    classes = getattr(estimator, "classes_", None)
    if classes is None or not hasattr(estimator, "predict_proba"):
        return None
    probabilities = np.asarray(estimator.predict_proba(X))
    confidence = label_confidence(predicted, probabilities, classes)
    return None if np.isnan(confidence).any() else confidence
