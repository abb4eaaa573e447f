"""Fitted models as plain data, which the script of a page computes with."""

from dataclasses import asdict
from math import isqrt, prod

from sklearn.utils.validation import check_is_fitted

from skmnist._estimators import averaged, is_known, parts_of
from skmnist._inference.activations import ACTIVATIONS
from skmnist.classifiers._prediction import NetworkPredictor
from skmnist.networks._graphs import is_planned, network_layers
from skmnist.networks._layers import Dropout
from skmnist.preprocessing import Deskewer, DigitNormalizer, ImageScaler
from skmnist.preprocessing.normalization import usual_digit_size

from ._weights import encoded

__all__ = ["checked_parts", "described", "first_steps", "image_size", "pixel_range"]

# What a subclass must not have of its own: the page would not know of it.
_TRANSFORMERS = {
    ImageScaler: ("transform",),
    Deskewer: ("transform", "_deskew"),
    DigitNormalizer: ("transform", "_place", "_margin"),
}
_CLASSIFIERS = {NetworkPredictor: ("predict_proba",)}
_SUPPORTED = (
    "A page can hold a network of build_mlp or build_cnn, or an average of several, "
    "alone or after ImageScaler, Deskewer and DigitNormalizer in a Pipeline"
)


def checked_parts(model):
    """Return the transformers and the classifier of a model that a page can hold."""
    transformers, classifier, unknown = parts_of(model, _TRANSFORMERS, _CLASSIFIERS)
    if unknown:
        names = ", ".join(dict.fromkeys(type(part).__name__ for part in unknown))
        hint = " Give its best_estimator_." if hasattr(model, "best_estimator_") else ""
        raise TypeError(f"{_SUPPORTED}; got {names}.{hint}")
    for part in [*transformers, *averaged(classifier)]:
        check_is_fitted(part)
    for network in averaged(classifier):
        spec = network._spec
        if not is_planned(spec) or network._network.description is not None:
            raise TypeError(
                f"{_SUPPORTED}; the builder of this one is {spec.builder!r}, with the "
                f"parameters {spec.parameters!r}."
            )
    return transformers, classifier


def described(transformers, classifier, normalizer, bits):
    """Describe a model, with weights of so many bits, for JSON.

    A drawing has pixels from `black` to `white`. It goes through the `steps`, then
    through each of the `networks`, whose probabilities are averaged.
    """
    first, *_ = networks = averaged(classifier)
    size = image_size(transformers, first)
    steps = [*first_steps(transformers, normalizer, size), *transformers]
    sizes = [step.output_shape for step in steps if isinstance(step, DigitNormalizer)]
    black, white = pixel_range(transformers, first)
    return {
        "size": list(map(int, sizes[-1])),
        "classes": [_label(label) for label in classifier.classes_],
        "black": black,
        "white": white,
        "steps": [_step(step) for step in steps],
        "networks": [_network(network, bits) for network in networks],
    }


def image_size(transformers, classifier):
    """Return the height and width of the images that a model takes."""
    shapes = [step.image_shape_ for step in transformers]
    shapes += [classifier._image_shape, classifier._spec.input_shape]
    known = [shape for shape in shapes if shape is not None and len(shape) == 3]
    n_pixels = prod(classifier._spec.input_shape)
    side = isqrt(n_pixels)
    height, width, channels = known[0] if known else (side, side, 1)
    if not known and side * side != n_pixels:
        raise ValueError(
            f"The network takes rows of {n_pixels} pixels, which is not the size of a "
            "square image. Give images, not rows, when you fit it."
        )
    if channels != 1:
        raise ValueError(
            f"The network takes images of {height}×{width} pixels with {channels} "
            "channels; a page can be drawn on only for images with one channel."
        )
    if min(height, width) < 2:
        raise ValueError(
            f"The network takes images of {height}×{width} pixels, which is too "
            "little to draw on; they must be 2×2 or larger."
        )
    return height, width


def pixel_range(transformers, classifier):
    """Return the values of black and white pixels in the images of the training."""
    for step in transformers:
        if isinstance(step, ImageScaler):
            return float(step.data_min_), float(step.data_max_)
    return classifier._pixel_range or (0.0, 1.0)


def first_steps(transformers, normalizer, size):
    """List what makes images of a size of drawings, if the transformers do not."""
    has_own = any(isinstance(step, DigitNormalizer) for step in transformers)
    if normalizer is None:
        if has_own:
            return []
        normalizer = DigitNormalizer(
            output_shape=size, digit_size=usual_digit_size(size)
        )
    elif not is_known(normalizer, {DigitNormalizer: _TRANSFORMERS[DigitNormalizer]}):
        raise TypeError(
            "normalizer must be a DigitNormalizer, as a page cannot hold what a "
            f"subclass or something else does; got {normalizer!r}."
        )
    elif has_own:
        raise ValueError(
            f"normalizer={normalizer!r} is not allowed, because the Pipeline has a "
            "DigitNormalizer."
        )
    normalizer._validate_params()
    if tuple(normalizer.output_shape) != size:
        raise ValueError(
            f"normalizer={normalizer!r} makes images of {normalizer.output_shape}, but "
            f"the model takes {size}: give output_shape={size}."
        )
    return [normalizer]


def _label(label):
    number = label.item() if hasattr(label, "item") else label
    is_whole = isinstance(number, float) and number.is_integer()
    return str(int(number) if is_whole else number)


def _step(step):
    if isinstance(step, DigitNormalizer):
        return {
            "op": "normalize",
            "size": [int(side) for side in step.output_shape],
            "box": [step._box(side) for side in step.output_shape],
            "threshold": float(step.threshold),
        }
    if isinstance(step, Deskewer):
        limit, center = float(step.max_shear), bool(step.center)
        return {"op": "deskew", "limit": limit, "center": center}
    return {
        "op": "scale",
        "low": step.data_min_,
        "span": (step.data_max_ - step.data_min_) or 1.0,
        "clip": bool(step.clip),
    }


def _network(classifier, bits):
    """Describe the layers of a network with their weights."""
    input_shape, plan = network_layers(classifier._spec)
    weights = iter(classifier._network.weights)
    shape, layers = input_shape, []
    for layer in plan:
        arrays = [next(weights) for _ in layer.weight_shapes(shape)]
        shape = layer.output_shape(shape)
        if isinstance(layer, Dropout):
            continue
        activation = getattr(layer, "activation", None)
        if activation not in (None, "linear", *ACTIVATIONS):
            raise TypeError(
                f"The activation {activation!r} cannot be computed in a page; allowed "
                f"are {', '.join(ACTIVATIONS)}."
            )
        layers.append(
            {
                "op": type(layer).__name__,
                **asdict(layer),
                "weights": [encoded(array, bits) for array in arrays],
            }
        )
    layers[-1]["activation"] = None  # the page computes the softmax
    return {"shape": input_shape, "layers": layers}
