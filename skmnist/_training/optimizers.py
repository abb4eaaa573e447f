"""Optimizers: one for each fit, its course of learning rates, and its state."""

import copy
import json

import numpy as np

from skmnist._training.keras import (
    as_arrays,
    assign,
    has_replicas,
    isolated_names,
    keras,
    resolve_name,
)
from skmnist._training.schedules import SCHEDULES, Schedule

__all__ = [
    "check_type",
    "first_state",
    "has_schedule",
    "initial_rate",
    "is_of_keras",
    "make_optimizer",
    "optimizer_kind",
    "optimizer_of",
    "program_key",
    "set_schedule",
    "start_optimizer",
]


def make_optimizer(optimizer, learning_rate, weight_decay=None, ema_momentum=None):
    """Make an optimizer that no other fit has.

    `optimizer` is a name, a serialized configuration, a function that makes one, or an
    example, which is not itself used. None keeps the learning rate, the weight decay or
    the averaging of weights that the optimizer has. Raises TypeError or ValueError if
    it is none of these, or has a schedule besides a learning rate.
    """
    # Apart, because new optimizers get names from counters of the process.
    with isolated_names():
        made = _made_optimizer(optimizer)
    _leave_out_sums_over_replicas(made)
    if learning_rate is not None:
        if has_schedule(made):
            raise ValueError(
                f"learning_rate={learning_rate} does not go with an optimizer that has "
                "a schedule of its own: leave one of them out."
            )
        made.learning_rate = learning_rate
    inner = getattr(made, "inner_optimizer", made)
    if weight_decay is not None:
        inner.weight_decay = weight_decay
    if ema_momentum is not None:
        inner.use_ema, inner.ema_momentum = True, ema_momentum
    return made


def _made_optimizer(optimizer):
    if isinstance(optimizer, str):
        return resolve_name("optimizer", optimizer, keras.optimizers)
    if isinstance(optimizer, dict):
        try:
            # A copy, as Keras writes into what it reads.
            return keras.optimizers.get(copy.deepcopy(optimizer))
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
            f"optimizer or a function that makes one; got {optimizer!r}, which "
            f"returned {example!r}."
        )
    if getattr(example, "_exclude_from_weight_decay", None):
        raise ValueError(
            "The optimizer excludes variables of one network from weight decay, which "
            "no other network has: exclude them by var_names."
        )
    try:
        # Copied in either case: a function may return the same one at each call.
        made = type(example).from_config(example.get_config())
    except Exception as error:
        if example is optimizer or example.built:
            raise ValueError(
                f"The optimizer {type(example).__name__} cannot be copied for this fit "
                f"({error}): give a function that makes it instead."
            ) from error
        return example  # with parts that Keras cannot copy, but made for this fit
    _exclude(made, _excluded(example))
    if has_schedule(example):  # or a function, which no configuration holds
        made.learning_rate = _rate_of(example)
    return made


def _leave_out_sums_over_replicas(optimizer):
    """Take gradients as they are where there is one replica to sum them over.

    With each such sum that is traced, TensorFlow registers a gradient that nobody asks
    for, and keeps the graph around it for good: 2 to 3 MB for a network.
    """
    name = "_all_reduce_sum_gradients"  # of TensorFlow's optimizers only
    for part in (optimizer, getattr(optimizer, "inner_optimizer", None)):
        if hasattr(part, name) and not has_replicas():
            vars(part)[name] = list


def check_type(optimizer, dtype):
    """Refuse an optimizer that cannot update weights of a type, which Keras says late.

    A copy of it makes one step. One that cannot be copied is not tried.
    """
    with isolated_names():
        try:
            trial = type(optimizer).from_config(optimizer.get_config())
        except Exception:
            return
        weights = [
            keras.Variable(np.zeros(shape), dtype=dtype) for shape in (2, (2, 2))
        ]
        try:
            trial.apply([keras.ops.zeros(w.shape, dtype) for w in weights], weights)
        except Exception as error:  # whatever Keras or its backend raises
            raise ValueError(
                "The 'optimizer' parameter must be one that can update weights in "
                f"{dtype}, such as 'adam' or 'sgd'; got {type(optimizer).__name__}, "
                "which cannot. Or give another precision."
            ) from error


def set_schedule(optimizer, schedule, n_steps, first_step):
    """Let the learning rate follow a schedule that has a name, over steps of a fit.

    Its own rate becomes the peak. The optimizer has taken `first_step` steps before.
    """
    if schedule == "constant":
        return
    if has_schedule(optimizer):
        raise ValueError(
            f"learning_rate_schedule={schedule!r} does not go with an optimizer that "
            "has a schedule of its own: leave one of them out."
        )
    if hasattr(optimizer, "inner_optimizer"):
        raise ValueError(
            f"learning_rate_schedule={schedule!r} does not go with an optimizer around "
            f"another one, {type(optimizer).__name__}: give the inner one a schedule."
        )
    peak = float(optimizer.learning_rate)
    rising = SCHEDULES[schedule]
    optimizer.learning_rate = Schedule(peak, n_steps, rising, first_step)


