"""Networks from user-defined builders, which are trained as copies.

A builder may return the same model at each call, or models that share layers. So each
fit trains a model that is rebuilt from Keras' description, with the same weights.
Networks that the description does not fully describe are refused.
"""

import json
import threading
from numbers import Number

import numpy as np

from skmnist._training.build import (
    TRAINABLE,
    Start,
    build,
    random_variables,
    rebuild,
    trainable_flags,
    trained_layers,
)
from skmnist._training.data import Description
from skmnist._training.keras import (
    all_layers,
    as_arrays,
    isolated_names,
    keras,
    own_draws,
    seed_draws,
)

__all__ = ["copy_of_built"]

# Builders run one at a time, because they may use the same layers.
_lock = threading.RLock()
# Attributes that fit, evaluate and predict set.
_SET_BY_KERAS = {"history", "stop_evaluating", "stop_predicting"}

_NOT_THE_SAME = (
    "The description of the network does not give the same network, so it could not "
    "predict as it was trained. A get_config may leave out an argument, two layer "
    "classes may share a name, or a layer may have been adapted to data: give "
    "Normalization its mean and variance instead."
)


def copy_of_built(spec, seed, samples):
    """Call a user-defined builder, and copy the network that it returns.

    The copy shares nothing with other networks, and does the same with samples. If that
    is not possible, or weights are not reproducible, a TypeError or ValueError says so.
    """
    with _lock:
        built = build(spec, seed)
        _refuse_trained(spec, built)
        weights = as_arrays(built.weights)
        random_states = as_arrays(random_variables(built))
        description, model = _rebuilt(built, seed)
        depend_on_seed = all(map(np.array_equal, as_arrays(model.weights), weights))
        start = Start(weights, random_states, description, model)
        start.put_into(model)
        _refuse_put_on_by_hand(spec, built, model)
        _check_alike(built, model, samples)
        # After a first pass, in which some are made.
        own = {id(variable) for variable in _variables(built)}
        _refuse_foreign([v for v in _variables(model) if id(v) in own])
        if len(model.weights) != len(weights):
            raise ValueError(_NOT_THE_SAME)
        # An initializer may draw from a generator that continues with each call, while
        # its copy starts from the same state as at the first call.
        if not depend_on_seed or '"SeedGenerator"' in description.config:
            _check_repeatable(spec, seed, weights)
    return start


def _refuse_trained(spec, built):
    """Refuse layers that a fit has trained, which know the rows of that fit."""
    names = [layer.name for layer in all_layers(built) if layer in trained_layers]
    if names:
        raise ValueError(
            f"The builder {spec.builder!r} returns layers that another fit has trained "
            f"({', '.join(names[:3])}), as a callback may have kept them: this fit "
            "would begin with what they learned, maybe from rows that are held out "
            "now. Make new layers, or take those of model_ of a fitted classifier, "
            "which are copies."
        )


def _rebuilt(built, seed):
    """Return the description of a network, and a new network with the same seed."""
    custom_objects = {
        type(part).__name__: type(part)
        for part in all_layers(built)
        if not type(part).__module__.startswith("keras.")
    }
    compiled = [part for part in all_layers(built) if getattr(part, "compiled", False)]
    try:
        for part in compiled:  # the description must not contain its optimizer
            part.compiled = False
        config = built.to_json()
        model = rebuild(config, custom_objects, seed)
        if [v.shape for v in model.variables] != [v.shape for v in built.variables]:
            raise ValueError(_NOT_THE_SAME)
    except Exception as error:
        raise ValueError(
            "The network cannot be described as data, which training, saving and "
            "predicting need: every layer must be one of Keras' own or a class with "
            "get_config, without Lambda layers or functions that Keras does not know. "
            f"Keras says: {error}"
        ) from error
    finally:
        for part in compiled:
            part.compiled = True
    flags = trainable_flags(built)
    if flags != trainable_flags(model):
        # Keras does not describe all that can be frozen, such as a model inside of
        # another one or a single weight.
        config = json.dumps({**json.loads(config), TRAINABLE: flags})
        model = rebuild(config, custom_objects, seed)
        if flags != trainable_flags(model):
            raise ValueError(_NOT_THE_SAME)
    return Description(config, custom_objects, keras.__version__), model


class _Watch(keras.StatelessScope):
    """Keeps variables unchanged in the block, and records which are read."""

    def __init__(self, variables):
        # Penalties read only values in this mapping.
        super().__init__([(v, v) for v in variables], collect_losses=True)
        self.read = {}

    def get_current_value(self, variable):
        self.read[id(variable)] = variable
        return super().get_current_value(variable)


