"""Tables of what a description may hold, and one function that checks by them."""

import math
import re
import reprlib
from collections.abc import Callable
from math import prod
from typing import NamedTuple

import numpy as np

from skmnist.persistence._values import decoded, encoded

__all__ = [
    "ANYTHING",
    "BOOL",
    "NAME",
    "OBJECT",
    "RATE",
    "ModelFileError",
    "Rule",
    "are_finite",
    "check",
    "count",
    "is_name",
    "is_number",
    "not_writable",
    "one_of",
    "or_null",
    "plain",
    "shape",
    "shortened",
]

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80


class ModelFileError(ValueError):
    """A file is not a model that can be loaded."""


class Rule(NamedTuple):
    """What a value must be, in words and as a condition, and its way to and from JSON.

    Null, where it is taken, is None; or it means that an estimator lacks the attribute.
    """

    words: str
    is_allowed: Callable
    read: Callable = lambda value: value
    write: Callable = lambda value: value
    takes_null: bool = False
    is_left_out: bool = False


def not_writable(part, hint="Save the model to a .joblib file instead."):
    """Return the error for a part of a model that a safetensors file cannot hold."""
    return TypeError(f"A .safetensors file cannot hold {part}. {hint}")


def shortened(value):
    """Return a value as a text of a few words."""
    return _repr.repr(value)


def check(value, rule, place, *, optional=False):
    """Return what a value at a place stands for, or refuse it.

    A dict is the rule for an object: it has a rule for each key, and a function in the
    place of a rule makes one of what was read before.
    """
    if isinstance(rule, dict):
        return _check_object(value, rule, place, optional)
    if value is None and rule.takes_null:
        return None
    if not rule.is_allowed(value):
        raise ModelFileError(f"{place} must be {rule.words}; got {shortened(value)}")
    return rule.read(value)


def _check_object(value, rules, place, optional):
    check(value, OBJECT, place)
    missing = [key for key in rules if key not in value]
    if missing and not optional:
        raise ModelFileError(f"{place} lacks {', '.join(map(repr, missing))}")
    unknown = [key for key in value if key not in rules]
    if unknown:
        raise ModelFileError(
            f"{place} has the key {shortened(unknown[0])}, which this version of "
            "skmnist does not know"
        )
    read = {}
    for key in rules:
        if key not in value:
            continue
        rule = rules[key](read) if callable(rules[key]) else rules[key]
        read[key] = check(value[key], rule, f"{place}.{key}")
    return read


def count(low=0, high=2**63 - 1):
    """Return the rule for whole numbers in a range; bools are none."""
    return Rule(
        f"a whole number from {low} to {high}",
        lambda value: type(value) is int and low <= value <= high,
        write=int,
    )


def is_number(value, low=-math.inf):
    """Return whether a value is a finite number of at least `low`, and no bool."""
    return type(value) in (int, float) and math.isfinite(value) and value >= low


def is_name(value):
    """Return whether a value is a plain name, as Keras and scikit-learn have them."""
    return isinstance(value, str) and bool(
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", value)
    )


def are_finite(array):
    """Return whether an array holds finite numbers."""
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())


def one_of(names, write=str):
    """Return the rule for names; a dict has what they stand for."""
    return Rule(
        f"one of {', '.join(names)}",
        lambda value: isinstance(value, str) and value in names,
        names.__getitem__ if isinstance(names, dict) else str,
        write,
    )


def or_null(rule, *, is_left_out=False):
    """Return a rule that allows null as well."""
    words = f"null or {rule.words}"
    return rule._replace(words=words, takes_null=True, is_left_out=is_left_out)


def plain(words, is_allowed):
    """Return the rule for encoded values that, decoded, meet a condition."""
    return Rule(words, lambda value: is_allowed(decoded(value)), decoded, encoded)


def shape(*n_sides, size=None):
    """Return the rule for so many lengths of at least 1, perhaps with a product."""
    side = count(1)
    return Rule(
        f"a list of {' or '.join(map(str, n_sides))} lengths of at least 1"
        + (f" with the product {size}" if size is not None else ""),
        lambda value: (
            isinstance(value, list)
            and len(value) in n_sides
            and all(map(side.is_allowed, value))
            and size in (None, prod(value))
        ),
        tuple,
        lambda sides: [int(side) for side in sides],
    )


OBJECT = Rule("an object", lambda value: isinstance(value, dict))
ANYTHING = Rule("anything", lambda value: True)
BOOL = Rule("true or false", lambda value: isinstance(value, bool), write=bool)
NAME = Rule("a plain name", is_name)
RATE = Rule("a number of at least 0", lambda value: is_number(value, 0))
