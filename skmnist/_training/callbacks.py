"""Keras callbacks of one fit: copies of the given ones, with their own directory."""

import copy
import inspect
import os
import sys
import threading
import uuid
from collections import deque
from pathlib import Path
from types import FunctionType, MethodType

import numpy as np

from skmnist._training.keras import as_arrays, keras, seed_draws

__all__ = [
    "AGAINST_DIVERGENCE",
    "EpochReport",
    "RaiseOnNaN",
    "RecordLearningRate",
    "Report",
    "ReportTasks",
    "SeedEpochs",
    "callbacks_for_fit",
    "leaves_models_alone",
    "only_watches",
]

AGAINST_DIVERGENCE = (
    "Scale the inputs to [0, 1], lower learning_rate, or take another optimizer."
)

# Besides plain tuples, the containers in which a callback may keep its state.
_CONTAINERS = (list, dict, set, deque, bytearray, np.ndarray)

# Packages whose callbacks look at metrics only, and may end training.
_WATCHING = ("skmnist.", "optuna_integration.")

# References to a list can be counted only while no other thread uses it.
_copying = threading.RLock()

# Attributes of Keras' own callbacks, and whether each is a file or a directory.
_PATHS_ARE_FILES = {
    "filename": True,
    "filepath": True,
    "backup_dir": False,
    "log_dir": False,
}


class Report(keras.callbacks.Callback):
    """Reports epochs to what may end training."""

    has_stopped = False

    def stop(self):
        """End training after this epoch."""
        self.has_stopped = self.model.stop_training = True


class EpochReport(Report):
    """Calls ``on_epoch(n_done, n_epochs, logs)``, which ends training if it is true."""

    def __init__(self, on_epoch):
        super().__init__()
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch, logs=None):
        if self._on_epoch(epoch + 1, self.params["epochs"], logs or {}):
            self.stop()


class RaiseOnNaN(keras.callbacks.Callback):
    """End training with an error as soon as the loss is NaN or infinite."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            raise FloatingPointError(
                f"The loss became {loss} in epoch {epoch + 1}: training diverged. "
                f"{AGAINST_DIVERGENCE}"
            )


class ReportTasks(Report):
    """Report the epochs to callbacks of scikit-learn, which may end training."""

    def __init__(self, tasks, description):
        super().__init__()
        self._tasks = tasks
        self._description = description
        self._history = {}

    def on_epoch_begin(self, epoch, logs=None):
        self._tasks.begin()

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self._history[name] = [*self._history.get(name, ()), float(value)]
        if self._tasks.end(self._weights, self._description, dict(self._history)):
            self.stop()

    def _weights(self):
        return as_arrays(self.model.weights)


class SeedEpochs(keras.callbacks.Callback):
    """Seed the generators of the process before each epoch."""

    def __init__(self, seed):
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        seed_draws(self._seed + epoch)


class RecordLearningRate(keras.callbacks.Callback):
    """Add the learning rate at the end of an epoch to its metrics."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class _FolderMaker(keras.callbacks.Callback):
    """Makes directories when training begins, so that a failed fit leaves none."""

    def __init__(self, folders):
        super().__init__()
        self._folders = folders

    def on_train_begin(self, logs=None):
        for folder in self._folders:
            if "{" not in str(folder):  # else Keras makes it when it knows the epoch
                folder.mkdir(parents=True, exist_ok=True)


def leaves_models_alone(callback):
    """Return whether a callback runs no user-defined code, which may keep the model."""
    is_function = isinstance(callback, keras.callbacks.LambdaCallback)
    is_known = type(callback).__module__.startswith(("keras.", *_WATCHING))
    return is_known and not is_function


def only_watches(callback):
    """Return whether a callback neither saves a model nor changes its layers."""
    return type(callback).__module__.startswith(_WATCHING)


def callbacks_for_fit(callbacks):
    """Return copies of callbacks for one fit, and the name of its directories or None.

    A callback keeps state, so each fit of a search starts with the same copies. Objects
    that it was given are shared: it reports through them. Each path that it writes to
    gets a directory with a unique name, in place of ``{fit}`` or before the file name.
    """
    fit_id = uuid.uuid4().hex[:12]
    memo = {}
    copies = []
    for callback in _flat(callbacks):
        if isinstance(callback, keras.callbacks.Callback):
            with _copying:
                copies.append(_twin(callback, memo))
        else:
            copies.append(_made(callback))
    written = [
        path
        for each in {id(each): each for each in [*copies, *memo.values()]}.values()
        if isinstance(each, keras.callbacks.Callback)
        for path in _redirect(each, fit_id)
    ]
    if not written:
        return copies, None
    return [_FolderMaker(written), *copies], fit_id


