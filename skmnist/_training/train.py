"""Training: a network specification and data in, weights out.

Tracing and compiling a training step costs far more than training a small network.
Compiled models are therefore kept, a few of them, and lent to later fits of the same
structure and optimizer, which put weights, optimizer state, random states, dropout
rates and penalties of their own into them.
"""

import contextlib
import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skmnist._training.batches import ShuffledBatches
from skmnist._training.build import (
    initial_arrays,
    is_ours,
    random_variables,
    rebuild,
)
from skmnist._training.callbacks import leaves_models_alone
from skmnist._training.keras import (
    as_arrays,
    has_replicas,
    isolated_build,
    keras,
    own_draws,
    seed_draws,
)
from skmnist._training.optimizers import (
    first_state,
    has_schedule,
    initial_rate,
    is_blank,
    is_of_keras,
    optimizer_kind,
    peak_rate,
    program_key,
    set_schedule,
    start_optimizer,
    start_schedule,
)
from skmnist._training.own_networks import copy_of_built, mark_trained
from skmnist._training.processor import bfloat16_is_quick
from skmnist._training.reuse import idle_loops
from skmnist._training.state import Description, TrainingState
from skmnist.networks._graphs import build_blank, builder_arguments

if keras.backend.backend() == "tensorflow":
    from skmnist._training.layers import TrainingNumbers, draw_few_bits, structure

__all__ = ["TrainingData", "TrainingSettings", "train"]

_RATE_SETTERS = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)
_LARGE = 100.0  # of weights and losses

_AGAINST_DIVERGENCE = (
    "Scale the inputs to [0, 1], lower learning_rate, or take another optimizer."
)


class TrainingData(NamedTuple):
    """Arrays that are checked and encoded.

    Inputs in float32 or uint8, int labels from 0.
    """

    inputs: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None

    @property
    def samples(self):
        """A few inputs as a network takes them, to try it with."""
        return self.inputs[:8].astype(np.float32)

    @property
    def trials(self):
        """A few inputs, and noise of their range, to see all that a network does.

        The first images may be blank, or alike.
        """
        samples = self.samples
        low, high = float(self.inputs.min()), float(self.inputs.max())
        noise = np.random.default_rng(0).random(samples.shape, dtype=np.float32)
        # Where all inputs are the same number, there is no range.
        noise = low + noise * ((high - low) or 1)
        return np.concatenate([samples, noise.astype(np.float32)])

    @property
    def arrays(self):
        """The arrays that are there, in the order that Keras expects."""
        return tuple(array for array in self if array is not None)


@dataclass
class TrainingSettings:
    """How to train: everything that is neither the network nor the data."""

    optimizer: object
    schedule: str
    epochs: int
    batch_size: int
    patience: int | None
    callbacks: list
    precision: str
    verbose: int


class _RaiseOnNaN(keras.callbacks.Callback):
    """End training with an error as soon as the loss is no number."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            raise FloatingPointError(
                f"The loss became {loss} in epoch {epoch + 1}: training diverged. "
                f"{_AGAINST_DIVERGENCE}"
            )


class _SeedEpochs(keras.callbacks.Callback):
    """Let what an epoch draws from generators of the process depend on a seed alone."""

    def __init__(self, seed):
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        seed_draws(self._seed + epoch)


class _RecordLearningRate(keras.callbacks.Callback):
    """Add the learning rate at the end of an epoch to its metrics."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


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
    _check_rate_is_free(settings)
    start = _start(spec, data, state, network)
    batches = ShuffledBatches(
        data.arrays, settings.batch_size, state.shuffle_seed, state.n_epochs
    )
    optimizer = settings.optimizer
    n_steps = settings.epochs * batches.steps_per_epoch
    set_schedule(optimizer, settings.schedule, n_steps=n_steps)
    kind = optimizer_kind(optimizer)
    # The state of an optimizer of another kind means nothing to this one.
    resumed = state.optimizer_variables if state.optimizer_kind == kind else None
    start_schedule(optimizer, int(resumed[0]) if resumed else 0)
    rate, peak = initial_rate(optimizer), peak_rate(optimizer)
    callbacks = _with_our_own(settings)
    # Layers of ours have generators of their own, but for PyTorch, which knows one.
    draws_alone = is_ours(spec) and keras.backend.backend() != "torch"
    if not draws_alone:
        callbacks.insert(0, _SeedEpochs(state.shuffle_seed))

    loop, key = _take_loop(spec, start, settings, callbacks)
    model = loop.model
    start.put_into(model)
    start_optimizer(
        model.optimizer,
        optimizer,
        resumed or loop.first_state,
        # A callback may have changed it; one that was set since then counts.
        keep_rate=resumed is not None and rate == state.initial_rate,
    )
    with contextlib.nullcontext() if draws_alone else own_draws():
        history = loop.fit(
            batches,
            epochs=settings.epochs,
            initial_epoch=state.n_epochs,
            validation=validation.arrays if validation else None,
            callbacks=callbacks,
            verbose=settings.verbose,
        )
    history = {name: [float(v) for v in values] for name, values in history.items()}
    weights = as_arrays(model.weights)
    _check_finite(model, weights, history, data.samples)

    new_state = TrainingState(
        state.weights_seed,
        state.shuffle_seed,
        state.n_epochs + len(history["loss"]),
        as_arrays(model.optimizer.variables),
        kind,
        rate,
        as_arrays(random_variables(model)),
        learning_rate=peak,
    )
    # Only now: a model whose fit failed is better dropped than lent again.
    if key is not None:
        _give_back(loop, key, callbacks)
    return weights, start.description, new_state, history


