"""Building networks from a specification and a seed."""

import json
import random
import weakref
from itertools import chain
from numbers import Number
from typing import NamedTuple

from skmnist._training.data import Description
from skmnist._training.keras import (
    all_layers,
    as_arrays,
    assign,
    isolated_build,
    isolated_names,
    keras,
    resolve_name,
)
from skmnist.networks._graphs import builder_arguments, is_planned, network_layers
from skmnist.networks._layers import Dropout

__all__ = [
    "TRAINABLE",
    "Start",
    "build",
    "initial_arrays",
    "is_ours",
    "random_variables",
    "rebuild",
    "trainable_flags",
    "trained_layers",
]

# An entry of Keras' description of a network, which Keras ignores: which layers and
# weights are trained.
TRAINABLE = "skmnist_trainable"

# The initial values of weights other than kernels.
_STARTS = {
    "bias": keras.ops.zeros,
    "gamma": keras.ops.ones,
    "beta": keras.ops.zeros,
    "moving_mean": keras.ops.zeros,
    "moving_variance": keras.ops.ones,
}

trained_layers = weakref.WeakSet()  # by fits, in any model


class Start(NamedTuple):
    """The network that a fit starts with: plain data, and a model if that is new."""

    weights: list
    random_states: list | None
    description: Description | None = None
    model: keras.Model | None = None

    def put_into(self, model):
        """Replace the state of a model of this network."""
        assign(model.weights, self.weights)
        if self.random_states is not None:
            assign(random_variables(model), self.random_states)


def build(spec, seed):
    """Call a builder, with a seed that decides the weights, and check its model."""
    with isolated_build(seed):
        try:
            model = spec.builder(spec.input_shape, spec.n_classes, **spec.parameters)
        except ValueError as error:
            if "names should be unique" not in str(error):
                raise
            # Names are counted from 0 for each network.
            raise ValueError(
                f"{error} Give the new layers names of their own, such as "
                "Dense(…, name='head'): layers that were made before may have those "
                "that Keras chooses."
            ) from error
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"The builder {spec.builder!r} must return a keras.Model; "
            f"got {type(model).__name__}."
        )
    takes = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or ()]
    if not takes:
        raise ValueError(
            f"The builder {spec.builder!r} returned a model whose input shape is not "
            "known: let it be a functional or sequential model that begins with "
            f"keras.Input({spec.input_shape})."
        )
    if len(takes) != 1 or not _fits((None, *spec.input_shape), takes[0]):
        raise ValueError(
            f"The builder {spec.builder!r} must return a model with one input of the "
            f"shape {(None, *spec.input_shape)}; got {', '.join(map(str, takes))}."
        )
    if model.output_shape != (None, spec.n_classes):
        raise ValueError(
            f"The builder {spec.builder!r} must return a model whose output has the "
            f"shape (None, {spec.n_classes}), one probability a class; "
            f"got {model.output_shape}."
        )
    return model


def initial_arrays(spec, seed):
    """Draw the weights and dropout states of a network of this package, as `build`."""
    # With explicit seeds, because other threads may draw from Python's generator.
    settings = builder_arguments(spec)
    policy = keras.dtype_policies.get(settings["dtype"])
    generator = random.Random(seed)
    weights, random_states = [], []
    shape, plan = network_layers(spec)
    with isolated_names():
        for layer in plan:
            if isinstance(layer, Dropout):
                seeds = keras.random.SeedGenerator(_default_seed(generator))
                random_states.append(seeds.state)
            dtype = policy.variable_dtype
            if layer is plan[-1] and dtype != "float64":
                dtype = "float32"  # as the builders have it
            for name, size in layer.weight_shapes(shape).items():
                if name == "kernel":
                    initializer = resolve_name(
                        "kernel_initializer",
                        settings["kernel_initializer"],
                        keras.initializers,
                    )
                    config = initializer.get_config()
                    if "seed" in config:
                        config["seed"] = _default_seed(generator)
                        initializer = type(initializer).from_config(config)
                    weights.append(initializer(size, dtype=dtype))
                else:
                    weights.append(_STARTS[name](size, dtype))
            shape = layer.output_shape(shape)
    return as_arrays(weights), as_arrays(random_states)


def _default_seed(generator):
    """Draw the seed of a layer or initializer, as Keras does for those without one."""
    return generator.randint(1, 10**9)


def rebuild(config, custom_objects, seed=0):
    """Build an untrained Keras model from its description."""
    with isolated_build(seed):
        model = keras.models.model_from_json(config, custom_objects=custom_objects)
    flags = json.loads(config).get(TRAINABLE)
    if flags is not None:
        # A layer passes its flag on to its inner layers, which come after it.
        parts = all_layers(model), model.weights
        for part, flag in zip(chain(*parts), chain(*flags), strict=True):
            part.trainable = flag
    return model


def trainable_flags(model):
    """Return which layers of a model are trained, and which weights."""
    return [
        [layer.trainable for layer in all_layers(model)],
        [variable.trainable for variable in model.weights],
    ]


def is_ours(spec):
    """Return whether a network of this package contains no user-defined code."""
    return is_planned(spec) and all(map(_is_plain, spec.parameters.values()))


def _is_plain(value):
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, str):  # which may name something user-defined
        return keras.saving.get_registered_object(value) is None
    return value is None or isinstance(value, Number)


def _fits(shape, accepted):
    """Return whether a shape is accepted, where None accepts any size."""
    return len(shape) == len(accepted) and all(
        allowed in (None, size) for size, allowed in zip(shape, accepted, strict=True)
    )


def random_variables(model):
    """Return the states of the random generators of a model's layers."""
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.variables if id(v) not in weights]
