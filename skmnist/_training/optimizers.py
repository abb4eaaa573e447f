"""Optimizers: one for each fit, its learning rates, and its state."""

import copy
import json

import numpy as np

from skmnist._fingerprints import describe
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
    "resumes_exactly",
    "set_schedule",
    "start_optimizer",
]


def make_optimizer(optimizer, learning_rate, weight_decay=None, ema_momentum=None):
    """Make the optimizer of a fit from the parameters of a classifier."""
    # Isolated, because optimizers are named by counters of the process.
    with isolated_names():
        made = _made_optimizer(optimizer)
    # With each sum over replicas that is traced, TensorFlow registers a gradient and
    # keeps the graph around it, 2 to 3 MB. One replica needs no sum.
    name = "_all_reduce_sum_gradients"
    for part in (made, getattr(made, "inner_optimizer", None)):
        if hasattr(part, name) and not has_replicas():
            vars(part)[name] = list
    if learning_rate is not None:
        _check_no_schedule(made, f"learning_rate={learning_rate}")
        made.learning_rate = learning_rate
    inner = getattr(made, "inner_optimizer", made)
    if weight_decay is not None:
        inner.weight_decay = weight_decay
    if ema_momentum is not None:
        inner.use_ema, inner.ema_momentum = True, ema_momentum
    return made


def _check_no_schedule(optimizer, setting):
    if has_schedule(optimizer):
        raise ValueError(
            f"{setting} does not go with an optimizer that has a schedule of its own: "
            "leave one of them out."
        )


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


def check_type(optimizer, dtype):
    """Refuse an optimizer that cannot update weights of a type, by a step of a copy."""
    with isolated_names():
        try:
            trial = type(optimizer).from_config(optimizer.get_config())
        except Exception:  # it cannot be copied, nor tried
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
    """Let the learning rate follow a named schedule, with its value as the peak."""
    if schedule == "constant":
        return
    setting = f"learning_rate_schedule={schedule!r}"
    _check_no_schedule(optimizer, setting)
    if hasattr(optimizer, "inner_optimizer"):
        raise ValueError(
            f"{setting} does not go with an optimizer around another one, "
            f"{type(optimizer).__name__}: give the inner one a schedule."
        )
    peak = float(optimizer.learning_rate)
    rising = SCHEDULES[schedule]
    optimizer.learning_rate = Schedule(peak, n_steps, rising, first_step)


def initial_rate(optimizer):
    """Return the initial learning rate of an optimizer, None if it has a schedule."""
    if has_schedule(optimizer):
        return None
    return float(as_arrays([_rate_of(optimizer)])[0])


def has_schedule(optimizer):
    """Return whether the rate is a schedule or a function, not a number."""
    return not isinstance(_rate_of(optimizer), keras.Variable)


def resumes_exactly(optimizer):
    """Return whether some steps, and later others, are the same as all at once."""
    parts = optimizer, getattr(optimizer, "inner_optimizer", optimizer)
    return (
        is_of_keras(optimizer)  # others may have a state besides their variables
        and not has_schedule(optimizer)
        and not any(part.use_ema for part in parts)
    )


def is_of_keras(optimizer):
    """Return whether an optimizer contains no user-defined code."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return all(
        type(part).__module__.startswith(("keras.", "skmnist."))
        for part in (optimizer, inner, _rate_of(optimizer))
    )


def optimizer_kind(optimizer, has_name=False):
    """Describe an optimizer without its learning rate or named schedule, as JSON."""
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # counts the optimizers of the process
    if has_name or not has_schedule(optimizer):
        config["config"].pop("learning_rate", None)
    return json.dumps(
        [config, _excluded(optimizer), has_name], sort_keys=True, default=repr
    )


@describe.register
def _(optimizer: keras.optimizers.Optimizer):
    own = {"name", "inner_optimizer", "learning_rate"}
    config = {k: v for k, v in optimizer.get_config().items() if k not in own}
    rate = initial_rate(optimizer)
    if rate is None:
        rate = _rate_of(optimizer)  # a schedule, or a function that computes it
    inner = getattr(optimizer, "inner_optimizer", None)
    return describe([type(optimizer), config, rate, inner, _excluded(optimizer)])


def program_key(optimizer):
    """Describe an optimizer without the values that each fit sets."""
    rate = _rate_of(optimizer)
    if not isinstance(rate, Schedule):
        return optimizer_kind(optimizer), None
    # Other backends compile the values of a schedule into the program.
    is_variable = keras.backend.backend() == "tensorflow"
    course = rate.rising if is_variable else rate.get_config()
    return optimizer_kind(optimizer, has_name=True), course


def optimizer_of(training, model, otherwise):
    """Make an optimizer like that of a fit, with its state if that is kept.

    If Keras cannot make it from its description, ``otherwise(learning_rate)`` does.
    """
    rate = training.learning_rate or training.initial_rate
    if training.optimizer_kind is None:  # in files without it
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
        # A named schedule has no variable for the rate.
        if training.is_kept and training.optimizer_variables and not has_course:
            optimizer.build(model.trainable_variables)
            assign(optimizer.variables, training.optimizer_variables)
    return optimizer


def first_state(optimizer):
    """Return the initial variables of an optimizer, which take no memory.

    None if they are not constant, but copies of the weights as for ScheduleFreeAdamW.
    """
    arrays = as_arrays(optimizer.variables)
    state = [np.broadcast_to(a.flat[0], a.shape) if a.size else a for a in arrays]
    return state if all(map(np.array_equal, state, arrays)) else None


def start_optimizer(compiled, optimizer, variables, *, keep_rate):
    """Give the optimizer of a compiled model its variables, or keep them if None.

    The learning rate is that of `optimizer`, unless `keep_rate` keeps the variable.
    """
    rate = initial_rate(optimizer)  # before it changes: both may be the same optimizer
    # Copies, because under JAX copies of the weights must not share their memory.
    assign(compiled.variables, variables or as_arrays(compiled.variables))
    if rate is not None and not keep_rate:
        _rate_of(compiled).assign(rate)
    elif isinstance(_rate_of(optimizer), Schedule):
        _rate_of(compiled).values.assign(_rate_of(optimizer).values)


def _rate_of(optimizer):
    """Return the variable or the schedule, while ``learning_rate`` returns a value."""
    # The rate of an optimizer around another one, which scales losses, is not used.
    return getattr(optimizer, "inner_optimizer", optimizer)._learning_rate


def _exclude(optimizer, pattern):
    """Exclude variables from weight decay by a pattern of their names, if given."""
    if pattern:
        optimizer.exclude_from_weight_decay(var_names=[pattern])


def _excluded(optimizer):
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return pattern and pattern.pattern
