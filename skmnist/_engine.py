"""Training: a network specification and data in, a trained network out.

Building a Keras model costs little; tracing and compiling its training step costs
far more than training a small network. Compiled models are therefore kept, a few
of them, and lent to later fits of the same graph and optimizer, which put weights,
optimizer state and random states of their own into them.
"""

import contextlib
import json
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skmnist._callbacks import leaves_models_alone
from skmnist._keras import check_name, isolated_build, keras, seeded_globals
from skmnist._scikeras import ScikerasLoop, ShuffledBatches
from skmnist._trained_network import TrainedNetwork, TrainingState, rebuild
from skmnist.networks import build_cnn, build_mlp

__all__ = ["TrainingData", "TrainingSettings", "make_optimizer", "train"]

_MAX_IDLE_LOOPS = 8

_idle_loops = OrderedDict()
_idle_lock = threading.Lock()


class TrainingData(NamedTuple):
    """Arrays that are checked and encoded: float32 inputs, int labels from 0."""

    inputs: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None

    @property
    def arrays(self):
        """The arrays that are there, in the order that Keras expects."""
        return tuple(array for array in self if array is not None)


@dataclass
class TrainingSettings:
    """How to train: everything that is neither the network nor the data."""

    optimizer: object
    epochs: int
    batch_size: int
    patience: int | None
    callbacks: list
    verbose: int


class _RaiseOnNaN(keras.callbacks.Callback):
    """End training with an error as soon as the loss is no number."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            raise FloatingPointError(
                f"The loss became {loss} in epoch {epoch + 1}: training diverged. "
                "Scale the inputs to [0, 1], or lower learning_rate."
            )


def train(spec, data, settings, state, *, validation=None, network=None):
    """Train a network, from new weights or onwards from given ones.

    Parameters
    ----------
    spec : NetworkSpec
        The network to build if none is given.
    data : TrainingData
        The rows to train on.
    settings : TrainingSettings
        How to train.
    state : TrainingState
        Where training stands; not changed.
    validation : TrainingData, default=None
        Rows on which loss and accuracy are computed behind each epoch.
    network : TrainedNetwork, default=None
        Goes on from these weights.

    Returns
    -------
    network : TrainedNetwork
        The trained network.
    state : TrainingState
        Where training stands now.
    history : dict of str to list of float
        Loss and metrics of the epochs of this call.

    Raises
    ------
    FloatingPointError
        If the loss is NaN or infinite.
    """
    if network is None:
        fresh = _build(spec, state.weights_seed)
        config, custom_objects = _describe(
            fresh, None if _is_ours(spec.builder) else data.inputs[:8]
        )
        weights, random_states = fresh.get_weights(), _values(_random_variables(fresh))
    else:
        fresh = None
        config, custom_objects = network.config, network.custom_objects
        weights, random_states = network.weights, state.random_states

    callbacks = [*settings.callbacks, _RaiseOnNaN()]
    if settings.patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss",
                patience=settings.patience,
                restore_best_weights=True,
            )
        )
    optimizer = settings.optimizer
    optimizer_key = _optimizer_key(optimizer)
    key = (config, optimizer_key)
    is_shared = _is_shareable(spec, settings)
    loop = _take_idle_loop(key, callbacks) if is_shared else None
    if loop is None:
        model = rebuild(config, custom_objects) if fresh is None else fresh
        # Whatever the policy of the process: it would wrap the optimizer.
        model.dtype_policy = keras.dtype_policies.DTypePolicy("float32")
        make = _loop_class(model, callbacks)
        loop = make(model, optimizer, _make_loss(model))

    # Of the fit that used this model before, nothing must be left.
    model = loop.model
    model.set_weights(weights)
    if random_states is not None:
        _assign(_random_variables(model), random_states)
    same_optimizer = state.optimizer_key == optimizer_key
    _start_optimizer(
        model, optimizer, state.optimizer_variables if same_optimizer else None
    )

    history = loop.fit(
        ShuffledBatches(
            data.arrays, settings.batch_size, state.shuffle_seed, state.n_epochs
        ),
        epochs=settings.epochs,
        initial_epoch=state.n_epochs,
        validation=validation.arrays if validation else None,
        callbacks=callbacks,
        verbose=settings.verbose,
    )
    history = {name: [float(v) for v in values] for name, values in history.items()}
    trained = TrainedNetwork(
        config, model.get_weights(), custom_objects, is_shared=_is_ours(spec.builder)
    )
    _check_finite(model, history, data.inputs[:8])
    new_state = TrainingState(
        state.weights_seed,
        state.shuffle_seed,
        state.n_epochs + len(history["loss"]),
        _values(model.optimizer.variables),
        optimizer_key,
        _values(_random_variables(model)),
    )
    # Only now: a model whose fit failed is better dropped than lent again.
    if is_shared:
        _keep_idle_loop(key, loop)
    return trained, new_state, history


def _build(spec, seed):
    """Call a builder with initial weights that depend on the seed alone."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(isolated_build(seed))
        if not _is_ours(spec.builder):
            stack.enter_context(seeded_globals(seed))
        model = spec.builder(spec.input_shape, spec.n_classes, **spec.parameters)
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
    model.compiled = False  # loss and optimizer are the classifier's
    return model


