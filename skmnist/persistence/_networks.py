"""What a fit leaves in a classifier, as plain data: network, labels, training.

Arrays are tensors of the file. Of optimizers only descriptions of Keras' own go into
it: Keras makes objects of such descriptions, and must not be led to other classes.
"""

import json
import re
import sys
from math import prod

import numpy as np

from skmnist._inference.activations import ACTIVATIONS
from skmnist._inference.network import TrainedNetwork
from skmnist._training.data import TrainingState
from skmnist.networks import NetworkSpec
from skmnist.networks._graphs import PLANS, is_planned, network_layers
from skmnist.networks._plans import weight_shapes
from skmnist.persistence._schema import (
    ANYTHING,
    BOOL,
    NAME,
    OBJECT,
    POSITIVE,
    SIZE,
    STRING,
    ModelFileError,
    Rule,
    are_finite,
    check,
    count,
    is_list,
    is_name,
    is_number,
    is_string,
    not_writable,
    one_of,
    or_null,
    plain,
    shape,
    written,
)
from skmnist.persistence._values import NotPlainError, encoded

BUILDERS = {builder.__name__: builder for builder in PLANS}
# The type of the weights for each arithmetic, by the name of its policy in Keras.
_WEIGHT_DTYPES = dict.fromkeys(
    ("float32", "mixed_bfloat16", "mixed_float16"), "float32"
) | {"float64": "float64"}


def _builder_name(builder):
    if builder not in BUILDERS.values():
        raise NotPlainError(f"{builder!r} is not of this package")
    return builder.__name__


def _input_shape(read):
    # Read, it is the builder itself; written, its name.
    builder = BUILDERS.get(read["builder"], read["builder"])
    return shape(3) if PLANS[builder].takes_images else shape(1, 3)


BUILDER = one_of(BUILDERS, _builder_name)
NETWORK = {
    "builder": BUILDER,
    "input_shape": _input_shape,
    "n_classes": count(2),
    "parameters": plain("an object", OBJECT.is_allowed),
}
_PADDINGS = {"valid", "same"}
# Of the arguments of builders, what does not show in the layers.
_ARGUMENTS = {
    "kernel_initializer": NAME,
    "activation": one_of(
        ("linear", *ACTIVATIONS), words="the name of an activation of Keras"
    ),
    "padding": plain(
        "'valid', 'same' or a tuple of these",
        lambda value: (
            {*value} <= _PADDINGS if type(value) is tuple else value in _PADDINGS
        ),
    ),
    "pooling": one_of(("max", "average")),
    "global_pooling": or_null(one_of(("average", "max"))),
    "batch_normalization": BOOL,
    "dtype": one_of(tuple(_WEIGHT_DTYPES)),
    "l1": POSITIVE,
    "l2": POSITIVE,
}
_WINDOW = Rule(
    "a pair of sizes of at least 1",
    lambda value: isinstance(value, tuple) and is_list([*value], SIZE.is_allowed, (2,)),
)
_LAYER = {
    **dict.fromkeys(
        ("name", "padding", "activation", "kind", "use_bias", "epsilon"), ANYTHING
    ),
    **dict.fromkeys(("filters", "units"), SIZE),
    **dict.fromkeys(("kernel_size", "strides", "pool_size"), _WINDOW),
    "rate": Rule("in [0, 1)", lambda value: is_number(value, 0) and value < 1),
}


def describe_network(classifier):
    """Return the network of a fitted classifier for JSON, and its weights by name."""
    spec, network = classifier._spec, classifier._network
    name = type(classifier).__name__
    if not is_planned(spec) or network.description is not None:
        raise not_writable(
            f"the network of {name}, whose builder {spec.builder!r} or an argument of "
            "it is not of this package"
        )
    return written(vars(spec), NETWORK, name), _numbered("weights", network.weights)