class _Start(NamedTuple):
    """A network as training finds it: plain data, and its model if that is new."""

    weights: list
    random_states: list | None
    description: Description | None = None
    model: keras.Model | None = None

    def put_into(self, model):
        """Leave nothing of another fit in a model of this network."""
        model.set_weights(self.weights)
        if self.random_states is not None:
            variables = random_variables(model)
            for variable, value in zip(variables, self.random_states, strict=True):
                variable.assign(value)


def _start(spec, data, state, network):
    """Go on with the network that is given, or begin with a new one."""
    if network is not None:
        states = state.random_states
        if states is None and network.description is None:
            _, states = initial_arrays(spec, state.weights_seed)
        return _Start(network.weights, states, network.description)
    if is_ours(spec):
        return _Start(*initial_arrays(spec, state.weights_seed))
    copy = copy_of_built(spec, state.weights_seed, data.trials)
    description = Description(copy.config, copy.custom_objects, keras.__version__)
    return _Start(copy.weights, copy.random_states, description, copy.model)


def _take_loop(spec, start, settings, callbacks):
    """Return a loop for a network, and the key under which others may have it next.

    The key is None where nobody else may.
    """
    if not _is_shareable(spec, settings):
        return _compile_loop(spec, start, settings, callbacks), None
    key = repr(
        [
            _loop_class(callbacks).__name__,
            structure(spec) if _has_numbers(settings) else spec,
            _training_dtype(spec, settings.precision),
            keras.config.floatx(),  # of metrics
            program_key(settings.optimizer),
        ]
    )
    loop = idle_loops.take(key)
    if loop is None:
        loop = _compile_loop(spec, start, settings, callbacks)
    elif loop.numbers is not None:
        loop.numbers.set(spec)
    # An optimizer that begins with the weights of this fit is for no other.
    return loop, key if is_blank(loop.first_state) else None


def _compile_loop(spec, start, settings, callbacks):
    """Return a new loop with a model of its own."""
    numbers = None
    if is_ours(spec):
        model, numbers = _build_for_training(spec, settings)
    elif start.model is not None:
        model = start.model
    else:
        model = rebuild(start.description.config, start.description.custom_objects)
    mark_trained(model)
    start.put_into(model)  # before the optimizer, which may begin with the weights
    # Whatever the policy of the process: it would wrap the optimizer.
    model.dtype_policy = keras.dtype_policies.DTypePolicy("float32")
    loop_class = _loop_class(callbacks, model)
    loop = loop_class(model, settings.optimizer, _make_loss(model))
    loop.numbers = numbers
    loop.first_state = first_state(model.optimizer)
    return loop


def _build_for_training(spec, settings):
    """Return a model of a network of this package, and its numbers or None."""
    dtype = _training_dtype(spec, settings.precision)
    with isolated_build(seed=0):
        if _has_numbers(settings):
            numbers = TrainingNumbers(spec)
            return numbers.build(spec, dtype), numbers
        model = build_blank(spec, dtype)
        if keras.backend.backend() == "tensorflow":
            draw_few_bits(model)
        return model, None


