"""Checks that a loaded network is the one that was saved."""

import contextlib
import hashlib

import numpy as np

__all__ = ["NetworkStateError", "checksum", "naming_damage"]


class NetworkStateError(ValueError):
    """A pickled network is damaged, or written by a newer Keras."""


def checksum(facts, weights):
    """Return the SHA-256 of all that decides the predictions of a network."""
    digest = hashlib.sha256(repr(facts).encode())
    for array in weights:
        array = np.asarray(array)
        if array.dtype.byteorder == ">":  # kept by pickle, changed by joblib
            array = array.astype(array.dtype.newbyteorder("<"))
        digest.update(repr((array.dtype.name, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()


@contextlib.contextmanager
def naming_damage():
    """Report errors of the block as a damaged network."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise NetworkStateError(f"its network is damaged ({error!r})") from error