def _is_ours(builder):
    return builder in (build_cnn, build_mlp)


def _fits(shape, accepted):
    """Tell whether a shape is one that is accepted, where None stands for any size."""
    return len(shape) == len(accepted) and all(
        allowed in (None, size) for size, allowed in zip(shape, accepted, strict=True)
    )


def _describe(model, samples):
    """Return the description of a model, and its layer classes that Keras lacks.

    With samples, what is rebuilt from the description must give for them what the
    model gives: it is the description that predicts.
    """
    custom_objects = {
        type(part).__name__: type(part)
        for part in (model, *model._flatten_layers())
        if not type(part).__module__.startswith("keras.")
    }
    try:
        config = model.to_json()
        if samples is None:
            return config, custom_objects
        rebuilt = rebuild(config, custom_objects)
        rebuilt.set_weights(model.get_weights())
    except Exception as error:
        raise ValueError(
            "The network cannot be described as data, which saving and predicting "
            "need: every layer must be one of Keras' own or a class with get_config, "
            "without Lambda layers or functions that Keras does not know. Keras says: "
            f"{error}"
        ) from error
    wanted, given = (
        _values([network(samples, training=False)])[0].astype(np.float64)
        for network in (model, rebuilt)
    )
    if (wanted < 0).any() or not np.allclose(wanted.sum(axis=1), 1, atol=1e-2):
        raise ValueError(
            "The network must give probabilities, at least 0 and of the sum 1 for each "
            "image: end it with a softmax. For the first image it gives "
            f"{wanted[0].round(3).tolist()}."
        )
    if not np.allclose(wanted, given, rtol=1e-3, atol=1e-5):
        raise ValueError(
            "The description of the network does not give the same network, so it "
            "could not predict as it was trained. A get_config may leave out an "
            "argument, two layer classes may share a name, or a layer may have been "
            "adapted to data: give Normalization its mean and variance instead."
        )
    return config, custom_objects


def _is_shareable(spec, settings):
    """Tell whether other fits may use the compiled model of this one.

    Only if its description says all about it, and nobody else has had it in hand:
    code of the user's may change between fits under the same names.
    """
    return (
        _is_ours(spec.builder)
        and all(map(leaves_models_alone, settings.callbacks))
        and type(settings.optimizer).__module__.startswith("keras.")
    )


def _check_finite(model, history, samples):
    """Refuse a network that the last steps have spoilt, which no loss shows."""
    last = [values[-1] for name, values in history.items() if name.endswith("loss")]
    outputs = _values([model(samples, training=False)])[0]
    if not (np.isfinite(last).all() and np.isfinite(outputs.astype(float)).all()):
        raise FloatingPointError(
            "Training diverged: losses or probabilities are no finite numbers. "
            "Scale the inputs to [0, 1], or lower learning_rate."
        )


def _make_loss(model):
    """Return the loss of a classifier, computed as precisely as the network is."""
    return keras.losses.SparseCategoricalCrossentropy(dtype=model.outputs[0].dtype)


