"""The first import of Keras and its backend, in one piece."""

import contextlib
import os

from skmnist._interrupts import uninterrupted

__all__ = ["loading_keras"]

around_import = contextlib.nullcontext  # the command line has a quiet one here
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def loading_keras():
    """Let imports finish, and hide most of their log."""
    given = os.environ.get(_LOG_LEVEL)
    with uninterrupted(), around_import():
        os.environ.setdefault(_LOG_LEVEL, "3")
        try:
            yield
        finally:
            if given is None:
                os.environ.pop(_LOG_LEVEL, None)
