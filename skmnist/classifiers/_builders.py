"""Checks of a user-defined builder before it is called."""

import copy
import functools
import inspect
import sys

from skmnist._suggestions import suggestion

__all__ = [
    "check_arguments",
    "check_names",
    "cloned",
    "defaults",
    "is_of_keras",
]


def is_of_keras(value):
    """Return whether a value is a layer or model, without importing Keras for that."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(value, keras.Layer)


def cloned(value):
    """Copy a builder or its arguments, but for layers, models and the like in them.

    No fit changes these. Copies would take time and memory, and forget what Keras does
    not save, such as a weight that is frozen alone.
    """
    return copy.deepcopy(value, {id(part): part for part in _keras_parts(value)})


def _keras_parts(value):
    """Yield what is of Keras in a value, however deep, and each part once."""
    seen, left = {}, [value]  # the objects themselves: ids of others may come again
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if is_of_keras(value) or type(value).__module__.startswith("keras."):
            yield value
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list | tuple | set):
            left.extend(value)
        elif isinstance(value, functools.partial):
            left.extend((value.func, value.args, value.keywords))
        elif hasattr(value, "__self__"):  # a method
            left.append(value.__self__)
        elif not (
            # Those are not copied by anybody.
            isinstance(value, type)
            or inspect.isroutine(value)
            # Nor are these, which lead to all that is loaded.
            or inspect.ismodule(value)
        ):
            left.extend(getattr(value, "__dict__", {}).values())


def defaults(builder):
    """Return the default values of what a builder takes besides shape and classes."""
    return {
        name: parameter.default
        for name, parameter in _further_arguments(builder).items()
        if parameter.default is not inspect.Parameter.empty
    }


def _further_arguments(builder):
    """Return what a builder takes by name, besides shape and number of classes."""
    try:
        parameters = list(inspect.signature(builder).parameters.items())
    except (TypeError, ValueError):  # no function, or none that says
        return {}
    positional = [
        name
        for name, parameter in parameters
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    return {
        name: parameter
        for name, parameter in parameters
        if name not in positional[:2]
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def check_names(builder, arguments, prefix):
    """Refuse arguments that a builder does not take, if it says what it takes."""
    try:
        signature = inspect.signature(builder)
    except (TypeError, ValueError):
        return
    parameters = signature.parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    known = _further_arguments(builder)
    given_already = list(parameters)[:2]
    unknown = [
        name
        for name in arguments
        if name not in known and (not takes_any or name in given_already)
    ]
    if not unknown:
        return
    hint = suggestion(f"{prefix}{unknown[0]}", [f"{prefix}{name}" for name in known])
    raise ValueError(
        f"There is no parameter '{prefix}{unknown[0]}', as the builder takes no such "
        f"argument besides the input shape and the number of classes.{hint} It is "
        f"{_name_of(builder)}{signature}."
    )


def _name_of(builder):
    return getattr(builder, "__name__", repr(builder))


def check_arguments(builder, input_shape, n_classes, parameters):
    """Refuse parameters that a builder does not take, before it is called."""
    signature = inspect.signature(builder)
    try:
        signature.bind(input_shape, n_classes, **parameters)
    except TypeError as error:
        known = list(signature.parameters)
        unknown = (name for name in parameters if name not in known)
        hint = next(filter(None, (suggestion(name, known) for name in unknown)), "")
        raise ValueError(
            f"The builder cannot be called with builder_params={parameters!r}: "
            f"{error}.{hint} It is {_name_of(builder)}{signature}, and its first two "
            "arguments are the input shape and the number of classes."
        ) from error
