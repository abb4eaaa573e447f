"""Plain data as JSON: with tuples, keys of all kinds and NaN, and within bounds.

``None``, booleans, numbers, strings, lists, and dicts whose keys are strings are what
they are in JSON. The rest are objects with one key: ``{"tuple": [1, 2]}``;
``{"dict": [[0, 1.5], [1, 2.0]]}``, pairs of keys and values; and ``{"float": "nan"}``,
``"inf"`` or ``"-inf"``.
"""

import json
import math
import re

import numpy as np

__all__ = ["MAX_VALUE_DEPTH", "NotPlainError", "decoded", "encoded", "parse"]

# What a reader allocates for each entry may be 50 times as large as the entry.
_MAX_ENTRIES = 500_000
_MAX_DEPTH = 32
MAX_VALUE_DEPTH = 8  # of a value, each level of which may take two levels of JSON
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_TAGS = {"dict", "float", "tuple"}
# The closing quote may be missing, so that one match takes all of what is left.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class NotPlainError(TypeError):
    """Error for values that are not plain data."""


def encoded(value, depth=0):
    """Return plain data as JSON holds them, or raise NotPlainError.

    Scalars of NumPy become those of Python; `depth` is how deep in another value it is.
    """
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)  # exactly: a subclass may be more than its value
    if value is None or kind in (bool, str):
        return value
    if kind is int and _is_64_bit(value):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if depth < MAX_VALUE_DEPTH:
        if kind in (list, tuple):
            parts = [encoded(part, depth + 1) for part in value]
            return parts if kind is list else {"tuple": parts}
        if kind is dict:
            pairs = [
                [encoded(k, depth + 1), encoded(part, depth + 1)]
                for k, part in value.items()
            ]
            if all(type(k) is str for k, _ in pairs) and not _is_tagged(dict(pairs)):
                return dict(pairs)
            return {"dict": pairs}
    raise NotPlainError(f"{value!r} is not plain data")


def decoded(value):
    """Return the plain data of :func:`encoded`; raise ValueError if malformed."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if not isinstance(value, dict):
        return value
    if not _is_tagged(value):
        return {key: decoded(part) for key, part in value.items()}
    ((tag, content),) = value.items()
    if tag == "float" and isinstance(content, str) and content in _FLOATS:
        return _FLOATS[content]
    if tag == "tuple" and isinstance(content, list):
        return tuple(decoded(part) for part in content)
    if tag == "dict" and isinstance(content, list):
        return _mapping(content)
    raise ValueError(f"{tag!r} cannot hold a {type(content).__name__} like this")


def _mapping(pairs):
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError("'dict' must hold pairs of a key and a value")
    try:
        mapping = dict(decoded(pairs))
    except TypeError:
        mapping = {}
    if len(mapping) != len(pairs):
        raise ValueError("a key of 'dict' is there twice, or cannot be a key")
    return mapping


def _is_tagged(mapping):
    return len(mapping) == 1 and not _TAGS.isdisjoint(mapping)


def _is_64_bit(number):
    return -(2**63) <= number < 2**63


def parse(text):
    """Read JSON strictly, and nothing that takes much more memory than its text.

    Raises ValueError for what the standard does not have, such as NaN; a key twice in
    an object; a number that is too large; and what is nested too deeply or too long.
    """
    _check_size(text)
    return json.loads(
        text,
        object_pairs_hook=_without_duplicates,
        parse_constant=_refuse_constant,
        parse_float=_finite_float,
        parse_int=_small_int,
    )


def _check_size(text):
    """Refuse what is nested too deeply or has too many entries, before it is read."""
    bare = _STRING.sub("", text)
    if sum(map(bare.count, ",[{")) > _MAX_ENTRIES:
        raise ValueError(f"it has more than {_MAX_ENTRIES:,} entries")
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        if depth < 0:
            raise ValueError("it has a closing bracket too many")
        if depth > _MAX_DEPTH:
            raise ValueError(f"it is nested more than {_MAX_DEPTH} levels deep")


def _without_duplicates(pairs):
    mapping = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f"the key {key[:50]!r} is there twice")
        mapping[key] = value
    return mapping


def _refuse_constant(name):
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:50]} is too large")
    return number


def _small_int(text):
    if len(text) > 20 or not _is_64_bit(number := int(text)):
        raise ValueError(f"the number {text[:50]} has more than 64 bits")
    return number