def _give_back(loop, key, callbacks):
    """Keep a loop for later fits, without what belongs to this one."""
    for callback in callbacks:  # one that a function returned may live on
        callback.set_model(None)
    idle_loops.put(key, loop)


def _with_our_own(settings):
    """Return the user's callbacks, and those that training itself needs."""
    callbacks = [*settings.callbacks, _RaiseOnNaN()]
    if settings.schedule != "constant":
        callbacks.insert(0, _RecordLearningRate())
    if settings.patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss",
                patience=settings.patience,
                restore_best_weights=True,
            )
        )
    # Keras takes the last one for its own. That of a user may come with the curves of
    # another fit.
    callbacks.append(keras.callbacks.History())
    return callbacks


def _check_rate_is_free(settings):
    """Refuse a callback that sets the learning rate where a schedule does."""
    if settings.schedule == "constant" and not has_schedule(settings.optimizer):
        return
    for callback in settings.callbacks:
        if isinstance(callback, _RATE_SETTERS):
            raise ValueError(
                f"The callback {type(callback).__name__} sets the learning rate, and "
                "so does a schedule (learning_rate_schedule, or one of the "
                "optimizer's own): leave one of them out."
            )


def _is_shareable(spec, settings):
    """Tell whether other fits may use the compiled model of this one.

    Only if its description says all about it, and nobody else has had it in hand:
    code of the user's may change between fits under the same names. What was built for
    one strategy of TensorFlow's is of no use to another.
    """
    return (
        is_ours(spec)
        and not has_replicas()
        and all(map(leaves_models_alone, settings.callbacks))
        and is_of_keras(settings.optimizer)
    )


def _has_numbers(settings):
    """Tell whether a step reads dropout rates and penalties anew.

    Other backends compile them. So does a model that a callback may save or change.
    """
    return keras.backend.backend() == "tensorflow" and all(
        type(callback).__module__.startswith("skmnist.")
        for callback in settings.callbacks
    )


def _check_finite(model, weights, history, samples):
    """Refuse a network that the last steps have spoilt, which no loss shows."""
    losses = [values[-1] for name, values in history.items() if name.endswith("loss")]
    largest = max(
        np.abs(np.asarray(array, float)).max() for array in [losses, *weights]
    )
    # Weights of the usual size give no infinite outputs. NaN is not below anything.
    if not largest < _LARGE:
        outputs = as_arrays([model(samples, training=False)])[0]
        values = [losses, outputs, *weights]
        if not all(np.isfinite(np.asarray(v, float)).all() for v in values):
            raise FloatingPointError(
                "Training diverged: losses, weights or probabilities are no finite "
                f"numbers. {_AGAINST_DIVERGENCE}"
            )


def _make_loss(model):
    """Return the loss of a classifier, computed as precisely as the network is."""
    return keras.losses.SparseCategoricalCrossentropy(dtype=model.outputs[0].dtype)


def _training_dtype(spec, precision):
    """Return the Keras policy that a network of this package is trained in."""
    # Of graphics cards it is not known; many emulate bfloat16.
    if precision == "auto":
        is_quick = (
            keras.backend.backend() == "tensorflow"
            and bfloat16_is_quick()
            and not keras.distribution.list_devices("gpu")
        )
        precision = "bfloat16" if is_quick else "float32"
    return (
        "mixed_bfloat16"
        if precision == "bfloat16"
        else builder_arguments(spec)["dtype"]
    )


def _quick_path_is_off():
    """Tell whether the user wants Keras' own loop for everything."""
    switch = os.environ.get("SKMNIST_KERAS_LOOP", "")
    return switch.lower() not in ("", "0", "false", "no", "off")


def _loop_class(callbacks, model=None):
    """Choose the quickest loop for callbacks and, unless it is of ours, a model."""
    is_quick = keras.backend.backend() == "tensorflow" and not has_replicas()
    if is_quick and not _quick_path_is_off():
        from skmnist._training.memory_loop import MemoryLoop

        if MemoryLoop.suits(callbacks, model):
            return MemoryLoop
    from skmnist._training.keras_loop import KerasLoop

    return KerasLoop