def _random_variables(model):
    """Return the states of the random generators of a model's layers."""
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.variables if id(v) not in weights]


def _values(variables):
    return [
        np.array(keras.ops.convert_to_numpy(getattr(variable, "value", variable)))
        for variable in variables
    ]


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _start_optimizer(model, optimizer, variables):
    """Put the optimizer of a compiled model into its first, or a given, state."""
    compiled = model.optimizer
    if variables is not None:
        _assign(compiled.variables, variables)
    elif compiled is not optimizer:
        optimizer.build(model.trainable_variables)
        _assign(compiled.variables, _values(optimizer.variables))
    if not _has_schedule(optimizer):
        compiled.learning_rate.assign(optimizer.learning_rate)


def make_optimizer(optimizer, learning_rate):
    """Make a new optimizer for one fit.

    Parameters
    ----------
    optimizer : str, dict, callable or keras.optimizers.Optimizer
        Name, serialised configuration, function that makes one, or an example,
        which is not itself used.
    learning_rate : float or None
        None keeps the optimizer's own.

    Returns
    -------
    keras.optimizers.Optimizer
        One that no other fit has.
    """
    # Apart, because new optimizers get names from counters of the process.
    with isolated_build(seed=0):
        made = _made_optimizer(optimizer)
    if learning_rate is not None:
        made.learning_rate = learning_rate
    return made


def _made_optimizer(optimizer):
    if isinstance(optimizer, str):
        check_name("optimizer", optimizer, keras.optimizers)
        return keras.optimizers.get(optimizer)
    if isinstance(optimizer, dict):
        try:
            return keras.optimizers.deserialize(optimizer)
        except Exception as error:
            raise ValueError(
                "The 'optimizer' parameter, if a dict, must be as "
                "keras.optimizers.serialize makes it: {'class_name': 'SGD', 'config': "
                f"{{'momentum': 0.9}}}}. Got {optimizer!r}. ({error})"
            ) from error
    example = optimizer
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        example = optimizer()
    if not isinstance(example, keras.optimizers.Optimizer):
        raise TypeError(
            "The 'optimizer' parameter must be a name, a configuration, a Keras "
            f"optimizer or a function that makes one; got {optimizer!r}."
        )
    try:
        # Copied in either case: a function may return the same one at each call.
        return type(example).from_config(example.get_config())
    except Exception:
        if example is optimizer or example.built:
            raise
        return example  # with parts that Keras cannot copy, but made for this fit


def _has_schedule(optimizer):
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return isinstance(optimizer._learning_rate, schedule)


def _optimizer_key(optimizer):
    """Name an optimizer but for its learning rate, which is a variable of it."""
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # counts the optimizers of the process
    if not _has_schedule(optimizer):
        config["config"].pop("learning_rate", None)
    return json.dumps(config, sort_keys=True, default=repr)


def _quick_path_is_off():
    """Tell whether the user wants Keras' own loop for everything."""
    return os.environ.get("SKMNIST_KERAS_LOOP", "0") not in ("", "0")


def _loop_class(model, callbacks):
    """Choose the quickest loop that does all that is asked."""
    if keras.backend.backend() == "tensorflow" and not _quick_path_is_off():
        from skmnist._resident import ResidentLoop

        if ResidentLoop.suits(model, callbacks):
            return ResidentLoop
    return ScikerasLoop


def _take_idle_loop(key, callbacks):
    """Take a loop for this kind of network that no fit uses, if there is one."""
    with _idle_lock:
        loops = _idle_loops.get(key, [])
        for loop in loops:
            if type(loop) is _loop_class(loop.model, callbacks):
                loops.remove(loop)
                return loop
    return None


def _keep_idle_loop(key, loop):
    """Keep a loop for later fits; the least recently used ones go."""
    with _idle_lock:
        _idle_loops.setdefault(key, []).append(loop)
        _idle_loops.move_to_end(key)
        while sum(map(len, _idle_loops.values())) > _MAX_IDLE_LOOPS:
            oldest, loops = next(iter(_idle_loops.items()))
            if loops:
                loops.pop(0)
            if not loops:
                del _idle_loops[oldest]
