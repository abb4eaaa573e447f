"""Reproduction of the published results in :mod:`skmnist.published`.

:func:`reproduce` trains the networks by their published recipes, saves each finished
run to a file, and returns the results next to the published ones. ``skmnist reproduce``
does the same on the command line.
"""

from skmnist.reproduction._reproduce import reproduce

__all__ = ["reproduce"]
