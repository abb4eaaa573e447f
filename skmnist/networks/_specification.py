"""Specification of a network: its builder, image size and parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np


def plain_numbers(value):
    """Return a number or nested sequence of numbers as Keras takes them.

    Parameters
    ----------
    value : object
        Numbers of NumPy become those of Python, and lists tuples, which nobody
        can change without our knowledge. All else is returned as it is.

    Returns
    -------
    object
        The same value.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(plain_numbers, value))
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


@dataclass(frozen=True, eq=False)
class NetworkSpec:
    """Specification of a network: ``builder(input_shape, n_classes, **parameters)``.

    Parameters
    ----------
    builder : callable
        Function that returns a :class:`keras.Model`.
    input_shape : tuple of int
        Shape of one sample.
    n_classes : int
        Number of classes.
    parameters : dict
        Further arguments of the builder.
    """

    builder: Callable
    input_shape: tuple
    n_classes: int
    parameters: dict = field(default_factory=dict)

    def __eq__(self, other):
        return isinstance(other, NetworkSpec) and _same(self._facts(), other._facts())

    __hash__ = None  # parameters are a dict

    def changes_to(self, other):
        """Describe how another specification differs.

        Parameters
        ----------
        other : NetworkSpec
            The other specification.

        Returns
        -------
        str
            Such as ``"units from 16 to 20, dropout from 0.2 to 0.5"``.
        """
        before, after = self._facts(), other._facts()
        return ", ".join(
            f"{name} from {before.get(name)!r} to {after.get(name)!r}"
            for name in {**before, **after}
            if not _same(before.get(name), after.get(name))
        )

    def _facts(self):
        """Return all that the network depends on, with the defaults of its builder.

        In a file of an earlier version, parameters that came later are missing.
        """
        facts = {**vars(self), **(getattr(self.builder, "__kwdefaults__", None) or {})}
        return facts | facts.pop("parameters")


def _same(one, other):
    """Return whether values are equal that may hold arrays."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if hasattr(one, "shape") or hasattr(other, "shape"):
        return np.array_equal(one, other)
    return one == other
