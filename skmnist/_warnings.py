"""Warnings that show the user's line of code, however deep the call."""

import inspect
import warnings

__all__ = ["warn_caller"]

_INSIDE = {"skmnist", "sklearn", "joblib"}


def warn_caller(message, category=UserWarning):
    """Warn the first caller outside of this package, scikit-learn and joblib.

    Parameters
    ----------
    message : str or None
        The warning; None if there is nothing to warn of.
    category : type, default=UserWarning
        Its class.
    """
    if message is None:
        return
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
