"""Metadata of a model from an untrusted file."""

import math
from numbers import Integral, Real

import numpy as np

__all__ = ["known_metadata"]

_LARGEST_SEED = 2**32 - 1
_MAX_DEPTH = 10


def _is_text(value):
    return isinstance(value, str)


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_fraction(value):
    return isinstance(value, int | float) and 0 <= value <= 1


def _is_shape(value):
    return (
        isinstance(value, list)
        and len(value) in (2, 3)
        and all(_is_count(n) and n > 0 for n in value)
    )


def _are_versions(value):
    return isinstance(value, dict) and all(map(_is_text, value.values()))


# What `skmnist train` writes, and other commands make use of. Others may mean something
# else by the same names.
_IS_KNOWN = {
    "model": _is_text,
    "dataset": _is_text,
    "source": _is_text,
    "image_shape": _is_shape,
    "seed": lambda value: _is_count(value) and value <= _LARGEST_SEED,
    "n_train": _is_count,
    "n_test": _is_count,
    "test_accuracy": _is_fraction,
    "n_epochs": lambda value: value is None or _is_count(value),
    "trained": _is_text,
    "versions": _are_versions,
}


def known_metadata(metadata):
    """Return metadata as JSON can hold them, without what is not of its usual kind."""
    plain = _plain(metadata)
    return {
        name: value
        for name, value in plain.items()
        if name not in _IS_KNOWN or _IS_KNOWN[name](value)
    }


def _plain(value, depth=0):
    if depth > _MAX_DEPTH:  # or it holds itself
        return str(value)
    if isinstance(value, dict):
        return {str(k): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part, depth + 1) for part in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), depth + 1)
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value) if abs(value) < 2**63 else hex(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    return str(value)
