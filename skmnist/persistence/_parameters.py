"""Constructor parameters as JSON, and an estimator made of them."""

import inspect
import re

from skmnist.persistence._schema import ModelFileError, check, shortened
from skmnist.persistence._values import NotPlainError, decoded, encoded

__all__ = ["build", "describe_parameters", "is_name", "not_writable"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def not_writable(part, hint="Save the model to a .joblib file instead."):
    """Return the error for a part of a model that a safetensors file cannot hold."""
    return TypeError(f"A .safetensors file cannot hold {part}. {hint}")


def is_name(value):
    """Return whether a value is a plain name, as Keras and scikit-learn have them."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def describe_parameters(estimator, params):
    """Return parameters ready for JSON.

    Parameters
    ----------
    estimator : estimator
        Whose they are, for the message.
    params : dict
        Values by name.

    Returns
    -------
    dict
        Encoded values by name.

    Raises
    ------
    TypeError
        If one is no plain data.
    """
    described = {}
    for name, value in params.items():
        try:
            described[name] = encoded(value)
        except NotPlainError as error:
            raise not_writable(
                f"{name}={shortened(value)} of {type(estimator).__name__}, which is no "
                "plain data"
            ) from error
    return described


def build(cls, described, place, **given):
    """Return an estimator with parameters from a description, after they were checked.

    Parameters
    ----------
    cls : type
        Its class.
    described : object
        What the description has as parameters.
    place : str
        Where, for errors.
    **given : object
        Parameters that the description has in another form.

    Returns
    -------
    estimator
        Not fitted.
    """
    place = f"{place}.parameters"
    check(described, place, "an object", lambda value: isinstance(value, dict))
    known = inspect.signature(cls).parameters
    params = {}
    for name, value in described.items():
        if name not in known:
            raise ModelFileError(
                f"{place} has {shortened(name)}, and {cls.__name__} has no such "
                "parameter in this version of skmnist"
            )
        try:
            params[name] = decoded(value)
        except ValueError as error:
            raise ModelFileError(f"{place}.{name}: {error}") from error
    for name in ("activation", "kernel_initializer", "optimizer"):
        if isinstance(params.get(name), str):
            check(params[name], f"{place}.{name}", "a plain name", is_name)
    estimator = cls(**params | given)
    try:
        estimator._validate_params()
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{place}: {error}") from error
    return estimator
