"""Provenance of results as plain data: model, machine and versions."""

import contextlib
import functools
import json
import math
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import (
    PackageNotFoundError,
    packages_distributions,
    version,
)
from pathlib import Path

__all__ = [
    "plain_history",
    "plain_parameters",
    "provenance",
    "used_versions",
    "versions_line",
]

_PLAIN = (bool, int, float, str)
_BACKEND_PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def provenance(networks, command=None):
    """Return the provenance of a result.

    Parameters
    ----------
    networks : bool
        Whether Keras and its backend take part.
    command : str, default=None
        The command line that is running, if there is one.

    Returns
    -------
    dict
        Command line, time, machine and versions, ready for JSON.
    """
    return {
        "command": command,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": f"{platform.system()} {platform.machine()}",
        "n_cpus": os.cpu_count(),
        "versions": used_versions(networks),
    }


def used_versions(networks):
    """Return the versions of what takes part in a result.

    Parameters
    ----------
    networks : bool
        Whether Keras and its backend, which train, and ONNX Runtime, which predicts,
        take part.

    Returns
    -------
    dict of str to str
        Version by name of the package.
    """
    packages = ["skmnist", "scikit-learn", "numpy"]
    if networks:
        packages += ["keras", _BACKEND_PACKAGES.get(_backend(), "tensorflow")]
        packages.append("onnxruntime")
    found = {"python": platform.python_version()}
    return found | {package: _version(package) for package in packages}


@functools.cache
def _version(package):
    """Return the version of a package, without importing it, or "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:  # builds for GPUs have other names
        names = packages_distributions().get(package)
        return version(names[0]) if names else "unknown"


def _backend():
    """Return the backend of Keras, or that which it will have when it is loaded."""
    keras = sys.modules.get("keras")
    if keras is not None:
        return keras.backend.backend()
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    configured = {}
    with contextlib.suppress(OSError, ValueError):
        configured = json.loads((folder / "keras.json").read_text("utf-8"))
    given = os.environ.get("KERAS_BACKEND") or configured.get("backend")
    return given or "tensorflow"


def versions_line(versions):
    """Write versions on one line."""
    return ", ".join(f"{package} {number}" for package, number in versions.items())


def plain_parameters(model):
    """Return the parameters of a model's classifier as JSON can hold them.

    Parameters
    ----------
    model : classifier or Pipeline
        The model.

    Returns
    -------
    dict of str to object
        Numbers, texts, truth values and None as they are, lists of these likewise,
        everything else as text.
    """
    return {
        name: _plain_value(value)
        for name, value in _classifier(model).get_params(deep=False).items()
    }


def _classifier(model):
    return model[-1] if hasattr(model, "named_steps") else model


def _plain_value(value):
    if isinstance(value, list | tuple):
        return [_plain_value(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, _PLAIN) else str(value)


def plain_history(model):
    """Return the learning curves of a fitted model as JSON can hold them.

    Parameters
    ----------
    model : classifier or Pipeline
        Fitted.

    Returns
    -------
    dict of str to list, or None
        Values by epoch, None in place of NaN and infinity; None for a model without
        epochs.
    """
    history = getattr(_classifier(model), "history_", None)
    if history is None:
        return None
    return {
        name: [float(v) if math.isfinite(v) else None for v in values]
        for name, values in history.items()
    }