def _passed(model, samples, training):
    """Return outputs, penalties and new values of variables for samples."""
    with own_draws() as generator:
        seed_draws(0)
        with _Watch(model.variables) as watch:
            before = dict(watch.state_mapping)
            outputs = model(samples, training=training)
            losses = list(model.losses)
    own = {id(variable) for variable in (*_variables(model), generator.state)}
    _refuse_foreign(
        [variable for key, variable in watch.read.items() if key not in own]
    )
    values = watch.state_mapping.items()
    changed = [value for key, value in values if value is not before.get(key)]
    return as_arrays([outputs, *losses, *changed])


def _variables(model):
    """Return all variables of a model, including metrics of its layers."""
    return [*model.variables, *model.metrics_variables]


def _refuse_foreign(variables):
    if variables:
        paths = sorted({variable.path for variable in variables})
        raise ValueError(
            "A layer of the network uses weights from outside of it "
            f"({', '.join(paths[:3])}{', …' if len(paths) > 3 else ''}), so that fits "
            "would share them. Make the inner layer in __init__ of the layer that "
            "uses it, or call the shared layer in the builder: each fit then trains a "
            "copy of it."
        )


def _check_alike(built, model, samples):
    """Check that a network and its copy do the same, in prediction and training."""
    wanted = _passed(built, samples, training=False)
    outputs = wanted[0].astype(np.float64)
    if (outputs < 0).any() or not np.allclose(outputs.sum(axis=1), 1, atol=1e-2):
        raise ValueError(
            "The network must give probabilities, at least 0 and of the sum 1 for each "
            "image: end it with a softmax. For the first image it gives "
            f"{outputs[0].round(3).tolist()}."
        )
    are_alike = _agree(wanted, _passed(model, samples, training=False))
    wanted = _passed(built, samples, training=True)
    if not _agree(wanted, _passed(model, samples, training=True)):
        # Some layers draw from generators that cannot be reset.
        are_alike &= not _agree(wanted, _passed(built, samples, training=True))
    constraints, others = (
        [
            keras.saving.serialize_keras_object(getattr(variable, "constraint", None))
            for variable in part.weights
        ]
        for part in (built, model)
    )
    if not are_alike or constraints != others:
        raise ValueError(_NOT_THE_SAME)


def _agree(arrays, others):
    """Return whether arrays are equal except for rounding."""
    tolerances = {"rtol": 1e-3, "atol": 1e-5, "equal_nan": True}
    return len(arrays) == len(others) and all(
        one.shape == other.shape
        and np.allclose(one.astype(float), other.astype(float), **tolerances)
        for one, other in zip(arrays, others, strict=True)
    )


def _refuse_put_on_by_hand(spec, built, model):
    """Refuse methods and attributes of a network that its copy does not have."""
    names = [
        name
        for part, twin in zip(all_layers(built), all_layers(model), strict=True)
        for name, value in vars(part).items()
        if callable(value) and callable(getattr(type(part), name, None))
        if name not in vars(twin)
    ]
    if not type(built).__module__.startswith("keras."):
        # Its training steps may read its attributes.
        with isolated_names():
            usual = keras.Model()
            usual.compile()
        known = {*vars(usual), *_SET_BY_KERAS}
        names += [
            name
            for name, value in vars(built).items()
            if name not in known and value is not None
            if name not in vars(model) or _differ(value, vars(model)[name])
        ]
    if names:
        raise ValueError(
            f"The builder {spec.builder!r} puts {names[0]!r} on its network by hand. "
            "Each fit trains a copy of the network, which does not have it. Define "
            f"{names[0]!r} in a subclass of keras.Model or of the layer, from "
            "arguments that its get_config returns."
        )


def _differ(one, other):
    """Return whether plain values differ; False for all others."""
    one, other = keras.tree.flatten(one), keras.tree.flatten(other)
    plain = (type(None), str, Number, np.ndarray)
    if not all(isinstance(value, plain) for value in one + other):
        return False
    return len(one) != len(other) or not all(map(np.array_equal, one, other))


def _check_repeatable(spec, seed, weights):
    """Refuse a builder that returns other weights at each call."""
    again = as_arrays(build(spec, seed).weights)
    if not _agree(again, weights):
        raise ValueError(
            f"The builder {spec.builder!r} gives other weights at each call, though "
            "the arguments and the seed are the same, so that no fit could be "
            "repeated. Leave the seeds of initializers out or let them be numbers, "
            "draw from NumPy's global generator, which is seeded for each call, and "
            "train outside of the builder what is to be trained before."
        )
