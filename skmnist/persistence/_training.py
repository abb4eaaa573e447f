"""Where the training of a classifier stands, as plain data.

Of optimizers only descriptions of Keras' own go into a file: Keras makes objects of
such descriptions, and must not be led to other classes.
"""

import json
import sys

import numpy as np

from skmnist._training.data import TrainingState
from skmnist.persistence._parameters import is_name
from skmnist.persistence._schema import (
    ModelFileError,
    check,
    check_keys,
    is_count,
    is_number,
)

__all__ = [
    "describe_training",
    "is_keras_optimizer",
    "plain_optimizer",
    "rebuild_training",
]

_MODULES = ("keras.optimizers", "keras.optimizers.schedules", None)
_SEEDS = ("weights_seed", "shuffle_seed")
_RATES = ("learning_rate", "initial_rate")
_NUMBERS = (*_SEEDS, "n_epochs", *_RATES)
_KEYS = (*_NUMBERS, "split_seed", "is_kept", "optimizer", "n_random_states")
_OPTIMIZER_KEYS = ("description", "excluded", "has_schedule", "n_arrays")
_MAX_SEED = 2**32 - 1


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
    """Return the name or the description of an optimizer; None if that is not all."""
    keras = sys.modules.get("keras")  # which is loaded if this is an object of it
    if keras and isinstance(value, keras.optimizers.Optimizer):
        from skmnist._training.optimizers import optimizer_kind

        _, excluded, _ = json.loads(optimizer_kind(value))
        if excluded is not None:  # which no description has
            return None
        value = keras.optimizers.serialize(value)
    return value if is_name(value) or is_keras_optimizer(value) else None


def describe_training(classifier):
    """Return where training stands, its arrays, and what is lost.

    Parameters
    ----------
    classifier : BaseKerasClassifier
        Fitted.

    Returns
    -------
    described : dict
        Ready for JSON.
    tensors : dict of str to ndarray
        Arrays by name.
    lost : list of str
        What of it cannot be kept.
    """
    state = classifier._training
    variables = state.optimizer_variables if state.is_kept else None
    optimizer = _described_optimizer(state.optimizer_kind)
    lost = []
    if variables is not None and (optimizer is None or not _are_finite(variables)):
        lost, variables = ["the state of the optimizer"], None
    if optimizer is not None:
        optimizer["n_arrays"] = None if variables is None else len(variables)
    random_states = state.random_states
    described = {
        **{name: getattr(state, name) for name in _NUMBERS},
        "split_seed": classifier._split_seed,
        "is_kept": bool(state.is_kept),
        "optimizer": optimizer,
        "n_random_states": None if random_states is None else len(random_states),
    }
    tensors = {
        f"{name}/{place}": np.asarray(array)
        for name, arrays in (("optimizer", variables), ("random_states", random_states))
        for place, array in enumerate(arrays or ())
    }
    return described, tensors, lost


def _are_finite(arrays):
    return all(
        array.dtype.kind in "iuf" and np.isfinite(array).all()
        for array in map(np.asarray, arrays)
    )


def _described_optimizer(kind):
    """Return the optimizer of the fit ready for JSON, or None if it is not Keras'."""
    if kind is None:
        return None
    description, excluded, has_schedule = json.loads(kind)
    described = {
        "description": description,
        "excluded": excluded,
        "has_schedule": has_schedule,
        "n_arrays": None,
    }
    return described if _kind(described) == kind else None


def _kind(described):
    """Return what :class:`TrainingState` knows an optimizer by; None if not Keras'."""
    description, excluded, has_schedule, _ = described.values()
    if (
        not is_keras_optimizer(description)
        or not isinstance(description.get("config"), dict)
        or not (excluded is None or (isinstance(excluded, str) and len(excluded) < 200))
        or not isinstance(has_schedule, bool)
    ):
        return None
    return json.dumps([description, excluded, has_schedule], sort_keys=True)


def rebuild_training(described, tensors, place):
    """Return the state of the training and the seed of the split, after a check."""
    check_keys(described, place, _KEYS)
    for name in (*_SEEDS, "split_seed"):
        check(
            described[name],
            f"{place}.{name}",
            "a seed from 0 to 2**32 - 1",
            lambda value: is_count(value, 0, _MAX_SEED),
        )
    check(described["n_epochs"], f"{place}.n_epochs", "a whole number", is_count)
    check(
        described["is_kept"],
        f"{place}.is_kept",
        "true or false",
        lambda value: isinstance(value, bool),
    )
    for name in _RATES:
        check(
            described[name],
            f"{place}.{name}",
            "null or a number of at least 0",
            lambda value: value is None or (is_number(value) and value >= 0),
        )
    state = TrainingState(
        **{name: described[name] for name in (*_NUMBERS, "is_kept")},
        random_states=_arrays(
            "random_states", described["n_random_states"], tensors, place
        ),
    )
    if described["optimizer"] is not None:
        _set_optimizer(state, described["optimizer"], tensors, f"{place}.optimizer")
    return state, described["split_seed"]


def _set_optimizer(state, described, tensors, place):
    check_keys(described, place, _OPTIMIZER_KEYS)
    state.optimizer_kind = _kind({key: described[key] for key in _OPTIMIZER_KEYS})
    if state.optimizer_kind is None:
        raise ModelFileError(f"{place} does not describe an optimizer of Keras")
    state.optimizer_variables = _arrays(
        "optimizer", described["n_arrays"], tensors, place
    )
    if state.optimizer_variables is not None and not state.is_kept:
        raise ModelFileError(f"{place} has a state, which is_kept says is not kept")


def _arrays(name, n_arrays, tensors, place):
    """Return the arrays of a kind, taken from the tensors."""
    check(
        n_arrays,
        f"{place}, the number of tensors {name},",
        f"null or a number from 0 to {len(tensors)}",
        lambda value: value is None or is_count(value, 0, len(tensors)),
    )
    if n_arrays is None:
        return None
    arrays = []
    for index in range(n_arrays):
        array = tensors.pop(f"{name}/{index}", None)
        if array is None:
            raise ModelFileError(f"the tensor {name}/{index} is missing")
        if not _are_finite([array]):
            raise ModelFileError(f"the tensor {name}/{index} is not finite numbers")
        arrays.append(array)
    return arrays
