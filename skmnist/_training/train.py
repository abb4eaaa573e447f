"""One complete fit: from the specification of a network and data to weights."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from skmnist._fit_tasks import EpochTasks
from skmnist._training.build import Start, initial_arrays, is_ours, random_variables
from skmnist._training.callbacks import (
    AGAINST_DIVERGENCE,
    RaiseOnNaN,
    RecordLearningRate,
    Report,
    ReportTasks,
    SeedEpochs,
)
from skmnist._training.data import ShuffledBatches
from skmnist._training.keras import all_layers, as_arrays, keras, own_draws
from skmnist._training.loops import give_back, take_loop
from skmnist._training.optimizers import (
    check_type,
    has_schedule,
    initial_rate,
    optimizer_kind,
    set_schedule,
    start_optimizer,
)
from skmnist._training.own_networks import copy_of_built

__all__ = ["TrainingSettings", "train"]

_RATE_SETTERS = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)
_LARGE = 100.0  # of weights and losses
_MAX_STEPS = 50  # that only renew statistics


@dataclass
class TrainingSettings:
    """How to train: all except the network and the data."""

    optimizer: object
    schedule: str
    epochs: int
    batch_size: int
    patience: int | None
    callbacks: list
    precision: str
    verbose: int
    label_smoothing: float = 0.0
    augmented: Callable | None = None
    tasks: EpochTasks | None = None
    is_partial: bool = False  # the data are a part of all
    # Set by `train`: whether a report ended the training before its last epoch.
    was_stopped: bool = False


def train(spec, data, settings, state, *, validation=None, network=None):
    """Train a network from new weights, or resume from those of `network`.

    `data` and `validation` are TrainingData; `state`, a TrainingState, is not changed.
    Returns the weights in the order of :meth:`keras.Model.get_weights`, the Description
    of a user-defined network or None, the new state, and the history of this call.
    """
    _check_rate_is_free(settings)
    # A single sample has no variance.
    is_normalized = bool(spec.parameters.get("batch_normalization"))
    start = _start(spec, data, state, network)
    batches = ShuffledBatches(
        data.arrays,
        settings.batch_size,
        state.shuffle_seed,
        state.n_epochs,
        augmented=settings.augmented,
        smallest=2 if is_normalized else 1,
    )
    if is_normalized and min(batches.n_rows, settings.batch_size) < 2:
        raise ValueError(
            "Batch normalization needs batches of at least 2 samples; got "
            f"batch_size={settings.batch_size} and n_samples = {len(data.inputs)}."
        )
    optimizer = settings.optimizer
    if any(weights.dtype == np.float64 for weights in start.weights):
        check_type(optimizer, "float64")
    is_averaged = getattr(optimizer, "inner_optimizer", optimizer).use_ema
    if is_averaged and settings.patience is not None:
        raise ValueError(
            "An optimizer with use_ema does not go with early_stopping: the weights "
            "are averaged when training ends, and early stopping keeps those of its "
            "best epoch. Leave one of them out."
        )
    if is_averaged and network is not None:
        raise ValueError(
            "An optimizer with use_ema does not go with warm_start or partial_fit: the "
            "weights are averaged when training ends, and training cannot go on from "
            "averages. Leave one of them out."
        )
    peak = initial_rate(optimizer)
    kind = optimizer_kind(optimizer, has_name=settings.schedule != "constant")
    # The state of a different optimizer is of no use.
    resumed = state.optimizer_variables if state.optimizer_kind == kind else None
    set_schedule(
        optimizer,
        settings.schedule,
        n_steps=settings.epochs * batches.steps_per_epoch,
        first_step=int(resumed[0]) if resumed else 0,
    )
    rate = initial_rate(optimizer)
    callbacks = _with_our_own(settings)
    if settings.tasks is not None:
        callbacks.insert(-1, ReportTasks(settings.tasks, start.description))
    # Our layers have their own generators, except under PyTorch, which has only one.
    draws_alone = is_ours(spec) and keras.backend.backend() != "torch"
    if not draws_alone:
        callbacks.insert(0, SeedEpochs(state.shuffle_seed))

    loop = take_loop(spec, start, settings, callbacks)
    model = loop.model
    start_optimizer(
        loop.optimizer,
        optimizer,
        resumed or loop.first_state,
        # A callback may have changed it, but a new learning_rate counts.
        keep_rate=resumed is not None and rate == state.initial_rate,
    )
    with contextlib.nullcontext() if draws_alone else own_draws():
        try:
            history = loop.fit(
                batches,
                epochs=settings.epochs,
                initial_epoch=state.n_epochs,
                validation=validation.arrays if validation else None,
                callbacks=callbacks,
                verbose=settings.verbose,
            )
        except Exception:
            if loop.is_between_steps:  # a callback ended it, to prune a trial maybe
                give_back(loop, callbacks)
            raise
        random_states = as_arrays(random_variables(model))
        # With early stopping, the best epoch was chosen with the statistics it had.
        if is_averaged or (
            is_normalized and settings.patience is None and not settings.is_partial
        ):
            _renew_statistics(model, batches, state.n_epochs + len(history["loss"]))
    history = {name: [float(v) for v in values] for name, values in history.items()}
    weights = as_arrays(model.weights)
    _check_finite(model, weights, history, data.samples)

    new_state = replace(
        state,
        n_epochs=state.n_epochs + len(history["loss"]),
        optimizer_variables=as_arrays(model.optimizer.variables),
        optimizer_kind=kind,
        initial_rate=rate,
        random_states=random_states,
        learning_rate=peak,
    )
    settings.was_stopped = any(
        isinstance(callback, Report) and callback.has_stopped for callback in callbacks
    )
    # Only now, so that models of failed fits are dropped.
    give_back(loop, callbacks)
    return weights, start.description, new_state, history


def _start(spec, data, state, network):
    """Return the given network, or a new one."""
    if network is not None:
        states = state.random_states
        if states is None and network.description is None:
            _, states = initial_arrays(spec, state.weights_seed)
        return Start(network.weights, states, network.description)
    if is_ours(spec):
        return Start(*initial_arrays(spec, state.weights_seed))
    return copy_of_built(spec, state.weights_seed, data.trials)


def _renew_statistics(model, batches, epoch):
    """Let batch normalization see what the final weights make of unchanged images.

    Moving averages are of earlier weights and augmented images, and after few steps
    mostly of what they began with.
    """
    layers = [
        layer
        for layer in all_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization) and 0 < layer.momentum < 1
    ]
    if not layers:
        return
    momentums = [layer.momentum for layer in layers]
    n_steps = min(batches.steps_per_epoch, _MAX_STEPS)
    batches.first_epoch, batches.augmented = epoch, None
    try:
        for step, (inputs, *_) in enumerate(itertools.islice(batches, n_steps)):
            for layer in layers:
                layer.momentum = step / (step + 1)  # so that all batches count the same
            model(inputs, training=True)
    finally:
        for layer, momentum in zip(layers, momentums, strict=True):
            layer.momentum = momentum


def _with_our_own(settings):
    """Return the user's callbacks, and those that training itself needs."""
    callbacks = [*settings.callbacks, RaiseOnNaN()]
    if settings.schedule != "constant":
        callbacks.insert(0, RecordLearningRate())
    if settings.patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss",
                patience=settings.patience,
                restore_best_weights=True,
            )
        )
    # Keras uses the last one as its own. That of a user may hold another fit's curves.
    callbacks.append(keras.callbacks.History())
    return callbacks


def _check_rate_is_free(settings):
    """Refuse a callback that sets the learning rate besides a schedule."""
    if settings.schedule == "constant" and not has_schedule(settings.optimizer):
        return
    for callback in settings.callbacks:
        if isinstance(callback, _RATE_SETTERS):
            raise ValueError(
                f"The callback {type(callback).__name__} sets the learning rate, and "
                "so does a schedule (learning_rate_schedule, or one of the "
                "optimizer's own): leave one of them out."
            )


def _check_finite(model, weights, history, samples):
    """Refuse a network that diverged in the last steps, which no loss shows."""
    losses = [values[-1] for name, values in history.items() if name.endswith("loss")]
    largest = max(
        np.abs(np.asarray(array, float)).max() for array in [losses, *weights]
    )
    # Usual weights give no infinite outputs. NaN is not below anything.
    if not largest < _LARGE:
        outputs = as_arrays([model(samples, training=False)])[0]
        values = [losses, outputs, *weights]
        if not all(np.isfinite(np.asarray(v, float)).all() for v in values):
            raise FloatingPointError(
                "Training diverged: losses, weights or probabilities are not "
                f"finite. {AGAINST_DIVERGENCE}"
            )
