"""The first import of Keras and its backend, in one piece."""

import contextlib
import os

from skmnist._interrupts import uninterrupted

__all__ = ["loading_keras"]

around_import = contextlib.nullcontext  # the command line has a quiet one here
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def loading_keras():
    """Let the imports inside go through to their end, with little of their log."""
    was_set = _LOG_LEVEL in os.environ
    with uninterrupted(), around_import():
        level = os.environ.setdefault(_LOG_LEVEL, "3")
        try:
            yield
        finally:
            if not was_set and os.environ.get(_LOG_LEVEL) == level:
                del os.environ[_LOG_LEVEL]