def rebuild_network(read, tensors, place):
    """Return the network of what was read; its weights are taken from the tensors."""
    spec = NetworkSpec(**read)
    place = f"{place}.parameters"
    check_arguments(spec.builder, spec.parameters, place)
    for name, value in spec.parameters.items():  # before so many layers are planned
        if isinstance(value, list | tuple) and len(value) > len(tensors):
            raise ModelFileError(
                f"{place}.{name} has {len(value):,} values, for more layers than the "
                f"file has weights for"
            )
    input_shape, plan = network_layers(spec)
    for layer in plan:
        check(vars(layer), _LAYER, f"{place}: {layer.name}", optional=True)
    shapes = weight_shapes(input_shape, plan)
    n_weights = sum(name.startswith("weights/") for name in tensors)
    if n_weights != len(shapes):
        raise ModelFileError(
            f"it has {n_weights} tensors of weights, and its layers call for "
            f"{len(shapes)}"
        )
    dtype = _WEIGHT_DTYPES[spec.parameters.get("dtype", "float32")]
    for index, wanted in enumerate(shapes):
        array = _tensor(f"weights/{index}", tensors)
        if array.shape != wanted or array.dtype != dtype:
            raise ModelFileError(
                f"the tensor weights/{index} is {array.dtype} {array.shape}; its layer "
                f"calls for {dtype} {wanted}, {prod(wanted):,} numbers"
            )
    return TrainedNetwork(spec, _taken("weights", len(shapes), tensors))


def check_arguments(builder, parameters, place):
    """Check what does not show in the layers in the arguments of a builder."""
    rules = {name: _ARGUMENTS.get(name, ANYTHING) for name in builder.__kwdefaults__}
    check(parameters, rules, place, optional=True)


def _numbered(name, arrays):
    return {f"{name}/{i}": np.asarray(array) for i, array in enumerate(arrays or ())}


def _taken(name, n_arrays, tensors):
    """Return so many arrays of a kind, taken from the tensors, or None."""
    if n_arrays is None:
        return None
    arrays = []
    for key in (f"{name}/{index}" for index in range(n_arrays)):
        if not are_finite(_tensor(key, tensors)):
            raise ModelFileError(f"the tensor {key} is not finite numbers")
        arrays.append(tensors.pop(key))
    return arrays


def _tensor(name, tensors):
    if name not in tensors:
        raise ModelFileError(f"the tensor {name} is missing")
    return tensors[name]


_LABEL_KINDS = "biuf"
# An array of strings takes as much memory for each as for the longest.
_MAX_LABEL_BYTES = 1 << 24
LABELS = {
    "dtype": STRING,
    "labels": or_null(Rule("a list of strings", lambda v: is_list(v, is_string))),
}


def describe_labels(classes):
    """Return labels for JSON if they are strings, else their type, and the tensors."""
    classes = np.asarray(classes)
    kind = classes.dtype.kind
    if kind in _LABEL_KINDS and classes.dtype.itemsize <= 8:
        return {"dtype": classes.dtype.name, "labels": None}, {"classes": classes}
    labels = classes.tolist()
    if kind == "U":
        if classes.nbytes > _MAX_LABEL_BYTES:  # wider than any label, perhaps
            classes = np.array(labels)
        dtype = f"<U{classes.dtype.itemsize // 4}"
    elif kind == "O" and all(isinstance(label, str) for label in labels):
        dtype, labels = "object", [str(label) for label in labels]
    else:
        raise not_writable(f"labels of the type {classes.dtype} such as {labels[0]!r}")
    return {"dtype": dtype, "labels": labels}, {}


def rebuild_labels(dtype, labels, tensors, place):
    """Return labels of such a type, taken from the tensors if they are no strings."""
    if labels is None:
        classes = _number_labels(dtype, tensors, place)
    elif dtype == "object":
        classes = np.array(labels, dtype=object)
    else:
        longest = max(map(len, labels), default=0)
        match = re.fullmatch(r"<U([1-9][0-9]{0,8})", dtype)
        most = _MAX_LABEL_BYTES // 4 // max(len(labels), 1)
        if not match or not longest <= int(match[1]) <= most:
            raise ModelFileError(
                f"{place}.dtype must be 'object' or '<Un' with n of at least {longest},"
                f" and the labels must not take more than {_MAX_LABEL_BYTES:,} bytes"
            )
        classes = np.array(labels, dtype=dtype)
    # As numpy.unique gives them: labels are looked up by bisection.
    if not np.array_equal(np.unique(classes), classes):
        raise ModelFileError(f"{place} must be sorted, each label once")
    return classes


def _number_labels(dtype, tensors, place):
    classes = _tensor("classes", tensors)
    kind = classes.dtype.kind
    if (
        classes.ndim != 1
        or classes.dtype.name != dtype
        or kind not in _LABEL_KINDS
        or (kind == "f" and not are_finite(classes))
        or (kind == "b" and classes.view(np.uint8).max(initial=0) > 1)
    ):
        raise ModelFileError(
            f"the tensor classes does not hold finite labels of the type {place}.dtype "
            "in one column"
        )
    return tensors.pop("classes").copy()  # of which the user may change what he likes