def initial_rate(optimizer):
    """Return the learning rate that an optimizer begins with; None for a schedule."""
    if has_schedule(optimizer):
        return None
    return float(as_arrays([_rate_of(optimizer)])[0])


def has_schedule(optimizer):
    """Return whether the rate is anything but a number: a schedule, or a function."""
    return not isinstance(_rate_of(optimizer), keras.Variable)


def is_of_keras(optimizer):
    """Return whether all code of an optimizer is of Keras or ours.

    What a name means may change between fits where it is the user's own.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return all(
        type(part).__module__.startswith(("keras.", "skmnist."))
        for part in (optimizer, inner, _rate_of(optimizer))
    )


def optimizer_kind(optimizer, has_name=False):
    """Name an optimizer but for its learning rate: state of one kind fits another.

    `has_name` says whether the rate follows a schedule that has a name.
    """
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # counts the optimizers of the process
    if has_name or not has_schedule(optimizer):
        config["config"].pop("learning_rate", None)
    return json.dumps(
        [config, _excluded(optimizer), has_name], sort_keys=True, default=repr
    )


def program_key(optimizer):
    """Name an optimizer but for what is a variable of it and set for each fit."""
    rate = _rate_of(optimizer)
    course = None
    has_name = isinstance(rate, Schedule)
    if has_name:
        # Other backends compile the values of a schedule into the program.
        is_variable = keras.backend.backend() == "tensorflow"
        course = rate.rising if is_variable else rate.get_config()
    return optimizer_kind(optimizer, has_name), course


def optimizer_of(training, model, otherwise):
    """Make an optimizer like the one that a model was trained with, for the model.

    It has a number as its learning rate unless it had a schedule of its own, and the
    state in `training`, a TrainingState, where that is kept. Where an optimizer is more
    than its description, ``otherwise(learning_rate)`` makes it.
    """
    rate = training.learning_rate or training.initial_rate
    if training.optimizer_kind is None:  # of a file that does not hold it
        return otherwise(rate)
    with isolated_names():
        description, excluded, has_course = json.loads(training.optimizer_kind)
        if rate is not None and "inner_optimizer" not in description["config"]:
            description["config"]["learning_rate"] = rate
        try:
            optimizer = keras.optimizers.get(description)
        except Exception:  # whatever Keras raises for what it does not know
            optimizer = otherwise(rate)
        _exclude(optimizer, excluded)
        # With a course there is no variable for the rate.
        if training.is_kept and training.optimizer_variables and not has_course:
            optimizer.build(model.trainable_variables)
            assign(optimizer.variables, training.optimizer_variables)
    return optimizer


def first_state(optimizer):
    """Return the variables of an optimizer that is built and has taken no step.

    Each is one number all over, and only that is in memory. None for an optimizer that
    begins with a copy of the weights, as ScheduleFreeAdamW does.
    """
    arrays = as_arrays(optimizer.variables)
    state = [np.broadcast_to(a.flat[0], a.shape) if a.size else a for a in arrays]
    return state if all(map(np.array_equal, state, arrays)) else None


def start_optimizer(compiled, optimizer, variables, *, keep_rate):
    """Put the optimizer of a compiled model into the state for a fit.

    That is `variables`, or what it begins with if these are None. The learning rate is
    that of `optimizer`, which was made for the fit and may be the same, or with
    `keep_rate` the one among `variables`.
    """
    rate = initial_rate(optimizer)  # read now: it may be one of the variables
    # Copies, as under JAX what begins with the weights must not share their memory.
    assign(compiled.variables, variables or as_arrays(compiled.variables))
    if rate is not None and not keep_rate:
        _rate_of(compiled).assign(rate)
    elif isinstance(_rate_of(optimizer), Schedule):
        _rate_of(compiled).values.assign(_rate_of(optimizer).values)


def _rate_of(optimizer):
    """Return the variable or the schedule, where ``learning_rate`` gives a value."""
    # One that scales losses has another optimizer inside, and a rate of no meaning.
    return getattr(optimizer, "inner_optimizer", optimizer)._learning_rate


def _exclude(optimizer, pattern):
    """Exclude variables from weight decay by a pattern of their names, or none."""
    if pattern:
        optimizer.exclude_from_weight_decay(var_names=[pattern])


def _excluded(optimizer):
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return pattern and pattern.pattern
