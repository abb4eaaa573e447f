"""The first import of Keras and its backend, in one piece."""

import contextlib

from skmnist._interrupts import uninterrupted

__all__ = ["loading_keras"]

around_import = contextlib.nullcontext  # the command line has a quiet one here


@contextlib.contextmanager
def loading_keras():
    """Let the imports inside go through to their end."""
    with uninterrupted(), around_import():
        yield
