"""Checks of what a description holds, with errors that name the place."""

import math
import reprlib

from skmnist.persistence._errors import ModelFileError

__all__ = [
    "MAX_COUNT",
    "check",
    "check_keys",
    "is_count",
    "is_number",
    "is_shape",
    "refuse",
    "shortened",
]

MAX_COUNT = 2**63 - 1
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80


def shortened(value):
    """Return a value as a text of a few words."""
    return _repr.repr(value)


def refuse(place, allowed, value):
    """Raise ModelFileError for a value that is not allowed at a place."""
    raise ModelFileError(f"{place} must be {allowed}; got {shortened(value)}")


def check(value, place, allowed, is_allowed):
    """Return a value that is allowed at a place, or refuse it."""
    if not is_allowed(value):
        refuse(place, allowed, value)
    return value


def check_keys(value, place, required, optional=()):
    """Return an object that has the required keys and no unknown ones, or refuse it."""
    if not isinstance(value, dict):
        refuse(place, "an object", value)
    missing = [key for key in required if key not in value]
    if missing:
        raise ModelFileError(f"{place} lacks {', '.join(map(repr, missing))}")
    unknown = [key for key in value if key not in {*required, *optional}]
    if unknown:
        raise ModelFileError(
            f"{place} has the key {shortened(unknown[0])}, which this version of "
            "skmnist does not know"
        )
    return value


def is_count(value, low=0, high=MAX_COUNT):
    """Return whether a value is a whole number in a range, and no bool."""
    return type(value) is int and low <= value <= high


def is_number(value):
    """Return whether a value is a finite number, and no bool."""
    return type(value) in (int, float) and math.isfinite(value)


def is_shape(value, n_sides):
    """Return whether a value is a list of so many lengths, all at least 1."""
    return (
        isinstance(value, list)
        and len(value) in n_sides
        and all(is_count(side, 1) for side in value)
    )