def _flat(callbacks):
    """Yield single callbacks from all forms that Keras accepts."""
    for each in keras.tree.flatten(callbacks):
        if isinstance(each, keras.callbacks.CallbackList):
            yield from each.callbacks
        elif each is not None:
            yield each


def _made(maker):
    """Return the callback that a function or class makes."""
    made, problem = None, ""
    if callable(maker):
        try:
            inspect.signature(maker).bind()
        except TypeError as error:
            problem = f", which needs arguments ({error})"
        except ValueError:  # a type in C has no signature
            pass
        if not problem:
            made = maker()
    if not isinstance(made, keras.callbacks.Callback):
        raise TypeError(
            "The 'callbacks' parameter must hold Keras callbacks, or functions "
            f"without arguments that make one; got {maker!r}{problem}."
        )
    return made


def _twin(callback, memo):
    """Return the copy of a callback for this fit, the same one each time."""
    # By identity, as in copy.deepcopy: the copies refer to each other as originals do.
    twin = memo.get(id(callback))
    if twin is None:
        twin = memo[id(callback)] = object.__new__(type(callback))
        state = vars(callback)
        model = getattr(callback, "model", None)  # of an earlier use
        for name in list(state):
            if model is None or state[name] is not model:
                vars(twin)[name] = _for_twin(state, name, callback, memo)
        keras.callbacks.Callback.set_model(twin, None)
        twin._is_twin = True
    return twin


def _for_twin(holder, key, callback, memo):
    """Copy callbacks, metrics and containers made by a callback; share the rest."""
    is_held_elsewhere = _is_held_elsewhere(holder, key)  # before `value` holds it, too
    value = holder[key]
    if isinstance(value, keras.callbacks.Callback):
        return _twin(value, memo)
    if isinstance(value, keras.metrics.Metric):
        try:
            return copy.deepcopy(value, memo)
        except Exception:  # whatever Keras raises for a class that it does not find
            return value
    if isinstance(value, MethodType) and value.__self__ is callback:
        return MethodType(value.__func__, memo[id(callback)])
    if type(value) is not tuple and not isinstance(value, _CONTAINERS):
        return value
    is_given = is_held_elsewhere or (
        holder is vars(callback) and key.lstrip("_") in _required(callback)
    )
    if is_given and not _are_inner(value):
        return value
    return _container(value, callback, memo)


def _container(values, callback, memo):
    """Copy a container and, by the same rules as for a callback, its items."""
    places = []
    if isinstance(values, dict):
        places = list(values)
    elif isinstance(values, list | tuple | deque):
        places = range(len(values))
    items = [_for_twin(values, place, callback, memo) for place in places]
    if type(values) is tuple:
        return tuple(items)
    twin = copy.copy(values)
    for place, item in zip(places, items, strict=True):
        if item is not values[place]:
            twin[place] = item
    return twin


def _is_held_elsewhere(holder, key):
    """Return whether anything but `holder` refers to an item of it."""
    # A callback may keep a list that it was given under any name, or inside a list of
    # its own. But whoever gave it still refers to it.
    alone = {key: []}
    return sys.getrefcount(holder[key]) > sys.getrefcount(alone[key])


def _required(callback):
    """Return the names of all constructor parameters of a callback without default."""
    # In place of a default, the constructor may have made the list.
    return {
        name
        for base in type(callback).__mro__
        if isinstance(vars(base).get("__init__"), FunctionType)
        for name, parameter in inspect.signature(base.__init__).parameters.items()
        if parameter.default is parameter.empty
    }


def _are_inner(values):
    """Return whether a list or tuple holds only callbacks and metrics, to run them."""
    # With copies from an earlier fit, it is a record.
    return bool(type(values) in (list, tuple) and values) and all(
        isinstance(value, keras.callbacks.Callback | keras.metrics.Metric)
        and not hasattr(value, "_is_twin")
        for value in values
    )


def _redirect(callback, fit_id):
    """Point a callback's paths to a directory of this fit; return the new paths."""
    written = []
    for name, is_file in _PATHS_ARE_FILES.items():
        value = getattr(callback, name, None)
        if not isinstance(value, str | Path) or not str(value):
            continue
        # A function may return the same callback for each fit.
        redirected = vars(callback).setdefault("_redirected", {})
        given = redirected.get(str(value), str(value))
        path = Path(given.replace("{fit}", fit_id))
        if "{fit}" not in given:
            path = path.parent / fit_id / path.name if is_file else path / fit_id
        # Some callbacks derive further paths.
        inside = str(Path(value)) + os.sep
        for attribute, derived in vars(callback).items():
            if isinstance(derived, str) and derived.startswith(inside):
                setattr(callback, attribute, str(path / derived[len(inside) :]))
        setattr(callback, name, str(path))
        redirected[str(path)] = given
        written.append(path.parent if is_file else path)
    return written
