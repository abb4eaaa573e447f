"""The network of a fitted classifier as plain data: a specification and weights."""

from math import prod

import numpy as np

from skmnist._inference.activations import ACTIVATIONS
from skmnist._inference.network import TrainedNetwork
from skmnist.networks import NetworkSpec, build_cnn, build_mlp
from skmnist.networks._graphs import is_planned, network_layers
from skmnist.networks._layers import (
    Activation,
    Convolution,
    Dense,
    Dropout,
    MaxPooling,
)
from skmnist.networks._plans import weight_shapes
from skmnist.persistence._parameters import is_name, not_writable
from skmnist.persistence._schema import (
    ModelFileError,
    check,
    check_keys,
    is_count,
    is_number,
    is_shape,
    refuse,
)
from skmnist.persistence._values import decoded, encoded

__all__ = ["BUILDERS", "check_arguments", "describe_network", "rebuild_network"]

BUILDERS = {builder.__name__: builder for builder in (build_mlp, build_cnn)}
# The type of the weights for each arithmetic, by the name of its policy in Keras.
_WEIGHT_DTYPES = {
    "float32": np.float32,
    "mixed_bfloat16": np.float32,
    "mixed_float16": np.float32,
    "float64": np.float64,
}
_ACTIVATIONS = {None, "linear", *ACTIVATIONS}


def describe_network(classifier):
    """Return the network of a fitted classifier.

    Parameters
    ----------
    classifier : BaseKerasClassifier
        Fitted.

    Returns
    -------
    described : dict
        Ready for JSON.
    tensors : dict of str to ndarray
        The weights by name.

    Raises
    ------
    TypeError
        If its builder is not of this package.
    """
    spec, network = classifier._spec, classifier._network
    if not is_planned(spec) or network.description is not None:
        raise not_writable(
            f"the network of {type(classifier).__name__}, whose builder "
            f"{spec.builder!r} or an argument of it is not of this package"
        )
    described = {
        "builder": spec.builder.__name__,
        "input_shape": [int(side) for side in spec.input_shape],
        "n_classes": int(spec.n_classes),
        "parameters": encoded(dict(spec.parameters)),
    }
    tensors = {
        f"weights/{place}": np.asarray(array)
        for place, array in enumerate(network.weights)
    }
    return described, tensors


def rebuild_network(described, tensors, place):
    """Return the network of a description, after that was checked.

    Parameters
    ----------
    described : object
        What the description has as the network.
    tensors : dict of str to ndarray
        All tensors of the file; the weights are taken out.
    place : str
        Where it is, for errors.

    Returns
    -------
    TrainedNetwork
        The network with its weights.
    """
    check_keys(described, place, ("builder", "input_shape", "n_classes", "parameters"))
    check(
        described["builder"],
        f"{place}.builder",
        f"one of {', '.join(BUILDERS)}",
        lambda value: isinstance(value, str) and value in BUILDERS,
    )
    builder = BUILDERS[described["builder"]]
    check(
        described["input_shape"],
        f"{place}.input_shape",
        "a list of height, width and channels, or of one length where there are no "
        "convolutions",
        lambda value: is_shape(value, (3,) if builder is build_cnn else (1, 3)),
    )
    check(
        described["n_classes"],
        f"{place}.n_classes",
        "a whole number of at least 2",
        lambda value: is_count(value, 2),
    )
    parameters = decoded(described["parameters"])
    check_arguments(builder, parameters, f"{place}.parameters")
    _check_number_of_layers(parameters, tensors, f"{place}.parameters")
    spec = NetworkSpec(
        builder, tuple(described["input_shape"]), described["n_classes"], parameters
    )
    input_shape, plan = network_layers(spec)
    for layer in plan:
        _check_layer(layer, f"{place}.parameters")
    wanted = weight_shapes(input_shape, plan)
    dtype = _WEIGHT_DTYPES[parameters.get("dtype", "float32")]
    weights = _weights(tensors, wanted, dtype)
    return TrainedNetwork(spec, weights)


def check_arguments(builder, parameters, place):
    """Check what is plain in the arguments of a builder; layers are checked as planned.

    Parameters
    ----------
    builder : callable
        One of this package.
    parameters : object
        What it is called with besides the shape and the number of classes.
    place : str
        Where they are, for errors.
    """
    check_keys(parameters, place, (), builder.__kwdefaults__)
    checks = {
        "kernel_initializer": ("a plain name", is_name),
        "activation": (
            "the name of an activation of Keras",
            lambda value: isinstance(value, str) and value in _ACTIVATIONS,
        ),
        "padding": ("'valid' or 'same'", lambda value: value in ("valid", "same")),
        "dtype": (
            f"one of {', '.join(_WEIGHT_DTYPES)}",
            lambda value: isinstance(value, str) and value in _WEIGHT_DTYPES,
        ),
    }
    for name in ("l1", "l2"):
        checks[name] = (
            "a number of at least 0",
            lambda value: is_number(value) and value >= 0,
        )
    for name in checks.keys() & parameters.keys():
        check(parameters[name], f"{place}.{name}", *checks[name])


def _check_number_of_layers(parameters, tensors, place):
    """Refuse more layers than there are weights for, before they are planned."""
    for name, value in parameters.items():
        if isinstance(value, list | tuple) and len(value) > len(tensors):
            raise ModelFileError(
                f"{place}.{name} has {len(value):,} values, for more layers than the "
                f"file has weights for"
            )


def _check_layer(layer, place):
    """Check the numbers of a planned layer, which come from parameters of any kind."""

    def are_sizes(*sizes):
        return all(is_count(size, 1) for size in sizes)

    match layer:
        case Convolution():
            is_right = are_sizes(layer.filters, *_pair(layer.kernel_size))
        case MaxPooling():
            is_right = are_sizes(*_pair(layer.pool_size))
        case Dense():
            is_right = are_sizes(layer.units)
        case Dropout():
            is_right = is_number(layer.rate) and 0 <= layer.rate < 1
        case _:
            is_right = True
    if isinstance(layer, Activation | Convolution):
        is_right = is_right and layer.activation in _ACTIVATIONS
    if not is_right:
        refuse(place, "those of layers with sizes of at least 1", layer)


def _pair(sizes):
    return sizes if isinstance(sizes, tuple) and len(sizes) == 2 else (0, 0)


def _weights(tensors, shapes, dtype):
    """Return the weights, taken from the tensors, after they were checked."""
    n_weights = sum(name.startswith("weights/") for name in tensors)
    if n_weights != len(shapes):
        raise ModelFileError(
            f"it has {n_weights} tensors of weights, and its layers call for "
            f"{len(shapes)}"
        )
    weights = []
    for place, shape in enumerate(shapes):
        name = f"weights/{place}"
        array = tensors.pop(name, None)
        if array is None or array.shape != shape or array.dtype != dtype:
            found = "missing" if array is None else f"{array.dtype} {array.shape}"
            raise ModelFileError(
                f"the tensor {name} is {found}; its layer calls for "
                f"{np.dtype(dtype).name} {shape}, {prod(shape):,} numbers"
            )
        if not np.isfinite(array).all():
            raise ModelFileError(f"the tensor {name} is not finite")
        weights.append(array)
    return weights