_MODULES = ("keras.optimizers", "keras.optimizers.schedules", None)


def is_keras_optimizer(description):
    """Return whether a dict describes an optimizer that is Keras' own in all parts."""
    return (
        isinstance(description, dict)
        and "class_name" in description
        and _is_of_keras(description)
    )


def _is_of_keras(value):
    if isinstance(value, list | tuple):
        return all(map(_is_of_keras, value))
    if not isinstance(value, dict):
        return value is None or isinstance(value, bool | int | float | str)
    if not {"class_name", "module", "registered_name"}.isdisjoint(value) and not (
        value.keys() <= {"class_name", "config", "module", "registered_name"}
        and is_name(value.get("class_name"))
        and value.get("module") in _MODULES
        and value.get("registered_name") in (None, value["class_name"])
        and isinstance(value.get("config", {}), dict)
    ):
        return False
    return all(isinstance(key, str) for key in value) and all(
        map(_is_of_keras, value.values())
    )


def plain_optimizer(value):
    """Return the name or the description of an optimizer, if that is all it is."""
    described = value
    keras = sys.modules.get("keras")  # which is loaded if this is an object of it
    if keras and isinstance(value, keras.optimizers.Optimizer):
        from skmnist._training.optimizers import optimizer_kind

        described, excluded = keras.optimizers.serialize(value), optimizer_kind(value)
        if json.loads(excluded)[1] is not None:  # which no description has
            described = None
    if not (is_name(described) or is_keras_optimizer(described)):
        raise NotPlainError(f"{value!r} is more than a description of Keras")
    return encoded(described)


_SEED = count(0, 2**32 - 1)
_OPTIMIZER = {
    "description": Rule(
        "that of an optimizer of Keras",
        lambda value: is_keras_optimizer(value) and "config" in value,
    ),
    "excluded": or_null(
        Rule("a pattern", lambda value: is_string(value) and len(value) < 200)
    ),
    "has_schedule": BOOL,
    "n_arrays": or_null(count()),
}
TRAINING = {
    "weights_seed": _SEED,
    "shuffle_seed": _SEED,
    "n_epochs": count(),
    "learning_rate": or_null(POSITIVE),
    "initial_rate": or_null(POSITIVE),
    "split_seed": _SEED,
    "is_kept": BOOL,
    "optimizer": ANYTHING,
    "n_random_states": or_null(count()),
}


def describe_training(classifier):
    """Return where training stands for JSON, its arrays by name, and what is lost."""
    state, lost = classifier._training, []
    optimizer = _described_optimizer(state.optimizer_kind)
    variables, states = state.optimizer_variables, state.random_states
    if not state.is_kept:
        variables = None
    elif variables is not None and (
        optimizer is None or not all(map(are_finite, map(np.asarray, variables)))
    ):
        lost, variables = ["the state of the optimizer"], None
    if optimizer is not None:
        optimizer["n_arrays"] = None if variables is None else len(variables)
    values = vars(state) | {
        "split_seed": classifier._split_seed,
        "optimizer": optimizer,
        "n_random_states": None if states is None else len(states),
    }
    arrays = _numbered("optimizer", variables) | _numbered("random_states", states)
    return written(values, TRAINING, "the training"), arrays, lost


def _described_optimizer(kind):
    """Return the optimizer of the fit ready for JSON, or None if it is not Keras'."""
    if kind is None:
        return None
    described = dict(zip(_OPTIMIZER, [*json.loads(kind), None], strict=True))
    try:
        return check(described, _OPTIMIZER, "optimizer")
    except ModelFileError:
        return None


def rebuild_training(read, tensors, place):
    """Return the state of the training in what was read, with its arrays."""
    read = dict(read)
    optimizer, n_states = read.pop("optimizer"), read.pop("n_random_states")
    state = TrainingState(
        **read, random_states=_taken("random_states", n_states, tensors)
    )
    if optimizer is not None:
        place = f"{place}.optimizer"
        *kind, n_arrays = check(optimizer, _OPTIMIZER, place).values()
        state.optimizer_kind = json.dumps(kind, sort_keys=True)
        state.optimizer_variables = _taken("optimizer", n_arrays, tensors)
        if n_arrays is not None and not state.is_kept:
            raise ModelFileError(f"{place} has a state, which is_kept says is not kept")
    return state
