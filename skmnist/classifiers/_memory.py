"""Fits that are kept in a folder, so that none is made twice."""

import pickle
from operator import attrgetter
from typing import NamedTuple

import joblib
import numpy as np
from joblib.func_inspect import get_func_code

from skmnist._kept_fits import FitFolder
from skmnist._provenance import used_versions
from skmnist._training.data import TrainingState
from skmnist.networks._graphs import is_planned

__all__ = ["Trained", "remembered"]

# Predictions do not depend on these, nor does training.
_NOT_INVOLVED = ("python", "scikit-learn", "onnxruntime")


class Trained(NamedTuple):
    """Attributes of a fitted classifier, and where its training stands.

    It is not complete if somebody ended it before its last epoch.
    """

    attributes: dict
    state: TrainingState
    is_complete: bool = True


def remembered(memory, fit, spec, n_epochs, settings, data):
    """Return a fit from a memory, or make it and keep it there.

    Parameters
    ----------
    memory : str or path-like
        Folder.
    fit : callable
        ``fit(n_epochs, earlier)`` trains for some epochs, from new weights or on from
        an earlier Trained, and returns a Trained.
    spec : NetworkSpec
        The network.
    n_epochs : int
        Number of epochs.
    settings : dict
        Parameters and seeds of the training.
    data : tuple of TrainingData or None
        Training and validation.

    Returns
    -------
    Trained
    """
    folder = FitFolder(memory)
    try:
        pickle.dumps(spec.builder)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise ValueError(
            f"memory needs a builder that can be imported; got {spec.builder!r}. "
            "Define it at the top of a module or script."
        ) from error
    facts = {
        "network": [*_function(spec.builder), spec.input_shape, spec.n_classes],
        "parameters": spec.parameters,
        "settings": {name: _hashable(value) for name, value in settings.items()},
        "data": [part and _digest(part.arrays) for part in data],
        "versions": _versions(),
    }
    key = joblib.hash(facts)

    def kept(n_epochs, *fit_arguments):
        def make():
            trained = fit(*fit_arguments)
            trained.state.is_kept = True  # with the optimizer's, to resume from here
            return trained

        is_complete = attrgetter("is_complete")
        return folder.get([key, n_epochs], make, is_complete=is_complete)

    earlier, n_earlier = None, 0
    if is_planned(spec) and _resumes_exactly(settings):
        fewer = range(n_epochs, 0, -1)
        known = (n for n in fewer if folder.path([key, n]).exists())
        n_earlier = next(known, 0)
        if 0 < n_earlier < n_epochs:  # made anew if its file is damaged
            earlier = kept(n_earlier, n_earlier, None)
            if not earlier.is_complete:
                return earlier
    if earlier is None:
        return kept(n_epochs, n_epochs, None)
    return kept(n_epochs, n_epochs - n_earlier, earlier)


def _resumes_exactly(settings):
    """Return whether some epochs, and then others, are the same as all at once."""
    optimizer = _hashable(settings["optimizer"])
    config = optimizer[-1] if isinstance(optimizer, list) else optimizer
    if isinstance(config, dict):
        config = config.get("config", config)
        is_plain = not config.get("use_ema") and not isinstance(
            config.get("learning_rate"), dict
        )
    else:
        is_plain = isinstance(optimizer, str)
    return (
        is_plain
        and settings["learning_rate_schedule"] == "constant"
        and settings["ema_momentum"] is None
        and settings["patience"] is None
    )


def _hashable(value):
    """Return what tells a parameter from others, of an optimizer its configuration."""
    if callable(value):  # makes one
        value = value()
    if hasattr(value, "get_config"):
        config = {k: v for k, v in value.get_config().items() if k != "name"}  # counted
        return [type(value).__module__, type(value).__qualname__, config]
    if hasattr(value, "get_params"):
        return [type(value).__qualname__, value.get_params()]
    return value


def _function(value):
    """Return a function, which is hashed by its name and arguments, and its code."""
    code, *_ = get_func_code(getattr(value, "func", value))
    return value, code


def _digest(arrays):
    return joblib.hash([np.ascontiguousarray(array) for array in arrays])


def _versions():
    found = used_versions(networks=True)
    return {name: found[name] for name in found if name not in _NOT_INVOLVED}
