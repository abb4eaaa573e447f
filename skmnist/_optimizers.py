"""Optimizers: one for each fit, its course of learning rates, and its state."""

import copy
import json

from skmnist._keras import as_arrays, check_name, isolated_build, keras
from skmnist._schedules import SCHEDULES, Schedule

__all__ = [
    "make_optimizer",
    "optimizer_kind",
    "program_key",
    "set_schedule",
    "start_optimizer",
]

LearningRateSchedule = keras.optimizers.schedules.LearningRateSchedule

# What a configuration leaves out, and a copy must have nevertheless.
_NOT_IN_CONFIG = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")


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

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or has a schedule besides a learning rate.
    """
    # Apart, because new optimizers get names from counters of the process.
    with isolated_build(seed=0):
        made = _made_optimizer(optimizer)
    if learning_rate is not None:
        if isinstance(_rate_of(made), LearningRateSchedule):
            raise ValueError(
                f"learning_rate={learning_rate} does not go with an optimizer that has "
                "a schedule of its own: leave one of them out."
            )
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
    if getattr(example, "_exclude_from_weight_decay", None):
        raise ValueError(
            "The optimizer excludes variables of one network from weight decay, which "
            "no other network has: exclude them by var_names."
        )
    try:
        # Copied in either case: a function may return the same one at each call.
        made = type(example).from_config(example.get_config())
    except Exception:
        if example is optimizer or example.built:
            raise
        return example  # with parts that Keras cannot copy, but made for this fit
    for name in _NOT_IN_CONFIG:
        if hasattr(example, name):
            setattr(made, name, copy.copy(getattr(example, name)))
    return made


def set_schedule(optimizer, schedule, n_steps, first_step):
    """Let the learning rate of an optimizer take a course that has a name.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Its own learning rate becomes the largest.
    schedule : {"constant", "one_cycle", "cosine"}
        The course.
    n_steps : int
        Number of steps of the fit.
    first_step : int
        Steps of the optimizer that went before.

    Raises
    ------
    ValueError
        If the optimizer has a schedule already.
    """
    if schedule == "constant":
        return
    if isinstance(_rate_of(optimizer), LearningRateSchedule):
        raise ValueError(
            f"learning_rate_schedule={schedule!r} does not go with an optimizer that "
            "has a schedule of its own: leave one of them out."
        )
    optimizer.learning_rate = Schedule(
        peak=float(optimizer.learning_rate),
        n_steps=n_steps,
        rising=SCHEDULES[schedule],
        first_step=first_step,
    )


def optimizer_kind(optimizer):
    """Name an optimizer but for its learning rate: state of one kind fits another.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        The optimizer.

    Returns
    -------
    str
        Equal for optimizers of the same kind and settings.
    """
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # counts the optimizers of the process
    if not isinstance(_rate_of(optimizer), LearningRateSchedule) or isinstance(
        _rate_of(optimizer), Schedule
    ):
        config["config"].pop("learning_rate", None)
    return json.dumps(
        [config, _excluded(optimizer), isinstance(_rate_of(optimizer), Schedule)],
        sort_keys=True,
        default=repr,
    )


def program_key(optimizer):
    """Name an optimizer but for what is a variable of it and set for each fit.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        The optimizer.

    Returns
    -------
    str
        Equal for optimizers for which a compiled step is the same.
    """
    rate = _rate_of(optimizer)
    course = None
    if isinstance(rate, Schedule):
        # Other backends compile the values of a schedule into the program.
        is_variable = keras.backend.backend() == "tensorflow"
        course = rate.rising if is_variable else rate.get_config()
    return json.dumps([optimizer_kind(optimizer), course], sort_keys=True)


def start_optimizer(compiled, optimizer, variables, trainable_variables):
    """Put an optimizer that a step is compiled with into the state for a fit.

    Parameters
    ----------
    compiled : keras.optimizers.Optimizer
        The optimizer of the compiled model.
    optimizer : keras.optimizers.Optimizer
        One that was made for the fit, maybe the same.
    variables : list of ndarray or None
        The state to go on from; None for the first one.
    trainable_variables : list of keras.Variable
        What it updates.
    """
    if variables is not None:
        for variable, value in zip(compiled.variables, variables, strict=True):
            variable.assign(value)
    elif compiled is not optimizer:
        optimizer.build(trainable_variables)
        start = as_arrays(optimizer.variables)
        for variable, value in zip(compiled.variables, start, strict=True):
            variable.assign(value)
    rate = _rate_of(optimizer)
    if isinstance(rate, Schedule):
        _rate_of(compiled).values.assign(rate.values)
    elif not isinstance(rate, LearningRateSchedule):
        _rate_of(compiled).assign(rate)


def _rate_of(optimizer):
    """Return the variable or the schedule, where ``learning_rate`` gives a value."""
    return optimizer._learning_rate


def _excluded(optimizer):
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return pattern and pattern.pattern
