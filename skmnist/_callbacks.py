"""Keras callbacks of one fit: copies of the user's, with a directory of their own."""

import copy
import os
import uuid
from pathlib import Path

from skmnist._keras import keras

__all__ = ["EpochReport", "callbacks_for_fit", "leaves_models_alone"]

# Where Keras' own callbacks write: CSVLogger and ModelCheckpoint name a file,
# TensorBoard and BackupAndRestore a directory.
_FILE_ATTRIBUTES = ("filename", "filepath")
_DIRECTORY_ATTRIBUTES = ("backup_dir", "log_dir")


class EpochReport(keras.callbacks.Callback):
    """Calls a function behind each epoch, which may end training.

    Parameters
    ----------
    on_epoch : callable
        ``on_epoch(n_done, n_epochs, logs)``; training ends if it returns true.
    """

    def __init__(self, on_epoch):
        super().__init__()
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch, logs=None):
        """Report an epoch."""
        if self._on_epoch(epoch + 1, self.params["epochs"], logs or {}):
            self.model.stop_training = True


class _FolderMaker(keras.callbacks.Callback):
    """Makes directories when training begins, and none if it never does."""

    def __init__(self, folders):
        super().__init__()
        self._folders = folders

    def on_train_begin(self, logs=None):
        for folder in self._folders:
            if "{" not in str(folder):  # else Keras makes it when it knows the epoch
                folder.mkdir(parents=True, exist_ok=True)


def leaves_models_alone(callback):
    """Tell whether a callback changes nothing of a model but its variables.

    And keeps no hold of it: a model that code of the user's had in hand must not be
    trained again by somebody else.
    """
    module = type(callback).__module__
    return module.startswith(("keras.", "skmnist.")) and not isinstance(
        callback, keras.callbacks.LambdaCallback
    )


def callbacks_for_fit(callbacks):
    """Copy callbacks for one fit.

    A callback keeps state: best values, the model, open files. The copies start
    as the user's instances stand, and the instances never change, so that every
    fit of a search sees the same. A path that a callback writes to gets a
    directory of this fit's own, named by a unique identifier; it takes the place
    of ``{fit}`` in the path, or goes in front of the file name.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback or callable, or None
        Instances, or functions without arguments that make one.

    Returns
    -------
    copies : list of keras.callbacks.Callback
        One for each, behind one that makes the directories when training begins.
    fit_id : str or None
        Name of the directories; None if no callback writes to a path.

    Raises
    ------
    TypeError
        If one is no callback, or cannot be copied.
    """
    fit_id = uuid.uuid4().hex[:12]
    copies = [_copied(callback) for callback in callbacks or ()]
    written = [path for callback in copies for path in _redirect(callback, fit_id)]
    if not written:
        return copies, None
    return [_FolderMaker(written), *copies], fit_id


def _copied(callback):
    if not isinstance(callback, keras.callbacks.Callback):
        made = callback() if callable(callback) else callback
        if not isinstance(made, keras.callbacks.Callback):
            raise TypeError(
                "The 'callbacks' parameter must hold Keras callbacks, or functions "
                f"without arguments that make one; got {callback!r}."
            )
        return made
    twin = object.__new__(type(callback))
    state = {name: value for name, value in vars(callback).items() if name != "_model"}
    try:
        vars(twin).update(copy.deepcopy(state))
    except Exception as error:
        raise TypeError(
            f"The callback {type(callback).__name__} cannot be copied for this fit "
            f"({error}): give a function that makes it instead."
        ) from error
    twin._model = None
    return twin


def _redirect(callback, fit_id):
    """Point a callback's paths to a directory of this fit; return the new paths."""
    written = []
    for name in (*_FILE_ATTRIBUTES, *_DIRECTORY_ATTRIBUTES):
        value = getattr(callback, name, None)
        if not isinstance(value, str | Path) or not str(value):
            continue
        given = str(value)
        path = Path(given.replace("{fit}", fit_id))
        if "{fit}" not in given:
            path = (
                path.parent / fit_id / path.name
                if name in _FILE_ATTRIBUTES
                else (path / fit_id)
            )
        # Some derive further paths from the one that they were given.
        inside = str(Path(given)) + os.sep
        for attribute, derived in vars(callback).items():
            if isinstance(derived, str) and derived.startswith(inside):
                setattr(callback, attribute, str(path / derived[len(inside) :]))
        setattr(callback, name, str(path))
        written.append(path.parent if name in _FILE_ATTRIBUTES else path)
    return written
