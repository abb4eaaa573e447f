"""What a result was computed with."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

_BACKEND_PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def used_versions(networks):
    """Return the versions of what takes part in a result.

    Parameters
    ----------
    networks : bool
        Whether Keras and its backend take part.

    Returns
    -------
    dict of str to str
        Version by name of the package.
    """
    packages = ["skmnist", "scikit-learn", "numpy"]
    if networks:
        packages += ["keras", _BACKEND_PACKAGES.get(_backend(), "tensorflow")]
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _backend():
    keras = sys.modules.get("keras")
    if keras is not None:
        return keras.backend.backend()
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def versions_line(versions):
    """Write versions on one line."""
    return ", ".join(f"{package} {number}" for package, number in versions.items())
