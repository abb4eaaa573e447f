"""Rules for the contents of a description, and the function that checks them."""

import math
import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from skmnist.persistence._values import NotPlainError, decoded, encoded

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80


class ModelFileError(ValueError):
    """Error for files that are not models or are damaged."""


@dataclass(frozen=True)
class Rule:
    """What a value must be, in words and as a condition, and its way to and from JSON.

    Null, where it is taken, is None, or leaves out an attribute of an estimator.
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
    """Decode the value at a place, or refuse it.

    The rule for an object is a dict of rules by key. A function in place of one of them
    makes it of what was read before. Keys of `optional` objects may be missing.
    """
    if isinstance(rule, dict):
        return _check_object(value, rule, place, optional)
    if value is None and rule.takes_null:
        return None
    try:
        is_allowed = rule.is_allowed(value)
    except ValueError as error:  # what cannot be decoded
        raise ModelFileError(f"{place}: {error}") from error
    if not is_allowed:
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
    for key, rule in rules.items():
        if key in value:
            rule = rule(read) if callable(rule) else rule
            part = check(value[key], rule, f"{place}.{key}")
            if part is not None or isinstance(rule, dict) or not rule.is_left_out:
                read[key] = part
    return read


def written(values, rules, owner):
    """Return values ready for JSON, those that are missing as null.

    What has a dict as its rule must be ready. The name of the owner is for errors.
    """
    made = {}
    for name, rule in rules.items():
        rule, value = rule(made) if callable(rule) else rule, values.get(name)
        is_ready = value is None or isinstance(rule, dict)
        try:
            made[name] = value if is_ready else rule.write(value)
        except NotPlainError as error:
            raise not_writable(
                f"{name}={shortened(value)} of {owner}, which is not plain data"
            ) from error
    return made


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
    return is_string(value) and bool(_NAME.fullmatch(value))


def are_finite(array):
    """Return whether an array holds finite numbers."""
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())


def is_list(value, is_item, lengths=None):
    """Return whether a value is a list of such items, and of such a length."""
    return (
        isinstance(value, list)
        and (lengths is None or len(value) in lengths)
        and all(map(is_item, value))
    )


def is_string(value):
    """Return whether a value is a string."""
    return isinstance(value, str)


def one_of(names, write=str, words=None):
    """Return the rule for names; a dict has what they stand for."""
    return Rule(
        words or f"one of {', '.join(names)}",
        lambda value: is_string(value) and value in names,
        names.__getitem__ if isinstance(names, dict) else str,
        write,
    )


def or_null(rule, *, is_left_out=False):
    """Return a rule that allows null as well."""
    words = f"null or {rule.words}"
    return replace(rule, words=words, takes_null=True, is_left_out=is_left_out)


def plain(words, is_allowed, write=encoded):
    """Return the rule for encoded values that, decoded, meet a condition."""
    return Rule(words, lambda value: is_allowed(decoded(value)), decoded, write)


def shape(*n_sides, size=None):
    """Return the rule for so many lengths of at least 1, perhaps with a product."""
    product = "" if size is None else f" with the product {size}"
    return Rule(
        f"a list of {' or '.join(map(str, n_sides))} lengths of at least 1{product}",
        lambda value: (
            is_list(value, SIZE.is_allowed, n_sides) and size in (None, prod(value))
        ),
        tuple,
        lambda sides: [int(side) for side in sides],
    )


ANYTHING = Rule("anything", lambda value: True)
BOOL = Rule("true or false", lambda value: isinstance(value, bool), write=bool)
NAME = Rule("a plain name", is_name)
NUMBER = Rule("a finite number", is_number, float, float)
OBJECT = Rule("an object", lambda value: isinstance(value, dict))
PLAIN = plain("plain data", lambda value: True)
POSITIVE = Rule("a number of at least 0", lambda value: is_number(value, 0))
SIZE = count(1)
STRING = Rule("a string", is_string)
