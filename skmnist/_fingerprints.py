"""Fingerprints of parameters, functions and data: equal ones have the same."""

import hashlib
from functools import partial, singledispatch
from types import CodeType, FunctionType, MethodType, ModuleType

import joblib
import numpy as np

__all__ = ["describe", "fingerprint"]


def fingerprint(value):
    """Return a short text that tells a value from others, in any process.

    Functions are known by their code, what they enclose and their defaults, but not by
    what they call; classes by their names.
    """
    try:
        text = repr(describe(value))
    except Exception as error:  # whatever pickling raises, or endless recursion
        raise ValueError(
            f"memory cannot tell all parameters and data from others ({error}). Leave "
            "them or memory out."
        ) from error
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@singledispatch
def describe(value):
    """Return what tells a value from others, as plain data whose `repr` is the same."""
    kind = type(value)
    if hasattr(value, "get_params"):
        return [describe(kind), describe(value.get_params(deep=False))]
    if hasattr(value, "get_config"):  # of Keras
        config = dict(value.get_config())
        config.pop("name", None)  # counts the objects of the process
        weights = value.get_weights() if hasattr(value, "get_weights") else None
        return [describe(kind), describe(config), describe(weights)]
    call = getattr(kind, "__call__", None)  # noqa: B004 (not that of the object)
    if isinstance(call, FunctionType):
        return [describe(kind), describe(call), describe(value.__getstate__())]
    if hasattr(value, "__wrapped__"):  # a function with a cache, for example
        return [describe(kind), describe(value.__wrapped__)]
    return joblib.hash(value)


@describe.register(type(None))
@describe.register(type(...))
@describe.register(bool)
@describe.register(int)
@describe.register(float)
@describe.register(complex)
@describe.register(str)
@describe.register(bytes)
def _(value):
    return value


@describe.register
def _(value: np.generic):
    plain = value.item()  # that of a long double is one again
    return repr(plain) if isinstance(plain, np.generic) else describe(plain)


@describe.register
def _(value: np.ndarray):
    return joblib.hash(np.ascontiguousarray(value))


@describe.register(list)
@describe.register(tuple)
def _(value):
    return [describe(part) for part in value]


@describe.register(set)
@describe.register(frozenset)
def _(value):
    return {"set": sorted(repr(describe(part)) for part in value)}


@describe.register
def _(value: dict):
    items = [(repr(describe(key)), describe(part)) for key, part in value.items()]
    return {"dict": sorted(items, key=lambda item: item[0])}


@describe.register
def _(value: type):
    return f"class {value.__module__}.{value.__qualname__}"


@describe.register
def _(value: ModuleType):
    return value.__name__


@describe.register
def _(value: CodeType):
    names = value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars
    table = value.co_exceptiontable
    return [value.co_code, table, describe(value.co_consts), describe(names)]


@describe.register
def _(value: FunctionType):
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    parts = value.__code__, value.__defaults__, value.__kwdefaults__, cells
    return ["function", describe(parts)]


@describe.register
def _(value: MethodType):
    return ["method", describe(value.__func__), describe(value.__self__)]


@describe.register
def _(value: partial):
    return ["partial", describe([value.func, value.args, value.keywords])]
