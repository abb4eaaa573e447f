"""What a result was computed with."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import (
    PackageNotFoundError,
    packages_distributions,
    version,
)

import click

_BACKEND_PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def provenance(networks):
    """Return what tells where a result comes from.

    Parameters
    ----------
    networks : bool
        Whether Keras and its backend take part.

    Returns
    -------
    dict
        Command line, time, machine and versions, ready for JSON.
    """
    return {
        "command": command_line(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": f"{platform.system()} {platform.machine()}",
        "n_cpus": os.cpu_count(),
        "versions": used_versions(networks),
    }


def command_line():
    """Return the command line that is running; None where there is none."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_root().obj


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


def _version(package):
    """Return the version of a package, without importing it, or "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:  # builds for GPUs have other names
        names = packages_distributions().get(package)
        return version(names[0]) if names else "unknown"


def _backend():
    keras = sys.modules.get("keras")
    if keras is not None:
        return keras.backend.backend()
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def versions_line(versions):
    """Write versions on one line."""
    return ", ".join(f"{package} {number}" for package, number in versions.items())
